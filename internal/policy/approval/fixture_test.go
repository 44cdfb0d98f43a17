package approval

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pinnace-dev/pinnace/internal/promotion"
)

const (
	sealA = "aaaaaaaaaaaaaaaa"
	sealB = "bbbbbbbbbbbbbbbb"
	headA = "a1a1a1a1a1a1a1a1" // ours, with sealA
	headB = "b1b1b1b1b1b1b1b1" // ours, with sealB
	headX = "f0f0f0f0f0f0f0f0" // of somebody else
)

// The cast: alice asks, bob builds; carol, dave and heidi are in acme/release with them;
// erin has write and is in no team, frank reads only, grace is an admin.
var (
	alice  = promotion.Identity{ID: 1, Login: "alice"}
	bob    = promotion.Identity{ID: 2, Login: "bob"}
	carol  = promotion.Identity{ID: 3, Login: "carol"}
	dave   = promotion.Identity{ID: 4, Login: "dave"}
	erin   = promotion.Identity{ID: 5, Login: "erin"}
	frank  = promotion.Identity{ID: 6, Login: "frank"}
	grace  = promotion.Identity{ID: 7, Login: "grace"}
	heidi  = promotion.Identity{ID: 8, Login: "heidi"}
	bot    = promotion.Identity{ID: 50, Login: "acme-bot[bot]", Bot: true}
	ci     = promotion.Identity{ID: 51, Login: "acme-ci"}
	nobody = promotion.Identity{Login: "ghost"}
)

var noon = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

func minute(n int) time.Time { return noon.Add(time.Duration(n) * time.Minute) }

func member(p promotion.Permission, a Answer) Person {
	return Person{Permission: p, Teams: map[string]Answer{"acme/release": a}}
}

// world is pull request 14, sealed at noon with sealA, for which one approval of
// acme/release or an admin is asked; it is two hours later.
func world() Input {
	return Input{
		Needs:       []Need{{Policy: "prod", File: ".pinnace/policies/prod.yaml", Line: 4, Count: 1}},
		Approvers:   []Role{{Teams: []string{"acme/release"}}, {Permission: promotion.PermissionAdmin}},
		PullRequest: 14, Seal: sealA, SealedAt: noon,
		Heads: map[string]string{headA: sealA, headB: sealB},
		People: map[int64]Person{
			1: member("write", Yes), 2: member("write", Yes), 3: member("write", Yes), 4: member("maintain", Yes),
			5: member("write", No), 6: member("read", No), 7: member("admin", No), 8: member("write", Yes),
			50: member("write", Yes), 51: {Permission: "write", Teams: map[string]Answer{"acme/release": Yes}, ServiceAccount: true},
		},
		Requesters: []promotion.Identity{alice}, Builders: []promotion.Identity{bob},
		Now: minute(120),
	}
}

// says is a review of pull request 14, submitted on headA.
func says(id int64, who promotion.Identity, state promotion.ReviewState, at int) Review {
	return Review{
		Review:      promotion.Review{ID: id, Author: who, State: state, Submitted: minute(at), Commit: headA},
		PullRequest: 14, SubmittedCommit: headA, SealAt: sealA, HadStanding: No,
	}
}

func approves(id int64, who promotion.Identity, at int) Review {
	return says(id, who, promotion.Approved, at)
}

func objects(id int64, who promotion.Identity, at int) Review {
	return says(id, who, promotion.ChangesRequested, at)
}

// dismissed turns a review into what GitHub makes of it.
func dismissed(r Review) Review {
	r.As, r.State = r.State, promotion.Dismissed
	return r
}

func dismissal(review int64, by promotion.Identity, commit string) promotion.Moment {
	return promotion.Moment{Event: "review_dismissed", At: minute(90), Actor: by, Review: review, DismissalCommit: commit, Message: "no longer true"}
}

// A cell is a case: a world, what differs, and what comes of it.
type cell struct {
	name     string
	change   func(*Input)
	status   promotion.Status
	counts   string   // who approves, by login
	ignored  []string // a part of each reason, in order, after the login: "carol: review again"
	vetoes   string   // who vetoes
	says     string   // a part of the first result's texts
	vetoSays string   // a part of the first veto's texts
}

func logins(t *testing.T, out Output) (counts, vetoes string) {
	t.Helper()
	var a, v []string
	for _, x := range out.Approvals {
		a = append(a, x.By.Login)
	}
	for _, x := range out.Vetoes {
		v = append(v, x.By.Login)
	}
	return strings.Join(a, " "), strings.Join(v, " ")
}

// texts joins all texts of a result.
func texts(r promotion.Result) string {
	all := []string{r.Title, r.Seen, r.Wanted, r.Who, r.Next, strings.Join(r.Missing, "\n")}
	for _, c := range r.Children {
		all = append(all, texts(c))
	}
	return strings.Join(all, "\n")
}

func run(t *testing.T, cells []cell) {
	t.Helper()
	for _, c := range cells {
		t.Run(c.name, func(t *testing.T) {
			in := world()
			if c.change != nil {
				c.change(&in)
			}
			out := Count(in)
			if out.Status != c.status {
				t.Errorf("status %s, want %s: %+v", out.Status, c.status, out)
			}
			counts, vetoes := logins(t, out)
			if counts != c.counts {
				t.Errorf("counts %q, want %q", counts, c.counts)
			}
			if vetoes != c.vetoes {
				t.Errorf("vetoes %q, want %q", vetoes, c.vetoes)
			}
			if len(out.Ignored) != len(c.ignored) {
				t.Fatalf("ignored %+v, want %q", out.Ignored, c.ignored)
			}
			for i, want := range c.ignored {
				who, part, _ := strings.Cut(want, ": ")
				if got := out.Ignored[i]; got.By.Login != who || !strings.Contains(got.Reason, part) {
					t.Errorf("ignored %s: %q, want %q", got.By.Login, got.Reason, want)
				}
			}
			if c.says != "" && !strings.Contains(texts(out.Results[0]), c.says) {
				t.Errorf("result %+v does not say %q", out.Results[0], c.says)
			}
			if c.vetoSays != "" && (len(out.Vetoes) == 0 || !strings.Contains(texts(out.Vetoes[0].Result), c.vetoSays)) {
				t.Errorf("vetoes %+v do not say %q", out.Vetoes, c.vetoSays)
			}
			for range 3 {
				slices.Reverse(in.Reviews)
				if again := Count(in); again.Status != out.Status || len(again.Ignored) != len(out.Ignored) {
					t.Errorf("in another order: %+v", again)
				}
			}
		})
	}
}
