package guard

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

const full = `apiVersion: pinnace.dev/v1alpha1
kind: Config
branches: [release]
environments:
  - name: dev
    paths: ["envs/dev/**"]
  - name: staging
    paths: ["envs/staging/**"]
    includes: ["charts/**"]
    after: [dev]
    soak: 1h
    gates: [{checkRun: smoke, app: ci}]
    deploy: button
  - name: prod
    paths: ["envs/prod/**"]
    after: [dev, staging]
    production: true
    track: [{images: ["ghcr.io/acme/*"], follow: digest}]
apps:
  - {name: shop, images: [ghcr.io/acme/shop, ghcr.io/acme/worker], source: acme/shop}
roles:
  promoter: {teams: [acme/release], users: ["carol#3"]}
  overrides:
    - {environment: prod, deployer: {permission: maintain}}
serviceAccounts: [acme-ci]
github: {appID: 12}
guard: {approverCount: 2}
pin: {exclude: ["vendor/**"]}
`

const (
	pinAll = `apiVersion: pinnace.dev/v1alpha1
kind: PullImageDigestPolicy
name: pinned
environments: [prod, staging]
`
	twoPeople = `apiVersion: pinnace.dev/v1alpha1
kind: ImagePromotionPolicy
name: two
approverCount: 2
passCondition: image.tag != "latest"
promotions: [sequential]
forbid: [direct]
approvers: {teams: [acme/release]}
applyTo: [{env: prod}, {env: staging, app: shop}]
`
	signed = `apiVersion: pinnace.dev/v1alpha1
kind: FilterCondition
name: registry
allEnvironments: true
passCondition: image.registry == "ghcr.io"
`
	holidays = `apiVersion: pinnace.dev/v1alpha1
kind: Freeze
name: holidays
production: true
reason: holidays
owner: acme/release
window: {from: 2026-12-20, to: 2027-01-03}
`
)

