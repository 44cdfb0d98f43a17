package github

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pinnace-dev/pinnace/internal/promotion"
)

// installed is a page of the list of an installation's repositories.
func installed(total int, ids ...int) string {
	var parts []string
	for _, id := range ids {
		parts = append(parts, fmt.Sprintf(`{"id":%d,"name":"r%d","owner":{"login":"acme","type":"Organization"},"default_branch":"main"}`, id, id))
	}
	return fmt.Sprintf(`{"total_count":%d,"repositories":[%s]}`, total, strings.Join(parts, ","))
}

// A list that changes while it is read is read again; one whose number is never right, but
// that stays the same, is believed.
func TestRepositories(t *testing.T) {
	const first, second = "GET /installation/repositories?per_page=100", "GET /installation/repositories?page=2"
	for _, c := range []struct {
		name   string
		first  []string
		second []string // nil: there is one page
		want   []int64  // nil: an error
	}{
		{name: "none", first: []string{installed(0)}, want: []int64{}},
		{name: "two pages", first: []string{installed(3, 9, 4)}, second: []string{installed(3, 7)}, want: []int64{4, 7, 9}},
		{name: "one went while the list was read", first: []string{installed(4, 1, 2), installed(3, 2, 3)}, second: []string{installed(3, 4), installed(3, 4)}, want: []int64{2, 3, 4}},
		{name: "one came in front", first: []string{installed(3, 1, 2), installed(4, 0x10, 1)}, second: []string{installed(4, 2, 3), installed(4, 2, 3)}, want: []int64{1, 2, 3, 16}},
		{name: "a number that is never right", first: []string{installed(9, 1, 2)}, want: []int64{1, 2}},
		{name: "it never stays", first: []string{installed(9, 1, 2), installed(9, 1, 3), installed(9, 1, 4)}},
		{name: "no number", first: []string{`{"total_count":1,"repositories":[{"name":"x"}]}`}},
		{name: "a name that leads astray", first: []string{`{"total_count":1,"repositories":[{"id":1,"name":"..","owner":{"login":"acme"}}]}`}},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t)
			script := func(route, link string, bodies []string) {
				var all []http.HandlerFunc
				for _, b := range bodies {
					all = append(all, says(200, b, "Link", link))
				}
				r.script(route, all...)
			}
			link := ""
			if c.second != nil {
				link = "<" + r.server.URL + `/installation/repositories?page=2>; rel="next"`
				script(second, "", c.second)
			}
			script(first, link, c.first)
			got, err := r.client().Repositories(t.Context())
			if c.want == nil {
				isOnly(t, err, promotion.ErrTransient)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			ids := []int64{}
			for _, r := range got {
				ids = append(ids, r.ID)
			}
			if diff := cmp.Diff(c.want, ids); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// Archived and disabled ones are listed as such; an error of a page is never a shorter list.
func TestRepositoriesSay(t *testing.T) {
	r := newRig(t)
	r.script("GET /installation/repositories?per_page=100",
		says(200, `{"total_count":1,"repositories":[{"id":7,"name":"config","owner":{"login":"acme","type":"Organization"},"default_branch":"main","archived":true,"disabled":true,"private":true,"permissions":{"push":true,"pull":true}}]}`),
		says(200, installed(2, 1), "Link", "<"+r.server.URL+`/installation/repositories?page=2>; rel="next"`))
	got, err := r.client().Repositories(t.Context())
	want := []promotion.Repository{{ID: 7, Owner: "acme", Name: "config", DefaultBranch: "main", Private: true, Archived: true, Disabled: true, OwnerIsOrg: true, Permission: promotion.PermissionWrite}}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	r.on("GET /installation/repositories?page=2", 403, `{"message":"This installation has been suspended"}`)
	_, err = r.client().Repositories(t.Context())
	isOnly(t, err, promotion.ErrForbidden)
}
