package main

import (
	"crypto/sha256"
	"fmt"
	"regexp"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// steady replaces in stdout what differs from run to run: the address of GitHub, commits, seals,
// the numbers of requests and the time. Digests of images stay, and so does 2026-11-02, the
// day on which images were made.
func steadied(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) > 0 {
		ts.Fatalf("usage: steady")
	}
	if text := likeGitHub(ts.ReadFile("stdout")); text != "" {
		fmt.Fprintln(ts.Stdout(), strings.TrimSuffix(text, "\n"))
	}
}

var (
	server   = regexp.MustCompile(`http://127\.0\.0\.1:[0-9]+`)
	hashes   = regexp.MustCompile(`\b(sha256:)?([0-9a-f]{64}|[0-9a-f]{40}|[0-9a-f]{10}|[0-9a-f]{7})\b`)
	made     = regexp.MustCompile(`^(4d)+4?$`) // the commit that the scripts' images are built from
	seals    = regexp.MustCompile("(seal `)[0-9a-f]{12}")
	asked    = regexp.MustCompile(`\bcli-[0-9a-z]+-`)
	comments = regexp.MustCompile(`(comment-|"comment": )[0-9]+`)
	machines = regexp.MustCompile(`<!-- pinnace:v1 \{.*\} -->`)
	instants = regexp.MustCompile(`\b20[0-9]{2}-[0-9]{2}-[0-9]{2}(?:([T ])[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]+)?)?)?`)
)

func likeGitHub(s string) string {
	s = server.ReplaceAllString(s, "https://github.example")
	s = machines.ReplaceAllString(s, "<!-- pinnace:v1 {...} -->")
	s = comments.ReplaceAllString(s, "${1}12")
	s = asked.ReplaceAllString(s, "cli-1-")
	seen := map[string]string{}
	s = hashes.ReplaceAllStringFunc(s, func(hash string) string {
		if strings.HasPrefix(hash, "sha256:") || made.MatchString(hash) {
			return hash
		}
		if seen[hash[:7]] == "" {
			seen[hash[:7]] = fmt.Sprintf("%x", sha256.Sum256([]byte{byte(len(seen))}))
		}
		return seen[hash[:7]][:len(hash)]
	})
	s = seals.ReplaceAllString(s, "${1}5ea15ea15ea1")
	return instants.ReplaceAllStringFunc(s, func(at string) string {
		switch m := instants.FindStringSubmatch(at); {
		case strings.HasPrefix(at, "2026-11-02"):
			return at
		case m[1] == "":
			return "2026-11-21"
		case m[2] == "":
			return "2026-11-21" + m[1] + "09:30"
		default:
			return "2026-11-21" + m[1] + "09:30:00"
		}
	})
}
