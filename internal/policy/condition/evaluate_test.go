package condition

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pinnace-dev/pinnace/internal/image"
	"github.com/pinnace-dev/pinnace/internal/promotion"
)

// TestDocumentedExamples evaluates the examples of
// https://docs.devtron.ai/docs/user-guide/global-configurations/filter-condition, whose names
// and meanings are kept.
func TestDocumentedExamples(t *testing.T) {
	const (
		byRepository = `gitCommitDetails.filter(gitCommitDetail, gitCommitDetail.startsWith('https://github.com/devtron-labs')).map(repo, gitCommitDetails[repo].branch).exists_one(branch, branch.startsWith('hotfix-'))`
		byBranch     = `'hotfix-123' in gitCommitDetails.filter(gitCommitDetail, gitCommitDetail.startsWith('https://github.com/devtron-labs')).map(repo, gitCommitDetails[repo].branch)`
	)
	commits := func(branches ...string) func(*Facts) {
		return func(f *Facts) {
			f.GitCommitDetails = Known(map[string]Commit{"https://github.com/acme/other": {Branch: "hotfix-123"}})
			for i, b := range branches {
				f.GitCommitDetails.Value["https://github.com/devtron-labs/"+string(rune('a'+i))] = Commit{Branch: b}
			}
		}
	}
	ref := func(s string) func(*Facts) { return func(f *Facts) { f.Image.Ref = parse(t, s) } }
	for _, test := range []struct {
		source string
		facts  func(*Facts)
		want   Verdict
	}{
		{byRepository, commits("hotfix-sept-2024", "main"), True},
		{byRepository, commits("main"), False},
		{byRepository, commits("hotfix-1", "hotfix-2"), False},
		{byBranch, commits("hotfix-123"), True},
		{byBranch, commits("hotfix-124"), False},
		{byBranch, func(f *Facts) { f.GitCommitDetails.Known = false }, Indeterminate},
		{`containerImageTag.startsWith("trial") || containerImageTag.endsWith("testing")`, ref("a/b:trial-1"), True},
		{`containerImageTag.startsWith("trial") || containerImageTag.endsWith("testing")`, ref("a/b:x-testing"), True},
		{`containerImageTag.startsWith("trial") || containerImageTag.endsWith("testing")`, ref("a/b:1.0"), False},
		{`containerImageTag > "v0.0.7"`, ref("a/b:v0.0.8"), True},
		{`containerImageTag > "v0.0.7"`, ref("a/b:v0.0.10"), False}, // a text: a warning says so
		{`semver(containerImageTag) > semver("v0.0.7")`, ref("a/b:v0.0.10"), True},
		{`containerImage == "gcr.io/k8s-minikube/kicbase:v0.0.39"`, ref("gcr.io/k8s-minikube/kicbase:v0.0.39@sha256:" + strings.Repeat("a", 64)), True},
		{`containerRepository == "gcr.io/k8s-minikube/kicbase" && containerImageTag == "v0.0.39"`, ref("gcr.io/k8s-minikube/kicbase:v0.0.39"), True},
		{`containerImage.contains("docker.io")`, ref("nginx:1.25"), True}, // no spelling escapes
		{`containerImage == "docker.io/library/nginx" && containerImageTag == ""`, ref("nginx"), True},
		{`"prod" in imageLabels`, func(*Facts) {}, True},
		{`"PROD" in imageLabels`, func(*Facts) {}, False},
		{`true`, func(*Facts) {}, True},
		{`false`, func(*Facts) {}, False},
		{`appName == "shop" && envName == "prod" && isProdEnv`, func(*Facts) {}, True},
	} {
		f := everything(t)
		test.facts(&f)
		if o := compiled(t, test.source).Evaluate(f); o.Verdict != test.want {
			t.Errorf("%s: got %s %s %v, want %s", test.source, o.Verdict, o.Err, o.Missing, test.want)
		}
	}
}

