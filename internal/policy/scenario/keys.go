package scenario

import (
	"slices"
	"strings"
	"time"

	"sigs.k8s.io/kustomize/kyaml/yaml"

	"github.com/pinnace-dev/pinnace/internal/image"
	"github.com/pinnace-dev/pinnace/internal/policy/condition"
	"github.com/pinnace-dev/pinnace/internal/promotion"
)

// A Key is one that a case may have.
type Key struct{ Name, Default, Doc string }

// Keys lists the keys of a case, with their defaults.
func Keys() []Key {
	all := make([]Key, len(caseKeys))
	for i, k := range caseKeys {
		all[i] = Key{k.name, k.byDefault, k.doc}
	}
	return all
}

// A caseKey is a key of a case and how it is read.
type caseKey struct {
	name, byDefault, doc string
	read                 func(c *Case, r *reader, n *yaml.Node)
}

// imageKeys are the keys of an entry of images. Those of an only image stand in the case.
var imageKeys = []struct {
	name, byDefault, doc string
	read                 func(i *Image, r *reader, n *yaml.Node)
}{
	{"image", "the app's first image, :1.1.0", "the new image, or none for a removal; where no digest is written one is made up", func(i *Image, r *reader, n *yaml.Node) {
		i.Text, i.at = r.reference(n), place{n.Line, n.Column}
	}},
	{"previous", "the same name, :1.0.0", "the image that stands there, or none", func(i *Image, r *reader, n *yaml.Node) { i.Previous = r.reference(n) }},
	{"tagNow", "the image's digest", "by hand: the digest that the tag means now, or other", func(i *Image, r *reader, n *yaml.Node) {
		i.TagNow = r.text(n)
		if _, err := image.ParseDigest(i.TagNow); err != nil && i.TagNow != other {
			r.report(n, "expected a digest such as sha256:..., or %s", other)
		}
	}},
	{"tagStands", "false", "by hand: that tag and digest stand together in an environment before", func(i *Image, r *reader, n *yaml.Node) { i.TagStands = r.truth(n) }},
	{"path", "a file of the environment", "the file that is changed", func(i *Image, r *reader, n *yaml.Node) { i.Path = r.text(n) }},
	{"object", "Deployment and the app", "the object that holds the image", func(i *Image, r *reader, n *yaml.Node) { i.Object = r.text(n) }},
	{"labels", "{}", "OCI labels", func(i *Image, r *reader, n *yaml.Node) { i.Labels = r.table(n) }},
	{"annotations", "{}", "OCI annotations", func(i *Image, r *reader, n *yaml.Node) { i.Annotations = r.table(n) }},
	{"tags", "the image's tag", "tags on the same digest (imageLabels)", func(i *Image, r *reader, n *yaml.Node) { i.Tags = r.texts(n) }},
	{"platforms", "linux/amd64, linux/arm64", "platforms", func(i *Image, r *reader, n *yaml.Node) { i.Platforms = r.texts(n) }},
	{"size", "50000000", "bytes", func(i *Image, r *reader, n *yaml.Node) { v := r.number(n); i.Size = &v }},
	{"created", "a day before it came to `from`", "when it was built", func(i *Image, r *reader, n *yaml.Node) { t := r.when(n); i.Created = &t }},
	{"signatures", "one, keyless and verified, of the source's release workflow", "a list of identity, issuer, keyId, verified (true), keyless (true without keyId), integratedTime", func(i *Image, r *reader, n *yaml.Node) { i.Signatures = r.signatures(n) }},
	{"attestations", "[]", "a list of type, verified (true), identity, issuer, predicate", func(i *Image, r *reader, n *yaml.Node) { i.Attestations = r.attestations(n) }},
	{"provenance", "verified, of the source's release workflow on main", "verified (true), builderId, buildType, sourceRepo, sourceRef, sourceDigest, workflow, invocationId, event, startedOn; or none", func(i *Image, r *reader, n *yaml.Node) { r.provenance(n, i) }},
	{"commits", "what the provenance says", "gitCommitDetails: branch, commitMessage, sha, author, by repository", func(i *Image, r *reader, n *yaml.Node) { i.Commits = r.commits(n) }},
	{"builder", "unknown", "logins of who built it, unknown, or none", func(i *Image, r *reader, n *yaml.Node) { i.Builder = r.people(n) }},
}

