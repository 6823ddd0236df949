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
echo "$rows reasons"
