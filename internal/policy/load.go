package policy

import (
	"fmt"
	"slices"
	"strings"

	"github.com/pinnace-dev/pinnace/internal/document"
)

// What a set may hold at most, so that one decision stays cheap.
const (
	maxDocuments = 500
	maxSelectors = 2000 // of one policy
)

// Load reads documents. It returns all problems; the Set is nil where one of them is an error.
func Load(docs []Document, world World) (*Set, Problems) {
	l := loader{set: &Set{World: world}, first: map[[2]string]Origin{}}
	if len(docs) > maxDocuments {
		d := docs[maxDocuments]
		return nil, Problems{{File: d.File, Line: max(d.Line, 1), Column: 1, Message: fmt.Sprintf("more than %d policy documents: join some", maxDocuments)}}
	}
	readers := map[string]*reader{}
	for _, d := range docs {
		r := readers[d.File]
		if r == nil {
			r = &reader{document.Reader{File: d.File}}
			readers[d.File] = r
		}
		if p, ok := r.parse(d); ok {
			l.load(r, p)
		}
		l.problems = append(l.problems, r.Problems...)
		r.Problems = nil
	}
	l.bind()
	l.checkBound()
	if !l.problems.HasErrors() {
		l.checkLeave()
	}
	problems := l.problems.Tidy()
	if problems.HasErrors() {
		return nil, problems
	}
	return l.set, problems
}

type loader struct {
	set      *Set
	bindings []*binding
	first    map[[2]string]Origin // by kind and name
	problems Problems
}

// problem is a mistake at a JSON pointer of a document.
func (l *loader) problem(o Origin, severity Severity, pointer, format string, args ...any) {
	message := fmt.Sprintf(format, args...)
	if name := document.Dotted(pointer); name != "" {
		message = name + ": " + message
	}
	m := o.marks[pointer]
	for m.Line == 0 && pointer != "" { // not written: what holds it is
		pointer = pointer[:strings.LastIndexByte(pointer, '/')]
		m = o.marks[pointer]
	}
	l.problems = append(l.problems, Problem{File: o.File, Line: m.Line, Column: m.Column, Severity: severity, Message: message})
}

// load reads one document.
func (l *loader) load(r *reader, p parsed) {
	origin := Origin{File: p.File, Line: p.root.Line, Floor: l.set.World.Floor, marks: p.marks}
	switch p.Kind {
	case KindPullImageDigestPolicy:
		d := &PullImageDigestPolicy{Origin: origin}
		if r.validate(p, d) && l.named(p.Kind, d.Origin) {
			l.checkEnvironments(d.Origin, d.AllEnvironments, false, d.Environments, "it locks nothing: write allEnvironments: true or environments")
			l.set.Digests = append(l.set.Digests, d)
		}
	case KindImagePromotionPolicy:
		l.promotion(r, p, origin)
	case KindArtifactPromotionPolicy:
		b := &binding{Origin: origin}
		if r.validate(p, b) {
			l.bindings = append(l.bindings, b)
		}
	case KindFilterCondition:
		f := &FilterCondition{Origin: origin}
		if r.validate(p, f) && l.named(p.Kind, f.Origin) {
			f.Pass = r.expression(p, "/passCondition", f.PassCondition)
			f.Fail = r.expression(p, "/failCondition", f.FailCondition)
			l.checkEnvironments(f.Origin, f.AllEnvironments, f.Production, f.Environments, "it holds nowhere: write allEnvironments: true, production: true or environments")
			l.set.Filters = append(l.set.Filters, f)
		}
	case KindFreeze:
		f := &Freeze{Origin: origin}
		if r.validate(p, f) && l.named(p.Kind, f.Origin) {
			w, wrong := newWindow(f.Keys)
			switch {
			case wrong == nil:
				f.Window = w
			case p.marks["/window"].Line > 0: // else the schema says that it is missing
				pointer := strings.TrimSuffix("/window/"+wrong.key, "/")
				l.problem(f.Origin, Error, pointer, "%s", wrong.err)
			}
			l.checkEnvironments(f.Origin, f.AllEnvironments, f.Production, f.Environments, "it freezes nothing: write allEnvironments: true, production: true or environments")
			l.set.Freezes = append(l.set.Freezes, f)
		}
	}
}