// TestUnknown asks facts of which nothing is known, and facts that lack some.
func TestUnknown(t *testing.T) {
	prod := Facts{Production: Known(true)}
	dev := Facts{Production: Known(false)}
	three := Facts{Images: Known([]Image{{}, {Signatures: Known([]Signature{{Verified: true}})}, {}})}
	for _, test := range []struct {
		name, source string
		facts        Facts
		want         Verdict
		missing      []string
		err          string
	}{
		{"a fact", `appName == "shop"`, Facts{}, Indeterminate, []string{"appName"}, ""},
		{"empty is not unknown", `imageLabels.size() == 0`, Facts{Image: Image{Tags: Known([]string(nil))}}, True, nil, ""},
		{"several", `image.size > 3 && imageLabels.size() == 0`, Facts{}, Indeterminate, []string{"image.size", "imageLabels"}, ""},
		{"absorbed by what follows, in CEL", `isProdEnv && image.signatures.exists(s, s.verified) || true`, prod, Indeterminate, []string{"image.signatures"}, ""},
		{"absorbed by false, in CEL", `image.signatures.size() > 0 && isProdEnv`, dev, Indeterminate, []string{"image.signatures"}, ""},
		{"decided to the left", `isProdEnv && image.signatures.size() > 0`, dev, False, nil, ""},
		{"decided to the left by true", `!isProdEnv || image.signatures.size() > 0`, dev, True, nil, ""},
		{"not decided", `!isProdEnv || image.signatures.size() > 0`, prod, Indeterminate, []string{"image.signatures"}, ""},
		{"an error, absorbed in CEL", `image.labels["a"] == "b" || isProdEnv`, Facts{Production: Known(true), Image: Image{Labels: Known(map[string]string{})}}, Indeterminate, nil, `in image.labels["a"]: no such key: "a"`},
		{"an error after a fact that is missing", `has(image.labels.a) && image.labels["a"] == "b"`, Facts{}, Indeterminate, []string{"image.labels"}, ""},
		{"an error and a missing fact", `int(envName) == 1 && image.size == 1`, Facts{Env: Known("x")}, Indeterminate, []string{"image.size"}, "in int(envName): "},
		{"has() of an unknown field", `has(image.created)`, Facts{}, Indeterminate, []string{"image.created"}, ""},
		{"has() of an empty field", `has(image.labels)`, Facts{Image: Image{Labels: Known(map[string]string{})}}, False, nil, ""},
		{"not has() of an unknown field", `!has(image.signatures)`, Facts{}, Indeterminate, []string{"image.signatures"}, ""},
		{"an optional of an unknown field", `image.?labels.hasValue()`, Facts{}, Indeterminate, []string{"image.labels"}, ""},
		{"a branch not taken", `isProdEnv ? image.size > 3 : true`, dev, True, nil, ""},
		{"a branch taken", `isProdEnv ? image.size > 3 : true`, prod, Indeterminate, []string{"image.size"}, ""},
		{"an unknown choice", `isProdEnv ? true : true`, Facts{}, Indeterminate, []string{"isProdEnv"}, ""},
		{"elements", `images.all(i, i.signatures.size() > 0)`, three, Indeterminate, []string{"images[0].signatures", "images[2].signatures"}, ""},
		{"elements before the one that decides", `images.exists(i, i.signatures.size() > 0)`, three, Indeterminate, []string{"images[0].signatures"}, ""},
		{"elements after the one that decides", `images.slice(1, 3).exists(i, i.signatures.size() > 0)`, three, True, nil, ""},
		{"elements that are counted", `images.filter(i, i.size > 3).size() > 0`, three, Indeterminate, []string{"images[0].size", "images[1].size", "images[2].size"}, ""},
		{"a list of nothing", `images.all(i, i.size > 3)`, Facts{Images: Known([]Image{})}, True, nil, ""},
		{"no image", `containerImageTag == ""`, Facts{}, Indeterminate, []string{"containerImageTag"}, ""},
		{"no tag", `containerImageTag == "" && image.tag == ""`, Facts{Image: Image{Ref: image.Ref{Name: "nginx"}}}, True, nil, ""},
		{"no digest", `image.digest == ""`, Facts{Image: Image{Ref: image.Ref{Name: "nginx"}}}, Indeterminate, []string{"image.digest"}, ""},
		{"a builder", `image.builder.ids.size() == 0`, Facts{}, Indeterminate, []string{"image.builder"}, ""},
		{"a previous image", `image.previous.tag == ""`, Facts{}, Indeterminate, []string{"image.previous"}, ""},
		{"nothing stood there", `image.previous.repository == "" && image.previous.tag == ""`, Facts{Image: Image{Previous: Known(image.Ref{})}}, True, nil, ""},
		{"a requester", `requester.login == "carol"`, Facts{}, Indeterminate, []string{"requester"}, ""},
		{"nobody asked", `requester.login == "" && requester.type == "None" && requester.ids == []`, Facts{Requester: Known(Requester{})}, True, nil, ""},
		{"a time within an element", `approvals.all(a, a.at < now)`, Facts{Approvals: Known([]Approval{{}})}, Indeterminate, []string{"approvals[0].at", "now"}, ""},
		{"now in a function", `age(timestamp("2026-01-01T00:00:00Z")) > duration("1h")`, Facts{}, Indeterminate, []string{"now"}, ""},
		{"signatures in a function", `signedBy(image, "x", "y")`, Facts{}, Indeterminate, []string{"image.signatures"}, ""},
		{"attestations in a function", `hasAttestation(image, "x")`, Facts{}, Indeterminate, []string{"image.attestations"}, ""},
		{"a predicate", `image.attestations.exists(a, a.predicate.x == 1)`, Facts{Image: Image{Attestations: Known([]Attestation{{}})}}, Indeterminate, []string{"image.attestations[0].predicate"}, ""},
		{"a key of a predicate", `image.attestations.exists(a, a.predicate.x == 1)`, Facts{Image: Image{Attestations: Known([]Attestation{{Predicate: Known[any](map[string]any{})}})}}, Indeterminate, nil, "no such key: x"},
		{"a predicate that is no map", `image.attestations.exists(a, a.predicate.x == 1)`, Facts{Image: Image{Attestations: Known([]Attestation{{Predicate: Known[any]("text")}})}}, Indeterminate, nil, "a string has no fields"},
		{"no predicate", `image.attestations.exists(a, a.predicate.x == 1)`, Facts{Image: Image{Attestations: Known([]Attestation{{Predicate: Known[any](nil)}})}}, Indeterminate, nil, "has no fields"},
		{"a list that is too short", `approvals[1].login == "carol"`, Facts{Approvals: Known([]Approval{{}})}, Indeterminate, nil, "no element 1: the list has 1"},
		{"a version that is none", `semver(envName) > semver("1.0.0")`, Facts{Env: Known("prod")}, Indeterminate, nil, `"prod" is no version`},
	} {
		t.Run(test.name, func(t *testing.T) {
			o := compiled(t, test.source).Evaluate(test.facts)
			if o.Verdict != test.want {
				t.Errorf("got %s, want %s", o.Verdict, test.want)
			}
			if diff := cmp.Diff(test.missing, o.Missing); diff != "" {
				t.Errorf("missing (-want +got):\n%s", diff)
			}
			if !strings.Contains(o.Err, test.err) || test.err == "" && o.Err != "" {
				t.Errorf("error %q, want %q", o.Err, test.err)
			}
		})
	}
}

