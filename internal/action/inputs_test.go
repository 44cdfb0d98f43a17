package action

import (
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// inputs is an environment that has only inputs.
func inputs(given map[string]string) func(string) string {
	env := map[string]string{}
	for k, v := range given {
		env[Variable(k)] = v
	}
	return func(name string) string { return env[name] }
}

func TestReadInputs(t *testing.T) {
	dot := []string{"."}
	for name, test := range map[string]struct {
		given map[string]string
		want  Inputs
	}{
		"as action.yml hands them over": {
			map[string]string{"command": "check", "paths": ".", "create-pr": "false", "dry-run": "false", "fail-on": ""},
			Inputs{Command: Check, Paths: dot, FailOn: FailOnUnpinned},
		},
		"lists are split at lines and commas": {
			map[string]string{"command": "pin", "paths": "a b\n  c/d.yaml ,e\r\n\na b\n", "registry-map": "docker.io=mirror.example,*=other.example"},
			Inputs{Command: Pin, Paths: []string{"a b", "c/d.yaml", "e"}, FailOn: FailOnNone, RegistryMap: []string{"docker.io=mirror.example", "*=other.example"}},
		},
		"one pull request of pins": {
			map[string]string{"command": "pin", "create-pr": "true", "branch": "pinnace/pins", "title": "Pin: all", "labels": "deps,ops", "commit-message": "pin\n", "paths": "envs", "dry-run": "True"},
			Inputs{Command: Pin, Paths: []string{"envs"}, CreatePR: true, FailOn: FailOnNone, Branch: "pinnace/pins", Title: "Pin: all", Labels: []string{"deps", "ops"}, CommitMessage: "pin", DryRun: true},
		},
		"labels need no branch": {
			map[string]string{"command": "pin", "create-pr": "TRUE", "labels": "deps"},
			Inputs{Command: Pin, Paths: dot, CreatePR: true, FailOn: FailOnNone, Labels: []string{"deps"}},
		},
		"check": {
			map[string]string{"command": "Check", "fail-on": "Stale", "config": "c.yaml", "sarif-file": "out.sarif"},
			Inputs{Command: Check, Paths: dot, FailOn: FailOnStale, Config: "c.yaml", SARIFFile: "out.sarif"},
		},
		"promote": {
			map[string]string{"command": "promote", "app": "shop", "to": "eu, us", "image": "ghcr.io/acme/shop:1.5@sha256:" + strings.Repeat("a", 64), "fail-on": "policy"},
			Inputs{Command: Promote, Paths: dot, FailOn: FailOnPolicy, App: "shop", To: []string{"eu", "us"}, Image: "ghcr.io/acme/shop:1.5@sha256:" + strings.Repeat("a", 64)},
		},
		"decide":    {map[string]string{"command": "decide", "pull-request": "#12"}, Inputs{Command: Decide, Paths: dot, FailOn: FailOnNone, PullRequest: 12}},
		"reconcile": {map[string]string{"command": " reconcile\n"}, Inputs{Command: Reconcile, Paths: dot, FailOn: FailOnNone}},
	} {
		got, err := ReadInputs(inputs(test.given))
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if diff := cmp.Diff(got, test.want); diff != "" {
			t.Errorf("%s (-got +want):\n%s", name, diff)
		}
	}
}

// Every mistake is told, each on a line of its own.
func TestReadInputsMistakes(t *testing.T) {
	for name, test := range map[string]struct {
		given map[string]string
		want  string
	}{
		"nothing": {nil, `input command: it is missing: want one of pin, check, promote, decide, reconcile`},
		"unknown": {map[string]string{"command": "pni"}, `input command: "pni": no such command: did you mean pin?`},
		"a part":  {map[string]string{"command": "recon"}, `input command: "recon": no such command: did you mean reconcile?`},
		"far off": {map[string]string{"command": "deploy"}, `input command: "deploy": no such command: there are pin, check, promote, decide, reconcile`},
		"several": {
			map[string]string{"command": "check", "create-pr": "yes", "fail-on": "stlae", "to": "prod", "dry-run": "true", "registry-map": "docker.io"},
			`input create-pr: "yes": want true or false
input to: "prod": command check takes no to: leave it out, or use command: promote
input dry-run: "true": command check takes no dry-run: it writes nothing anyway; leave it out
input fail-on: "stlae": no such value: did you mean stale?
input registry-map: "docker.io": the entry "docker.io": want HOST=MIRROR`,
		},
		"no pull request to title": {
			map[string]string{"command": "pin", "title": "x", "branch": "pinnace/x"},
			`input branch: "pinnace/x": it is for the pull request: set create-pr: true, or leave it out
input title: "x": it is for the pull request: set create-pr: true, or leave it out`,
		},
		"no branch to title": {
			map[string]string{"command": "pin", "create-pr": "true", "title": "x", "paths": "envs"},
			`input paths: "envs": with create-pr it is for one pull request: name its branch, such as branch: pinnace/pins, or leave it out
input title: "x": with create-pr it is for one pull request: name its branch, such as branch: pinnace/pins, or leave it out`,
		},
		"a file for branches": {map[string]string{"command": "pin", "create-pr": "true", "config": "c.yaml"}, `input config: "c.yaml": with create-pr the configuration is .pinnace/config.yaml of the branch: leave config out`},
		"a branch of people":  {map[string]string{"command": "pin", "create-pr": "true", "branch": "main"}, `input branch: "main": want a branch that begins with pinnace/, such as pinnace/pins`},
		"no branch of git's":  {map[string]string{"command": "pin", "create-pr": "true", "branch": "pinnace/a..b"}, `input branch: "pinnace/a..b": want a branch that begins with pinnace/, such as pinnace/pins`},
		"an empty part":       {map[string]string{"command": "pin", "create-pr": "true", "branch": "pinnace/"}, `input branch: "pinnace/": want a branch that begins with pinnace/, such as pinnace/pins`},
		"pin fails on errors": {map[string]string{"command": "pin", "fail-on": "unpinned"}, `input fail-on: "unpinned": command pin fails on errors only: leave it out, or add a step with command: check`},
		"decide has no stale": {map[string]string{"command": "decide", "fail-on": "stale"}, `input fail-on: "stale": command decide takes none, policy`},
		"nothing to promote":  {map[string]string{"command": "promote", "to": " , "}, "input app: it is missing: want the app to promote, such as app: shop\ninput to: it is missing: want an environment, such as to: staging"},
		"two sources": {
			map[string]string{"command": "promote", "app": "shop", "to": "prod", "from": "staging", "image": "shop:1"},
			`input image: "shop:1": an image comes from an environment or from the registry: leave image out, or from`,
		},
		"two lines":  {map[string]string{"command": "promote", "app": "shop\n::set-env::", "to": "prod"}, `input app: "shop\n::set-env::": want one line of text without control characters`},
		"a control":  {map[string]string{"command": "check", "paths": "a\x1b[2J"}, `input paths: "a\x1b[2J": the entry "a\x1b[2J": want text without control characters, of at most 4096 bytes`},
		"no number":  {map[string]string{"command": "decide", "pull-request": "0"}, `input pull-request: "0": want the number of a pull request, such as 12`},
		"too large":  {map[string]string{"command": "decide", "pull-request": "99999999999"}, `input pull-request: "99999999999": want the number of a pull request, such as 12`},
		"long title": {map[string]string{"command": "pin", "create-pr": "true", "branch": "pinnace/x", "title": strings.Repeat("ü", 256)}, `input title: "` + strings.Repeat("ü", 80) + `"...: it has 256 characters: want at most 255`},
		"long label": {map[string]string{"command": "pin", "create-pr": "true", "labels": strings.Repeat("a", 51)}, `input labels: "` + strings.Repeat("a", 51) + `": the entry "` + strings.Repeat("a", 51) + `": GitHub takes at most 50 characters`},
		"huge":       {map[string]string{"command": "decide", "paths": strings.Repeat("a", maxInput+1)}, `input paths: it has 65537 bytes: want at most 65536`},
		"many":       {map[string]string{"command": "promote", "app": "a", "to": strings.Join(slices.Collect(numbers(101)), ",")}, `input to: "0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,"...: it has more than 100 entries: want fewer`},
	} {
		got, err := ReadInputs(inputs(test.given))
		if err == nil {
			t.Errorf("%s: got %+v", name, got)
			continue
		}
		if diff := cmp.Diff(err.Error(), test.want); diff != "" {
			t.Errorf("%s (-got +want):\n%s", name, diff)
		}
		if diff := cmp.Diff(got, Inputs{}); diff != "" {
			t.Errorf("%s: inputs beside an error: %s", name, diff)
		}
	}
}

func numbers(n int) func(func(string) bool) {
	return func(yield func(string) bool) {
		for i := range n {
			if !yield(itoa(i)) {
				return
			}
		}
	}
}

func itoa(n int) string {
	if n < 10 {
		return string(rune('0' + n))
	}
	return itoa(n/10) + itoa(n%10)
}

// An input that a command makes no use of is refused, and each command takes what it is for.
func TestUses(t *testing.T) {
	value := map[string]string{"create-pr": "true", "dry-run": "true", "pull-request": "3", "image": "a:1", "branch": "pinnace/x"}
	for _, u := range uses {
		for _, command := range Commands() {
			given := map[string]string{"command": command, u.input: "x"}
			if v := value[u.input]; v != "" {
				given[u.input] = v
			}
			_, err := ReadInputs(inputs(given))
			refused := err != nil && strings.Contains(err.Error(), "command "+command+" takes no "+u.input)
			if want := !slices.Contains(u.commands, command); refused != want {
				t.Errorf("%s with %s: refused %v, want %v: %v", command, u.input, refused, want, err)
			}
		}
	}
}

// FuzzReadInputs: no text makes inputs that hold what ends a line, nor an error of more lines
// than mistakes.
func FuzzReadInputs(f *testing.F) {
	f.Add("pin", "a\nb", "x", "12")
	f.Add("promote", "shop", "eu,us", "\x00\u2028")
	f.Fuzz(func(t *testing.T, command, list, line, number string) {
		given := map[string]string{"command": command}
		for _, k := range []string{"paths", "to", "labels", "registry-map"} {
			given[k] = list
		}
		for _, k := range []string{"app", "from", "image", "branch", "title", "commit-message", "config", "sarif-file"} {
			given[k] = line
		}
		given["pull-request"], given["create-pr"] = number, "true"
		for k := range maps.Clone(given) {
			if k != "command" && len(given[k])%3 == 0 {
				delete(given, k)
			}
		}
		i, err := ReadInputs(inputs(given))
		if err != nil {
			for l := range strings.SplitSeq(err.Error(), "\n") {
				if !strings.HasPrefix(l, "input ") {
					t.Fatalf("a line of the error is %q", l)
				}
			}
			return
		}
		for _, s := range slices.Concat(i.Paths, i.To, i.Labels, i.RegistryMap, []string{i.App, i.From, i.Image, i.Branch, i.Title, i.CommitMessage, i.Config, i.SARIFFile}) {
			if !fit(s) {
				t.Fatalf("got %q", s)
			}
		}
		if i.FailOn == "" || len(i.Paths) == 0 || !slices.Contains(Commands(), i.Command) {
			t.Fatalf("got %+v", i)
		}
	})
}

// action.yml hands over each input that is read, and no other.
func TestActionYAML(t *testing.T) {
	data, err := os.ReadFile("../../action.yml")
	if err != nil {
		t.Fatal(err)
	}
	handed := map[string]bool{}
	for _, m := range regexp.MustCompile(`(PINNACE_INPUT_[A-Z_]+): \$\{\{ inputs\.([a-z-]+) \}\}`).FindAllStringSubmatch(string(data), -1) {
		handed[m[1]] = true
		if Variable(m[2]) != m[1] {
			t.Errorf("%s holds the input %s", m[1], m[2])
		}
	}
	asked := map[string]bool{}
	_, _ = ReadInputs(func(name string) string {
		asked[name] = true
		return ""
	})
	if diff := cmp.Diff(asked, handed); diff != "" {
		t.Errorf("read and handed over (-read +handed over):\n%s", diff)
	}
}
