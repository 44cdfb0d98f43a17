package condition

import (
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"

	"github.com/pinnace-dev/pinnace/internal/image"
	"github.com/pinnace-dev/pinnace/internal/promotion"
)

var (
	stringList = types.NewListType(types.StringType)
	intList    = types.NewListType(types.IntType)
	stringMap  = types.NewMapType(types.StringType, types.StringType)
)

var signatureType = newType("Signature",
	at("verified", types.BoolType, "the trust policy holds for it", `image.signatures.exists(s, s.verified)`,
		func(s *Signature) (ref.Val, bool) { return sure(types.Bool(s.Verified)) }),
	at("keyless", types.BoolType, "made with a short-lived certificate instead of a key", `image.signatures.all(s, s.keyless)`,
		func(s *Signature) (ref.Val, bool) { return sure(types.Bool(s.Keyless)) }),
	at("issuer", types.StringType, "who vouched for the identity", `image.signatures.exists(s, s.verified && s.issuer == "https://token.actions.githubusercontent.com")`,
		func(s *Signature) (ref.Val, bool) { return sure(types.String(s.Issuer)) }),
	at("identity", types.StringType, "the subject of the certificate", `image.signatures.exists(s, s.verified && s.identity.startsWith("https://github.com/acme/"))`,
		func(s *Signature) (ref.Val, bool) { return sure(types.String(s.Identity)) }),
	at("keyId", types.StringType, "the key, where one was used", `image.signatures.exists(s, s.verified && s.keyId == "release-2026")`,
		func(s *Signature) (ref.Val, bool) { return sure(types.String(s.KeyID)) }),
	at("integratedTime", types.TimestampType, "when the transparency log took it", `image.signatures.all(s, s.integratedTime < now)`,
		func(s *Signature) (ref.Val, bool) { return moment(s.Integrated) }),
)

var attestationType = newType("Attestation",
	at("verified", types.BoolType, "the trust policy holds for it", `image.attestations.exists(a, a.verified)`,
		func(a *Attestation) (ref.Val, bool) { return sure(types.Bool(a.Verified)) }),
	at("predicateType", types.StringType, "what it attests", `image.attestations.exists(a, a.verified && a.predicateType == "https://spdx.dev/Document")`,
		func(a *Attestation) (ref.Val, bool) { return sure(types.String(a.PredicateType)) }),
	at("issuer", types.StringType, "who vouched for the identity", `image.attestations.exists(a, a.issuer == "https://accounts.google.com")`,
		func(a *Attestation) (ref.Val, bool) { return sure(types.String(a.Issuer)) }),
	at("identity", types.StringType, "the subject of the certificate", `image.attestations.all(a, a.identity.endsWith("@acme.example"))`,
		func(a *Attestation) (ref.Val, bool) { return sure(types.String(a.Identity)) }),
	at("predicate", types.DynType, "its content, of any shape", `image.attestations.exists(a, a.verified && a.predicate.scanner.critical == 0)`,
		func(a *Attestation) (ref.Val, bool) {
			return types.DefaultTypeAdapter.NativeToValue(a.Predicate.Value), a.Predicate.Known
		}),
)

var provenanceType = newType("Provenance",
	at("verified", types.BoolType, "its signature was verified; false where there is none", `image.provenance.verified`,
		func(p *Provenance) (ref.Val, bool) { return sure(types.Bool(p.Verified)) }),
	at("builderId", types.StringType, "what built the image", `image.provenance.builderId.startsWith("https://github.com/slsa-framework/slsa-github-generator/")`,
		func(p *Provenance) (ref.Val, bool) { return sure(types.String(p.BuilderID)) }),
	at("buildType", types.StringType, "how to read the build's parameters", `image.provenance.buildType == "https://actions.github.io/buildtypes/workflow/v1"`,
		func(p *Provenance) (ref.Val, bool) { return sure(types.String(p.BuildType)) }),
	at("sourceRepo", types.StringType, "the repository it was built from", `image.provenance.sourceRepo == "https://github.com/acme/shop"`,
		func(p *Provenance) (ref.Val, bool) { return sure(types.String(p.SourceRepo)) }),
	at("sourceRef", types.StringType, "the branch or tag it was built from", `image.provenance.sourceRef == "refs/heads/main"`,
		func(p *Provenance) (ref.Val, bool) { return sure(types.String(p.SourceRef)) }),
	at("sourceDigest", types.StringType, "the commit it was built from", `image.provenance.sourceDigest == image.labels["org.opencontainers.image.revision"]`,
		func(p *Provenance) (ref.Val, bool) { return sure(types.String(p.SourceDigest)) }),
	at("workflow", types.StringType, "the workflow file", `image.provenance.workflow.endsWith("/release.yml")`,
		func(p *Provenance) (ref.Val, bool) { return sure(types.String(p.Workflow)) }),
	at("invocationId", types.StringType, "the run", `image.provenance.invocationId.contains("/actions/runs/")`,
		func(p *Provenance) (ref.Val, bool) { return sure(types.String(p.InvocationID)) }),
	at("event", types.StringType, "what started the build", `image.provenance.event != "pull_request"`,
		func(p *Provenance) (ref.Val, bool) { return sure(types.String(p.Event)) }),
	at("startedOn", types.TimestampType, "when the build began", `age(image.provenance.startedOn) < duration("168h")`,
		func(p *Provenance) (ref.Val, bool) { return moment(p.Started) }),
)