func TestIsMember(t *testing.T) {
	c := compiled(t, `isMember(requester.login, "Acme/Release") && isMember("Dan", "acme/sre")`)
	f := Facts{Requester: Known(Requester{People: []promotion.Identity{{ID: 1, Login: "Carol"}}})}
	o := c.Evaluate(f)
	want := []Membership{{"carol", "acme/release"}, {"dan", "acme/sre"}}
	if diff := cmp.Diff(want, o.Asked); diff != "" || o.Verdict != Indeterminate {
		t.Errorf("got %s, asked (-want +got):\n%s", o.Verdict, diff)
	}
	if diff := cmp.Diff([]string{`isMember("carol", "acme/release")`, `isMember("dan", "acme/sre")`}, o.Missing); diff != "" {
		t.Errorf("missing (-want +got):\n%s", diff)
	}
	f.Members = map[Membership]bool{MembershipOf("CAROL", "acme/release"): true, MembershipOf("dan", "acme/sre"): false}
	if o := c.Evaluate(f); o.Verdict != False || o.Asked != nil {
		t.Errorf("got %s, asked %v", o.Verdict, o.Asked)
	}
	f.Requester = Known(Requester{})
	f.Members = nil
	if o := compiled(t, `isMember(requester.login, "acme/release")`).Evaluate(f); o.Verdict != False {
		t.Errorf("nobody is a member: got %s", o.Verdict)
	}
}

