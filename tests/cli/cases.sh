# shellcheck shell=bash disable=SC2154
# The table of cases: code, text, command.

# The command line.
expect 0 'innvestigate 1.' --version
expect 0 'analyze' --help
expect 0 '--preprocess' analyze --help
expect 0 'gradient' list analyzer
expect 0 '"schema": 1' list --json
expect 0 'epsilon' help lrp.epsilon
expect 2 'innvestigate COMMAND --help'
expect 2 'did you mean analyze' anlyze
expect 2 'unknown option --colour' list --colour
expect 2 'unknown option -z' list -z
expect 2 'needs a value' analyze -m
expect 2 'no option of list' list -m x
expect 2 'what is extra for' list analyzer extra
expect 2 'did you mean analyzer' list analyser
expect 2 'did you mean gradient' help gradeint
expect 0 'imagenet.torch' list preprocess
expect 2 'did you mean imagenet.torch?' analyze -m "$model" -i good.npy -a gradient -p imagenet_torch -o out.npy
expect 2 '-m MODEL' analyze
expect 2 '-i INPUT' predict -m "$model"
expect 2 'no positive number' predict -m "$model" -i good.npy -k 0
expect 2 'no positive number' analyze -m "$model" -i good.npy -a gradient -o out.npy --batch x
expect 2 'a configuration file' run
expect 2 '' analyze -m "$model" -i good.npy -a gradeint -o out.npy
expect 2 '' analyze -m "$model" -i good.npy -a '{type: gradient, colour: 1}' -o out.npy
expect 2 '' analyze -m "$model" -i good.npy -a '{type: gradient' -o out.npy
expect 2 'cannot be written' analyze -m "$model" -i good.npy -a gradient -o out.docx
expect 2 'target' analyze -m "$model" -i good.npy -a gradient -t best -o out.npy
expect 2 'outputs 0 to 999' analyze -m "$model" -i good.npy -a gradient -t 1000 -o out.npy
expect 2 'indices for 1 samples' analyze -m "$model" -i good.npy -a gradient -t 1,2 -o out.npy
expect 2 'target' analyze -m "$model" -i good.npy -a gradient -t @words.txt -o out.npy
expect 2 'cannot open' analyze -m "$model" -i good.npy -a gradient -t @nowhere -o out.npy
expect 2 'abacus' analyze -m "$model" -i good.npy -a gradient -b abacus -o out.npy
expect 2 'no nosuch.yaml' predict -m "$model" -i "$picture" -p nosuch
expect 2 'say how the network wants it' predict -m "$model" -i "$picture"

# Networks.
expect 1 'cannot open' predict -m nowhere.onnx -i good.npy
expect 1 'is empty' predict -m empty.onnx -i good.npy
expect 1 'cannot be opened inside' predict -m external.onnx -i good.npy
expect 1 'cannot be opened inside' predict -m climb.onnx -i good.npy
expect 1 'relative to the model' predict -m absolute.onnx -i good.npy
expect 1 'ends before' predict -m short/dynamo.onnx -i good.npy
expect 1 'cannot be opened inside' predict -m linked/dynamo.onnx -i good.npy
expect 1 'not a regular file' predict -m folder -i good.npy
expect 1 '' predict -m cut.onnx -i good.npy
expect 1 '' predict -m flip.onnx -i good.npy
expect 1 '' predict -m noise.onnx -i good.npy
expect 1 '' predict -m nested.onnx -i good.npy
expect 1 'hold no network' predict -m good.npy -i good.npy

# Arrays and pictures.
expect 1 'cannot open' predict -m "$model" -i nowhere.npy
expect 1 'is empty' predict -m "$model" -i empty.npy
expect 1 'not finite' predict -m "$model" -i nan.npy
expect 1 'not finite' analyze -m "$model" -i inf.npy -a gradient -o out.npy
expect 1 'has shape [3,224,224]' predict -m "$model" -i rank3.npy
expect 1 'has shape [1,3,20,20]' predict -m "$model" -i wrong.npy
for f in none short huge objects negative head version; do
	expect 1 '' analyze -m "$model" -i $f.npy -a gradient -o out.npy
done
expect 1 'has no files' predict -m "$model" -i empty_folder -p efficientnet_lite
expect 1 'nothing matches' predict -m "$model" -i 'nowhere*.png' -p efficientnet_lite
for f in empty cut head flip magic text; do
	expect 1 '' analyze -m "$model" -i $f.png -p efficientnet_lite -a gradient -o out.npy
done
expect 0 '281' predict -m "$model" -i picture.npy -p efficientnet_lite