var caseKeys = slices.Concat([]caseKey{
	{"env", "the last environment", "where the image goes", func(c *Case, r *reader, n *yaml.Node) { c.Env = r.text(n) }},
	{"app", "the image's app, or the first app", "the app", func(c *Case, r *reader, n *yaml.Node) { c.App = r.text(n) }},
	{"kind", "promotion", "pin, update, promotion, rollback or by-hand", func(c *Case, r *reader, n *yaml.Node) { c.Kind = promotion.Kind(r.word(n, kinds...)) }},
	{"from", "the environment before env", "the environment that the image comes from, or registry", func(c *Case, r *reader, n *yaml.Node) { c.From = r.text(n) }},
	{"skipped", "those between from and env", "environments that are skipped", func(c *Case, r *reader, n *yaml.Node) { c.Skipped = r.texts(n) }},
	{"images", "one", "a list of images, each with the keys below", func(c *Case, r *reader, n *yaml.Node) { r.images(n, c) }},
	{"requester", "alice; nobody for a pin or an update", "logins of who asked (of the author, by hand), unknown, or none", func(c *Case, r *reader, n *yaml.Node) { c.Requester = r.people(n) }},
	{"auto", "false", "no person asked for it directly", func(c *Case, r *reader, n *yaml.Node) { c.Auto = r.truth(n) }},
	{"requested", "an hour before the first review", "when it was asked for", func(c *Case, r *reader, n *yaml.Node) { t := r.when(n); c.Requested = &t }},
	{"reason", "", "what the requester wrote", func(c *Case, r *reader, n *yaml.Node) { c.Reason = r.text(n) }},
	{"prLabels", "[]", "labels of the pull request", func(c *Case, r *reader, n *yaml.Node) { c.PRLabels = r.texts(n) }},
	{"authors", "[]", "logins of those who wrote foreign commits", func(c *Case, r *reader, n *yaml.Node) { c.Authors = r.texts(n) }},
	{"approvals", "[]", "logins, or by, at (-1h), seal, dismissedBy", func(c *Case, r *reader, n *yaml.Node) { c.Approvals = r.reviews(n) }},
	{"vetoes", "[]", "change requests, as approvals", func(c *Case, r *reader, n *yaml.Node) { c.Vetoes = r.reviews(n) }},
	{"people", "write, and member of every team that a document lists", "by login: permission, teams, id, bot, serviceAccount, deleted", func(c *Case, r *reader, n *yaml.Node) { c.People = r.persons(n) }},
	{"now", "2026-11-18T10:00:00Z, a Wednesday", "when it is judged", func(c *Case, r *reader, n *yaml.Node) {
		t := r.when(n)
		if t.Relative {
			r.report(n, "expected a time such as 2026-11-18T10:00:00Z")
		}
		c.Now = t.At
	}},
	{"since", "48h", "how long the image has stood in from", func(c *Case, r *reader, n *yaml.Node) { d := r.length(n); c.Since = &d }},
	{"gates", "every gate is green", "success, failure, pending or unknown, by the gate's name", func(c *Case, r *reader, n *yaml.Node) { c.Gates = r.table(n) }},
	{"current", "true", "the source still runs the image", func(c *Case, r *reader, n *yaml.Node) { c.Current = r.answer(n) }},
	{"exists", "true", "the digest is in its registry", func(c *Case, r *reader, n *yaml.Node) { c.Exists = r.answer(n) }},
	{"sealed", "true", "the head is the sealed change and nothing else", func(c *Case, r *reader, n *yaml.Node) { c.Sealed = r.answer(n) }},
	{"stood", "true", "rollback: the digest stood here before", func(c *Case, r *reader, n *yaml.Node) { c.Stood = r.answer(n) }},
	{"verified", "true", "rollback: a verified promotion had brought it", func(c *Case, r *reader, n *yaml.Node) { c.Verified = r.answer(n) }},
	{"fork", "false", "the head is in a fork", func(c *Case, r *reader, n *yaml.Node) { c.Fork = r.truth(n) }},
	{"cancelled", "false", "somebody took the request back", func(c *Case, r *reader, n *yaml.Node) { c.Cancelled = r.truth(n) }},
	{"draft", "false", "the pull request is a draft", func(c *Case, r *reader, n *yaml.Node) { c.Draft = r.truth(n) }},
	{"files", "one of the environment", "files that are changed, each to the same image", func(c *Case, r *reader, n *yaml.Node) { c.Files = r.texts(n) }},
	{"opaque", "[]", "changes that cannot be read: path, what, missing", func(c *Case, r *reader, n *yaml.Node) { c.Opaque = r.opaque(n) }},
	{"checks", "success", "config and pins: success, failure or unknown", func(c *Case, r *reader, n *yaml.Node) { c.Checks = r.checks(n) }},
	{"hold", "none", "a rollback that holds the app: by, at, reason", func(c *Case, r *reader, n *yaml.Node) {
		if acts := r.acts(n); len(acts) > 0 {
			c.Hold = &acts[0]
		}
	}},
	{"deploy", "[]", "comments /deploy: by, at (-5m), edited", func(c *Case, r *reader, n *yaml.Node) { c.Deploy = r.acts(n) }},
	{"breakGlass", "[]", "comments /break-glass: by, reason, at (-5m), seal, edited", func(c *Case, r *reader, n *yaml.Node) { c.BreakGlass = r.acts(n) }},
	{"unknown", "[]", "facts that nobody knows: " + strings.Join(unknownNames(), ", "), func(c *Case, r *reader, n *yaml.Node) {
		for _, i := range items(n) {
			if w := r.word(i, unknownNames()...); w != "" {
				c.Unknown = append(c.Unknown, w)
			}
		}
	}},
	{"want", "", "passed, waiting, denied or unknown", func(c *Case, r *reader, n *yaml.Node) { c.Want = promotion.Status(r.word(n, verdicts...)) }},
	{"rules", "{}", "the worst status of the rules of a name, or absent", func(c *Case, r *reader, n *yaml.Node) { c.Rules = r.rules(n) }},
	{"says", "[]", "texts that the explanation holds", func(c *Case, r *reader, n *yaml.Node) { c.Says = r.texts(n) }},
	{"not", "[]", "texts that it does not hold", func(c *Case, r *reader, n *yaml.Node) { c.Not = r.texts(n) }},
}, onlyImage())

