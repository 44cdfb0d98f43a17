package policy

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/pinnace-dev/pinnace/internal/image"
	"github.com/pinnace-dev/pinnace/internal/policy/approval"
	"github.com/pinnace-dev/pinnace/internal/policy/condition"
	"github.com/pinnace-dev/pinnace/internal/promotion"
)

// The people of the tests. All have write; dave is admin, erin is of the release team, ci
// is a bot.
var (
	alice = promotion.Identity{ID: 1, Login: "alice"} // asks
	bob   = promotion.Identity{ID: 2, Login: "bob"}   // builds
	carol = promotion.Identity{ID: 3, Login: "carol"}
	dave  = promotion.Identity{ID: 4, Login: "dave"}
	erin  = promotion.Identity{ID: 5, Login: "erin"}
	frank = promotion.Identity{ID: 6, Login: "frank"} // reads only
	ci    = promotion.Identity{ID: 7, Login: "ci[bot]", Bot: true}
)

var now = time.Date(2026, 11, 18, 12, 0, 0, 0, time.UTC) // a Wednesday

const (
	oldDigest = image.Digest("sha256:1111111111111111111111111111111111111111111111111111111111111111")
	newDigest = image.Digest("sha256:2222222222222222222222222222222222222222222222222222222222222222")
)

func ref(s string) image.Ref {
	r, err := image.Parse(s)
	if err != nil {
		panic(err)
	}
	return r
}

const twoPeople = `
apiVersion: pinnace.dev/v1alpha1
kind: ImagePromotionPolicy
name: two
approverCount: 2
applyTo: [{app: shop, env: prod}]
`

// people are what is known of everybody.
func people() map[int64]approval.Person {
	yes, no := approval.Yes, approval.No
	return map[int64]approval.Person{
		alice.ID: {Permission: promotion.PermissionWrite, Teams: map[string]Answer{"acme/release": no}},
		bob.ID:   {Permission: promotion.PermissionWrite, Teams: map[string]Answer{"acme/release": no}},
		carol.ID: {Permission: promotion.PermissionWrite, Teams: map[string]Answer{"acme/release": no}},
		dave.ID:  {Permission: promotion.PermissionAdmin, Teams: map[string]Answer{"acme/release": no}},
		erin.ID:  {Permission: promotion.PermissionWrite, Teams: map[string]Answer{"acme/release": yes}},
		frank.ID: {Permission: promotion.PermissionRead, Teams: map[string]Answer{"acme/release": no}},
		ci.ID:    {Permission: promotion.PermissionWrite, Bot: true},
	}
}

// approves is a review of the sealed head, some minutes ago.
func approves(who promotion.Identity, ago time.Duration) approval.Review {
	return review(who, promotion.Approved, ago)
}

func review(who promotion.Identity, state promotion.ReviewState, ago time.Duration) approval.Review {
	return approval.Review{
		Review:      promotion.Review{ID: who.ID*1000 + int64(ago/time.Minute), Author: who, State: state, Commit: "head", Submitted: now.Add(-ago)},
		As:          state,
		PullRequest: 12, SubmittedCommit: "head", SealAt: "seal", HadStanding: Is(who != frank),
	}
}

// promote is the promotion of shop from staging to prod, asked by alice, built by bob,
// approved by carol and erin: all holds.
func promote(t testing.TB, documents string) Input {
	return Input{
		Now: now, Set: mustLoad(t, shopWorld(), strings.TrimPrefix(documents, "\n")), Floor: FloorNone,
		Kind: promotion.Promotion, Env: "prod",
		Changes: []Change{{
			Change: promotion.Change{
				Path: "envs/prod/shop.yaml", Pointer: "/spec/image", Object: "Deployment shop", Line: 7,
				Old: ref("ghcr.io/acme/shop:1.4.0@" + string(oldDigest)), New: ref("ghcr.io/acme/shop:1.5.0@" + string(newDigest)),
			},
			OldApp: "shop", NewApp: "shop",
			Image: condition.Image{
				Labels:  Known(map[string]string{image.AnnotationSource: "https://github.com/acme/shop", image.AnnotationRevision: "abc"}),
				Tags:    Known([]string{"1.5.0"}),
				Builder: Known(condition.Builder{Users: []promotion.Identity{bob}}),
			},
			Exists: Is(true), Stands: Known([]string{"dev", "staging"}),
		}},
		Checks:  Checks{Config: Is(true), Pins: Is(true)},
		Seal:    Seal{Hash: "seal", At: now.Add(-48 * time.Hour), Intact: Is(true)},
		Request: Request{ID: "r1", At: now.Add(-48 * time.Hour), By: []promotion.Identity{alice}, From: "staging"},
		Soak:    time.Hour,
		Sources: []Source{{
			Env: "staging", App: "shop", Since: Known(now.Add(-72 * time.Hour)),
			Gates: []Gate{{What: "deployment staging", App: "argo-cd", Verdicts: Known([]Verdict{{App: "argo-cd", State: "success", At: now.Add(-71 * time.Hour)}})}},
		}},
		Deploy:      Deploy{Mode: DeployAuto},
		PullRequest: 12,
		Reviews:     []approval.Review{approves(carol, 2*time.Hour), approves(erin, time.Hour)},
		Heads:       map[string]string{"head": "seal"},
		People:      people(),
	}
}

// find returns the first result with a status whose title holds text, wherever it is.
func find(results []promotion.Result, status promotion.Status, text string) (promotion.Result, bool) {
	for _, r := range results {
		if r.Status == status && strings.Contains(r.Title, text) {
			return r, true
		}
		if found, ok := find(r.Children, status, text); ok {
			return found, true
		}
	}
	return promotion.Result{}, false
}

// render prints a decision as people read it.
func render(d promotion.Decision) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n", d.Summary)
	var walk func(rs []promotion.Result, indent string)
	walk = func(rs []promotion.Result, indent string) {
		for _, r := range rs {
			fmt.Fprintf(&b, "%s%s %s: %s", indent, r.Status, r.Rule, r.Title)
			for _, x := range [][2]string{{"seen", r.Seen}, {"wanted", r.Wanted}, {"who", r.Who}, {"next", r.Next}, {"missing", strings.Join(r.Missing, ", ")}} {
				if x[1] != "" {
					fmt.Fprintf(&b, "; %s: %s", x[0], x[1])
				}
			}
			if r.File != "" {
				fmt.Fprintf(&b, " (%s:%d)", r.File, r.Line)
			}
			if !r.Until.IsZero() {
				fmt.Fprintf(&b, " until %s", stamp(r.Until))
			}
			b.WriteByte('\n')
			walk(r.Children, indent+"  ")
		}
	}
	walk(d.Results, "")
	for _, i := range d.Ignored {
		fmt.Fprintf(&b, "ignored %s: %s\n", i.By.Login, i.Reason)
	}
	if !d.Recheck.IsZero() {
		fmt.Fprintf(&b, "recheck %s\n", stamp(d.Recheck))
	}
	return b.String()
}
