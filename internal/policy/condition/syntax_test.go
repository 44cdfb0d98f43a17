package condition

import (
	"strings"
	"testing"
)

// TestSyntax: what the parser says is said in words that its users know, at the same place.
func TestSyntax(t *testing.T) {
	const early = "syntax error: the expression ends too early: "
	for _, row := range []struct{ source, want, snippet string }{
		{`isProdEnv && `, early + "a value is missing", "isProdEnv && \n             ^"},
		{`isProdEnv +`, early + "a value is missing", "isProdEnv +\n           ^"},
		{`isProdEnv && (true`, early + ") is missing", "isProdEnv && (true\n                  ^"},
		{`image.labels["x"`, early + "] is missing", "image.labels[\"x\"\n                ^"},
		{`isProdEnv ? true`, early + "a ? needs a : and a second value", ""},
		{`// a comment`, early + "a value is missing", ""},
		{`(true))`, "syntax error: ) closes nothing: delete it, or open it", "(true))\n      ^"},
		{`[1, )`, "syntax error: a value is missing before )", ""},
		{`true true`, "syntax error: the expression could end before true: join conditions with && or ||", ""},
		{`image.tag == v1.2`, "syntax error: the expression could end before .2: join conditions with && or ||, and put text in quotes", ""},
		{`true && && false`, "syntax error: && cannot stand here: a value is missing before it", ""},
		{`image..tag`, "syntax error: a name is missing: write a field after a dot", ""},
		{`image.tag == "x`, "syntax error: a text begins here that is not closed", ""},
		{`image.tag == "\q"`, "syntax error: a text begins here that is not closed, or that holds a backslash before a wrong letter", ""},
		{`true # yes`, `syntax error: the character "#" has no meaning in conditions`, ""},
		{"true \u00a0&& false", `syntax error: the character "\u00a0" has no meaning in conditions`, ""},
		{`not isProdEnv`, "syntax error: write ! instead of not", ""},
		{`image.tag !== "x"`, "syntax error: write != instead of !==", ""},
		{`if isProdEnv then true`, "if is a word of other languages, and no name in conditions", ""},
		{`has(image)`, "has() asks whether a field is there: write has(image.tag)", ""},
		{`has()`, "has takes one field: write has(image.tag)", ""},
		{`images.all(true)`, "all takes a name and a condition", ""},
		{`images.exists(1, true)`, "the first argument must be a new name", ""},
		{`image.size < 99999999999999999999`, "the number is too large", ""},
		{`image.size < 99999999999999999999u`, "the number is too large", ""},
	} {
		_, problems := Compile(row.source)
		if len(problems) == 0 || !strings.HasPrefix(problems[0].Message, row.want) {
			t.Errorf("%s: got %v, want %q", row.source, problems, row.want)
			continue
		}
		if row.snippet != "" && problems[0].Snippet != row.snippet {
			t.Errorf("%s: got\n%s\nwant\n%s", row.source, problems[0].Snippet, row.snippet)
		}
		for _, word := range []string{"EOF", "viable", "extraneous", "mismatched", "token", "macro", "literal"} {
			if strings.Contains(spelled(problems), word) {
				t.Errorf("%s: a word of the parser: %s", row.source, spelled(problems))
			}
		}
	}
}