// Each row is one replacement in the documents, with all the lines that it comes to: first
// of what loosens, after a bar of what does not.
func TestCompare(t *testing.T) {
	for _, test := range []struct{ old, new, want string }{
		{"", "", "|"},
		{"branches: [release]", "branches: []", `managed branch "release" is removed|`},
		{"branches: [release]", "branches: [release, next]", `|managed branch "next" is added`},
		{"kind: Config\n", "kind: Config\nmode: observe\n", "mode is observe, which was act|"},
		{`paths: ["envs/dev/**"]`, `paths: ["dev/**"]`, `environment dev: path "envs/dev/**" is removed|environment dev: path "dev/**" is added`},
		{`includes: ["charts/**"]`, `includes: []`, `environment staging: include "charts/**" is removed|`},
		{"production: true\n    track", "production: false\n    track", "environment prod: production is false|"},
		{"    after: [dev]\n    soak: 1h\n", "", `environment staging: it comes after no environment, which was after dev; environment staging: soak is 0s, which was 1h0m0s|`},
		{"after: [dev, staging]", "after: [staging]", "environment prod: it comes after all of staging|"},
		{"after: [dev, staging]", "afterAny: [dev, staging]", "environment prod: it comes after one of dev and staging|"},
		{"soak: 1h", "soak: 5m", "environment staging: soak is 5m0s, which was 1h0m0s|"},
		{"soak: 1h", "soak: 2h", "|environment staging: soak is 2h0m0s, which was 1h0m0s"},
		{"    gates: [{checkRun: smoke, app: ci}]\n", "", `environment staging: gate "check run smoke of ci" is removed|`},
		{"checkRun: smoke, app: ci", "checkRun: smoke, app: other", `environment staging: gate "check run smoke of ci" is removed|environment staging: gate "check run smoke of other" is added`},
		{"deploy: button", "deploy: auto", "environment staging: deploy is auto, which was button|"},
		{"deploy: button", "deploy: command", "|environment staging: deploy is command, which was button"},
		{"deploy: button", "promote: auto", "environment staging: promote is auto, which was manual|"},
		{"deploy: button", "onNewer: supersede", "|environment staging: onNewer is supersede, which was queue"},
		{"follow: digest", `semver: "^1"`, "|environment prod: track is changed: other versions arrive"},
		{"ghcr.io/acme/shop, ghcr.io/acme/worker", "ghcr.io/acme/shop", `app shop: image "ghcr.io/acme/worker" is removed|`},
		{"source: acme/shop", "source: mallory/shop", `app shop: source is "mallory/shop", which was "acme/shop"|`},
		{"source: acme/shop}", "source: acme/shop, paths: ['**/main.yaml']}", `app shop: its places are **/main.yaml, which were all|`},
		{"name: shop,", "name: store,", "app shop is removed: what is bound to it holds for its images no more|app store is added, with the images ghcr.io/acme/shop and ghcr.io/acme/worker"},
		{`users: ["carol#3"]`, `users: ["carol#3", mallory]`, "role promoter is held by more people: mallory is added|"},
		{`users: ["carol#3"]`, `users: ["carol"]`, "role promoter is held by more people: carol is added|"},
		{`users: ["carol#3"]`, `users: ["caroline#3"]`, "|"},
		{`, users: ["carol#3"]`, ``, "|role promoter is held by fewer people: carol#3 is removed"},
		{`{teams: [acme/release], users: ["carol#3"]}`, `{}`, "role promoter is held by more people: nobody is listed any more, so that anybody with write is in it|"},
		{"deployer: {permission: maintain}", "deployer: {permission: read}", "role deployer in prod is held by more people: read is enough, which was maintain|"},
		{"deployer: {permission: maintain}", "deployer: {permission: admin}", "|role deployer in prod is held by fewer people: admin is needed, which was maintain"},
		{"    - {environment: prod, deployer: {permission: maintain}}", "    - {environment: dev, deployer: {permission: maintain}}", "role deployer in prod is held by more people: write is enough, which was maintain|role deployer in dev is held by fewer people: maintain is needed, which was write"},
		{"serviceAccounts: [acme-ci]", "serviceAccounts: []", `service account "acme-ci" is removed|`},
		{"appID: 12", "appID: 13", "the records of GitHub App 13 are believed, which was 12|"},
		{"approverCount: 2}\npin", "approverCount: 1, allowAuthor: true}\npin", "guard.approverCount is 1, which was 2; guard.allowAuthor is true|"},
		{`exclude: ["vendor/**"]`, `exclude: ["**"], ignore: ["nginx"]`, `pin.exclude "**" is added; pin.ignore "nginx" is added|pin.exclude "vendor/**" is removed`},
		{"pin: {", "registryMap: {docker.io: mirror.example}\npin: {", `what "docker.io" holds is asked at "mirror.example"|`},
		{"pin: {", "merge: {method: rebase}\npin: {", "|merge.method is rebase, which was squash"},
		{"pin: {", "notify: [{type: slack, urlFrom: PINNACE_NOTIFY_SLACK}]\npin: {", "|notify is changed"},
		{"pin: {", "pin: {style: digest-only, platform: linux/amd64, ", "|pin.style is digest-only, which was tag-and-digest; pin.platform is linux/amd64, which was index"},

		{pinAll, "", "pin policy pinned is removed|"},
		{"environments: [prod, staging]", "environments: [prod]", `pin policy pinned: environment "staging" is removed|`},
		{"environments: [prod, staging]", "allEnvironments: true", `|pin policy pinned: environment "prod" is removed; pin policy pinned: environment "staging" is removed; pin policy pinned: allEnvironments is true`},
		{"environments: [prod, staging]", "environments: [prod, staging]\nexceptions: [{path: 'envs/prod/a.yaml', reason: later, expires: 2027-01-01}]", `pin policy pinned: "envs/prod/a.yaml" is excepted until 2027-01-02 00:00 UTC|`},
		{twoPeople, "", "promotion policy two is removed|"},
		{"approverCount: 2\npass", "approverCount: 1\nallowRequestFromApprove: true\nallowImageBuilderFromApprove: true\nallowApproverFromDeploy: true\nunknownBuilder: ignore\npass", "promotion policy two: approverCount is 1, which was 2; promotion policy two: allowRequestFromApprove is true; promotion policy two: allowImageBuilderFromApprove is true; promotion policy two: allowApproverFromDeploy is true; promotion policy two: unknownBuilder is ignore, which was the default|"},
		{"approverCount: 2\npass", "approverCount: 2\nunknownRequester: ignore\napprovalTTL: 14d\npass", "promotion policy two: approvalTTL is 336h0m0s, which was 168h0m0s; promotion policy two: unknownRequester is ignore, which was deny|"},
		{"approverCount: 2\npass", "approverCount: 2\nrollback: {approverCount: 0}\npass", "promotion policy two: rollback: approverCount is 0, which was 2|"},
		{"approverCount: 2\npass", "approverCount: 2\nbypassSoak: true\nunverifiedSource: accept\npass", "promotion policy two: bypassSoak is true; promotion policy two: it accepts sources that are not verified: true|"},
		{`passCondition: image.tag != "latest"` + "\n", "", `promotion policy two: passCondition is removed, which was "image.tag != \"latest\""|`},
		{`image.tag != "latest"`, `image.tag != ""`, `promotion policy two: passCondition is "image.tag != \"\"", which was "image.tag != \"latest\"": perhaps more may pass|`},
		{"promotions: [sequential]\nforbid: [direct]", "promotions: [direct]", "promotion policy two: it governs sequential promotions: false; promotion policy two: it governs direct promotions: true; promotion policy two: it forbids direct promotions: false|"},
		{"approvers: {teams: [acme/release]}", "approvers: {teams: [acme/release, acme/everybody]}", "promotion policy two: who may approve: acme/everybody is added|"},
		{"approvers: {teams: [acme/release]}\n", "", "promotion policy two: whoever holds the role promoter may approve, which was acme/release|"},
		{", {env: staging, app: shop}]", "]", `promotion policy two: what it is bound to "app shop, env staging" is removed|`},
		{"{env: prod}, {env", "{env: prod, production: true, image: 'ghcr.io/**', path: 'envs/**'}, {env", `promotion policy two: what it is bound to "env prod" is removed|promotion policy two: what it is bound to "env prod, image ghcr.io/**, path envs/**, production" is added`},
		{"allEnvironments: true\npass", "allEnvironments: true\nunverifiedSource: accept\npass", `filter condition registry: unverifiedSource is "accept", which was ""|`},
		{"allEnvironments: true\npass", "allEnvironments: true\nfailCondition: image.tag == \"\"\npass", `|filter condition registry: failCondition is "image.tag == \"\""`},
		{"checkRun: smoke", "commitStatus: smoke", `environment staging: gate "check run smoke of ci" is removed|environment staging: gate "commit status smoke of ci" is added`},
		{"checkRun: smoke", "deployment: smoke", `environment staging: gate "check run smoke of ci" is removed|environment staging: gate "deployment smoke of ci" is added`},
		{"pin: {", "pin: {extra: [{kind: Shop, paths: ['**'], pointers: [/spec/image]}], ", `|pin.extra "/spec/image of Shop in **" is added`},
		{"    - {environment: prod, d", "    - {app: shop, admin: {permission: write}}\n    - {environment: prod, d", "role admin for shop is held by more people: write is enough, which was admin|"},
		{signed, "", "filter condition registry is removed|"},
		{"allEnvironments: true\npass", "environments: [prod]\npass", `filter condition registry: allEnvironments is false|filter condition registry: environment "prod" is added`},
		{`image.registry == "ghcr.io"`, `image.registry != ""`, `filter condition registry: passCondition is "image.registry != \"\"", which was "image.registry == \"ghcr.io\"": perhaps more may pass|`},
		{holidays, "", "freeze holidays is removed|"},
		{"to: 2027-01-03", "to: 2026-12-21", "freeze holidays: it holds Sun 2026-12-20 00:00 UTC to Mon 2026-12-21 00:00 UTC, which was Sun 2026-12-20 00:00 UTC to Sun 2027-01-03 00:00 UTC|"},
		{"production: true\nreason", "environments: [dev]\nreason", `freeze holidays: production is false|freeze holidays: environment "dev" is added`},
	} {
		t.Run(strings.TrimSpace(test.old)+" to "+strings.TrimSpace(test.new), func(t *testing.T) {
			all := full + "\x00" + strings.Join([]string{pinAll, twoPeople, signed, holidays}, "\x00")
			changed := strings.Replace(all, test.old, test.new, 1)
			if test.old != "" && changed == all {
				t.Fatal("the documents hold no such text")
			}
			base, head := strings.Split(all, "\x00"), strings.Split(changed, "\x00")
			head = slices.DeleteFunc(head, func(s string) bool { return s == "" })
			was, is := book(t, base[0], base[1:]...), book(t, head[0], head[1:]...)
			for _, b := range [][]string{base, head} {
				if r := book(t, b[0], b[1:]...); r.Problems.HasErrors() {
					t.Fatal(r.Problems)
				}
			}
			d := Compare(was, is)
			got := strings.Join(d.Lines[:d.Loosened], "; ") + "|" + strings.Join(d.Lines[d.Loosened:], "; ")
			if got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
			if back := Compare(is, was); (len(back.Lines) == 0) != (len(d.Lines) == 0) {
				t.Errorf("the other way: %q", back.Lines)
			}
		})
	}
}

