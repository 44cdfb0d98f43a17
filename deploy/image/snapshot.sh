#!/usr/bin/env bash
# Tries out .goreleaser.yaml: checks it, and makes what a release would hold for this machine's system,
# or for all of them, in dist/release. Nothing is published. Signatures want cosign and an identity, and
# bills of material want syft: the release's workflow has both, here their lines are only checked.
#
#   deploy/image/snapshot.sh          this machine's system and processor
#   deploy/image/snapshot.sh -all     every one that is released
set -euo pipefail
cd "$(dirname "$0")/../.."

GORELEASER=github.com/goreleaser/goreleaser/v2@v2.15.1 # v2.16 and later have a dependency that the module proxy refuses
cache=${XDG_CACHE_HOME:-$HOME/.cache}/pinnace-ci/goreleaser-${GORELEASER##*@}
if [ ! -x "$cache/goreleaser" ]; then
	GOFLAGS='' GOBIN=$cache go install "$GORELEASER"
fi

fail() {
	echo "deploy/image/snapshot.sh: $*" >&2
	exit 1
}

"$cache/goreleaser" check --quiet

os=$(go env GOHOSTOS) arch=$(go env GOHOSTARCH)
mkdir -p dist
config=.goreleaser.yaml
if [ "${1:-}" != -all ]; then
	config=dist/one.yaml
	sed -e "s/^    goos: \[.*/    goos: [$os]/" -e "s/^    goarch: \[.*/    goarch: [$arch]/" .goreleaser.yaml >"$config"
	if [ "$(diff .goreleaser.yaml "$config" | grep -c '^>')" != 2 ]; then fail "goos and goarch are not where they were in .goreleaser.yaml"; fi
fi

# A release has manifests that are pinned to its image, which only a registry knows: a stand-in.
rm -rf dist/deploy
mkdir -p dist/deploy
tar -czf dist/deploy/pinnace_snapshot_deploy.tar.gz deploy/helm deploy/kustomize

"$cache/goreleaser" release --config "$config" --snapshot --clean --skip=sign,sbom --parallelism 1

cd dist/release
sha256sum --check --quiet --ignore-missing checksums.txt
archive=$(ls pinnace_*_"${os}_$arch".tar.gz)
grep -q "  $archive\$" checksums.txt || fail "checksums.txt does not name $archive"
grep -q '  pinnace_snapshot_deploy.tar.gz$' checksums.txt || fail "checksums.txt does not name the manifests"
if [ "${1:-}" = -all ]; then
	for target in linux_amd64.tar.gz linux_arm64.tar.gz darwin_amd64.tar.gz darwin_arm64.tar.gz windows_amd64.zip windows_arm64.zip; do
		grep -q "  pinnace_.*_$target\$" checksums.txt || fail "there is no archive for $target"
	done
fi
rm -rf unpacked
mkdir unpacked
tar -xzf "$archive" -C unpacked
for f in pinnace LICENSE README.md completions/pinnace.bash completions/_pinnace completions/pinnace.fish completions/pinnace.ps1 man/pinnace.1 man/pinnace-pin.1; do
	[ -s "unpacked/$f" ] || fail "$archive has no $f"
done
bash -n unpacked/completions/pinnace.bash
version=${archive#pinnace_}
said=$(unpacked/pinnace version)
case $said in
"pinnace ${version%_"${os}_$arch".tar.gz} ("*) ;;
*) fail "the program says \"$said\"" ;;
esac
named=0
while read -r f; do
	named=$((named + 1))
	[ -s "unpacked/$f" ] || fail "the cask names $f, which $archive does not have"
done < <(sed -n 's/^ *\(bash\|zsh\|fish\)_completion "\(.*\)"/\2/p; s/^ *manpage "\(.*\)"/\1/p' homebrew/Casks/pinnace.rb)
if [ "$named" -lt 4 ]; then fail "the cask names $named files beside the program, want completions and man pages"; fi
rm -rf unpacked
echo "$archive: $said"
