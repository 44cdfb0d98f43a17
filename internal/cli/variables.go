package cli

import "github.com/pinnace-dev/pinnace/internal/reference"

// variables are those of the environment that Pinnace, or a library of it, reads.
func variables() []reference.Variable {
	return []reference.Variable{
		{Name: "GH_TOKEN", Text: "token for GitHub, where no App is named"},
		{Name: "GITHUB_TOKEN", Text: "the same, where GH_TOKEN is not set"},
		{Name: "GITHUB_API_URL", Text: "address of GitHub's API, for a GitHub Enterprise Server; default: https://api.github.com"},
		{Name: "GITHUB_REPOSITORY", Text: "OWNER/NAME of the config repository, as --repo"},
		{Name: "PINNACE_APP_ID", Text: "number of the GitHub App, as --app-id"},
		{Name: "PINNACE_APP_KEY", Text: "file of the App's private key, as --app-key"},
		{Name: "PINNACE_DATABASE", Text: "database of `pinnace serve`, as --database"},
		{Name: "PINNACE_WEBHOOK_SECRET_FILE", Text: "file of the webhook's secret, as --webhook-secret-file"},
		{Name: "PINNACE_REGISTRY_SECRET_DIR", Text: "directory of the secrets of registries that notify, as --registry-secrets"},
		{Name: "PINNACE_STATUS_TOKEN_FILE", Text: "file of the token that opens /metrics and /status, as --status-token-file"},
		{Name: "DOCKER_CONFIG", Text: "directory of Docker's config.json with the credentials of registries; default: ~/.docker"},
		{Name: "REGISTRY_AUTH_FILE", Text: "file of such credentials, where Docker's is not there"},
		{Name: "HTTPS_PROXY", Text: "proxy for https; `pinnace serve` reaches registries without it"},
		{Name: "HTTP_PROXY", Text: "the same, for http"},
		{Name: "NO_PROXY", Text: "hosts that are reached without a proxy"},
		{Name: "SSL_CERT_FILE", Text: "file of certificates that are trusted, instead of the system's"},
		{Name: "SSL_CERT_DIR", Text: "directories of such files"},
		{Name: "STATE_DIRECTORY", Text: "where `pinnace serve` keeps its database and cache; systemd sets it"},
		{Name: "XDG_STATE_HOME", Text: "the same, in its directory pinnace; default: ~/.local/state"},
		{Name: "XDG_CACHE_HOME", Text: "where what was fetched is kept, in its directory pinnace; default: ~/.cache"},
		{Name: "XDG_CONFIG_HOME", Text: "where `pinnace setup` writes credentials, in its directory pinnace; default: ~/.config"},
		{Name: "NO_COLOR", Text: "set: no colour"},
		{Name: "CLICOLOR", Text: "0: no colour"},
		{Name: "CLICOLOR_FORCE", Text: "set, and not 0: colour also where the output is no terminal"},
		{Name: "TERM", Text: "dumb: no colour"},
		{Name: "GOGC", Text: "how often memory is collected; set, or GOMEMLIMIT, Pinnace does not choose by itself"},
		{Name: "GOMEMLIMIT", Text: "how much memory to use at most, such as 500MiB"},
		{Name: "OTEL_TRACES_EXPORTER", Text: "where `pinnace serve` sends traces: otlp, console or none"},
		{Name: "OTEL_EXPORTER_OTLP_ENDPOINT", Text: "address that traces are sent to; sends them where it is set"},
		{Name: "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", Text: "the same, for traces alone"},
		{Name: "OTEL_EXPORTER_OTLP_PROTOCOL", Text: "http/protobuf or grpc; the other variables of OpenTelemetry hold as well"},
		{Name: "OTEL_SDK_DISABLED", Text: "true: no traces"},
	}
}