func TestCompareWithout(t *testing.T) {
	one, none, broken := book(t, full), book(t, ""), book(t, "kind: Config\n")
	if d := Compare(none, one); d.Loosened != 1 || !slices.Contains(d.Lines, ".pinnace/config.yaml is the first configuration here") {
		t.Errorf("the first Config: %q", d.Lines)
	}
	if d := Compare(one, none); d.Lines[0] != ".pinnace/config.yaml is deleted: no environment, app or role is configured any more" {
		t.Errorf("no Config any more: %q", d.Lines)
	}
	if d := Compare(one, broken); len(d.Lines) > 0 {
		t.Errorf("a Config with an error: %q", d.Lines)
	}
	if d := Compare(nil, one); len(d.Lines) > 0 {
		t.Errorf("no tip: %q", d.Lines)
	}
}

// A flood of differences is cut short, the worst of them first.
func TestCompareFlood(t *testing.T) {
	var was, is strings.Builder
	for _, b := range []*strings.Builder{&was, &is} {
		b.WriteString("apiVersion: pinnace.dev/v1alpha1\nkind: Config\nserviceAccounts:\n")
	}
	for i := range 150 {
		fmt.Fprintf(&was, "  - gone%d\n", i)
		fmt.Fprintf(&is, "  - come%d\n", i)
	}
	d := Compare(book(t, was.String()), book(t, is.String()))
	if len(d.Lines) != maxLines+1 || d.Loosened != 150 || d.Lines[maxLines] != "and 100 more differences" {
		t.Errorf("got %d lines, %d of which loosen, and last %q", len(d.Lines), d.Loosened, d.Lines[len(d.Lines)-1])
	}
}

