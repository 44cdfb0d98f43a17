package command

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/pinnace-dev/pinnace/internal/image"
)

func FuzzParse(f *testing.F) {
	for _, form := range forms {
		f.Add(form)
	}
	for _, body := range []string{
		"/promote shop --to prod, dev --from=staging --image nginx:1.2@" + digest + ` --reason "x"`, "/rollback a in b to " + digest + " because “'x'”",
		"> a\n/deploy", "```\n/deploy\n```\n/deploy", "- ~~~ x\n  /judge\n<!-- a -->\n<pre>\n/judge</pre>\r\n/judge\r/reseal", "/break-glass because --reason='a' b",
	} {
		f.Add(body)
	}
	f.Fuzz(func(t *testing.T, body string) {
		commands, problems := Parse(body)
		if len(commands) > maxCommands || len(problems) > maxProblems {
			t.Fatalf("got %d commands and %d problems", len(commands), len(problems))
		}
		all := lines(body)
		for _, p := range problems {
			if p.Line < 1 || p.Line > len(all) || len(p.Text) > 1000 || !utf8.ValidString(p.Text) || strings.ContainsAny(p.Text, "\n\r\x00") {
				t.Errorf("problem %d: %q", p.Line, p.Text)
			}
		}
		for _, c := range commands {
			if line := all[c.Line-1]; !strings.HasPrefix(strings.TrimLeft(line, " "), "/"+string(c.Verb)) {
				t.Errorf("%+v comes from %q", c, line)
			}
			for _, e := range append(c.Envs, c.From) {
				if e != "" && checkEnv(e) != nil {
					t.Errorf("%+v has the environment %q", c, e)
				}
			}
			if _, err := image.Parse(c.Image); c.Image != "" && err != nil {
				t.Errorf("%+v: %v", c, err)
			}
			again, problems := Parse(c.String())
			c.Line = 1
			if diff := cmp.Diff([]Command{c}, again); diff != "" {
				t.Errorf("%q is read back with problems %v, (-want +got):\n%s", c, problems, diff)
			}
		}
	})
}
