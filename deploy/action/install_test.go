package action

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// addresses returns the last word of each call of curl: what was downloaded.
func addresses(calls []string) []string {
	var out []string
	for _, c := range calls {
		if strings.HasPrefix(c, "curl ") {
			out = append(out, c[strings.LastIndex(c, " ")+1:])
		}
	}
	return out
}

// says returns what the program at a path prints.
func says(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	_, said, _ := strings.Cut(string(text), "echo ")
	return strings.TrimSpace(said)
}

func TestReleaseByCosign(t *testing.T) {
	r := newRig(t)
	r.play("cosign", cosignPasses)
	r.release(program)
	_, path := r.run("PINNACE_VERSION=1.2.3", "PINNACE_ACTION_REF=v1")
	if got, want := says(t, path), "released"; got != want {
		t.Errorf("the program says %s, want %s", got, want)
	}
	if got, want := path, r.cache+"/pinnace/v1.2.3/linux-amd64/pinnace"; got != want {
		t.Errorf("kept at %s, want %s", got, want)
	}
	calls := r.called()
	const from = "https://github.com/pinnace-dev/pinnace/releases/download/v1.2.3/"
	if diff := cmp.Diff([]string{from + "checksums.txt", from + "pinnace_1.2.3_linux_amd64.tar.gz", from + "checksums.txt.sigstore.json"}, addresses(calls)); diff != "" {
		t.Errorf("downloads (-want +got):\n%s", diff)
	}
	want := "cosign verify-blob --bundle ROOT/temp/checksums.txt.sigstore.json --certificate-identity " +
		"https://github.com/pinnace-dev/pinnace/.github/workflows/release.yaml@refs/tags/v1.2.3 " +
		"--certificate-oidc-issuer https://token.actions.githubusercontent.com --new-bundle-format ROOT/temp/checksums.txt"
	if got := calls[len(calls)-1]; got != want {
		t.Errorf("verified by\n%s, want\n%s", got, want)
	}

	if _, again := r.run("PINNACE_VERSION=v1.2.3"); again != path {
		t.Errorf("the second run names %s, want %s", again, path)
	}
	if calls := r.called(); len(calls) > 0 {
		t.Errorf("the second run called %v, want nothing", calls)
	}
}

func TestReleaseByGitHub(t *testing.T) {
	r := newRig(t)
	r.play("gh", ghPasses)
	r.release(program)
	_, path := r.run()
	if got, want := says(t, path), "released"; got != want {
		t.Errorf("the program says %s, want %s", got, want)
	}
	calls := r.called()
	want := "gh attestation verify ROOT/temp/pinnace_1.2.3_linux_amd64.tar.gz --repo pinnace-dev/pinnace --cert-identity " +
		"https://github.com/pinnace-dev/pinnace/.github/workflows/release.yaml@refs/tags/v1.2.3 (token)"
	if got := calls[len(calls)-1]; got != want {
		t.Errorf("verified by\n%s, want\n%s", got, want)
	}
	for _, c := range calls[:len(calls)-1] {
		if strings.HasSuffix(c, "(token)") {
			t.Errorf("the token was given to %s", c)
		}
	}
	if got := len(addresses(calls)); got != 2 {
		t.Errorf("%d downloads, want the checksums and the archive", got)
	}
	if r.run(); len(r.called()) > 0 {
		t.Error("the second run called something")
	}
}

