#!/usr/bin/env bash
# Builds the image from the Dockerfile twice, in two directories, and holds it to what docs/install.md
# says: the same bytes, its size, its user and labels, and a server that starts from it as that
# user on a root file system that cannot be written. Then the manifests of deploy/ are pinned to it
# in a registry, as a release does. No registry is reached and nothing is downloaded but modules:
# the image with Go is made of this machine's own.
#
# It wants root (it asks sudo) and Debian's buildah, docker-registry, openssl, curl and git.
#
#   deploy/image/test.sh           the second build shares the compiler's cache with the first
#   deploy/image/test.sh -fresh    it compiles everything anew: some minutes
set -euo pipefail
cd "$(dirname "$0")/../.."

if [ "$(id -u)" != 0 ]; then
	# Root gets caches of its own, so that it leaves nothing behind that the caller cannot delete.
	cache=${XDG_CACHE_HOME:-$HOME/.cache}/pinnace-ci/image
	exec sudo env "PATH=$PATH" "HOME=$HOME" "GOMODCACHE=$cache/mod" "GOCACHE=$cache/build" "$PWD/deploy/image/test.sh" "$@"
fi

fresh=
if [ "${1:-}" = -fresh ]; then fresh=1; fi

work=$(mktemp -d)
export STORAGE_DRIVER=vfs BUILDAH_ISOLATION=chroot
export CONTAINERS_STORAGE_CONF=$work/storage.conf
printf '[storage]\ndriver = "vfs"\nrunroot = "%s/run"\ngraphroot = "%s/graph"\n' "$work" "$work" >"$CONTAINERS_STORAGE_CONF"
registry_pid=
server_pid=
cleanup() {
	for pid in $registry_pid $server_pid; do kill "$pid" 2>/dev/null || true; done
	wait
	buildah umount --all >/dev/null 2>&1 || true
	rm -rf "$work"
}
trap cleanup EXIT

step() { printf -- '-- %s (after %d s)\n' "$*" "$SECONDS"; }
fail() {
	echo "deploy/image/test.sh: $*" >&2
	exit 1
}
# same WHAT GOT WANT
same() { if [ "$2" != "$3" ]; then fail "$1: got $2, want $3"; fi; }

# source_tree DIR makes a checkout of what is here now, committed or not. Its commit is of its
# files only.
source_tree() {
	mkdir -p "$1"
	git -c safe.directory='*' ls-files -z --cached --others --exclude-standard | while IFS= read -r -d '' f; do
		if [ -e "$f" ]; then printf '%s\0' "$f"; fi
	done | tar -cf - --null --files-from=- | tar -xf - -C "$1"
	git -C "$1" init -q
	git -C "$1" add -A
	GIT_AUTHOR_DATE='2026-01-02T03:04:05Z' GIT_COMMITTER_DATE='2026-01-02T03:04:05Z' \
		git -C "$1" -c user.name=image -c user.email=image@example.com commit -q -m image
}

# go_image makes the image that the Dockerfile starts from: its programs, git and Go are this
# machine's, mounted when it runs.
go_image() {
	local root=$work/go-image
	mkdir -p "$root"/{usr,etc/ssl/certs,tmp,root,go/pkg/mod,root/.cache/go-build,"$goroot"}
	for d in bin sbin lib lib64; do ln -s "usr/$d" "$root/$d"; done
	cp -L /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/"
	printf 'root:x:0:0:root:/root:/bin/sh\n' >"$root/etc/passwd"
	local c
	c=$(buildah from --quiet scratch)
	buildah copy --quiet "$c" "$root" / >/dev/null
	buildah config --env "PATH=$goroot/bin:/usr/bin:/bin" --env GOPATH=/go --env GOTOOLCHAIN=local --env HOME=/root "$c"
	buildah commit --quiet --rm "$c" docker.io/library/golang:1.26 >/dev/null
}

# build DIR TAG BUILD-CACHE
build() {
	mkdir -p "$3"
	VERSION=1.2.3 "$1/deploy/image/build.sh" "$2" --quiet --pull-never --log-level error \
		--volume /usr:/usr:ro --volume "$goroot:$goroot:ro" --volume "$gomodcache:/go/pkg/mod" --volume "$3:/root/.cache/go-build" \
		>"$work/build.log" 2>&1 || { cat "$work/build.log" && fail "the image does not build"; }
}

