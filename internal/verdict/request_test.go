package verdict_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pinnace-dev/pinnace/internal/image"
	"github.com/pinnace-dev/pinnace/internal/promotion"
	"github.com/pinnace-dev/pinnace/internal/sandbox"
	"github.com/pinnace-dev/pinnace/internal/verdict"
)

// A tale is a world in which people ask for things, a minute after the other.
type tale struct{ *world }

func newTale(t testing.TB, files map[string]string, images ...string) *tale {
	t.Helper()
	if images == nil {
		images = []string{"shop:1.0", "shop:1.1", "shop:1.2"}
	}
	return &tale{newWorld(t, files, images...)}
}

// does compares what Pinnace does in a run with what it is to do, line by line.
func (w *tale) does(want ...string) {
	w.Helper()
	w.did(w.run(), want...)
}

func (w *tale) did(got []string, want ...string) {
	w.Helper()
	if !slices.Equal(got, want) {
		w.Errorf("got\n  %s\nwant\n  %s", strings.Join(got, "\n  "), strings.Join(want, "\n  "))
	}
}

// rests requires that a further run says the same and writes nothing, and that nothing was
// ever done against the rules of the sandbox.
func (w *tale) rests(want ...string) {
	w.Helper()
	w.does(want...)
	w.ForgetRequests()
	w.does(want...)
	for _, r := range w.Requests() {
		if r.Write() {
			w.Errorf("at rest Pinnace wrote: %s %s", r.Method, r.Path)
		}
	}
	if v := w.Violations(); len(v) > 0 {
		w.Errorf("violations:\n  %s", strings.Join(v, "\n  "))
	}
}

// asks runs Pinnace with what somebody asks on the command line: an app, environments, and
// further fields.
func (w *tale) asks(by, app, envs string, more ...func(*verdict.Wish)) []string {
	w.Helper()
	w.pass(time.Minute)
	var all []verdict.Wish
	for _, env := range strings.Split(envs, ",") {
		x := verdict.Wish{ID: fmt.Sprintf("cli-%s-%s-%s", by, env, w.now.Format("150405")), Kind: promotion.Promotion, App: app, Env: env, By: []promotion.Identity{w.User(by)}}
		for _, f := range more {
			f(&x)
		}
		all = append(all, x)
	}
	return w.run(all...)
}

func fromEnv(env string) func(*verdict.Wish) { return func(x *verdict.Wish) { x.From = env } }
func fromRegistry(ref string) func(*verdict.Wish) {
	return func(x *verdict.Wish) { x.Image = ref }
}

// back makes a wish one for a rollback, to a digest or "" for the one before.
func back(digest string) func(*verdict.Wish) {
	return func(x *verdict.Wish) { x.Kind, x.Digest = promotion.Rollback, digest }
}

// says writes a comment.
func (w *tale) says(thread int, by, text string) int64 {
	w.pass(time.Minute)
	return w.repo.Comment(thread, by, text)
}

// approves reviews a pull request.
func (w *tale) approves(number int, by string) int64 {
	w.Helper()
	w.pass(time.Minute)
	return w.review(number, by, promotion.Approved)
}

// commits lets a person change files of a branch.
func (w *tale) commits(branch, by string, files map[string]string) string {
	w.pass(time.Minute)
	edits := map[string]string{}
	for path, text := range files {
		edits[path] = w.expand(text)
	}
	return w.repo.Commit(branch, by, "change", edits)
}

// answers returns what Pinnace said in a thread, without the line for machines.
func (w *tale) answers(thread int) []string {
	var out []string
	for _, c := range w.repo.Comments(thread) {
		if c.Author.ID != w.app.Bot().ID {
			continue
		}
		var lines []string
		for line := range strings.Lines(c.Body) {
			if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "<!--") {
				lines = append(lines, line)
			}
		}
		out = append(out, strings.Join(lines, "\n"))
	}
	return out
}

// answered requires the newest answers in a thread.
func (w *tale) answered(thread, before int, want ...string) {
	w.Helper()
	got := w.answers(thread)
	if len(got) < before {
		w.Fatalf("only %d answers", len(got))
	}
	w.did(got[before:], want...)
}