var builderType = newType("Builder",
	at("users", stringList, "logins of those who started the build", `!(requester.login in image.builder.users)`,
		func(b *Builder) (ref.Val, bool) { return sure(logins(b.Users)) }),
	at("ids", intList, "their account numbers", `!(requester.id in image.builder.ids)`,
		func(b *Builder) (ref.Val, bool) { return sure(ids(b.Users)) }),
	at("workflow", types.StringType, "the workflow that built it", `image.builder.workflow.endsWith("/release.yml")`,
		func(b *Builder) (ref.Val, bool) { return sure(types.String(b.Workflow)) }),
)

var previousType = newType("Previous",
	at("repository", types.StringType, `its name, "" where nothing stood`, `image.previous.repository == image.repository`,
		func(r *image.Ref) (ref.Val, bool) { return sure(types.String(repository(*r))) }),
	at("tag", types.StringType, `its tag, "" if none is written`, `semver(image.tag) > semver(image.previous.tag)`,
		func(r *image.Ref) (ref.Val, bool) { return sure(types.String(r.Tag)) }),
	at("digest", types.StringType, `its digest, "" if none is written`, `image.previous.digest != ""`,
		func(r *image.Ref) (ref.Val, bool) { return sure(types.String(r.Digest)) }),
)

var imageType = newType("Image",
	at("registry", types.StringType, "the host", `image.registry in ["ghcr.io", "registry.acme.example"]`,
		func(i *Image) (ref.Val, bool) { return types.String(i.Ref.Registry()), i.Ref.Name != "" }),
	at("repository", types.StringType, "the whole name without tag and digest", `image.repository == "ghcr.io/acme/shop"`,
		func(i *Image) (ref.Val, bool) { return types.String(repository(i.Ref)), i.Ref.Name != "" }),
	at("tag", types.StringType, `the tag, "" if none is written`, `image.tag != "latest"`,
		func(i *Image) (ref.Val, bool) { return types.String(i.Ref.Tag), i.tagged() }),
	at("digest", types.StringType, "the digest that is judged", `image.digest.startsWith("sha256:")`,
		func(i *Image) (ref.Val, bool) { return types.String(i.Ref.Digest), i.Ref.Digest != "" }),
	at("created", types.TimestampType, "when the image says it was built", `now - image.created < duration("720h")`,
		func(i *Image) (ref.Val, bool) { return moment(i.Created) }),
	at("size", types.IntType, "bytes", `image.size < 500000000`,
		func(i *Image) (ref.Val, bool) { return number(i.Size) }),
	at("platforms", stringList, "operating systems and architectures", `image.platforms.exists(p, p == "linux/arm64")`,
		func(i *Image) (ref.Val, bool) { return texts(i.Platforms) }),
	at("labels", stringMap, "labels of its configuration; its makers wrote them", `image.labels[?"team"].orValue("") == "payments"`,
		func(i *Image) (ref.Val, bool) { return table(i.Labels) }),
	at("annotations", stringMap, "annotations of its manifest; its makers wrote them", `"org.opencontainers.image.source" in image.annotations`,
		func(i *Image) (ref.Val, bool) { return table(i.Annotations) }),
	at("tags", stringList, "the tags that name the same digest", `image.tags.exists(t, isSemver(t))`,
		func(i *Image) (ref.Val, bool) { return texts(i.Tags) }),
	under("signatures", types.NewListType(signatureType.typ), "signatures of the digest", `image.signatures.exists(s, s.verified && s.keyless)`,
		func(i *Image, path string) (ref.Val, bool) {
			return objects(i.Signatures.Value, signatureType, path), i.Signatures.Known
		}),
	under("attestations", types.NewListType(attestationType.typ), "attestations of the digest", `image.attestations.size() > 0`,
		func(i *Image, path string) (ref.Val, bool) {
			return objects(i.Attestations.Value, attestationType, path), i.Attestations.Known
		}),
	under("provenance", provenanceType.typ, "how it was built", `image.provenance.verified && image.provenance.sourceRef == "refs/heads/main"`,
		func(i *Image, path string) (ref.Val, bool) {
			return &object{&i.Provenance.Value, provenanceType, path}, i.Provenance.Known
		}),
	under("builder", builderType.typ, "who started the build, from verified provenance", `!("mallory" in image.builder.users)`,
		func(i *Image, path string) (ref.Val, bool) {
			return &object{&i.Builder.Value, builderType, path}, i.Builder.Known
		}),
	under("previous", previousType.typ, "the image that it replaces", `image.previous.digest != image.digest`,
		func(i *Image, path string) (ref.Val, bool) {
			return &object{&i.Previous.Value, previousType, path}, i.Previous.Known
		}),
)