func TestFunctions(t *testing.T) {
	f := everything(t)
	for source, want := range map[string]Verdict{
		`signedBy(image, "https://github.com/acme/.*", "https://token.actions.githubusercontent.com")`:               True,
		`signedBy(image, "https://github.com/acme/", "https://token.actions.githubusercontent.com")`:                 False, // the whole identity
		`signedBy(image, "acme|https://.*", "https://token.actions.githubusercontent.com")`:                          True,
		`signedBy(image, ".*", "https://evil.example")`:                                                              False, // not verified
		`hasAttestation(image, "https://slsa.dev/provenance/v1")`:                                                    True,
		`hasAttestation(image, "https://slsa.dev/provenance/v0.2")`:                                                  False,
		`glob("envs/prod/shop.yaml", "envs/**") && !glob("envs/prod/shop.yaml", "envs/*")`:                           True,
		`glob(image.repository, "ghcr.io/{acme,corp}/*")`:                                                            True,
		`inSemverRange("latest", ">=0.0.0")`:                                                                         False,
		`inSemverRange("1.2.3-rc.1", "^1.2.0") || !inSemverRange("1.2.3-rc.1", ">=1.2.0-0")`:                         False,
		`inSemverRange(semver("v1.2.3"), "~1.2")`:                                                                    True,
		`semver("1.2.3") == semver("v1.2.3") && semver("1.2.3-rc.1") < semver("1.2.3")`:                              True,
		`semver("1.10.0") > semver("1.9.0") && semver("2.0.0") >= semver("2.0.0+b")`:                                 True,
		`semver("3.4.5").major() == 3 && semver("3.4.5").minor() == 4 && semver("3.4.5").patch() == 5`:               True,
		`semver("v1.4", true) == semver("1.4.0") && isSemver("1.4", true) && !isSemver("1.4")`:                       True,
		`semver("2026.01.02", true) == semver("2026.1.2") && !isSemver("20260102")`:                                  True,
		`age(image.created) == duration("48h") && now - image.created == age(image.created)`:                         True,
		`now.getHours("Europe/Berlin") == 18 && now.getHours("+02:00") == 19 && now.getHours() == 17`:                True,
		`now.getDayOfWeek("Pacific/Kiritimati") == 5 && now.getDayOfWeek() == 4`:                                     True,
		`timestamp("2026-07-01T10:00:00Z").getHours("Europe/Berlin") == 12`:                                          True, // daylight saving
		`"abc".matches("b") && !"abc".matches("^b$")`:                                                                True,
		`[3, 1, 2].sort() == [1, 2, 3] && ["bb", "a"].sortBy(x, x.size()) == ["a", "bb"]`:                            True,
		`{"b": 1, "a": 2}.map(k, k) == ["a", "b"]`:                                                                   True, // in order
		`image.labels.?team.orValue("") == "payments" && image.labels[?"x"].or(optional.of("y")) != optional.none()`: True,
		`optional.of(2).optMap(x, x + envName.size()).value() == 6`:                                                  True,
		`[?optional.of(1), ?optional.none()].size() == 1 && {?"a": optional.of(envName)}.size() == 1`:                True,
		`requester.login == "alice" && requester.ids == [4, 5] && requester.type == "User"`:                          True,
		`image.attestations.exists(a, a.predicate.scanner.critical == 0)`:                                            True,
		`type(envName) == string && image.size == 1234`:                                                              True,
		`images.exists_one(i, i.repository.endsWith("/shop")) && images.map(i, i.tag).distinct().size() == 1`:        True,
		`images.exists(image, image.repository.endsWith("-worker")) && .image.repository.endsWith("/shop")`:          True, // shadowed
		`[1, 2].map(x, [3].map(y, x * y)) == [[3], [6]]`:                                                             True,
		`source.soak > duration("24h") && "smoke" in source.checks`:                                                  True,
		`1 / 0 == 1`: Indeterminate,
	} {
		c, problems := Compile(source)
		if c == nil {
			if want != Indeterminate {
				t.Errorf("%s: %s", source, spelled(problems))
			}
			continue
		}
		if o := c.Evaluate(f); o.Verdict != want {
			t.Errorf("%s: got %s %s %v, want %s", source, o.Verdict, o.Err, o.Missing, want)
		}
	}
}

