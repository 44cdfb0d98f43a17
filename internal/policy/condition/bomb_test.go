package condition

import (
	"strings"
	"testing"
)

// TestBombs asks for more than a condition may cost. Cost is what is asserted: a unit is about
// 100 ns.
func TestBombs(t *testing.T) {
	f := everything(t)
	big := strings.Repeat("a", 3000)
	grown := `(envName + "` + big + `")`
	double := strings.Repeat(`.map(x, [x, x])`, 7)
	const (
		costs  = "costs more than 1000000"
		text   = "would make a text of more than 65536 bytes"
		list   = "would make a list of more than 10000 elements"
		before = "the condition may cost more than 1000000"
	)
	for _, test := range []struct{ name, source, err string }{
		{"loops", `lists.range(1000).all(a, lists.range(1000).all(b, lists.range(1000).all(c, a + b + c >= 0 || envName == "")))`, before},
		{"loops over what is made", `lists.range(size(envName)).all(z, lists.range(size(envName) * 2000).all(a, lists.range(size(envName) * 2000).all(b, a + b >= 0)))`, costs},
		{"loops that do nothing", `lists.range(10000).all(a, lists.range(10000).all(b, true || envName == ""))`, before},
		{"four loops", `lists.range(100).map(a, lists.range(100).map(b, lists.range(100).map(c, lists.range(100).map(d, envName)))).size() == 1`, before},
		{"reading objects", `lists.range(size(envName) * 2000).all(x, lists.range(size(envName) * 2000).all(y, image.signatures.size() > 0))`, costs},
		{"doubled texts", `[envName + "` + big + `"]` + strings.Repeat(`.map(a, a + a)`, 6) + `.size() == 1`, text},
		{"doubled lists", `[[envName]]` + strings.Repeat(`.map(x, x + x)`, 15) + `.size() == 1`, list},
		{"replace", grown + `.replace("a", "` + big + `") == ""`, costs},
		{"replace of nothing", grown + `.replace("", "` + strings.Repeat("b", 100) + `") == ""`, text},
		{"regex.replace", `regex.replace(` + grown + `, "a", "` + big + `") == ""`, text},
		{"regex.replace of a group", `regex.replace(` + grown + `, "(a+)", "` + strings.Repeat(`\\1`, 1000) + `") == ""`, text},
		{"join", `lists.range(9999).map(a, envName).join("` + big + `") == ""`, costs},
		{"range", `lists.range(1000000000).size() > size(envName)`, costs},
		{"range of what is made", `lists.range(1000000 * size(envName)).size() > 1`, costs},
		{"lists that share", `[[1], [2]].map(x, x).size() == size(envName) || [lists.range(9000)]` + double + ` == [lists.range(9000)]` + double, costs},
		{"distinct", `lists.range(9000).map(x, string(x) + envName).distinct().size() == 1`, costs},
		{"sets", `sets.contains(lists.range(size(envName) * 1000).map(x, string(x)), lists.range(4000).map(x, string(x) + envName))`, costs},
		{"patterns", `lists.range(9999).all(x, !` + grown + `.matches("(a*)*b" + string(x)))`, costs},
		{"one long pattern", `lists.range(9999).all(x, !` + grown + `.matches("(x+x+)+y"))`, costs},
		{"patterns that repeat", `lists.range(9999).all(x, !envName.matches("((a{9}){9}){9}" + string(x)))`, costs},
		{"a pattern that repeats too much", `envName.matches("(?:a[a-z][b-z][c-z][d-z]?.?.?.?.?){999}" + envName)`, "repeats too much"},
		{"a long pattern", `envName.matches(` + grown + `)`, "the pattern has more than 1024 bytes"},
		{"globs", `lists.range(9999).all(x, !glob(` + grown + `, "*{a,aa,aaa}*{a,aa,aaa}*b"))`, costs},
		{"braces", `glob(envName, envName + "{a,b}{a,b}{a,b}")`, "more than two groups in braces"},
		{"ranges of versions", `lists.range(9999).all(x, !inSemverRange("1.0.0", ">" + string(x + 2) + ".0.0"))`, costs},
		{"zones", `lists.range(9999).all(x, now.getHours("Europe/Berlin") < 24)`, costs},
		{"contains", `lists.range(9999).all(x, !` + grown + `.contains("` + big + `b"))`, costs},
	} {
		t.Run(test.name, func(t *testing.T) {
			c, problems := Compile(test.source)
			if problems.HasErrors() {
				if !strings.Contains(spelled(problems), test.err) {
					t.Errorf("Compile: got %s, want %q", clip(spelled(problems), 300), test.err)
				}
				return
			}
			o := c.Evaluate(f)
			if o.Verdict != Indeterminate || !strings.Contains(o.Err, test.err) {
				t.Errorf("got %s, %q; want an error with %q", o.Verdict, o.Err, test.err)
			}
			if o.Cost > maxCost+1 {
				t.Errorf("cost %d", o.Cost)
			}
		})
	}
}

