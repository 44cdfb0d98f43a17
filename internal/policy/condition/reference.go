package condition

import (
	"strings"

	"github.com/google/cel-go/common/types"
)

// An Entry of the reference is a variable, a field of one, a function or an operator. The
// example is a whole condition.
type Entry struct {
	Name    string `json:"name"` // containerImage, image.tag, image.signatures[].issuer, semver
	Type    string `json:"type"` // string, list(string), semver(string) -> Version
	Doc     string `json:"doc"`  // one line
	Example string `json:"example"`
}

// Reference lists what a condition can be made of: variables with their fields, then
// functions, both in the order in which people should meet them.
func Reference() []Entry {
	var entries []Entry
	for _, v := range variables {
		entries = append(entries, Entry{v.name, typeName(v.typ), v.doc, v.example})
		entries = appendFields(entries, v.name, v.typ)
	}
	return append(entries, functionDocs...)
}

// appendFields lists the fields of a type, and of the types in it, once: images has those of
// image.
func appendFields(entries []Entry, path string, t *types.Type) []Entry {
	if t.Kind() == types.ListKind {
		path, t = path+"[]", t.Parameters()[0]
	}
	s := structOf(t.TypeName())
	if s == nil || path == "images[]" {
		return entries
	}
	for _, f := range s.fields {
		example := f.example
		if path == "target" {
			example = strings.ReplaceAll(example, "source.", "target.")
		}
		entries = append(entries, Entry{path + "." + f.name, typeName(f.typ), f.doc, example})
		entries = appendFields(entries, path+"."+f.name, f.typ)
	}
	return entries
}