// Exceptions are compared by how long they hold.
func TestCompareExceptions(t *testing.T) {
	with := func(expires string) string {
		return pinAll + "exceptions: [{path: a.yaml, reason: later, expires: " + expires + "}, {path: b.yaml, reason: later, expires: 2027-01-01}]\n"
	}
	short, long, none := book(t, full, with("2027-01-01")), book(t, full, with("2027-02-01")), book(t, full, pinAll)
	if d := Compare(short, long); d.Loosened != 1 || d.Lines[0] != `pin policy pinned: "a.yaml" is excepted until 2027-02-02 00:00 UTC, which was 2027-01-02 00:00 UTC` {
		t.Errorf("longer: %q", d.Lines)
	}
	if d := Compare(long, short); d.Loosened != 0 || len(d.Lines) != 1 {
		t.Errorf("shorter: %q", d.Lines)
	}
	if d := Compare(long, none); d.Loosened != 0 || len(d.Lines) != 2 || d.Lines[0] != `pin policy pinned: "a.yaml" is excepted no more` {
		t.Errorf("no more: %q", d.Lines)
	}
	const receiver = "notify: [{type: slack, urlFrom: PINNACE_NOTIFY_SLACK}]\n"
	if d := Compare(book(t, full+receiver), book(t, full+receiver)); len(d.Lines) > 0 {
		t.Errorf("the same receivers: %q", d.Lines)
	}
}
