package reference

import (
	"strings"

	"github.com/pinnace-dev/pinnace/internal/config"
)

func configuration() string {
	s := read(config.Schema())
	var b strings.Builder
	b.WriteString(s.about() + " How its parts work together is in [configuration.md](../configuration.md). Parsing is strict: an unknown key is an error, with its position. `pinnace config schema` prints the JSON schema that this page is printed from; `pinnace config validate` checks a file.\n\n")
	b.WriteString("## An example\n\n")
	block(&b, "yaml", string(config.Example()))
	section := func(title, about, parent string) {
		b.WriteString("## " + title + "\n\n")
		if about != "" {
			b.WriteString(about + "\n\n")
		}
		var own []field
		for _, f := range s.fields {
			if f.parent == parent {
				own = append(own, f)
			}
		}
		table(&b, fieldHead, rows(own))
	}
	section("Top level", "", "")
	for _, f := range s.fields {
		if f.below != "" {
			section(code(f.below), f.text, f.below)
		}
	}
	return b.String()
}