// functionDocs are the functions that people need. Those of CEL itself that are not here can
// be used as well: https://github.com/google/cel-spec/blob/master/doc/langdef.md
var functionDocs = []Entry{
	{"semver", "semver(string) -> Version", "a version of three numbers, with or without v; errs for others; compare two with < <= == >= >", `semver(containerImageTag) > semver("0.0.7")`},
	{"semver", "semver(string, bool) -> Version", "with true, 1.4 is read as 1.4.0 and 2026.01 as 2026.1.0", `semver(containerImageTag, true) >= semver("1.4.0")`},
	{"isSemver", "isSemver(string) -> bool", "semver() takes it; a bool after it as there", `isSemver(containerImageTag)`},
	{"inSemverRange", "inSemverRange(string, string) -> bool", "a version in a range: ^1.2, ~1.4.0, >=1.2.0 <2.0.0; false for what is no version, and for pre-releases where the range names none", `inSemverRange(containerImageTag, "^1.2")`},
	{"major", "Version.major() -> int", "the first number; minor() and patch() are the others", `semver(image.tag).major() == semver(image.previous.tag).major()`},
	{"minor", "Version.minor() -> int", "the second number", `semver(image.tag).minor() < 10`},
	{"patch", "Version.patch() -> int", "the third number", `semver(image.tag).patch() > 0`},
	{"compareTo", "Version.compareTo(Version) -> int", "-1, 0 or 1", `semver(image.tag).compareTo(semver("1.0.0")) >= 0`},
	{"isGreaterThan", "Version.isGreaterThan(Version) -> bool", "the same as >", `semver(image.tag).isGreaterThan(semver("1.0.0"))`},
	{"isLessThan", "Version.isLessThan(Version) -> bool", "the same as <", `semver(image.tag).isLessThan(semver("2.0.0"))`},
	{"glob", "glob(string, string) -> bool", "a text matches a glob: * within a path segment, ** over several, ? [] {}", `glob(image.repository, "ghcr.io/acme/**")`},
	{"isMember", "isMember(string, string) -> bool", "a login is in a team: organisation/slug; indeterminate where the team cannot be read", `isMember(requester.login, "acme/release")`},
	{"signedBy", "signedBy(Image, string, string) -> bool", "a verified signature whose whole identity matches the pattern, vouched for by the issuer", `signedBy(image, "https://github.com/acme/.*", "https://token.actions.githubusercontent.com")`},
	{"hasAttestation", "hasAttestation(Image, string) -> bool", "a verified attestation of that predicate type", `hasAttestation(image, "https://slsa.dev/provenance/v1")`},
	{"age", "age(timestamp) -> duration", "now less the time", `age(image.created) < duration("720h")`},

	{"all", "list.all(x, bool) -> bool", "the condition holds for each element, or key of a map", `images.all(i, i.registry == "ghcr.io")`},
	{"exists", "list.exists(x, bool) -> bool", "it holds for at least one", `imageLabels.exists(t, t.startsWith("release-"))`},
	{"exists_one", "list.exists_one(x, bool) -> bool", "it holds for exactly one", `imageLabels.exists_one(t, isSemver(t))`},
	{"filter", "list.filter(x, bool) -> list", "the elements for which it holds", `approvals.filter(a, a.login != "carol").size() >= 2`},
	{"map", "list.map(x, value) -> list", "a value made of each element", `approvals.map(a, a.login) == ["carol", "dan"]`},
	{"size", "size() -> int", "characters of a text, elements of a list, keys of a map", `approvals.size() >= 2`},
	{"in", "value in list -> bool", "an element of a list, or a key of a map", `envName in ["staging", "prod"]`},
	{"has", "has(object.field) -> bool", "the key is there, or the field is not empty; a field that is not known stays unknown", `has(image.labels.team)`},
	{"orValue", "optional.orValue(value) -> value", "the value, or another where there is none; map[?key] and map.?key make optionals", `image.labels[?"team"].orValue("nobody") != "nobody"`},
	{"hasValue", "optional.hasValue() -> bool", "there is a value", `image.labels[?"team"].hasValue()`},

	{"startsWith", "string.startsWith(string) -> bool", "the text begins with another", `containerImageTag.startsWith("Prod-")`},
	{"endsWith", "string.endsWith(string) -> bool", "the text ends with another", `containerRepository.endsWith("/shop")`},
	{"contains", "string.contains(string) -> bool", "the text holds another", `containerImage.contains("docker.io")`},
	{"matches", "string.matches(string) -> bool", "a regular expression (RE2) is found in the text: anchor it with ^ and $", `containerImageTag.matches("^v[0-9]+\\.[0-9]+\\.[0-9]+$")`},
	{"split", "string.split(string) -> list(string)", "the parts between separators", `containerImageTag.split("-").size() == 2`},
	{"join", "list.join(string) -> string", "the texts, with a separator between", `imageLabels.join(",").contains("prod")`},
	{"replace", "string.replace(string, string) -> string", "each occurrence replaced by another text", `containerImageTag.replace("v", "") != "0.0.0"`},
	{"substring", "string.substring(int, int) -> string", "from a character up to another", `containerImageTag.size() > 4 && containerImageTag.substring(0, 4) == "main"`},
	{"indexOf", "string.indexOf(string) -> int", "-1 where it is not found; lastIndexOf() likewise", `containerImageTag.indexOf("-rc") == -1`},
	{"lowerAscii", "string.lowerAscii() -> string", "upperAscii() likewise", `containerImageTag.lowerAscii().startsWith("prod-")`},
	{"trim", "string.trim() -> string", "without white space around it", `request.reason.trim() != ""`},
	{"regex.extract", "regex.extract(string, string) -> optional(string)", "the first match, or its group", `regex.extract(containerImageTag, "^main-([0-9]+)$").orValue("0") != "0"`},
	{"regex.extractAll", "regex.extractAll(string, string) -> list(string)", "all matches, or their group", `regex.extractAll(request.reason, "[A-Z]+-[0-9]+").size() > 0`},
	{"regex.replace", "regex.replace(string, string, string) -> string", `\1 stands for the first group`, `regex.replace(containerImageTag, "^v", "") != "0.0.0"`},
	{"int", "int(value) -> int", "a whole number; double(), string(), bool() likewise", `int(regex.extract(containerImageTag, "^main-([0-9]+)$").orValue("0")) > 100`},

	{"sets.contains", "sets.contains(list, list) -> bool", "all of the second are in the first", `sets.contains(image.platforms, ["linux/amd64", "linux/arm64"])`},
	{"sets.intersects", "sets.intersects(list, list) -> bool", "they share an element", `!sets.intersects(requester.logins, image.builder.users)`},
	{"sets.equivalent", "sets.equivalent(list, list) -> bool", "each has all of the other", `sets.equivalent(image.platforms, ["linux/amd64"])`},
	{"distinct", "list.distinct() -> list", "without repetitions", `approvals.map(a, a.id).distinct().size() >= 2`},
	{"sort", "list.sort() -> list", "in order; sortBy(x, key) orders by a value of each", `imageLabels.sort().size() > 0`},
	{"flatten", "list.flatten() -> list", "the elements of the lists in it", `approvals.map(a, a.teams).flatten().exists(t, t == "acme/sre")`},
	{"slice", "list.slice(int, int) -> list", "from an index up to another", `target.previousDigests.size() < 3 || image.digest in target.previousDigests.slice(0, 3)`},
	{"reverse", "list.reverse() -> list", "also of a text", `imageLabels.reverse().size() > 0`},
	{"first", "list.first() -> optional", "last() likewise", `target.previousDigests.first().orValue("") == image.digest`},
	{"lists.range", "lists.range(int) -> list(int)", "the numbers below", `lists.range(3).exists(n, containerImageTag.endsWith("-" + string(n)))`},
	{"math.greatest", "math.greatest(number, ...) -> number", "math.least() likewise; math.abs, ceil, floor, round, sqrt and others are there", `math.greatest(approvals.size(), 1) == approvals.size()`},

	{"duration", "duration(string) -> duration", "a length of time in h, m and s", `source.soak >= duration("24h")`},
	{"timestamp", "timestamp(string) -> timestamp", "a moment, as RFC 3339 writes it", `now < timestamp("2027-01-01T00:00:00Z")`},
	{"getDayOfWeek", "timestamp.getDayOfWeek(string) -> int", "0 is Sunday; the zone may be left out: UTC", `now.getDayOfWeek("Europe/Berlin") in [1, 2, 3, 4]`},
	{"getHours", "timestamp.getHours(string) -> int", "0 to 23; getMinutes() likewise; of a duration, all its hours", `now.getHours("Europe/Berlin") >= 9 && now.getHours("Europe/Berlin") < 16`},
	{"getDate", "timestamp.getDate(string) -> int", "day of the month, from 1; getMonth() counts from 0, getFullYear() is the year", `now.getDate("Europe/Berlin") <= 25`},
}
