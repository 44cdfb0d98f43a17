package proof

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/pinnace-dev/pinnace/internal/sandbox"
)

// state is all that is there in a repository for people and for machines, without what differs
// from one run to the next: times, commits, and the numbers of comments.
func (w *world) state(r *sandbox.Repository) string {
	var b strings.Builder
	fmt.Fprintf(&b, "## %s\n", r.FullName())
	for _, q := range r.PullRequests() {
		fmt.Fprintf(&b, "#%d %s %q from %s labels %v reviewers %v teams %v draft %v\n%s\n", q.Number, q.State, q.Title, q.Head.Ref, q.Labels, logins(q.Reviewers), q.ReviewTeams, q.Draft, q.Body)
		b.WriteString(w.thread(r, q.Number))
		for _, c := range r.LineComments(q.Number) {
			fmt.Fprintf(&b, "on %s:%d: %s: %s\n", c.Path, c.Line, c.Author.Login, c.Body)
		}
		b.WriteString(checks(r, q.Head.SHA))
	}
	for _, i := range r.Issues() {
		fmt.Fprintf(&b, "#%d open %v %q labels %v\n%s\n", i.Number, i.Open, i.Title, i.Labels, i.Body)
		b.WriteString(w.thread(r, i.Number))
	}
	refs := r.Refs()
	for _, name := range slices.Sorted(maps.Keys(refs)) {
		switch {
		case strings.HasPrefix(name, "refs/heads/"):
			fmt.Fprintf(&b, "%s\n", name)
			if strings.HasPrefix(name, "refs/heads/pinnace/") {
				fmt.Fprintf(&b, "%s\n", r.Log(refs[name])[0].Message)
			}
		case strings.HasPrefix(name, "refs/pinnace/"):
			fmt.Fprintf(&b, "%s\n", hexes.ReplaceAllString(name, "HASH"))
		}
	}
	for _, c := range r.Log("main") {
		fmt.Fprintf(&b, "commit by %s\n%s\n%s", c.AuthorName, c.Message, checks(r, c.SHA))
	}
	for _, path := range []string{"envs/dev/shop.yaml", "envs/staging/shop.yaml", "envs/prod/shop.yaml", "envs/prod/proxy.yaml", ".pinnace/config.yaml"} {
		text, _ := r.File("main", path)
		fmt.Fprintf(&b, "%s\n%s\n", path, text)
	}
	return w.plain(b.String())
}

func (w *world) thread(r *sandbox.Repository, number int) string {
	var b strings.Builder
	for _, c := range r.Comments(number) {
		fmt.Fprintf(&b, "%s on #%d: %s\n", c.Author.Login, number, c.Body)
	}
	return b.String()
}

func checks(r *sandbox.Repository, sha string) string {
	var lines []string
	for _, c := range r.Checks(sha) {
		lines = append(lines, fmt.Sprintf("check %s %s %s %q\n%s\n", c.Name, c.Status, c.Conclusion, c.Title, c.Summary))
	}
	slices.Sort(lines) // which of them came first says nothing
	return strings.Join(lines, "")
}

func logins[T fmt.Stringer](all []T) []string {
	var out []string
	for _, x := range all {
		name, _, _ := strings.Cut(x.String(), "#")
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}

var (
	hexes    = regexp.MustCompile(`\b[0-9a-f]{7,64}\b`)
	instants = regexp.MustCompile(`\b20[0-9]{2}-[0-9]{2}-[0-9]{2}([T ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]+)?)?)?`)
	numbers  = regexp.MustCompile(`\b(comment-|issuecomment-|"comment": ?|cli-|check-runs/|runs/)[0-9]+`)
	// befores name the head that a branch had: there is one where a process died between the push
	// and the pull request.
	befores  = regexp.MustCompile(`(?m)^Pinnace-Before: .*\n`)
	hosts    = regexp.MustCompile(`http://127\.0\.0\.1:[0-9]+`)
	machines = regexp.MustCompile(`<!-- pinnace:v1 \{.*\} -->`)
	lengths  = regexp.MustCompile(`\b[0-9]+(\.[0-9]+)? ?(s|seconds?|minutes?|m|h|hours?)\b`)
)

// plain replaces what differs from run to run.
func (w *world) plain(text string) string {
	for _, image := range slices.Sorted(maps.Keys(w.digests)) {
		d := w.digests[image]
		text = strings.ReplaceAll(text, d, "<"+image+">")
		text = strings.ReplaceAll(text, d[:len("sha256:")+12], "<"+image+">")
	}
	text = strings.ReplaceAll(text, w.Registry(), "registry.example")
	text = hosts.ReplaceAllString(text, "https://github.example")
	text = befores.ReplaceAllString(text, "")
	text = machines.ReplaceAllString(text, "<!-- pinnace:v1 -->")
	text = instants.ReplaceAllString(text, "TIME")
	text = numbers.ReplaceAllString(text, "${1}N")
	text = hexes.ReplaceAllString(text, "HASH")
	return lengths.ReplaceAllString(text, "LONG")
}
