package condition

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
	_ "time/tzdata" // zones do not depend on the machine having them

	"github.com/google/cel-go/common/ast"
	"github.com/google/cel-go/common/operators"
	"github.com/google/cel-go/common/types"
)

// inspect looks for what compiles and yet is wrong, or probably not meant.
func (k *compiler) inspect() {
	ast.PreOrderVisit(k.tree.Expr(), ast.NewExprVisitor(func(e ast.Expr) {
		switch e.Kind() {
		case ast.CallKind:
			k.inspectCall(e)
		case ast.SelectKind:
			k.inspectCommit(e)
		}
	}))
}

func (k *compiler) inspectCall(e ast.Expr) {
	c := e.AsCall()
	args := c.Args()
	if c.IsMemberFunction() {
		args = append([]ast.Expr{c.Target()}, args...)
	}
	switch name := c.FunctionName(); name {
	case operators.Less, operators.LessEquals, operators.Greater, operators.GreaterEquals:
		k.inspectOrder(e, args)
	case operators.Equals, operators.NotEquals:
		if k.inspectEquality(args[0], args[1]) {
			k.inspectEquality(args[1], args[0])
		}
	case operators.In:
		k.inspectMembership(args[0], args[1])
	case "matches", "regex.extract", "regex.extractAll", "regex.replace":
		k.inspectPattern(name, args)
	case "signedBy":
		k.pattern(args[1], whole)
	case "glob":
		k.inspectText(args[1], checkGlob)
	case "inSemverRange":
		k.inspectText(args[1], func(s string) error { _, err := parseRange(s); return err })
	case "semver":
		loose := len(args) > 1
		k.inspectText(args[0], func(s string) error { _, err := parseVersion(s, loose); return err })
	case "isMember":
		k.inspectText(args[1], checkTeam)
	}
	if strings.HasPrefix(c.FunctionName(), "get") && len(args) == 2 {
		k.inspectZone(args[1])
	}
}

// written returns a text as written.
func written(e ast.Expr) (string, bool) {
	if e.Kind() != ast.LiteralKind {
		return "", false
	}
	s, ok := e.AsLiteral().(types.String)
	return string(s), ok
}

// inspectText reports a written argument that can never do.
func (k *compiler) inspectText(e ast.Expr, check func(string) error) {
	if s, ok := written(e); ok {
		if err := check(s); err != nil {
			k.at(e, Error, "%s", err)
		}
	}
}

// versionLike is a text that means a version.
var versionLike = regexp.MustCompile(`^v?[0-9]+\.[0-9]+(\.[0-9]+)?([-+].*)?$`)

// inspectOrder finds versions that are compared as texts.
func (k *compiler) inspectOrder(e ast.Expr, args []ast.Expr) {
	if k.tree.GetType(args[0].ID()).Kind() != types.StringKind || k.tree.GetType(args[1].ID()).Kind() != types.StringKind {
		return
	}
	var sides [2]string
	found, tags := "", 0
	for i, a := range args {
		s, ok := written(a)
		switch {
		case ok && versionLike.MatchString(s):
			found = s
		case k.isTag(a):
			tags++
		}
		sides[i] = "semver(" + k.planner.spell(a) + ")"
		if _, err := parseVersion(s, false); ok && err != nil {
			sides[i] = "semver(" + k.planner.spell(a) + ", true)"
		}
	}
	if found == "" && tags < 2 {
		return
	}
	operator, _ := operators.FindReverse(e.AsCall().FunctionName())
	k.at(e, Warning, `this compares texts letter by letter, and "1.10.0" comes before "1.9.0": write %s %s %s, or use inSemverRange()`, sides[0], operator, sides[1])
}

// isTag says whether an expression is the tag of an image.
func (k *compiler) isTag(e ast.Expr) bool {
	return k.is(e, "containerImageTag") || k.is(e, "image.tag") || k.is(e, "image.previous.tag")
}

// is says whether an expression is a variable, or a field of an object of the type that the
// variable before the dot has.
func (k *compiler) is(e ast.Expr, path string) bool {
	switch e.Kind() {
	case ast.IdentKind:
		return e.AsIdent() == path
	case ast.SelectKind:
		i := strings.LastIndexByte(path, '.')
		if i < 0 || e.AsSelect().FieldName() != path[i+1:] || e.AsSelect().IsTestOnly() {
			return false
		}
		t := typeBefore(path[:i])
		return t != nil && k.tree.GetType(e.AsSelect().Operand().ID()).TypeName() == t.name
	}
	return false
}

