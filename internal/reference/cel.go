package reference

import (
	"strings"

	"github.com/pinnace-dev/pinnace/internal/policy/condition"
)

func conditions() string {
	var b strings.Builder
	b.WriteString("What `passCondition`, `failCondition` and `more[].when` of a policy may ask. They are written in the [Common Expression Language](https://github.com/google/cel-spec/blob/master/doc/langdef.md); how they are judged is in [policies.md](../policies.md#conditions). Each example is a whole condition.\n\n")

	all := condition.Reference()
	var variables, functions []condition.Entry
	for _, e := range all {
		if strings.Contains(e.Type, "->") {
			functions = append(functions, e)
		} else {
			variables = append(variables, e)
		}
	}
	head := []string{"name", "type", "meaning", "example"}
	list := func(entries []condition.Entry) {
		var rows [][]string
		for _, e := range entries {
			rows = append(rows, []string{code(e.Name), code(e.Type), prose(e.Doc), code(e.Example)})
		}
		table(&b, head, rows)
	}

	b.WriteString("## Variables\n\n")
	var plain []condition.Entry
	var groups [][]condition.Entry
	for _, e := range variables {
		root, below := stem(e.Name)
		switch last := len(groups) - 1; {
		case below == "":
			plain = append(plain, e)
		case last >= 0 && strings.HasPrefix(groups[last][0].Name, root+below[:1]):
			groups[last] = append(groups[last], e)
		default:
			groups = append(groups, []condition.Entry{e})
		}
	}
	list(plain)
	for _, g := range groups {
		root, _ := stem(g[0].Name)
		b.WriteString("### " + code(root) + "\n\n")
		list(g)
	}

	b.WriteString("## Functions\n\nWhat the standard library of CEL has besides can be used as well.\n\n")
	list(functions)

	b.WriteString(unknown)
	b.WriteString("## Limits\n\nWhat may go over a limit is an error when the condition is compiled, where that can be told. Else it is stopped when it is judged, and is unknown.\n\n")
	var rows [][]string
	for _, l := range condition.Limits() {
		rows = append(rows, []string{l.Of, l.Most})
	}
	table(&b, []string{"what", "at most"}, rows)
	return b.String()
}

const unknown = `## What is unknown

* A fact that nobody could find out is unknown: a registry did not answer, a team cannot be read, nothing verified says who built the image. An empty text or list is known.
* A condition that reads an unknown fact is unknown as a whole, and the fact is named. Nothing is merged then.
* An expression that errs is unknown, too: ` + "`semver(\"latest\")`, `image.labels[\"team\"]`" + ` where there is no such label.
* The right side of ` + "`&&` and `||`" + `, the branches of ` + "`?:`" + ` and the elements of a list are looked at from left to right, and only until the answer is decided. What is not looked at cannot make it unknown.

`

// stem parts image.signatures[].issuer into the variable and what is below it.
func stem(name string) (root, below string) {
	if i := strings.IndexAny(name, ".["); i >= 0 {
		return name[:i], name[i:]
	}
	return name, ""
}
