#!/bin/bash
# oclgrind.sh PROGRAM PLUGINS KERNELS [NAME...]: the conformance program (conform_watched) under oclgrind, whole or the operations
# of these names: no invalid access, no data race, no use of what was never written; as a whole, every kernel of the folder KERNELS
# is launched. Before that, broken kernels must be found. oclgrind exits with 0 whatever it finds, so its log is read.
set -u
program=$1 plugins=$2 kernels=$3
shift 3
command -v oclgrind > /dev/null || { echo "skipped: no oclgrind"; exit 77; }
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
export INNVESTIGATE_CACHE=$dir/cache
bad=0

watched() { # [NAME...]: its words to out, oclgrind's to log
	oclgrind --data-races --uninitialized --max-errors 50 --build-options -DAPART --log "$dir/log" \
		"$program" '{type: opencl, gemm: own}' "$plugins" "$@" > "$dir/out" 2>&1
}

# A kernel that is broken: by WATCH_BREAK, and what the log must say.
broken() {
	rm -rf "$INNVESTIGATE_CACHE" # a program's file is named by the text as it was
	WATCH_BREAK=$1 watched permute
	grep -q '^broken: ' "$dir/out" && grep -q "$2" "$dir/log" && return
	echo "not found: $1"
	bad=1
}
broken 'y[j * ds] = x[j * ss]; => y[j * ds + (1 << 28)] = x[j * ss];' '^Invalid write of size 4 at global memory'
broken 'y[j * ds] = x[j * ss]; => y[j * ds] = x[j * ss - (1 << 28)];' '^Invalid read of size 4 at global memory'
broken 'y += k * m.ds[d]; => ;' '^Write-write data race at global memory'
broken 'y[j * ds] = x[j * ss]; => if (j) y[j * ds] = x[j * ss];' '^Uninitialized value'
rm -rf "$INNVESTIGATE_CACHE"

part() { # NAME...: so few that oclgrind, which never gets a buffer back, stays quick
	watched "$@"
	tail -1 "$dir/out" | grep -q '^[1-9][0-9]* passed, 0 failed$' || { echo "$*: $(tail -3 "$dir/out")"; bad=1; }
	grep '^kernel ' "$dir/out" >> "$dir/launched"
	[ ! -s "$dir/log" ] || { echo "$*: $(head -40 "$dir/log")"; bad=1; }
	: > "$dir/log"
}
whole=
if [ $# -eq 0 ]; then
	whole=yes
	watched '?'
	mapfile -t names < <(sed -n 's/^name //p' "$dir/out" | sort -u)
	set -- "${names[@]}"
	: > "$dir/log"
fi
total=$#
while [ $# -gt 0 ]; do
	[ -z "$whole" ] || echo "$((total - $#)) of $total, $1 and on"
	part "${@:1:4}"
	shift $(($# < 4 ? $# : 4))
done
for kernel in ${whole:+$(sed -n 's/^__kernel void \([a-z_0-9]*\)(.*/\1/p' "$kernels"/*.cl)}; do
	grep -qx "kernel $kernel" "$dir/launched" || { echo "never launched: $kernel"; bad=1; }
done
echo "$(sort -u "$dir/launched" | wc -l) kernels"
exit $bad
