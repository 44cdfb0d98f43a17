package reference

import (
	"strconv"
	"strings"
)

func (p Program) errors() string {
	var b strings.Builder
	b.WriteString("## Exit statuses\n\n")
	var rows [][]string
	for _, e := range p.Exits {
		rows = append(rows, []string{strconv.Itoa(e.Status), "any", prose(e.Means)})
		for _, v := range e.Verbs {
			rows = append(rows, []string{strconv.Itoa(e.Status), "[" + code(v.Verb) + "](cli.md#" + anchor(p.Root.Path+" "+v.Verb) + ")", prose(v.Means)})
		}
	}
	table(&b, []string{"status", "of", "what it means"}, rows)
	b.WriteString(messages)
	b.WriteString("## When a server tries again\n\n`pinnace serve` looks at one repository at a time. What comes of a look is counted in [`pinnace_visits_total`](metrics.md#metrics) by its outcome, and says when it looks there again. An event is something that GitHub or a registry tells; a resync is the look that comes every `--resync`. Pauses double with each failure in a row, and where an answer says how long to wait that is believed, up to a resync.\n\n")
	rows = nil
	for _, o := range p.Outcomes {
		rows = append(rows, []string{code(o.Name), prose(o.Of), prose(o.Next)})
	}
	table(&b, []string{"outcome", "what came of the look", "when it looks again"}, rows)
	return b.String()
}

const messages = `## Messages

An error is one line on standard error: what was being done, where, and why it failed. Refusals say what to do next.

| where | what its messages mean |
|---|---|
| ` + "`pinnace check`" + ` | [findings](findings.md) |
| ` + "`pinnace decide`, `pinnace promote`" + ` and the check of a pull request | [the rules that are judged](../policies.md#how-a-decision-is-made), [why an approval does not count](../policies.md#who-approves), [what it waits for](../promotions.md#when-something-waits) |
| ` + "`pinnace policy validate`, `pinnace config validate`" + ` | place and mistake in a document: [policies](policy.md), [configuration](configuration.md), [the organisation's floor](../policies.md#the-organisations-floor) |
| ` + "`pinnace doctor`" + ` | [checks](checks.md) |
| an answer to a comment | [commands](comments.md) |

`
