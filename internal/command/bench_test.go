package command

import (
	"strings"
	"testing"
)

func BenchmarkParse(b *testing.B) {
	for name, body := range map[string]string{
		"one":       "LGTM\n/promote shop to prod because it is time\n",
		"lines":     strings.Repeat("a\n", 32<<10),
		"marks":     strings.Repeat("<- 1. ` <!", 6<<10),
		"paragraph": strings.Repeat("/x `\n", 10<<10) + strings.Repeat("/deploy\n", 1000),
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				Parse(body)
			}
		})
	}
}
