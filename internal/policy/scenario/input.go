package scenario

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/pinnace-dev/pinnace/internal/config"
	"github.com/pinnace-dev/pinnace/internal/image"
	"github.com/pinnace-dev/pinnace/internal/policy"
	"github.com/pinnace-dev/pinnace/internal/policy/approval"
	"github.com/pinnace-dev/pinnace/internal/policy/condition"
	"github.com/pinnace-dev/pinnace/internal/promotion"
)

// What holds where a case does not say.
const (
	defaultRequester = "alice"
	defaultTag       = "1.1.0"
	defaultPrevious  = "1.0.0"
	defaultSince     = 48 * time.Hour
	defaultReview    = -time.Hour
	defaultAct       = -5 * time.Minute
	defaultSize      = 50_000_000

	registry    = "registry"
	currentSeal = "current"
	head        = "head"
	pullRequest = 12
	githubOIDC  = "https://token.actions.githubusercontent.com"
	sourceRef   = "refs/heads/main"
)

// DefaultNow is when a case is judged that does not say: a Wednesday.
var DefaultNow = time.Date(2026, 11, 18, 10, 0, 0, 0, time.UTC)

var defaultPlatforms = []string{"linux/amd64", "linux/arm64"}

// A stage is one case in its world, on its way to an Input.
type stage struct {
	c        *Case
	config   *config.Config
	set      *policy.Set
	cast     *cast
	env      policy.Env
	settings config.Environment
	kind     promotion.Kind
	from     string   // "": the registry
	before   []string // environments that come before env, nearest first
	base     time.Time
	now      time.Time
	problems policy.Problems
}

func (s *stage) report(key, format string, args ...any) {
	at, written := s.c.at[key]
	message := key + ": " + fmt.Sprintf(format, args...)
	if !written {
		at = place{s.c.Line, 1}
	}
	p := policy.Problem{File: s.c.File, Line: at.line, Column: at.column, Message: message}
	if s.c.Line == 0 {
		p.Line, p.Column = 0, 0
	}
	s.problems = append(s.problems, p)
}

// Input returns the facts of a case, to be judged by a set that was loaded for the world of
// a configuration. The error is a policy.Problems.
func (c Case) Input(cfg *config.Config, set *policy.Set) (policy.Input, error) {
	s := &stage{c: &c, config: cfg, set: set, kind: c.Kind}
	if s.kind == "" {
		s.kind = promotion.Promotion
	}
	s.times()
	if !s.places() {
		return policy.Input{}, s.problems
	}
	s.cast = newCast(&c, set)
	in := policy.Input{
		Now: s.now, Set: set, Floor: policy.FloorNone, Kind: s.kind, Env: s.env.Name,
		Checks: policy.Checks{Config: s.check("config"), Pins: s.check("pins")},
		Fork:   c.Fork, Cancelled: c.Cancelled, Draft: c.Draft,
		Soak:        time.Duration(s.settings.Soak),
		PullRequest: pullRequest, Heads: map[string]string{head: currentSeal},
		People: s.cast.people(), Authors: s.cast.identities(c.Authors), Members: s.cast.members(),
		Deploy: policy.Deploy{Mode: policy.DeployMode(s.settings.Deploy)},
	}
	in.Rollback = policy.RollbackFacts{Stood: is(c.Stood), Verified: is(c.Verified)}
	in.Changes = s.changes()
	s.reviews(&in)
	s.request(&in)
	in.Seal = policy.Seal{Hash: currentSeal, At: in.Request.At, Intact: is(c.Sealed)}
	if in.Seal.Intact == approval.No && len(in.Changes) > 0 {
		in.Seal.Where = in.Changes[0].Path
	}
	in.Sources = s.sources(in.Changes)
	in.Target = s.target(in.Changes)
	for _, o := range c.Opaque {
		if o.Path == "" {
			o.Path = s.file("kustomization")
		}
		in.Opaque = append(in.Opaque, policy.Opaque{Path: o.Path, What: o.What, Missing: o.Missing, Line: 1})
	}
	for _, a := range c.Deploy {
		in.Deploy.Asks = append(in.Deploy.Asks, policy.DeployAsk{By: s.cast.identity(a.By), At: s.when(a.At, defaultAct), Edited: a.Edited})
	}
	for _, a := range c.BreakGlass {
		in.Emergency = append(in.Emergency, policy.BreakGlass{By: s.cast.identity(a.By), At: s.when(a.At, defaultAct), Reason: a.Reason, Edited: a.Edited, Seal: seal(a.Seal)})
	}
	if h := c.Hold; h != nil {
		in.Hold = &policy.Hold{By: s.cast.identity(h.By), Since: s.when(h.At, defaultAct), What: h.Reason}
	}
	for _, name := range c.Unknown {
		forget[name](&in)
	}
	if len(s.problems) > 0 {
		return policy.Input{}, s.problems
	}
	return in, nil
}