var placeType = newType("Place",
	at("env", types.StringType, `the environment, "" for the registry`, `source.env == "staging"`,
		func(p *Place) (ref.Val, bool) { return text(p.Env) }),
	at("current", types.StringType, "the digest that stands there", `source.current == image.digest`,
		func(p *Place) (ref.Val, bool) { return text(p.Current) }),
	at("since", types.TimestampType, "when the judged digest came there", `now - source.since > duration("24h")`,
		func(p *Place) (ref.Val, bool) { return moment(p.Since) }),
	at("soak", types.DurationType, "how long it has stood there without a break", `source.soak >= duration("24h")`,
		func(p *Place) (ref.Val, bool) { return span(p.Soak) }),
	at("longestSoak", types.DurationType, "the longest time it ever stood there without a break", `source.longestSoak >= duration("24h")`,
		func(p *Place) (ref.Val, bool) { return span(p.LongestSoak) }),
	at("verified", types.BoolType, "every gate there is green for it", `source.verified`,
		func(p *Place) (ref.Val, bool) { return truth(p.Verified) }),
	at("verifiedAt", types.TimestampType, "when the last gate became green", `source.verified && now - source.verifiedAt < duration("72h")`,
		func(p *Place) (ref.Val, bool) { return moment(p.VerifiedAt) }),
	at("checks", stringMap, "gates and what they say: success, failure or pending", `source.checks[?"smoke"].orValue("") == "success"`,
		func(p *Place) (ref.Val, bool) { return table(p.Checks) }),
	at("health", types.StringType, "what the deployment's own app says of it", `source.health != "failure"`,
		func(p *Place) (ref.Val, bool) { return text(p.Health) }),
	at("previousDigests", stringList, "digests that stood there, the newest first", `image.digest in target.previousDigests`,
		func(p *Place) (ref.Val, bool) { return texts(p.PreviousDigests) }),
)

var requestKinds = []string{string(promotion.Pin), string(promotion.Update), string(promotion.Promotion), string(promotion.Rollback), string(promotion.ByHand)}

var requestType = newType("Request",
	at("id", types.StringType, "the request", `request.id != ""`,
		func(r *Request) (ref.Val, bool) { return text(r.ID) }),
	at("kind", types.StringType, "pin, update, promotion, rollback or by-hand", `request.kind != "by-hand"`,
		func(r *Request) (ref.Val, bool) { return text(r.Kind) }),
	at("by", types.StringType, `login of who asked, "" for nobody`, `request.by != "release-bot"`,
		func(r *Request) (ref.Val, bool) { return types.String(r.By.Value.Login), r.By.Known }),
	at("byId", types.IntType, "account number of who asked, 0 for nobody", `request.byId != 583231`,
		func(r *Request) (ref.Val, bool) { return types.Int(r.By.Value.ID), r.By.Known }),
	at("auto", types.BoolType, "no human asked for it directly", `!request.auto || source.soak >= duration("24h")`,
		func(r *Request) (ref.Val, bool) { return truth(r.Auto) }),
	at("rollback", types.BoolType, "it brings back what stood there before; any other rollback is direct", `request.rollback || source.verified`,
		func(r *Request) (ref.Val, bool) { return truth(r.Rollback) }),
	at("hotfix", types.BoolType, "from the registry, or skipping environments", `!request.hotfix || containerImageTag.startsWith("hotfix-")`,
		func(r *Request) (ref.Val, bool) { return truth(r.Hotfix) }),
	at("skippedEnvs", stringList, "the environments that are skipped", `request.skippedEnvs.size() <= 1`,
		func(r *Request) (ref.Val, bool) { return texts(r.SkippedEnvs) }),
	at("reason", types.StringType, "what the requester wrote", `request.reason.matches("^(INC|CHG)-[0-9]+")`,
		func(r *Request) (ref.Val, bool) { return text(r.Reason) }),
	at("createdAt", types.TimestampType, "when it was asked", `now - request.createdAt < duration("48h")`,
		func(r *Request) (ref.Val, bool) { return moment(r.Created) }),
	at("labels", stringList, "labels of the pull request", `"ship-it" in request.labels`,
		func(r *Request) (ref.Val, bool) { return texts(r.Labels) }),
)

