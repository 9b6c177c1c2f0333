#!/bin/bash
# fit, from the command line: killed and called again, in shards, with states that do not belong.
# Usage: fit.sh <innvestigate> <source folder>
set -u
export LC_ALL=C
exe=$(realpath "$1")
src=$(realpath "$2")
images=/usr/share/datasets/fashion-mnist/t10k-images-idx3-ubyte.gz
[ -r "$images" ] || { echo "skipped: no $images"; exit 77; }
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$tmp" || exit 1
failed=0

fail() { echo "FAILED: $*"; failed=$((failed + 1)); }

# expect CODE TEXT ARGUMENTS...
expect() {
	local code=$1 text=$2 got
	shift 2
	timeout 120 "$exe" "$@" >stdout 2>stderr </dev/null
	got=$?
	[ $got = "$code" ] || { fail "exit $got, not $code: innvestigate $*"; head -5 stderr; }
	[ -z "$text" ] || cat stdout stderr | grep -qF -- "$text" || { fail "no \"$text\" from innvestigate $*"; head -5 stderr; }
}

# The first N images, as the data set has them.
few() {
	printf '\0\0\x08\x03'
	# shellcheck disable=SC2059
	printf "\\x$(printf %x $(($1 / 16777216)))\\x$(printf %x $(($1 / 65536 % 256)))\\x$(printf %x $(($1 / 256 % 256)))\\x$(printf %x $(($1 % 256)))"
	printf '\0\0\0\x1c\0\0\0\x1c'
	zcat "$images" | tail -c +17 | head -c $((784 * $1))
}
few 203 >few.idx

net=$src/models/fashion/fashion.onnx
fit_as_process() { exec "$exe" fit -m "$net" -i few.idx -p fashion_mnist -a pattern.net -b reference --batch 8 --checkpoint 0.05 --quiet "$@"; }
fit() { (fit_as_process "$@"); }

# Killed three times at whatever point, each time after another checkpoint.
fit -o whole.npz || fail "fit"
[ -e whole.part.npz ] && fail "a checkpoint was left"
for _ in 1 2 3; do
	before=$(stat -c %y.%i killed.part.npz 2>/dev/null)
	fit_as_process -o killed.npz &
	pid=$!
	for _ in $(seq 1 600); do
		[ "$(stat -c %y.%i killed.part.npz 2>/dev/null)" != "$before" ] && break
		kill -0 $pid 2>/dev/null || break
		sleep 0.05
	done
	kill -9 $pid 2>/dev/null
	wait $pid 2>/dev/null
done
[ -e killed.part.npz ] || fail "no checkpoint was written"
cp killed.part.npz part.npz
fit -o killed.npz || fail "fit after kill"
cmp -s whole.npz killed.npz || fail "a killed fit gives another file"
[ -e killed.part.npz ] && fail "a checkpoint was left behind"

# Stopped by a signal: what was summed is kept, and the exit code says so.
fit_as_process -o stopped.npz &
pid=$!
sleep 0.5
kill -TERM $pid 2>/dev/null
wait $pid
code=$?
[ $code = 130 ] || [ $code = 0 ] || fail "exit $code after a signal"
fit -o stopped.npz || fail "fit after a signal"
cmp -s whole.npz stopped.npz || fail "a stopped fit gives another file"

# A damaged checkpoint is never trusted.
head -c 2000 part.npz >damaged.part.npz
fit -o damaged.npz 2>stderr && fail "a damaged checkpoint is read"
grep -q 'to begin anew' stderr || fail "nothing is said of a damaged checkpoint"
[ -e damaged.npz ] && fail "a state from a damaged checkpoint"
cp part.npz foreign.part.npz # of another batch
"$exe" fit -m "$net" -i few.idx -p fashion_mnist -a pattern.net -b reference --batch 4 --checkpoint 1 -o foreign.npz 2>stderr || fail "foreign checkpoint"
grep -q 'another fit' stderr || fail "nothing is said of a foreign checkpoint"

