package github

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	gh "github.com/google/go-github/v60/github"

	"github.com/pinnace-dev/pinnace/internal/promotion"
)

type wireRule struct {
	Type       string          `json:"type"`
	Parameters json.RawMessage `json:"parameters"`
}

type wireParameters struct {
	Approvals      int      `json:"required_approving_review_count"`
	DismissStale   bool     `json:"dismiss_stale_reviews_on_push"`
	CodeOwners     bool     `json:"require_code_owner_review"`
	LastPush       bool     `json:"require_last_push_approval"`
	Threads        bool     `json:"required_review_thread_resolution"`
	AllowedMethods []string `json:"allowed_merge_methods"`
	Strict         bool     `json:"strict_required_status_checks_policy"`
	Checks         []struct {
		Context     string `json:"context"`
		Integration int64  `json:"integration_id"`
	} `json:"required_status_checks"`
	MergeMethod string `json:"merge_method"`
}

// BranchRules returns what a branch demands: the active rulesets
// (https://docs.github.com/en/rest/repos/rules#get-rules-for-a-branch), and classic branch
// protection where the token may read it
// (https://docs.github.com/en/rest/branches/branch-protection#get-branch-protection).
// Rules that the token could bypass are among them. The branch need not exist; rulesets are
// then all that is known.
func (c *Client) BranchRules(ctx context.Context, repo promotion.Repository, branch string) (promotion.Rules, error) {
	op := "read the rules of branch " + clean(branch, "") + " of " + repo.FullName()
	var r promotion.Rules
	wire, err := collect[wireRule](ctx, c, call{op: op, path: in(repo).add("/rules/branches").branch(branch), need: "metadata=read"})
	if err != nil && !withoutPlan(err) {
		return promotion.Rules{}, err
	}
	for _, w := range wire {
		var p wireParameters
		if len(w.Parameters) > 0 {
			if err := decode(op, answer{body: w.Parameters}, &p); err != nil {
				return promotion.Rules{}, err
			}
		}
		addRule(&r, w.Type, p)
	}
	if err := c.classic(ctx, repo, branch, op, &r); err != nil {
		return promotion.Rules{}, err
	}
	return r, nil
}

// withoutPlan says whether the owner's plan has no rules for private repositories, so that
// none can be in force.
func withoutPlan(err error) bool { return said(err, "upgrade to github") }

func addRule(r *promotion.Rules, kind string, p wireParameters) {
	switch kind {
	case "required_signatures":
		r.SignedCommits = true
	case "required_linear_history":
		r.LinearHistory = true
	case "non_fast_forward":
		r.NoForcePush = true
	case "creation":
		r.NoCreation = true
	case "deletion":
		r.NoDeletion = true
	case "update":
		r.NoUpdate = true
	case "pull_request":
		r.PullRequest = true
		r.Approvals = max(r.Approvals, p.Approvals)
		r.DismissStale = r.DismissStale || p.DismissStale
		r.CodeOwners = r.CodeOwners || p.CodeOwners
		r.LastPushApproval = r.LastPushApproval || p.LastPush
		r.ThreadsResolved = r.ThreadsResolved || p.Threads
		if p.AllowedMethods != nil {
			r.MergeMethods = both(r.MergeMethods, p.AllowedMethods)
		}
	case "required_status_checks":
		r.UpToDate = r.UpToDate || p.Strict
		for _, check := range p.Checks {
			addCheck(r, check.Context, check.Integration)
		}
	case "merge_queue":
		r.MergeQueue, r.MergeQueueMethod = true, strings.ToLower(p.MergeMethod)
	}
}

// both returns what two rules allow together; nil allows all.
func both(a, b []string) []string {
	if a == nil {
		return slices.Clone(b)
	}
	return slices.DeleteFunc(slices.Clone(a), func(m string) bool { return !slices.Contains(b, m) })
}

// addCheck adds a required check. App numbers below 1 mean any source.
func addCheck(r *promotion.Rules, context string, app int64) {
	check := promotion.RequiredCheck{Context: context, App: max(app, 0)}
	if !slices.Contains(r.Checks, check) {
		r.Checks = append(r.Checks, check)
	}
}

// classic adds classic branch protection.
func (c *Client) classic(ctx context.Context, repo promotion.Repository, branch, op string, r *promotion.Rules) error {
	var b struct {
		Name      string `json:"name"`
		Protected bool   `json:"protected"`
	}
	_, err := c.read(ctx, call{op: op, path: in(repo).add("/branches").branch(branch), need: "contents=read"}, &b)
	if ok, err := found(err); !ok {
		return err
	}
	if b.Name != branch || !b.Protected { // a renamed branch leads to its new name
		return nil
	}
	var p gh.Protection
	_, err = c.read(ctx, call{op: op, path: in(repo).add("/branches").branch(branch).add("/protection"), need: "administration=read"}, &p)
	switch {
	case err == nil:
		addProtection(r, &p)
	case withoutPlan(err), said(err, "branch not protected"): // then rulesets alone protect it
	case absent(err), forbade(err):
		r.ProtectionUnknown = true
	default:
		return err
	}
	return nil
}

func addProtection(r *promotion.Rules, p *gh.Protection) {
	r.SignedCommits = r.SignedCommits || p.GetRequiredSignatures().GetEnabled()
	r.LinearHistory = r.LinearHistory || p.RequireLinearHistory != nil && p.RequireLinearHistory.Enabled
	r.NoForcePush = r.NoForcePush || p.AllowForcePushes == nil || !p.AllowForcePushes.Enabled
	r.NoDeletion = r.NoDeletion || p.AllowDeletions == nil || !p.AllowDeletions.Enabled
	r.NoUpdate = r.NoUpdate || p.Restrictions != nil || p.GetLockBranch().GetEnabled()
	r.ThreadsResolved = r.ThreadsResolved || p.RequiredConversationResolution != nil && p.RequiredConversationResolution.Enabled
	if v := p.RequiredPullRequestReviews; v != nil {
		addRule(r, "pull_request", wireParameters{
			Approvals: v.RequiredApprovingReviewCount, DismissStale: v.DismissStaleReviews,
			CodeOwners: v.RequireCodeOwnerReviews, LastPush: v.RequireLastPushApproval,
		})
	}
	if s := p.RequiredStatusChecks; s != nil {
		r.UpToDate = r.UpToDate || s.Strict
		if s.Checks != nil {
			for _, check := range *s.Checks {
				if check != nil {
					addCheck(r, check.Context, check.GetAppID())
				}
			}
		} else if s.Contexts != nil {
			for _, context := range *s.Contexts {
				addCheck(r, context, 0)
			}
		}
	}
}
