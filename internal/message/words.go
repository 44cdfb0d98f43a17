package message

import (
	"strconv"
	"strings"
)

// counted returns "1 file" or "2 files".
func counted(n int, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return strconv.Itoa(n) + " " + noun
}

// further returns "and 1 more file" or "and 2 more files".
func further(n int, noun string) string {
	return "and " + strings.Replace(counted(n, noun), " ", " more ", 1)
}

// joined returns "a", "a and b" or "a, b and c".
func joined(names []string) string {
	if len(names) < 2 {
		return strings.Join(names, "")
	}
	last := len(names) - 1
	return strings.Join(names[:last], ", ") + " and " + names[last]
}
