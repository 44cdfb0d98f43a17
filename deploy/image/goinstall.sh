#!/usr/bin/env bash
# Installs the commit that is checked out as `go install ...@v1.2.3` does: from the archive that a
# module proxy would make of it, with Go's own rules for names and nested modules. Then it asks both
# that program and one that is built in the checkout what they are. Dependencies come from the
# module cache only. Both are built with -trimpath, so that they share what was compiled for images.
set -euo pipefail
cd "$(dirname "$0")/../.."
module=github.com/pinnace-dev/pinnace
work=$(mktemp -d)
trap 'chmod -R u+w "$work"; rm -rf "$work"' EXIT

# same WHAT GOT WANT
same() {
	if [ "$2" != "$3" ]; then
		echo "deploy/image/goinstall.sh: $1: got \"$2\", want \"$3\"" >&2
		exit 1
	fi
}

go mod download
proxy=$work/proxy/$module/@v
mkdir -p "$proxy"
git archive --format=zip --prefix="$module@v1.2.3/" -o "$proxy/v1.2.3.zip" HEAD -- . ':(exclude)deploy/testdata/validate'
git show HEAD:go.mod >"$proxy/v1.2.3.mod"
echo v1.2.3 >"$proxy/list"
printf '{"Version":"v1.2.3","Time":"%s"}\n' "$(TZ=UTC git log -1 --date=format-local:%Y-%m-%dT%H:%M:%SZ --format=%cd)" >"$proxy/v1.2.3.info"

platform="$(go env GOVERSION) $(go env GOOS)/$(go env GOARCH)"
cache=$(go env GOMODCACHE)
mkdir "$work/empty"
(
	cd "$work/empty" # outside of any module, as people do
	CGO_ENABLED=0 GOFLAGS=-trimpath GOMODCACHE=$work/mod GOBIN=$work/bin GOPROXY=file://$work/proxy,file://$cache/cache/download GONOSUMDB='*' \
		go install "$module/cmd/pinnace@latest"
)
same "go install" "$("$work/bin/pinnace" version)" "pinnace 1.2.3 $platform"

CGO_ENABLED=0 go build -trimpath -buildvcs=true -o "$work/pinnace" ./cmd/pinnace
case $("$work/pinnace" version) in
"pinnace "*" ($(git rev-parse --short=12 HEAD)) $platform") ;;
*) same "go build" "$("$work/pinnace" version)" "a version, the commit, and $platform" ;;
esac

want=$(go list -m -f '{{.Version}}' github.com/go-git/go-git/v5)
for program in "$work/bin/pinnace" "$work/pinnace"; do
	same "version of go-git" "$("$program" version -o json | sed -n 's|^ *"github.com/go-git/go-git/v5": "\(.*\)".*|\1|p')" "$want"
done
"$work/bin/pinnace" version
"$work/pinnace" version