// TestRefused lists what is not run: the script fails, says why in one line, and keeps nothing.
func TestRefused(t *testing.T) {
	for name, tc := range map[string]struct {
		change func(*rig)
		want   string
	}{
		"signature": {
			func(r *rig) { r.play("cosign", "echo none of the signatures match; exit 1") },
			"the signature of pinnace v1.2.3 does not verify, so it is not run: none of the signatures match",
		},
		"attestation": {
			func(r *rig) {
				if err := os.Remove(r.bin + "/cosign"); err != nil {
					r.t.Fatal(err)
				}
				r.play("gh", `case "$*" in *--help*) ;; *) echo no attestations found; exit 1 ;; esac`)
			},
			"the attestation of pinnace v1.2.3 does not verify, so it is not run: no attestations found",
		},
		"checksum": {
			func(r *rig) { r.write("web/pinnace_1.2.3_linux_amd64.tar.gz", "something else") },
			"the checksum of pinnace_1.2.3_linux_amd64.tar.gz is not the one that was signed, so it is not run",
		},
		"no checksum": {
			func(r *rig) { r.write("web/checksums.txt", "") },
			"checksums.txt of pinnace v1.2.3 does not name pinnace_1.2.3_linux_amd64.tar.gz exactly once, so it is not run",
		},
		"two checksums": {
			func(r *rig) {
				line := strings.Repeat("a", 64) + "  pinnace_1.2.3_linux_amd64.tar.gz\n"
				r.write("web/checksums.txt", line+line)
			},
			"checksums.txt of pinnace v1.2.3 does not name pinnace_1.2.3_linux_amd64.tar.gz exactly once, so it is not run",
		},
		"empty archive": {
			func(r *rig) { r.release() },
			"pinnace_1.2.3_linux_amd64.tar.gz holds no program pinnace at its top",
		},
		"a path that climbs": {
			func(r *rig) { r.release(member{name: "../../work/pinnace", text: program.text}) },
			"pinnace_1.2.3_linux_amd64.tar.gz holds no program pinnace at its top",
		},
		"an absolute path": {
			func(r *rig) { r.release(member{name: r.root + "/work/pinnace", text: program.text}) },
			"pinnace_1.2.3_linux_amd64.tar.gz holds no program pinnace at its top",
		},
		"a link": {
			func(r *rig) { r.release(member{name: "pinnace", link: "/bin/sh"}) },
			"pinnace_1.2.3_linux_amd64.tar.gz holds no program pinnace at its top",
		},
		"a program of another machine": {
			func(r *rig) { r.release(member{name: "pinnace", text: "#!/nowhere/sh\n"}) },
			"pinnace does not run on this machine",
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			r.play("cosign", cosignPasses)
			r.playGo()
			r.release(program)
			tc.change(r)
			printed, path := r.run()
			if path != "" || !strings.Contains(printed, tc.want) {
				t.Errorf("it names %q and prints\n%swant an error with %q", path, printed, tc.want)
			}
			if got := strings.Count(printed, "::error title=Pinnace::"); got != 1 {
				t.Errorf("%d errors, want one:\n%s", got, printed)
			}
			for _, c := range r.called() {
				if strings.HasPrefix(c, "go ") {
					t.Errorf("what was refused is not replaced, but: %s", c)
				}
			}
		})
	}
}

// TestKeptIsWhole holds that an archive's other members are written nowhere.
func TestKeptIsWhole(t *testing.T) {
	r := newRig(t)
	r.play("cosign", cosignPasses)
	r.release(member{name: "../evil", text: "evil"}, program, member{name: "README.md", text: "read me"}, member{name: "bin", link: "/bin"})
	_, path := r.run()
	if got := says(t, path); got != "released" {
		t.Errorf("the program says %s", got)
	}
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(entries) != 1 {
		t.Errorf("beside the program stands %v, %v", entries, err)
	}
	if _, err := os.Stat(r.root + "/temp/evil"); err == nil {
		t.Error("a member was written")
	}
}

func TestVersionRefused(t *testing.T) {
	for _, version := range []string{
		"latest", "v1", "v1.2", "1.2.3.4", "v1.2.3-", "../v1.2.3", "v1.2.3/..", "v1.2.3 --help", "--help", "v1.2.3;touch x", "$(touch x)", "`touch x`",
		"v1.2.3\n::set-output name=path::/bin/sh", "v1.2.3\npath=/bin/sh", "v1.2.3%0A", "v" + strings.Repeat("1", 70) + ".2.3",
	} {
		r := newRig(t)
		r.play("cosign", cosignPasses)
		printed, path := r.run("PINNACE_VERSION=" + version)
		if path != "" || !strings.HasPrefix(printed, "::error title=Pinnace::the input version is ") || strings.Count(printed, "\n") != 1 {
			t.Errorf("version %q: it names %q and prints\n%s", version, path, printed)
		}
		if calls := r.called(); len(calls) > 0 {
			t.Errorf("version %q: it called %v", version, calls)
		}
	}
}

func TestDownloadIsTriedAgain(t *testing.T) {
	r := newRig(t)
	r.play("cosign", cosignPasses)
	r.release(program)
	r.write("web/checksums.txt.fails", "1\n2\n3\n")
	if _, path := r.run(); says(t, path) != "released" {
		t.Errorf("the program says %s", says(t, path))
	}
	if got := len(addresses(r.called())); got != 6 {
		t.Errorf("%d downloads, want three files and three that fail", got)
	}
}

