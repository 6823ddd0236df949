#!/bin/bash
# What tests in shell count with, counts: where a word was missing they would all pass.
set -u
failed=0
# counts <what> <passed> <failed> SCRIPT: what tests/shell.sh says after it
counts() {
	local got
	got=$(bash -c 'set -u; . "$1/tests/shell.sh"; eval "$2" >/dev/null; echo "$passed $failed"' - "$top_srcdir" "$4" 2>&1)
	[ "$got" = "$2 $3" ] || { echo "$1: '$got', wanted '$2 $3'"; failed=1; }
}
counts "nothing yet" 0 0 :
counts "is, the same" 1 0 'is a b b'
counts "is, not the same" 0 1 'is a b c'
counts "is, a number" 1 0 'false; is a $? 1'
counts "wait_for, at once" 1 0 'wait_for 5 true; is a $? 0'
counts "wait_for, in vain" 1 0 'wait_for 0 false; is a $? 1'
bash -c '. "$1/tests/shell.sh"; needs no-such-program; exit 0' - "$top_srcdir" >/dev/null; [ $? = 77 ] || { echo "needs, in vain: goes on"; failed=1; }
bash -c '. "$1/tests/shell.sh"; needs sh; exit 3' - "$top_srcdir"; [ $? = 3 ] || { echo "needs: does not go on"; failed=1; }
# Each test that counts ends in what failed.
for f in "$top_srcdir"/tests/*/*.sh; do
	case $f in */lab.sh | */bench/* | */soak/*) continue ;; esac
	grep -qE '^\. .*/(shell|lab)\.sh' "$f" && ! grep -qF 'failed = 0' "$f" && { echo "${f#"$top_srcdir"/} does not end in what failed"; failed=1; }
done
exit $failed
