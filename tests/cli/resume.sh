#!/bin/bash
# A run that is killed, stopped or finds its journal damaged goes on and ends with the same files, byte for byte.
# Usage: resume.sh <innvestigate> <source folder>
set -u
export LC_ALL=C
exe=$(realpath "$1")
src=$(realpath "$2")
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$tmp" || exit 1
# shellcheck source=tests/cli/files.sh
. "$src/tests/cli/files.sh"
samples=220
journal=out/unfinished.journal
failed=0
fail() { echo "FAILED: $*"; failed=1; }

for _ in $(seq 1 $((samples / 2))); do tail -c 1536 "$src/tests/golden/nets/cnn.x.npy"; done | npy x.npy '<f4' "$samples, 3, 8, 8"
cat >run.yaml <<END
model: $src/tests/golden/nets/cnn.onnx
input: x.npy
backend: reference
analyzers: [gradient, {type: smoothgrad, augment_by_n: 4, noise_scale: 0.1}]
metrics: [{type: abpc, region_shape: 1, steps: 60}]
output: {dir: out, sheet: sheet.png}
END
run() { "$exe" run run.yaml --quiet "$@" >stdout 2>stderr </dev/null; }

# interrupt SIGNAL: starts a run and stops it once its journal has grown by a record. Gives its exit status.
interrupt() {
	local size pid
	"$exe" run run.yaml --quiet >stdout 2>stderr </dev/null &
	pid=$!
	size=$(stat -c %s $journal 2>/dev/null || echo 64)
	[ "$size" -ge 64 ] || size=64
	for _ in $(seq 1 600); do
		sleep 0.05
		[ "$(stat -c %s $journal 2>/dev/null || echo 0)" -gt "$size" ] && break
		kill -0 $pid 2>/dev/null || break
	done
	kill -0 $pid 2>/dev/null || fail "the run ended before it was stopped"
	kill -"$1" $pid
	wait $pid 2>/dev/null
}
same() {
	run || { fail "$1: exit $?"; head -3 stderr; }
	diff -r out whole >/dev/null || { fail "$1: other files"; diff -rq out whole; }
	if grep -qE 'Sanitizer|runtime error' stderr; then fail "$1: a sanitizer speaks"; head -40 stderr; fi
}

run -s output.dir=whole || { head -5 stderr; exit 1; }
[ ! -e whole/unfinished.journal ] || fail "a journal was left"

interrupt KILL
[ -s $journal ] || fail "no journal"
interrupt KILL
same "killed twice"
run && grep -q 'already there' stdout || fail "not seen as done"

rm -r out
interrupt INT
[ $? = 130 ] || fail "a stopped run's exit status"
same "stopped"

rm -r out
interrupt KILL
truncate -s -7 $journal
same "the last record cut off"

rm -r out
interrupt KILL
flip $journal 300 damaged && mv damaged $journal
same "a record damaged"

rm -r out
interrupt KILL
run -s metrics.0.steps=2 || fail "another run over a journal: exit $?"
grep -q 'steps: 2' out/metrics.json || fail "another run took over the journal"
run 2>/dev/null
[ $? = 2 ] || fail "results of another run were written over"
run --force || fail "--force"
same "forced"

[ $failed = 0 ] && echo "all files are the same"
exit $failed