func (w *tale) pr(number int) promotion.PullRequest {
	w.Helper()
	for _, q := range w.repo.PullRequests() {
		if q.Number == number {
			return q
		}
	}
	w.Fatalf("there is no #%d", number)
	return promotion.PullRequest{}
}

// verdictOf is the check of the head of a pull request.
func (w *tale) verdictOf(number int) promotion.CheckRun {
	w.Helper()
	return w.checkOn(w.pr(number).Head.SHA)
}

func (w *tale) checkOn(sha string) promotion.CheckRun {
	w.Helper()
	for _, c := range w.repo.Checks(sha) {
		if c.Name == "pinnace/promotion" && c.App == w.app.ID() {
			return c
		}
	}
	return promotion.CheckRun{}
}

// tells requires texts of something that people read.
func (w *tale) tells(what, text string, want ...string) {
	w.Helper()
	for _, s := range want {
		if !strings.Contains(text, s) {
			w.Errorf("%s does not say %q:\n%s", what, s, text)
		}
	}
}

// holds requires what a file of main says.
func (w *tale) holds(path, image string) {
	w.Helper()
	got, _ := w.repo.File("main", path)
	if want := w.expand(deployment(image)); got != want {
		w.Errorf("%s holds\n%s\nwant\n%s", path, got, want)
	}
}

const waits = "waiting: 0 of 1 approval"

// with returns the files of a story with others instead.
func with(files map[string]string, pairs ...string) map[string]string {
	for i := 0; i < len(pairs); i += 2 {
		files[pairs[i]] = pairs[i+1]
	}
	return files
}

// A promotion comes from the environment before, unless another one or an image is named. What
// is passed over stands in the pull request.
func TestRequestSources(t *testing.T) {
	skip := []string{"> [!WARNING]\n> Skips `staging`"}
	for name, test := range map[string]struct {
		files map[string]string
		more  []func(*verdict.Wish)
		env   string
		want  []string
		file  string // what the head holds
		body  []string
	}{
		"the environment before": {nil, nil, "prod", []string{"opened promote/prod/shop #1", "#1 " + waits}, "{shop:1.1}", []string{"Promotes `shop` to `prod` from `staging`", "Asked for by `bob#"}},
		"another environment":    {nil, []func(*verdict.Wish){fromEnv("dev")}, "prod", []string{"opened promote/prod/shop #1", "#1 " + waits}, "{shop:1.2}", append(skip, "from `dev`")},
		"the registry, by tag":   {nil, []func(*verdict.Wish){fromRegistry("ghcr.io/acme/shop:1.2")}, "prod", []string{"opened promote/prod/shop #1", "#1 " + waits}, "{shop:1.2}", []string{"> Skips `dev` and `staging`", "from the registry"}},
		"the registry, by digest": {
			nil,
			[]func(*verdict.Wish){fromRegistry("ghcr.io/acme/shop@{}")},
			"prod",
			[]string{"opened promote/prod/shop #1", "#1 " + waits},
			"ghcr.io/acme/shop@{}",
			[]string{"> Skips `dev` and `staging`"},
		},
		"the registry, without leave": {
			nil,
			[]func(*verdict.Wish){fromRegistry("ghcr.io/acme/shop:1.2")},
			"staging",
			[]string{"refused promote/staging/shop: denied: no policy of staging governs direct promotions, and ghcr.io/acme/shop:1.2@SHORT comes from the registry, skipping dev"},
			"", nil,
		},
		"the registry, forbidden": {
			with(standing3(), ".pinnace/policies/prod.yaml", twoPeople+"forbid: [direct]\n"),
			[]func(*verdict.Wish){fromRegistry("ghcr.io/acme/shop:1.2")},
			"prod",
			[]string{"refused promote/prod/shop: denied: policy prod forbids direct promotions, and ghcr.io/acme/shop:1.2@SHORT comes from the registry, skipping dev and staging"},
			"", nil,
		},
		"nothing is before": {nil, nil, "dev", []string{"refused: nothing comes before dev: name the environment that it comes from (from ENV) or the image (image REF)"}, "", nil},
		"from itself":       {nil, []func(*verdict.Wish){fromEnv("prod")}, "prod", []string{"refused: images cannot come from prod to prod; there are dev, staging"}, "", nil},
		"an image of another": {
			nil,
			[]func(*verdict.Wish){fromRegistry("ghcr.io/acme/web:1.2")},
			"prod",
			[]string{"refused: ghcr.io/acme/web is no image of shop in prod; its image is ghcr.io/acme/shop"},
			"", nil,
		},
		"a tag that is not there": {nil, []func(*verdict.Wish){fromRegistry("ghcr.io/acme/shop:9")}, "prod", []string{"refused: the registry has no ghcr.io/acme/shop:9"}, "", nil},
		"a digest that is not there": {
			nil,
			[]func(*verdict.Wish){fromRegistry("ghcr.io/acme/shop@sha256:" + strings.Repeat("0", 64))},
			"prod",
			[]string{"refused promote/prod/shop: denied: ghcr.io/acme/shop@sha256:000000000000 is no longer in its registry"},
			"", nil,
		},
		"an unknown environment": {nil, nil, "porduction", []string{"refused: environment porduction is not configured; there are dev, staging, prod"}, "", nil},
		"nothing to do":          {with(standing3(), "envs/prod/shop.yaml", deployment("{shop:1.1}")), nil, "prod", nil, "", nil},
	} {
		t.Run(name, func(t *testing.T) {
			files := test.files
			if files == nil {
				files = standing3()
			}
			w := newTale(t, files)
			for i, f := range test.more {
				test.more[i] = func(x *verdict.Wish) {
					f(x)
					x.Image = strings.ReplaceAll(x.Image, "{}", w.digests["shop:1.2"])
				}
			}
			for i := range test.want {
				test.want[i] = strings.ReplaceAll(test.want[i], "SHORT", image.Digest(w.digests["shop:1.2"]).Short())
			}
			w.did(w.asks("bob", "shop", test.env, test.more...), test.want...)
			if test.file == "" {
				if n := len(w.repo.PullRequests()); n > 0 {
					t.Errorf("%d pull requests were opened", n)
				}
				w.rests()
				return
			}
			got, _ := w.repo.File("pinnace/promote/"+test.env+"/shop", "envs/"+test.env+"/shop.yaml")
			if want := w.expand(deployment(strings.ReplaceAll(test.file, "{}", w.digests["shop:1.2"]))); got != want {
				t.Errorf("the head holds\n%s\nwant\n%s", got, want)
			}
			w.tells("the pull request", w.pr(1).Body, test.body...)
			w.rests("#1 " + waits)
		})
	}
}