// enumerated are the fields that have few values.
var enumerated = map[string][]string{"change.kind": changeKinds, "request.kind": requestKinds, "requester.type": requesterTypes}

// comparable reports the comparison of an object.
func (k *compiler) comparable(e ast.Expr) bool {
	if structOf(k.tree.GetType(e.ID()).TypeName()) == nil {
		return true
	}
	k.at(e, Error, "objects cannot be compared: compare a field, such as image.digest")
	return false
}

// inspectEquality finds values that a variable never has. It returns false where that is
// settled for the other side as well.
func (k *compiler) inspectEquality(of, value ast.Expr) bool {
	if !k.comparable(of) {
		return false
	}
	s, ok := written(value)
	if !ok {
		return true
	}
	for path, known := range enumerated {
		if k.is(of, path) && !slices.Contains(known, s) {
			k.at(value, Warning, "%s is never %s%s", path, quote(s), hint(s, known))
		}
	}
	switch {
	case (k.is(of, "containerRepository") || k.is(of, "image.repository")) && !strings.Contains(s, "/"):
		k.at(value, Warning, "a repository is the whole name, such as ghcr.io/acme/%[1]s, and never %[2]s: write all of it, or %[3]s.endsWith(\"/%[1]s\")", clip(s, 60), quote(s), k.planner.spell(of))
	case k.is(of, "image.registry") && strings.Contains(s, "/"):
		k.at(value, Warning, "a registry is a host, such as ghcr.io, and never %s", quote(s))
	case k.isTag(of) && strings.ContainsAny(s, ":/@"):
		k.at(value, Warning, "a tag is what follows the colon, and never %s", quote(s))
	}
	return false
}

func (k *compiler) inspectMembership(of, in ast.Expr) {
	if k.comparable(of) && in.Kind() == ast.ListKind {
		for _, value := range in.AsList().Elements() {
			k.inspectEquality(of, value)
		}
	}
}

// pattern compiles a regular expression that is written in the condition.
func (k *compiler) pattern(e ast.Expr, as func(string) string) bool {
	s, ok := written(e)
	if !ok {
		return false
	}
	p, err := compilePattern(as(s))
	if err != nil {
		k.at(e, Error, "%s", err)
		return false
	}
	k.programs[as(s)] = p
	return true
}

// unanchored matches patterns that seem to describe all of a text.
var unanchored = regexp.MustCompile(`\[[^\]]+\]|\\[dwsDWS]|[+*?{]|\(`)

func (k *compiler) inspectPattern(name string, args []ast.Expr) {
	if !k.pattern(args[1], func(s string) string { return s }) || name != "matches" {
		return
	}
	s, _ := written(args[1])
	loose := strings.HasPrefix(s, ".*") || strings.HasSuffix(s, ".*") || strings.HasPrefix(s, "(?")
	anchored := strings.ContainsAny(s, "^$") || strings.Contains(s, `\A`) || strings.Contains(s, `\z`) || strings.Contains(s, `\b`)
	if !loose && !anchored && unanchored.MatchString(s) {
		k.at(args[1], Warning, `matches() finds the pattern anywhere in the text, so that more may stand around it: write %s to match all of it`, quote("^"+s+"$"))
	}
}

// offsetZone is a zone as CEL writes it besides its name: +01:00.
var offsetZone = regexp.MustCompile(`^[+-]?[0-9]{2}:[0-9]{2}$`)

func (k *compiler) inspectZone(e ast.Expr) {
	k.inspectText(e, checkZone)
}

func checkZone(s string) error {
	if offsetZone.MatchString(s) {
		return nil
	}
	if _, err := time.LoadLocation(s); err != nil || s == "Local" {
		return fmt.Errorf("%s is no time zone: write one such as Europe/Berlin, UTC or +01:00", quote(s))
	}
	return nil
}

// inspectCommit finds keys that no entry of gitCommitDetails has.
func (k *compiler) inspectCommit(e ast.Expr) {
	of := e.AsSelect().Operand()
	if of.Kind() != ast.CallKind || of.AsCall().FunctionName() != operators.Index || !k.is(of.AsCall().Args()[0], "gitCommitDetails") {
		return
	}
	if f := e.AsSelect().FieldName(); !slices.Contains(commitKeys, f) {
		k.offset(k.planner.nameOffset(e)+1, Warning, "gitCommitDetails has no %s%s", clip(f, 60), hint(f, commitKeys))
	}
}