func (l *loader) promotion(r *reader, p parsed, origin Origin) {
	twoSpellings := r.spelling(p.value, p.marks, "")
	if v, ok := p.value.(object); ok {
		if block, ok := v["rollback"].(object); ok {
			twoSpellings = r.spelling(block, p.marks, "/rollback") || twoSpellings
		}
	}
	d := &ImagePromotionPolicy{Origin: origin}
	d.RollbackKeys.written = p.marks["/rollback"].Line > 0
	if !r.validate(p, d) || !l.named(p.Kind, d.Origin) || twoSpellings {
		return
	}
	d.Pass = r.expression(p, "/passCondition", d.PassCondition)
	d.Fail = r.expression(p, "/failCondition", d.FailCondition)
	d.Direct, d.Sequential = slices.Contains(d.Promotions, "direct"), slices.Contains(d.Promotions, "sequential")
	d.ForbidDirect = slices.Contains(d.Forbid, "direct")
	d.AcceptUnverified = d.UnverifiedSource == "accept"
	l.more(r, p, d.Origin, "/more", d.More)
	if k := &d.RollbackKeys; k.written {
		if k.More != nil {
			l.more(r, p, d.Origin, "/rollback/more", *k.More)
		}
		d.Rollback = k.over(d.Needs)
	}
	l.checkMore(d)
	for _, block := range []string{"", "/rollback"} {
		if m := d.marks[block+"/approvalTTL"]; m.Line > 0 && m.Text != "" {
			if ttl, err := ParseDuration(m.Text); err == nil && ttl == 0 {
				l.problem(d.Origin, Error, block+"/approvalTTL", "no approval lasts for no time: write how long one counts, such as 7d")
			}
		}
	}
	if len(d.ApplyTo) > maxSelectors {
		l.problem(d.Origin, Error, "/applyTo", "more than %d selectors: use globs", maxSelectors)
		return
	}
	for i := range d.ApplyTo {
		s, at := &d.ApplyTo[i], fmt.Sprintf("/applyTo/%d", i)
		m := d.marks[at]
		s.File, s.Line, s.column = d.File, m.Line, m.Column
		s.appAt, s.envAt = d.marks[at+"/app"], d.marks[at+"/env"]
	}
	l.checkSelectors(d.File, d.ApplyTo, "applyTo[%d].env", "applyTo[%d].app")
	l.set.Promotions = append(l.set.Promotions, d)
}

// spelling moves allowRequesterFromApprove, which is read as allowRequestFromApprove. Both
// at once are a mistake.
func (r *reader) spelling(value any, at document.Marks, block string) bool {
	const ours, other = "allowRequestFromApprove", "allowRequesterFromApprove"
	v, _ := value.(object)
	flag, written := v[other]
	if !written {
		return false
	}
	if _, both := v[ours]; both {
		m := at[block+"/"+other]
		r.Report(m.KeyLine, m.KeyColumn, "%s is another spelling of %s, which is written as well: delete one", other, ours)
		return true
	}
	if _, ok := flag.(bool); ok {
		delete(v, other)
		v[ours] = flag
		at[block+"/"+ours] = at[block+"/"+other]
	}
	return false
}

// named remembers a document's name, and reports a second one of the kind.
func (l *loader) named(kind string, o Origin) bool {
	if o.Name == "" {
		return true // refused by the schema
	}
	key := [2]string{kind, o.Name}
	first, twice := l.first[key]
	if !twice {
		l.first[key] = o
		return true
	}
	if o.marks["/name"].Line == 0 {
		l.problem(o, Error, "", "a second %s without a name, the first is in %s:%d: give each a name", kind, first.File, first.Line)
		return true
	}
	l.problem(o, Error, "/name", "a second %s of the name %s, the first is in %s:%d: rename one", kind, document.Quote(o.Name), first.File, first.Line)
	return true
}

// checkEnvironments holds a list of environments to those that are configured.
func (l *loader) checkEnvironments(o Origin, all, production bool, globs []string, nothing string) {
	if !all && !production && len(globs) == 0 && !unusable(o, "/environments") {
		l.problem(o, Error, "", "%s", nothing)
		return
	}
	for i, g := range globs {
		if g != "" {
			l.checkEnvironment(o.File, o.marks[fmt.Sprintf("/environments/%d", i)], fmt.Sprintf("environments[%d]", i), g)
		}
	}
	if production && !l.set.World.Floor && !slices.ContainsFunc(l.set.World.Environments, func(e Env) bool { return e.Production }) && !all {
		l.problem(o, Warning, "/production", "no environment is marked production: it holds nowhere yet")
	}
}

// unusable reports whether something is written that was refused.
func unusable(o Origin, pointer string) bool {
	m, written := o.marks[pointer]
	if !written {
		return false
	}
	_, items := o.marks[pointer+"/0"]
	return items || m.Text != ""
}

func (l *loader) checkEnvironment(file string, at document.Mark, key, name string) {
	w := l.set.World
	if w.Floor || slices.ContainsFunc(w.Environments, func(e Env) bool { return matches(name, e.Name) }) {
		return
	}
	message := fmt.Sprintf("%s: unknown environment %s%s", key, document.Quote(name), document.HintUnless(len(l.problems) > document.MaxProblems, name, w.environmentNames()))
	if isGlob(name) {
		message = fmt.Sprintf("%s: the glob %s matches no environment%s", key, document.Quote(name), known(w.environmentNames()))
	}
	l.problems = append(l.problems, Problem{File: file, Line: at.Line, Column: at.Column, Message: message})
}

