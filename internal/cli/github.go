package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/pinnace-dev/pinnace/internal/action"
	"github.com/pinnace-dev/pinnace/internal/config"
	"github.com/pinnace-dev/pinnace/internal/fleet"
	"github.com/pinnace-dev/pinnace/internal/git"
	"github.com/pinnace-dev/pinnace/internal/github"
	"github.com/pinnace-dev/pinnace/internal/promotion"
	"github.com/pinnace-dev/pinnace/internal/reconcile"
	"github.com/pinnace-dev/pinnace/internal/verdict"
)

// githubFlags are the flags of every verb that speaks to GitHub.
type githubFlags struct {
	repo   string
	appID  int64
	appKey string
	cache  string
}

func (f *githubFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.repo, "repo", os.Getenv("GITHUB_REPOSITORY"), "the config repository, `OWNER/NAME`")
	cmd.Flags().Lookup("repo").DefValue = ""
	f.addAccess(cmd)
}

// addAccess adds the flags that say how GitHub is reached.
func (f *githubFlags) addAccess(cmd *cobra.Command) {
	cmd.Flags().Int64Var(&f.appID, "app-id", 0, "act as the GitHub App of this `ID`; default: PINNACE_APP_ID")
	cmd.Flags().StringVar(&f.appKey, "app-key", "", "the App's private key, a PEM `FILE`; default: PINNACE_APP_KEY")
	cmd.Flags().StringVar(&f.cache, "cache", "", "`DIR` that keeps what was fetched, or off; default: below the user's cache directory")
}

// app fills in what the environment says of the App where the flags say nothing.
func (f *githubFlags) app() error {
	if s := os.Getenv("PINNACE_APP_ID"); f.appID == 0 && s != "" {
		id, err := strconv.ParseInt(s, 10, 64)
		if err != nil || id < 1 {
			return usage("PINNACE_APP_ID is %q: want the number of a GitHub App", s)
		}
		f.appID = id
	}
	f.appKey = cmp.Or(f.appKey, os.Getenv("PINNACE_APP_KEY"))
	switch {
	case f.appID == 0 && f.appKey != "":
		return usage("--app-id and --app-key go together: give the App's number by --app-id or PINNACE_APP_ID, too")
	case f.appID != 0 && f.appKey == "":
		return usage("--app-id and --app-key go together: name the App's private key by --app-key or PINNACE_APP_KEY, too")
	}
	return nil
}

// repository parses --repo.
func (f *githubFlags) repository() (owner, name string, err error) {
	if f.repo == "" {
		return "", "", usage("--repo is missing: want OWNER/NAME")
	}
	return parseRepository(f.repo)
}

func parseRepository(s string) (owner, name string, err error) {
	owner, name, ok := strings.Cut(s, "/")
	if !ok || owner == "" || name == "" || strings.ContainsAny(s, ":?#@\\ ") || strings.Contains(name, "/") {
		return "", "", usage("--repo %s: want OWNER/NAME, as in acme/config", s)
	}
	return owner, name, nil
}

// maxETags is how many bytes of GitHub's answers are remembered.
const maxETags = 32 << 20

// A tokenError says that GitHub was not asked because there is no token.
type tokenError struct{ error }

// access is how GitHub is reached.
type access struct {
	api    *url.URL
	tokens github.TokenSource
	client *github.Client
	author git.Signature
	// workflows says whether the token may change files in .github/workflows.
	workflows reconcile.Answer
	checks    bool               // the App may write checks
	self      promotion.Self     // the App, zero where the token is not taken with its key, or may write no check
	viewer    promotion.Identity // whose token it is, zero where it is an App's
	run       *action.Run        // of GitHub Actions that this is a step of, nil elsewhere
	advisory  string             // why anybody who may write could forge what is written by the token; "" where not
}

