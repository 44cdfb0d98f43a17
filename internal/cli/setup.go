package cli

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"github.com/cli/browser"
	"github.com/spf13/cobra"

	"github.com/pinnace-dev/pinnace/internal/fleet"
	"github.com/pinnace-dev/pinnace/internal/report"
	"github.com/pinnace-dev/pinnace/internal/setup"
)

func newSetup() *cobra.Command {
	f := setupFlags{app: setup.App{Name: "Pinnace"}}
	cmd := &cobra.Command{
		Use:   "setup",
		Short: "Register Pinnace's GitHub App, and store its credentials",
		Long: `Register Pinnace's GitHub App, and store its credentials.

A page opens in your browser, on this machine only. It shows each permission with its reason
and hands what the App asks for to GitHub, where you decide. GitHub sends the browser back
with a code, which is exchanged, once, for the App's number, its private key and the secret
of its webhook. They are written to files that nobody else reads, or as a Kubernetes Secret;
they are never printed, and nothing is overwritten without --force.

Without --webhook-url the App has no webhook: enough for pinnace reconcile on a timer. The
address of GitHub is read from GITHUB_API_URL. Exit status 1 means that nothing was
registered, or that its credentials could not be stored.`,
		Example: `  pinnace setup --org acme --webhook-url https://pinnace.example.com
  pinnace setup --out ~/pinnace
  pinnace setup --org acme --webhook-url https://pinnace.example.com --kubernetes-secret pinnace --namespace pinnace | kubectl apply -f -`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return f.run(cmd) },
	}
	cmd.Flags().StringVar(&f.app.Org, "org", "", "the organisation, `ORG`, that owns the App; default: your own account")
	cmd.Flags().StringVar(&f.app.Name, "name", f.app.Name, "the App's `NAME` on GitHub, where no other has it")
	cmd.Flags().StringVar(&f.app.Webhook, "webhook-url", "", "the `URL` of pinnace serve as GitHub reaches it")
	cmd.Flags().StringArrayVar(&f.app.With, "with", nil, "ask for `PERMISSION`, too: administration; may be repeated")
	cmd.Flags().StringArrayVar(&f.app.Without, "without", nil, "do not ask for `PERMISSION`, such as workflows; may be repeated")
	cmd.Flags().StringVar(&f.out, "out", "", "`DIR` for the credentials; default: pinnace/app below the user's configuration directory")
	cmd.Flags().StringVar(&f.secret, "kubernetes-secret", "", "write a Secret of this `NAME` instead: to standard output, or to a file in --out")
	cmd.Flags().StringVar(&f.namespace, "namespace", "", "the Secret's `NAMESPACE`")
	cmd.Flags().BoolVar(&f.force, "force", false, "replace credentials that are there")
	addOutput(cmd, &f.output, "text", "json")
	cmd.Flags().BoolVar(&f.quiet, "no-browser", false, "print the address of the page, open nothing")
	return cmd
}

type setupFlags struct {
	app               setup.App
	out               string
	secret, namespace string
	force, quiet      bool
	output            string
}

func (f *setupFlags) run(cmd *cobra.Command) error {
	if !slices.Contains([]string{"text", "json"}, f.output) {
		return unknownOutput(f.output, "text", "json")
	}
	if f.output == "json" && f.secret != "" && f.out == "" {
		return usage("-o json: the Secret is what goes to standard output: name a directory for it with --out")
	}
	keep, where, err := f.keeper(cmd)
	if err != nil {
		return err
	}
	root := cmp.Or(os.Getenv("GITHUB_API_URL"), "https://api.github.com")
	api, err := url.Parse(root)
	if err != nil || api.Host == "" {
		return usage("GITHUB_API_URL is %q: want an address such as https://api.github.com or https://HOST/api/v3", root)
	}
	web := fleet.Web(api)
	f.app.Webhook = setup.Webhook(f.app.Webhook)
	if err := f.app.Validate(); err != nil {
		return usageError{err}
	}
	page, err := setup.Listen(setup.Options{
		App: f.app, API: root, Web: web, Keep: keep, Where: where, UserAgent: "pinnace/" + versionNumber(), Next: "Then go back to the terminal.",
	})
	if err != nil {
		return err
	}
	errs := cmd.ErrOrStderr()
	fmt.Fprintf(errs, "Open this page to register the App; it serves this machine only, until it is done:\n  %s\n", page.URL())
	done, err := f.serve(cmd.Context(), page, errs)
	if errors.Is(err, context.Canceled) {
		return errors.New("interrupted: no credentials were stored; if GitHub shows an App already, delete it there")
	}
	if err != nil {
		return err
	}
	return f.next(cmd, done, web)
}

