package reference

import (
	"fmt"
	"strings"
)

func (p Program) checks() string {
	var b strings.Builder
	fmt.Fprintf(&b, "The %d checks of `pinnace doctor`, in the order in which they are best put right. What it prints and what it cannot see is in [doctor.md](../doctor.md).\n\n", len(p.Checks))
	var rows [][]string
	for _, c := range p.Checks {
		rows = append(rows, []string{code(c.ID), prose(c.Title), prose(c.About)})
	}
	table(&b, []string{"check", "looks at", "what goes wrong otherwise"}, rows)
	return b.String()
}