func TestSteps(t *testing.T) {
	f := everything(t)
	f.Target.Health = Fact[string]{}
	for _, test := range []struct {
		source string
		want   []Step
	}{
		{`isProdEnv && containerImageTag != "latest" && appName == "x"`, []Step{
			{"isProdEnv", "true", 0},
			{"containerImageTag", `"v1.10.0"`, 13},
			{`containerImageTag != "latest"`, "true", 13},
			{"appName", `"shop"`, 46},
			{`appName == "x"`, "false", 46},
			{`isProdEnv && containerImageTag != "latest" && appName == "x"`, "false", 0},
		}},
		{`!isProdEnv && image.size > 3`, []Step{
			{"isProdEnv", "true", 1},
			{"!isProdEnv", "false", 0},
			{"!isProdEnv && image.size > 3", "false", 0},
		}},
		{`target.health == image.labels["x"]`, []Step{
			{"target.health", "unknown", 0},
			{"image.labels", `{"org.opencontainers.image.revision": "c0ffee", "team": "payments"}`, 17},
			{`image.labels["x"]`, `error: no such key: "x"`, 17},
			{`target.health == image.labels["x"]`, `error: in image.labels["x"]: no such key: "x"`, 0},
		}},
		{"images.all(i,\n  i.repository == \"ghcr.io/acme/shop\")", []Step{
			{"images", "[images[0], images[1]]", 0},
			{`i.repository == "ghcr.io/acme/shop", where i is images[1]`, "false", 0},
			{`images.all(i, i.repository == "ghcr.io/acme/shop")`, "false", 0},
		}},
		{`semver(image.tag) >= semver("1.0.0")`, []Step{
			{"image.tag", `"v1.10.0"`, 7},
			{"semver(image.tag)", "1.10.0", 0},
			{`semver(image.tag) >= semver("1.0.0")`, "true", 0},
		}},
	} {
		if diff := cmp.Diff(test.want, compiled(t, test.source).Evaluate(f).Steps); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.source, diff)
		}
	}
}

// TestStepsAreBounded evaluates facts that are large.
func TestStepsAreBounded(t *testing.T) {
	f := everything(t)
	f.Image.Labels = Known(map[string]string{})
	for i := range 2000 {
		f.Image.Labels.Value[strings.Repeat("k", i)] = strings.Repeat("ü", 1000)
	}
	f.Image.Tags = Known(make([]string, 5000))
	o := compiled(t, `image.labels.size() == 2000 && imageLabels.size() == 5000 && image.labels["k"] != ""`+strings.Repeat(` && imageLabels.exists(t, t == "")`, 12)+
		strings.Repeat(` && (envName + "x").size() > 0`, 100)).Evaluate(f)
	if o.Verdict != True || len(o.Steps) > maxSteps {
		t.Errorf("got %s %s, %d steps", o.Verdict, o.Err, len(o.Steps))
	}
	if last := o.Steps[len(o.Steps)-1]; !strings.HasPrefix(last.Source, "image.labels.size() == 2000 && ") || last.Value != "true" {
		t.Errorf("the last step is not of the whole: %q = %q", last.Source, last.Value)
	}
	for _, s := range o.Steps {
		if len(s.Source) > 2*maxStepSource || len(s.Value) > 2*maxShown || strings.Contains(s.Value, "\n") {
			t.Errorf("step %q = %q", s.Source, s.Value)
		}
	}
}