# Inputs by name are taken as declared: integers as constants, each with axes of its own. Sizes that a model leaves free come from the array.
nets=$src/tests/cli/nets
zeros 48 | npy a.npy '<f4' '3, 4'
zeros 24 | npy b.npy '<f4' '2, 3'
printf '\6\0\0\0\0\0\0\0\2\0\0\0\0\0\0\0' | npy shape.npy '<i8' '2,'
printf '\5\0\0\0\0\0\0\0\2\0\0\0\0\0\0\0' | npy misfit.npy '<i8' '2,'
zeros 8 | npy narrow.npy '<i4' '2,'
expect 0 '' predict -m "$nets/named.onnx" -i a=a.npy -i b=b.npy -i shape=shape.npy -o out.npz
expect 0 '' predict -m "$nets/named.onnx" -i a=a.npy -i b=b.npy -i shape=shape.npy -o out.npy
expect 1 'does not fit' predict -m "$nets/named.onnx" -i a=a.npy -i b=b.npy -i shape=misfit.npy -o out.npy
expect 1 'is int32, the model declares int64' predict -m "$nets/named.onnx" -i a=a.npy -i b=b.npy -i shape=narrow.npy -o out.npy
expect 1 'not what the model declares' predict -m "$nets/named.onnx" -i a=b.npy -i b=b.npy -i shape=shape.npy -o out.npy
expect 1 'input b is not given' predict -m "$nets/named.onnx" -i a=a.npy -i shape=shape.npy -o out.npy
expect 2 'taken whole' predict -m "$nets/named.onnx" -i a=a.npy -i b=b.npy -i shape=shape.npy --batch 2 -o out.npy
zeros 40 | npy plane.npy '<f4' '1, 1, 2, 5'
expect 0 '' predict -m "$nets/free.onnx" -i plane.npy -o out.npy
expect 0 '' analyze -m "$nets/free.onnx" -i plane.npy -a gradient -o out.npy
expect 1 'no array says it' plan -m "$nets/free.onnx" -a gradient
zeros 24 | npy two.npy '<f4' '2, 3'
expect 1 'mixes the samples' predict -m "$nets/mixes.onnx" -i two.npy -o out.npy
expect 0 '' predict -m "$nets/mixes.onnx" -i x=two.npy -o out.npy
expect 1 'No such file' analyze -m "$model" -i good.npy -a gradient -o nowhere/out.npy
expect 1 'cannot write' analyze -m "$model" -i good.npy -a gradient -o /proc/out.npy
if [ "$(id -u)" != 0 ]; then
	expect 1 'cannot write' analyze -m "$model" -i good.npy -a gradient -o locked/out.npy
fi
expect 1 'it is a folder' predict -m "$model" -i good.npy -o folder.npy

# Limits: each refuses by its name, and lets through what is just within it.
golden=$src/tests/golden/nets
limited() { # limited KEY LIMIT TEXT ARGUMENTS...: refused with LIMIT, not with one more
	local key=$1 limit=$2 text=$3
	shift 3
	expect 1 "$text" "$@" --limits "{$key: $limit}"
	expect 1 "limits.$key" "$@" --limits "{$key: $limit}"
	expect 0 '' "$@" --limits "{$key: $((limit + 1))}"
}
mlp=(predict -m "$golden/mlp.onnx" -i "$golden/mlp.x.npy" -b reference)
limited model_bytes $(($(stat -c %s "$golden/mlp.onnx") - 1)) 'bytes of the model' "${mlp[@]}"
limited nodes 4 'nodes of the network: 5' "${mlp[@]}"
limited pixels 135299 'pixels of the picture: 135300' analyze -m "$model" -i "$src/data/chelsea.png" -p efficientnet_lite -a input -b reference -o out.npy
expect 1 'bytes of the picture: 405900; limits.unpacked allows 1000' predict -m "$model" -i "$nets/flat.png" -p efficientnet_lite --limits '{unpacked: 1000}'
expect 1 'limits.elements' "${mlp[@]}" --limits '{elements: 3}'
expect 1 'limits.constants' check -m "$nets/unfolds.onnx" -a gradient --limits '{constants: 100}'
expect 0 ': ok' check -m "$nets/unfolds.onnx" -a gradient
expect 2 'did you mean nodes' "${mlp[@]}" --limits '{node: 3}'
expect 2 'outside' "${mlp[@]}" --limits '{nodes: 0}'
expect 2 'limits' "${mlp[@]}" --limits 'nodes'
expect 1 'limits.nodes allows 3' check good.yaml -s 'limits={nodes: 3}'
expect 0 ': ok' check good.yaml -s 'limits={nodes: 3}' --limits '{nodes: 100000}'

# Configurations.
expect 2 'cannot be opened' run nowhere.yaml
for f in empty cycle bomb deep quote second binary list large; do
	expect 2 "$f.yaml" check $f.yaml
