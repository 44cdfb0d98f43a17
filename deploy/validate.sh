#!/usr/bin/env bash
# Holds the chart, the kustomizations, the alerts and the dashboard to what Helm, kustomize,
# Kubernetes and Prometheus take; no cluster is needed. What each test is about is in
# deploy/testdata/validate. Go modules come through the module proxy, promtool is Debian's.
#
#   deploy/validate.sh            all of it
#   deploy/validate.sh -run Lint  or what go test is told
set -euo pipefail
cd "$(dirname "$0")/.."

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# The package is only unpacked: installing it would start a server.
if ! command -v promtool >/dev/null; then
	cache=${XDG_CACHE_HOME:-$HOME/.cache}/pinnace-ci/promtool
	if [ ! -x "$cache/usr/bin/promtool" ]; then
		cd "$work"
		if ! apt-get download -qq prometheus >/dev/null 2>&1; then # its lists may be old, or not there
			$([ "$(id -u)" = 0 ] || echo sudo) apt-get update -qq
			apt-get download -qq prometheus >/dev/null
		fi
		dpkg-deb -x prometheus_*.deb "$work/prometheus"
		mkdir -p "$cache/usr/bin"
		mv prometheus/usr/bin/promtool "$cache/usr/bin/"
		cd - >/dev/null
	fi
	PATH=$cache/usr/bin:$PATH
fi

go build -o "$work/pinnace" ./cmd/pinnace
CI=1 PINNACE=$work/pinnace GOFLAGS=-mod=readonly go -C deploy/testdata/validate test -count=1 "$@" ./...