// is is yes where nothing is stated.
func is(b *bool) policy.Answer { return policy.Is(b == nil || *b) }

// times sets what the facts are relative to, and when they are judged. Where the case states
// no time, the facts move with the time that is asked.
func (s *stage) times() {
	s.base = s.c.Now
	if s.base.IsZero() {
		s.base = DefaultNow
		if !s.c.At.IsZero() {
			s.base = s.c.At
		}
	}
	s.now = s.base
	if !s.c.At.IsZero() {
		s.now = s.c.At
	}
}

func (s *stage) when(t *Time, byDefault time.Duration) time.Time {
	if t == nil {
		return s.base.Add(byDefault)
	}
	return t.of(s.base)
}

func (s *stage) check(name string) policy.Answer {
	switch s.c.Checks[name] {
	case unknown:
		return approval.Unknown
	case "failure":
		return approval.No
	}
	return approval.Yes
}

// places finds the environments of the case.
func (s *stage) places() bool {
	var names []string
	for _, e := range s.set.World.Environments {
		names = append(names, e.Name)
	}
	if len(names) == 0 {
		s.report("env", "no environment is configured: pinnace config init writes .pinnace/config.yaml")
		return false
	}
	known := func(key, name string) bool {
		if slices.Contains(names, name) {
			return true
		}
		s.report(key, "unknown environment %q%s", name, hint(name, names))
		return false
	}
	env := s.c.Env
	if env == "" {
		env = names[len(names)-1]
	}
	if !known("env", env) {
		return false
	}
	s.env = s.set.World.Environments[slices.Index(names, env)]
	s.settings, _ = s.config.Environment(env)
	s.before = s.preceding(s.env)
	switch s.c.From {
	case registry:
	case "":
		if len(s.before) > 0 {
			s.from = s.before[0]
		}
	default:
		if !known("from", s.c.From) {
			return false
		}
		s.from = s.c.From
	}
	for _, name := range s.c.Skipped {
		if !known("skipped", name) {
			return false
		}
	}
	return true
}

// preceding returns the environments before another, nearest first.
func (s *stage) preceding(e policy.Env) []string {
	var all []string
	next := slices.Concat(e.After, e.AfterAny)
	for len(next) > 0 {
		name := next[0]
		next = next[1:]
		if slices.Contains(all, name) {
			continue
		}
		all = append(all, name)
		for _, other := range s.set.World.Environments {
			if other.Name == name {
				next = slices.Concat(next, other.After, other.AfterAny)
			}
		}
	}
	return all
}

// skipped are the environments between from and env.
func (s *stage) skipped() []string {
	if s.c.Skipped != nil {
		return s.c.Skipped
	}
	if slices.Contains(slices.Concat(s.env.After, s.env.AfterAny), s.from) {
		return nil
	}
	keep := map[string]bool{}
	for _, e := range s.set.World.Environments {
		if e.Name == s.from {
			keep[s.from] = true
			for _, b := range s.preceding(e) {
				keep[b] = true
			}
		}
	}
	var all []string
	for _, name := range slices.Backward(s.before) {
		if !keep[name] {
			all = append(all, name)
		}
	}
	return all
}

