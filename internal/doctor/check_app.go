package doctor

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/pinnace-dev/pinnace/internal/promotion"
)

var appChecks = []Check{
	{
		ID: "app.key", Title: "App and key belong together", judge: judgeKey,
		About: "GitHub refuses every question that is signed with another key.",
	},
	{
		ID: "app.permissions", Title: "Permissions of the App", judge: judgePermissions,
		About: "Each permission that is missing takes a part of Pinnace away; the finding says which.",
	},
	{
		ID: "app.accepted", Title: "New permissions are accepted", judge: judgeAccepted,
		About: "What an App asks for newly is not granted until an owner of each account accepts it.",
	},
	{
		ID: "app.events", Title: "Events that the App subscribes to", judge: judgeEvents,
		About: "What the App does not hear of is seen at the next full look only, an hour later.",
	},
	{
		ID: "github.clock", Title: "Clock", judge: judgeClock,
		About: "GitHub refuses keys' signatures from a clock that is off, and soak, freezes and ages are wrong by as much.",
	},
	{
		ID: "github.limits", Title: "GitHub's limits", judge: judgeLimits,
		About: "At zero Pinnace waits, for an hour at most.",
	},
}

func judgeKey(f *Facts) Finding {
	if f.AppID == 0 {
		return skip("no App was named: give --app-id and --app-key to look at it; without one Pinnace writes no check and merges nothing")
	}
	if !f.App.known {
		switch {
		case errors.Is(f.App.err, promotion.ErrUnauthenticated), errors.Is(f.App.err, promotion.ErrNotFound):
			return problem(fmt.Sprintf("take number and key from one App: in its settings, App ID and Generate a private key; the number given is %d", f.AppID), "GitHub refuses them: %v", f.App.err)
		case f.App.err != nil:
			return problem("see what GitHub, or the way to it, says", "GitHub gave no answer: %v", f.App.err)
		}
		_, no := f.App.get()
		return *no
	}
	if a := f.App.value; a.ID != f.AppID {
		return problem(fmt.Sprintf("set --app-id %d, or take the key of App %d", a.ID, f.AppID), "the key is that of App %d (%s), not of %d", a.ID, a.Slug, f.AppID)
	}
	return ok("App %d is %s", f.App.value.ID, f.App.value.Slug)
}

// app returns what GitHub says of the App, or that it says nothing.
func (f *Facts) app() (App, *Finding) {
	a, no := f.App.get()
	if no != nil && f.App.err != nil {
		no.Seen = "GitHub does not say who the App is"
	}
	return a, no
}

// granted are the permissions to judge: of the repository's installation, else what the App
// asks for.
func granted(f *Facts) (map[string]string, *Finding) {
	if f.Installation.known {
		return f.Installation.value.Permissions, nil
	}
	a, no := f.app()
	return a.Permissions, no
}

func judgePermissions(f *Facts) Finding {
	has, no := granted(f)
	if no != nil {
		return *no
	}
	var lost []string
	worst := OK
	for _, n := range f.Needed {
		if reaches(has[n.Name], n.Level) {
			continue
		}
		what := "is missing"
		if has[n.Name] != "" {
			what = "is " + has[n.Name]
		}
		lost = append(lost, fmt.Sprintf("%s: %s %s: %s", n.Name, n.Level, what, n.Loss))
		if n.Needed || used(f, n.Name) {
			worst = Problem
		} else if worst == OK {
			worst = Warning
		}
	}
	if worst == OK {
		return ok("all %d that Pinnace uses are granted", len(f.Needed))
	}
	return Finding{
		Status: worst, Seen: count(len(lost), "permission") + " of " + fmt.Sprint(len(f.Needed)) + " not granted",
		Fix: "add them in the App's settings under Permissions & events, and let an owner accept them; leave out what you do not want Pinnace to do",
	}.with(lost)
}

