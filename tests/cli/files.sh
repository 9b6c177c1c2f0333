# shellcheck shell=bash disable=SC2154
# Sourced by run.sh, which sets src, the source folder.
# Files for the cases, good and bad, made on the fly.

# npy FILE DESCR SHAPE: a header of 128 bytes; the data follow on standard input.
npy() {
	local dict="{'descr': '$2', 'fortran_order': False, 'shape': ($3), }"
	{
		printf '\x93NUMPY\x01\x00\x76\x00'
		printf '%-117s\n' "$dict"
		cat
	} >"$1"
}

zeros() { head -c "$1" /dev/zero; }

# flip FILE OFFSET COPY: the byte at OFFSET inverted.
flip() {
	local byte
	cp "$1" "$3"
	byte=$(od -An -tu1 -j "$2" -N 1 "$1")
	# shellcheck disable=SC2059
	printf "\\x$(printf %x $((255 - byte)))" | dd of="$3" bs=1 seek="$2" conv=notrunc status=none
}

config() { # config FILE: standard input, with the paths of the tree filled in
	sed "s|MODEL|$src/models/efficientnet_lite0/efficientnet_lite0.onnx|; s|PICTURE|$src/data/chelsea.png|" >"$1"
}

make_arrays() {
	local n=$((3 * 224 * 224 * 4))
	zeros $n | npy good.npy '<f4' '1, 3, 224, 224'
	{ zeros 400; printf '\0\0\xc0\x7f'; zeros $((n - 404)); } | npy nan.npy '<f4' '1, 3, 224, 224'
	{ zeros 400; printf '\0\0\x80\x7f'; zeros $((n - 404)); } | npy inf.npy '<f4' '1, 3, 224, 224'
	zeros $n | npy rank3.npy '<f4' '3, 224, 224'
	zeros 4800 | npy wrong.npy '<f4' '1, 3, 20, 20'
	zeros 240 | npy cells.npy '<f4' '1, 3, 4, 5'
	zeros 0 | npy none.npy '<f4' '0, 3, 224, 224'
	zeros 100 | npy short.npy '<f4' '1, 3, 224, 224'
	zeros 16 | npy huge.npy '<f4' '4294967295, 4294967295, 4294967295, 4294967295'
	zeros 16 | npy objects.npy '|O' '2,'
	zeros 16 | npy negative.npy '<f4' '-4,'
	head -c 20 good.npy >head.npy
	printf '\x93NUMPY\x07\x00\x76\x00' | cat - /dev/zero | head -c 200 >version.npy
	: >empty.npy
	: >empty.onnx
	: >empty.png
	: >empty.yaml
	head -c 100000 "$src/data/chelsea.png" >cut.png
	head -c 40 "$src/data/chelsea.png" >head.png
	flip "$src/data/chelsea.png" 18 flip.png
	flip "$src/data/chelsea.png" 1 magic.png
	echo hello >text.png
	head -c 1000000 "$src/models/efficientnet_lite0/efficientnet_lite0.onnx" >cut.onnx
	flip "$src/models/efficientnet_lite0/efficientnet_lite0.onnx" 1 flip.onnx
	for i in $(seq 1 1024); do printf '%04d' $((i * 7919 % 10007)); done >noise.onnx
	local external=$src/tests/golden/more/nets/dynamo.onnx
	cp "$external" external.onnx # without the file that it names
	LC_ALL=C sed 's|dynamo\.onnx\.data|../../etc/passwd|' "$external" >climb.onnx
	LC_ALL=C sed 's|dynamo\.onnx\.data|/etc/debian_vers|' "$external" >absolute.onnx
	mkdir -p short && cp "$external" short/ && head -c 100 "$external.data" >short/dynamo.onnx.data
	mkdir -p linked && cp "$external" linked/ && ln -sf "$external.data" linked/dynamo.onnx.data
	for _ in $(seq 1 3000); do printf '\x3a\x7f'; done >nested.onnx
	cp "$src/data/chelsea.png" picture.npy
	mkdir -p folder folder.npy empty_folder locked
	chmod a-w locked
}