var requesterType = newType("Requester",
	at("login", types.StringType, `login of who asked last, "" for nobody`, `requester.login != "mallory"`,
		func(r *Requester) (ref.Val, bool) { return sure(types.String(r.last().Login)) }),
	at("id", types.IntType, "account number of who asked last, 0 for nobody", `requester.id != 0`,
		func(r *Requester) (ref.Val, bool) { return sure(types.Int(r.last().ID)) }),
	at("logins", stringList, "logins of everybody who asked", `!requester.logins.exists(l, l in image.builder.users)`,
		func(r *Requester) (ref.Val, bool) { return sure(logins(r.People)) }),
	at("ids", intList, "account numbers of everybody who asked", `!requester.ids.exists(i, i in image.builder.ids)`,
		func(r *Requester) (ref.Val, bool) { return sure(ids(r.People)) }),
	at("teams", stringList, "teams of who asked last: organisation/slug", `"acme/on-call" in requester.teams`,
		func(r *Requester) (ref.Val, bool) { return texts(r.Teams) }),
	at("type", types.StringType, "User, Bot, or None where nobody asked", `requester.type == "User"`,
		func(r *Requester) (ref.Val, bool) { return sure(types.String(r.kind())) }),
)

var requesterTypes = []string{"User", "Bot", "None"}

func (r *Requester) last() promotion.Identity {
	if len(r.People) == 0 {
		return promotion.Identity{}
	}
	return r.People[len(r.People)-1]
}

func (r *Requester) kind() string {
	switch {
	case len(r.People) == 0:
		return "None"
	case r.last().Bot:
		return "Bot"
	}
	return "User"
}

var approvalType = newType("Approval",
	at("login", types.StringType, "who approved", `approvals.exists(a, a.login == "carol")`,
		func(a *Approval) (ref.Val, bool) { return sure(types.String(a.By.Login)) }),
	at("id", types.IntType, "account number of who approved", `approvals.exists(a, a.id == 583231)`,
		func(a *Approval) (ref.Val, bool) { return sure(types.Int(a.By.ID)) }),
	at("teams", stringList, "teams of who approved: organisation/slug", `approvals.exists(a, "acme/sre" in a.teams)`,
		func(a *Approval) (ref.Val, bool) { return texts(a.Teams) }),
	at("at", types.TimestampType, "when", `approvals.all(a, now - a.at < duration("24h"))`,
		func(a *Approval) (ref.Val, bool) { return moment(a.At) }),
)

var changeType = newType("Change",
	at("kind", types.StringType, "major, minor, patch, digest or unknown", `change.kind != "major" || approvals.size() >= 2`,
		func(c *Change) (ref.Val, bool) { return text(c.Kind) }),
	at("files", stringList, "the files that are edited", `change.files.all(f, f.startsWith("envs/prod/"))`,
		func(c *Change) (ref.Val, bool) { return texts(c.Files) }),
	at("kinds", stringList, "kinds of the objects that are edited", `!("StatefulSet" in change.kinds)`,
		func(c *Change) (ref.Val, bool) { return texts(c.Kinds) }),
)

var structTypes = []*structType{
	imageType, signatureType, attestationType, provenanceType, builderType, previousType,
	placeType, requestType, requesterType, approvalType, changeType,
}

// commitKeys are the keys of each entry of gitCommitDetails.
var commitKeys = []string{"branch", "commitMessage", "sha", "author"}

// A variable of the language.
type variable struct {
	name, doc, example string
	typ                *types.Type
	read               func(*Facts) (ref.Val, bool)
}

