package fleet

import (
	"net/url"
	"strconv"
	"strings"

	"github.com/pinnace-dev/pinnace/internal/git"
	"github.com/pinnace-dev/pinnace/internal/promotion"
	"github.com/pinnace-dev/pinnace/internal/reconcile"
)

// further permissions are taken where the installation has them: for checks, requests and
// incidents, teams, gates, the merge queue, and images in .github/workflows.
var further = map[string]string{
	"checks": "write", "issues": "write", "members": "read", "deployments": "read", "statuses": "read", "merge_queues": "write", "workflows": "write",
}

// Permissions returns those that a token is narrowed to: what Pinnace uses, of what the
// installation was granted.
func Permissions(granted map[string]string) map[string]string {
	out := map[string]string{"contents": "write", "pull_requests": "write", "metadata": "read"}
	for name, wanted := range further {
		if has := granted[name]; has == wanted || has == "write" || has == "admin" {
			out[name] = wanted
		}
	}
	return out
}

// Workflows says whether a token of these permissions may change files in .github/workflows.
func Workflows(permissions map[string]string) reconcile.Answer {
	if permissions["workflows"] == "write" {
		return reconcile.Yes
	}
	return reconcile.No
}

// Web returns the address of GitHub for people and for git, from that of its API.
func Web(api *url.URL) *url.URL {
	u := &url.URL{Scheme: api.Scheme, Host: strings.ToLower(api.Host)}
	if u.Host == "api.github.com" {
		u.Host = "github.com"
	} else if host, ok := strings.CutPrefix(u.Host, "api."); ok && strings.HasSuffix(host, ".ghe.com") {
		u.Host = host
	}
	return u
}

// Author returns the author of commits: an address that GitHub knows the account by and that
// receives nothing
// (https://docs.github.com/en/account-and-profile/reference/email-addresses-reference).
func Author(web *url.URL, who promotion.Identity) git.Signature {
	return git.Signature{Name: who.Login, Email: strconv.FormatInt(who.ID, 10) + "+" + who.Login + "@users.noreply." + web.Hostname()}
}
