#!/bin/sh
# attest-doctor(7) has every row of the table in found.h, in its order and its words, and no other; and every check.
set -u
header=$top_srcdir/pam_attest/attestctl/found.h checks=$top_srcdir/pam_attest/attestctl/doctor.h page=$top_srcdir/man/attest-doctor.7
want=$(mktemp) have=$(mktemp)
trap 'rm -f "$want" "$have"' EXIT

# X(NAME, "code", SEVERITY, "meaning", "what to do") \
sed -nE 's/^X\([A-Z0-9_]+, *"([a-z0-9-]+)", *([A-Z]+), *"(.*)", "(.*)"\) *\\?$/\1|\2|\3|\4/p' "$header" |
	while IFS='|' read -r code severity meaning fix; do
		printf '.It Li %s Pq %s\n%s.\nDo: %s.\n' "$code" "$(echo "$severity" | tr '[:upper:]' '[:lower:]')" "$meaning" "$fix"
	done >"$want"
awk '/^\.It Li / { n = 3 } n > 0 { print; n-- }' "$page" >"$have"
rows=$(grep -c '^X([A-Z0-9_]*, *"' "$header")
if ! diff "$want" "$have"; then
	echo "attest-doctor.7 and found.h differ (< table, > page)"
	exit 1
fi
[ "$rows" -gt 0 ] && [ "$(grep -c '^\.It Li ' "$have")" = "$rows" ] || { echo "$rows rows in found.h"; exit 1; }
[ "$(sed -nE 's/^\.It Li ([^ ]+) .*/\1/p' "$have" | sort | uniq -d)" = "" ] || { echo "a code twice"; exit 1; }

sed -nE 's/^\tX\(look_[a-z0-9_]+, *"(.*)"\).*/\1/p' "$checks" >"$want"
sed -n '/^\.Bl -bullet/,/^\.El/p' "$page" | grep -v '^\.' >"$have"
if ! diff "$want" "$have"; then
	echo "attest-doctor.7 and doctor.h differ (< table, > page)"
	exit 1
fi
[ -s "$want" ] || { echo "no checks in doctor.h"; exit 1; }
echo "$rows findings, $(wc -l <"$want") checks"