// TestOwnCommit is about a run that names no version: which release is the action's own commit.
func TestOwnCommit(t *testing.T) {
	sha, other := strings.Repeat("a1", 20), strings.Repeat("b2", 20)
	refs := other + "\tHEAD\n" + other + "\trefs/heads/main\n" +
		sha + "\trefs/heads/release\n" +
		sha + "\trefs/tags/v1\n" +
		strings.Repeat("c3", 20) + "\trefs/tags/v1.2.3\n" + sha + "\trefs/tags/v1.2.3^{}\n" +
		sha + "\trefs/tags/v1.2.3-rc.1\n" +
		strings.Repeat("d4", 20) + "\trefs/tags/v1.2.2\n"
	for name, tc := range map[string]struct {
		env  []string
		refs string
		want string // released or built
		args string // that cosign gets besides
	}{
		"its tag":                       {nil, "", "released", ""},
		"a tag that moves":              {[]string{"PINNACE_ACTION_REF=v1"}, refs, "released", ""},
		"a branch at a release":         {[]string{"PINNACE_ACTION_REF=release"}, refs, "released", ""},
		"the commit of a release":       {[]string{"PINNACE_ACTION_REF=" + sha}, refs, "released", "--certificate-github-workflow-sha=" + sha},
		"a branch ahead of it":          {[]string{"PINNACE_ACTION_REF=main"}, refs, "built", ""},
		"another commit":                {[]string{"PINNACE_ACTION_REF=" + strings.Repeat("e5", 20)}, refs, "built", ""},
		"a ref that is no ref":          {[]string{"PINNACE_ACTION_REF=" + `"; touch x #`}, refs, "built", ""},
		"no answer about refs":          {[]string{"PINNACE_ACTION_REF=v1"}, "", "built", ""},
		"a fork":                        {[]string{"PINNACE_ACTION_REPOSITORY=acme/pinnace"}, refs, "built", ""},
		"an action of the repository":   {[]string{"PINNACE_ACTION_REPOSITORY=", "PINNACE_ACTION_REF="}, refs, "built", ""},
		"a machine without releases":    {[]string{"RUNNER_ARCH=RISCV64"}, refs, "built", ""},
		"a release that is not there":   {[]string{"PINNACE_ACTION_REF=v9.9.9"}, refs, "built", ""},
		"a prerelease of the same text": {[]string{"PINNACE_ACTION_REF=v1.2.3-rc.1"}, refs, "built", ""},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			r.play("cosign", cosignPasses)
			r.playGo()
			r.release(program)
			if tc.refs != "" {
				r.write("web/refs", tc.refs)
			}
			printed, path := r.run(tc.env...)
			if got := says(t, path); got != tc.want {
				t.Errorf("the program was %s, want %s:\n%s", got, tc.want, printed)
			}
			if !regexp.MustCompile(`/pinnace/source-[0-9a-f]{64}/`).MatchString(path) {
				t.Errorf("it is kept at %s, want it below the hash of the source", path)
			}
			calls := strings.Join(r.called(), "\n")
			if tc.args != "" && !strings.Contains(calls, tc.args) {
				t.Errorf("cosign is not told %s:\n%s", tc.args, calls)
			}
			if strings.Contains(calls, "(token)") {
				t.Errorf("the token went to a program that needs none:\n%s", calls)
			}
			if strings.HasPrefix(name, "a fork") && strings.Contains(calls, "curl") {
				t.Errorf("the release of another repository was asked for:\n%s", calls)
			}
			if r.run(tc.env...); len(r.called()) > 0 {
				t.Error("the second run called something")
			}
			r.write("action/cmd/pinnace/main.go", "package main // changed\n")
			if _, changed := r.run(tc.env...); changed == path {
				t.Error("other source has the same key")
			}
		})
	}
}

