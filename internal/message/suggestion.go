package message

import (
	"fmt"
	"strings"
)

// Suggestion is the comment on lines that offers their replacement to be clicked
// (https://docs.github.com/en/pull-requests/collaborating-with-pull-requests/reviewing-changes-in-pull-requests/commenting-on-a-pull-request).
// Lines is written as it is, since it becomes the file; why holds sentences, one a line.
func Suggestion(key, lines, why string) string {
	fence := "```"
	for strings.Contains(lines, fence) {
		fence += "`"
	}
	var said []string
	for line := range strings.Lines(why) {
		if s := Text(strings.TrimSpace(line)); s != "" {
			said = append(said, s)
		}
	}
	return replied(key, strings.Join(said, "\n"), fence+"suggestion\n"+lines+"\n"+fence)
}

// Suggested is the text of the review of a head that holds n suggestions, where policy asks for digests.
func Suggested(head, policy string, n int) string {
	what, them := "One image", "it"
	if n > 1 {
		what, them = fmt.Sprintf("%d images", n), "them"
	}
	verb := map[bool]string{true: "has", false: "have"}[n == 1]
	return fmt.Sprintf("%s of %s %s no digest, and policy %s asks for one. Commit the suggestion to pin %s; `pinnace pin` makes the same edit.", what, Code(head[:min(10, len(head))]), verb, Code(policy), them)
}
