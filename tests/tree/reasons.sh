#!/bin/sh
# attest-reasons(7) has every row of the table in reason.h, in its order and its words, and no other.
set -u
header=$top_srcdir/common/base/reason.h page=$top_srcdir/man/attest-reasons.7
want=$(mktemp) have=$(mktemp)
trap 'rm -f "$want" "$have"' EXIT

# X(NAME, "code", STATE, "meaning", "next") \
sed -nE 's/^X\([A-Z0-9_]+, *"([a-z-]+)", *([A-Z]+), *"(.*)", "(.*)"\) *\\?$/\1|\2|\3|\4/p' "$header" |
	while IFS='|' read -r code state meaning next; do
		printf '.It Li %s Pq %s\n%s.\nTo do: %s.\n' "$code" \
		    "$(echo "$state" | tr '[:upper:]' '[:lower:]')" "$meaning" "$next"
	done >"$want"
awk '/^\.It Li / { n = 3 } n > 0 { print; n-- }' "$page" >"$have"

rows=$(grep -c '^X([A-Z0-9_]*, *"[a-z-]*", *[A-Z]*, ' "$header")
if ! diff "$want" "$have"; then
	echo "attest-reasons.7 and reason.h differ (< table, > page)"
	exit 1
fi
[ "$rows" -gt 0 ] && [ "$(grep -c '^\.It Li ' "$have")" = "$rows" ] || { echo "$rows rows in reason.h"; exit 1; }

# The table of claims.h stands there too: code, claim, value, in its order.
awk '
	FILENAME ~ /reason\.h$/ && match($0, /^X\([A-Z0-9_]+, *"[a-z0-9-]+"/) { split($0, f, /[(,"]+ */); code[f[2]] = f[4] }
	FILENAME ~ /verdict\.h$/ && $1 ~ /^TRUST_/ && $2 == "=" { value[$1] = $3 + 0 }
	FILENAME ~ /claims\.h$/ && match($0, /^\tX\([A-Z0-9_]+, *[A-Z_]+, *[A-Z_]+\)/) {
		split($0, f, /[(),]+ */); claim = tolower(f[3]); gsub("_", "-", claim)
		print code[f[2]] "|" claim "|" value[f[4]] }
' "$header" "$top_srcdir/policy/verdict.h" "$top_srcdir/policy/claims.h" >"$want"
sed -nE 's/^\.It Cm ([a-z0-9-]+) Ta ([a-z-]+) Ta ([0-9]+)$/\1|\2|\3/p' "$page" >"$have"
if ! diff "$want" "$have"; then
	echo "attest-reasons.7 and claims.h differ (< table, > page)"
	exit 1
fi
moves=$(grep -c '^	X(' "$top_srcdir/policy/claims.h")
[ "$moves" -gt 0 ] && [ "$(wc -l <"$have")" = "$moves" ] || { echo "$moves rows in claims.h"; exit 1; }
echo "$rows reasons, $moves claims"