// onlyImage are the keys of an image, where the case has one.
func onlyImage() []caseKey {
	all := make([]caseKey, len(imageKeys))
	for i, k := range imageKeys {
		all[i] = caseKey{k.name, k.byDefault, k.doc, func(c *Case, r *reader, n *yaml.Node) {
			if c.Bundle {
				r.report(n, "%s stands beside images: write it in each of them", k.name)
				return
			}
			if len(c.Images) == 0 {
				c.Images = []Image{{}}
			}
			k.read(&c.Images[0], r, n)
		}}
	}
	return all
}

var (
	kinds    = []string{string(promotion.Pin), string(promotion.Update), string(promotion.Promotion), string(promotion.Rollback), string(promotion.ByHand)}
	verdicts = []string{string(promotion.Passed), string(promotion.Waiting), string(promotion.Denied), string(promotion.Unknown)}
)

// none says in the place of a value that there is none.
const none, unknown = "none", "unknown"

// other is any digest but the image's.
const other = "other"

func (r *reader) answer(n *yaml.Node) *bool {
	v := r.truth(n)
	return &v
}

// reference reads an image, or none.
func (r *reader) reference(n *yaml.Node) string {
	s := r.text(n)
	if s == "" || s == none {
		return s
	}
	if _, err := image.Parse(s); err != nil {
		r.report(n, "%s", err)
	}
	return s
}

func (r *reader) images(n *yaml.Node, c *Case) {
	if len(c.Images) > 0 {
		r.report(n, "images stand beside image, or facts of one: write those in the list")
		return
	}
	c.Bundle = true
	for _, item := range items(n) {
		var i Image
		i.at = place{item.Line, item.Column}
		keys := make([]key, len(imageKeys))
		for x, k := range imageKeys {
			keys[x] = key{k.name, func(r *reader, n *yaml.Node) { k.read(&i, r, n) }}
		}
		r.mapping(item, keys)
		c.Images = append(c.Images, i)
	}
	if len(c.Images) == 0 {
		r.report(n, "the list is empty: write at least one image")
	}
}