// file returns a path in the environment.
func (s *stage) file(name string) string {
	dir := "envs/" + s.env.Name
	if len(s.env.Paths) > 0 {
		dir, _, _ = strings.Cut(s.env.Paths[0], "*")
		dir = strings.TrimSuffix(dir, "/")
		if strings.HasSuffix(dir, ".yaml") || strings.HasSuffix(dir, ".yml") {
			return dir
		}
	}
	return path.Join(dir, path.Base(name)+".yaml")
}

// digest makes one up.
func digest(text string) image.Digest {
	sum := sha256.Sum256([]byte(text))
	return image.Digest("sha256:" + hex.EncodeToString(sum[:]))
}

// appOf returns the app of an image.
func (s *stage) appOf(ref image.Ref) policy.App {
	repository := ref.Repository()
	for _, a := range s.set.World.Apps {
		if slices.Contains(a.Images, repository) {
			return a
		}
	}
	return policy.App{Name: path.Base(repository), Images: []string{repository}}
}

// app returns the app of an image of the case, and the image where none is stated.
func (s *stage) app(i *Image) (policy.App, image.Ref, bool) {
	text := i.Text
	if text == none {
		text = i.Previous
	}
	if text != "" && text != none {
		ref, err := image.Parse(text)
		if err != nil {
			s.report("image", "%s", err)
			return policy.App{}, image.Ref{}, false
		}
		app := s.appOf(ref)
		if s.c.App != "" && !s.c.Bundle {
			if x := slices.IndexFunc(s.set.World.Apps, func(a policy.App) bool { return a.Name == s.c.App }); x >= 0 {
				app = s.set.World.Apps[x]
			} else {
				app.Name = s.c.App
			}
		}
		return app, ref, true
	}
	var names []string
	for _, a := range s.set.World.Apps {
		names = append(names, a.Name)
		if (s.c.App == "" || s.c.App == a.Name) && len(a.Images) > 0 {
			ref, err := image.Parse(a.Images[0])
			ref.Tag = defaultTag
			return a, ref, err == nil
		}
	}
	if s.c.App == "" {
		s.report("image", "no app is configured: write the image")
	} else {
		s.report("app", "unknown app %q%s; or write its image", s.c.App, hint(s.c.App, names))
	}
	return policy.App{}, image.Ref{}, false
}

// changes returns a change for each image and file.
func (s *stage) changes() []policy.Change {
	images := s.c.Images
	if len(images) == 0 {
		images = []Image{{}}
	}
	var all []policy.Change
	for n := range images {
		i := &images[n]
		app, ref, ok := s.app(i)
		if !ok {
			continue
		}
		c := s.change(i, app, ref)
		files := s.c.Files
		if i.Path != "" {
			files = []string{i.Path}
		}
		if len(files) == 0 {
			files = []string{s.file(app.Name)}
		}
		for _, f := range files {
			c.Path = f
			c.Pointer = fmt.Sprintf("/spec/template/spec/containers/%d/image", n)
			c.Line = 10 + n
			all = append(all, c)
		}
	}
	return all
}

