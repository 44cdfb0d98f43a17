package sandbox

// acting is the App's installation on a repository; without one the test is wrong.
func (a *App) acting(r *Repository) *actor {
	for _, i := range a.s.installations {
		if i.app == a && i.covers(r) {
			return a.s.actorOf(i)
		}
	}
	panic("sandbox: " + a.slug + " is not installed on " + r.fullName())
}

// Check lets the App report a check run on a commit, such as that of a CI service: a
// conclusion, or "" while it runs. What it reported there under the name before is changed.
func (a *App) Check(r *Repository, sha, name, conclusion string) error {
	a.s.mu.Lock()
	defer a.s.mu.Unlock()
	by := a.acting(r)
	in, running := checkInput{Name: &name, HeadSHA: &sha}, "in_progress"
	if in.Status = &running; conclusion != "" {
		in.Status, in.Conclusion = nil, &conclusion
	}
	for _, c := range r.latestChecks(sha) {
		if c.app == a && c.name == name {
			return asError(c.change(by, in))
		}
	}
	_, no := r.createCheck(by, in)
	return asError(no)
}

// Deploy lets the App say that it brought a commit to an environment, and what became of it:
// success, failure, in_progress and so on. A success makes those before it inactive.
// https://docs.github.com/en/rest/deployments/statuses#create-a-deployment-status
func (a *App) Deploy(r *Repository, sha, environment, state string) {
	a.s.mu.Lock()
	defer a.s.mu.Unlock()
	by := a.acting(r)
	h, ok := r.resolve(sha)
	if !ok {
		panic("sandbox: " + r.fullName() + " has no commit " + sha)
	}
	d := r.deploy(by, &deployment{sha: h.String(), ref: sha, task: "deploy", environment: environment})
	d.report(by, state, "", true)
}
