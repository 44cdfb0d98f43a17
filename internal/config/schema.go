package config

import (
	"bytes"
	_ "embed"
	"sync"

	"github.com/pinnace-dev/pinnace/internal/document"
)

// SchemaID is the address that names the schema.
const SchemaID = "https://pinnace.dev/schema/v1alpha1/config.schema.json"

//go:embed schema/config.schema.json
var schemaText []byte

//go:embed schema/example.yaml
var exampleText []byte

// Schema returns the JSON schema (draft 2020-12) of the Config document.
func Schema() []byte { return bytes.Clone(schemaText) }

// Example returns a Config document that holds every key that has a common use.
func Example() []byte { return bytes.Clone(exampleText) }

// schema is compiled when it is first needed.
var schema = sync.OnceValue(func() *document.Schema {
	s, err := document.Compile(SchemaID, schemaText, formats)
	if err != nil {
		panic("config: embedded schema: " + err.Error()) // unreachable: a test compiles it
	}
	return s
})