func (s *stage) change(i *Image, app policy.App, ref image.Ref) policy.Change {
	c := policy.Change{NewApp: app.Name, Exists: is(s.c.Exists), Stands: policy.Known(s.stands())}
	if c.Object = i.Object; c.Object == "" {
		c.Object = "Deployment " + path.Base(app.Name)
	}
	c.New = ref
	if c.New.Digest == "" {
		c.New.Digest = digest(ref.String())
	}
	switch i.Previous {
	case none:
	case "":
		c.Old = image.Ref{Name: ref.Name, Tag: defaultPrevious}
		if s.kind == promotion.Pin {
			c.Old.Tag = ref.Tag
		}
	default:
		c.Old, _ = image.Parse(i.Previous) // the reader parsed it
	}
	sameTag := c.Old.Tagged() == c.New.Tagged() && (s.kind == promotion.Pin || s.kind == promotion.ByHand)
	if c.Old.Name != "" && c.Old.Digest == "" && !sameTag {
		c.Old.Digest = digest("previous " + c.Old.String())
	}
	if c.Old.Name != "" {
		c.OldApp = app.Name
		if s.c.App == "" {
			c.OldApp = s.appOf(c.Old).Name
		}
	}
	if i.Text == none {
		c.New, c.NewApp = image.Ref{}, ""
		return c
	}
	c.TagNow, c.TagStands = policy.Known(c.New.Digest), is(&i.TagStands)
	switch i.TagNow {
	case "":
	case other:
		c.TagNow.Value = digest("another image")
	default:
		c.TagNow.Value = image.Digest(i.TagNow)
	}
	s.facts(&c, i, app)
	return c
}

// facts fills in what is known of the new image.
func (s *stage) facts(c *policy.Change, i *Image, app policy.App) {
	m := &c.Image
	m.Ref = c.New
	m.Labels, m.Annotations = policy.Known(i.Labels), policy.Known(i.Annotations)
	m.Tags, m.Platforms = policy.Known(i.Tags), policy.Known(i.Platforms)
	if i.Tags == nil && c.New.Tag != "" {
		m.Tags.Value = []string{c.New.Tag}
	}
	m.Tags.Value = slices.Concat(m.Tags.Value, i.MoreTags)
	if i.Platforms == nil {
		m.Platforms.Value = slices.Clone(defaultPlatforms)
	}
	m.Size = policy.Known(int64(defaultSize))
	if i.Size != nil {
		m.Size.Value = *i.Size
	}
	m.Created = policy.Known(s.when(i.Created, -s.since()-24*time.Hour))
	repo := address(app.Source)
	if repo == "" {
		repo = "https://github.com/" + strings.TrimPrefix(strings.TrimPrefix(c.New.Repository(), c.New.Registry()), "/")
	}
	const release = "/.github/workflows/release.yml"
	workflow := repo + release + "@" + sourceRef
	m.Signatures = policy.Known(i.Signatures)
	if i.Signatures == nil {
		m.Signatures.Value = []condition.Signature{{Verified: true, Keyless: true, Identity: workflow, Issuer: githubOIDC, Integrated: m.Created}}
	}
	m.Attestations = policy.Known(i.Attestations)
	p := condition.Provenance{
		Verified: true, BuilderID: workflow, BuildType: "https://actions.github.io/buildtypes/workflow/v1",
		SourceRepo: repo, SourceRef: sourceRef, SourceDigest: string(digest(repo))[len("sha256:"):][:40],
		Workflow: workflow, InvocationID: repo + "/actions/runs/1/attempts/1", Event: "push", Started: m.Created,
	}
	switch {
	case i.NoProvenance:
		p = condition.Provenance{}
	case i.Provenance != nil:
		p = over(*i.Provenance, p)
	}
	m.Provenance = policy.Known(p)
	if i.Builder != nil && !i.Builder.Unknown {
		m.Builder = policy.Known(condition.Builder{Users: s.cast.identities(i.Builder.Logins), Workflow: p.Workflow})
	}
	switch {
	case i.Commits != nil:
		c.Commits = policy.Known(i.Commits)
	case p.Verified && p.SourceRepo != "":
		c.Commits = policy.Known(map[string]condition.Commit{p.SourceRepo: {Branch: strings.TrimPrefix(p.SourceRef, "refs/heads/"), SHA: p.SourceDigest}})
	}
}

