package cli

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/fatih/color"
	"github.com/spf13/cobra"

	"github.com/pinnace-dev/pinnace/internal/promotion"
	"github.com/pinnace-dev/pinnace/internal/sandbox"
	"github.com/pinnace-dev/pinnace/testdata"
)

func newDemo() *cobra.Command {
	var once bool
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Watch Pinnace at work on a config repository, offline",
		Long: `Watch Pinnace at work on a config repository, offline.

A GitHub and an image registry run inside this process, on the loopback address. The demo
walks from tags to pinned images, to a tag that moves, and to a promotion whose reviews are
the approvals. What it prints are the real commands with their real output. Then it leaves
GitHub running, so that you can go on; --once ends it instead.

Nothing outside of this process is reached or changed. Exit status 1 means that a step
failed.`,
		Example: `  pinnace demo
  pinnace demo --once`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			d := &demo{ctx: cmd.Context(), out: cmd.OutOrStdout()}
			if err := d.open(); err != nil {
				return err
			}
			defer d.close()
			if err := d.walk(); err != nil {
				return err
			}
			if once {
				return nil
			}
			return d.stay()
		},
	}
	cmd.Flags().BoolVar(&once, "once", false, "end after the walk")
	return cmd
}

// A demo is a walk through a sandbox.
type demo struct {
	ctx     context.Context
	out     io.Writer
	world   *sandbox.Sandbox
	repo    *sandbox.Repository
	app     *sandbox.App
	home    string // a directory of the demo's own
	stable  string // the digest of shop:1.4.1
	restore []func()
	late    time.Duration
}

const demoRepository = "acme/config"

// open builds the world that the walk goes through.
func (d *demo) open() error {
	d.world = sandbox.New(sandbox.Options{Now: func() time.Time { return time.Now().Add(d.late) }})
	if err := d.world.Start(); err != nil {
		return fmt.Errorf("start the sandbox: %w", err)
	}
	if err := d.push(); err != nil {
		return err
	}
	files, err := d.files()
	if err != nil {
		return err
	}
	d.world.Org("acme", "ada")
	d.app = d.world.App(sandbox.AppOptions{Name: "Pinnace", Permissions: map[string]string{
		"contents": "write", "pull_requests": "write", "metadata": "read", "checks": "write", "issues": "write", "members": "read",
	}})
	files[configPath] += fmt.Sprintf("github: {appID: %d}   # whose records are believed\n", d.app.ID())
	d.repo = d.world.Repository("acme", "config", sandbox.RepositoryOptions{Files: files})
	for _, login := range []string{"bob", "carol"} {
		d.repo.Permission(login, promotion.PermissionWrite)
	}
	d.app.Install("acme", "config")
	if d.home, err = os.MkdirTemp("", "pinnace-demo"); err != nil {
		return err
	}
	for name, data := range map[string][]byte{"config.json": []byte("{}"), "app.pem": d.app.PrivateKey()} {
		if err := os.WriteFile(filepath.Join(d.home, name), data, 0o600); err != nil {
			return err
		}
	}
	d.set("DOCKER_CONFIG", d.home) // nobody's logins are used
	d.set("GITHUB_API_URL", d.world.URL())
	d.set("GITHUB_REPOSITORY", "")
	d.set("GITHUB_TOKEN", "")
	d.asApp()
	return nil
}

// asApp has the commands that follow act as Pinnace's App.
func (d *demo) asApp() {
	d.set("GH_TOKEN", "")
	d.set("PINNACE_APP_ID", strconv.FormatInt(d.app.ID(), 10))
	d.set("PINNACE_APP_KEY", filepath.Join(d.home, "app.pem"))
}

// as has the commands that follow act as a person.
func (d *demo) as(login string) {
	d.set("GH_TOKEN", d.world.Token(login))
	d.set("PINNACE_APP_ID", "")
	d.set("PINNACE_APP_KEY", "")
}

// push fills the registry.
func (d *demo) push() error {
	for _, i := range []struct{ ref, commit string }{
		{"acme/shop:1.4", "4a"},
		{"acme/shop:1.4.1", "4b"},
		{"acme/shop:1.4.2", "4c"},
		{"acme/shop:1.5", "50"},
		{"acme/shop-migrate:1.4", "4a"},
		{"prometheus/statsd-exporter:v0.26.0", ""},
		{"bitnami/redis:7.2.4-debian-12-r9", ""},
		{"library/busybox:1.36", ""},
	} {
		digest, err := d.image(i.ref, i.commit)
		if err != nil {
			return err
		}
		if i.ref == "acme/shop:1.4.1" {
			d.stable = digest
		}
	}
	return nil
}

// pinned is what prod was pinned to by hand: in the demo, to the image that 1.4.1 is.
var pinned = regexp.MustCompile(`sha256:[0-9a-f]{64}`)

