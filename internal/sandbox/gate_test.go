package sandbox

import (
	"testing"

	"github.com/google/go-github/v60/github"
)

// What other Apps report is theirs, and can be changed by them without a second run.
func TestReportsOfApps(t *testing.T) {
	r := newRig(t)
	ci := r.App(AppOptions{Name: "CI", Permissions: map[string]string{"checks": "write", "deployments": "write"}})
	ci.Install("acme")
	first, second := r.repo.Tip("main"), r.repo.Commit("main", "bob", "m", map[string]string{"x": "y"})
	for _, conclusion := range []string{"", "failure", "", "success"} {
		if err := ci.Check(r.repo, second, "build", conclusion); err != nil {
			t.Fatal(err)
		}
		checks := r.repo.Checks(second)
		if len(checks) != 1 || checks[0].Conclusion != conclusion || checks[0].App != ci.ID() || checks[0].AppSlug != "ci" {
			t.Errorf("got %+v", checks)
		}
	}
	if err := ci.Check(r.repo, "1111111111111111111111111111111111111111", "build", "success"); err == nil {
		t.Error("a check run on no commit")
	}
	ci.Deploy(r.repo, first, "staging", "success")
	ci.Deploy(r.repo, second, "staging", "success")
	var got []string
	for _, d := range must[[]*github.Deployment](t)(r.bot().Repositories.ListDeployments(t.Context(), "acme", "config", nil)) {
		states := must[[]*github.DeploymentStatus](t)(r.bot().Repositories.ListDeploymentStatuses(t.Context(), "acme", "config", d.GetID(), nil))
		got = append(got, d.GetSHA()+" "+states[0].GetState()+" "+d.GetCreator().GetLogin())
	}
	if len(got) != 2 || got[0] != second+" success ci[bot]" || got[1] != first+" inactive ci[bot]" {
		t.Errorf("got %v", got)
	}
	for name, do := range map[string]func(){
		"no commit":     func() { ci.Deploy(r.repo, "nowhere", "staging", "success") },
		"not installed": func() { _ = r.App(AppOptions{Name: "Other"}).Check(r.repo, second, "build", "") },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			do()
		}()
	}
}