// over returns what is stated of a provenance, and what is not from another.
func over(stated, other condition.Provenance) condition.Provenance {
	for _, x := range []struct{ to, from *string }{
		{&stated.BuilderID, &other.BuilderID},
		{&stated.BuildType, &other.BuildType},
		{&stated.SourceRepo, &other.SourceRepo},
		{&stated.SourceRef, &other.SourceRef},
		{&stated.SourceDigest, &other.SourceDigest},
		{&stated.Workflow, &other.Workflow},
		{&stated.InvocationID, &other.InvocationID},
		{&stated.Event, &other.Event},
	} {
		if *x.to == "" {
			*x.to = *x.from
		}
	}
	if !stated.Started.Known {
		stated.Started = other.Started
	}
	return stated
}

func (s *stage) since() time.Duration {
	if s.c.Since != nil {
		return *s.c.Since
	}
	return defaultSince
}

// stands returns where the new images stand: in from and before it, and for a sequential
// promotion in all environments that must come before.
func (s *stage) stands() []string {
	if s.c.Current != nil && !*s.c.Current || s.from == "" {
		return nil
	}
	skipped := s.skipped()
	var all []string
	for _, name := range s.before {
		if !slices.Contains(skipped, name) {
			all = append(all, name)
		}
	}
	if !slices.Contains(all, s.from) {
		all = append(all, s.from)
	}
	return all
}

// reviews adds the reviews, and the dismissals of some.
func (s *stage) reviews(in *policy.Input) {
	add := func(all []Review, state promotion.ReviewState) {
		for _, r := range all {
			id := int64(len(in.Reviews) + 1)
			review := approval.Review{
				Review: promotion.Review{ID: id, Author: s.cast.identity(r.By), State: state, Commit: head, Submitted: s.when(r.At, defaultReview)},
				As:     state, PullRequest: pullRequest, SubmittedCommit: head, SealAt: seal(r.Seal), HadStanding: s.cast.standing(r.By),
			}
			if r.Seal != "" {
				review.SubmittedCommit, review.Commit = "other-head", "other-head"
			}
			if r.Dismissed != "" {
				review.State = promotion.Dismissed
				in.Moments = append(in.Moments, promotion.Moment{Event: "review_dismissed", At: review.Submitted, Actor: s.cast.identity(r.Dismissed), Review: id, Was: state})
			}
			in.Reviews = append(in.Reviews, review)
		}
	}
	add(s.c.Approvals, promotion.Approved)
	add(s.c.Vetoes, promotion.ChangesRequested)
}

// seal returns the seal that a case means.
func seal(s string) string {
	switch s {
	case "":
		return currentSeal
	case unknown:
		return ""
	}
	return s
}

// request says who asked, an hour before the first review where the case does not say.
func (s *stage) request(in *policy.Input) {
	r := &in.Request
	r.ID, r.Auto, r.Reason, r.Labels = "request", s.c.Auto, s.c.Reason, policy.Known(s.c.PRLabels)
	first := s.base.Add(defaultReview)
	for _, v := range in.Reviews {
		if v.Submitted.Before(first) {
			first = v.Submitted
		}
	}
	r.At = s.when(s.c.Requested, first.Add(-time.Hour).Sub(s.base))
	asks := s.kind != promotion.Pin && s.kind != promotion.Update
	who := s.c.Requester
	if who == nil {
		who = &People{}
		if asks {
			who.Logins = []string{defaultRequester}
		}
	}
	r.By, r.Unknown, r.Teams = s.cast.identities(who.Logins), who.Unknown, policy.Known[[]string](nil)
	if n := len(who.Logins); n > 0 {
		r.Teams = s.cast.teamsOf(who.Logins[n-1])
	}
	r.Bot = len(r.By) > 0 && !slices.ContainsFunc(r.By, func(i promotion.Identity) bool {
		return !i.Bot && !in.People[i.ID].ServiceAccount
	})
	if s.kind == promotion.Promotion {
		r.From, r.Skipped = s.from, s.skipped()
	}
}

