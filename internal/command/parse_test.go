package command

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const digest = "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"

func TestParse(t *testing.T) {
	const sha = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b"
	for name, tc := range map[string]struct {
		body string
		want Command
	}{
		"promote":                 {"/promote shop to prod", Command{Verb: Promote, App: "shop", Envs: []string{"prod"}}},
		"several environments":    {"/promote shop to staging,prod", Command{Verb: Promote, App: "shop", Envs: []string{"staging", "prod"}}},
		"a space after the comma": {"/promote shop to staging, prod from dev", Command{Verb: Promote, App: "shop", Envs: []string{"staging", "prod"}, From: "dev"}},
		"from":                    {"/promote shop to prod from staging", Command{Verb: Promote, App: "shop", Envs: []string{"prod"}, From: "staging"}},
		"image":                   {"/promote shop to prod image ghcr.io/acme/shop:1.2@" + digest, Command{Verb: Promote, App: "shop", Envs: []string{"prod"}, Image: "ghcr.io/acme/shop:1.2@" + digest}},
		"because":                 {"/promote shop to prod because  it is  to be from image 3", Command{Verb: Promote, App: "shop", Envs: []string{"prod"}, Reason: "it is to be from image 3"}},
		"flags":                   {`/promote shop --to prod --reason "the sale begins" --from=staging`, Command{Verb: Promote, App: "shop", Envs: []string{"prod"}, From: "staging", Reason: "the sale begins"}},
		"flags first":             {"/promote --to prod shop", Command{Verb: Promote, App: "shop", Envs: []string{"prod"}}},
		"reason of one word":      {"/promote shop --to=prod --reason hotfix --image nginx:1", Command{Verb: Promote, App: "shop", Envs: []string{"prod"}, Image: "nginx:1", Reason: "hotfix"}},
		"quotes of a phone":       {"/promote shop to prod --reason “go on”", Command{Verb: Promote, App: "shop", Envs: []string{"prod"}, Reason: "go on"}},
		"an app of a keyword":     {"/promote from to prod", Command{Verb: Promote, App: "from", Envs: []string{"prod"}}},
		"an app of a path":        {"/promote [2001:db8::1]:5000/acme/shop_x to prod", Command{Verb: Promote, App: "[2001:db8::1]:5000/acme/shop_x", Envs: []string{"prod"}}},
		"rollback":                {"/rollback shop in prod", Command{Verb: Rollback, App: "shop", Envs: []string{"prod"}}},
		"rollback to a digest":    {"/rollback shop in prod to " + digest + " because errors", Command{Verb: Rollback, App: "shop", Envs: []string{"prod"}, To: digest, Reason: "errors"}},
		"rollback by flags":       {"/rollback shop --env prod --to " + digest, Command{Verb: Rollback, App: "shop", Envs: []string{"prod"}, To: digest}},
		"deploy":                  {"/deploy", Command{Verb: Deploy}},
		"spaces around":           {"   /deploy \t ", Command{Verb: Deploy}},
		"carriage return":         {"/deploy\r\n", Command{Verb: Deploy}},
		"reseal":                  {"/reseal", Command{Verb: Reseal}},
		"break-glass":             {`/break-glass "prod is down"`, Command{Verb: BreakGlass, Reason: "prod is down"}},
		"break-glass bare":        {"/break-glass prod is down", Command{Verb: BreakGlass, Reason: "prod is down"}},
		"break-glass because":     {"/break-glass because prod's down", Command{Verb: BreakGlass, Reason: "prod's down"}},
		"break-glass by flag":     {`/break-glass --reason="prod is down"`, Command{Verb: BreakGlass, Reason: "prod is down"}},
		"two quotes":              {`/break-glass "a" or "b"`, Command{Verb: BreakGlass, Reason: `"a" or "b"`}},
		"another script":          {"/break-glass الخدمة متوقفة", Command{Verb: BreakGlass, Reason: "الخدمة متوقفة"}},
		"joined emoji":            {"/break-glass down 👩‍🚒", Command{Verb: BreakGlass, Reason: "down 👩‍🚒"}},
		"approve-config":          {"/approve-config " + sha, Command{Verb: ApproveConfig, SHA: sha}},
		"cancel":                  {"/cancel", Command{Verb: Cancel}},
		"cancel because":          {"/cancel because 1.3 is out", Command{Verb: Cancel, Reason: "1.3 is out"}},
		"judge":                   {"/judge", Command{Verb: Judge}},
	} {
		t.Run(name, func(t *testing.T) {
			tc.want.Line = 1
			got, problems := Parse(tc.body)
			if diff := cmp.Diff([]Command{tc.want}, got); diff != "" || len(problems) > 0 {
				t.Errorf("problems %v, (-want +got):\n%s", problems, diff)
			}
			again, problems := Parse(tc.want.String())
			if diff := cmp.Diff([]Command{tc.want}, again); diff != "" || len(problems) > 0 {
				t.Errorf("%q is read back with problems %v, (-want +got):\n%s", tc.want, problems, diff)
			}
		})
	}
}

