package message

import "strings"

const (
	maxMessage  = 64 << 10 // bytes of a commit message that are looked at, from its end
	maxTrailers = 1000
)

// Trailers are the values of a commit message's trailers, in order, by their keys, spelled
// as [TrailerKind] and [TrailerRequestedBy] are, whatever the case they were written in. Anybody who commits can
// write them.
type Trailers map[string][]string

// ParseTrailers reads trailers by the rules of git log's %(trailers): they are the last
// paragraph, which is not the first, and which holds nothing but trailers, or one that
// Git itself writes and at most three times as many lines that are none
// (https://git-scm.com/docs/git-interpret-trailers). Folded values are joined by spaces.
// It reads the last 64 KiB and at most 1,000 trailers.
func ParseTrailers(message string) Trailers {
	t := Trailers{}
	count := 0
	for _, line := range trailerLines(message) {
		key, value, ok := cutTrailer(line)
		if !ok {
			continue
		}
		if count++; count > maxTrailers {
			break
		}
		key = canonical(key)
		t[key] = append(t[key], value)
	}
	return t
}

// trailerLines returns the lines of the trailer block, unfolded.
func trailerLines(message string) []string {
	message = message[max(len(message)-maxMessage, 0):]
	lines := strings.Split(strings.TrimRight(message, " \t\r\n\v\f"), "\n")
	start := len(lines)
	for start > 0 && strings.TrimSpace(lines[start-1]) != "" {
		start--
	}
	if start == 0 {
		return nil
	}
	var block []string
	good, bad, own := 0, 0, false
	for _, line := range lines[start:] {
		line = strings.TrimSuffix(line, "\r")
		switch {
		case strings.HasPrefix(line, "#"):
		case (line[0] == ' ' || line[0] == '\t') && len(block) > 0:
			block[len(block)-1] += " " + strings.TrimSpace(line)
		default:
			block = append(block, line)
		}
	}
	for _, line := range block {
		_, _, ok := cutTrailer(line)
		switch {
		case written(line):
			own = true
			good++
		case ok:
			good++
		default:
			bad++
		}
	}
	if good == 0 || bad > 0 && (!own || bad > 3*good) {
		return nil
	}
	return block
}

// written reports the lines that Git itself writes.
func written(line string) bool {
	return strings.HasPrefix(line, "Signed-off-by: ") || strings.HasPrefix(line, "(cherry picked from commit ")
}

// cutTrailer splits a line into a key of letters, digits and hyphens and its value.
func cutTrailer(line string) (key, value string, ok bool) {
	key, value, ok = strings.Cut(line, ":")
	key = strings.TrimRight(key, " \t")
	if !ok || key == "" {
		return "", "", false
	}
	for i := range len(key) {
		if c := key[i]; c != '-' && (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') {
			return "", "", false
		}
	}
	return key, strings.TrimSpace(value), true
}

// canonical spells a key with capitals at the start and after hyphens, but for a "by" at the
// end.
func canonical(key string) string {
	parts := strings.Split(strings.ToLower(key), "-")
	for i, p := range parts {
		if p != "" && (p != "by" || i == 0 || i < len(parts)-1) {
			parts[i] = strings.ToUpper(p[:1]) + p[1:]
		}
	}
	return strings.Join(parts, "-")
}
