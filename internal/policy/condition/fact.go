package condition

import (
	"strings"
	"time"

	"github.com/pinnace-dev/pinnace/internal/image"
	"github.com/pinnace-dev/pinnace/internal/promotion"
)

// A Fact is a value, or the knowledge that nobody knows it. The zero Fact is unknown, and is
// not the same as a known empty value.
type Fact[T any] struct {
	Value T
	Known bool
}

// Known returns a fact.
func Known[T any](value T) Fact[T] { return Fact[T]{Value: value, Known: true} }

// Facts are what conditions are evaluated on. See [Reference] for what each variable means.
type Facts struct {
	App              Fact[string]
	Env              Fact[string]
	Production       Fact[bool]
	GitCommitDetails Fact[map[string]Commit] // by repository address: https://github.com/acme/shop
	Image            Image                   // the one that is judged
	Images           Fact[[]Image]           // all of the change, Image among them
	Source           Place                   // where the image comes from
	Target           Place                   // where it goes
	Request          Request
	Requester        Fact[Requester]
	Approvals        Fact[[]Approval]
	Change           Change
	Now              Fact[time.Time]
	Members          map[Membership]bool // what is not in it is unknown; keys by MembershipOf
}

// A Commit is what an image was built from.
type Commit struct{ Branch, Message, SHA, Author string }

// An Image is a container image. Ref has the name as written; conditions see its canonical
// form, so that no spelling of a name escapes them. Ref without a name is unknown.
type Image struct {
	Ref          image.Ref
	TagUnknown   bool // nobody can say that Ref's tag is one of the image
	Created      Fact[time.Time]
	Size         Fact[int64]    // bytes
	Platforms    Fact[[]string] // linux/amd64
	Labels       Fact[map[string]string]
	Annotations  Fact[map[string]string]
	Tags         Fact[[]string] // that name the same digest
	Signatures   Fact[[]Signature]
	Attestations Fact[[]Attestation]
	Provenance   Fact[Provenance]
	Builder      Fact[Builder]
	Previous     Fact[image.Ref] // what it replaces; a Ref without a name where nothing stood
}

// A Signature is one that was found at the digest. Verified says that the trust policy holds.
type Signature struct {
	Verified, Keyless       bool
	Issuer, Identity, KeyID string
	Integrated              Fact[time.Time]
}

// An Attestation is one that was found at the digest. Predicate is JSON, decoded.
type Attestation struct {
	Verified                        bool
	PredicateType, Issuer, Identity string
	Predicate                       Fact[any]
}

// Provenance says how an image was built. The zero value, known, says that there is none.
type Provenance struct {
	Verified                            bool
	BuilderID, BuildType                string
	SourceRepo, SourceRef, SourceDigest string
	Workflow, InvocationID, Event       string
	Started                             Fact[time.Time]
}

// A Builder is who started the build, from verified provenance.
type Builder struct {
	Users    []promotion.Identity
	Workflow string
}

// A Place is an app in an environment.
type Place struct {
	Env             Fact[string]
	Current         Fact[image.Digest]
	Since           Fact[time.Time]     // when the judged digest came
	Soak            Fact[time.Duration] // how long it has stood without a break
	LongestSoak     Fact[time.Duration]
	Verified        Fact[bool] // every gate is green
	VerifiedAt      Fact[time.Time]
	Checks          Fact[map[string]string] // gate to success, failure or pending
	Health          Fact[string]
	PreviousDigests Fact[[]string] // newest first
}

// A Request asks for a change.
type Request struct {
	ID          Fact[string]
	Kind        Fact[promotion.Kind]
	By          Fact[promotion.Identity] // the zero Identity where nobody asked
	Auto        Fact[bool]
	Rollback    Fact[bool]
	Hotfix      Fact[bool] // direct: from the registry, or skipping environments
	SkippedEnvs Fact[[]string]
	Reason      Fact[string]
	Created     Fact[time.Time]
	Labels      Fact[[]string] // of the pull request
}

// A Requester is everybody who asked; the newest is last. Teams are organisation/slug.
type Requester struct {
	People []promotion.Identity
	Teams  Fact[[]string]
}

// An Approval is one that counts.
type Approval struct {
	By    promotion.Identity
	Teams Fact[[]string]
	At    Fact[time.Time]
}

// A Change is what is edited.
type Change struct {
	Kind  Fact[ChangeKind]
	Files Fact[[]string] // paths in the config repository
	Kinds Fact[[]string] // of the objects that hold the places: Deployment, CronJob
}

// A Membership is a question that isMember() asks.
type Membership struct{ Login, Team string }

// MembershipOf returns the key under which [Facts] hold an answer. Logins and teams are
// compared without case, as GitHub does.
func MembershipOf(login, team string) Membership {
	return Membership{strings.ToLower(login), strings.ToLower(team)}
}
