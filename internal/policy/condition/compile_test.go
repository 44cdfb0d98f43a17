package condition

import (
	"strings"
	"testing"
)

// TestProblems compiles mistakes. Each has its own message, and a caret under its place.
func TestProblems(t *testing.T) {
	for _, test := range []struct {
		source       string
		severity     Severity
		line, column int
		message      string
	}{
		{`image.lables["x"] == "y"`, Error, 1, 7, "unknown field lables: did you mean labels?"},
		{`images[0].sise > 3`, Error, 1, 11, "unknown field sise: did you mean size?"},
		{`images.all(i, i.lables.size() > 0)`, Error, 1, 17, "unknown field lables: did you mean labels?"},
		{`change.what == ""`, Error, 1, 8, "unknown field what: expected kind, files or kinds"},
		{`contaienrImage == "x"`, Error, 1, 1, "unknown name contaienrImage: did you mean containerImage?"},
		{`branchName.startsWith('hotfix')`, Error, 1, 1, "unknown name branchName: docs/reference/cel.md lists the variables and functions"},
		{`isSemvr(image.tag)`, Error, 1, 8, "unknown name isSemvr: did you mean isSemver?"},
		{`now() > now`, Error, 1, 4, "unknown name now"},
		{`containerImageTag`, Error, 1, 1, "the condition is of type string, not true or false: compare it with a value"},
		{`image`, Error, 1, 1, "the condition is of type Image, not true or false: compare it with a value"},
		{`image.attestations[0].predicate.ok`, Error, 1, 1, "the condition is of type dyn, not true or false: compare it with a value"},
		{`image.size == "x"`, Error, 1, 12, "== does not take (int, string)"},
		{`semver(image.tag) > "1.0.0"`, Error, 1, 19, "> does not take (Version, string)"},
		{`image.tag.size == 3`, Error, 1, 10, "a string has no fields"},
		{"isProdEnv &&\n  image.tag = \"x\"", Error, 2, 13, "syntax error: write == instead of ="},
		{`isProdEnv and true`, Error, 1, 11, "syntax error: write && instead of and"},
		{`isProdEnv or true`, Error, 1, 11, "syntax error: write || instead of or"},
		{`not isProdEnv`, Error, 1, 5, "syntax error"},
		{`image.tag == “latest”`, Error, 1, 14, "syntax error: write \" instead of “"},
		{`image.tag == `, Error, 1, 14, "syntax error"},
		{``, Error, 1, 1, "the condition is empty: write an expression, or leave the key out"},
		{" \n", Error, 1, 1, "the condition is empty"},
		{`pinnace.Image{tag: "x"}.tag == "x"`, Error, 1, 14, "objects cannot be made in a condition"},
		{`google.protobuf.Timestamp{seconds: 1} < now`, Error, 1, 26, "objects cannot be made in a condition"},
		{`"%s".format([envName]) == "x"`, Error, 1, 6, "format() cannot be used in a condition"},
		{`image == images[0]`, Error, 1, 1, "objects cannot be compared: compare a field, such as image.digest"},
		{`image in images`, Error, 1, 1, "objects cannot be compared"},
		{`image.tag.matches("v[")`, Error, 1, 19, `"v[" is no regular expression: missing closing ] in "["`},
		{`image.tag.matches("(a{500}){500}")`, Error, 1, 19, "is no regular expression"},
		{`image.tag.matches("(?:abc?.?.?){999}")`, Error, 1, 19, "repeats too much"},
		{`image.tag.matches("` + strings.Repeat("a", maxPattern+1) + `")`, Error, 1, 19, "the pattern has more than 1024 bytes"},
		{`signedBy(image, "(", "x")`, Error, 1, 17, "is no regular expression"},
		{`inSemverRange(image.tag, "^a.b")`, Error, 1, 26, `"^a.b" is no range of versions: want one such as ^1.2`},
		{`semver(image.tag) > semver("1.x")`, Error, 1, 28, `"1.x" is no version: want three numbers`},
		{`glob(image.tag, "[")`, Error, 1, 17, `"[" is no glob`},
		{`isMember("carol", "release")`, Error, 1, 19, `"release" is no team: write organisation/slug, such as acme/release`},
		{`now.getHours("Europe/Berln") < 3`, Error, 1, 14, `"Europe/Berln" is no time zone: write one such as Europe/Berlin`},
		{`source.soak > duration("1 day")`, Error, 1, 24, "invalid duration argument"},
		{`1 / 0 == 1`, Error, 1, 1, "the condition always errs"},

		{`containerImageTag > "v0.0.7"`, Warning, 1, 1, `this compares texts letter by letter, and "1.10.0" comes before "1.9.0": write semver(containerImageTag) > semver("v0.0.7"), or use inSemverRange()`},
		{`isProdEnv && "1.4" <= image.tag`, Warning, 1, 14, `write semver("1.4", true) <= semver(image.tag)`},
		{`imageLabels.exists(t, t >= "2.0.0")`, Warning, 1, 23, `write semver(t) >= semver("2.0.0")`},
		{`image.tag > image.previous.tag`, Warning, 1, 1, "write semver(image.tag) > semver(image.previous.tag)"},
		{`images.all(i, i.tag > i.previous.tag)`, Warning, 1, 15, "write semver(i.tag) > semver(i.previous.tag)"},
		{`isProdEnv || 1 == 1`, Warning, 1, 1, "the condition is always true: no fact can change it"},
		{`!(isProdEnv || true)`, Warning, 1, 1, "the condition is always false"},
		{`"a" == "b"`, Warning, 1, 1, "the condition is always false"},
		{`containerImageTag.matches("v[0-9]+")`, Warning, 1, 27, `matches() finds the pattern anywhere in the text, so that more may stand around it: write "^v[0-9]+$" to match all of it`},
		{`containerRepository == "kicbase"`, Warning, 1, 24, `a repository is the whole name, such as ghcr.io/acme/kicbase, and never "kicbase": write all of it, or containerRepository.endsWith("/kicbase")`},
		{`"shop" != image.repository`, Warning, 1, 1, "a repository is the whole name"},
		{`containerRepository in ["ghcr.io/acme/shop", "shop"]`, Warning, 1, 46, "a repository is the whole name"},
		{`image.registry == "ghcr.io/acme"`, Warning, 1, 19, "a registry is a host"},
		{`image.tag == ":latest"`, Warning, 1, 14, "a tag is what follows the colon"},
		{`change.kind == "mayor"`, Warning, 1, 16, `change.kind is never "mayor": did you mean major?`},
		{`change.kind in ["patch", "x"]`, Warning, 1, 26, `change.kind is never "x": expected major, minor, patch, digest or unknown`},
		{`request.kind == "hotfix"`, Warning, 1, 17, `request.kind is never "hotfix"`},
		{`requester.type == "bot"`, Warning, 1, 19, `requester.type is never "bot": did you mean Bot?`},
		{`gitCommitDetails["x"].brnch == "main"`, Warning, 1, 23, "gitCommitDetails has no brnch: did you mean branch?"},
	} {
		c, problems := Compile(test.source)
		if len(problems) == 0 {
			t.Errorf("%s: no problem, want %q", test.source, test.message)
			continue
		}
		p := problems[0]
		if p.Severity != test.severity || p.Line != test.line || p.Column != test.column || !strings.Contains(p.Message, test.message) {
			t.Errorf("%s:\n got %s %d:%d %s\nwant %s %d:%d %s", test.source, p.Severity, p.Line, p.Column, p.Message, test.severity, test.line, test.column, test.message)
		}
		if len(problems) > 1 {
			t.Errorf("%s: %d problems:\n%s", test.source, len(problems), spelled(problems))
		}
		if (c == nil) != (test.severity == Error) || problems.HasErrors() != (c == nil) {
			t.Errorf("%s: condition %v with %s", test.source, c != nil, test.severity)
		}
		if strings.Contains(p.Message, "\n") || len(p.Message) > 400 || strings.Count(p.Snippet, "\n") != 1 {
			t.Errorf("%s: message %q, snippet %q", test.source, p.Message, p.Snippet)
		}
	}
}

