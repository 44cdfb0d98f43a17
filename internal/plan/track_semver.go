package plan

import (
	"cmp"
	"fmt"
)

// semver makes the rule one for versions in a range. Tags keep the form of the current
// one: its v, how many numbers, and its suffix. Where the current tag is no version, they
// are the versions without a suffix, whatever their form; of equals the most precise.
func (r *rule) semver(text string) error {
	c, err := readConstraint(text)
	if err != nil {
		return fmt.Errorf("%q is not a version constraint: %w", text, err)
	}
	now, isVersion := readVersion(r.current, c.words, c.pre)
	want := now.form()
	r.scope = "in " + text
	if isVersion {
		r.scope += want.describe()
	} else {
		r.keep = withoutDates
	}
	r.compare = func(a, b candidate) int {
		return cmp.Or(compareVersions(a.version, b.version), cmp.Compare(len(a.version.numbers), len(b.version.numbers)))
	}
	r.read = func(tag string) (candidate, string) {
		v, ok := readVersion(tag, c.words, c.pre)
		if !ok {
			return candidate{}, "not a version"
		}
		if !isVersion {
			want = form{prefix: v.prefix, numbers: len(v.numbers), long: v.form().long}
		}
		if why := v.form().differs(want); why != "" {
			return candidate{}, why
		}
		if len(v.pre) > 0 && !c.pre {
			return candidate{}, "a pre-release, and " + text + " names none"
		}
		if !c.admits(v) {
			return candidate{}, "not in " + text
		}
		return candidate{tag: tag, version: v}, ""
	}
	return nil
}

// differs says in what a form is not the one that is wanted.
func (f form) differs(want form) string {
	switch {
	case f.suffix != want.suffix && want.suffix == "":
		return "it has a suffix"
	case f.suffix != want.suffix:
		return "its suffix is not " + want.suffix
	case f.numbers != want.numbers, f.long != want.long:
		return "its precision is not " + want.shape()
	case f.prefix != want.prefix && want.prefix == "":
		return "it begins with " + f.prefix
	case f.prefix != want.prefix:
		return "it does not begin with " + want.prefix
	}
	return ""
}

// shape spells a form: v1.2.3-alpine.
func (f form) shape() string {
	if f.long {
		return f.prefix + "20240131" + f.suffix
	}
	s := f.prefix + "1"
	for i := 2; i <= f.numbers; i++ {
		s += fmt.Sprintf(".%d", i)
	}
	return s + f.suffix
}

func (f form) describe() string {
	if f == (form{numbers: 3}) {
		return ""
	}
	return " of the form " + f.shape()
}

// withoutDates keeps the versions that are not a single long number, such as a date, where
// there are any.
func withoutDates(all []candidate) (kept, dropped []candidate) {
	for _, c := range all {
		if c.version.form().long {
			dropped = append(dropped, c)
		} else {
			kept = append(kept, c)
		}
	}
	if len(kept) == 0 {
		return dropped, nil
	}
	return kept, dropped
}
