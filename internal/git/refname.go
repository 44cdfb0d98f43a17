package git

import (
	"fmt"
	"strings"
)

const maxRefName = 1024

// checkRefName holds a full name to the rules of git check-ref-format
// (https://git-scm.com/docs/git-check-ref-format): refs/, no empty part, no part that
// begins with a dot or ends in .lock, no "..", "@{", control character, space or any of
// ~^:?*[\, no dot at the end. Non-ASCII bytes pass, as they do there.
func checkRefName(name string) error {
	bad := func(why string) error { return fmt.Errorf("ref name %q: %s", clean(name, 100), why) }
	switch {
	case !strings.HasPrefix(name, "refs/"):
		return bad("it does not begin with refs/")
	case len(name) > maxRefName:
		return bad("it is too long")
	case strings.Contains(name, ".."), strings.Contains(name, "@{"):
		return bad("it holds .. or @{")
	case strings.HasSuffix(name, "."):
		return bad("it ends in a dot")
	}
	for i := range len(name) {
		if c := name[i]; c <= ' ' || c == 0x7f || strings.IndexByte(`~^:?*[\`, c) >= 0 {
			return bad("it holds a character that git forbids")
		}
	}
	parts := strings.Split(name, "/")
	if len(parts) < 3 {
		return bad("it has fewer than three parts")
	}
	for _, p := range parts {
		if p == "" || p[0] == '.' || strings.HasSuffix(p, ".lock") {
			return bad("a part is empty, begins with a dot or ends in .lock")
		}
	}
	return nil
}

// fullName returns the full name of what a caller may write short: heads/x and tags/x.
func fullName(name string) string {
	if strings.HasPrefix(name, "heads/") || strings.HasPrefix(name, "tags/") {
		return "refs/" + name
	}
	return name
}
