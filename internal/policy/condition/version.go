package condition

import (
	"errors"
	"fmt"
	"reflect"
	"strings"

	"github.com/Masterminds/semver/v3"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"github.com/google/cel-go/common/types/traits"

	"github.com/pinnace-dev/pinnace/internal/image"
)

// versionType is the type of semver(...).
var versionType = types.NewObjectType("pinnace.Version", traits.ComparerType)

// A version is a value of CEL.
type version struct{ v *semver.Version }

func (v version) ConvertToNative(reflect.Type) (any, error) {
	return nil, errors.New("a version is no Go value")
}

func (v version) ConvertToType(t ref.Type) ref.Val {
	if t == types.TypeType {
		return versionType
	}
	return types.NewErr("a version is no %s", t.TypeName())
}

// Equal compares by precedence: build metadata does not count
// (https://semver.org/#spec-item-10).
func (v version) Equal(other ref.Val) ref.Val {
	o, ok := other.(version)
	return types.Bool(ok && v.v.Equal(o.v))
}

func (v version) Compare(other ref.Val) ref.Val {
	o, ok := other.(version)
	if !ok {
		return types.MaybeNoSuchOverloadErr(other)
	}
	return types.Int(v.v.Compare(o.v))
}

func (v version) Type() ref.Type { return versionType }
func (v version) Value() any     { return v.v }

// parseVersion reads three numbers with an optional v before and pre-release and build after:
// 1.4.0, v1.4.0-rc.1. With loose, minor and patch may be absent and numbers may have leading
// zeros: v1.4, 2024.01.02.
func parseVersion(s string, loose bool) (version, error) {
	const most = 256 // of a tag it is 128
	if len(s) > most {
		return version{}, fmt.Errorf("%s is no version: it has more than %d characters", quote(s), most)
	}
	var v *semver.Version
	var err error
	if loose {
		v, err = semver.NewVersion(trimZeros(s))
	} else {
		v, err = semver.StrictNewVersion(strings.TrimPrefix(s, "v"))
	}
	if err != nil {
		return version{}, fmt.Errorf("%s is no version: want three numbers such as 1.4.0 or v1.4.0-rc.1", quote(s))
	}
	return version{v}, nil
}

// trimZeros drops the leading zeros of the numbers before a pre-release or build.
func trimZeros(s string) string {
	end := strings.IndexAny(s, "-+")
	if end < 0 {
		end = len(s)
	}
	parts := strings.Split(strings.TrimPrefix(s[:end], "v"), ".")
	for i, p := range parts {
		if t := strings.TrimLeft(p, "0"); t != "" {
			parts[i] = t
		} else if p != "" {
			parts[i] = "0"
		}
	}
	return strings.Join(parts, ".") + s[end:]
}

// parseRange reads a range of versions such as ^1.2 or >=1.2.0 <2.0.0 || 3.x
// (https://github.com/Masterminds/semver#checking-version-constraints).
func parseRange(s string) (*semver.Constraints, error) {
	const most = 256
	if len(s) > most {
		return nil, fmt.Errorf("%s is no range of versions: it has more than %d characters", quote(s), most)
	}
	c, err := semver.NewConstraint(s)
	if err != nil {
		return nil, fmt.Errorf("%s is no range of versions: want one such as ^1.2, ~1.4.0 or >=1.2.0 <2.0.0", quote(s))
	}
	return c, nil
}

// A ChangeKind says how far apart two images are.
type ChangeKind string

// The kinds of change. One that cannot be told is ChangeUnknown, a known value.
const (
	ChangeMajor   ChangeKind = "major"
	ChangeMinor   ChangeKind = "minor"
	ChangePatch   ChangeKind = "patch" // patch, or pre-release and build
	ChangeDigest  ChangeKind = "digest"
	ChangeUnknown ChangeKind = "unknown" // another repository, or tags that are not versions
)

var changeKinds = []string{string(ChangeMajor), string(ChangeMinor), string(ChangePatch), string(ChangeDigest), string(ChangeUnknown)}

// KindOfChange compares the tags of two images of one repository. Direction does not count:
// from 2.0.0 to 1.0.0 is major.
func KindOfChange(before, after image.Ref) ChangeKind {
	if before.Name == "" || after.Name == "" || before.Repository() != after.Repository() {
		return ChangeUnknown
	}
	if before.Tag == after.Tag {
		return ChangeDigest
	}
	x, err := parseVersion(before.Tag, false)
	if err != nil {
		return ChangeUnknown
	}
	y, err := parseVersion(after.Tag, false)
	switch {
	case err != nil:
		return ChangeUnknown
	case x.v.Major() != y.v.Major():
		return ChangeMajor
	case x.v.Minor() != y.v.Minor():
		return ChangeMinor
	}
	return ChangePatch
}