// standing3 has shop 1.2 in dev, 1.1 in staging and 1.0 in prod.
func standing3() map[string]string {
	return with(standing(), "envs/dev/shop.yaml", deployment("{shop:1.2}"))
}

// Several environments are asked for at once, each with a pull request of its own; one of them
// that means nothing keeps none of the others.
func TestRequestSeveralEnvironments(t *testing.T) {
	w := newTale(t, standing3())
	w.did(w.asks("bob", "shop", "staging,prod,moon"),
		"refused: environment moon is not configured; there are dev, staging, prod",
		"opened promote/staging/shop #1", "opened promote/prod/shop #2", "#1 all rules hold", "#2 "+waits)
	w.rests("#1 all rules hold", "#2 "+waits)
}

const bundle = configuration + `apps:
  - {name: shop, images: ["ghcr.io/acme/shop", "ghcr.io/acme/worker"]}
`

// An app with several images moves as a whole or not at all.
func TestRequestBundle(t *testing.T) {
	files := with(standing3(), ".pinnace/config.yaml", bundle,
		"envs/staging/worker.yaml", deployment("{worker:1.1}"), "envs/prod/worker.yaml", deployment("{worker:1.0}"))
	w := newTale(t, files, "shop:1.0", "shop:1.1", "shop:1.2", "worker:1.0", "worker:1.1")
	w.did(w.asks("bob", "shop", "prod"), "opened promote/prod/shop #1", "#1 "+waits)
	w.tells("the pull request", w.pr(1).Body, "`ghcr.io/acme/shop`", "`ghcr.io/acme/worker`", "**2 files, 2 places**")
	w.approves(1, "carol")
	w.does("#1 merged")
	w.holds("envs/prod/shop.yaml", "{shop:1.1}")
	w.holds("envs/prod/worker.yaml", "{worker:1.1}")
	w.rests()

	files["envs/prod/worker.yaml"] = strings.Replace(deployment("{worker:1.0}"), "image: ", "image: &worker ", 1) + "          # as *worker\n"
	files["envs/prod/worker.yaml"] = strings.Replace(deployment("{worker:1.0}"), "{worker:1.0}", "{worker:1.0} # pinnace:ignore", 1)
	w = newTale(t, files, "shop:1.0", "shop:1.1", "shop:1.2", "worker:1.0", "worker:1.1")
	w.did(w.asks("bob", "shop", "prod"), "refused promote/prod/shop: a comment on the line says pinnace:ignore, and an app is promoted as a whole: delete the comment, or leave the place out by the paths of the app")
	w.rests()
}

