# shellcheck shell=bash disable=SC2154
# LRP: the audit and conservation, relevance at inner layers, and rule lists that do not fit.

nets=$src/tests/golden/lrp/nets
exact='{type: reference, dtype: f64}'
lrp() { # lrp CODE TEXT NET ANALYZER ARGUMENTS...
	local code=$1 text=$2 net=$3 analyzer=$4
	shift 4
	expect "$code" "$text" analyze -m "$nets/$net.onnx" -i "$nets/$net.x.npy" -b "$exact" -a "$analyzer" "$@"
}

# Nothing is lost where there is no bias; z_IB and alpha 1 leave biases out.
for a in lrp.z lrp.z_IB lrp.z_plus lrp.z_plus_fast lrp.alpha_1_beta_0 lrp.gamma deep_taylor '{type: lrp.epsilon, epsilon: 1.0e-9}' \
	'{type: deep_taylor.bounded, low: -5, high: 5}' '{type: lrp.composite, rule: Z, pooling_rule: lrp.proportional}' \
	'{type: lrp.composite, rule: ZPlus, input_layer_rule: Flat}' '{type: lrp.composite, rule: ZPlus, input_layer_rule: WSquare}'; do
	lrp 0 'stabilizer' unbiased "$a" --audit=1e-7 -o out.npy
done
lrp 0 '/a/Conv' blocks lrp.z --audit -o out.npy
lrp 0 '"audit": [{"layer": "' blocks lrp.z --audit --json -o out.npy
lrp 1 'keeps' blocks lrp.z --audit=0.01 -o map.npy
lrp 1 '/head/MatMul (mat_mul) keeps 16.6 % of the relevance; the audit allows 1 %' unbiased '{type: lrp.epsilon, epsilon: 0.1}' --audit=0.01 -o map.npy
lrp 2 'is no share' unbiased lrp.z --audit=much -o out.npy
lrp 2 'is no share' unbiased lrp.z --audit=-1 -o out.npy
lrp 1 'nothing to audit' unbiased gradient --audit -o out.npy

# Relevance at inner layers.
lrp 0 '' unbiased lrp.z --outputs /c/Conv --outputs '/a*/Conv' -o layers.npz
lrp 2 'did you mean /c/Conv' unbiased lrp.z --outputs /c/Cnv -o layers.npz
lrp 2 'holds one array' unbiased lrp.z --outputs /c/Conv -o out.npy
lrp 2 'holds one array' unbiased lrp.z --outputs /c/Conv -o out.png
lrp 1 'passes no relevance from layer to layer' unbiased gradient --outputs /c/Conv -o layers.npz
lrp 1 'in a loop' unbiased '{type: smoothgrad, analyzer: lrp.z}' --outputs /c/Conv -o layers.npz

# Rule lists.
rules() { # rules CODE TEXT ENTRIES [DEFAULT]
	lrp "$1" "$2" blocks "{type: lrp, rules: [$3], default: ${4:-gradient}}" -o out.npy
}
rules 0 '' '{match: {trait: affine}, rule: Epsilon}, {match: {name: "/c/*"}, rule: [-1, 1]}'
rules 2 'no rule matches layer /head/Gemm (gemm)' '{match: {kind: conv}, rule: lrp.z}' null
rules 2 '-a:1:52: error: lrp.alpha_beta: alpha - beta must be 1, not 3 - 1; beta: 2 would do' '{match: {trait: affine}, rule: {type: lrp.alpha_beta, alpha: 3, beta: 1}}'
rules 2 'low 3 is not below high -3' '{match: {trait: affine}, rule: {type: lrp.bounded, low: 3, high: -3}}'
rules 2 'low 2 is not below high 1' '{match: {trait: affine}, rule: {type: lrp.bounded, low: [0, 2], high: 1}}'
rules 2 'low has 3 numbers and high 2' '{match: {trait: affine}, rule: {type: lrp.bounded, low: [0, 1, 2], high: [3, 4]}}'
rules 2 'one number or one for each of 6 channels' '{match: {trait: affine}, rule: {type: lrp.bounded, low: [0, 1], high: 2}}'
rules 2 'low and high are missing' '{match: {position: first, trait: affine}, rule: lrp.bounded}'
rules 2 'no layer is named /a/Cnov; did you mean /a/Conv' '{match: {name: /a/Cnov}, rule: lrp.z}'
rules 2 'no kind of layer is named conf; did you mean conv' '{match: {kind: conf}, rule: lrp.z}'
rules 2 'no trait is named affin; did you mean affine' '{match: {trait: affin}, rule: lrp.z}'
rules 2 'needs layers with trait affine' '{match: {kind: relu}, rule: lrp.z}'
rules 2 'needs layers with trait gate' '{match: {kind: relu}, rule: lrp.gate}'
rules 2 'needs layers with trait max_pool' '{match: {kind: relu}, rule: lrp.proportional}'
rules 2 'needs layers with trait norm' '{match: {kind: relu}, rule: lrp.batch_norm}'
rules 2 'the size of their output' '{match: {kind: conv}, rule: lrp.pass}'
rules 2 'no rule is named Flatt' '{match: {kind: conv}, rule: Flatt}'
rules 2 '{match, rule} is expected' '{match: {kind: conv}}'
rules 2 'outside [1e-12, 1000]' '{match: {kind: conv}, rule: {type: lrp.z, epsilon: 0}}'
rules 2 'zero sign clip rms' '{match: {kind: conv}, rule: {type: lrp.z, stabilizer: big}}'
lrp 2 'alpha - beta must be 1' blocks '{type: lrp.alpha_beta, alpha: 2, beta: 2}' -o out.npy
lrp 2 'rule is missing' blocks lrp.composite -o out.npy
lrp 0 '' blocks '{type: lrp.composite, rule: Epsilon, input_layer_rule: [-3, 3], until_layer_idx: 1, until_layer_rule: Flat}' -o out.npy
lrp 2 'low 3 is not below high -3' blocks '{type: lrp.composite, rule: Epsilon, input_layer_rule: [3, -3]}' -o out.npy
lrp 2 'two numbers' blocks '{type: lrp.composite, rule: Epsilon, input_layer_rule: [1, 2, 3]}' -o out.npy

