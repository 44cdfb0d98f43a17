#!/usr/bin/env bash
# Brings the pinnace that the action runs, and names it to the next step as the output "path".
#
# A release is taken if its signature can be verified here, by cosign or by gh: the one that
# the input version names, or else the one of the action's own commit. Otherwise the program
# is built from source, the action's own or, for a named version, that of the Go module, which
# Go checks against its checksum database. What does not verify is never run. What was brought
# is kept in the runner's tool cache, so that the next run downloads nothing.
#
# It reads PINNACE_VERSION, PINNACE_ACTION_REF, PINNACE_ACTION_REPOSITORY, GH_TOKEN and what
# the runner sets (GITHUB_ACTION_PATH, GITHUB_OUTPUT, RUNNER_*), and takes no arguments.
set -euo pipefail
umask 022

readonly repository=pinnace-dev/pinnace
readonly module=github.com/$repository
readonly remote=https://github.com/$repository
readonly signer=$remote/.github/workflows/release.yaml
readonly issuer=https://token.actions.githubusercontent.com
readonly semver='^v?[0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z]+([.-][0-9A-Za-z]+)*)?$'
readonly commit='^[0-9a-f]{40}$'

# plain makes one line of any text, in the form that a workflow command takes.
plain() {
	local text=${1//'%'/%25}
	text=${text//$'\r'/%0D}
	printf '%s' "${text//$'\n'/%0A}"
}

fail() {
	printf '::error title=Pinnace::%s\n' "$(plain "$1")" >&2
	exit 1
}

notice() { printf '::notice title=Pinnace::%s\n' "$(plain "$1")" >&2; }

# unix turns a path of Windows into one that this shell understands.
unix() {
	if [ "$os" = windows ] && command -v cygpath >/dev/null; then cygpath -u "$1"; else printf '%s' "$1"; fi
}

# detect sets os and arch to the names that Go has for them, exe to the ending of programs, and
# sha256 to the command that prints a line "SHA256  NAME" for each file.
detect() {
	case ${RUNNER_OS:-$(uname -s)} in
	Linux) os=linux ;;
	macOS | Darwin) os=darwin ;;
	Windows | MINGW* | MSYS* | CYGWIN*) os=windows ;;
	*) os=other ;;
	esac
	case ${RUNNER_ARCH:-$(uname -m)} in
	X64 | x86_64 | amd64) arch=amd64 ;;
	ARM64 | aarch64 | arm64) arch=arm64 ;;
	*) arch=other ;;
	esac
	exe=
	if [ "$os" = windows ]; then exe=.exe; fi
	sha256=(sha256sum)
	if ! command -v sha256sum >/dev/null; then sha256=(shasum -a 256); fi
}

# digest prints the SHA-256 of a file.
digest() { "${sha256[@]}" <"$1" | cut -d ' ' -f 1; }

# source_key prints a name for what a build from the action's own source would give.
source_key() {
	(cd "$action" && find . -path ./.git -prune -o -type f -print | LC_ALL=C sort | tr '\n' '\0' | xargs -0 "${sha256[@]}") >"$work/source"
	printf 'source-%s' "$(digest "$work/source")"
}

# fetch URL FILE downloads a file, and tries again where that may help. It sets status to what
# the server answered, 000 where none did, and is true for 200.
fetch() {
	local try
	for try in 1 2 3 4; do
		status=$(curl -sSL --proto '=https' --proto-redir '=https' --connect-timeout 20 --max-time 300 \
			--max-filesize 200000000 -o "$2" -w '%{http_code}' -- "$1" 2>"$work/curl") || status=000
		case $status in
		200) return 0 ;;
		401 | 403 | 404 | 410) return 1 ;;
		esac
		if [ "$try" != 4 ]; then sleep "$((try * 2))"; fi
	done
	return 1
}

