#!/bin/bash
# Runs a fuzz target once on every file of its corpus. Usage: replay.sh <fuzz_X> <corpus.tar.gz>
set -eu
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
tar -xzf "$2" -C "$tmp"
find "$tmp" -type f -print0 | xargs -0 "$1"