// Whoever asks for the same joins the request: there is one pull request, and neither of them
// may approve it. Who does not hold the role cannot join.
func TestRequestTwice(t *testing.T) {
	w := newTale(t, standing())
	issue := w.repo.Issue("bob", "Requests", "")
	w.says(issue, "bob", "/promote shop to prod")
	w.does("opened promote/prod/shop #2", "#2 "+waits)
	w.says(issue, "carol", "/promote shop to prod")
	w.does("updated promote/prod/shop #2: #2 already asks for it", "#2 "+waits)
	w.User("mallory")
	w.says(issue, "mallory", "/promote shop to prod")
	w.does("refused promote/prod/shop #2: denied: mallory does not hold the role requester", "#2 "+waits)
	w.answered(issue, 0,
		"✅ Opened #2 to promote `shop` `1.1` to `prod` from `staging`.",
		"✅ #2 asks for it already.",
		"❌ Refused to promote `shop` `1.1` to `prod` from `staging`.\n**In the way**\n- ❌ mallory does not hold the role requester\\\nSeen: mallory · Wanted: people with write\n**Next**\n- people with write: somebody who does asks again: pinnace promote shop --to prod --repo acme/config",
	)
	w.tells("the pull request", w.pr(2).Body, "Asked for by `bob#", " and `carol#")
	w.approves(2, "carol")
	w.does("#2 " + waits)
	w.tells("the check", w.verdictOf(2).Summary, "carol asked for this change")
	w.approves(2, "dave")
	w.does("#2 merged")
	w.tells("the merge", w.repo.Log("main")[0].Message, "\nRequested-by: bob#", "\nRequested-by: carol#", "\nApproved-by: dave#")
	w.rests()
}

// A comment asks once, whatever becomes of it, and is answered once.
func TestRequestComments(t *testing.T) {
	w := newTale(t, standing())
	w.User("mallory")
	reader := "frank"
	w.User(reader)
	w.repo.Permission(reader, promotion.PermissionRead)
	issue := w.repo.Issue("bob", "Requests", "/promote shop to prod")
	w.says(issue, "bob", "Shall we `/promote shop to prod`?\n\n> /promote shop to prod\n")
	w.does()

	for _, test := range []struct{ by, text, want string }{
		{"bob", "/promot shop to prod", "❔ Nothing was done: the command could not be understood.\n- /promot is no command: did you mean /promote shop to prod?"},
		{"bob", "/promote shopp to prod", "❌ Refused to promote `shopp` to `prod`.\n- app shopp does not stand in prod: did you mean shop?"},
		{"bob", "/promote shop to moon", "❌ Refused to promote `shop` to `moon`.\n- environment moon is not configured; there are dev, staging, prod"},
		{"bob", "/promote shop to staging", "❌ Refused to promote `shop` `1.1` to `staging` from `dev`.\n- shop in staging runs it already"},
		{"frank", "/promote shop to prod", "❌ Refused to promote `shop` `1.1` to `prod` from `staging`.\n**In the way**\n- ❌ frank does not hold the role requester\\\nSeen: frank · Wanted: people with write\n**Next**\n- people with write: somebody who does asks again: pinnace promote shop --to prod --repo acme/config"},
		{"bob", "/promote shop to prod\nRequested-by: carol\n\n/promote shop to prod because @carol asked", "✅ Opened #2 to promote `shop` `1.1` to `prod` from `staging`.\n✅ #2 asks for it already."},
	} {
		before := len(w.answers(issue))
		w.says(issue, test.by, test.text)
		w.run()
		w.answered(issue, before, test.want)
		w.run()
		w.answered(issue, before, test.want)
	}
	w.tells("the pull request", w.pr(2).Body, "Asked for by `"+w.User("bob").String()+"` on")
	w.rests("#2 " + waits)
}