// TestNoProblems compiles what looks like a mistake and is none.
func TestNoProblems(t *testing.T) {
	for _, source := range []string{
		`true`, `false`, `containerImageTag > "2026-01-01"`, `containerImageTag.startsWith("1.4")`, `envName < "m"`,
		`containerImageTag.matches("^v[0-9]+$")`, `containerImageTag.matches("hotfix")`, `containerImageTag.matches("^release-")`, `containerImageTag.matches(".*rc.*")`, `request.reason.matches("(?i)inc-[0-9]+")`,
		`containerRepository == "ghcr.io/acme/shop"`, `appName == "shop"`, `appName in ["shop"]`, `change.kind != "unknown"`,
		`semver(image.tag) > semver("1.0.0")`, `images.size() == 1 && images[0].digest == image.digest`, `gitCommitDetails["x"].sha != ""`,
		`regex.replace(containerImageTag, "v", "") != ""`, `lists.range(size(envName)).all(x, x < 10)`, "isProdEnv // in production\n  && appName == \"shop\"",
	} {
		if c, problems := Compile(source); c == nil || len(problems) > 0 {
			t.Errorf("%s: %s", source, spelled(problems))
		} else if c.Source() != source {
			t.Errorf("source %q", c.Source())
		}
	}
}

func TestSnippet(t *testing.T) {
	long := strings.Repeat("isProdEnv && ", 20) + "image.lables.size() > 0" + strings.Repeat(" && isProdEnv", 20)
	for source, want := range map[string]string{
		"isProdEnv\n  && image.lables == {}": "  && image.lables == {}\n           ^",
		"\tisProdEnv &&\timage.lables == {}": " isProdEnv && image.lables == {}\n                    ^",
		`"äöü" == image.lables`:              "\"äöü\" == image.lables\n               ^",
		"isProdEnv\r\n&& image.lables\r\n":   "&& image.lables\n         ^",
		"\"\x1b[31m\" == image.lables":       "\" [31m\" == image.lables\n                 ^",
		long: "...& isProdEnv && isProdEnv && isProdEnv && isProdEnv && image.lables.size() > 0 && isProdEnv && isProdEnv && isProdEnv && ...\n" +
			strings.Repeat(" ", 66-3) + "^",
	} {
		_, problems := Compile(source)
		if len(problems) == 0 {
			t.Errorf("%q: no problem", source)
			continue
		}
		if problems[0].Snippet != want {
			t.Errorf("%q: got\n%s\nwant\n%s", source, problems[0].Snippet, want)
		}
	}
}
