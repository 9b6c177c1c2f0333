#!/bin/sh
# run.sh BUILD SOURCE: installs, builds a foreign plugin against what was installed, and has the installed command use it; the
# map must equal the epsilon rule's.
set -eu
build=$1
source=$2
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

cmake --install "$build" --prefix "$tmp/usr" >/dev/null
cmake -S "$source/tests/oot" -B "$tmp/b" -G Ninja -DCMAKE_PREFIX_PATH="$tmp/usr" >/dev/null
cmake --build "$tmp/b" >/dev/null
command=$tmp/usr/bin/innvestigate
"$command" check "$tmp/b/plugins/rule/lrp.mine.so"
for rule in lrp.mine lrp.epsilon; do
	"$command" analyze --plugin-dir "$tmp/b/plugins" -b reference -m "$source/tests/golden/nets/cnn.onnx" \
		-i "$source/tests/golden/nets/cnn.x.npy" -o "$tmp/$rule.npy" \
		-a "{type: lrp, rules: [{match: {trait: affine}, rule: {type: $rule, epsilon: 0.01}}], default: gradient}"
done
cmp "$tmp/lrp.mine.npy" "$tmp/lrp.epsilon.npy"
