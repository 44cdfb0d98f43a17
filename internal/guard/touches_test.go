package guard

import "testing"

func TestTouches(t *testing.T) {
	const workflow = ".github/workflows/ci.yaml"
	for _, test := range []struct {
		name, path, content string
		want                bool
	}{
		{"the configuration", ".pinnace/config.yaml", "", true},
		{"a policy", ".pinnace/policies/prod.yaml", "", true},
		{"whatever stands there", ".pinnace/README.md", "", true},
		{"the directory as a link", ".pinnace", "elsewhere", true},
		{"a directory of the same name elsewhere", "docs/.pinnace/config.yaml", "kind: Config", false},
		{"a name that begins so", ".pinnace.yaml", "", false},
		{"a manifest", "envs/prod/pinnace.yaml", "image: ghcr.io/pinnace-dev/pinnace:1", false},

		{"the action", workflow, "      - uses: pinnace-dev/pinnace@v1\n", true},
		{"the action by its SHA", workflow, "- uses: pinnace-dev/pinnace-action@8f4b7f84 # v1\n", true},
		{"a fork of the action", workflow, "- uses: acme/pinnace@main\n", true},
		{"its image", workflow, "- uses: docker://ghcr.io/pinnace-dev/pinnace:1\n", true},
		{"a command", workflow, "- run: pinnace decide 7 --merge\n", true},
		{"a command in a block", workflow, "- run: |\n    set -e\n    ./bin/pinnace reconcile\n", true},
		{"a command in one line of JSON", workflow, `{"jobs": {"a": {"steps": [{"run": "pinnace pin"}]}}}`, true},
		{"a command on Windows", workflow, "- run: .\\Pinnace.exe pin\r\n", true},
		{"a command after a comment's mark in quotes", workflow, "- run: echo ' # '; pinnace pin\n", true},
		{"YAML by its other extension", ".github/workflows/ci.yml", "- run: pinnace pin\n", true},
		{"an action of the repository", ".github/actions/pin/action.yml", "runs: {using: composite, steps: [{run: pinnace pin, shell: sh}]}\n", true},

		{"another action", workflow, "- uses: actions/checkout@v4\n", false},
		{"a comment", workflow, "# pinnace pins this\non: push\n", false},
		{"a comment that leaves an image alone", workflow, "    container: node:20 # pinnace:ignore\n", false},
		{"a filter of paths", workflow, "on: {push: {paths: ['.pinnace/**']}}\n", false},
		{"a filter of paths, and the command", workflow, "on: {push: {paths: ['.pinnace/**']}}\n- run: cd .pinnace/ && pinnace config validate\n", true},
		{"a script", ".github/workflows/pin.sh", "pinnace pin\n", false},
		{"a directory below, which GitHub does not read", ".github/workflows/old/ci.yaml", "- run: pinnace pin\n", false},
		{"nothing", workflow, "", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := Touches(test.path, []byte(test.content)); got != test.want {
				t.Errorf("got %t, want %t", got, test.want)
			}
		})
	}
}
