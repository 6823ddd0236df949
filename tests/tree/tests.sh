#!/bin/bash
# Tests in shell can fail: what they share counts what is wrong, and each one's last word is what it counted.
set -u
. "$top_srcdir/tests/shell.sh"
ours=0
bad() { echo "NOT OK: $1"; ours=$((ours + 1)); }

is "the same" a a
[ "$passed $failed" = "1 0" ] || bad "is: $passed passed, $failed failed of two words that are the same"
is "not the same" a b >/dev/null
[ "$passed $failed" = "1 1" ] || bad "is: $passed passed, $failed failed after two words that are not the same"
wait_for 1 true || bad "wait_for: what is true is not waited for"
! wait_for 0 false || bad "wait_for: what is false comes true"
(needs no-such-program >/dev/null); [ $? = 77 ] || bad "needs: a program that is not there"
(needs sh) || bad "needs: a program that is there"

while read -r file; do
	tail -n 1 "$file" | grep -qE '^\[ \$failed = 0 \]|^exit \$failed$' || bad "$file: ends well, whatever failed"
done < <(cd "$top_srcdir" && grep -rlE '^\. .*tests/shell\.sh|^passed=0 failed=0' --include='*.sh' tests |
	grep -vxE 'tests/(shell|json|integration/lab)\.sh' | sed "s|^|$top_srcdir/|")
failed=$ours
[ $failed = 0 ]
