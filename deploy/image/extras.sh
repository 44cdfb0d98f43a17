#!/usr/bin/env bash
# Writes what archives hold beside the program: completions for shells, and man pages.
#
#   deploy/image/extras.sh DIR
set -euo pipefail
if [ $# != 1 ]; then
	echo "usage: deploy/image/extras.sh DIR" >&2
	exit 2
fi
cd "$(dirname "$0")/../.."
rm -rf "$1"
mkdir -p "$1/completions"

# The flags are those of the release: nothing is compiled twice.
CGO_ENABLED=0 go build -trimpath -ldflags '-s -w -buildid=' -o "$1/pinnace" ./cmd/pinnace
for shell in bash fish zsh powershell; do
	name=pinnace.$shell
	case $shell in
	zsh) name=_pinnace ;;
	powershell) name=pinnace.ps1 ;;
	esac
	"$1/pinnace" completion "$shell" >"$1/completions/$name"
done
"$1/pinnace" man --dir "$1/man"
rm "$1/pinnace"
