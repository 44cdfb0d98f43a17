package cli

import (
	"os"
	"time"

	"github.com/spf13/cobra"
)

// serveFlags are those of pinnace serve.
type serveFlags struct {
	hub        githubFlags
	registries registryFlags

	listen           string
	database         string
	secrets          string
	registrySecrets  string
	token            string
	private          []string
	setup, org, name string
	workers          int
	resync           time.Duration
	lease            time.Duration
	grace, drain     time.Duration
	watch            time.Duration
	cacheSize        byteSize
	logFormat        string
	logLevel         string
}

func newServe() *cobra.Command {
	var f serveFlags
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Run Pinnace's GitHub App for every repository it is installed on",
		Long: `Run Pinnace's GitHub App for every repository it is installed on.

Webhooks say where to look; what is so is asked of GitHub each time. A delivery is on disk
before it is answered, and what never came in is found by itself: by GitHub's list of
deliveries, and by a look at each repository every --resync. The database holds the queue and
caches; it may be deleted, and everything comes back.

With SQLite one process runs. With PostgreSQL any number do, and one repository is looked at
by one of them at a time.

The App's webhook goes to /webhooks/github; its secret is the first line of
--webhook-secret-file, and while it is changed the old one is the second. Registries may
notify at /webhooks/registry/distribution, harbor, dockerhub and generic, each with the secret
in a file of that name in --registry-secrets. /healthz and /readyz answer anybody, /metrics and
/status private addresses only, or whoever has the token of --status-token-file.

SIGTERM lets running looks end, for --grace at most. Exit status 1 means that the server could
not start or had to stop, and 4 that GitHub refused the App's key.`,
		Example: `  pinnace serve --app-id 123456 --app-key app.pem --webhook-secret-file secret
  pinnace serve --database postgres://pinnace@db/pinnace --workers 8
  pinnace setup --webhook-url https://pinnace.acme.dev      registers the App first`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usage("serve takes no %s: it serves whatever the App is installed on", args[0])
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error { return f.run(cmd.Context(), cmd.ErrOrStderr()) },
	}
	fl := cmd.Flags()
	fl.StringVar(&f.listen, "listen", ":8080", "the `ADDRESS` to listen on")
	fl.StringVar(&f.database, "database", os.Getenv("PINNACE_DATABASE"), "`URL`: sqlite:FILE or postgres://...; default: PINNACE_DATABASE, or a file in the user's state directory")
	fl.Lookup("database").DefValue = ""
	fl.StringVar(&f.secrets, "webhook-secret-file", os.Getenv("PINNACE_WEBHOOK_SECRET_FILE"), "`FILE` with the webhook's secret, on a second line the one before it; default: PINNACE_WEBHOOK_SECRET_FILE")
	fl.Lookup("webhook-secret-file").DefValue = ""
	fl.StringVar(&f.registrySecrets, "registry-secrets", os.Getenv("PINNACE_REGISTRY_SECRET_DIR"), "`DIR` with the secrets of registries that notify, one file for each kind; default: PINNACE_REGISTRY_SECRET_DIR")
	fl.Lookup("registry-secrets").DefValue = ""
	fl.StringVar(&f.token, "status-token-file", os.Getenv("PINNACE_STATUS_TOKEN_FILE"), "`FILE` with the token that opens /metrics and /status; default: PINNACE_STATUS_TOKEN_FILE, or none: private addresses may ask")
	fl.Lookup("status-token-file").DefValue = ""
	fl.StringArrayVar(&f.private, "allow-private-registry", nil, "let `HOST` be reached at a private address")
	fl.StringVar(&f.setup, "setup", "", "where no App is named, register one by a page at this `URL` of the server, whose link is in the log")
	fl.StringVar(&f.org, "org", "", "the organisation, `ORG`, that is to own the App of --setup; default: the account of who registers it")
	fl.StringVar(&f.name, "name", "Pinnace", "the `NAME` of the App of --setup")
	fl.IntVar(&f.workers, "workers", 4, "how many repositories are looked at at a time")
	fl.DurationVar(&f.resync, "resync", time.Hour, "how often each repository is looked at although nothing was heard")
	fl.DurationVar(&f.watch, "watch", 5*time.Minute, "how often registries are asked whether tags have moved; 0 = never")
	fl.DurationVar(&f.lease, "lease", 30*time.Second, "how long a repository stays with a process that has stopped answering")
	fl.DurationVar(&f.grace, "grace", 25*time.Second, "how long running looks may take to end")
	fl.DurationVar(&f.drain, "drain", 0, "how long to go on serving after SIGTERM while /readyz says no, for who distributes requests to notice")
	fl.StringVar(&f.logFormat, "log-format", "json", "json or text")
	fl.StringVar(&f.logLevel, "log-level", "info", "debug, info, warn or error")
	f.hub.addAccess(cmd)
	f.registries.add(cmd)
	fl.Lookup("cache").Usage = "`DIR` that keeps what was fetched; default: beside the database's default"
	f.cacheSize = 20 << 30
	fl.Var(&f.cacheSize, "cache-size", "how much of it to keep: what was looked at longest ago goes first; a `SIZE` as in 20GiB, 0 = everything")
	return cmd
}
