#!/bin/bash
# Pictures are decoded by several threads while the batch before them is computed: the same numbers as by one thread; a damaged picture
# among them is an error that names it. Under the thread sanitizer this is what shows races.
# Usage: threads.sh <innvestigate> <source folder>
set -u
export LC_ALL=C
exe=$(realpath "$1")
src=$(realpath "$2")
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$tmp" || exit 1
failed=0
fail() { echo "FAILED: $*"; head -5 stderr; failed=1; }
mkdir pictures
for i in $(seq 10 45); do cp "$src/tests/cli/nets/flat.png" "pictures/$i.png"; done
cp "$src/data/chelsea.png" pictures/20.png
cp "$src/data/chelsea.png" pictures/33.png
cat >small.yaml <<END
stages: [rgb, {type: resize, size: [8, 8]}, layout, {type: normalize, mean: [127], std: [128]}]
END
predict() { # predict THREADS OUTPUT
	"$exe" predict -m "$src/tests/golden/nets/cnn.onnx" -i pictures -p small.yaml -b reference --threads "$1" --batch 4 -o "$2" >stdout 2>stderr </dev/null
}
silent() { ! grep -qE 'Sanitizer|runtime error' stderr || fail "$1: a sanitizer speaks"; }
predict 1 one.npy || fail "one thread"
predict 4 four.npy || fail "four threads"
silent "four threads"
cmp one.npy four.npy || fail "other numbers"
head -c 500 "$src/tests/cli/nets/flat.png" >pictures/30.png
predict 4 bad.npy
[ $? = 1 ] || fail "a damaged picture: no error"
grep -q '30.png' stderr || fail "a damaged picture is not named"
silent "a damaged picture"
[ ! -e bad.npy ] || fail "a damaged picture: output"
cat >run.yaml <<END
model: $src/tests/golden/nets/cnn.onnx
input: {path: pictures, preprocess: small.yaml}
backend: reference
threads: 4
batch: 4
analyzers: [gradient, lrp.epsilon]
output: {dir: out}
END
rm pictures/30.png
for _ in 1 2 3; do
	"$exe" run run.yaml --force >stdout 2>stderr </dev/null || fail "a run over pictures"
	silent "a run over pictures"
done
"$exe" run run.yaml --force >stdout 2>stderr </dev/null &
pid=$!
sleep 0.1
kill -INT $pid 2>/dev/null
wait $pid
silent "a run that is stopped while it reads"
[ $failed = 0 ] && echo "no thread disturbs another"
exit $failed
