#!/bin/sh
# Holds gh-pinnace to what it says, with a gh and a pinnace that only tell what they were given.
set -eu
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

same() {
	if [ "$2" != "$3" ]; then
		printf 'deploy/gh-pinnace/test.sh: %s: got "%s", want "%s"\n' "$1" "$2" "$3" >&2
		exit 1
	fi
}

mkdir "$work/bin" "$work/gh" "$work/out"
# shellcheck disable=SC2016 # these are for the scripts that are written
printf '#!/bin/sh\necho "${GH_TOKEN:-none}" "$#" "$@"\nexit 3\n' >"$work/bin/pinnace"
# shellcheck disable=SC2016
printf '#!/bin/sh\n[ "$1 $2 $3" = "auth token --hostname" ] && echo "login-of-$4"\n' >"$work/gh/gh"
printf '#!/bin/sh\necho "no oauth token found" >&2\nexit 1\n' >"$work/out/gh"
chmod +x "$work"/*/*

# run PATH [NAME=VALUE...] runs `gh pinnace "a b" c`.
run() {
	path=$1
	shift
	env -i "PATH=$path:/usr/bin:/bin" "$@" ./gh-pinnace 'a b' c 2>&1 || echo "status $?"
}
both=$work/bin:$work/gh
same "gh's login" "$(run "$both")" "login-of-github.com 2 a b c
status 3"
same "gh's login to a server of one's own" "$(run "$both" GITHUB_API_URL=https://github.acme.example/api/v3)" "login-of-github.acme.example 2 a b c
status 3"
same "a token of one's own" "$(run "$both" GH_TOKEN=own)" "own 2 a b c
status 3"
same "a token in GITHUB_TOKEN" "$(run "$both" GITHUB_TOKEN=own)" "none 2 a b c
status 3"
same "an App" "$(run "$both" PINNACE_APP_ID=1)" "none 2 a b c
status 3"
same "no login" "$(run "$work/bin:$work/out")" "none 2 a b c
status 3"
case $(run "$work/gh") in
"gh pinnace: pinnace is not on the PATH: install it as https://"*"status 1") ;;
*) same "without pinnace" "$(run "$work/gh")" "a message, and status 1" ;;
esac
echo "gh-pinnace: all well"