func (r *reader) people(n *yaml.Node) *People {
	p := &People{}
	if n.Kind == yaml.ScalarNode && (n.Value == unknown || n.Value == none) {
		p.Unknown = n.Value == unknown
		return p
	}
	p.Logins = r.texts(n)
	return p
}

func (r *reader) reviews(n *yaml.Node) []Review {
	var all []Review
	for _, item := range items(n) {
		if item.Kind == yaml.ScalarNode {
			all = append(all, Review{By: r.text(item)})
			continue
		}
		var v Review
		r.mapping(item, []key{
			{"by", func(r *reader, n *yaml.Node) { v.By = r.text(n) }},
			{"at", func(r *reader, n *yaml.Node) { t := r.when(n); v.At = &t }},
			{"seal", func(r *reader, n *yaml.Node) { v.Seal = r.text(n) }},
			{"dismissedBy", func(r *reader, n *yaml.Node) { v.Dismissed = r.text(n) }},
		})
		if v.By == "" {
			r.report(item, "by is missing: whose review is it?")
		}
		all = append(all, v)
	}
	return all
}

func (r *reader) acts(n *yaml.Node) []Act {
	var all []Act
	for _, item := range items(n) {
		if item.Kind == yaml.ScalarNode {
			all = append(all, Act{By: r.text(item)})
			continue
		}
		var a Act
		r.mapping(item, []key{
			{"by", func(r *reader, n *yaml.Node) { a.By = r.text(n) }},
			{"at", func(r *reader, n *yaml.Node) { t := r.when(n); a.At = &t }},
			{"reason", func(r *reader, n *yaml.Node) { a.Reason = r.text(n) }},
			{"seal", func(r *reader, n *yaml.Node) { a.Seal = r.text(n) }},
			{"edited", func(r *reader, n *yaml.Node) { a.Edited = r.truth(n) }},
		})
		if a.By == "" {
			r.report(item, "by is missing: who did it?")
		}
		all = append(all, a)
	}
	return all
}

func (r *reader) persons(n *yaml.Node) map[string]Person {
	all := map[string]Person{}
	if n.Kind != yaml.MappingNode {
		r.report(n, "expected logins, each with what is known of it")
		return all
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		var p Person
		r.mapping(n.Content[i+1], []key{
			{"id", func(r *reader, n *yaml.Node) { p.ID = r.number(n) }},
			{"permission", func(r *reader, n *yaml.Node) {
				p.Permission = r.word(n, "none", "read", "triage", "write", "maintain", "admin", unknown)
			}},
			{"teams", func(r *reader, n *yaml.Node) {
				if n.Kind == yaml.ScalarNode && n.Value == unknown {
					p.Unknown = true
					return
				}
				p.Teams = r.texts(n)
			}},
			{"bot", func(r *reader, n *yaml.Node) { p.Bot = r.truth(n) }},
			{"serviceAccount", func(r *reader, n *yaml.Node) { p.Service = r.truth(n) }},
			{"deleted", func(r *reader, n *yaml.Node) { p.Deleted = r.truth(n) }},
		})
		all[n.Content[i].Value] = p
	}
	return all
}

func (r *reader) signatures(n *yaml.Node) []condition.Signature {
	all := []condition.Signature{}
	for _, item := range items(n) {
		s := condition.Signature{Verified: true}
		keyless := (*bool)(nil)
		r.mapping(item, []key{
			{"identity", func(r *reader, n *yaml.Node) { s.Identity = r.text(n) }},
			{"issuer", func(r *reader, n *yaml.Node) { s.Issuer = r.text(n) }},
			{"keyId", func(r *reader, n *yaml.Node) { s.KeyID = r.text(n) }},
			{"verified", func(r *reader, n *yaml.Node) { s.Verified = r.truth(n) }},
			{"keyless", func(r *reader, n *yaml.Node) { keyless = r.answer(n) }},
			{"integratedTime", func(r *reader, n *yaml.Node) { s.Integrated = condition.Known(r.moment(n)) }},
		})
		s.Keyless = s.KeyID == ""
		if keyless != nil {
			s.Keyless = *keyless
		}
		all = append(all, s)
	}
	return all
}

// moment reads a time that is not relative.
func (r *reader) moment(n *yaml.Node) time.Time {
	t := r.when(n)
	if t.Relative {
		r.report(n, "expected a time such as 2026-11-18T10:00:00Z")
	}
	return t.At
}

