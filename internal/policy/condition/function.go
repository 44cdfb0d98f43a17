package condition

import (
	"fmt"
	"slices"
	"strings"

	"github.com/bmatcuk/doublestar/v4"
	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/operators"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
)

// declarations are the functions that CEL does not have.
func declarations() []cel.EnvOption {
	str, boolean, integer := types.StringType, types.BoolType, types.IntType
	number := func(name string, of func(version) uint64) cel.EnvOption {
		return cel.Function(name, cel.MemberOverload("version_"+name, []*cel.Type{versionType}, integer,
			cel.UnaryBinding(func(v ref.Val) ref.Val { return types.Int(min(of(v.(version)), 1<<62)) })))
	}
	order := func(name string, result *cel.Type, of func(int) ref.Val) cel.EnvOption {
		return cel.Function(name, cel.MemberOverload("version_"+name, []*cel.Type{versionType, versionType}, result,
			cel.BinaryBinding(func(a, b ref.Val) ref.Val { return of(a.(version).v.Compare(b.(version).v)) })))
	}
	options := []cel.EnvOption{
		cel.Types(versionType),
		cel.Function("semver",
			cel.Overload("semver_string", []*cel.Type{str}, versionType, cel.UnaryBinding(func(s ref.Val) ref.Val { return toVersion(s, types.False) })),
			cel.Overload("semver_string_bool", []*cel.Type{str, boolean}, versionType, cel.BinaryBinding(toVersion))),
		cel.Function("isSemver",
			cel.Overload("isSemver_string", []*cel.Type{str}, boolean, cel.UnaryBinding(func(s ref.Val) ref.Val { return isVersion(s, types.False) })),
			cel.Overload("isSemver_string_bool", []*cel.Type{str, boolean}, boolean, cel.BinaryBinding(isVersion))),
		number("major", func(v version) uint64 { return v.v.Major() }),
		number("minor", func(v version) uint64 { return v.v.Minor() }),
		number("patch", func(v version) uint64 { return v.v.Patch() }),
		order("compareTo", integer, func(n int) ref.Val { return types.Int(n) }),
		order("isGreaterThan", boolean, func(n int) ref.Val { return types.Bool(n > 0) }),
		order("isLessThan", boolean, func(n int) ref.Val { return types.Bool(n < 0) }),
		cel.Function("inSemverRange",
			cel.Overload("inSemverRange_string_string", []*cel.Type{str, str}, boolean, cel.BinaryBinding(inRange)),
			cel.Overload("inSemverRange_version_string", []*cel.Type{versionType, str}, boolean, cel.BinaryBinding(inRange))),
		cel.Function("glob", cel.Overload("glob_string_string", []*cel.Type{str, str}, boolean, cel.BinaryBinding(glob))),
		cel.Function("isMember", cel.Overload("isMember_string_string", []*cel.Type{str, str}, boolean)),
		cel.Function("signedBy", cel.Overload("signedBy_image_string_string", []*cel.Type{imageType.typ, str, str}, boolean)),
		cel.Function("hasAttestation", cel.Overload("hasAttestation_image_string", []*cel.Type{imageType.typ, str}, boolean)),
		cel.Function("age", cel.Overload("age_timestamp", []*cel.Type{types.TimestampType}, types.DurationType)),
	}
	for name, id := range map[string]string{operators.Less: "less", operators.LessEquals: "less_equals", operators.Greater: "greater", operators.GreaterEquals: "greater_equals"} {
		options = append(options, cel.Function(name, cel.Overload(id+"_version", []*cel.Type{versionType, versionType}, boolean)))
	}
	return options
}

func toVersion(s, loose ref.Val) ref.Val {
	v, err := parseVersion(string(s.(types.String)), bool(loose.(types.Bool)))
	if err != nil {
		return types.WrapErr(err)
	}
	return v
}

func isVersion(s, loose ref.Val) ref.Val {
	_, err := parseVersion(string(s.(types.String)), bool(loose.(types.Bool)))
	return types.Bool(err == nil)
}

// inRange is false for what is no version.
func inRange(v, text ref.Val) ref.Val {
	c, err := parseRange(string(text.(types.String)))
	if err != nil {
		return types.WrapErr(err)
	}
	of, ok := v.(version)
	if !ok {
		of, err = parseVersion(string(v.(types.String)), false)
		if err != nil {
			return types.False
		}
	}
	return types.Bool(c.Check(of.v))
}

func glob(s, pattern ref.Val) ref.Val {
	p := string(pattern.(types.String))
	if err := checkGlob(p); err != nil {
		return types.WrapErr(err)
	}
	ok, err := doublestar.Match(p, string(s.(types.String)))
	if err != nil {
		return types.WrapErr(fmt.Errorf("%s is no glob: %w", quote(p), err)) // unreachable: checked above
	}
	return types.Bool(ok)
}