// serve runs the page, and opens it in a browser, which may stay in the foreground.
func (f *setupFlags) serve(ctx context.Context, page *setup.Loopback, errs io.Writer) (setup.Result, error) {
	opened, ended := make(chan error, 1), make(chan struct{})
	var done setup.Result
	var err error
	go func() {
		defer close(ended)
		done, err = page.Run(ctx)
	}()
	if !f.quiet {
		browser.Stdout, browser.Stderr = io.Discard, io.Discard
		go func() { opened <- browser.OpenURL(page.URL()) }()
	}
	for {
		select {
		case <-ended:
			return done, err
		case e := <-opened:
			if e != nil {
				fmt.Fprintln(errs, "No browser could be opened here. To open the page on another machine, forward its port: ssh -L PORT:127.0.0.1:PORT HOST")
			}
		}
	}
}

// keeper returns who stores the credentials, and where in words.
func (f *setupFlags) keeper(cmd *cobra.Command) (setup.Keeper, string, error) {
	if f.secret == "" {
		if f.namespace != "" {
			return nil, "", usage("--namespace goes with --kubernetes-secret")
		}
		dir := f.out
		if dir == "" {
			below, err := os.UserConfigDir()
			if err != nil {
				return nil, "", usage("name a directory for the credentials with --out: %s", err)
			}
			dir = filepath.Join(below, "pinnace", "app")
		}
		f.out = dir
		return setup.Files{Dir: dir, Force: f.force}, "to " + dir + " on the machine that Pinnace was started on, where nobody else may read it", nil
	}
	s := setup.Secret{Name: f.secret, Namespace: f.namespace, Force: f.force}
	if f.out != "" {
		s.File = filepath.Join(f.out, "secret.yaml")
		return s, "to " + s.File + ", a Kubernetes Secret that nobody else may read", nil
	}
	if isTerminal(os.Stdout) {
		return nil, "", usage("standard output is a terminal, which would show and remember the Secret: pipe it to kubectl apply -f -, or name a directory with --out")
	}
	s.Out = cmd.OutOrStdout()
	return s, "as a Kubernetes Secret, to the command that Pinnace was piped to", nil
}

// next says what is there now and what to do with it. Standard output may be the Secret.
func (f *setupFlags) next(cmd *cobra.Command, done setup.Result, web *url.URL) error {
	if f.output == "json" {
		e := json.NewEncoder(cmd.OutOrStdout())
		e.SetEscapeHTML(false)
		e.SetIndent("", "  ")
		return e.Encode(map[string]any{
			"app":   map[string]any{"id": done.App.ID, "slug": done.App.Slug, "name": done.App.Name, "url": done.App.URL},
			"files": done.Places, "install": done.Install(web),
		})
	}
	w := cmd.ErrOrStderr()
	if f.secret == "" || f.out != "" {
		w = cmd.OutOrStdout()
	}
	fmt.Fprintf(w, "App %s is registered: number %d, %s\n", report.Plain(done.App.Name), done.App.ID, report.Plain(done.App.URL))
	for _, p := range done.Places {
		fmt.Fprintf(w, "  wrote %s\n", report.Plain(p))
	}
	fmt.Fprintf(w, "\nNext:\n  install it    %s\n", done.Install(web))
	if f.secret != "" {
		if f.out != "" {
			fmt.Fprintf(w, "  apply it      kubectl apply -f %s\n", report.Shell(done.Places[0]))
		}
		return nil
	}
	id := strconv.FormatInt(done.App.ID, 10)
	key := report.Shell(filepath.Join(f.out, setup.KeyFile))
	as := "--app-id " + id + " --app-key " + key
	fmt.Fprintf(w, "  look it over  pinnace doctor --repo OWNER/NAME %s\n", as)
	if slices.Contains(done.Places, filepath.Join(f.out, setup.SecretFile)) {
		fmt.Fprintf(w, "  run it        pinnace serve %s --webhook-secret-file %s\n", as, report.Shell(filepath.Join(f.out, setup.SecretFile)))
	} else {
		fmt.Fprintf(w, "  run it        pinnace reconcile --repo OWNER/NAME %s\n", as)
	}
	return nil
}