// open builds the one client of GitHub for a repository.
func (f *githubFlags) open(ctx context.Context, owner, name string) (*access, error) {
	a := &access{}
	var root string
	var err error
	if a.api, root, err = apiAddress(); err != nil {
		return nil, err
	}
	if err := f.app(); err != nil {
		return nil, err
	}
	if a.run, err = action.ReadRun(os.Getenv, os.ReadFile); err != nil {
		return nil, err
	}
	a.author = git.Signature{Name: "Pinnace", Email: "bot@pinnace.dev"}
	options := github.Options{URL: root, Cache: github.NewMemoryETags(maxETags), Tenant: owner + "/" + name, UserAgent: "pinnace/" + versionNumber(), Spacing: spacing(a.api)}
	if f.appID != 0 {
		if err := f.asApp(ctx, a, options, owner, name); err != nil {
			return nil, err
		}
	} else {
		token := cmp.Or(os.Getenv("GH_TOKEN"), os.Getenv("GITHUB_TOKEN"))
		if token == "" && a.run != nil {
			return nil, tokenError{errors.New("no token for GitHub: set the input token of the action, or in a step with run: GH_TOKEN to ${{ github.token }} under env")}
		}
		if token == "" {
			return nil, tokenError{errors.New("no token for GitHub: set GH_TOKEN (gh auth token prints one) or GITHUB_TOKEN, or name an App with --app-id and --app-key (PINNACE_APP_ID, PINNACE_APP_KEY)")}
		}
		a.tokens = github.StaticToken(github.Secret(token))
	}
	options.Tokens = a.tokens
	if a.client, err = github.New(options); err != nil {
		return nil, usageError{err}
	}
	if f.appID == 0 {
		if err := a.identify(ctx); err != nil {
			return nil, err
		}
	} else if a.checks {
		if a.self, _, err = a.client.Self(ctx); err != nil {
			return nil, err
		}
	}
	a.advisory = a.forgeable()
	return a, nil
}

// identify finds out whose token it is: a person's, or in a run of GitHub Actions that of an
// App, whose checks are then believed and written as with its key.
func (a *access) identify(ctx context.Context) error {
	who, ok, err := a.client.Viewer(ctx)
	if err != nil {
		return err
	}
	if ok {
		a.viewer = who
	} else if a.run != nil {
		if a.self, ok, err = a.client.Bearer(ctx); err != nil {
			return err
		}
		who = a.self.Bot
		collectBearer(ctx, a.self)
	}
	if ok {
		a.author = fleet.Author(fleet.Web(a.api), who)
	}
	return nil
}

// forgeable says why anybody who may write could write the same checks, "" where they could
// not: a run's GITHUB_TOKEN is there for each workflow of each branch, and so is a secret that
// no environment guards.
func (a *access) forgeable() string {
	switch {
	case a.run == nil || a.self.App == 0:
		return ""
	case a.self.Slug == "github-actions":
		return "GITHUB_TOKEN writes the checks, which each workflow of each branch has"
	}
	return a.run.Unprotected()
}

const advisory = "verdicts are advisory, and nothing is merged that needs approvals"

// warn says what the verdicts of a run are worth.
func (a *access) warn(w io.Writer) {
	if a.advisory != "" {
		fmt.Fprintf(w, "pinnace: %s: %s; docs/action.md shows a set-up that is not\n", advisory, a.advisory)
	}
}

// requesters are who asks for what is wished for, nobody where that is unknown: the owner of a
// person's token, and in a run of GitHub Actions who caused its event, and who ran it again.
func (a *access) requesters(ctx context.Context) ([]promotion.Identity, error) {
	var by []promotion.Identity
	if a.viewer.ID != 0 {
		by = append(by, a.viewer)
	}
	if a.run == nil {
		return by, nil
	}
	if a.viewer.ID != 0 && a.run.Err != nil {
		return nil, a.run.Err // who began it counts, too
	}
	sender, again := a.run.Requesters()
	if sender.ID != 0 && sender.ID != a.viewer.ID {
		by = append(by, sender)
	}
	if again != "" && !strings.EqualFold(again, a.viewer.Login) {
		who, ok, err := a.client.UserByLogin(ctx, again)
		if err != nil {
			return nil, err
		}
		if !ok {
			return nil, nil
		}
		by = append(by, who)
	}
	return by, nil
}

// apiAddress returns the root of GitHub's API.
func apiAddress() (*url.URL, string, error) {
	root := cmp.Or(os.Getenv("GITHUB_API_URL"), "https://api.github.com")
	api, err := url.Parse(root)
	if err != nil || api.Host == "" {
		return nil, "", usage("GITHUB_API_URL is %q: want an address such as https://api.github.com or https://HOST/api/v3", root)
	}
	return api, root, nil
}

// spacing is the time between two writes: no GitHub that has limits runs on this machine.
func spacing(api *url.URL) time.Duration {
	if ip := net.ParseIP(api.Hostname()); ip != nil && ip.IsLoopback() || api.Hostname() == "localhost" {
		return -1
	}
	return 0
}