// TestParseRefuses shows what people are told who wrote nearly a command.
func TestParseRefuses(t *testing.T) {
	for name, tc := range map[string]struct{ body, want string }{
		"an argument":                      {"/deploy now please", `/deploy takes nothing after it, and "now please" follows: leave that out, or write it on a line of its own; for example: /deploy`},
		"a reason of deploy":               {"/deploy because I can", `and "because I can" follows`},
		"no app":                           {"/promote", "/promote wants to know which app; for example: /promote shop to prod"},
		"no environment":                   {"/promote shop", `/promote wants to know which environment, after "to"`},
		"no environment after to":          {"/promote shop to", "has nothing after to"},
		"rollback to where":                {"/rollback shop", `which environment, after "in"`},
		"rollback to an env":               {"/rollback shop to prod", "cannot read to: digest"},
		"rollback of two":                  {"/rollback shop in prod,staging", "takes one environment"},
		"a short digest":                   {"/rollback shop in prod to sha256:9f86d081", "cannot read to: digest has 8 digits"},
		"twice":                            {"/promote shop to prod --to dev", "has --to twice"},
		"an environment twice":             {"/promote shop to prod,prod", "prod is there twice"},
		"an environment in capitals":       {"/promote shop to PROD", `"PROD" is no name of an environment`},
		"a path":                           {"/promote shop to ../prod", "is no name of an environment"},
		"21 environments":                  {"/promote shop to " + strings.Repeat("a,", 20) + "a", "21 environments are more than 20"},
		"an empty environment":             {"/promote shop to prod,", `"" is no name of an environment`},
		"an app with a space that is none": {"/promote sh\u00a0op to prod", `cannot take "sh\u00a0op" for an app`},
		"an app that hides":                {"/promote sh\u200bop to prod", `cannot take "sh\u200bop" for an app`},
		"an app turned around":             {"/promote \u202epohs to prod", `cannot take "\u202epohs" for an app`},
		"an app of a flag":                 {"/promote -shop to prod", `cannot take "-shop" for an app`},
		"a long app":                       {"/promote " + strings.Repeat("a", 256) + " to prod", "more than 255"},
		"an unknown flag":                  {"/promote shop --to prod --force", `does not know what to do with "--force"`},
		"a sentence":                       {"/promote shop to prod please", `does not know what to do with "please"`},
		"a bad image":                      {"/promote shop to prod image Nginx:1", "cannot read image: name component"},
		"a quote without end":              {`/promote shop to prod --reason "it`, "has no end of the quote"},
		"text after a quote":               {`/promote shop to prod --reason "it"is`, "has no end of the quote"},
		"an empty flag":                    {"/promote shop to prod --reason", "has nothing after --reason"},
		"a comment inside":                 {"/promote shop to prod <!-- not really", "may not hold an HTML comment"},
		"no reason":                        {"/break-glass", `/break-glass wants a reason, in words; for example: /break-glass "the shop is down`},
		"an empty reason":                  {`/break-glass ""`, "wants a reason"},
		"a reason of dots":                 {`/break-glass "..."`, "wants a reason"},
		"a reason that hides":              {"/break-glass \u200b\u2060", "does not show"},
		"the word reason":                  {`/break-glass "reason"`, "wants a reason"},
		"a reason turned around":           {"/break-glass fix \u202egnihton", `does not show: '\u202e'`},
		"a reason of another code":         {"/break-glass fix \xff", "not in UTF-8"},
		"a long reason":                    {"/break-glass " + strings.Repeat("é", 501), "has a reason of 501 characters, more than 500"},
		"a short commit":                   {"/approve-config 9f86d08", "wants the full commit"},
		"no commit":                        {"/approve-config", "wants the full commit"},
		"a commit in capitals":             {"/approve-config " + strings.Repeat("A", 40), "wants the full commit"},
		"two commits":                      {"/approve-config " + strings.Repeat("a", 40) + " " + strings.Repeat("b", 40), "wants the full commit"},
		"cancel what":                      {"/cancel shop", `does not know what to do with "shop"`},
		"a long line":                      {"/promote shop to prod because " + strings.Repeat("a ", 4<<10), "more than 4096 characters"},
		"left out":                         {"/breakglass it", "/breakglass is no command: did you mean /break-glass"},
		"put in":                           {"/promotes shop to prod", "did you mean /promote shop to prod?"},
		"with a comma":                     {"/deploy, please", `did you mean /deploy?`},
		"changed places":                   {"/dpeloy", "did you mean /deploy?"},
		"in capitals":                      {"/Deploy", "did you mean /deploy?"},
		"with what hides":                  {"/dep\u200bloy", `/dep\u200bloy is no command`},
		"below a quote":                    {"> please deploy\n/deploy", "/deploy stands right below a quote"},
		"below a quoted fence":             {"> ```\n/deploy", "/deploy stands right below a quote"},
		"further below a quote":            {"> please deploy\nyes\n/deploy", "/deploy stands right below a quote"},
		"after code in a list":             {"- ```\n  x\n  ```\n/deploy", "may be inside of code"},
		"after half a comment":             {"see <!-- here\n\n/deploy", "may be inside of code or of HTML"},
	} {
		t.Run(name, func(t *testing.T) {
			got, problems := Parse(tc.body)
			if len(got) > 0 || len(problems) != 1 {
				t.Fatalf("got %d commands %v and problems %v, want one problem", len(got), got, problems)
			}
			if p := problems[0]; !strings.Contains(p.Text, tc.want) || len(p.Text) > 400 || p.Line != strings.Count(tc.body, "\n")+1 {
				t.Errorf("got %d: %q, want it to hold %q", p.Line, p.Text, tc.want)
			}
		})
	}
}

