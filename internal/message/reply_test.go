package message

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"github.com/pinnace-dev/pinnace/internal/promotion"
)

// waived is what a policy makes of a rule under break-glass.
func waived() []promotion.Result {
	r := decided().Results[2].Children[0]
	r.Status, r.Title = promotion.Skipped, "waived by break-glass: "+r.Title
	return []promotion.Result{r}
}

// The replies that the golden shows.
func replies() map[string]string {
	r, back := asked(), asked()
	back.Kind, back.From, back.Images = promotion.Rollback, "", back.Images[:0]
	direct := asked()
	direct.From = ""
	return map[string]string{
		"opened":       Opened("comment-123", r, 12),
		"refused":      Refused("comment-123", r, decided(), nil),
		"no-rollback":  Refused("comment-124", back, nil, []string{"dev is the first environment: shop never stood there with another digest."}),
		"problem":      Problem("comment-125", []string{"/promote wants an app and an environment, such as: /promote shop to prod", "“porduction” is no environment. Did you mean production?"}),
		"registry":     Opened("comment-126", direct, 12),
		"updated":      Updated("comment-127", r, 12, []promotion.Wanted{{Tag: "1.6.0"}}),
		"updated-only": Updated("comment-128", direct, 12, nil),
		"joined":       Joined("comment-129", 12),
		"waits":        Waits("comment-130", r, 12, []string{"carol approved #12 as it is: the newer candidate waits until it is merged or closed, as #1 did"}),
	}
}

var glass = Glass{
	Key: "glass-13", App: "shop", Envs: []string{"prod"}, PullRequest: 13, Commit: "9f8e7d6c5b4a39281706f5e4d3c2b1a09f8e7d6c",
	By: carol, At: time.Date(2026, 7, 1, 3, 12, 0, 0, time.UTC), Reason: "Baskets are empty, @dave is asleep", Images: cases["promotion"].Images,
	Waived: waived(), Seal: seal,
}

var bypasses = map[string]Bypass{
	"push": {
		Key: "bypass-9f8e7d6", Base: "main", Commit: "9f8e7d6c5b4a39281706f5e4d3c2b1a09f8e7d6c", URL: "https://github.com/acme/config/commit/9f8e7d6c5b4a39281706f5e4d3c2b1a09f8e7d6c",
		By: carol, At: time.Date(2026, 7, 1, 3, 12, 0, 0, time.UTC), Envs: []string{"prod"}, Images: cases["promotion"].Images, Rules: decided().Results,
	},
	"merge": {
		Key: "bypass-12", Base: "main", Commit: "9f8e7d6c5b4a39281706f5e4d3c2b1a09f8e7d6c", PullRequest: 12,
		Envs: []string{"prod"}, Images: cases["promotion-several"].Images, Why: "The merged tree differs from the one that was judged",
	},
}

func TestReplyGolden(t *testing.T) {
	var a txtar.Archive
	all := replies()
	for _, name := range []string{"opened", "refused", "no-rollback", "problem", "registry", "updated", "updated-only", "joined", "waits"} {
		a.Files = append(a.Files, txtar.File{Name: name + ".md", Data: []byte(all[name])})
	}
	golden(t, "replies", &a)
	golden(t, "glass", &txtar.Archive{Files: []txtar.File{{Name: "title", Data: []byte(glass.Title() + "\n")}, {Name: "body.md", Data: []byte(glass.Body())}}})
	for name, b := range bypasses {
		golden(t, "bypass-"+name, &txtar.Archive{Files: []txtar.File{{Name: "title", Data: []byte(b.Title() + "\n")}, {Name: "body.md", Data: []byte(b.Body())}}})
	}
}

// A key is read back from what was written with it, and from nothing that others say in it.
func TestReplyKey(t *testing.T) {
	forged := "x\n<!-- pinnace:reply forged -->\ny"
	for name, tc := range map[string]struct{ body, want string }{
		"opened":         {Opened("comment-1", asked(), 2), "comment-1"},
		"with CRLF":      {strings.ReplaceAll(Opened("comment-1", asked(), 2), "\n", "\r\n"), "comment-1"},
		"foreign text":   {Problem("comment-1", []string{forged}), "comment-1"},
		"foreign reason": {Waits("comment-1", asked(), 1, []string{forged}), "comment-1"},
		"an odd key":     {Problem("a b-->\n<c>é", nil), "a_b--___c__"},
		"a long key":     {Problem(strings.Repeat("k", 300), nil), strings.Repeat("k", 100)},
		"no key":         {Problem("", nil), ""},
		"a glass":        {glass.Body(), "glass-13"},
		"a bypass":       {bypasses["push"].Body(), "bypass-9f8e7d6"},
		"quoted":         {"> <!-- pinnace:reply comment-1 -->", ""},
		"in a line":      {"see <!-- pinnace:reply comment-1 -->", ""},
		"a pull request": {cases["promotion"].Body(), ""},
		"not a key":      {"<!-- pinnace:reply a b -->", ""},
		"a person's":     {"/promote shop to prod", ""},
		"nothing":        {"", ""},
	} {
		if got := ReplyKey(tc.body); got != tc.want {
			t.Errorf("%s: the key is %q, want %q, in:\n%s", name, got, tc.want, tc.body)
		}
	}
}

// What an answer says is read back: the pull requests, each once, and whether all was done.
func TestOutcome(t *testing.T) {
	r, forged := asked(), "\n✅ Opened #9 to promote"
	said := func(parts ...string) string { return strings.Join(parts, "\n\n") }
	for name, tc := range map[string]struct {
		body    string
		pulls   []Named
		refused bool
	}{
		"opened":         {Opened("k", r, 12), []Named{{12, "opened"}}, false},
		"updated":        {Updated("k", r, 12, nil), []Named{{12, "updated"}}, false},
		"joined":         {Joined("k", 12), []Named{{12, "unchanged"}}, false},
		"twice":          {said(Opened("k", r, 12), Joined("k", 12), Opened("k", r, 13)), []Named{{12, "opened"}, {13, "opened"}}, false},
		"refused":        {Refused("k", r, nil, []string{forged}), nil, true},
		"in part":        {said(Opened("k", r, 12), Refused("k", r, nil, nil)), []Named{{12, "opened"}}, true},
		"waits":          {Waits("k", r, 12, []string{forged}), nil, false},
		"no command":     {Problem("k", []string{forged}), nil, true},
		"a large number": {"✅ Opened #12345678901234567890 to promote", nil, false},
	} {
		pulls, refused, text := Outcome(tc.body)
		if diff := cmp.Diff(tc.pulls, pulls); diff != "" || refused != tc.refused || strings.Contains(text, "pinnace:reply") {
			t.Errorf("%s: refused is %t, text is %q (-want +got):\n%s", name, refused, text, diff)
		}
	}
}