// sources returns what is known of each app in the environments before.
func (s *stage) sources(changes []policy.Change) []policy.Source {
	var all []policy.Source
	since := s.base.Add(-s.since())
	used := map[string]bool{}
	var names []string
	for _, e := range s.config.Environments {
		if e.Name == s.env.Name || e.Name != s.from && !slices.Contains(s.before, e.Name) {
			continue
		}
		for _, c := range changes {
			if slices.ContainsFunc(all, func(x policy.Source) bool { return x.Env == e.Name && x.App == c.NewApp }) {
				continue
			}
			checks, green := map[string]string{}, true
			source := policy.Source{Env: e.Name, App: c.NewApp, Since: policy.Known(since)}
			for _, g := range e.Gates {
				what := nameOf(g)
				names, used[what] = append(names, what), true
				state := s.c.Gates[what]
				if state == "" {
					state = "success"
				}
				source.Gates = append(source.Gates, s.gate(g, what, state, since))
				checks[what], green = state, green && state == "success"
			}
			source.Place = condition.Place{
				Env: policy.Known(e.Name), Since: policy.Known(since),
				Soak: policy.Known(s.now.Sub(since)), LongestSoak: policy.Known(s.now.Sub(since)),
				Verified: policy.Known(green), VerifiedAt: policy.Known(since), Checks: policy.Known(checks), Health: policy.Known("success"),
				PreviousDigests: policy.Known[[]string](nil),
			}
			if is(s.c.Current) == approval.Yes {
				source.Place.Current = policy.Known(c.New.Digest)
			} else {
				source.Place.Current = policy.Known(digest("another image"))
			}
			all = append(all, source)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(s.c.Gates)) {
		if !used[name] {
			if len(names) == 0 {
				s.report("gates", "unknown gate %q: no environment before %s has a gate in the configuration", name, s.env.Name)
				continue
			}
			slices.Sort(names)
			s.report("gates", "unknown gate %q%s", name, hint(name, slices.Compact(names)))
		}
	}
	return all
}

// nameOf spells a gate as explanations do.
func nameOf(g config.Gate) string {
	switch {
	case g.Deployment != "":
		return "deployment " + g.Deployment
	case g.CheckRun != "":
		return "check run " + g.CheckRun
	}
	return "commit status " + g.CommitStatus
}

func (s *stage) gate(g config.Gate, what, state string, since time.Time) policy.Gate {
	gate := policy.Gate{What: what, App: g.App}
	switch state {
	case "success", "failure":
		gate.Verdicts = policy.Known([]policy.Verdict{{App: g.App, State: state, At: since}})
	case "pending":
		gate.Verdicts = policy.Known[[]policy.Verdict](nil)
	case unknown:
	default:
		s.report("gates", "unknown value %q of %s%s", state, what, hint(state, []string{"success", "failure", "pending", unknown}))
	}
	return gate
}

// target returns what is known of each app in the environment itself.
func (s *stage) target(changes []policy.Change) map[string]condition.Place {
	all := map[string]condition.Place{}
	for _, c := range changes {
		since := s.base.Add(-30 * 24 * time.Hour)
		p := condition.Place{
			Env: policy.Known(s.env.Name), Current: policy.Known(c.Old.Digest), Since: policy.Known(since),
			Soak: policy.Known(s.now.Sub(since)), LongestSoak: policy.Known(s.now.Sub(since)),
			Verified: policy.Known(true), VerifiedAt: policy.Known(since), Checks: policy.Known(map[string]string{}), Health: policy.Known("success"),
			PreviousDigests: policy.Known[[]string](nil),
		}
		if s.kind == promotion.Rollback && is(s.c.Stood) == approval.Yes {
			p.PreviousDigests.Value = []string{string(c.New.Digest)}
		}
		all[c.NewApp] = p
	}
	return all
}
