package reference

import (
	"strings"

	"github.com/pinnace-dev/pinnace/internal/policy"
)

func policies() string {
	var b strings.Builder
	b.WriteString("What the documents do, with examples, is in [policies.md](../policies.md). They stand in `.pinnace/policies/*.yaml`, freezes in `.pinnace/freeze.yaml`; a file may hold several, with `---` between them. An unknown key is an error. `pinnace policy validate` checks them.\n\n")
	b.WriteString("Durations, globs, people and teams are written as [policies.md](../policies.md#documents) says; what a condition may ask is in [cel.md](cel.md).\n\n")
	for _, kind := range policy.Kinds() {
		s := read(policy.Schema(kind))
		b.WriteString("## " + kind + "\n\n" + s.about() + " [Examples](../policies.md#" + anchor(kind) + ").\n\n")
		table(&b, fieldHead, rows(s.fields))
	}
	return b.String()
}