// one declares a variable that is an object.
func one[T any](name string, typ *structType, doc, example string, of func(*Facts) *T) variable {
	return variable{name, doc, example, typ.typ, func(f *Facts) (ref.Val, bool) { return sure(&object{of(f), typ, name}) }}
}

var variables = []variable{
	{
		"containerImage", "repository:tag, without digest", `containerImage.startsWith("ghcr.io/acme/")`, types.StringType,
		func(f *Facts) (ref.Val, bool) {
			return types.String(image.Ref{Name: repository(f.Image.Ref), Tag: f.Image.Ref.Tag}.String()), f.Image.tagged()
		},
	},
	{
		"containerRepository", "everything before the tag, with the registry", `containerRepository == "ghcr.io/acme/shop"`, types.StringType,
		func(f *Facts) (ref.Val, bool) {
			return types.String(repository(f.Image.Ref)), f.Image.Ref.Name != ""
		},
	},
	{
		"containerImageTag", `the tag, "" if none is written`, `containerImageTag.startsWith("Prod-")`, types.StringType,
		func(f *Facts) (ref.Val, bool) { return types.String(f.Image.Ref.Tag), f.Image.tagged() },
	},
	{
		"imageLabels", "the tags that name the same digest; whoever writes tags controls it", `"prod" in imageLabels`, stringList,
		func(f *Facts) (ref.Val, bool) { return texts(f.Image.Tags) },
	},
	{
		"gitCommitDetails", "what the image was built from, by repository: branch, commitMessage, sha, author",
		`gitCommitDetails["https://github.com/acme/shop"].branch == "main"`,
		types.NewMapType(types.StringType, stringMap),
		func(f *Facts) (ref.Val, bool) {
			m := make(map[string]map[string]string, len(f.GitCommitDetails.Value))
			for repo, c := range f.GitCommitDetails.Value {
				m[repo] = map[string]string{"branch": c.Branch, "commitMessage": c.Message, "sha": c.SHA, "author": c.Author}
			}
			return types.NewDynamicMap(types.DefaultTypeAdapter, m), f.GitCommitDetails.Known
		},
	},
	{"appName", "the app", `appName == "shop"`, types.StringType, func(f *Facts) (ref.Val, bool) { return text(f.App) }},
	{"envName", "the environment where the image goes", `envName != "prod"`, types.StringType, func(f *Facts) (ref.Val, bool) { return text(f.Env) }},
	{
		"isProdEnv", "the environment is marked as production", `!isProdEnv || isSemver(containerImageTag)`, types.BoolType,
		func(f *Facts) (ref.Val, bool) { return truth(f.Production) },
	},
	one("image", imageType, "the image that is judged", `image.registry == "ghcr.io"`, func(f *Facts) *Image { return &f.Image }),
	{
		"images", "all images of the change; a condition is asked for each in turn as image", `images.all(i, i.registry == "ghcr.io")`, types.NewListType(imageType.typ),
		func(f *Facts) (ref.Val, bool) { return objects(f.Images.Value, imageType, "images"), f.Images.Known },
	},
	one("source", placeType, "where the image comes from", `source.env == "staging"`, func(f *Facts) *Place { return &f.Source }),
	one("target", placeType, "where the image goes", `target.current != image.digest`, func(f *Facts) *Place { return &f.Target }),
	one("request", requestType, "what was asked", `!request.hotfix`, func(f *Facts) *Request { return &f.Request }),
	{
		"requester", "who asked", `requester.login != ""`, requesterType.typ,
		func(f *Facts) (ref.Val, bool) {
			return &object{&f.Requester.Value, requesterType, "requester"}, f.Requester.Known
		},
	},
	{
		"approvals", "the approvals that count", `approvals.size() >= 2`, types.NewListType(approvalType.typ),
		func(f *Facts) (ref.Val, bool) {
			return objects(f.Approvals.Value, approvalType, "approvals"), f.Approvals.Known
		},
	},
	one("change", changeType, "what is edited", `change.kind in ["patch", "digest"]`, func(f *Facts) *Change { return &f.Change }),
	{
		"now", "when it is judged", `now.getDayOfWeek("Europe/Berlin") != 5`, types.TimestampType,
		func(f *Facts) (ref.Val, bool) { return moment(f.Now) },
	},
}

// tagged says whether it is known which tag the image has, or that it has none.
func (i *Image) tagged() bool { return i.Ref.Name != "" && !i.TagUnknown }

// repository is the canonical name, "" where there is none.
func repository(r image.Ref) string {
	if r.Name == "" {
		return ""
	}
	return r.Repository()
}