// checkGlob bounds a glob. Matching takes time exponential in the number of braces.
func checkGlob(p string) error {
	switch {
	case len(p) > maxPattern:
		return fmt.Errorf("the glob has more than %d characters", maxPattern)
	case strings.Count(p, "{") > 2:
		return fmt.Errorf("%s has more than two groups in braces: write more globs and join them with ||", quote(p))
	case !doublestar.ValidatePattern(p):
		return fmt.Errorf("%s is no glob: want one such as ghcr.io/acme/* or **/prod/**", quote(p))
	}
	return nil
}

// A lookup is a function that needs the facts, or keeps regular expressions.
type lookup struct {
	takes []ref.Type
	do    func(r *run, args []ref.Val) (ref.Val, *lack)
}

var lookups = map[string]*lookup{
	"matches":        {[]ref.Type{types.StringType, types.StringType}, matches},
	"isMember":       {[]ref.Type{types.StringType, types.StringType}, isMember},
	"signedBy":       {[]ref.Type{imageType.typ, types.StringType, types.StringType}, signedBy},
	"hasAttestation": {[]ref.Type{imageType.typ, types.StringType}, hasAttestation},
	"age":            {[]ref.Type{types.TimestampType}, age},
}

// call checks what the checker could not: arguments of type dyn.
func (f *lookup) call(r *run, args []ref.Val) (ref.Val, *lack) {
	for i, t := range f.takes {
		if args[i].Type().TypeName() != t.TypeName() {
			return nil, erred("no such overload: " + show(args[i]) + " is no " + strings.TrimPrefix(t.TypeName(), "pinnace."))
		}
	}
	return f.do(r, args)
}

func matches(r *run, args []ref.Val) (ref.Val, *lack) {
	s, p := args[0].(types.String), args[1].(types.String)
	re, l := r.pattern(string(p), len(s))
	if l != nil {
		return nil, l
	}
	return types.Bool(re.MatchString(string(s))), nil
}

func isMember(r *run, args []ref.Val) (ref.Val, *lack) {
	m := MembershipOf(string(args[0].(types.String)), string(args[1].(types.String)))
	if err := checkTeam(string(args[1].(types.String))); err != nil {
		return nil, erred(err.Error())
	}
	if m.Login == "" {
		return types.False, nil
	}
	held, known := r.facts.Members[m]
	if !known {
		if !slices.Contains(r.asked, m) && len(r.asked) < maxMissing {
			r.asked = append(r.asked, m)
		}
		return nil, missing(fmt.Sprintf("isMember(%s, %s)", quote(m.Login), quote(m.Team)))
	}
	return types.Bool(held), nil
}

func checkTeam(team string) error {
	org, slug, ok := strings.Cut(team, "/")
	if !ok || org == "" || slug == "" || strings.Contains(slug, "/") {
		return fmt.Errorf("%s is no team: write organisation/slug, such as acme/release", quote(team))
	}
	return nil
}

// signedBy asks for one verified signature whose whole identity matches.
func signedBy(r *run, args []ref.Val) (ref.Val, *lack) {
	of := args[0].(*object)
	img := of.of.(*Image)
	if !img.Signatures.Known {
		return nil, missing(of.path + ".signatures")
	}
	size := 1
	for _, s := range img.Signatures.Value {
		size += len(s.Identity)
	}
	re, l := r.pattern(whole(string(args[1].(types.String))), size)
	if l != nil {
		return nil, l
	}
	for _, s := range img.Signatures.Value {
		if s.Verified && s.Issuer == string(args[2].(types.String)) && re.MatchString(s.Identity) {
			return types.True, nil
		}
	}
	return types.False, nil
}

// What makes a pattern match a text from its start to its end.
const wholeStart, wholeEnd = `\A(?:`, `)\z`

func whole(pattern string) string { return wholeStart + pattern + wholeEnd }

func hasAttestation(r *run, args []ref.Val) (ref.Val, *lack) {
	of := args[0].(*object)
	img := of.of.(*Image)
	if !img.Attestations.Known {
		return nil, missing(of.path + ".attestations")
	}
	if l := r.spend(uint64(len(img.Attestations.Value))); l != nil {
		return nil, l
	}
	for _, a := range img.Attestations.Value {
		if a.Verified && a.PredicateType == string(args[1].(types.String)) {
			return types.True, nil
		}
	}
	return types.False, nil
}

func age(r *run, args []ref.Val) (ref.Val, *lack) {
	if !r.facts.Now.Known {
		return nil, missing("now")
	}
	t := args[0].(types.Timestamp)
	return settled(types.Timestamp{Time: r.facts.Now.Value.UTC()}.Subtract(t))
}