func (r *reader) attestations(n *yaml.Node) []condition.Attestation {
	all := []condition.Attestation{}
	for _, item := range items(n) {
		a := condition.Attestation{Verified: true, Predicate: condition.Known[any](map[string]any{})}
		r.mapping(item, []key{
			{"type", func(r *reader, n *yaml.Node) { a.PredicateType = r.text(n) }},
			{"verified", func(r *reader, n *yaml.Node) { a.Verified = r.truth(n) }},
			{"identity", func(r *reader, n *yaml.Node) { a.Identity = r.text(n) }},
			{"issuer", func(r *reader, n *yaml.Node) { a.Issuer = r.text(n) }},
			{"predicate", func(r *reader, n *yaml.Node) { a.Predicate = condition.Known(r.value(n)) }},
		})
		all = append(all, a)
	}
	return all
}

func (r *reader) provenance(n *yaml.Node, i *Image) {
	if n.Kind == yaml.ScalarNode && n.Value == none {
		i.NoProvenance = true
		return
	}
	p := &condition.Provenance{Verified: true}
	put := func(to *string) func(*reader, *yaml.Node) {
		return func(r *reader, n *yaml.Node) { *to = r.text(n) }
	}
	r.mapping(n, []key{
		{"verified", func(r *reader, n *yaml.Node) { p.Verified = r.truth(n) }},
		{"builderId", put(&p.BuilderID)},
		{"buildType", put(&p.BuildType)},
		{"sourceRepo", func(r *reader, n *yaml.Node) { p.SourceRepo = address(r.text(n)) }},
		{"sourceRef", put(&p.SourceRef)},
		{"sourceDigest", put(&p.SourceDigest)},
		{"workflow", put(&p.Workflow)},
		{"invocationId", put(&p.InvocationID)},
		{"event", put(&p.Event)},
		{"startedOn", func(r *reader, n *yaml.Node) { p.Started = condition.Known(r.moment(n)) }},
	})
	i.Provenance = p
}

// address spells a repository as conditions see it: owner/name is one of GitHub.
func address(repo string) string {
	if strings.Count(repo, "/") == 1 && !strings.Contains(repo, ":") {
		return "https://github.com/" + repo
	}
	return repo
}

func (r *reader) commits(n *yaml.Node) map[string]condition.Commit {
	all := map[string]condition.Commit{}
	if n.Kind != yaml.MappingNode {
		r.report(n, "expected repositories, each with branch, commitMessage, sha, author")
		return all
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		var c condition.Commit
		r.mapping(n.Content[i+1], []key{
			{"branch", func(r *reader, n *yaml.Node) { c.Branch = r.text(n) }},
			{"commitMessage", func(r *reader, n *yaml.Node) { c.Message = r.text(n) }},
			{"sha", func(r *reader, n *yaml.Node) { c.SHA = r.text(n) }},
			{"author", func(r *reader, n *yaml.Node) { c.Author = r.text(n) }},
		})
		all[address(n.Content[i].Value)] = c
	}
	return all
}

func (r *reader) opaque(n *yaml.Node) []Opaque {
	var all []Opaque
	for _, item := range items(n) {
		o := Opaque{What: "a JSON patch"}
		r.mapping(item, []key{
			{"path", func(r *reader, n *yaml.Node) { o.Path = r.text(n) }},
			{"what", func(r *reader, n *yaml.Node) { o.What = r.text(n) }},
			{"missing", func(r *reader, n *yaml.Node) { o.Missing = r.text(n) }},
		})
		all = append(all, o)
	}
	return all
}

func (r *reader) checks(n *yaml.Node) map[string]string {
	all := map[string]string{}
	word := func(name string) key {
		return key{name, func(r *reader, n *yaml.Node) { all[name] = r.word(n, "success", "failure", unknown) }}
	}
	r.mapping(n, []key{word("config"), word("pins")})
	return all
}

// absent is wanted of a rule that is not in the tree.
const absent = "absent"

func (r *reader) rules(n *yaml.Node) map[string]string {
	all := map[string]string{}
	if n.Kind != yaml.MappingNode {
		r.report(n, "expected rules, each with a status")
		return all
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		all[n.Content[i].Value] = r.word(n.Content[i+1], append([]string{string(promotion.Skipped), absent}, verdicts...)...)
	}
	return all
}