// asApp takes a token of the App's installation that covers the repository, narrowed to it.
func (f *githubFlags) asApp(ctx context.Context, a *access, o github.Options, owner, name string) error {
	key, err := os.ReadFile(f.appKey)
	if err != nil {
		return pathError(f.appKey, err)
	}
	app, err := github.NewApp(github.AppOptions{ID: f.appID, Key: key, URL: o.URL, UserAgent: o.UserAgent})
	if err != nil {
		return usageError{fmt.Errorf("--app-key %s: %w", f.appKey, err)}
	}
	installation, ok, err := app.InstallationOf(ctx, owner, name)
	if err != nil {
		return err
	}
	if !ok {
		return fmt.Errorf("no installation of App %d covers %s/%s: install it there, or add the repository to its installation", f.appID, owner, name)
	}
	o.Tokens = app.Tokens(installation.ID, nil, map[string]string{"metadata": "read"})
	client, err := github.New(o)
	if err != nil {
		return usageError{err}
	}
	repo, ok, err := client.Repository(ctx, owner, name)
	if err != nil || !ok {
		return cmp.Or(err, fmt.Errorf("the installation of App %d does not cover %s/%s: add the repository to it", f.appID, owner, name))
	}
	who, err := app.Identity(ctx)
	if err != nil {
		return err
	}
	if bot, ok, err := client.UserByLogin(ctx, who.Bot()); err == nil && ok {
		a.author = fleet.Author(fleet.Web(a.api), bot)
	}
	permissions := fleet.Permissions(installation.Permissions)
	a.checks, a.workflows = permissions["checks"] == "write", fleet.Workflows(permissions)
	a.tokens = app.Tokens(installation.ID, []int64{repo.ID}, permissions)
	return nil
}

// remote returns the git remote of a repository, below the host that the token is for.
func (a *access) remote(r promotion.Repository) git.Remote {
	return git.Remote{
		URL: fleet.Web(a.api).JoinPath(r.Owner, r.Name+".git").String(),
		Auth: func(ctx context.Context) (string, string, error) {
			token, err := a.tokens.Token(ctx)
			return "x-access-token", token.Reveal(), err
		},
	}
}

// mirror opens the bare repository that is kept between runs.
func (f *githubFlags) mirror(a *access, owner, name string) (*git.Repository, error) {
	if f.cache == "off" {
		return git.NewMemory(git.Limits{}), nil
	}
	dir := f.cache
	if dir == "" {
		below, err := os.UserCacheDir()
		if err != nil {
			return git.NewMemory(git.Limits{}), nil
		}
		dir = filepath.Join(below, "pinnace", "git")
	}
	host := strings.NewReplacer(":", "_", "[", "", "]", "").Replace(fleet.Web(a.api).Host)
	repo, err := git.OpenMirror(filepath.Join(dir, host, strings.ToLower(owner), strings.ToLower(name)+".git"), git.Limits{})
	switch {
	case err == nil:
		return repo, nil
	case f.cache == "", errors.Is(err, git.ErrLocked):
		return git.NewMemory(git.Limits{}), nil // fetched anew: the cache is in use, or cannot be written
	}
	return nil, fmt.Errorf("--cache %s: %w", f.cache, err)
}

// steward joins all that acts on one repository.
func (f *githubFlags) steward(ctx context.Context, owner, name string, registries *registryFlags) (*verdict.Steward, *access, func(), error) {
	a, err := f.open(ctx, owner, name)
	if err != nil {
		return nil, nil, nil, err
	}
	p, done, err := f.join(a, owner, name, registries)
	if err != nil {
		return nil, nil, nil, err
	}
	p.Now, p.Version, p.Concurrency = time.Now, versionNumber(), registries.concurrency
	j := &verdict.Judge{
		Owner: owner, Name: name, Forge: a.client, Git: p.Git, Remote: p.Remote, Registries: p.Registries, Now: time.Now,
		App: a.self.App, Bot: a.self.Bot, Advisory: a.advisory != "", Version: versionNumber(), Indexes: map[string]*reconcile.Index{},
	}
	p.Indexes = j.Indexes
	return &verdict.Steward{Proposer: p, Judge: j}, a, done, nil
}

// join joins GitHub, git and the registries for one repository.
func (f *githubFlags) join(a *access, owner, name string, registries *registryFlags) (*reconcile.Proposer, func(), error) {
	repo, err := f.mirror(a, owner, name)
	if err != nil {
		return nil, nil, err
	}
	p := &reconcile.Proposer{
		Owner: owner, Name: name, Forge: a.client, Git: repo, Remote: a.remote,
		Registries: func(c *config.Config) (reconcile.Registries, error) { return registries.client(c) }, Author: a.author,
		Workflows: a.workflows,
	}
	return p, func() { repo.Close() }, nil
}