// What is said in a thread counts as its author submitted it, for a week. Commands that are
// not for their author are answered with who may give them.
func TestRequestCommentsThatDoNotCount(t *testing.T) {
	w := newTale(t, standing())
	w.User("frank")
	w.repo.Permission("frank", promotion.PermissionRead)
	ci := w.App(sandbox.AppOptions{Name: "CI", Permissions: map[string]string{"issues": "write"}})
	ci.Install("acme")
	issue := w.repo.Issue("bob", "Requests", "")
	w.says(issue, "bob", "/promote shop to prod")
	w.pass(7*24*time.Hour + time.Minute)
	w.does()

	edited := w.says(issue, "frank", "Nice work!")
	w.pass(time.Minute)
	if err := w.repo.EditComment(edited, "bob", "/promote shop to prod"); err != nil {
		t.Fatal(err)
	}
	w.does()
	w.answered(issue, 0, "❌ Not done.\n- The comment was edited, so that nobody knows who wrote what it says: write a new one.")

	w.says(issue, ci.Bot().Login, "/promote shop to prod")
	w.does("refused promote/prod/shop: denied: ci[bot] does not hold the role requester; 1 approval asked, and nobody can give them: who asked is unknown, and policy prod lets nobody approve their own request")
	w.rests()

	w.says(issue, "bob", "/promote shop to prod")
	w.does("opened promote/prod/shop #2", "#2 "+waits)
	for _, by := range []string{"frank", ci.Bot().Login} {
		w.says(2, by, "/cancel")
		w.says(2, by, "/reseal")
	}
	w.does("#2 " + waits)
	w.answered(2, 0,
		"❌ Not done.\n- frank has read here, and /cancel needs a person with write: somebody with write, or who asked for it, comments it",
		"❌ Not done.\n- frank has read here, and /reseal needs a person with write: somebody with write comments it",
		"❌ Not done.\n- ci\\[bot\\] is no person, and /cancel needs one with write: somebody with write, or who asked for it, comments it",
		"❌ Not done.\n- ci\\[bot\\] is no person, and /reseal needs one with write: somebody with write comments it",
	)
	w.rests("#2 " + waits)
}

// /cancel closes the pull request, and the request with it; reopening it is a person's word
// against it, after which the old comment does nothing. The same may be asked anew.
func TestRequestCancel(t *testing.T) {
	w := newTale(t, standing())
	w.did(w.asks("bob", "shop", "prod"), "opened promote/prod/shop #1", "#1 "+waits)
	w.says(1, "erin", "/cancel")
	w.does()
	if q := w.pr(1); q.State != promotion.Closed {
		t.Fatalf("#1 is %s", q.State)
	}
	w.rests()
	w.pass(time.Minute)
	if err := w.repo.Reopen(1, "bob"); err != nil {
		t.Fatal(err)
	}
	w.does("#1 " + waits)
	w.rests("#1 " + waits)
	w.says(1, "bob", "/cancel")
	w.does()
	w.did(w.asks("bob", "shop", "prod"), "opened promote/prod/shop #2", "#2 "+waits)
	w.rests("#2 " + waits)
}

// Closing the pull request declines the request; whoever asks anew gets another one, and
// nothing that was approved before counts there.
func TestRequestDeclined(t *testing.T) {
	w := newTale(t, standing())
	issue := w.repo.Issue("bob", "Requests", "")
	w.says(issue, "bob", "/promote shop to prod")
	w.does("opened promote/prod/shop #2", "#2 "+waits)
	w.pass(time.Minute)
	w.repo.Close(2, "erin")
	w.rests()
	w.says(issue, "bob", "/promote shop to prod")
	w.does("opened promote/prod/shop #3", "#3 "+waits)
	w.rests("#3 " + waits)
}

