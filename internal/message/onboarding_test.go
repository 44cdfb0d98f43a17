package message

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"golang.org/x/tools/txtar"
)

// onboardings are what people meet when Pinnace asks for leave.
func onboardings() map[string]Onboarding {
	asks := Onboarding{
		Repository: "acme/config", Base: "main", File: ".pinnace/config.yaml", Edit: "https://github.com/acme/config/edit/pinnace/configure/.pinnace/config.yaml",
		Environments: []OnboardingEnvironment{
			{Name: "dev", Paths: []string{"apps/*/dev/**"}, Images: 4, Unpinned: 4},
			{Name: "staging", Paths: []string{"apps/*/staging/**"}, After: []string{"dev"}, Images: 3, Unpinned: 2},
			{Name: "prod", Paths: []string{"apps/*/prod/**", "edge/values-prod.yaml", "jobs/prod/**", "more/prod/**"}, After: []string{"staging"}, Production: true, Images: 3},
		},
		Apps: []OnboardingApp{
			{Name: "proxy", Images: []string{"docker.io/library/nginx"}, Environments: []string{"dev"}},
			{Name: "shop", Images: []string{"ghcr.io/acme/shop", "ghcr.io/acme/shop-worker"}, Environments: []string{"dev", "staging", "prod"}},
		},
		Images: 7, Unpinned: 5, Files: 12,
		Opens: []OnboardingPull{
			{Branch: "pinnace/pin/dev", Environments: []string{"dev"}, Images: 4, Places: 5, Files: 3},
			{Branch: "pinnace/pin-shared", Environments: []string{"dev", "staging", "prod"}, Images: 1, Places: 1, Files: 1, Left: 2},
		},
		Outside: []Outside{{Path: "tools/job.yaml", Images: 1}},
		Seal:    seal, Version: "0.3.0",
	}
	none := asks
	none.Environments, none.Opens, none.Outside, none.Unpinned = nil, nil, nil, 0
	edited := asks
	edited.Seal, edited.Edited, edited.Besides = "", &Edited{Commit: base, Author: "carol"}, true
	observed := edited
	observed.Observe = true
	broken := Onboarding{Repository: asks.Repository, Base: asks.Base, File: asks.File, Version: asks.Version}
	broken.Edited = &Edited{Commit: base, Author: "carol", Problems: []string{".pinnace/config.yaml:3:1: unknown key \"enviroments\": did you mean environments?", ".pinnace/config.yaml:9:5: nobody is @carol"}}
	missing := broken
	missing.Edited = &Edited{Commit: base, Author: "carol", Missing: true}
	finished := broken
	finished.Edited, finished.Finished = nil, "main holds a configuration"
	return map[string]Onboarding{
		"onboarding": asks, "onboarding-none": none, "onboarding-edited": edited, "onboarding-observed": observed,
		"onboarding-broken": broken, "onboarding-missing": missing, "onboarding-finished": finished,
	}
}

func TestOnboarding(t *testing.T) {
	for name, o := range onboardings() {
		t.Run(name, func(t *testing.T) {
			onboards(t, o)
			golden(t, name, &txtar.Archive{Files: []txtar.File{
				{Name: "title", Data: []byte(o.Title() + "\n")},
				{Name: "body.md", Data: []byte(o.Body())},
				{Name: "commit", Data: []byte(o.Commit(base))},
			}})
		})
	}
}

// onboards holds what asks for leave to the promises of this package.
func onboards(t *testing.T, o Onboarding) {
	t.Helper()
	body, commit := o.Body(), o.Commit(base)
	harmless(t, body)
	if !o.IsIn(body) || !IsBody(body) || !IsTitle(o.Title(), body) || IsFinished(body) != (o.Finished != "") || strings.Count(body, markStart) != 1 {
		t.Errorf("the body is not told from others:\n%.1000s", body)
	}
	other := o
	other.Images++
	if o.Finished == "" && other.IsIn(body) {
		t.Error("the count of images is no part of what the body says")
	}
	if other = o; other.IsIn(other.Body()) {
		other.Version += "x"
		if !other.IsIn(body) {
			t.Error("the version is part of what the body says")
		}
	}
	for line := range strings.Lines(commit) {
		unmeaning(t, strings.TrimSuffix(line, "\n"))
	}
	got := ParseTrailers(commit)
	if len(got[TrailerKind]) != 1 || got[TrailerKind][0] != string(Configure) || len(got[TrailerBase]) != 1 || len(got[TrailerSeal]) > 1 || len(commit) > 1000 {
		t.Errorf("got the trailers %v in %d bytes", got, len(commit))
	}
	if utf8.RuneCountInString(o.Title()) > maxSubject {
		t.Errorf("got the title %q", o.Title())
	}
}

// hostileOnboarding puts one text into every field.
func hostileOnboarding(s string) Onboarding {
	return Onboarding{
		Repository: s, Base: s, File: s, Edit: "x" + s, Version: s, Seal: s, Images: 1, Files: 1,
		Environments: []OnboardingEnvironment{{Name: s, Paths: []string{s, s}, After: []string{s}, Production: true}},
		Apps:         []OnboardingApp{{Name: s, Images: []string{s, s}, Environments: []string{s}}},
		Opens:        []OnboardingPull{{Branch: s, Environments: []string{s, s}, Left: 1}},
		Outside:      []Outside{{Path: s, Images: 1}},
		Edited:       &Edited{Commit: s, Author: s},
	}
}

// FuzzOnboarding: whatever stands in the fields, nothing of it has a meaning on GitHub.
func FuzzOnboarding(f *testing.F) {
	for n, s := range hostiles {
		f.Add(s, hostiles[(n+5)%len(hostiles)], n)
	}
	f.Fuzz(func(t *testing.T, s, u string, n int) {
		o := hostileOnboarding(s)
		o.Apps = append(o.Apps, OnboardingApp{Name: u, Images: []string{s + u}})
		o.Outside = append(o.Outside, Outside{Path: u + s})
		if many := uint(n) % 64; many > 60 {
			o.Environments, o.Apps = slices.Repeat(o.Environments, int(many)), slices.Repeat(o.Apps, int(many))
			o.Opens, o.Outside = slices.Repeat(o.Opens, int(many)), slices.Repeat(o.Outside, int(many))
		}
		onboards(t, o)
		o.Edited.Problems = []string{s, u, s + u}
		onboards(t, o)
		o.Edited = nil
		onboards(t, o)
		o.Finished = u
		onboards(t, o)
	})
}

// The largest repository has a body that GitHub takes, and that says what is missing.
func TestOnboardingOfManyThings(t *testing.T) {
	o := onboardings()["onboarding"]
	for n := range 5000 {
		name := fmt.Sprintf("%s-%d", strings.Repeat("long", 15), n)
		o.Environments = append(o.Environments, OnboardingEnvironment{Name: name, Paths: []string{name + "/**"}, After: []string{name}})
		o.Apps = append(o.Apps, OnboardingApp{Name: name, Images: []string{"ghcr.io/acme/" + name}, Environments: []string{name}})
		o.Opens = append(o.Opens, OnboardingPull{Branch: "pinnace/pin/" + name})
		o.Outside = append(o.Outside, Outside{Path: name})
	}
	onboards(t, o)
	body := o.Body()
	for _, want := range []string{"more environments", "more apps", "more pull requests", "more files", "**To say no**"} {
		if !strings.Contains(body, want) {
			t.Errorf("the largest body does not say %q", want)
		}
	}
}
