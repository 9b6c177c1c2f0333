#!/bin/bash
# tune.sh INNVESTIGATE SOURCES INJECT PLUGINS: `tune` with tuners of ours on the path, which write what CLBlast's write, and what it stores in use.
set -u
exe=$1 src=$2 inject=$3 plugins=$4
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir" || exit 1
export XDG_DATA_HOME=$dir/data XDG_CACHE_HOME=$dir/cache TMPDIR=$dir/tmp HOME=$dir
unset INNVESTIGATE_CACHE INNVESTIGATE_BACKEND
mkdir bin tmp
bad=0

# expect CODE TEXT COMMAND...: the exit code, and a part of what it says.
expect() {
	local code=$1 text=$2 said got
	shift 2
	said=$("$@" 2>&1)
	got=$?
	if [ $got != "$code" ] || [[ $said != *"$text"* ]]; then
		echo "$*: exit code $got, not $code with '$text': $said"
		bad=1
	fi
}

tuner() { # PROGRAM SLOWER FASTER
	cat > "bin/clblast_tuner_$1" <<-END
		#!/bin/bash
		[[ "\$*" == "-platform "*" -device "*" -precision 32" ]] || exit 1
		cat > clblast_$1_32.json <<'RESULTS'
		{
		  "kernel_family": "$1",
		  "results": [
		    {
		      "kernel": "$1",
		      "time": 2.500,
		      "parameters": {$2,"PRECISION": 32}
		    },
		    {
		      "kernel": "$1",
		      "time": 1.250,
		      "parameters": {$3,"PRECISION": 32}
		    }
		  ]
		}
		RESULTS
		echo a table
	END
	chmod +x "bin/clblast_tuner_$1"
}

"$exe" devices -b opencl > devices.txt 2>&1
if ! grep -q '^ *[*] 0 ' devices.txt; then
	echo "skipped: no OpenCL device"
	exit 77
fi
tune=("$exe" tune -b opencl)
PATH=$dir/empty expect 3 'package clblast-utils' "${tune[@]}"
export PATH=$dir/bin:/usr/bin:/bin
tuner copy_fast '"COPY_DIMX": 16,"COPY_DIMY": 8,"COPY_VW": 4,"COPY_WPT": 1' '"COPY_DIMX": 8,"COPY_DIMY": 8,"COPY_VW": 1,"COPY_WPT": 1'
tuner copy_pad '"PAD_DIMX": 16,"PAD_DIMY": 8,"PAD_WPTX": 1,"PAD_WPTY": 1' '"PAD_DIMX": 8,"PAD_DIMY": 8,"PAD_WPTX": 1,"PAD_WPTY": 1'
tuner transpose_fast '"TRA_DIM": 8,"TRA_PAD": 1,"TRA_SHUFFLE": 0,"TRA_WPT": 1' '"TRA_DIM": 4,"TRA_PAD": 0,"TRA_SHUFFLE": 0,"TRA_WPT": 1'
tuner transpose_pad '"PADTRA_PAD": 1,"PADTRA_TILE": 8,"PADTRA_WPT": 1' '"PADTRA_PAD": 0,"PADTRA_TILE": 8,"PADTRA_WPT": 1'
direct='"KWID": 2,"MDIMAD": 8,"MDIMCD": 8,"NDIMBD": 8,"NDIMCD": 8,"PADA": 1,"PADB": 1,"VWMD": 1,"VWND": 1'
tuner xgemm_direct "$direct,\"WGD\": 16" "$direct,\"WGD\": 8"
gemm='"GEMMK": 0,"KREG": 1,"KWI": 2,"MDIMA": 8,"MDIMC": 8,"MWG": 16,"NDIMB": 8,"NDIMC": 8,"NWG": 16,"SA": 0,"SB": 0,"STRM": 0,"STRN": 0,"VWM": 1,"VWN": 1'
tuner xgemm "$gemm,\"KWG\": 32" "$gemm,\"KWG\": 16"

# A tuner that ends early, and one that finds nothing: nothing is stored, nothing is left.
printf '#!/bin/sh\nexit 1\n' > bin/good && mv bin/clblast_tuner_copy_pad bin/saved && mv bin/good bin/clblast_tuner_copy_pad && chmod +x bin/clblast_tuner_copy_pad
expect 1 'clblast_tuner_copy_pad failed' "${tune[@]}"
printf '#!/bin/sh\n' > bin/clblast_tuner_copy_pad
expect 1 'measured nothing' "${tune[@]}"
[ -z "$(find data tmp -type f)" ] || { echo "left behind: $(find data tmp -type f)"; bad=1; }
mv bin/saved bin/clblast_tuner_copy_pad

expect 0 'taken wherever CLBlast computes' "${tune[@]}"
stored=$(find data -name '*.clblast')
grep -qx 'Copy COPY_DIMX=8 COPY_DIMY=8 COPY_VW=1 COPY_WPT=1' "$stored" && grep -q 'XgemmDirect .*WGD=8' "$stored" && [ "$(wc -l < "$stored")" = 6 ] || {
	echo "stored: $(cat "$stored")"
	bad=1
}
[ -z "$(ls tmp)" ] || { echo "left behind: $(ls tmp)"; bad=1; }

# The stored sets are used, and the numbers stay: against the reference. A set without one of its keys is refused, with the file's name.
analyze=("$exe" analyze -m "$src/tests/golden/nets/mlp.onnx" -i x.npy -a gradient --quiet)
{
	printf '\223NUMPY\1\0\166\0%-117s\n' "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 10), }"
	for _ in 1 2 3 4 5 6 7 8 9 10; do printf '\0\0\200\77\0\0\0\100'; done
} > x.npy
expect 0 '' "${analyze[@]}" -b '{type: opencl, gemm: clblast}' -o map.npy
expect 0 ' 0 wrongly' "$inject" "$src/tests/golden/nets/mlp.onnx" "$plugins" '{type: opencl, gemm: clblast}' # each call fails, those that apply the sets too
sed -i 's/ WGD=8//' "$stored"
expect 1 "$stored: CLBlast refuses the parameters of XgemmDirect, which are incomplete (-2047)" "${analyze[@]}" -b '{type: opencl, gemm: clblast}' -o map.npy
expect 0 '' "${analyze[@]}" -b '{type: opencl, gemm: own}' -o map.npy
sed -i 's/^Copy .*/Copy WPT/' "$stored"
expect 1 'no KEY=VALUE: WPT' "${analyze[@]}" -b '{type: opencl, gemm: clblast}' -o map.npy
exit $bad
