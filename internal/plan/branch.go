package plan

import (
	"strings"

	"github.com/pinnace-dev/pinnace/internal/promotion"
)

// Prefix begins the name of every branch that Pinnace writes.
const Prefix = "pinnace/"

// A branch is what a proposal's branch is named by.
type branch struct {
	kind, environment, app string
}

// name returns pinnace/<kind>[/<environment>[/<app>]], and for a base that is not the
// default branch pinnace/base/<base>/<kind>...
func (b branch) name(base string, isDefault bool) string {
	name := Prefix
	if !isDefault {
		name += "base/" + base + "/"
	}
	name += b.kind
	if b.environment != "" {
		name += "/" + b.environment
	}
	if b.app != "" {
		name += "/" + refComponent(b.app)
	}
	return name
}

// refComponent spells an app's name as one component of a ref, one for each name
// (https://git-scm.com/docs/git-check-ref-format). No name of an app holds a plus sign.
func refComponent(app string) string {
	s := strings.NewReplacer("/", "+", ":", "++", "[", "+(", "]", ")+").Replace(app)
	if strings.HasSuffix(s, ".lock") {
		s += "+"
	}
	return s
}

// KindOf says what a branch of this name proposes to the base; false where Build would name
// no branch so.
func KindOf(name, base string, isDefault bool) (promotion.Kind, bool) {
	rest, ok := strings.CutPrefix(name, branch{}.name(base, isDefault))
	switch {
	case !ok:
		return "", false
	case rest == "pin-all", rest == "pin-shared", strings.HasPrefix(rest, "pin/"):
		return promotion.Pin, true
	case strings.HasPrefix(rest, "update/"):
		return promotion.Update, true
	case strings.HasPrefix(rest, "promote/"):
		return promotion.Promotion, true
	case strings.HasPrefix(rest, "rollback/"):
		return promotion.Rollback, true
	}
	return "", false
}

// verbs name the kinds whose branch is one app's in one environment.
var verbs = map[promotion.Kind]string{promotion.Update: "update", promotion.Promotion: "promote", promotion.Rollback: "rollback"}

// BranchOf returns the branch of an Update, a Promotion or a Rollback of an app in an
// environment. It is "" for any other kind.
func BranchOf(kind promotion.Kind, env, app, base string, isDefault bool) string {
	verb, ok := verbs[kind]
	if !ok {
		return ""
	}
	return branch{kind: verb, environment: env, app: app}.name(base, isDefault)
}
