package approval

import (
	"fmt"
	"testing"
	"time"

	"github.com/pinnace-dev/pinnace/internal/promotion"
)

// A figure approves, and the oracle knows what its approval is worth.
type figure struct {
	kind                string
	id                  int64
	asked, built, wrote bool
	worth               Answer // where neither asked nor built matters
}

var figures = []figure{
	{kind: "requester", asked: true, worth: Yes},
	{kind: "builder", built: true, worth: Yes},
	{kind: "requester and builder", asked: true, built: true, worth: Yes},
	{kind: "author", wrote: true, worth: No},
	{kind: "requester and author", asked: true, wrote: true, worth: No},
	{kind: "admin", worth: Yes},
	{kind: "admin who asked", asked: true, worth: Yes},
	{kind: "named user", worth: Yes},
	{kind: "writer without a team", worth: No},
	{kind: "reader in the team", worth: No},
	{kind: "stranger", worth: No},
	{kind: "member, perhaps", worth: Unknown},
	{kind: "builder and member, perhaps", built: true, worth: Unknown},
	{kind: "unheard of", worth: Unknown},
	{kind: "reader, and nobody knows the teams", worth: No},
	{kind: "bot", worth: No},
	{kind: "service account", worth: No},
	{kind: "deleted", worth: No},
	{kind: "stale", worth: No},
	{kind: "unrecorded", worth: No},
	{kind: "early", worth: No},
	{kind: "lapsed", worth: No},
	{kind: "dismissed", worth: No},
	{kind: "dismissed by us", worth: Yes},
	{kind: "elsewhere", worth: No},
	{kind: "commenter", worth: No},
}

// enter puts the approval of a figure into a world.
func (f figure) enter(in *Input) {
	i := promotion.Identity{ID: f.id, Login: fmt.Sprint("figure", f.id)}
	if f.asked {
		in.Requesters = append(in.Requesters, i)
	}
	if f.built {
		in.Builders = append(in.Builders, i)
	}
	if f.wrote {
		in.Authors = append(in.Authors, i)
	}
	r := approves(1000+f.id, i, 100)
	p := member("write", Yes)
	switch f.kind {
	case "admin", "admin who asked":
		p = member("admin", No)
	case "named user":
		p = member("write", No)
		in.Approvers = append(in.Approvers, Role{Users: []User{{Login: i.Login, ID: i.ID}}})
	case "writer without a team":
		p = member("write", No)
	case "reader in the team":
		p = member("read", Yes)
	case "stranger":
		p = member("none", No)
	case "member, perhaps", "builder and member, perhaps":
		p = Person{Permission: "maintain"}
	case "unheard of":
		p = Person{}
	case "reader, and nobody knows the teams":
		p = Person{Permission: "read"}
	case "bot":
		p.Bot = true
	case "service account":
		p.ServiceAccount = true
	case "deleted":
		p.Ghost = true
	case "stale":
		r.SealAt = sealB
	case "unrecorded":
		r.SealAt = ""
	case "early":
		r.Submitted = minute(-5)
	case "lapsed":
		r.Submitted = minute(30)
	case "dismissed", "dismissed by us":
		commit := map[string]string{"dismissed by us": headA}[f.kind]
		in.Moments = append(in.Moments, dismissal(r.ID, bot, commit))
		r = dismissed(r)
	case "elsewhere":
		r.PullRequest = 15
	case "commenter":
		r.State = promotion.Commented
	}
	in.People[f.id] = p
	in.Reviews = append(in.Reviews, r)
}

// oracle says the status in the words of the specification, one approval after the other.
func oracle(n Need, whoAskedUnknown, whoBuiltUnknown bool, cast []figure) promotion.Status {
	if n.Count == 0 {
		return promotion.Passed
	}
	if whoAskedUnknown && !n.AllowRequester && n.UnknownRequester == Deny {
		return promotion.Denied
	}
	if whoBuiltUnknown && !n.AllowBuilder && n.UnknownBuilder == Deny {
		return promotion.Denied
	}
	sure, perhaps := 0, 0
	for _, f := range cast {
		if f.asked && !n.AllowRequester {
			continue
		}
		if f.built && !n.AllowBuilder {
			continue
		}
		if f.worth == Yes {
			sure++
		}
		if f.worth == Unknown {
			perhaps++
		}
	}
	if sure >= n.Count {
		return promotion.Passed
	}
	if sure+perhaps >= n.Count {
		return promotion.Unknown
	}
	return promotion.Waiting
}

// beside are the figures that each one is joined by: nobody, and those whom flags concern.
var beside = []string{"", "requester", "builder", "requester and builder", "member, perhaps"}

// Every setting of the four flags, of who is unknown, of every count, and every figure
// with each of those that flags concern, beside so many plain approvers that two, one or
// none of them decide.
func TestFlags(t *testing.T) {
	settings := []Unknowns{Deny, Ignore}
	total := 0
	for flags := range 16 {
		for unknown := range 4 {
			for approvers := range MaxCount + 1 {
				n := Need{
					Policy: "prod", Count: approvers, TTL: time.Hour, AllowRequester: flags&1 != 0, AllowBuilder: flags&2 != 0,
					UnknownRequester: settings[flags>>2&1], UnknownBuilder: settings[flags>>3&1],
				}
				for a := range figures {
					for _, other := range beside {
						for plain := max(0, approvers-2); plain < max(1, approvers); plain++ {
							total++
							in := world()
							in.Needs, in.Reviews, in.Requesters, in.Builders = []Need{n}, nil, nil, nil
							in.RequesterUnknown, in.BuilderUnknown = unknown&1 != 0, unknown&2 != 0
							cast := []figure{figures[a]}
							for _, f := range figures {
								if f.kind == other {
									cast = append(cast, f)
								}
							}
							for range plain {
								cast = append(cast, figure{kind: "plain", worth: Yes})
							}
							for i := range cast {
								cast[i].id = int64(100 + i)
								cast[i].enter(&in)
							}
							want := oracle(n, in.RequesterUnknown, in.BuilderUnknown, cast)
							if got := Count(in); got.Status != want {
								t.Fatalf("%+v\nunknown %02b\ncast %+v\ngot %s, want %s: %+v", n, unknown, cast, got.Status, want, got)
							}
						}
					}
				}
			}
		}
	}
	t.Logf("%d decisions", total)
}
