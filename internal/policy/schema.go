package policy

import (
	"embed"
	"sync"

	"github.com/pinnace-dev/pinnace/internal/document"
)

// APIVersion is the version of every document that Pinnace defines.
const APIVersion = "pinnace.dev/v1alpha1"

// The kinds of document that this package reads.
const (
	KindPullImageDigestPolicy   = "PullImageDigestPolicy"
	KindImagePromotionPolicy    = "ImagePromotionPolicy"
	KindArtifactPromotionPolicy = "artifactPromotionPolicy" // its apiVersion is "v1"
	KindFilterCondition         = "FilterCondition"
	KindFreeze                  = "Freeze"
)

const schemaBase = "https://pinnace.dev/schema/v1alpha1/"

//go:embed schema/*.schema.json
var schemaFiles embed.FS

// schemaNames maps each kind to the last segment of its schema's address.
var schemaNames = map[string]string{
	KindPullImageDigestPolicy:   "pull-image-digest-policy.schema.json",
	KindImagePromotionPolicy:    "image-promotion-policy.schema.json",
	KindArtifactPromotionPolicy: "artifact-promotion-policy.schema.json",
	KindFilterCondition:         "filter-condition.schema.json",
	KindFreeze:                  "freeze.schema.json",
}

// Kinds returns the kinds of document, in the order of the reference.
func Kinds() []string {
	return []string{
		KindPullImageDigestPolicy, KindImagePromotionPolicy, KindArtifactPromotionPolicy, KindFilterCondition, KindFreeze,
	}
}

// Schema returns the JSON schema (draft 2020-12) of a kind of document, nil for another kind.
func Schema(kind string) []byte {
	name, ok := schemaNames[kind]
	if !ok {
		return nil
	}
	text, err := schemaFiles.ReadFile("schema/" + name)
	if err != nil {
		panic("policy: embedded schema: " + err.Error()) // unreachable: a test reads each
	}
	return text
}

// SchemaID returns the address that names the schema of a kind.
func SchemaID(kind string) string { return schemaBase + schemaNames[kind] }

// An object is a JSON object.
type object = map[string]any

// schemas are those of each kind, compiled when one is first needed.
var schemas = sync.OnceValue(func() map[string]*document.Schema {
	all := map[string]*document.Schema{}
	for _, kind := range Kinds() {
		s, err := document.Compile(SchemaID(kind), Schema(kind), formats)
		if err != nil {
			panic("policy: embedded schema: " + err.Error()) // unreachable: a test reads each
		}
		all[kind] = s
	}
	return all
})