// TestParseIgnores shows the bodies that hold no command, and nothing that looks like one.
func TestParseIgnores(t *testing.T) {
	for name, body := range map[string]string{
		"nothing":                  "",
		"a sentence":               "please /deploy this",
		"a list":                   "- /deploy\n1. /deploy\n* /deploy",
		"a table":                  "| /deploy |",
		"emphasis":                 "**/deploy**",
		"code":                     "`/deploy`",
		"a path":                   "/deploy/prod/kustomization.yaml",
		"another bot":              "/lgtm\n/hold cancel\n/retest",
		"a slash":                  "/ deploy\n/",
		"two slashes":              "//deploy",
		"hidden in front":          "\u200b/deploy\n\ufeff/deploy\n\u00a0/deploy\n\u3000/deploy",
		"turned around":            "\u202e/deploy",
		"another slash":            "\uff0fdeploy\n\u2215deploy",
		"another line end":         "a\u2028/deploy\u2029/deploy\v/deploy\f/deploy\u0085/deploy",
		"a fence":                  "```\n/deploy\n```",
		"a fence with a language":  "```sh\n/deploy\n```",
		"a fence of tildes":        "~~~\n/deploy\n```\n/deploy\n~~~",
		"a fence of backticks":     "```\n/deploy\n~~~\n/deploy\n```",
		"a close too deep":         "```\n    ```\n/deploy\n```",
		"a close behind a tab":     "```\n\t```\n/deploy\n```",
		"a longer fence":           "````\n```\n/deploy\n```\n/deploy\n````",
		"a fence not closed":       "```\n/deploy",
		"a close with words":       "```\n``` sh\n/deploy\n```",
		"carriage returns":         "```\r\n/deploy\r\n```\r\n",
		"only carriage returns":    "```\r/deploy\r```",
		"a tilde fence with ticks": "~~~ a`b\n/deploy\n~~~",
		"an indented block":        "text\n\n    /deploy\n\t/deploy\n  \t/deploy",
		"a quote":                  "> /deploy",
		"quotes in quotes":         "> > /deploy\n>> /deploy\n   > /deploy",
		"a quoted fence":           "> ```\n> /deploy\n> ```",
		"a comment":                "<!-- \n/deploy\n-->",
		"a comment on the line":    "<!-- x --> /deploy",
		"a comment not closed":     "<!--\n\n/deploy",
		"a fence in a comment":     "<!--\n```\n-->\n\n```\n/deploy\n```",
		"a comment in a fence":     "```\n<!--\n```\n\n<!--\n/deploy\n-->",
		"pre":                      "<pre>\n/deploy\n</pre>",
		"a processing instruction": "<?php\n\n/deploy\n?>",
		"a declaration":            "<!X\n\n/deploy",
		"character data":           "<![CDATA[\n\n/deploy\n]]>",
		"pre with classes":         "<PRE class=x>\n\n/deploy\n</Pre>",
		"blockquote":               "<blockquote>\n\n/deploy\n</blockquote>",
		"beyond 64 KiB":            strings.Repeat("a\n", 32<<10) + "/deploy",
		"a line cut at 64 KiB":     strings.Repeat("a", 64<<10-9) + "\n/deploy now",
	} {
		t.Run(name, func(t *testing.T) {
			if got, problems := Parse(body); len(got) > 0 || len(problems) > 0 {
				t.Errorf("got %v and problems %v, want neither", got, problems)
			}
		})
	}
}

