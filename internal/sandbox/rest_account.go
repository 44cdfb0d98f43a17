package sandbox

import (
	"cmp"
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

func (s *Sandbox) fullUser(a *account) fields {
	out := s.renderUser(a).(fields)
	maps.Copy(out, fields{
		"user_view_type": "public", "name": nil, "company": nil, "blog": "", "location": nil, "email": nil, "hireable": nil, "bio": nil, "twitter_username": nil,
		"public_repos": 0, "public_gists": 0, "followers": 0, "following": 0, "created_at": "2020-01-01T00:00:00Z", "updated_at": "2020-01-01T00:00:00Z",
	})
	if !a.halted.IsZero() {
		out["suspended_at"] = stamp(a.halted)
	}
	return out
}

func userGet(c *call) (any, error) {
	a := c.s.people[strings.ToLower(c.args["username"])]
	if a == nil {
		return nil, notFound()
	}
	return c.s.fullUser(a), nil
}

// userGetByID finds an account by its number, which no other account ever gets.
// https://docs.github.com/en/rest/users/users#get-a-user-using-their-id
func userGetByID(c *call) (any, error) {
	a := c.s.accounts[c.number("account_id")]
	if a == nil {
		return nil, notFound()
	}
	return c.s.fullUser(a), nil
}

// userSelf is for people's tokens only.
// https://docs.github.com/en/rest/users/users#get-the-authenticated-user
func userSelf(c *call) (any, error) {
	if c.by.install != nil {
		return nil, forbidden()
	}
	c.header.Set("X-OAuth-Scopes", strings.Join(c.by.scopes, ", "))
	return c.s.fullUser(c.by.who), nil
}

func orgGet(c *call) (any, error) {
	a := c.s.people[strings.ToLower(c.args["org"])]
	if a == nil || a.kind != "Organization" {
		return nil, notFound()
	}
	out := c.s.renderOrg(a)
	maps.Copy(out, fields{
		"html_url": c.s.URL() + "/" + a.Login, "has_organization_projects": true, "has_repository_projects": true, "public_repos": 0, "public_gists": 0,
		"followers": 0, "following": 0, "type": "Organization", "created_at": "2020-01-01T00:00:00Z", "updated_at": "2020-01-01T00:00:00Z", "archived_at": nil,
	})
	return out, nil
}

// team finds a team for who may know of it: an App with members: read on the organisation,
// or a member of the organisation whose token has read:org.
// https://docs.github.com/en/rest/teams/teams#get-a-team-by-name
func (c *call) team() (*Team, *refusal) {
	org := c.s.people[strings.ToLower(c.args["org"])]
	if org == nil || org.kind != "Organization" {
		return nil, notFound()
	}
	if i := c.by.install; i != nil {
		if i.account != org || !reaches(c.by.permissions["members"], "read") {
			return nil, forbidden()
		}
	} else if !org.member[c.by.who.ID] || c.by.app == nil && !c.by.scoped("read:org", "write:org", "admin:org") {
		return nil, notFound()
	}
	if t := org.teams[c.args["team_slug"]]; t != nil {
		return t, nil
	}
	return nil, notFound()
}

func teamGet(c *call) (any, error) {
	t, no := c.team()
	if no != nil {
		return nil, no
	}
	out := t.render()
	org := c.s.renderOrg(t.org)
	maps.Copy(org, fields{
		"html_url": c.s.URL() + "/" + t.org.Login, "has_organization_projects": true, "has_repository_projects": true, "public_repos": 0, "public_gists": 0,
		"followers": 0, "following": 0, "type": "Organization", "created_at": "2020-01-01T00:00:00Z", "updated_at": "2020-01-01T00:00:00Z", "archived_at": nil,
	})
	out["created_at"], out["updated_at"], out["members_count"], out["repos_count"], out["organization"] = "2020-01-01T00:00:00Z", "2020-01-01T00:00:00Z", len(t.members), 0, org
	return out, nil
}

// teamMembership counts the members of child teams, too, and is 404 for who is not in it.
// https://docs.github.com/en/rest/teams/members#get-team-membership-for-a-user
func teamMembership(c *call) (any, error) {
	t, no := c.team()
	if no != nil {
		return nil, no
	}
	a := c.s.people[strings.ToLower(c.args["username"])]
	if a == nil || t.state(a.ID) == "" {
		return nil, notFound()
	}
	role := "member"
	if t.org.owners[a.ID] {
		role = "maintainer"
	}
	return fields{"url": c.s.api() + "/organizations/" + itoa(t.org.ID) + "/team/" + itoa(t.id) + "/memberships/" + a.Login, "role": role, "state": t.state(a.ID)}, nil
}

func teamMembers(c *call) (any, error) {
	t, no := c.team()
	if no != nil {
		return nil, no
	}
	var list []*account
	for _, id := range slices.Sorted(maps.Keys(c.s.accounts)) {
		if t.state(id) == "active" {
			list = append(list, c.s.accounts[id])
		}
	}
	return page(c, list, func(a *account) any { return c.s.renderUser(a) }), nil
}

func appGet(c *call) (any, error) {
	out := c.s.renderApp(c.by.app).(fields)
	out["installations_count"] = len(c.installations())
	return out, nil
}

// appBySlug shows an App to everybody.
// https://docs.github.com/en/rest/apps/apps#get-an-app
func appBySlug(c *call) (any, error) {
	for _, a := range c.s.apps {
		if a.slug == c.args["app_slug"] {
			return c.s.renderApp(a), nil
		}
	}
	return nil, notFound()
}

func (c *call) installations() []*installation {
	var list []*installation
	for _, id := range slices.Sorted(maps.Keys(c.s.installations)) {
		if i := c.s.installations[id]; i.app == c.by.app {
			list = append(list, i)
		}
	}
	return list
}

func installationList(c *call) (any, error) {
	return page(c, c.installations(), func(i *installation) any { return c.s.renderInstallation(i) }), nil
}

func (c *call) installation() (*installation, *refusal) {
	i := c.s.installations[c.number("installation_id")]
	if i == nil || i.app != c.by.app {
		return nil, notFound()
	}
	return i, nil
}

func installationGet(c *call) (any, error) {
	i, no := c.installation()
	if no != nil {
		return nil, no
	}
	return c.s.renderInstallation(i), nil
}

func installationOfRepo(c *call) (any, error) {
	r := c.s.names[strings.ToLower(c.args["owner"]+"/"+c.args["repo"])]
	for _, i := range c.installations() {
		if r != nil && i.covers(r) {
			return c.s.renderInstallation(i), nil
		}
	}
	return nil, notFound()
}

func installationOfOwner(c *call) (any, error) {
	login := cmp.Or(c.args["org"], c.args["username"])
	for _, i := range c.installations() {
		if strings.EqualFold(i.account.Login, login) {
			return c.s.renderInstallation(i), nil
		}
	}
	return nil, notFound()
}

func installationToken(c *call) (any, error) {
	i, no := c.installation()
	if no != nil {
		return nil, no
	}
	if !i.suspended.IsZero() {
		return nil, refuse(http.StatusForbidden, "This installation has been suspended")
	}
	var in struct {
		Repositories  []string
		RepositoryIDs []int64 `json:"repository_ids"`
		Permissions   map[string]string
	}
	if no := c.read(&in); no != nil {
		return nil, no
	}
	by, no := c.s.narrowed(i, in.RepositoryIDs, in.Repositories, in.Permissions)
	if no != nil {
		return nil, no
	}
	out := fields{
		"token": c.s.grant("ghs_", by), "expires_at": stamp(by.expires), "permissions": by.permissions, "repository_selection": i.selection(),
	}
	if by.repos != nil {
		out["repository_selection"] = "selected"
		list := []any{}
		for _, id := range slices.Sorted(maps.Keys(by.repos)) {
			list = append(list, c.s.renderRepo(c.s.repos[id], by))
		}
		out["repositories"] = list
	}
	return c.created(out)
}

func installationRepos(c *call) (any, error) {
	var list []*Repository
	for _, id := range slices.Sorted(maps.Keys(c.s.repos)) {
		if r := c.s.repos[id]; c.by.inReach(r) {
			list = append(list, r)
		}
	}
	selection := c.by.install.selection()
	if c.by.repos != nil {
		selection = "selected"
	}
	return fields{
		"total_count": len(list), "repository_selection": selection,
		"repositories": page(c, list, func(r *Repository) any { return c.s.renderRepo(r, c.by) }),
	}, nil
}

func installationTokenRevoke(c *call) (any, error) {
	for token, by := range c.s.tokens {
		if by == c.by {
			delete(c.s.tokens, token)
		}
	}
	return c.empty()
}

func (c *call) kept() []*delivery {
	var list []*delivery
	for _, d := range c.s.deliveries {
		if d.sent && d.App == c.by.app.id && c.s.now().Sub(d.At) < retention {
			list = append(list, d)
		}
	}
	slices.Reverse(list)
	return list
}

func (d *delivery) render() fields {
	number := func(n int64) any {
		if n == 0 {
			return nil
		}
		return n
	}
	return fields{
		"id": d.ID, "guid": d.GUID, "delivered_at": stamp(d.At), "redelivery": d.Redelivery, "duration": 0.03, "status": d.Outcome, "status_code": d.Status,
		"event": d.Event, "action": orNil(d.Action), "installation_id": number(d.Installation), "repository_id": number(d.Repository), "throttled_at": nil,
	}
}

// deliveryList is of the newest first, of three days, and pages by a cursor.
// https://docs.github.com/en/rest/apps/webhooks#list-deliveries-for-an-app-webhook
func deliveryList(c *call) (any, error) {
	list := c.kept()
	switch c.query("status") {
	case "success":
		list = slices.DeleteFunc(list, func(d *delivery) bool { return d.Outcome != "OK" })
	case "failure":
		list = slices.DeleteFunc(list, func(d *delivery) bool { return d.Outcome == "OK" })
	}
	if cursor, ok := strings.CutPrefix(c.query("cursor"), "v1_"); ok {
		id, err := strconv.ParseInt(cursor, 10, 64)
		if err != nil {
			return nil, unprocessable("Invalid cursor")
		}
		list = slices.DeleteFunc(list, func(d *delivery) bool { return d.ID >= id })
	}
	size, _ := strconv.Atoi(c.query("per_page"))
	if size <= 0 || size > 100 {
		size = 30
	}
	if len(list) > size {
		u := *c.req.URL
		q := u.Query()
		q.Set("cursor", "v1_"+itoa(list[size-1].ID))
		u.RawQuery = q.Encode()
		c.header.Set("Link", "<"+c.origin()+u.RequestURI()+`>; rel="next"`)
		list = list[:size]
	}
	out := []any{}
	for _, d := range list {
		out = append(out, d.render())
	}
	return out, nil
}

func (c *call) delivery() (*delivery, *refusal) {
	for _, d := range c.kept() {
		if d.ID == c.number("delivery_id") {
			return d, nil
		}
	}
	return nil, notFound()
}

func deliveryGet(c *call) (any, error) {
	d, no := c.delivery()
	if no != nil {
		return nil, no
	}
	out := d.render()
	out["url"] = c.s.apps[d.App].o.WebhookURL
	out["request"] = fields{"headers": d.headers, "payload": json.RawMessage(d.Payload)}
	out["response"] = fields{"headers": fields{}, "payload": d.response}
	return out, nil
}

func deliveryAgain(c *call) (any, error) {
	d, no := c.delivery()
	if no != nil {
		return nil, no
	}
	c.s.redeliver(d)
	c.status = http.StatusAccepted
	return fields{}, nil
}

// manifestConvert gives the App of a code its credentials, once and within an hour.
// https://docs.github.com/en/apps/sharing-github-apps/registering-a-github-app-from-a-manifest
func manifestConvert(c *call) (any, error) {
	a := c.s.manifests[c.args["code"]]
	if a == nil || c.s.now().Sub(a.created) >= time.Hour {
		return nil, notFound()
	}
	delete(c.s.manifests, c.args["code"])
	out := c.s.renderApp(a).(fields)
	out["client_secret"], out["webhook_secret"], out["pem"] = a.ClientSecret(), a.o.Secret, string(a.PrivateKey())
	return c.created(out)
}

func rateLimit(c *call) (any, error) {
	u := c.s.used[c.by.key()]
	limit := c.s.o.Limits.Primary
	if limit == 0 {
		limit = 5000
	}
	rate := fields{"limit": limit, "remaining": c.s.remaining(u), "reset": u.reset.Unix(), "used": u.used, "resource": "core"}
	return fields{"rate": rate, "resources": fields{"core": rate, "search": rate, "graphql": rate}}, nil
}

func meta(c *call) (any, error) {
	return fields{"verifiable_password_authentication": false, "installed_version": "3.18.0", "hooks": []string{"127.0.0.0/8"}}, nil
}