// A condition that denies keeps the pull request from being opened: the refusal names the rule,
// the values, and who may change it. What nobody can say yet waits in a pull request.
func TestRequestEligibility(t *testing.T) {
	const digest = "ghcr.io/acme/shop:1.1@SHORT"
	for name, test := range map[string]struct {
		policy string
		want   []string
		reply  string
	}{
		"a pass condition": {
			`passCondition: 'containerImageTag.startsWith("v")'`,
			[]string{"refused promote/prod/shop: denied: " + digest + " does not meet the pass condition of prod"},
			"❌ Refused to promote `shop` `1.1` to `prod` from `staging`.\n**In the way**\n- ❌ `" + digest + "` does not meet the pass condition of prod (`.pinnace/policies/prod.yaml:7`)\\\nSeen: containerImageTag = \"1.1\", containerImageTag.startsWith(\"v\") = false · Wanted: true\n**Next**\n- the owner of .pinnace/policies/prod.yaml: promote another image, or change the condition",
		},
		"a fail condition": {
			`failCondition: 'containerImageTag.startsWith("1.")'`,
			[]string{"refused promote/prod/shop: denied: " + digest + " meets the fail condition of prod"},
			"❌ Refused to promote `shop` `1.1` to `prod` from `staging`.\n**In the way**\n- ❌ `" + digest + "` meets the fail condition of prod (`.pinnace/policies/prod.yaml:7`)\\\nSeen: containerImageTag = \"1.1\", containerImageTag.startsWith(\"1.\") = true · Wanted: false\n**Next**\n- the owner of .pinnace/policies/prod.yaml: promote another image, or change the condition",
		},
		"a fact that nobody knows": {
			`passCondition: 'image.signatures.exists(s, s.verified)'`,
			[]string{"opened promote/prod/shop #2", "#2 unknown: nobody can say the pass condition of prod for " + digest + ": image.signatures is unknown"},
			"✅ Opened #2 to promote `shop` `1.1` to `prod` from `staging`.",
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newTale(t, with(standing(), ".pinnace/policies/prod.yaml", twoPeople+test.policy+"\n"))
			spell := func(s string) string {
				return strings.ReplaceAll(s, "SHORT", image.Digest(w.digests["shop:1.1"]).Short())
			}
			issue := w.repo.Issue("bob", "Requests", "")
			w.says(issue, "bob", "/promote shop to prod")
			for i := range test.want {
				test.want[i] = spell(test.want[i])
			}
			w.does(test.want...)
			w.answered(issue, 0, spell(test.reply))
			if len(test.want) == 1 {
				test.want = nil
			}
			w.rests(test.want[min(1, len(test.want)):]...)
		})
	}
}

// A newer candidate while a pull request is open replaces one that nobody approved. An approved
// one it replaces with onNewer: update, and starts at no approval.
func TestRequestNewerUpdates(t *testing.T) {
	w := newTale(t, with(standing(), ".pinnace/config.yaml", strings.Replace(configuration, "production: true", "production: true, onNewer: update", 1)))
	w.did(w.asks("bob", "shop", "prod"), "opened promote/prod/shop #1", "#1 "+waits)
	w.approves(1, "carol")
	w.did(w.asks("erin", "shop", "prod", fromRegistry("ghcr.io/acme/shop:1.2")), "updated promote/prod/shop #1", "#1 "+waits)
	w.tells("the pull request", w.pr(1).Title+w.pr(1).Body, "Promote shop 1.2 to prod", "Asked for by `"+w.User("bob").String()+"` and `"+w.User("erin").String()+"`")
	w.ignored(1, "carol", "it approved other content")
	w.rests("#1 " + waits)
}

// The answer says what a newer candidate is in the place of.
func TestRequestNewerAnswered(t *testing.T) {
	w := newTale(t, standing())
	issue := w.repo.Issue("bob", "Requests", "")
	w.says(issue, "bob", "/promote shop to prod")
	w.does("opened promote/prod/shop #2", "#2 "+waits)
	w.says(issue, "erin", "/promote shop to prod image ghcr.io/acme/shop:1.2")
	w.does("updated promote/prod/shop #2", "#2 "+waits)
	w.says(issue, "carol", "/promote shop to prod image ghcr.io/acme/shop:1.2")
	w.does("updated promote/prod/shop #2: #2 already asks for it", "#2 "+waits)
	w.answered(issue, 1,
		"✅ Updated #2 to `1.2`, straight from the registry, in place of `1.1`.",
		"✅ #2 asks for it already.",
	)
	w.rests("#2 " + waits)
}

