#!/bin/sh
# Every fuzz target over its seeds. A folder of seeds without a target is a failure, not a skip.
set -u
here=$(dirname "$0")
built=${top_builddir:-.}/tests/fuzz
bad=0 ran=0
for seeds in "$here"/seeds/*/; do
	name=$(basename "$seeds")
	ran=$((ran + 1))
	"$here/run.sh" "$built/fuzz_$name" || { echo "FAILED: fuzz_$name"; bad=1; }
done
echo "$ran fuzz targets"
[ "$ran" -gt 0 ] && [ "$bad" -eq 0 ]
