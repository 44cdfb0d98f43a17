package condition

import (
	"strings"
	"testing"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/types"
)

// FuzzCondition compiles any text and evaluates it on full facts and on none. It is held to:
// no panic, bounds, the same outcome twice, and CEL's own verdict wherever cel-go can give one
// and ours is not indeterminate.
func FuzzCondition(f *testing.F) {
	for _, e := range Reference() {
		f.Add(e.Example)
	}
	for _, s := range []string{
		`[1, 2].exists(x, x > 1) ? {"a": [1.5, 2u]}["a"][0] > 1 : b"x" == bytes("x")`, `"\u00e4" + 'x' != r"\n"`, `has({"a": 1}.a) && !has({}.a)`,
		`[[1]].map(x, [x, x]).map(x, [x, x]) == []`, `{1: 2, 2u: 3, true: 4}.size() == 3`, `-1 < 2 && 7 % 2 == 1`, `optional.of(1).optFlatMap(x, optional.none()).hasValue()`,
		`dyn(1) == 1.0 || dyn("x") < 3`, `type(dyn(image)) == type(1)`, `dyn(image).tag == "x"`, `dyn([1]).x == 2`, `dyn(envName)[0] == "p"`, `[dyn(1), "x"].sort() == []`,
		`dyn(now).value()`, `dyn(1).matches("x")`, `timestamp("0001-01-01T00:00:00Z") - duration("1h") < now`, `9223372036854775807 + 1 > 0`, `"x".substring(5) == ""`,
		`image.?labels[?"x"].?y.hasValue()`, `dyn(image)[0] == 1`, `dyn(signedBy)(image)`, `int("9" + envName) == 3`,
	} {
		f.Add(s)
	}
	full := everything(f)
	f.Fuzz(func(t *testing.T, source string) {
		c, problems := Compile(source)
		if (c == nil) != problems.HasErrors() {
			t.Fatalf("a condition: %v, errors: %v", c != nil, problems.HasErrors())
		}
		for _, p := range problems {
			if p.Line < 1 || p.Column < 1 || p.Message == "" || strings.ContainsAny(p.Message, "\n\r") || len(p.Message) > 2000 || p.Message == "the expression cannot be read" {
				t.Fatalf("problem %+v", p)
			}
		}
		if c == nil {
			return
		}
		for _, facts := range []Facts{full, {}} {
			o := c.Evaluate(facts)
			if o.Cost > maxCost+1 || len(o.Steps) > maxSteps || len(o.Missing) > maxMissing || len(o.Err) > maxErr+10 {
				t.Fatalf("not bounded: %+v", o)
			}
			if (o.Verdict == Indeterminate) != (o.Err != "" || len(o.Missing) > 0) {
				t.Fatalf("verdict and reasons differ: %+v", o)
			}
			if again := c.Evaluate(facts); again.Verdict != o.Verdict || again.Cost != o.Cost || again.Err != o.Err {
				t.Fatalf("twice: %+v, %+v", o, again)
			}
			if strings.Contains(o.Err, "a function failed") {
				t.Fatalf("panic: %s", o.Err)
			}
			if o.Verdict != Indeterminate {
				if want, ok := reckoned(t, source, &facts); ok && string(o.Verdict) != want {
					t.Fatalf("got %s, CEL says %s", o.Verdict, want)
				}
			}
		}
	})
}

// reckoned is cel-go's own verdict on what reads texts, lists and maps alone.
func reckoned(t *testing.T, source string, f *Facts) (verdict string, ok bool) {
	e, err := shared()
	if err != nil {
		t.Fatal(err)
	}
	checked, issues := e.env.Compile(source)
	if issues.Err() != nil {
		t.Fatal(issues.Err())
	}
	program, err := e.env.Program(checked, cel.CostLimit(100*maxCost))
	if err != nil {
		return "", false
	}
	vars := map[string]any{}
	for _, v := range variables {
		if value, known := v.read(f); known && v.typ.Kind() != types.StructKind {
			vars[v.name] = value
		}
	}
	out, _, err := program.Eval(vars)
	b, isBool := out.(types.Bool)
	if err != nil || !isBool {
		return "", false
	}
	if b {
		return "true", true
	}
	return "false", true
}