// A request for what is not there is refused in the words of the command line, and leads to
// nothing.
func TestRequestFlags(t *testing.T) {
	w := newTale(t, standing())
	for _, test := range []struct {
		wish verdict.Wish
		want string
	}{
		{verdict.Wish{Env: "dev"}, "nothing comes before dev: name the environment that it comes from (--from ENV) or the image (--image REF)"},
		{verdict.Wish{Env: "prod", From: "stagign"}, "environment stagign is not configured: did you mean staging?"},
		{verdict.Wish{Env: "prod", From: "prod"}, "images cannot come from prod to prod; there are dev, staging"},
		{verdict.Wish{Env: "moon"}, "environment moon is not configured; there are dev, staging, prod"},
		{verdict.Wish{Env: "prod", Kind: promotion.Rollback}, ""},
	} {
		test.wish.App, test.wish.Flags = "shop", true
		at, err := w.steward().Judge.Counter(context.Background(), []verdict.Wish{test.wish})
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		for _, r := range at.Refused {
			got += strings.Join(r.Reasons, "; ")
		}
		if got != test.want {
			t.Errorf("%+v is refused: %q, want %q", test.wish, got, test.want)
		}
		if test.want != "" {
			w.did(w.run(test.wish), "refused: "+test.want)
		}
	}
	w.rests()
}

// Who may approve is said in the pull request as in the check.
func TestRequestApprovers(t *testing.T) {
	w := newTale(t, with(standing(), ".pinnace/policies/prod.yaml", twoPeople+`---
apiVersion: pinnace.dev/v1alpha1
kind: ImagePromotionPolicy
name: security
approverCount: 2
unknownBuilder: ignore
applyTo: [{env: prod}]
approvers: {users: [erin], teams: [acme/security]}
`))
	w.asks("bob", "shop", "prod")
	const team = "erin or a member of acme/security"
	w.tells("the pull request", w.pr(1).Body, "**Who may approve**: 1 approval is needed, of carol, dave or anybody with admin; and 2 approvals, of "+team)
	w.tells("the check", w.verdictOf(1).Summary, "Wanted: 1 approval by carol, dave or anybody with admin", "Wanted: 2 approvals by "+team)
}

const queued = "waiting promote/prod/shop #2: carol approved #2 as it is: the newer candidate waits until it is merged or closed (onNewer: queue)"

// With onNewer: queue, which is the default, an approved one stays. Its text and an answer say
// that the newer one waits, which is taken up once the first is merged or closed.
func TestRequestNewerQueues(t *testing.T) {
	for _, end := range []string{"merged", "closed"} {
		t.Run(end, func(t *testing.T) {
			w := newTale(t, with(standing(), ".pinnace/policies/prod.yaml", strings.Replace(twoPeople, "approverCount: 1", "approverCount: 2", 1)))
			issue := w.repo.Issue("bob", "Requests", "")
			w.says(issue, "bob", "/promote shop to prod")
			w.does("opened promote/prod/shop #2", "#2 waiting: 0 of 2 approvals")
			w.approves(2, "carol")
			w.says(issue, "erin", "/promote shop to prod image ghcr.io/acme/shop:1.2")
			w.does(queued, "#2 waiting: 1 of 2 approvals")
			w.answered(issue, 1, "⏳ Waits to promote `shop` `1.2` to `prod` straight from the registry.\n- carol approved #2 as it is: the newer candidate waits until it is merged or closed (onNewer: queue)\n- It is taken up by itself until 2026-11-28 09:03 UTC; after that, ask again.")
			w.tells("the pull request", w.pr(2).Body, "A newer candidate waits until this pull request is merged or closed: `ghcr.io/acme/shop:1.2@")
			w.rests(queued, "#2 waiting: 1 of 2 approvals")
			if end == "closed" {
				w.repo.Close(2, "bob")
				w.does("opened promote/prod/shop #3", "#3 waiting: 0 of 2 approvals")
			} else {
				w.approves(2, "dave")
				w.does("opened promote/prod/shop #3", "#2 merged", "#3 waiting: 0 of 2 approvals")
				w.holds(prodFile, "{shop:1.1}")
			}
			w.answered(issue, 2, "✅ Opened #3 to promote `shop` `1.2` to `prod` straight from the registry.")
			w.rests("#3 waiting: 0 of 2 approvals")
		})
	}
}