for word in $(sed -n '/^words:/,/^pairs:/s/^    \([A-Z][A-Za-z0-9]*\):.*/\1/p' "$src/configs/defaults.yaml"); do
	expect 0 ': ok' check -m "$nets/blocks.onnx" -i "$nets/blocks.x.npy" -a "{type: lrp.composite, rule: $word}"
	words=$((${words:-0} + 1))
done
[ "${words:-0}" -ge 19 ] || { echo "FAILED: only ${words:-0} words for rules"; failed=$((failed + 1)); }

# The same in a run: files beside the maps, which count as its results; an audit that finds too much is found again.
cat >run.yaml <<END
model: $nets/unbiased.onnx
input: $nets/unbiased.x.npy
backend: $exact
analyzers: [{type: lrp.epsilon, epsilon: 0.1, as: eps}, lrp.z_plus, gradient]
audit: true
outputs: [/c/Conv, '/a*']
output: {dir: out}
END
expect 0 'audit of eps: the layers that keep most' run run.yaml
for f in eps.npy eps.layers.npz eps.audit.csv lrp.z_plus.layers.npz lrp.z_plus.audit.csv gradient.npy manifest.json; do
	[ -s "out/$f" ] || { echo "FAILED: the run wrote no $f"; failed=$((failed + 1)); }
done
grep -q '^"/head/MatMul",mat_mul,lrp.epsilon,' out/eps.audit.csv || { echo "FAILED: the audit's table"; failed=$((failed + 1)); }
expect 0 'already there' run run.yaml
rm out/eps.layers.npz
expect 0 '3 analyzers' run run.yaml
expect 2 'another run' run run.yaml -s audit=0.5
expect 0 '"audits": {"eps": [{"layer": "' run run.yaml --json --force
rm -r out
expect 1 'eps: layer /head/MatMul (mat_mul) keeps 16.6 %' run run.yaml -s audit=0.01
expect 1 'eps: layer /head/MatMul (mat_mul) keeps 16.6 %' run run.yaml -s audit=0.01
expect 0 '3 analyzers' run run.yaml -s audit=0.5
expect 2 'audit: true, false or the share' check run.yaml -s audit=maybe
expect 2 'no layer is named nothere' check run.yaml -s 'outputs=[nothere]'
rm -r out

# A model with passes of its own.
passes() { expect "$1" "$2" plan -m "$3" -i "$nets/blocks.x.npy" -a lrp.epsilon; }
passes 0 'batch_normalization' "{path: $nets/blocks.onnx, passes: []}"
passes 0 '/bnc/BatchNormalization' "{path: $nets/blocks.onnx, passes: [dense]}"
passes 2 'no pass is named' "{path: $nets/blocks.onnx, passes: [fold]}"
passes 2 '' "{passes: []}"
passes 2 'passses' "{path: $nets/blocks.onnx, passses: []}"
if "$exe" plan -m "$nets/blocks.onnx" -i "$nets/blocks.x.npy" -a lrp.epsilon | grep -q batch_norm; then
	echo "FAILED: by default a batch norm was left"
	failed=$((failed + 1))
fi