# Shards: the same layout gives the same bytes, whatever the order.
for k in 1 2 3; do fit --shard $k/3 -o shard$k.npz || fail "shard $k"; done
expect 0 '' fit --merge shard1.npz shard2.npz shard3.npz -o merged.npz
expect 0 '' fit --merge shard3.npz shard1.npz shard2.npz -o again.npz
cmp -s merged.npz again.npz || fail "the order of shards shows"
expect 0 '2 of 3 shards' fit --merge shard2.npz shard1.npz -o two.npz
expect 0 '' fit --merge shard3.npz two.npz -o again.npz
expect 1 'given twice' fit --merge shard1.npz shard1.npz -o bad.npz
expect 1 'no sums' fit --merge shard1.npz whole.npz -o bad.npz
fit --shard 1/2 -o half.npz || fail "half"
expect 1 'no parts of one fit' fit --merge shard1.npz half.npz -o bad.npz
expect 1 'another network' fit --merge shard1.npz shard2.npz shard3.npz -m "$src/tests/golden/nets/cnn.onnx" -o bad.npz
expect 2 'shard 1/99 is empty' fit -m "$net" -i few.idx -p fashion_mnist -a pattern.net --shard 1/99 -o bad.npz
expect 2 'K from 1 to N' fit -m "$net" -i few.idx -p fashion_mnist -a pattern.net --shard 3/2 -o bad.npz

# States that do not belong.
analyze() { local code=$1 text=$2; shift 2; expect "$code" "$text" analyze -m "$net" -i few.idx -p fashion_mnist -o map.npy -a "$@"; }
analyze 0 '' '{type: pattern.attribution, state: whole.npz}'
analyze 2 'must be fitted first' pattern.net
analyze 1 '-a:1:1' '{type: pattern.net, state: nowhere.npz}'
analyze 1 'not a state' '{type: pattern.net, state: shard1.npz}'
analyze 1 'has no layer_5.linear' '{type: pattern.net, state: whole.npz, pattern_type: linear}'
analyze 2 'no parameter state' '{type: gradient, state: whole.npz}'
analyze 2 'no parameter state' '{type: lrp.epsilon, state: whole.npz}'
analyze 1 'no state' "{type: pattern.net, state: $src/tests/golden/patterns/cnn.npz}"
head -c 3000 whole.npz >cut.npz
analyze 1 'cut.npz' '{type: pattern.net, state: cut.npz}'
expect 1 'another network' analyze -m "$src/tests/golden/nets/cnn.onnx" -i "$src/tests/golden/nets/cnn.x.npy" -a '{type: pattern.net, state: whole.npz}' -o map.npy
expect 1 'has shape' analyze -m "$src/tests/golden/nets/cnn.onnx" -i "$src/tests/golden/nets/cnn.x.npy" -o map.npy \
	-a "{type: pattern.net, patterns: $src/tests/golden/patterns/mlp.keras.npz}"
expect 2 'not fitted' fit -m "$net" -i few.idx -p fashion_mnist -a gradient -o bad.npz
expect 2 'several arrays' fit -m "$net" -i few.idx -p fashion_mnist -a pattern.net -o bad.npy
[ -e bad.npz ] && fail "output was left by a failed fit"

# Within a run: one state for the methods that can share one; used again, and not written over.
golden=$src/tests/golden/patterns
cat >run.yaml <<END
model: $golden/cnn.onnx
input: {path: $golden/cnn.x.npy, samples: 8}
fit: {input: {path: $golden/cnn.x.npy, samples: 40}, batch: 8}
backend: reference
analyzers: [pattern.net, pattern.attribution, {type: pattern.net, as: given, patterns: $golden/cnn.keras.npz}, gradient]
output: {dir: out}
END
expect 0 ': ok' check run.yaml
[ -e out ] && fail "check writes"
expect 0 '4 analyzers' run run.yaml
[ "$(echo out/*.state.npz)" = out/pattern.net.state.npz ] || fail "states: $(ls out)"
expect 0 'already there' run run.yaml
expect 2 'the state of another fit' run run.yaml -s fit.input.samples=48
expect 0 '4 analyzers' run run.yaml -s fit.input.samples=48 --force
expect 2 'fit: input is missing' check run.yaml -s 'fit={batch: 8}'
expect 2 'did you mean samples' check run.yaml -s fit.input.sample=8
sed -i '/^fit:/d' run.yaml
expect 2 'must be fitted first' check run.yaml

# The same pictures as files in a list.
echo "$src/data/chelsea.png,3" >list.csv
expect 1 'a list of lists' predict -m "$net" -i lists.csv -p fashion_mnist < <(echo list.csv >lists.csv)
expect 0 'chelsea.png' predict -m "$src/models/efficientnet_lite0/efficientnet_lite0.onnx" -i list.csv -p efficientnet_lite
echo 'chelsea.png,x' >list.csv
expect 1 'list.csv:1' predict -m "$net" -i list.csv -p fashion_mnist

echo "$failed failed"
[ $failed = 0 ]