// With onNewer: supersede the approved one is closed for a new one.
func TestRequestNewerSupersedes(t *testing.T) {
	w := newTale(t, with(standing(), ".pinnace/config.yaml", strings.Replace(configuration, "production: true", "production: true, onNewer: supersede", 1),
		".pinnace/policies/prod.yaml", strings.Replace(twoPeople, "approverCount: 1", "approverCount: 2", 1)))
	w.did(w.asks("bob", "shop", "prod"), "opened promote/prod/shop #1", "#1 waiting: 0 of 2 approvals")
	w.approves(1, "carol")
	w.did(w.asks("erin", "shop", "prod", fromRegistry("ghcr.io/acme/shop:1.2")), "opened promote/prod/shop #2: instead of #1, which carol approved (onNewer: supersede)", "#2 waiting: 0 of 2 approvals")
	if q := w.pr(1); q.State != promotion.Closed {
		t.Errorf("#1 is %s", q.State)
	}
	w.rests("#2 waiting: 0 of 2 approvals")
}

// Where a /reseal and a newer request come at once, the commit of somebody else on the branch is
// kept, although the approved pull request is closed for a new one.
func TestRequestNewerSupersedesForeignCommit(t *testing.T) {
	w := newTale(t, with(standing(), ".pinnace/config.yaml", strings.Replace(configuration, "production: true", "production: true, onNewer: supersede", 1),
		".pinnace/policies/prod.yaml", strings.Replace(twoPeople, "approverCount: 1", "approverCount: 2", 1)))
	w.did(w.asks("bob", "shop", "prod"), "opened promote/prod/shop #1", "#1 waiting: 0 of 2 approvals")
	foreign := w.commits("pinnace/promote/prod/shop", "frank", map[string]string{"README.md": "mine\n"})
	w.approves(1, "carol")
	w.says(1, "bob", "/reseal")
	w.did(w.asks("erin", "shop", "prod", fromRegistry("ghcr.io/acme/shop:1.2")), "opened promote/prod/shop #2: instead of #1, which carol approved (onNewer: supersede)", "#2 waiting: 0 of 2 approvals")
	if got := w.repo.Refs()["refs/pinnace/saved/"+foreign]; got != foreign {
		t.Errorf("the commit of frank is kept as %q", got)
	}
	w.rests("#2 waiting: 0 of 2 approvals")
}

// What one promotion costs, from the comment to the merge: two calls that create content that
// people are told of, the pull request and the answer.
func TestRequestCalls(t *testing.T) {
	w := newTale(t, standing())
	issue := w.repo.Issue("bob", "Requests", "")
	w.does()
	w.ForgetRequests()
	w.says(issue, "bob", "/promote shop to prod")
	w.does("opened promote/prod/shop #2", "#2 "+waits)
	w.approves(2, "carol")
	w.does("#2 merged")
	created, total := 0, 0
	kinds := map[string]int{}
	for _, r := range w.Requests() {
		if strings.HasPrefix(r.Route, "/v2/") {
			continue
		}
		total++
		kinds[r.Method+" "+r.Route]++
		if r.Method == "POST" && (strings.HasSuffix(r.Route, "/pulls") || strings.HasSuffix(r.Route, "/comments") || strings.HasSuffix(r.Route, "/issues") || strings.HasSuffix(r.Route, "/reviews")) {
			created++
		}
	}
	if created > 2 {
		t.Errorf("%d calls create content, want at most 2", created)
	}
	t.Logf("%d calls to GitHub for one promotion, of which %d create content", total, created)
	for _, k := range slices.Sorted(maps.Keys(kinds)) {
		t.Logf("%4d %s", kinds[k], k)
	}
}