// TestSame evaluates twice what reads maps, whose order Go does not keep.
func TestSame(t *testing.T) {
	f := everything(t)
	f.Image.Labels = Known(map[string]string{"a": "1", "b": "x", "c": "y", "d": "2"})
	for _, source := range []string{
		`image.labels.exists(k, int(image.labels[k]) > 1)`, `image.labels.map(k, k) == ["a", "b", "c", "d"]`, `image.labels.all(k, int(image.labels[k]) > 0)`,
	} {
		c := compiled(t, source)
		want := c.Evaluate(f)
		for range 20 {
			if diff := cmp.Diff(want, c.Evaluate(f)); diff != "" {
				t.Fatalf("%s: twice (-first +second):\n%s", source, diff)
			}
		}
	}
}

func TestKindOfChange(t *testing.T) {
	for _, test := range []struct {
		before, after string
		want          ChangeKind
	}{
		{"acme/shop:1.0.0", "acme/shop:2.0.0", ChangeMajor},
		{"acme/shop:v1.0.0", "acme/shop:1.1.0", ChangeMinor},
		{"acme/shop:1.1.1", "acme/shop:1.1.0", ChangePatch},
		{"acme/shop:1.1.1-rc.1", "acme/shop:1.1.1", ChangePatch},
		{"acme/shop:2.0.0", "acme/shop:1.0.0", ChangeMajor},
		{"acme/shop:main", "docker.io/acme/shop:main", ChangeDigest},
		{"acme/shop", "acme/shop", ChangeDigest},
		{"acme/shop:main", "acme/shop:1.0.0", ChangeUnknown},
		{"acme/shop:1.0.0", "acme/shop:main", ChangeUnknown},
		{"acme/shop:1.4", "acme/shop:1.5", ChangeUnknown},
		{"acme/shop:1.0.0", "acme/other:1.0.0", ChangeUnknown},
	} {
		if got := KindOfChange(parse(t, test.before), parse(t, test.after)); got != test.want {
			t.Errorf("KindOfChange(%s, %s) = %s, want %s", test.before, test.after, got, test.want)
		}
	}
	if got := KindOfChange(image.Ref{}, image.Ref{}); got != ChangeUnknown {
		t.Errorf("of nothing: got %s", got)
	}
}

// TestConcurrent evaluates one condition from several places; the race detector judges.
func TestConcurrent(t *testing.T) {
	c := compiled(t, `images.all(i, i.tag.matches("^v[0-9.]+$") && signedBy(i, "https://.*", "https://token.actions.githubusercontent.com"))`)
	f := everything(t)
	verdicts := make(chan Verdict, 4)
	for range cap(verdicts) {
		go func() {
			compiled(t, `envName == "prod"`)
			verdicts <- c.Evaluate(f).Verdict
		}()
	}
	for range cap(verdicts) {
		if v := <-verdicts; v != True {
			t.Errorf("got %s", v)
		}
	}
	if f.Now.Value.Location() != time.UTC {
		t.Error("facts changed")
	}
}

// TestSubject asks several conditions of one subject: each comes to what it comes to alone.
func TestSubject(t *testing.T) {
	f := everything(t)
	f.Image.Labels = Fact[map[string]string]{}
	s := About(&f)
	for _, source := range []string{
		`isSemver(containerImageTag)`, `isSemver(containerImageTag) && "wip" in imageLabels`, `image.labels["a"] == "b"`,
		`imageLabels.exists(t, t == "prod")`, `approvals.map(a, a.login) == ["carol", "dan"]`, `approvals[7].login == "carol"`,
		`isMember("nobody", "acme/release")`, `image.labels.size() > 0 || !isProdEnv`,
	} {
		c := compiled(t, source)
		want := c.Evaluate(f)
		for range 2 {
			if got := c.Verdict(s); got != want.Verdict {
				t.Errorf("%s: got %s, want %s", source, got, want.Verdict)
			}
			if diff := cmp.Diff(want, c.Explain(s)); diff != "" {
				t.Errorf("%s (-alone +together):\n%s", source, diff)
			}
		}
	}
}
