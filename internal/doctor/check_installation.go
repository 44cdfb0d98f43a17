package doctor

import (
	"errors"
	"strings"

	"github.com/pinnace-dev/pinnace/internal/policy"
	"github.com/pinnace-dev/pinnace/internal/promotion"
)

var installationChecks = []Check{
	{
		ID: "installation.active", Title: "Installations are active", judge: judgeSuspended,
		About: "A suspended installation gives no token: nothing is read or done there.",
	},
	{
		ID: "installation.repository", Title: "The repository is covered", judge: judgeCovered,
		About: "The App sees the repositories only that it is installed on.",
	},
	{
		ID: "repository.state", Title: "The repository can be written", judge: judgeState,
		About: "An archived repository is read-only, and an empty one holds nothing to pin.",
	},
	{
		ID: "repository.files", Title: "The files can be read", judge: judgeFiles,
		About: "What cannot be fetched is not pinned, and nothing of it is judged.",
	},
	{
		ID: "floor", Title: "The organisation's rules", judge: judgeFloor,
		About: "Rules in the repository .github hold for all others; where they cannot be read nothing is merged.",
	},
}

func judgeSuspended(f *Facts) Finding {
	all, no := f.Installations.first()
	if no != nil {
		return *no
	}
	var on, off []string
	for _, i := range all {
		if i.Suspended {
			off = append(off, i.Account)
		} else {
			on = append(on, i.Account)
		}
	}
	const fix = "let an owner open the App under Settings, Integrations, GitHub Apps, and unsuspend it, or uninstall it"
	switch {
	case len(all) == 0:
		return problem("install it: its page on GitHub has Install", "the App is not installed anywhere")
	case f.Installation.known && f.Installation.value.Suspended, on == nil:
		return problem(fix, "suspended: %s", strings.Join(off, ", "))
	case off != nil:
		return warn(fix, "%s active; suspended: %s", is(len(on), "installation"), strings.Join(off, ", "))
	}
	return ok("%s active", is(len(on), "installation"))
}

func is(n int, noun string) string {
	if n == 1 {
		return count(n, noun) + " is"
	}
	return count(n, noun) + " are"
}

func judgeCovered(f *Facts) Finding {
	if f.AppID != 0 && f.Installation.err != nil {
		if errors.Is(f.Installation.err, promotion.ErrNotFound) {
			return problem("add the repository under Settings, Integrations, GitHub Apps, Configure, Repository access", "%v", f.Installation.err)
		}
		_, no := f.Installation.first()
		return *no
	}
	r, no := f.Repository.first()
	if no != nil {
		if errors.Is(f.Repository.err, promotion.ErrNotFound) {
			return problem("check the name; a token sees the repositories only that its owner, or its App, may see", "%v", f.Repository.err)
		}
		return *no
	}
	if f.AppID == 0 {
		return ok("the token sees %s", r.FullName())
	}
	return ok("the installation on %s covers %s", f.Installation.value.Account, r.FullName())
}

func judgeState(f *Facts) Finding {
	r, no := f.Repository.get()
	if no != nil {
		return *no
	}
	switch {
	case r.Archived:
		return problem("unarchive it in its settings, or take it out of the App's installation", "%s is archived", r.FullName())
	case r.Disabled:
		return problem("see what GitHub says on its page", "GitHub has disabled %s", r.FullName())
	case r.Empty:
		return warn("push a first commit", "%s has no commit", r.FullName())
	}
	return ok("%s, default branch %s", r.FullName(), r.DefaultBranch)
}

func judgeFiles(f *Facts) Finding {
	t, no := f.Tree.first()
	if no != nil {
		return *no
	}
	return ok("%s with an image", count(len(t.Standing), "place"))
}

func judgeFloor(f *Facts) Finding {
	r, no := f.Repository.get()
	if no != nil {
		return *no
	}
	t, no := f.Tree.get()
	if no != nil {
		return *no
	}
	at := r.Owner + "/.github"
	switch {
	case !r.OwnerIsOrg:
		return ok("%s is a person, and has none", r.Owner)
	case r.Name == ".github":
		return ok("this is the repository that holds them")
	case t.Book.Floor == policy.FloorUnknown:
		return problem("let the App see "+at+", with contents: read; nothing is merged until then", "%s is there and cannot be read", at)
	case t.Book.Floor == policy.FloorRead && t.Book.Set == nil && floorBroken(t):
		return problem("put "+at+" right: pinnace config validate in its checkout shows the mistakes", "%s has mistakes", at)
	case t.Book.Floor == policy.FloorRead:
		return ok("%s was read", at)
	}
	return warn("if there are rules in "+at+", add it to the App's installation; else nothing is to be done", "none: %s has no .pinnace/, or the App does not see it", at)
}