// TestParseDoubts shows the bodies where /deploy is code or a comment to GitHub, by rules that
// depend on what stands around it. None is taken; all that is lost is a word on why.
func TestParseDoubts(t *testing.T) {
	for name, body := range map[string]string{
		"a comment in a line":           "see <!-- \n/deploy\n-->",
		"an indented tick line":         "    ```\n\n```\n/deploy\n```",
		"a fence in a list":             "- ```\n  /deploy\n  ```",
		"a fence in lists":              "- 1) ~~~\n  /deploy",
		"a fence in a list, numbers":    "10. ```\n   /deploy\n    ```",
		"an indented fence":             "   ```\n/deploy\n   ```",
		"a code span of lines":          "see `a\n/deploy\nb` there",
		"code spans of lines":           "`a`\nsee ``a\n/deploy\nb`` there",
		"a tag of lines":                "see <a title=\"\n/deploy\n\">this</a>",
		"a fence that leaves a list":    "*\n  ```\n````\n/deploy",
		"an inline comment and a fence": "text <!--\n\n```\n-->\n/deploy\n```",
	} {
		t.Run(name, func(t *testing.T) {
			got, problems := Parse(body)
			if len(got) > 0 || len(problems) != 1 || !strings.Contains(problems[0].Text, "may be inside of code") {
				t.Errorf("got %v and problems %v, want a doubt", got, problems)
			}
		})
	}
}

// TestParseFinds shows the bodies that have /deploy as a command, and nothing else.
func TestParseFinds(t *testing.T) {
	for name, body := range map[string]string{
		"among text":                  "LGTM!\n/deploy\nthank you",
		"after a fence":               "```\nx\n```\n/deploy",
		"after a longer close":        "```\nx\n`````  \n/deploy",
		"after ticks in a line":       "``` not a fence ```\n/deploy",
		"after two tildes":            "~~\n/deploy",
		"after a quote":               "> please\n\n/deploy",
		"after an empty quote":        ">\n/deploy",
		"after a quoted fence":        "> ```\n> x\n\n/deploy",
		"after a quoted half comment": "> <!-- x\n\n/deploy",
		"after a comment":             "<!-- x -->\n/deploy",
		"after comments":              "<!-- x --> and <!-- y -->\n/deploy",
		"after a comment of lines":    "<!--\nx\n-->\n/deploy",
		"after a list":                "- one\n- two\n\n/deploy",
		"after pre":                   "<pre>x</pre>\n/deploy",
		"after code in words":         "`a` and `b`\n/deploy\n`c`",
		"after an arrow":              "a > b < c > d\n/deploy\n>",
		"after a word of pre":         "<prefix>\n/deploy",
		"in a list":                   "- one\n\n  /deploy",
		"after old line ends":         "yes\r/deploy\rgo",
		"below a rule":                "---\n/deploy",
	} {
		t.Run(name, func(t *testing.T) {
			got, problems := Parse(body)
			if len(got) != 1 || got[0].Verb != Deploy || len(problems) > 0 {
				t.Errorf("got %v and problems %v, want /deploy alone", got, problems)
			}
		})
	}
}

func TestParseMany(t *testing.T) {
	got, problems := Parse("hello\n/promote shop to prod\n\n/promotee x\n/promote web to prod because\n/judge\n")
	want := []Command{{Verb: Promote, App: "shop", Envs: []string{"prod"}, Line: 2}, {Verb: Judge, Line: 6}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if len(problems) != 2 || problems[0].Line != 4 || problems[1].Line != 5 {
		t.Errorf("got problems %v, want them of lines 4 and 5", problems)
	}

	got, problems = Parse(strings.Repeat("/judge\n", 1000))
	if len(got) != 20 || len(problems) != 1 || problems[0].Line != 21 || !strings.Contains(problems[0].Text, "may hold 20 commands") {
		t.Errorf("got %d commands and problems %v, want 20 and one", len(got), problems)
	}
	got, problems = Parse(strings.Repeat("/deploy now\n", 1000) + "/deploy")
	if len(got) != 0 || len(problems) != 20 {
		t.Errorf("got %d commands and %d problems, want 0 and 20", len(got), len(problems))
	}
}
