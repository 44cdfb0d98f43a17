package guard

import (
	"maps"
	"slices"
	"time"

	"github.com/pinnace-dev/pinnace/internal/config"
	"github.com/pinnace-dev/pinnace/internal/document"
)

// config compares two Configs.
func (d *differ) config(base, head *config.Config) {
	switch was, is := base.File() != "", head.File() != ""; {
	case was && !is:
		d.add(looser, "%s is deleted: no environment, app or role is configured any more", base.File())
	case !was && is:
		d.add(other, "%s is the first configuration here", head.File())
	}
	if base.Mode != head.Mode {
		d.add(either(head.Mode == config.ModeObserve, looser, tighter), "mode is %s, which was %s", head.Mode, base.Mode)
	}
	d.names("managed branch", base.Branches, head.Branches, looser, tighter)
	if a, b := base.GitHub.AppID, head.GitHub.AppID; a != b {
		d.add(either(a == 0, other, looser), "the records of GitHub App %d are believed, which was %d", b, a)
	}
	d.guard(base.Guard, head.Guard)
	d.roles(base, head)
	d.machines(base, head)
	d.environments(base, head)
	d.apps(base, head)
	d.pin(base.Pin, head.Pin)
	for _, host := range slices.Sorted(maps.Keys(head.RegistryMap)) {
		if was, is := base.RegistryMap[host], head.RegistryMap[host]; was != is {
			d.add(looser, "what %s holds is asked at %s", document.Quote(host), document.Quote(is))
		}
	}
	for _, host := range slices.Sorted(maps.Keys(base.RegistryMap)) {
		if _, ok := head.RegistryMap[host]; !ok {
			d.add(other, "what %s holds is asked at %s no more", document.Quote(host), document.Quote(base.RegistryMap[host]))
		}
	}
	if base.Merge.Method != head.Merge.Method {
		d.add(other, "merge.method is %s, which was %s", head.Merge.Method, base.Merge.Method)
	}
	if !slices.EqualFunc(base.Notify, head.Notify, sameNotification) {
		d.add(other, "notify is changed")
	}
}

func either(is bool, then, otherwise effect) effect {
	if is {
		return then
	}
	return otherwise
}

func sameNotification(a, b config.Notification) bool {
	return a.Type == b.Type && a.URLFrom == b.URLFrom && slices.Equal(a.To, b.To) && slices.Equal(a.Environments, b.Environments) && slices.Equal(a.Events, b.Events)
}

// names compares two lists of one thing: what removing one does, and adding one.
func (d *differ) names(what string, base, head []string, removed, added effect) {
	for _, n := range base {
		if !slices.Contains(head, n) {
			d.add(removed, "%s %s is removed", what, document.Quote(n))
		}
	}
	for _, n := range head {
		if !slices.Contains(base, n) {
			d.add(added, "%s %s is added", what, document.Quote(n))
		}
	}
}

func (d *differ) guard(base, head config.Guard) {
	if a, b := base.ApproverCount, head.ApproverCount; a != b {
		d.add(either(b < a, looser, tighter), "guard.approverCount is %d, which was %d", b, a)
	}
	if base.AllowAuthor != head.AllowAuthor {
		d.add(either(head.AllowAuthor, looser, tighter), "guard.allowAuthor is %t", head.AllowAuthor)
	}
}

func (d *differ) machines(base, head *config.Config) {
	spell := func(c *config.Config) []string {
		var all []string
		for _, u := range c.ServiceAccounts {
			all = append(all, u.String())
		}
		return all
	}
	d.names("service account", spell(base), spell(head), looser, tighter)
}

func (d *differ) environments(base, head *config.Config) {
	for _, e := range base.Environments {
		is, ok := head.Environment(e.Name)
		if !ok {
			d.add(looser, "environment %s is removed: nothing that names it holds for its files", e.Name)
			continue
		}
		d.environment(e, is)
	}
	for _, e := range head.Environments {
		if _, ok := base.Environment(e.Name); !ok {
			d.add(other, "environment %s is added, with the files %s", e.Name, few(e.Paths, 5))
		}
	}
}

