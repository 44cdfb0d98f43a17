#!/usr/bin/env bash
# Builds the image from a checkout with buildah, as releases do: everything that could tell two
# builds apart comes from the commit, so that the same commit and the same Go image give the same
# digests. No daemon is needed.
#
#   deploy/image/build.sh TAG [ARGUMENT OF buildah build...]
#
#   VERSION     what `pinnace version` says; default: what git says
#   PLATFORMS   linux/amd64,linux/arm64 makes TAG an index of both; default: this machine's
#   GO_IMAGE    the image with Go; default: what the Dockerfile says
set -euo pipefail
if [ $# = 0 ]; then
	echo "usage: deploy/image/build.sh TAG [ARGUMENT OF buildah build...]" >&2
	exit 2
fi
cd "$(dirname "$0")/../.."
tag=$1
shift

case $(uname -m) in
x86_64) here=linux/amd64 ;;
aarch64 | arm64) here=linux/arm64 ;;
*) here=linux/$(uname -m) ;;
esac
revision=$(git rev-parse HEAD)
arguments=(--isolation chroot --format oci --identity-label=false --timestamp "$(git log -1 --format=%ct)" --build-arg "REVISION=$revision")
arguments+=(--build-arg "BUILDPLATFORM=$here") # older versions of buildah leave it empty in FROM
if [ -n "${VERSION:-}" ]; then arguments+=(--build-arg "VERSION=$VERSION"); fi
if [ -n "${GO_IMAGE:-}" ]; then arguments+=(--build-arg "GO_IMAGE=$GO_IMAGE"); fi
if [ -n "${PLATFORMS:-}" ]; then
	arguments+=(--platform "$PLATFORMS" --manifest "$tag")
else
	arguments+=(--tag "$tag")
fi
exec buildah build "${arguments[@]}" "$@" .