done
expect 2 'colour' check unknown.yaml
expect 2 'target' check duplicate.yaml
expect 2 'postprocess' check key.yaml
expect 2 'absolute' check choice.yaml
expect 2 'augment_by_n' check range.yaml
expect 2 'augment_by_n' check type.yaml
expect 2 'gradeint' check class.yaml
expect 2 'stands here twice' check twice.yaml
expect 2 'at least one' check nothing.yaml
expect 2 'no file name' check label.yaml
expect 2 'model: is missing' check nomodel.yaml
expect 2 'input: is missing' check noinput.yaml
expect 2 'dir' check nodir.yaml
expect 2 'cannot be written' check maps.yaml
expect 2 'cannot be written' check sheet.yaml
expect 2 'no nosuch.yaml' check pre.yaml
expect 2 'did you mean preprocess' check inputkey.yaml
expect 2 'best' check target.yaml
expect 2 'lots' check memory.yaml
expect 2 'batch' check batch.yaml
expect 2 'abacus' check backend.yaml
expect 1 'cannot open' check lost.yaml
expect 2 '' check good.yaml -s analyzers.9.type=gradient
expect 2 '' check good.yaml -s nonsense
expect 2 'colour' check good.yaml -s colour=red
expect 0 ': ok' check good.yaml

# Metrics.
expect 2 'metric.yaml:7:35: error: no fill is named zeroes; did you mean zeros' check metric.yaml
expect 2 'did you mean steps' check metric_row.yaml
expect 2 'no metric is named insertoin; did you mean insertion' check good.yaml -s 'metrics=[insertoin]'
expect 2 'stands here twice' check good.yaml -s 'metrics=[aopc, {type: aopc, steps: 2}]'
expect 0 ': ok' check good.yaml -s 'metrics=[aopc, {type: aopc, as: b, steps: 2}]'
expect 2 'has no parameter head' check good.yaml -s 'metrics=[{type: aopc, head: one}]'
expect 2 'no file name' check good.yaml -s 'metrics=[{type: aopc, as: a/b}]'
expect 2 'region_shape' check good.yaml -s 'metrics=[{type: aopc, region_shape: 0}]'
expect 2 'region_shape has 3 numbers' check good.yaml -s 'metrics=[{type: aopc, region_shape: [1, 2, 3]}]'
expect 2 'value_range' check good.yaml -s 'metrics=[{type: aopc, value_range: [1, 0]}]'
expect 2 'needs regions_per_step' check good.yaml -s 'metrics=[{type: aopc, steps: 0}]'
expect 2 'needs regions_per_step' check good.yaml -s 'metrics=[{type: aopc, first_step: 1}]'
expect 2 'fill is missing' check good.yaml -s 'metrics=[{type: aopc, fill: null}]'
expect 2 'mean is missing' check good.yaml -s 'metrics=[{type: aopc, fill: dataset_mean}]'
expect 2 'is above high' check good.yaml -s 'metrics=[{type: aopc, fill: {type: uniform, low: 1, high: 0}}]'
expect 1 'does not fit' check good.yaml -s 'metrics=[{type: aopc, fill: {type: dataset_mean, mean: wrong.npy}}]'
expect 2 'no meaning' check good.yaml -s 'metrics=[{type: insertion, recompute_analysis: true}]'
expect 2 'one target a sample' check good.yaml -s 'metrics=[aopc]' -s target=all
expect 2 'in output.plots' check good.yaml -s 'metrics=[aopc]' -s output.plots=docx
expect 1 'not finite' run steep.yaml
expect 0 'the control' run steep.yaml -s nonfinite=keep
expect 0 'regions_per_step' help aopc
expect 0 'pixel_flipping' list metric
expect 0 'dataset_mean' list fill

expect 2 'input.samples' check good.yaml -s input.samples=-1
expect 2 'control is called' check good.yaml -s 'metrics=[aopc]' -s 'analyzers=[{type: gradient, as: random}]'

if [ -e /usr/share/datasets/fashion-mnist ]; then
	expect 0 ': ok' check "$src/configs/examples/perturbation.yaml"
	expect 0 ': ok' check "$src/configs/examples/fashion.yaml"
fi

# Files that include others.
expect 0 ': ok' check include.yaml
expect 2 'parts/rest.yaml:3:13: error: no analyzer is named gradeint' check parts/rest.yaml
expect 0 ': ok' check good.yaml -s include=parts/rest.yaml
expect 2 'includes itself' check loop.yaml
expect 2 'path of a file' check include_map.yaml
expect 2 'list.yaml:1:1: error: an included file is a mapping' check include_list.yaml
expect 2 'cannot be opened' check good.yaml -s include=nowhere.yaml

# Plugins.
expect 3 'plugin.so' check plugin.so
expect 3 'empty.so' check empty.so
expect 3 '' check nowhere.so
