package verdict

import (
	"fmt"
	"strings"

	"github.com/pinnace-dev/pinnace/internal/promotion"
)

// unread adds to a verdict under documents with an error what the error is.
func (b *base) unread(d promotion.Decision) promotion.Decision {
	const most = 3
	var all []string
	if err := b.book.Problems.Err(); err != nil {
		all = strings.Split(err.Error(), "\n")
	}
	if n := len(all) - most; n > 0 {
		all = append(all[:most], fmt.Sprintf("%d more", n))
	}
	for i := range d.Results {
		if r := &d.Results[i]; r.Rule == "configuration" && r.Status == promotion.Denied && r.Seen == "" {
			r.Seen = strings.Join(all, "; ")
		}
	}
	return d
}