# verifier prints the program that can verify a signature here.
verifier() {
	if command -v cosign >/dev/null; then
		echo cosign
	elif [ -n "$token" ] && [ "${GITHUB_SERVER_URL:-https://github.com}" = https://github.com ] && gh attestation verify --help >/dev/null 2>&1; then
		echo gh
	else
		return 1
	fi
}

# release VERSION brings a release to $work/pinnace. Where there is none for this runner, or
# none can be verified or fetched, it sets why and is false. What does not verify ends the run.
release() {
	local version=$1 identity=$signer@refs/tags/$1 with archive inside want
	if [ "$os" = other ] || [ "$arch" = other ]; then
		why="there is no release for ${RUNNER_OS:-$(uname -s)} on ${RUNNER_ARCH:-$(uname -m)}"
		return 1
	fi
	if ! with=$(verifier); then
		why="neither cosign nor gh (2.49 or newer, with a token) is here to verify a release"
		return 1
	fi
	archive=pinnace_${version#v}_${os}_$arch.tar.gz
	if [ "$os" = windows ]; then archive=pinnace_${version#v}_${os}_$arch.zip; fi
	local from=$remote/releases/download/$version name files=(checksums.txt "$archive")
	if [ "$with" = cosign ]; then files+=(checksums.txt.sigstore.json); fi
	for name in "${files[@]}"; do
		if ! fetch "$from/$name" "$work/$name"; then
			why="$from/$name could not be downloaded: HTTP status $status $(head -n 1 "$work/curl" 2>/dev/null || true)"
			if [ "$status" = 404 ]; then why="the release $version has no $name"; fi
			return 1
		fi
	done

	# Whoever pins the action by its commit gets what was built from that commit.
	local bind=()
	if [ "$with" = cosign ]; then
		if [[ $ref =~ $commit ]] && [ -z "${PINNACE_VERSION:-}" ]; then bind+=("--certificate-github-workflow-sha=$ref"); fi
		# What cosign 2 has to be told, cosign 3 knows.
		if [[ $(cosign verify-blob --help 2>&1) == *--new-bundle-format* ]]; then bind+=(--new-bundle-format); fi
		cosign verify-blob --bundle "$work/checksums.txt.sigstore.json" --certificate-identity "$identity" \
			--certificate-oidc-issuer "$issuer" ${bind[@]+"${bind[@]}"} "$work/checksums.txt" >"$work/verified" 2>&1 ||
			fail "the signature of pinnace $version does not verify, so it is not run: $(tail -n 1 "$work/verified")"
	else
		if [[ $ref =~ $commit ]] && [ -z "${PINNACE_VERSION:-}" ] && [[ $(gh attestation verify --help) == *--source-digest* ]]; then
			bind+=("--source-digest=$ref")
		fi
		GH_TOKEN=$token gh attestation verify "$work/$archive" --repo "$repository" --cert-identity "$identity" \
			${bind[@]+"${bind[@]}"} >"$work/verified" 2>&1 ||
			fail "the attestation of pinnace $version does not verify, so it is not run: $(tail -n 1 "$work/verified")"
	fi
	want=$(awk -v name="$archive" '$2 == name || $2 == "*" name { print $1 }' "$work/checksums.txt")
	if [[ ! $want =~ ^[0-9a-f]{64}$ ]]; then
		fail "checksums.txt of pinnace $version does not name $archive exactly once, so it is not run"
	fi
	if [ "$(digest "$work/$archive")" != "$want" ]; then
		fail "the checksum of $archive is not the one that was signed, so it is not run"
	fi

	# One member is read, to standard output: whatever else an archive holds is written nowhere.
	inside=pinnace$exe
	if [ "$os" = windows ]; then
		unzip -p "$work/$archive" "$inside" >"$work/pinnace" 2>/dev/null || rm -f "$work/pinnace"
	else
		tar -xzOf "$work/$archive" "$inside" >"$work/pinnace" 2>/dev/null || rm -f "$work/pinnace"
	fi
	if [ ! -s "$work/pinnace" ]; then
		fail "$archive holds no program $inside at its top"
	fi
}

# own_release sets version to the release that the action's own commit is, if it is one.
own_release() {
	version=
	if [ "${PINNACE_ACTION_REPOSITORY:-}" != "$repository" ] || [ -z "$ref" ]; then
		return 1
	fi
	if [[ $ref =~ $semver ]] && [ "${ref#v}" != "$ref" ]; then
		version=$ref
		return 0
	fi
	# Tags of releases are annotated or not: a line with ^{} names the commit below the tag.
	GIT_TERMINAL_PROMPT=0 git -C "$work" -c credential.helper= ls-remote -- "$remote" >"$work/refs" 2>/dev/null || return 1
	version=$(awk -v ref="$ref" '
		{ commit[$2] = $1 }
		END {
			want = ref
			n = split("refs/heads/" ref " refs/tags/" ref " refs/tags/" ref "^{}", names, " ")
			for (i = 1; i <= n; i++) if (names[i] in commit) want = commit[names[i]]
			for (name in commit) if (commit[name] == want) {
				sub(/\^\{\}$/, "", name)
				if (sub(/^refs\/tags\//, "", name) && name ~ /^v[0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z.-]+)?$/) print name
			}
		}' "$work/refs" | LC_ALL=C sort | awk '!/-/ { print; found = 1; exit } { last = $0 } END { if (!found && last != "") print last }')
	[[ $version =~ $semver ]]
}

# with_go runs Go in the action's source or outside of any module, whatever the job has set.
with_go() {
	CGO_ENABLED=0 GOFLAGS='' GOWORK=off GOTOOLCHAIN=auto "$@"
}

# build makes $work/pinnace from the action's own source.
build() {
	if ! command -v go >/dev/null; then
		fail "pinnace has to be built from source ($why), and go is not on PATH: run actions/setup-go before this action, or name a release with the input version"
	fi
	if [ ! -f "$action/go.mod" ]; then
		fail "pinnace has to be built from source ($why), and $action holds none"
	fi
	notice "pinnace is built from the action's own source: $why"
	(cd "$action" && with_go go build -mod=readonly -trimpath -buildvcs=false -ldflags '-s -w' -o "$work/pinnace" ./cmd/pinnace) >&2 ||
		fail "pinnace could not be built from the action's own source: see the lines above"
}

# build_version VERSION makes $work/pinnace from a version of the Go module.
build_version() {
	if ! command -v go >/dev/null; then
		fail "pinnace $1 cannot be brought: $why. Run sigstore/cosign-installer or actions/setup-go before this action"
	fi
	notice "pinnace $1 is built from source: $why"
	mkdir "$work/bin"
	(cd "$work" && GOBIN=$work/bin GOPRIVATE='' GONOSUMDB='' GOSUMDB=sum.golang.org with_go go install -trimpath -ldflags '-s -w' "$module/cmd/pinnace@$1") >&2 ||
		fail "pinnace $1 could not be built from source: see the lines above"
	mv "$work/bin/pinnace$exe" "$work/pinnace"
}

# place KEY sets program to where what has this key is kept.
place() { program=$cache/pinnace/$1/$os-$arch/pinnace$exe; }

# keep moves $work/pinnace to its place, in one step: whoever runs at the same time finds all of it or nothing.
keep() {
	chmod 755 "$work/pinnace"
	mkdir -p "$(dirname "$program")"
	local part
	part=$(mktemp "$program.XXXXXX")
	cp -p "$work/pinnace" "$part"
	if ! mv -f "$part" "$program" 2>/dev/null; then # Windows keeps a program that runs
		rm -f "$part"
	fi
	if [ ! -x "$program" ]; then fail "pinnace could not be kept at $program"; fi
}

main() {
	detect
	if [ -z "${RUNNER_TOOL_CACHE:-}${RUNNER_TEMP:-}" ] || [ -z "${GITHUB_OUTPUT:-}" ] || [ -z "${GITHUB_ACTION_PATH:-}" ]; then
		fail "RUNNER_TOOL_CACHE, GITHUB_OUTPUT or GITHUB_ACTION_PATH is not set: this script is a step of the action, and runs in GitHub Actions only"
	fi
	action=$(unix "$GITHUB_ACTION_PATH")
	cache=$(unix "${RUNNER_TOOL_CACHE:-$RUNNER_TEMP}")
	if ! mkdir -p "$cache/pinnace" 2>/dev/null || [ ! -w "$cache/pinnace" ]; then
		cache=$(unix "${RUNNER_TEMP:-/tmp}")
	fi
	work=$(mktemp -d "$(unix "${RUNNER_TEMP:-/tmp}")/pinnace.XXXXXX")
	trap 'rm -rf "$work"' EXIT

	token=${GH_TOKEN:-}
	unset GH_TOKEN GITHUB_TOKEN
	local wanted=${PINNACE_VERSION:-}
	ref=${PINNACE_ACTION_REF:-}
	if [ -n "$wanted" ]; then
		if [[ ! $wanted =~ $semver ]] || [ "${#wanted}" -gt 64 ]; then
			fail "the input version is ${wanted:0:80}: want a release such as v1.2.3"
		fi
		wanted=v${wanted#v}
		place "$wanted"
		if [ ! -x "$program" ]; then
			if ! release "$wanted"; then build_version "$wanted"; fi
			keep
		fi
	else
		place "$(source_key)"
		if [ ! -x "$program" ]; then
			why="the action's commit is no release"
			if ! own_release || ! release "$version"; then build; fi
			keep
		fi
	fi
	"$program" version >&2 || fail "$program does not run on this machine"
	printf 'path=%s\n' "$program" >>"$GITHUB_OUTPUT"
}

main
