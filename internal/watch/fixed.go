package watch

import (
	"regexp"
	"strings"
)

var (
	// fullVersion is three numbers or more: 1.2.3, v1.2.3-alpine, release-1.2.3.4.
	fullVersion = regexp.MustCompile(`(^|[-_])[vV]?[0-9]{1,9}(\.[0-9]{1,9}){2,}($|[-_.+a-zA-Z])`)
	// day is a date with or without a time: 20260131, 2026-01-31, 202601311530.
	day = regexp.MustCompile(`(^|[^0-9])(19|20)[0-9]{2}[-_.]?(0[1-9]|1[0-2])[-_.]?(0[1-9]|[12][0-9]|3[01])($|[^0-9]|[0-9]{2,6}($|[^0-9]))`)
	// month is a date without a day, which an image is built for more than once.
	month = regexp.MustCompile(`^(19|20)[0-9]{2}(0[1-9]|1[0-2])$`)
	// build is a number that says so.
	build = regexp.MustCompile(`(?i)(^|[-_.])(build|run|ci)[-_.]?[0-9]+$`)
	// number is a tag of one number that is too long for a version.
	number = regexp.MustCompile(`^[0-9]{6,}$`)
	// commit is a hash of git, short or whole, with or without a letter that says so.
	commit = regexp.MustCompile(`^(g?[0-9a-f]{7,40}|[0-9a-f]{64})$`)
	// moving are the words of versions that are built again and again.
	moving = regexp.MustCompile(`(?i)(^|[-_.])(snapshot|latest|edge|nightly|canary|dev|develop|main|master|head|next)($|[-_.])`)
)

// Fixed says whether a tag looks like one that stays what it is: a full version as 1.2.3, a
// date, a build's number or a commit's hash. It is never one that is meant to move, such as
// latest, main, 1 or 1.4.
func Fixed(tag string) bool {
	for _, part := range strings.FieldsFunc(tag, func(r rune) bool { return r == '-' || r == '_' || r == '.' }) {
		if commit.MatchString(part) && strings.ContainsAny(part, "0123456789") && strings.ContainsAny(part, "abcdef") {
			return true
		}
	}
	switch {
	case day.MatchString(tag), build.MatchString(tag):
		return true
	case number.MatchString(tag):
		return !month.MatchString(tag)
	}
	return fullVersion.MatchString(tag) && !moving.MatchString(tag)
}