// TestLongSources compiles what is long or nested, which must be refused or be cheap.
func TestLongSources(t *testing.T) {
	f := everything(t)
	for _, test := range []struct{ name, source, problem string }{
		{"too long", `envName == "` + strings.Repeat("a", maxSource) + `"`, "more than 10000"},
		{"characters, not bytes", `envName != "` + strings.Repeat("ä", maxSource-20) + `"`, ""},
		{"parentheses", strings.Repeat("(", 100) + "1" + strings.Repeat(")", 100) + " == 1", "nested too deeply"},
		{"unclosed parentheses", strings.Repeat("(", 4000), "nested too deeply"},
		{"lists", strings.Repeat("[", 60) + "envName" + strings.Repeat("]", 60) + " == []", "nested too deeply"},
		{"optionals", strings.Repeat("optional.of(", 60) + "envName" + strings.Repeat(")", 60) + ".hasValue()", "nested too deeply"},
		{"nested loops", `[1].all(a, [1].all(b, [1].all(c, [1].all(d, [1].all(e, a + b + c + d + e > size(envName))))))`, "more than 4 loops"},
		{"loops in a row", "[envName]" + strings.Repeat(".map(x, [x])", 17) + ".size() == 1", "17 loops"},
		{"calls in a row", "envName" + strings.Repeat(".trim()", 1300) + ` == ""`, "nested too deeply"},
		{"sums", "1" + strings.Repeat("+1", 4000) + " == size(envName)", "nested too deeply"},
		{"and", "isProdEnv" + strings.Repeat("&&isProdEnv", 800), ""},
		{"elements", "size(envName) in [1" + strings.Repeat(",1", 3000) + "]", ""},
		{"too many elements", "[" + strings.Repeat("1,", 4200) + "].size() > size(envName)", "too long"},
		{"unknown names", strings.Repeat("a||", 1000) + "b", "unknown name a"},
		{"strange characters", strings.Repeat("#", 4000), "syntax error"},
		{"quotes", strings.Repeat(`"`, 3999), "error"},
		{"not UTF-8", "envName == \"\xff\"", "not UTF-8"},
	} {
		t.Run(test.name, func(t *testing.T) {
			c, problems := Compile(test.source)
			if test.problem == "" {
				if problems.HasErrors() {
					t.Fatal(spelled(problems))
				}
				if o := c.Evaluate(f); o.Verdict == Indeterminate {
					t.Errorf("got %s %s", o.Verdict, o.Err)
				}
				return
			}
			if !problems.HasErrors() || !strings.Contains(spelled(problems), test.problem) {
				t.Errorf("got %q, want %q", spelled(problems), test.problem)
			}
			if len(problems) > 20 {
				t.Errorf("%d problems", len(problems))
			}
		})
	}
}
