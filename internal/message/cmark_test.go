package message

import (
	"html"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/pinnace-dev/pinnace/internal/promotion"
)

var (
	anchors = regexp.MustCompile(`(?i)<(a|img|h[1-6]|del|input|em|pre|script|iframe)\b[^>]*>`)
	ours    = regexp.MustCompile(`^<a href="https://github\.com/acme/shop/commit/[0-9a-f]{40}">$|^<a href="https://github\.com/acme/config/commit/[0-9a-f]{40}">$|^<a href="https://github\.com/acme/config/edit/pinnace/configure/\.pinnace/config\.yaml">$|^<a href="` + details + `">$`)
)

// TestCmark holds what is written to GitHub's own renderer, where it is installed
// (https://github.com/github/cmark-gfm).
func TestCmark(t *testing.T) {
	cmark, err := exec.LookPath("cmark-gfm")
	if err != nil {
		t.Skip("cmark-gfm is not installed")
	}
	texts := map[string]string{}
	for name, p := range cases {
		texts[name] = p.Body()
	}
	for name, c := range checks {
		texts[name] = c.Summary() + "\n" + c.Text()
	}
	for name, o := range onboardings() {
		texts[name] = o.Body()
	}
	for name, body := range replies() {
		texts[name] = strings.ReplaceAll(body, "#12", "")
	}
	texts["glass"] = strings.ReplaceAll(glass.Body(), "#13", "")
	for name, b := range bypasses {
		texts["bypass "+name] = strings.ReplaceAll(b.Body(), "#12", "")
	}
	for _, s := range hostiles {
		d := hostileDecision(s)
		asks := hostile(s)
		asks.Kind = promotion.Promotion
		texts["hostile rules "+s[:min(len(s), 40)]] = Check{Name: s, Subject: s, Decision: d, Advisory: true, Notes: []string{s}, Seal: s}.Summary() +
			"\n" + Check{Decision: d}.Text() + "\n" + Refused(s, hostileRequest(s), &d, []string{s}) + "\n" + asks.Body()
		texts["hostile onboarding "+s[:min(len(s), 40)]] = hostileOnboarding(s).Body()
		name := "hostile " + s[:min(len(s), 40)]
		texts[name] = hostile(s).Body() + "\n" + Text(s) + "\n" + Text(s) + "\n\n" + Code(s) + " " + Text(s) + "\n" + Code(s)
	}
	for name, markdown := range texts {
		t.Run(name, func(t *testing.T) {
			cmd := exec.Command(cmark, "--unsafe", "--validate-utf8", "-e", "table", "-e", "autolink", "-e", "strikethrough", "-e", "tasklist", "-e", "footnotes")
			cmd.Stdin = strings.NewReader(markdown)
			out, err := cmd.Output()
			if err != nil {
				t.Fatal(err)
			}
			for _, tag := range anchors.FindAllString(inCode.ReplaceAllString(string(out), "code"), -1) {
				if !ours.MatchString(tag) {
					t.Errorf("got %s in:\n%.2000s", tag, out)
				}
			}
			shown := html.UnescapeString(tags.ReplaceAllString(inCode.ReplaceAllString(string(out), "code"), ""))
			if found := meaning.FindString(shown); found != "" {
				t.Errorf("GitHub would read %q in:\n%.2000s", found, shown)
			}
		})
	}
}