goroot=$(go env GOROOT) gomodcache=$(go env GOMODCACHE) gocache=$(go env GOCACHE)
mkdir -p "$gomodcache"

step "the image with Go"
go_image

step "first build"
source_tree "$work/a"
build "$work/a" localhost/first "$gocache"

step "second build, in another directory${fresh:+, with an empty cache}"
source_tree "$work/another/and/deeper"
if [ -n "$fresh" ]; then gocache=$work/cache; fi
build "$work/another/and/deeper" localhost/second "$gocache"

step "the same bytes"
first=$(buildah from --quiet --pull-never localhost/first)
second=$(buildah from --quiet --pull-never localhost/second)
root=$(buildah mount "$first")
same "sha256 of the program" "$(sha256sum <"$(buildah mount "$second")/pinnace")" "$(sha256sum <"$root/pinnace")"
inspect() { buildah inspect --type image --format "$2" "localhost/$1" || fail "buildah inspect $2"; }
for field in .OCIv1.RootFS.DiffIDs .OCIv1 .FromImageDigest; do
	got=$(inspect second "{{$field}}")
	same "$field" "$got" "$(inspect first "{{$field}}")"
done
echo "image $(inspect first '{{.FromImageDigest}}'), program $(sha256sum <"$root/pinnace" | cut -d ' ' -f 1)"

step "what is in it"
found=$(cd "$root" && find . -mindepth 1 ! -path './dev*' ! -path './proc*' ! -path './sys*' ! -path './run*' -printf '%P %U:%G %m\n' | LC_ALL=C sort)
want='etc 0:0 755
etc/group 0:0 644
etc/passwd 0:0 644
etc/ssl 0:0 755
etc/ssl/certs 0:0 755
etc/ssl/certs/ca-certificates.crt 0:0 644
pinnace 0:0 755
tmp 0:0 1777
var 0:0 755
var/cache 0:0 755
var/cache/pinnace 65532:65532 700
var/lib 0:0 755
var/lib/pinnace 65532:65532 700'
same files "$found" "$want"
size=$(du -sb --apparent-size "$root" | cut -f 1)
if [ "$size" -gt 60000000 ]; then fail "$size bytes, want at most 60,000,000"; fi
echo "$size bytes"

step "its configuration"
same entrypoint "$(inspect first '{{.OCIv1.Config.Entrypoint}}')" '[/pinnace]'
same command "$(inspect first '{{.OCIv1.Config.Cmd}}')" '[]'
same user "$(inspect first '{{.OCIv1.Config.User}}')" 65532:65532
same volumes "$(inspect first '{{.OCIv1.Config.Volumes}}')" 'map[]'
same health "$(inspect first '{{.Docker.Config.Healthcheck}}')" '<nil>'
for label in title=pinnace version=1.2.3 "revision=$(git -C "$work/a" rev-parse HEAD)" licenses=Apache-2.0 \
	source=https://github.com/pinnace-dev/pinnace url=https://github.com/pinnace-dev/pinnace; do
	same "${label%%=*}" "$(inspect first "{{index .OCIv1.Config.Labels \"org.opencontainers.image.${label%%=*}\"}}")" "${label#*=}"
done

step "the program within it"
state=$work/state
mkdir -m 700 "$state"
chown 65532:65532 "$state"
# in_image ARGUMENT... becomes the program, as the image's user and in the image's environment, on its
# root file system, which cannot be written but for /tmp and what a server keeps. It has no /proc and
# no /dev, and where GitHub should be nobody listens.
in_image() {
	# shellcheck disable=SC2016 # these are for the inner shell
	exec unshare --mount -- sh -euc '
		root=$1 state=$2
		shift 2
		mount --bind "$root" "$root"
		mount -o remount,bind,ro "$root"
		mount --bind "$state" "$root/var/lib/pinnace"
		mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
		exec env -i "PATH=$PATH" STATE_DIRECTORY=/var/lib/pinnace GITHUB_API_URL=http://127.0.0.1:9 \
			chroot --userspec=65532:65532 --groups=65532 "$root" /pinnace "$@"
	' sh "$root" "$state" "$@"
}
# That it runs with nothing beside it shows that it is static.
same environment "$(inspect first '{{.OCIv1.Config.Env}}')" '[PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin STATE_DIRECTORY=/var/lib/pinnace]'
said=$(in_image version)
echo "$said"
case $said in
"pinnace 1.2.3 ($(git -C "$work/a" rev-parse --short=12 HEAD)) go"*) ;;
*) fail "it does not say its version and commit" ;;
esac
grep -q BEGIN "$root/etc/ssl/certs/ca-certificates.crt" || fail "no certificates"

