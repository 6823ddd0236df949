#!/bin/sh
# A fuzz target over its seeds: run.sh TARGET. The seeds' folder has the target's name.
set -eu
here=$(dirname "$0")
name=$(basename "$1" | sed 's/^fuzz_//')
exec "$1" "$here/seeds/$name"
