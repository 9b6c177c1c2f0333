#!/bin/bash
# cache.sh INNVESTIGATE SOURCES FAULT.SO: programs in the cache that are damaged, foreign or no files at all are compiled anew, without a
# word. PoCL's are not kept there: fault.so gives its platform another name.
set -u
exe=$1 src=$2 shim=$3
dir=$(mktemp -d)
trap 'chmod -R u+w "$dir"; rm -rf "$dir"' EXIT
cd "$dir" || exit 1
export INNVESTIGATE_CACHE=$dir/cache POCL_CACHE_DIR=$dir/driver HOME=$dir FAULT_CL=1
unset INNVESTIGATE_BACKEND
mkdir driver
failed=0

fail() { echo "FAILED: $*"; failed=$((failed + 1)); }

analyze() { # the shim goes no further than this command
	timeout 300 env LD_PRELOAD="$shim" "$exe" analyze -m "$src/tests/golden/nets/mlp.onnx" -i "$src/tests/golden/nets/mlp.x.npy" \
		-a gradient -b opencl -o "$1" >said 2>&1
}

# whole WHAT [no]: the command ends well without a word, and all programs are kept again, unless they cannot be.
whole() {
	local code
	rm -f map.npy
	analyze map.npy
	code=$?
	[ $code = 0 ] || fail "$1: exit $code: $(head -3 said)"
	[ ! -s said ] || fail "$1: $(head -3 said)"
	cmp -s map.npy first.npy || fail "$1: another result"
	[ -n "${2-}" ] || [ "$(kept)" = "$names" ] || fail "$1: other files in the cache: $(ls -Al cache 2>&1)"
}
# Names, and what they are.
kept() { stat -c '%n %F %a %u' cache/* 2>&1; }

"$exe" devices -b opencl >devices.txt 2>&1
grep -q '^ *[*] 0 ' devices.txt || { echo "skipped: no OpenCL device"; exit 77; }
analyze first.npy || { echo "FAILED: $(head -3 said)"; exit 1; }
[ "$(find cache -type f)" ] || { echo "FAILED: nothing is kept"; exit 1; }
names=$(kept)
whole again
[ -z "$(find cache -newer first.npy)" ] || fail "what is kept is not used"

each() { # each COMMAND...: with every file of the cache as its last argument
	local f
	for f in cache/*.cl.bin; do "$@" "$f"; done
}
flip() { # a byte at every 997th place
	local size at
	size=$(stat -c %s "$1")
	for ((at = size / 3; at < size; at += 997 + size / 50)); do printf '\xa5' | dd of="$1" bs=1 seek="$at" conv=notrunc status=none; done
}
replace() { rm -rf "${!#}"; "$@"; }
other() { cp first.npy "$1"; }
link() { cp "$1" target && rm "$1" && ln -s "$dir/target" "$1"; }
longer() { printf 'more' >>"$1"; }

swap() { # the file of the next one
	local f first= last=
	for f in cache/*.cl.bin; do
		[ -z "$first" ] && first=$f && cp "$f" kept
		[ -z "$last" ] || cp "$f" "$last"
		last=$f
	done
	cp kept "$last"
}

for n in 0 1 100 -1 -100; do
	each truncate -s "$n"
	whole "truncate $n"
done
each flip && whole "flipped bytes"
each longer && whole "more bytes"
each replace other && whole "another file"
swap && whole "other programs"
each replace mkfifo && whole "a pipe"
each chmod 666 && whole "writable by all"
each chmod 620 && whole "writable by a group"
each link && whole "a link"
if [ "$(id -u)" = 0 ]; then
	each chown nobody && whole "of another owner"
fi
each replace mkdir && whole "a folder" no
rm -rf cache && whole "no folder"
rm -rf cache && : >cache && whole "a file for a folder" no
rm -f cache && ln -s /nonexistent/folder cache && whole "a link to nowhere" no
INNVESTIGATE_CACHE=/proc/cache whole "where nothing can be made" no
INNVESTIGATE_CACHE=$(printf '/%.0sx' $(seq 1 3000)) whole "a name too long" no
[ $failed = 0 ] && echo "all well"
exit $((failed > 0))