// files returns the repository's first commit. Look-ups of all registries go to the
// sandbox's own.
func (d *demo) files() (map[string]string, error) {
	files := map[string]string{}
	err := fs.WalkDir(testdata.Demo, ".", func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		data, err := fs.ReadFile(testdata.Demo, path)
		files[strings.TrimPrefix(path, "demo/")] = pinned.ReplaceAllString(string(data), d.stable)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read the demo's repository: %w", err)
	}
	files[configPath] = files["demo.yaml"] + "registryMap: {\"*\": \"" + d.world.Registry() + "\"}   # the demo's own registry plays all others\n"
	delete(files, "demo.yaml")
	return files, nil
}

// image pushes an image that says which commit of acme/shop it was built from.
func (d *demo) image(ref, commit string) (digest string, err error) {
	i := sandbox.Image{Seed: ref, Created: time.Date(2026, 11, 2, 8, 30, 0, 0, time.UTC)}
	if commit != "" {
		i.Source, i.Revision = "https://github.com/acme/shop", strings.Repeat(commit, 20)
	}
	return d.world.PushImage(ref, i)
}

func (d *demo) set(key, value string) {
	old, was := os.LookupEnv(key)
	d.restore = append(d.restore, func() {
		if was {
			os.Setenv(key, old)
		} else {
			os.Unsetenv(key)
		}
	})
	os.Setenv(key, value)
}

func (d *demo) close() {
	for _, f := range slices.Backward(d.restore) {
		f()
	}
	d.world.Close()
	os.RemoveAll(d.home)
}

// walk goes from tags to pinned images. A step that fails ends it.
func (d *demo) walk() error {
	d.say("%s is a config repository with three environments. Its images are tags:", demoRepository)
	d.show("main", "envs/staging/kustomization.yaml")
	reconcile := []string{"reconcile", "--repo", demoRepository, "--cache", "off"}
	steps := []func() error{
		func() error {
			d.say("1. Pinnace finds each image, resolves it, and proposes a pull request for each environment.")
			return d.run(exitDone, reconcile...)
		},
		func() error {
			d.say("2. Ada merges them, once Carol has approved what goes to production: a policy asks for it.\n   Where the configuration says deploy: auto, Pinnace merges. From now on git says what runs.")
			return d.mergePins(reconcile)
		},
		func() error {
			d.show("main", "envs/staging/kustomization.yaml")
			return d.run(exitDone, "images", "--repo", demoRepository, "--cache", "off", "--env", "staging")
		},
		func() error {
			d.say("3. Somebody pushes another build as shop:1.4.2, and releases shop:1.6.\n   Staging still runs what was reviewed, and shows that the tag has moved:")
			for ref, commit := range map[string]string{"acme/shop:1.4.2": "ee", "acme/shop:1.6": "60"} {
				if _, err := d.image(ref, commit); err != nil {
					return err
				}
			}
			return d.run(exitDone, "images", "--repo", demoRepository, "--cache", "off", "--env", "staging")
		},
		func() error {
			d.say("4. Bob asks for shop in prod. What staging runs is what is promoted: the digest, whatever its\n   tag means by now. The policy wants one approval, of somebody who did not ask.")
			d.as("bob")
			defer d.asApp()
			return d.run(exitDone, "promote", "shop", "--to", "prod", "--reason", "release 1.4.2", "--repo", demoRepository, "--wait", "0", "--cache", "off")
		},
		func() error {
			d.say("5. Pinnace answers with a pull request. dev, which tracks versions, moves by itself:")
			if err := d.run(exitDone, reconcile...); err != nil {
				return err
			}
			return d.pullRequest("pinnace/promote/prod/shop")
		},
		func() error {
			d.say("6. Bob approves his own request. That does not count, and Pinnace says why:")
			if err := d.approve("bob", d.promotion()); err != nil {
				return err
			}
			return d.run(exitFindings, "decide", strconv.Itoa(d.promotion()), "--repo", demoRepository, "--cache", "off")
		},
		func() error {
			d.say("7. Carol's approval does, and Pinnace merges exactly what she reviewed:")
			if err := d.approve("carol", d.promotion()); err != nil {
				return err
			}
			return d.run(exitDone, reconcile...)
		},
		func() error {
			d.say("8. Who brought what, and why it was allowed; and a run with nothing new writes nothing:")
			if err := d.run(exitDone, "history", "prod", "shop", "--repo", demoRepository, "--cache", "off"); err != nil {
				return err
			}
			d.world.ForgetRequests()
			if err := d.run(exitDone, reconcile...); err != nil {
				return err
			}
			if n := d.world.Writes(); n > 0 {
				return fmt.Errorf("a run with nothing new made %d writes", n)
			}
			return nil
		},
	}
	for _, step := range steps {
		if err := cmp.Or(step(), d.ctx.Err()); err != nil {
			return fmt.Errorf("the demo failed: %w", err)
		}
	}
	if all := d.world.Violations(); len(all) > 0 {
		return fmt.Errorf("the demo failed: %s", strings.Join(all, "; "))
	}
	return nil
}