step "a server"
openssl genrsa -traditional -out "$state/app.pem" 2048 2>/dev/null
echo 'a secret' >"$state/webhook-secret"
chown 65532:65532 "$state"/*
serve=(serve --listen 127.0.0.1:0 --app-id 1 --app-key /var/lib/pinnace/app.pem --webhook-secret-file /var/lib/pinnace/webhook-secret)
status=0
(in_image "${serve[@]}" --database sqlite:/var/cache/pinnace/pinnace.db) 2>"$work/refused" || status=$?
same "status where nothing can be written" "$status" 1
grep -q 'read-only file system' "$work/refused" || fail "it does not say that the file system is read-only: $(cat "$work/refused")"

(in_image "${serve[@]}") 2>"$work/server.log" &
server_pid=$!
address=
for _ in $(seq 300); do
	address=$(sed -n 's/.*"msg":"listening".*"address":"\([^"]*\)".*/\1/p' "$work/server.log")
	if [ -n "$address" ] || ! kill -0 "$server_pid" 2>/dev/null; then break; fi
	sleep 0.1
done
if [ -z "$address" ]; then fail "it does not listen: $(cat "$work/server.log")"; fi
curl -fsS --retry 20 --retry-delay 1 --retry-all-errors "http://$address/readyz"
same "its user" "$(stat -c %u:%g "/proc/$server_pid")" 65532:65532
same "a webhook that nobody signed" "$(curl -s -o /dev/null -w '%{http_code}' -H 'X-GitHub-Event: push' -H 'X-GitHub-Delivery: 1' --data '{}' "http://$address/webhooks/github")" 401
kill -TERM "$server_pid"
status=0
wait "$server_pid" || status=$?
server_pid=
same "status after SIGTERM" "$status" 0
[ -s "$state/pinnace.db" ] || fail "there is no database in /var/lib/pinnace"

step "the manifests, pinned to it"
registry=127.0.0.1:${IMAGE_REGISTRY_PORT:-5056}
cat >"$work/registry.yml" <<-YAML
	version: 0.1
	log: {level: error, accesslog: {disabled: true}}
	storage: {filesystem: {rootdirectory: $work/registry}}
	http: {addr: "$registry"}
YAML
docker-registry serve "$work/registry.yml" >"$work/registry.log" 2>&1 &
registry_pid=$!
curl -fsS --retry 50 --retry-delay 1 --retry-connrefused -o /dev/null "http://$registry/v2/" 2>"$work/curl" ||
	fail "no registry: $(cat "$work/curl" "$work/registry.log")"
push() { buildah push --quiet --tls-verify=false --digestfile "$work/$1.digest" "localhost/$1" "docker://$registry/pinnace-dev/pinnace:$2"; }
push first 1.2.3
push second another
digest=$(cat "$work/first.digest")
same "digest of the second in a registry" "$(cat "$work/second.digest")" "$digest"
PINNACE=$root/pinnace DIGEST=$digest "$work/a/deploy/image/pin.sh" 1.2.3 "$work/deploy.tar.gz" --registry-map "ghcr.io=$registry" --insecure-registry "$registry"
tar -xzf "$work/deploy.tar.gz" -C "$work"
grep -rhE '^ *(image: ghcr|tag:|digest:|version:|appVersion:)' "$work/pinnace_1.2.3_deploy" --include=statefulset.yaml --include=values.yaml --include=Chart.yaml
status=0
PINNACE=$root/pinnace DIGEST=sha256:$(printf '%064d' 0) "$work/a/deploy/image/pin.sh" 1.2.3 "$work/other.tar.gz" --registry-map "ghcr.io=$registry" --insecure-registry "$registry" >/dev/null 2>&1 || status=$?
same "status where the registry has another digest" "$status" 1

printf 'all well after %d s\n' "$SECONDS"