func (d *differ) environment(was, is config.Environment) {
	in := "environment " + is.Name + ": "
	d.names(in+"path", was.Paths, is.Paths, looser, other)
	d.names(in+"include", was.Includes, is.Includes, looser, other)
	if was.Production != is.Production {
		d.add(either(is.Production, tighter, looser), "%sproduction is %t", in, is.Production)
	}
	before, some := was.Sources()
	now, one := is.Sources()
	switch {
	case some == one && slices.Equal(before, now):
	case len(now) == 0:
		d.add(looser, "%sit comes after no environment, which was after %s", in, document.List(before, "and"))
	default:
		tight := len(before) == 0 || !one && !some && !slices.ContainsFunc(before, func(s string) bool { return !slices.Contains(now, s) }) ||
			one && some && !slices.ContainsFunc(now, func(s string) bool { return !slices.Contains(before, s) })
		how := "all of "
		if one {
			how = "one of "
		}
		d.add(either(tight, tighter, looser), "%sit comes after %s%s", in, how, few(now, 10))
	}
	if was.Promote != is.Promote {
		d.add(either(is.Promote == config.PromoteAuto, looser, tighter), "%spromote is %s, which was %s", in, is.Promote, was.Promote)
	}
	if was.Soak != is.Soak {
		d.add(either(is.Soak < was.Soak, looser, tighter), "%ssoak is %s, which was %s", in, time.Duration(is.Soak), time.Duration(was.Soak))
	}
	d.names(in+"gate", gates(was), gates(is), looser, tighter)
	if was.Deploy != is.Deploy {
		d.add(either(hands[is.Deploy] < hands[was.Deploy], looser, tighter), "%sdeploy is %s, which was %s", in, is.Deploy, was.Deploy)
	}
	if was.OnNewer != is.OnNewer {
		d.add(other, "%sonNewer is %s, which was %s", in, is.OnNewer, was.OnNewer)
	}
	if !slices.EqualFunc(was.Track, is.Track, sameTrack) {
		d.add(other, "%strack is changed: other versions arrive", in)
	}
}

// hands orders how much stands between an approval and a merge.
var hands = map[config.Deploy]int{config.DeployAuto: 0, config.DeployButton: 1, config.DeployCommand: 2}

func sameTrack(a, b config.Track) bool {
	return slices.Equal(a.Images, b.Images) && a.Follow == b.Follow && a.Semver == b.Semver && a.Pattern == b.Pattern && a.Order == b.Order
}

func gates(e config.Environment) []string {
	var all []string
	for _, g := range e.Gates {
		s := "deployment " + g.Deployment
		switch {
		case g.CheckRun != "":
			s = "check run " + g.CheckRun
		case g.CommitStatus != "":
			s = "commit status " + g.CommitStatus
		}
		all = append(all, s+" of "+g.App)
	}
	return all
}

func (d *differ) apps(base, head *config.Config) {
	for _, a := range base.Apps {
		is, ok := head.App(a.Name)
		if !ok {
			d.add(looser, "app %s is removed: what is bound to it holds for its images no more", a.Name)
			continue
		}
		of := "app " + a.Name + ": "
		d.names(of+"image", a.Images, is.Images, looser, other)
		if !slices.Equal(a.Paths, is.Paths) {
			d.add(either(len(is.Paths) == 0, tighter, looser), "%sits places are %s, which were %s", of, places(is.Paths), places(a.Paths))
		}
		if a.Source != is.Source {
			d.add(either(a.Source == "", tighter, looser), "%ssource is %s, which was %s", of, document.Quote(is.Source), document.Quote(a.Source))
		}
	}
	for _, a := range head.Apps {
		if _, ok := base.App(a.Name); !ok {
			d.add(other, "app %s is added, with the images %s", a.Name, few(a.Images, 5))
		}
	}
}

func places(paths []string) string {
	if len(paths) == 0 {
		return "all"
	}
	return few(paths, 5)
}

func (d *differ) pin(base, head config.Pin) {
	d.names("pin.exclude", base.Exclude, head.Exclude, tighter, looser)
	d.names("pin.ignore", base.Ignore, head.Ignore, tighter, looser)
	if base.Style != head.Style {
		d.add(other, "pin.style is %s, which was %s", head.Style, base.Style)
	}
	if base.Platform != head.Platform {
		d.add(other, "pin.platform is %s, which was %s", head.Platform, base.Platform)
	}
	extras := func(p config.Pin) []string {
		var all []string
		for _, x := range p.Extra {
			all = append(all, few(x.Pointers, 5)+" of "+x.Kind+" in "+few(x.Paths, 5))
		}
		return all
	}
	d.names("pin.extra", extras(base), extras(head), looser, tighter)
}