// known ends a message about a glob that matches nothing.
func known(names []string) string {
	if len(names) == 0 {
		return ": none is configured"
	}
	if len(names) > 20 {
		return ""
	}
	return ": there " + plural(len(names), "is", "are") + " " + list(names, "and")
}

func (l *loader) checkApp(file string, at document.Mark, key, name string) {
	w := l.set.World
	if w.Floor || slices.ContainsFunc(w.Apps, func(a App) bool { return matches(name, a.Name) }) || len(l.problems) > document.MaxProblems {
		return
	}
	message := fmt.Sprintf("%s: unknown app %s%s", key, document.Quote(name), document.Hint(name, w.appNames()))
	if isGlob(name) {
		message = fmt.Sprintf("%s: the glob %s matches no app%s", key, document.Quote(name), known(w.appNames()))
	}
	l.problems = append(l.problems, Problem{File: file, Line: at.Line, Column: at.Column, Severity: Warning, Message: message})
}

// checkSelectors holds selectors to known names. An app that is not known is a warning: apps
// come and go with the images of the repository.
func (l *loader) checkSelectors(file string, all []Selector, envKey, appKey string) {
	for i, s := range all {
		if s.Env != "" {
			l.checkEnvironment(file, s.envAt, fmt.Sprintf(envKey, i), s.Env)
		}
		if s.App != "" {
			l.checkApp(file, s.appAt, fmt.Sprintf(appKey, i), s.App)
		}
	}
}

// bind adds the selectors of artifactPromotionPolicy documents to the policies they name.
func (l *loader) bind() {
	for _, b := range l.bindings {
		payload := b.Spec.Payload
		const at = "/spec/payload"
		var selectors []Selector
		for i, pair := range payload.ApplicationEnvironments {
			if pair.AppName == "" || pair.EnvName == "" {
				continue // refused by the schema
			}
			item := fmt.Sprintf("%s/applicationEnvironments/%d", at, i)
			m := b.marks[item]
			selectors = append(selectors, Selector{
				App: pair.AppName, Env: pair.EnvName, File: b.File, Line: m.Line, column: m.Column,
				appAt: b.marks[item+"/appName"], envAt: b.marks[item+"/envName"],
			})
		}
		if len(selectors) > maxSelectors {
			l.problem(b.Origin, Error, at+"/applicationEnvironments", "more than %d pairs: use globs", maxSelectors)
			continue
		}
		l.checkSelectors(b.File, selectors, "spec.payload.applicationEnvironments[%d].envName", "spec.payload.applicationEnvironments[%d].appName")
		for i, name := range payload.ApplyToPolicyNames {
			if name == "" {
				continue // refused by the schema
			}
			p, ok := l.set.Promotion(name)
			switch {
			case ok:
				p.ApplyTo = append(p.ApplyTo, selectors...)
			case slices.Contains(l.set.World.Policies, name) || l.set.World.Unread:
				l.set.further = append(l.set.further, further{name, selectors})
			default:
				l.problem(b.Origin, Error, fmt.Sprintf("%s/applyToPolicyNames/%d", at, i), "unknown promotion policy %s%s", document.Quote(name), document.HintUnless(len(l.problems) > document.MaxProblems, name, l.policyNames()))
			}
		}
	}
}

func (l *loader) policyNames() []string {
	names := slices.Clone(l.set.World.Policies)
	for _, p := range l.set.Promotions {
		if p.Name != "" {
			names = append(names, p.Name)
		}
	}
	return names
}

// checkBound warns of policies that judge nothing.
func (l *loader) checkBound() {
	for _, p := range l.set.Promotions {
		if p.Name == "" {
			continue // refused by the schema
		}
		if len(p.ApplyTo) == 0 && !unusable(p.Origin, "/applyTo") {
			l.problem(p.Origin, Warning, "/name", "the policy %s is bound to nothing and judges nothing: write applyTo, or apply a file with `pinnace policy apply -p FILE`", p.Name)
			continue
		}
		if l.set.World.Floor {
			continue
		}
		bound := slices.ContainsFunc(p.ApplyTo, func(s Selector) bool {
			return slices.ContainsFunc(l.set.World.Environments, s.environment)
		})
		if !bound && len(p.ApplyTo) > 0 {
			l.problem(p.Origin, Warning, "/name", "the policy %s is bound to no environment that is configured: it judges nothing yet", p.Name)
		}
	}
}

func plural(n int, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}