make_configs() {
	local good='model: MODEL
input: {path: PICTURE, preprocess: efficientnet_lite}
analyzers: [gradient]
output: {dir: out}'
	config good.yaml <<<"$good"
	config unknown.yaml <<<"$good
colour: red"
	config duplicate.yaml <<<"$good
target: 1
target: 2"
	config key.yaml <<<"${good/gradient/{type: gradient, postproces: abs\}}"
	config choice.yaml <<<"${good/gradient/{type: gradient, postprocess: absolute\}}"
	config range.yaml <<<"${good/gradient/{type: smoothgrad, augment_by_n: 0\}}"
	config type.yaml <<<"${good/gradient/{type: smoothgrad, augment_by_n: many\}}"
	config class.yaml <<<"${good/gradient/gradeint}"
	config twice.yaml <<<"${good/gradient/gradient, gradient}"
	config nothing.yaml <<<"${good/\[gradient\]/[]}"
	config label.yaml <<<"${good/gradient/{type: gradient, as: ../../x\}}"
	config nomodel.yaml <<<"${good/model: MODEL/}"
	config noinput.yaml <<<"${good/input:*efficientnet_lite\}/}"
	config nodir.yaml <<<"${good/dir: out/}"
	config maps.yaml <<<"${good/dir: out/dir: out, maps: docx}"
	config sheet.yaml <<<"${good/dir: out/dir: out, sheet: a.docx}"
	config pre.yaml <<<"${good/efficientnet_lite\}/nosuch\}}"
	config inputkey.yaml <<<"${good/preprocess/preproces}"
	config target.yaml <<<"$good
target: best"
	config memory.yaml <<<"$good
memory: lots"
	config batch.yaml <<<"$good
batch: -2"
	config backend.yaml <<<"$good
backend: abacus"
	config metric.yaml <<<"$good
metrics:
  - aopc
  - {type: aopc, as: other, fill: zeroes}"
	config metric_row.yaml <<<"$good
metrics:
  - {type: insertion, step: 5}"
	cat >steep.yaml <<END
model: $src/tests/golden/metrics/root.onnx
input: cells.npy
analyzers: [gradient]
metrics: [{type: aopc, region_shape: 1}]
output: {dir: steep, maps: none}
END
	mkdir -p parts
	echo 'input: {path: nowhere.png, preprocess: efficientnet_lite}' >parts/input.yaml
	config parts/rest.yaml <<<'include: input.yaml
model: MODEL
analyzers: [gradeint]
output: {dir: out, maps: none}'
	config include.yaml <<<'include: [parts/input.yaml, parts/rest.yaml]
analyzers: [gradient]
input: {path: PICTURE}'
	echo 'include: loop2.yaml' >loop.yaml
	echo 'include: [loop.yaml]' >loop2.yaml
	echo 'include: {a: b}' >include_map.yaml
	config include_list.yaml <<<"include: list.yaml
$good"
	config lost.yaml <<<"${good/MODEL/nowhere.onnx}"
	config cycle.yaml <<<'a: &x [*x]'
	{
		echo 'a0: &a0 [x,x,x,x,x,x,x,x,x,x]'
		for i in $(seq 1 9); do
			p="*a$((i - 1))"
			echo "a$i: &a$i [$p,$p,$p,$p,$p,$p,$p,$p,$p,$p]"
		done
	} >bomb.yaml
	{ for _ in $(seq 1 5000); do printf '['; done; } >deep.yaml
	printf 'a: "unclosed\n' >quote.yaml
	printf 'a: 1\n---\nb: 2\n' >second.yaml
	printf '\x00\x01\x02' >binary.yaml
	echo '- 1' >list.yaml
	zeros 2000000 | tr '\0' '#' >large.yaml
}

make_files() {
	make_arrays
	make_configs
	echo '1, x' >words.txt
	echo 'not a plugin' >plugin.so
	: >empty.so
}
