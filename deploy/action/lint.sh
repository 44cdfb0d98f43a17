#!/usr/bin/env bash
# Holds action.yml, and every workflow of testdata/action and of a page of the documentation,
# to what GitHub Actions takes: action.yml to its schema, workflows to actionlint, with the
# inputs that they give to this action. It needs Go, npm and shellcheck.
set -euo pipefail
cd "$(dirname "$0")/../.."

actionlint=github.com/rhysd/actionlint/cmd/actionlint@v1.7.12
validator=0.6.0
cache=${XDG_CACHE_HOME:-$HOME/.cache}/pinnace-ci/action-validator-$validator

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

shellcheck deploy/action/*.sh

if [ ! -x "$cache/node_modules/.bin/action-validator" ]; then
	npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$cache" "@action-validator/core@$validator" "@action-validator/cli@$validator"
fi
"$cache/node_modules/.bin/action-validator" action.yml

# A project whose own action is this one: actionlint knows the inputs of an action of the project.
project=$work/project
mkdir -p "$project/.github/workflows"
git init --quiet "$project"
cp action.yml "$project/"

# put FILE NAME takes a workflow into the project.
put() {
	sed -E 's|(uses: *)pinnace-dev/pinnace@[A-Za-z0-9._-]+|\1./|' "$1" >"$project/.github/workflows/$2"
}

for file in testdata/action/*.yaml; do
	put "$file" "testdata_action_$(basename "$file")"
done

# Blocks of YAML with on and jobs at the left margin are workflows; in a list they are indented.
find docs README.md -name '*.md' | LC_ALL=C sort >"$work/pages"
while read -r page; do
	awk -v out="$work/block" '
		/^ *```ya?ml *$/ && !inside { inside = 1; text = ""; on = 0; jobs = 0; match($0, /^ */); indent = RLENGTH; begin = NR; next }
		/^ *``` *$/ && inside { inside = 0; if (on && jobs) { file = out "." begin; printf "%s", text > file; close(file) } next }
		inside { line = substr($0, 1, indent) ~ /^ *$/ ? substr($0, indent + 1) : $0; text = text line "\n"; if (line ~ /^(on|"on"):/) on = 1; if (line ~ /^jobs:/) jobs = 1 }' "$page"
	for block in "$work"/block.*; do
		if [ -e "$block" ]; then
			put "$block" "$(tr / _ <<<"${page%.md}")_line_${block##*.}.yaml"
			rm "$block"
		fi
	done
done <"$work/pages"

echo "$(find "$project/.github/workflows" -name '*.yaml' | wc -l) workflows, $(find "$project/.github/workflows" -name '*_line_*' | wc -l) of them of $(wc -l <"$work/pages") pages"
(cd "$project" && go run "$actionlint" -no-color -pyflakes=)
