package policy

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/pinnace-dev/pinnace/internal/document"
	"github.com/pinnace-dev/pinnace/internal/policy/approval"
	"github.com/pinnace-dev/pinnace/internal/promotion"
)

func TestHolds(t *testing.T) {
	write := promotion.PermissionWrite
	user := approval.Role{Permission: write, Users: []approval.User{{Login: "Carol"}, {Login: "old", ID: dave.ID}, {Login: "erin", ID: 99}}}
	team := approval.Role{Teams: []string{"Acme/Release"}}
	all := people()
	unread := people()
	unread[carol.ID] = approval.Person{Permission: write}
	unread[erin.ID] = approval.Person{Teams: map[string]Answer{"acme/release": approval.Yes}}
	unread[dave.ID] = approval.Person{Teams: map[string]Answer{"acme/release": approval.No}}
	for _, row := range []struct {
		name   string
		role   approval.Role
		who    promotion.Identity
		people map[int64]approval.Person
		want   Answer
	}{
		{"everybody with write", approval.Role{}, carol, all, approval.Yes},
		{"a reader", approval.Role{}, frank, all, approval.No},
		{"by login, without case", user, carol, all, approval.Yes},
		{"by number, after a rename", user, dave, all, approval.Yes},
		{"another account of that login", user, erin, all, approval.No},
		{"of the team", team, erin, all, approval.Yes},
		{"not of the team", team, carol, all, approval.No},
		{"a team that cannot be read", team, carol, unread, approval.Unknown},
		{"of the team, with a permission that cannot be read", team, erin, unread, approval.Unknown},
		{"not of the team, whatever the permission", team, dave, unread, approval.No},
		{"nobody knows the person", user, promotion.Identity{ID: 50, Login: "zoe"}, all, approval.Unknown},
		{"a bot", approval.Role{}, ci, all, approval.No},
		{"a deleted account", approval.Role{}, promotion.Identity{Login: "ghost"}, all, approval.No},
	} {
		if got := holds([]approval.Role{row.role}, row.who, row.people); got != row.want {
			t.Errorf("%s: got %v, want %v", row.name, got, row.want)
		}
	}
	if got := users([]string{"carol#3", "not a login"}); len(got) != 2 || got[0].ID != 3 || got[1].Login != "?" {
		t.Errorf("users: got %v", got)
	}
}

func TestLocks(t *testing.T) {
	s := mustLoad(t, shopWorld(), `apiVersion: pinnace.dev/v1alpha1
kind: PullImageDigestPolicy
environments: [prod]
exceptions: [{path: "envs/prod/legacy/**", reason: r, expires: 2026-11-18}]
`)
	p := s.Digests[0]
	if got := s.Locking("prod"); len(got) != 1 || len(s.Locking("dev")) != 0 || len(s.Locking("gone")) != 0 {
		t.Errorf("locking: got %v", got)
	}
	for path, want := range map[string]bool{"envs/prod/legacy/a/b.yaml": true, "envs/prod/a.yaml": false} {
		if _, ok := p.Excepts(path, now); ok != want {
			t.Errorf("%s: got %v, want %v", path, ok, want)
		}
	}
	if e, ok := p.Excepts("envs/prod/legacy/a", now.Add(12*time.Hour)); ok {
		t.Errorf("the day after: got %v", e)
	}
}

// TestLimits: nothing that is read is without bound.
func TestLimits(t *testing.T) {
	head := "apiVersion: pinnace.dev/v1alpha1\nkind: ImagePromotionPolicy\nname: a\n"
	for _, row := range []struct{ name, text, want string }{
		{"bytes", head + "# " + strings.Repeat("x", document.MaxBytes), "more than 1 MiB is not read"},
		{"a condition", head + "passCondition: \"" + strings.Repeat("x", maxExpression+1) + "\"", "passCondition: has more than 10000 bytes"},
		{"selectors", head + "applyTo: [" + strings.Repeat("{env: prod},", maxSelectors+1) + "]", "applyTo: more than 2000 selectors"},
		{"depth", head + "description: " + strings.Repeat("[", 30) + strings.Repeat("]", 30), "nested more than 20 deep"},
		{"a bomb", head + "a: &a [x,x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c,*c]\ne: [*d,*d,*d,*d,*d,*d,*d,*d,*d,*d]\n", "more than 50000 values"},
	} {
		if s, ps := Load(documents("p.yaml", []byte(row.text)), shopWorld()); s != nil || !strings.Contains(ps.Error(), row.want) {
			t.Errorf("%s: got %.300s, want %q", row.name, ps.Error(), row.want)
		}
	}
	docs := make([]Document, maxDocuments+1)
	if s, ps := Load(docs, World{}); s != nil || !strings.Contains(ps.Error(), "more than 500 policy documents") {
		t.Errorf("documents: got %v", ps)
	}
}

func TestUser(t *testing.T) {
	text, err := json.Marshal([]User{{Login: "carol", ID: 3}, {Login: "dave"}})
	if err != nil || string(text) != `["carol#3","dave"]` {
		t.Errorf("got %s, %v", text, err)
	}
	d, err := json.Marshal(Duration(90 * time.Minute))
	if err != nil || string(d) != `"1h30m0s"` {
		t.Errorf("got %s, %v", d, err)
	}
	for _, s := range []string{"1.5d", "400d", "-1h", "7", "1w400d", "9000h", ""} {
		if d, err := ParseDuration(s); err == nil {
			t.Errorf("%s: got %s", s, d)
		}
	}
}
