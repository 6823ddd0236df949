#!/bin/sh
# Every header compiles alone, with no more in sight than its folder may include.
set -u
cd "$top_srcdir" || exit 1
passed=0 failed=0
base=-Icommon/base
proto="$base -Icommon/proto"
policy="$proto -Ipolicy"

alone() {  # <include flags> <header>...
	flags=$1; shift
	for h in "$@"; do
		[ -e "$h" ] || continue
		# shellcheck disable=SC2086  # lists of words
		if echo "#include \"$(basename "$h")\"" | $CC -D_GNU_SOURCE -Wall -Wextra -Werror -fsyntax-only \
		    $flags -I"$(dirname "$h")" $TREE_CFLAGS -x c -; then
			passed=$((passed + 1))
		else
			echo "does not compile alone: $h"
			failed=$((failed + 1))
		fi
	done
}
alone "$base" common/base/*.h common/sandbox/*.h pam_attest/gate/*.h
alone "$proto" common/proto/*.h pam_attest/attestd/*.h
alone "$policy" policy/*.h verifierd/*.h
alone "$proto -Ipam_attest/gate" pam_attest/attestctl/*.h
alone "$policy -Iverifierd" verifierd/verifierctl/*.h
echo "$passed passed, $failed failed"
[ $failed = 0 ] && [ $passed -gt 20 ]