// TestFromSource is about a runner that can verify nothing, or where Go is missing.
func TestFromSource(t *testing.T) {
	for name, tc := range map[string]struct {
		change func(*rig)
		env    []string
		want   string // what is printed
		calls  []string
	}{
		"the action's own source": {
			(*rig).playGo, nil,
			"::notice title=Pinnace::pinnace is built from the action's own source: neither cosign nor gh (2.49 or newer, with a token) is here to verify a release\nbuilt\n",
			[]string{"go build -mod=readonly -trimpath -buildvcs=false -ldflags -s -w -o ROOT/temp/pinnace ./cmd/pinnace"},
		},
		"a version of the module": {
			(*rig).playGo,
			[]string{"PINNACE_VERSION=v1.2.3"},
			"::notice title=Pinnace::pinnace v1.2.3 is built from source: neither cosign nor gh (2.49 or newer, with a token) is here to verify a release\nbuilt\n",
			[]string{"go install -trimpath -ldflags -s -w github.com/pinnace-dev/pinnace/cmd/pinnace@v1.2.3"},
		},
		"gh without a token verifies nothing": {
			func(r *rig) { r.playGo(); r.play("gh", ghPasses) },
			[]string{"GH_TOKEN="},
			"neither cosign nor gh",
			[]string{"go build -mod=readonly -trimpath -buildvcs=false -ldflags -s -w -o ROOT/temp/pinnace ./cmd/pinnace"},
		},
		"gh knows no attestations": {
			func(r *rig) { r.playGo(); r.play("gh", "exit 1") },
			nil, "neither cosign nor gh",
			[]string{"gh attestation verify --help", "go build -mod=readonly -trimpath -buildvcs=false -ldflags -s -w -o ROOT/temp/pinnace ./cmd/pinnace"},
		},
		"gh of another GitHub": {
			func(r *rig) { r.playGo(); r.play("gh", ghPasses) },
			[]string{"GITHUB_SERVER_URL=https://github.acme.dev"},
			"neither cosign nor gh",
			[]string{"go build -mod=readonly -trimpath -buildvcs=false -ldflags -s -w -o ROOT/temp/pinnace ./cmd/pinnace"},
		},
		"no Go": {
			func(*rig) {}, nil,
			"::error title=Pinnace::pinnace has to be built from source (neither cosign nor gh (2.49 or newer, with a token) is here to verify a release), and go is not on PATH: run actions/setup-go before this action, or name a release with the input version\n",
			nil,
		},
		"no Go for a version": {
			func(*rig) {},
			[]string{"PINNACE_VERSION=v1.2.3"},
			"::error title=Pinnace::pinnace v1.2.3 cannot be brought: neither cosign nor gh (2.49 or newer, with a token) is here to verify a release. Run sigstore/cosign-installer or actions/setup-go before this action\n",
			nil,
		},
		"a build that fails": {
			func(r *rig) { r.play("go", "echo cmd/pinnace: undefined; exit 1") }, nil,
			"cmd/pinnace: undefined\n::error title=Pinnace::pinnace could not be built from the action's own source: see the lines above\n",
			[]string{"go build -mod=readonly -trimpath -buildvcs=false -ldflags -s -w -o ROOT/temp/pinnace ./cmd/pinnace"},
		},
		"a version that Go does not know": {
			func(r *rig) { r.play("go", "echo unknown revision; exit 1") },
			[]string{"PINNACE_VERSION=v1.2.3"},
			"::error title=Pinnace::pinnace v1.2.3 could not be built from source: see the lines above\n",
			[]string{"go install -trimpath -ldflags -s -w github.com/pinnace-dev/pinnace/cmd/pinnace@v1.2.3"},
		},
		"no source": {
			func(r *rig) {
				r.playGo()
				if err := os.Remove(r.root + "/action/go.mod"); err != nil {
					r.t.Fatal(err)
				}
			}, nil, "and ROOT/action holds none\n", nil,
		},
		"a runner's variable is missing": {
			(*rig).playGo,
			[]string{"GITHUB_ACTION_PATH="},
			"::error title=Pinnace::RUNNER_TOOL_CACHE, GITHUB_OUTPUT or GITHUB_ACTION_PATH is not set: this script is a step of the action, and runs in GitHub Actions only\n",
			nil,
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			r.release(program)
			tc.change(r)
			printed, path := r.run(tc.env...)
			if !strings.Contains(printed, tc.want) {
				t.Errorf("printed\n%swant\n%s", printed, tc.want)
			}
			if failed := strings.Contains(printed, "::error"); failed != (path == "") {
				t.Errorf("it names %q and prints\n%s", path, printed)
			}
			if diff := cmp.Diff(tc.calls, r.called()); diff != "" {
				t.Errorf("calls (-want +got):\n%s", diff)
			}
		})
	}
}

// TestCacheCannotBeWritten holds that a tool cache of somebody else is no obstacle.
func TestCacheCannotBeWritten(t *testing.T) {
	r := newRig(t)
	r.playGo()
	r.write("tools", "a file in the way")
	r.env = append(r.env, "RUNNER_TEMP="+r.root+"/other")
	if err := os.Mkdir(r.root+"/other", 0o755); err != nil {
		t.Fatal(err)
	}
	printed, path := r.run()
	if !strings.HasPrefix(path, r.root+"/other/pinnace/source-") {
		t.Errorf("kept at %s:\n%s", path, printed)
	}
}

// TestTwoAtOnce holds that jobs which share a tool cache find all of the program or nothing.
func TestTwoAtOnce(t *testing.T) {
	first := newRig(t)
	first.playGo()
	paths := make([]string, 4)
	var done sync.WaitGroup
	for i := range paths {
		r := newRig(t)
		r.playGo()
		r.env = append(r.env, "RUNNER_TOOL_CACHE="+first.cache)
		done.Go(func() { _, paths[i] = r.run() })
	}
	done.Wait()
	for _, path := range paths {
		if path == "" || path != paths[0] || says(t, path) != "built" {
			t.Errorf("they name %v", paths)
		}
	}
	entries, err := os.ReadDir(filepath.Dir(paths[0]))
	if err != nil || len(entries) != 1 {
		t.Errorf("beside the program stands %v, %v", entries, err)
	}
}
