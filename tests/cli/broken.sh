#!/bin/bash
# Full disks, folders that are read-only or vanish, closed and broken outputs, signals, two processes at one folder: the documented exit
# code and message, nothing half-written, and the same command goes on where nothing hinders it any more.
# Usage: broken.sh <innvestigate> <source folder>
set -u
export LC_ALL=C
exe=$(realpath "$1")
src=$(realpath "$2")
tmp=$(mktemp -d)
trap 'umount "$tmp/disk" 2>/dev/null; chmod -R u+w "$tmp"; rm -rf "$tmp"' EXIT
cd "$tmp" || exit 1
# shellcheck source=tests/cli/files.sh
. "$src/tests/cli/files.sh"
nets=$src/tests/golden/nets
failed=0
count=0
fail() { echo "FAILED: $*"; failed=$((failed + 1)); }

# said CODE TEXT WHAT: of the command that just wrote stdout and stderr.
said() {
	local got=$? code=$1 text=$2
	shift 2
	count=$((count + 1))
	[ $got = "$code" ] || { fail "$*: exit $got, not $code"; head -3 stderr; }
	[ -z "$text" ] || cat stdout stderr 2>/dev/null | grep -qF -- "$text" || { fail "$*: no \"$text\""; head -3 stderr; }
	if grep -qE 'Sanitizer|runtime error' stderr; then fail "$*: a sanitizer speaks"; head -40 stderr; fi
	if find . -name '.innvestigate-*' | grep -q .; then fail "$*: a temporary file was left"; find . -name '.innvestigate-*' -delete; fi
}
cat >run.yaml <<END
model: $nets/cnn.onnx
input: $nets/cnn.x.npy
backend: reference
analyzers: [gradient]
output: {dir: out, sheet: sheet.png}
END
run() { "$exe" run run.yaml "$@" >stdout 2>stderr </dev/null; }
analyze() { "$exe" analyze -m "$nets/cnn.onnx" -i "$nets/cnn.x.npy" -a gradient -b reference "$@" >stdout 2>stderr </dev/null; }
run -s output.dir=whole || { head -3 stderr; exit 1; }
same() { run; said 0 '' "$1, then again"; diff -r out whole >/dev/null || fail "$1: other files"; rm -rf out; }

# Standard output is full, closed, or nobody reads it.
for c in "list" "predict -m $nets/mlp.onnx -i $nets/mlp.x.npy -b reference" "plan -m $nets/mlp.onnx -a gradient"; do
	# shellcheck disable=SC2086 # words
	"$exe" $c >/dev/full 2>stderr; said 1 'cannot write to standard output' "$c on a full device"
	# shellcheck disable=SC2086
	"$exe" $c >&- 2>stderr; said 1 'cannot write to standard output' "$c without standard output"
done
: >stdout
"$exe" list 2>stderr | true
[ "${PIPESTATUS[0]}" -lt 128 ] || fail "a closed pipe kills"
(run <&- >&- 2>&-)
"$exe" run run.yaml <&- >&- 2>&-
diff -r out whole >/dev/null || fail "without standard files: other files"
rm -rf out

# No file may be longer than 0 and 1024 bytes; the disk is full.
for kib in 0 1; do
	(ulimit -f $kib; "$exe" run run.yaml </dev/null 2>&1) | cat >stdout; [ "${PIPESTATUS[0]}" = 1 ]; said 0 'cannot write' "a limit of $kib KiB on files"
	ls out/*.npy out/*.png out/*.json >/dev/null 2>&1 && fail "a limit of $kib KiB: results are there"
	same "a limit of $kib KiB"
done
mkdir disk
if mount -t tmpfs -o size=4k none disk 2>/dev/null; then
	run -s output.dir=disk/out; said 1 'No space left on device' "a full disk"
	[ -z "$(ls disk/out/*.npy disk/out/*.png disk/out/manifest.json 2>/dev/null)" ] || fail "a full disk: results are there"
	head -c 4096 /dev/zero >disk/fill 2>/dev/null
	analyze -o disk/map.npy; said 1 'cannot write disk/map.npy' "a map on a full disk"
	[ ! -e disk/map.npy ] || fail "a part of a map is there"
	umount disk
	mount -t tmpfs -o ro none disk
	analyze -o disk/map.npy; said 1 'cannot write disk/map.npy' "a read-only disk"
	run -s output.dir=disk/out; said 1 'disk/out' "a run on a read-only disk"
	umount disk
else
	echo "no disk can be mounted: not tested with a full one"
fi

# Folders that are none, that are locked, that vanish.
echo >file
run -s output.dir=file; said 1 'file' "a file in the folder's place"
run -s output.dir=file/out; said 1 'file' "a folder below a file"
analyze -o nowhere/map.npy; said 1 'nowhere' "no folder"
mkdir -p out/sheet.png
run; said 1 'sheet.png' "a folder in a picture's place"
rm -rf out
if [ "$(id -u)" != 0 ]; then
	mkdir -m 500 out
	run; said 1 'cannot write into folder out' "a locked folder"
	chmod 700 out && rm -rf out
fi
mkdir gone
(cd gone && rmdir ../gone && exec "$exe" run "$tmp/run.yaml") >stdout 2>stderr </dev/null; said 1 'cannot make folder' "a working directory that is gone"

# A longer run: interrupted, its folder taken away, by two processes at once.
for _ in $(seq 1 60); do tail -c 1536 "$nets/cnn.x.npy"; done | npy x.npy '<f4' '120, 3, 8, 8'
cp run.yaml short.yaml
for n in 60 400 2500; do # long enough to be met at work on any machine
	sed "s|input: .*|input: x.npy|; s|\[gradient\]|[gradient, {type: smoothgrad, augment_by_n: $n, noise_scale: 0.1}]|" short.yaml >run.yaml
	rm -rf whole
	start=$(date +%s%N)
	run -s output.dir=whole || { head -3 stderr; exit 1; }
	[ $(($(date +%s%N) - start)) -lt 1500000000 ] || break
done
begin() { # waits until the run has written rows
	"$exe" run run.yaml --quiet >stdout 2>stderr </dev/null &
	pid=$!
	for _ in $(seq 1 600); do
		sleep 0.02
		[ "$(stat -c %s out/unfinished.journal 2>/dev/null || echo 0)" -gt 64 ] && return
		kill -0 $pid 2>/dev/null || break
	done
	fail "the run ended before it was stopped"
}
for signal in INT TERM; do
	begin
	kill -$signal $pid
	wait $pid; said 130 'stopped' "SIG$signal"
	[ ! -e out/manifest.json ] || fail "SIG$signal: a manifest of an unfinished run"
	same "SIG$signal"
done
begin
run; said 1 'another process is at work' "two processes at one folder"
wait $pid; said 0 '' "the first of two processes"
diff -r out whole >/dev/null || fail "two processes: other files"
rm -rf out
begin
rm -rf out
wait $pid; said 1 'out/' "a folder that vanishes"
[ ! -e out ] || fail "a vanished folder came back"
for i in 1 2 3 4 5; do
	"$exe" run run.yaml --quiet >stdout 2>stderr </dev/null &
	pid=$!
	sleep 0.0$((RANDOM % 9 + 1))
	kill -KILL $pid 2>/dev/null
	wait $pid 2>/dev/null
done
same "killed at random"

echo "$count cases, $failed failed"
[ $failed = 0 ]
