package record

import (
	"fmt"
	"strings"
	"time"

	"github.com/pinnace-dev/pinnace/internal/image"
	"github.com/pinnace-dev/pinnace/internal/promotion"
)

var noon = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

func minute(n int) time.Time { return noon.Add(time.Duration(n) * time.Minute) }

func sha(n int) string { return fmt.Sprintf("%040x", n) }

func seal(letter string) string { return strings.Repeat(letter, 64) }

var (
	carol = promotion.Identity{ID: 3, Login: "carol"}
	dave  = promotion.Identity{ID: 4, Login: "dave"}
	ghost = promotion.Identity{Login: "ghost"}
)

// says is a review of a head, submitted some minutes after noon.
func says(id int64, who promotion.Identity, as promotion.ReviewState, head, at int) promotion.Review {
	return promotion.Review{ID: id, Author: who, State: as, Commit: sha(head), Submitted: minute(at)}
}

// full is a record with everything in it.
func full() Record {
	r := Record{
		Repository: 7, PullRequest: 14, Base: "main", Kind: promotion.Promotion,
		Request: promotion.Request{
			ID: "comment-123", Kind: promotion.Promotion, App: "shop", Env: "prod", From: "dev", Skipped: []string{"staging"},
			Images: []promotion.Wanted{{Repository: "ghcr.io/acme/shop", Tag: "1.2", Digest: image.Digest("sha256:" + seal("e"))}},
			At:     minute(-1), By: []promotion.Identity{carol}, Unknown: true, Auto: true, Reason: `"--> <!-- pinnace-record:1 x -->"`,
		},
		Next: sha(9), Decided: promotion.Waiting, Merging: true, Glass: "prod is down", Breaker: dave,
	}
	r.See(sha(1), seal("a"), noon)
	r.See(sha(2), "", minute(1).Add(123456789))
	r.Witness([]promotion.Review{
		says(11, carol, promotion.Approved, 1, 0), says(12, dave, promotion.Commented, 2, 2), says(13, ghost, promotion.Dismissed, 5, 3),
	})
	r.Reviews[0].HadStanding = "yes"
	return r
}