// promotion returns the number of the pull request that Bob asked for.
func (d *demo) promotion() int {
	for _, p := range d.repo.PullRequests() {
		if p.Head.Ref == "pinnace/promote/prod/shop" {
			return p.Number
		}
	}
	return 0
}

// approve approves the promotion, as a person does on its page. A second passes before, since
// GitHub's times are of whole seconds.
func (d *demo) approve(by string, number int) error {
	d.late += time.Second
	if _, err := d.repo.Review(number, by, promotion.Approved, ""); err != nil {
		return fmt.Errorf("approve #%d: %w", number, err)
	}
	fmt.Fprintf(d.out, "   %s approved #%d\n", by, number)
	return nil
}

func (d *demo) say(format string, args ...any) {
	fmt.Fprintf(d.out, "\n%s\n", color.New(color.Bold).Sprintf(format, args...))
}

// run runs a command of this program and prints it with its output.
func (d *demo) run(want int, args ...string) error {
	var shown []string
	for i := 0; i < len(args); i++ {
		if args[i] == "--cache" {
			i++
			continue
		}
		if strings.Contains(args[i], " ") {
			shown = append(shown, strconv.Quote(args[i]))
			continue
		}
		shown = append(shown, args[i])
	}
	fmt.Fprintf(d.out, "   %s\n", color.New(color.FgCyan).Sprint("$ pinnace "+strings.Join(shown, " ")))
	var errs bytes.Buffer
	if got := Run(d.ctx, args, strings.NewReader(""), d.out, &errs); got != want {
		return fmt.Errorf("pinnace %s: exit status %d, want %d\n%s", strings.Join(args, " "), got, want, errs.String())
	}
	return nil
}

// show prints a file of the repository.
func (d *demo) show(branch, path string) {
	text, _ := d.repo.File(branch, path)
	fmt.Fprintf(d.out, "   %s\n", color.New(color.Faint).Sprint(path))
	for line := range strings.Lines(text) {
		d.quote(line)
	}
}

func (d *demo) quote(line string) {
	fmt.Fprintln(d.out, strings.TrimRight("   | "+line, " \n"))
}

// pullRequest prints the open one of a branch, without what is folded away on its page and
// without the rules, which pinnace decide shows next.
func (d *demo) pullRequest(branch string) error {
	for _, p := range d.repo.PullRequests() {
		if p.Head.Ref != branch || p.State != promotion.Open {
			continue
		}
		fmt.Fprintf(d.out, "   #%d %s\n   |\n", p.Number, p.Title)
		folded, blank := false, false
		for line := range strings.Lines(p.Body) {
			if line == "\n" && blank {
				continue
			}
			blank = line == "\n"
			switch {
			case strings.HasPrefix(line, "<details>"), strings.HasPrefix(line, "**Rules**"):
				folded = true
			case strings.HasPrefix(line, "</details>"):
				folded = false
			case strings.HasPrefix(line, "**Who may approve**"):
				folded = false
				d.quote(line)
			case folded, strings.HasPrefix(line, "<"):
				blank = true
			default:
				d.quote(line)
			}
		}
		return nil
	}
	return fmt.Errorf("there is no open pull request of %s", branch)
}

// mergePins has the pull requests approved that a policy judges, and merges all.
func (d *demo) mergePins(reconcile []string) error {
	for _, p := range d.repo.PullRequests() {
		if p.State == promotion.Open && !strings.HasSuffix(p.Head.Ref, "/staging") {
			if err := d.approve("carol", p.Number); err != nil {
				return err
			}
		}
	}
	if err := d.run(exitDone, reconcile...); err != nil {
		return err
	}
	return d.mergeAll()
}

// mergeAll merges what is open, as a person does on its page.
func (d *demo) mergeAll() error {
	for _, p := range d.repo.PullRequests() {
		if p.State != promotion.Open {
			continue
		}
		if _, err := d.repo.Merge(p.Number, "ada", "squash"); err != nil {
			return fmt.Errorf("merge #%d: %w", p.Number, err)
		}
		fmt.Fprintf(d.out, "   ada merged #%d %s\n", p.Number, p.Title)
	}
	return nil
}

// stay leaves the sandbox running until the program is interrupted.
func (d *demo) stay() error {
	if _, err := d.image("acme/shop:1.7", "70"); err != nil {
		return err
	}
	web := strings.TrimSuffix(d.world.URL(), "/api/v3")
	fmt.Fprintf(d.out, `
%s shop:1.7 was released just now. In another terminal:
   export GITHUB_API_URL=%s GH_TOKEN=%s
   pinnace reconcile --repo %s --dry-run
   pinnace where ghcr.io/acme/shop --repo %s
   git clone %s/%s.git
   %s/%s/pull/1 in a browser
Interrupt this one to end it.
`, color.New(color.Bold).Sprint("GitHub goes on running here."), d.world.URL(), d.app.InstallationToken("acme"), demoRepository, demoRepository, web, demoRepository, web, demoRepository)
	<-d.ctx.Done()
	return nil
}
