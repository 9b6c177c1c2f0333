#!/bin/bash
# The command's contract: each case is an expected exit code, a text that the messages must hold, and a command.
# Usage: run.sh <innvestigate> <source folder>
set -u
export LC_ALL=C
exe=$(realpath "$1")
src=$(realpath "$2")
tmp=$(mktemp -d)
trap 'chmod -R u+w "$tmp"; rm -rf "$tmp"' EXIT
cd "$tmp" || exit 1
# shellcheck source=tests/cli/files.sh
. "$src/tests/cli/files.sh"
make_files

model=$src/models/efficientnet_lite0/efficientnet_lite0.onnx
picture=$src/data/chelsea.png
failed=0
count=0

# expect CODE TEXT ARGUMENTS...: TEXT is a fixed string, "" for any.
expect() {
	local code=$1 text=$2 got
	shift 2
	count=$((count + 1))
	timeout 120 "$exe" "$@" >stdout 2>stderr </dev/null
	got=$?
	if [ $got != "$code" ]; then
		echo "FAILED: exit $got, not $code: innvestigate $*"
		head -5 stderr
		failed=$((failed + 1))
	elif [ -n "$text" ] && ! cat stdout stderr | grep -qF -- "$text"; then
		echo "FAILED: no \"$text\" from innvestigate $*"
		head -5 stderr
		failed=$((failed + 1))
	fi
	if grep -qE 'Sanitizer|runtime error' stderr; then
		echo "FAILED: a sanitizer speaks: innvestigate $*"
		head -40 stderr
		failed=$((failed + 1))
	fi
	if [ -e out.npy ] || [ -e out.png ]; then
		[ "$code" = 0 ] || { echo "FAILED: output was left by innvestigate $*"; failed=$((failed + 1)); }
		rm -f out.npy out.png
	fi
	if compgen -G '.innvestigate-*' >/dev/null; then
		echo "FAILED: a temporary file was left by innvestigate $*"
		failed=$((failed + 1))
		rm -f .innvestigate-*
	fi
}

# shellcheck source=tests/cli/cases.sh
. "$src/tests/cli/cases.sh"
# shellcheck source=tests/cli/lrp.sh
. "$src/tests/cli/lrp.sh"

echo "$count cases, $failed failed"
[ $failed = 0 ]
