#!/usr/bin/env bash
# Packs the manifests of a release: copies of deploy/helm and deploy/kustomize that name the
# version's image by the digest that its tag has in the registry. Pinnace pins them itself.
#
#   deploy/image/pin.sh VERSION FILE.tar.gz [FLAG OF pinnace pin...]
#
#   PINNACE   the program; default: what is built from here
#   DIGEST    what the image has to have; default: whatever the registry says
set -euo pipefail
if [ $# -lt 2 ] || [[ ! $1 =~ ^[0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z.-]+)?$ ]]; then
	echo "usage: deploy/image/pin.sh VERSION FILE.tar.gz [FLAG OF pinnace pin...], with a version such as 1.2.3" >&2
	exit 2
fi
version=$1
mkdir -p "$(dirname "$2")"
file=$(cd "$(dirname "$2")" && pwd)/$(basename "$2")
shift 2
cd "$(dirname "$0")/../.."
epoch=$(git -c safe.directory='*' log -1 --format=%ct)

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
fail() {
	echo "deploy/image/pin.sh: $*" >&2
	exit 1
}
# replace FILE LINE WITH replaces a line, which has to be there once.
replace() {
	if [ "$(grep -cxF -- "$2" "$1")" != 1 ]; then fail "$1: want the line \"$2\" once"; fi
	OLD=$2 NEW=$3 awk '{ print $0 == ENVIRON["OLD"] ? ENVIRON["NEW"] : $0 }' "$1" >"$1.new"
	mv "$1.new" "$1"
}

if [ -z "${PINNACE:-}" ]; then
	PINNACE=$work/pinnace
	go build -o "$PINNACE" ./cmd/pinnace
fi

name=pinnace_${version}_deploy
mkdir "$work/$name"
cp -r deploy/helm deploy/kustomize LICENSE "$work/$name"
cd "$work/$name"
replace kustomize/base/statefulset.yaml '          image: ghcr.io/pinnace-dev/pinnace:unreleased' "          image: ghcr.io/pinnace-dev/pinnace:$version"
replace helm/pinnace/values.yaml '  tag: ""' "  tag: \"$version\""
replace helm/pinnace/Chart.yaml 'version: 0.1.0' "version: $version
appVersion: \"$version\""
"$PINNACE" pin "$@" .
"$PINNACE" check --offline .
if [ -n "${DIGEST:-}" ]; then
	for named in kustomize/base/statefulset.yaml helm/pinnace/values.yaml; do
		if ! grep -qF -- "$DIGEST" "$named"; then fail "$named does not name $DIGEST, which was to be released"; fi
	done
fi
cd "$work"
find "$name" -type d -exec chmod 755 {} + -o -type f -exec chmod 644 {} +
tar --sort=name --mtime="@$epoch" --owner=0 --group=0 --numeric-owner --format=ustar -cf - "$name" | gzip -9n >"$file"
