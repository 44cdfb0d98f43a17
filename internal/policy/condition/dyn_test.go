package condition

import (
	"strings"
	"testing"
)

// TestUntyped evaluates what the checker lets pass, since its type is only known then, and
// optionals in chains.
func TestUntyped(t *testing.T) {
	f := everything(t)
	for _, test := range []struct {
		source string
		want   Verdict
		err    string
	}{
		{`dyn(envName) && true`, Indeterminate, `expected true or false, got "prod"`},
		{`isProdEnv && dyn(envName)`, Indeterminate, `expected true or false, got "prod"`},
		{`dyn(envName) ? isProdEnv : true`, Indeterminate, `expected true or false, got "prod"`},
		{`dyn(envName).size == 1`, Indeterminate, "a string has no fields"},
		{`dyn(image).tag == "v1.10.0"`, True, ""},
		{`dyn(image).nope == "x"`, Indeterminate, "no such field: nope"},
		{`dyn(image)[0] == "x"`, Indeterminate, "has no elements"},
		{`dyn(image.size).matches("x") || isProdEnv`, Indeterminate, "no such overload: 1234 is no string"},
		{`isMember(dyn(image.size), "a/b")`, Indeterminate, "no such overload"},
		{`signedBy(dyn(target), "a", "b")`, Indeterminate, "no such overload: target is no Image"},
		{`hasAttestation(dyn(image), dyn(now))`, Indeterminate, "no such overload"},
		{`age(dyn(image)) > duration("1h")`, Indeterminate, "no such overload"},
		{`semver(dyn(image.size)) > semver("1.0.0")`, Indeterminate, "no such overload"},
		{`glob(dyn(image.size), "*")`, Indeterminate, "no such overload"},
		{`dyn(envName).replace("p", dyn(image.size)) == ""`, Indeterminate, "no such overload"},
		{`lists.range(dyn(envName)).size() == 1`, Indeterminate, "no such overload"},
		{`dyn(image.size).join(",") == ""`, Indeterminate, "no such overload"},
		{`regex.replace(dyn(image.size), dyn(image), "x") == ""`, Indeterminate, "no such overload"},
		{`sets.contains(dyn(image), dyn(now))`, Indeterminate, "no such overload"},
		{`dyn(envName) + dyn(1) == "x"`, Indeterminate, "no such overload"},
		{`dyn(envName) < dyn(1)`, Indeterminate, "no such overload"},
		{`dyn(isProdEnv).all(x, x)`, Indeterminate, "has no elements"},
		{`dyn(envName).orValue("x") == "x"`, Indeterminate, `expected an optional, got "prod"`},
		{`[?dyn(envName)].size() == 1`, Indeterminate, `expected an optional, got "prod"`},
		{`{?"a": dyn(envName)}.size() == 1`, Indeterminate, `expected an optional, got "prod"`},
		{`{dyn(1.5): envName}.size() == 1`, Indeterminate, "a double is no key of a map"},
		{`{envName: 1, "prod": 2}.size() == 2`, Indeterminate, `the key "prod" is written twice`},
		{`{envName: 1, "dev": 2}.map(k, k) == ["dev", "prod"]`, True, ""},
		{`{?"a": optional.none(), envName: 1}.size() == 1`, True, ""},
		{`{dyn(2): envName, dyn("x"): envName, dyn(true): envName, dyn(1): envName}.map(k, k) == [dyn(true), 1, 2, "x"]`, True, ""},
		{`[dyn(envName), 1] == ["prod", 1]`, True, ""},
		{`type(dyn(image)) != string && dyn(semver("1.0.0")) != dyn(image)`, True, ""},
		{`dyn([dyn(image)]) == dyn([dyn(image)])`, True, ""},
		{`optional.of({"a": {"b": envName}}).a.b.value() == "prod"`, True, ""},
		{`optional.none().or(optional.of(envName)).value() == "prod"`, True, ""},
		{`!has(optional.ofNonZeroValue({"a": ""}).x) && has(optional.of({"a": envName}).a)`, True, ""},
		{`!optional.of([envName])[?1].hasValue() && optional.of([envName])[0].value() == "prod"`, True, ""},
		{`image.?labels[?"team"].hasValue() && !image.?annotations[?"x"].hasValue()`, True, ""},
		{`[envName][?3].orValue("x") == "x" && [envName][?0].hasValue()`, True, ""},
		{`optional.none().value() == envName`, Indeterminate, ""},
		{`isMember(envName, envName)`, Indeterminate, `"prod" is no team`},
		{`inSemverRange(image.tag, envName)`, Indeterminate, `"prod" is no range of versions`},
		{`glob(envName, envName + "[")`, Indeterminate, "is no glob"},
		{`envName.matches(envName + "[")`, Indeterminate, "is no regular expression"},
		{`signedBy(image, envName + "[", "x")`, Indeterminate, "is no regular expression"},
		{`now.getHours(envName) == 1`, Indeterminate, ""},
		{`isSemver(envName + "` + strings.Repeat("1", 300) + `")`, False, ""},
		{`inSemverRange("1.0.0", ">" + envName + "` + strings.Repeat("1", 300) + `")`, Indeterminate, "more than 256 characters"},
		{`[[envName], ["x"]].flatten().join("-") == "prod-x" && ["b", "a"].sort().reverse()[0] == "b"`, True, ""},
		{`b"abc" + bytes(envName) == b"abcprod" && -image.size < 0 && image.size % 2 == 0`, True, ""},
		{`math.least(image.size, 3) == 3 && sets.intersects(image.tags, ["prod"])`, True, ""},
		{`lists.range(3).map(x, lists.range(x + size(envName)).size()) == [4, 5, 6]`, True, ""},
	} {
		c, problems := Compile(test.source)
		if c == nil {
			t.Errorf("%s: %s", test.source, spelled(problems))
			continue
		}
		o := c.Evaluate(f)
		if o.Verdict != test.want || !strings.Contains(o.Err, test.err) || o.Verdict == Indeterminate && o.Err == "" {
			t.Errorf("%s: got %s %q %v, want %s %q", test.source, o.Verdict, o.Err, o.Missing, test.want, test.err)
		}
		if strings.Contains(o.Err, "a function failed") {
			t.Errorf("%s: %s", test.source, o.Err)
		}
	}
}
