#!/bin/bash
# The figures can still be taken: one round of each. What it says here means nothing; see `make bench`.
set -u
for program in bench_gate bench_ima bench_log bench_server; do
	[ -x "$top_builddir/tests/bench/$program" ] || { echo "SKIP: $program is not built here"; exit 77; }
	CK_VERBOSITY=silent "$top_builddir/tests/bench/$program" 1 || exit 1
done
