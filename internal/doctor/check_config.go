package doctor

import (
	"fmt"
	"slices"
	"strings"

	"github.com/pinnace-dev/pinnace/internal/config"
	"github.com/pinnace-dev/pinnace/internal/policy"
	"github.com/pinnace-dev/pinnace/internal/promotion"
	"github.com/pinnace-dev/pinnace/internal/rulebook"
)

var configChecks = []Check{
	{
		ID: "config.valid", Title: "Configuration is valid", judge: judgeConfig,
		About: "With a mistake in it nothing is proposed or merged, and every check is red.",
	},
	{
		ID: "config.app", Title: "Configuration names the App", judge: judgeConfigApp,
		About: "Records are believed of the App that github.appID names; another's count for nothing.",
	},
	{
		ID: "config.mode", Title: "Pinnace may act", judge: judgeMode,
		About: "With mode: observe Pinnace reports, and writes nothing.",
	},
	{
		ID: "policies.valid", Title: "Policies are valid", judge: judgePolicies,
		About: "With a mistake in one of them nothing is merged.",
	},
	{
		ID: "deploy.button", Title: "Who deploys is enforced", judge: judgeButton,
		About: "With deploy: button a person presses merge, and GitHub does not know that an approver may not: it is reported after the fact.",
	},
}

// in splits the problems of the documents into those of the configuration and of policies.
func in(t Tree, policies bool) (mistakes, warnings []string) {
	for _, p := range t.Book.Problems {
		if strings.HasPrefix(p.File, rulebook.Organisation) || (p.File != ".pinnace/config.yaml") != policies {
			continue
		}
		if p.Severity == config.Warning {
			warnings = append(warnings, p.Error())
		} else {
			mistakes = append(mistakes, p.Error())
		}
	}
	return mistakes, warnings
}

func floorBroken(t Tree) bool {
	return slices.ContainsFunc(t.Book.Problems, func(p config.Problem) bool {
		return p.Severity == config.Error && strings.HasPrefix(p.File, rulebook.Organisation)
	})
}

func judgeConfig(f *Facts) Finding {
	t, no := f.Tree.get()
	if no != nil {
		return *no
	}
	mistakes, warnings := in(t, false)
	switch {
	case len(mistakes) > 0:
		return problem("put it right; pinnace config validate in a checkout shows the same", "%s", count(len(mistakes), "mistake")).with(mistakes)
	case !t.Configured:
		return warn("merge the onboarding pull request, or write one with pinnace config init", "there is no .pinnace/: images are pinned, and nothing else")
	case len(warnings) > 0:
		return warn("see pinnace config validate", "valid, with %s", count(len(warnings), "warning")).with(warnings)
	case t.Book.Config == nil || len(t.Book.Config.Environments) == 0:
		return warn("name the environments in .pinnace/config.yaml; pinnace config init finds them", "valid, without an environment: nothing can be promoted")
	}
	return ok("%s", count(len(t.Book.Config.Environments), "environment"))
}

// settings returns the configuration, or that there is none to judge.
func settings(f *Facts) (Tree, *config.Config, *Finding) {
	t, no := f.Tree.get()
	if no != nil {
		return t, nil, no
	}
	if t.Book.Config == nil {
		found := skip("the configuration has a mistake")
		return t, nil, &found
	}
	return t, t.Book.Config, nil
}

func judgeConfigApp(f *Facts) Finding {
	t, c, no := settings(f)
	if no != nil {
		return *no
	}
	switch {
	case !t.Configured:
		return skip("there is no .pinnace/")
	case f.AppID == 0:
		return skip("no App was named: the configuration names %d", c.GitHub.AppID)
	case c.GitHub.AppID == 0:
		return warn(fmt.Sprintf("write github: {appID: %d} into .pinnace/config.yaml", f.AppID), "github.appID is not set")
	case c.GitHub.AppID != f.AppID:
		return problem(fmt.Sprintf("write github: {appID: %d}, or run Pinnace as App %d", f.AppID, c.GitHub.AppID), "github.appID is %d, and this is App %d", c.GitHub.AppID, f.AppID)
	}
	return ok("%d", f.AppID)
}

func judgeMode(f *Facts) Finding {
	t, c, no := settings(f)
	switch {
	case no != nil:
		return *no
	case !t.Configured:
		return skip("there is no .pinnace/")
	case c.Mode == config.ModeObserve:
		return warn("write mode: act into .pinnace/config.yaml when what it reports is what you want", "mode is observe: nothing is opened or merged")
	}
	return ok("mode is act")
}

func judgePolicies(f *Facts) Finding {
	t, no := f.Tree.get()
	if no != nil {
		return *no
	}
	mistakes, warnings := in(t, true)
	switch {
	case len(mistakes) > 0:
		return problem("put it right; pinnace policy validate in a checkout shows the same", "%s", count(len(mistakes), "mistake")).with(mistakes)
	case t.Book.Set == nil:
		return skip("they cannot be joined while the configuration or the organisation's rules have a mistake")
	case len(warnings) > 0:
		return warn("see pinnace policy validate", "valid, with %s", count(len(warnings), "warning")).with(warnings)
	}
	s := t.Book.Set
	n := len(s.Digests) + len(s.Promotions) + len(s.Filters) + len(s.Freezes)
	if n == 0 {
		return ok("there are none")
	}
	return ok("%s", count(n, "policy"))
}

// A demand is what policies ask in one environment, at most.
type demand struct {
	env       config.Environment
	approvals int
	separate  string // the policy that keeps approvers from deploying, "" for none
	bound     bool
}

// demands returns what policies ask of promotions in each environment; nil where they cannot
// be read.
func demands(t Tree) []demand {
	if t.Book.Config == nil || t.Book.Set == nil {
		return nil
	}
	var all []demand
	for _, e := range t.Book.Config.Environments {
		d := demand{env: e}
		apps := map[string][]string{}
		paths := map[string][]string{}
		for _, s := range t.Standing {
			if s.Environment == e.Name {
				apps[s.App] = append(apps[s.App], s.Image.Repository())
				paths[s.App] = append(paths[s.App], s.Path)
			}
		}
		for app, images := range apps {
			for _, sequential := range []bool{false, true} {
				for _, p := range policy.Bound(t.Book.Set, app, e.Name, images, paths[app], promotion.Promotion, sequential) {
					d.bound = true
					most := p.ApproverCount
					for _, m := range p.More {
						most = max(most, m.ApproverCount)
					}
					d.approvals = max(d.approvals, most)
					if most > 0 && !p.AllowApproverFromDeploy {
						d.separate = p.Name
					}
				}
			}
		}
		all = append(all, d)
	}
	return all
}

func judgeButton(f *Facts) Finding {
	t, _, no := settings(f)
	if no != nil {
		return *no
	}
	all := demands(t)
	if t.Book.Set == nil {
		return skip("the policies have a mistake")
	}
	var loose []string
	for _, d := range all {
		if d.env.Deploy == config.DeployButton && d.separate != "" {
			loose = append(loose, fmt.Sprintf("%s: deploy is button, and policy %s keeps approvers from deploying", d.env.Name, d.separate))
		}
	}
	if loose != nil {
		return warn("write deploy: command (or auto) for the environment, or allowApproverFromDeploy: true in the policy",
			"%s only detected", is(len(loose), "environment")).with(loose)
	}
	return ok("no environment leaves it to GitHub's button")
}