// used says whether something in the repository cannot be done without an optional permission.
func used(f *Facts, permission string) bool {
	if permission == "merge_queues" && f.Bases.known {
		return slices.ContainsFunc(f.Bases.value, func(b Base) bool { return b.Rules.MergeQueue })
	}
	if permission == "members" && f.Teams.known {
		return len(f.Teams.value) > 0
	}
	if !f.Tree.known || f.Tree.value.Book.Config == nil {
		return false
	}
	for _, e := range f.Tree.value.Book.Config.Environments {
		for _, g := range e.Gates {
			if permission == "deployments" && g.Deployment != "" || permission == "statuses" && g.CommitStatus != "" {
				return true
			}
		}
	}
	return false
}

func judgeAccepted(f *Facts) Finding {
	a, no := f.app()
	if no != nil {
		return *no
	}
	all, no := f.Installations.get()
	if no != nil {
		return *no
	}
	if len(all) == 0 {
		return skip("the App is not installed anywhere")
	}
	var waiting []string
	for _, i := range all {
		var more []string
		for _, n := range f.Needed {
			if want := a.Permissions[n.Name]; want != "" && !reaches(i.Permissions[n.Name], want) {
				more = append(more, n.Name+": "+want)
			}
		}
		if more != nil {
			waiting = append(waiting, i.Account+": "+strings.Join(more, ", "))
		}
	}
	if waiting != nil {
		return warn("let an owner open the App under Settings, Integrations, GitHub Apps (Applications) and accept the new permissions",
			"%s not granted yet what the App asks for", has(len(waiting), "account")).with(waiting)
	}
	return ok("%s granted all that the App asks for", has(len(all), "account"))
}

// has writes "1 account has" and "2 accounts have".
func has(n int, noun string) string {
	if n == 1 {
		return count(n, noun) + " has"
	}
	return count(n, noun) + " have"
}

// pressing are the events that are acted on at once; the others only speed things up.
var pressing = []string{"push", "pull_request", "pull_request_review", "issue_comment", "check_run"}

func judgeEvents(f *Facts) Finding {
	a, no := f.app()
	if no != nil {
		return *no
	}
	if f.Hook.known && f.Hook.value.URL == "" {
		return skip("the App has no webhook")
	}
	var missing []string
	status := Warning
	for _, e := range f.Subscriptions {
		if !slices.Contains(a.Events, e) {
			missing = append(missing, e)
			if slices.Contains(pressing, e) {
				status = Problem
			}
		}
	}
	if missing == nil {
		return ok("all %d that Pinnace listens to", len(f.Subscriptions))
	}
	return Finding{
		Status: status, Seen: "not subscribed to " + strings.Join(missing, ", "),
		Fix: "tick them in the App's settings under Permissions & events, Subscribe to events; until then a change waits for the next full look",
	}
}

func judgeClock(f *Facts) Finding {
	skew, no := f.Clock.first()
	if no != nil {
		return *no
	}
	off := skew.Abs().Round(time.Second)
	way := "behind"
	if skew < 0 {
		way = "ahead of"
	}
	switch {
	case off > time.Minute:
		return problem("set the clock: let NTP run (timedatectl set-ntp true)", "this machine is %s %s GitHub", off, way)
	case off > 10*time.Second:
		return warn("let NTP run (timedatectl set-ntp true)", "this machine is %s %s GitHub", off, way)
	case off < 2*time.Second:
		return ok("it is GitHub's, within two seconds")
	}
	return ok("this machine is %s %s GitHub", off, way)
}

func judgeLimits(f *Facts) Finding {
	all, no := f.Limits.first()
	if no != nil {
		return *no
	}
	if len(all) == 0 {
		return ok("this GitHub has none")
	}
	var seen []string
	worst := OK
	for _, l := range all {
		seen = append(seen, fmt.Sprintf("%s: %d of %d left until %s", l.Name, l.Remaining, l.Limit, l.Reset.UTC().Format("15:04 UTC")))
		switch {
		case l.Remaining == 0 && l.Limit > 0:
			worst = Problem
		case l.Remaining*5 < l.Limit && worst == OK:
			worst = Warning
		}
	}
	found := Finding{Status: worst, Seen: strings.Join(seen, "; ")}
	if worst != OK {
		found.Fix = "let nothing else use this App or token, and look less often: pinnace serve --resync 2h"
	}
	return found
}
