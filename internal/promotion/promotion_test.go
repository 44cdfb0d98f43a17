package promotion

import (
	"fmt"
	"slices"
	"testing"

	"github.com/pinnace-dev/pinnace/internal/image"
)

// The digest of a list of changes is the same for the same places and images, whatever the
// order and whatever is only for people, and another one for anything else.
func TestDigest(t *testing.T) {
	ref := func(s string) image.Ref {
		r, err := image.Parse(s)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	one := Change{Path: "a.yaml", Pointer: "/image", Object: "Pod/a", Line: 3, Old: ref("shop:1"), New: ref("shop:2")}
	two := Change{Path: "b.yaml", Document: 1, Pointer: "/image", Old: ref("web:1"), New: ref("web:2")}
	want := Digest(Pin, []Change{one, two})
	moved := one
	moved.Line, moved.Object = 9, "Pod/renamed"
	if got := Digest(Pin, []Change{two, moved}); got != want {
		t.Errorf("order, line and object change the digest")
	}
	seen := map[string]string{want: "the changes themselves"}
	for name, list := range map[string][]Change{
		"one less":         {one},
		"another path":     {two, with(one, func(c *Change) { c.Path = "c.yaml" })},
		"another document": {two, with(one, func(c *Change) { c.Document = 1 })},
		"another place":    {two, with(one, func(c *Change) { c.Pointer = "/spec" })},
		"another old":      {two, with(one, func(c *Change) { c.Old = ref("shop:0") })},
		"another new":      {two, with(one, func(c *Change) { c.New = ref("shop:3") })},
		"no change":        {},
	} {
		got := Digest(Pin, list)
		if other := seen[got]; other != "" {
			t.Errorf("%s has the digest of %s", name, other)
		}
		seen[got] = name
	}
	if Digest(Update, []Change{one, two}) == want {
		t.Error("the kind does not change the digest")
	}
}

func with(c Change, f func(*Change)) Change {
	f(&c)
	return c
}

func TestSortChanges(t *testing.T) {
	list := []Change{{Path: "b", Line: 1}, {Path: "a", Document: 1, Line: 1}, {Path: "a", Line: 9}, {Path: "a", Line: 2, Pointer: "/y"}, {Path: "a", Line: 2, Pointer: "/x"}}
	SortChanges(list)
	var got []string
	for _, c := range list {
		got = append(got, fmt.Sprintf("%s%d%d%s", c.Path, c.Document, c.Line, c.Pointer))
	}
	if want := []string{"a02/x", "a02/y", "a09", "a11", "b01"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestPermission(t *testing.T) {
	order := []Permission{PermissionNone, PermissionRead, PermissionTriage, PermissionWrite, PermissionMaintain, PermissionAdmin}
	for i, p := range order {
		for j, floor := range order {
			if got, want := p.AtLeast(floor), i >= j; got != want {
				t.Errorf("%s reaches %s: %v", p, floor, got)
			}
		}
	}
	for _, odd := range []Permission{"", "owner", "Write"} {
		if odd.AtLeast(PermissionRead) {
			t.Errorf("%q reaches read", odd)
		}
		if PermissionAdmin.AtLeast(odd) {
			t.Errorf("admin reaches a floor %q that nobody knows", odd)
		}
	}
}

// What cannot be told for certain is worse than what waits, and a denial is worst.
func TestWorst(t *testing.T) {
	for want, of := range map[Status][]Status{
		Skipped: {},
		Passed:  {Skipped, Passed},
		Waiting: {Passed, Waiting, Skipped},
		Unknown: {Waiting, Unknown, Passed},
		Denied:  {Unknown, Denied, Waiting},
	} {
		slices.Reverse(of)
		if got := Worst(of...); got != want {
			t.Errorf("the worst of %v is %s, want %s", of, got, want)
		}
	}
}

func TestIdentity(t *testing.T) {
	if got := (Identity{ID: 583231, Login: "carol"}).String(); got != "carol#583231" {
		t.Error(got)
	}
	if got := (Identity{Login: "carol"}).String(); got != "carol" {
		t.Error(got)
	}
}
