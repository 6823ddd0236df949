#!/bin/sh
# Every program and file format has a man page, every page is clean, and pages and programs say the same.
set -u
passed=0 failed=0
note() { echo "$1"; failed=$((failed + 1)); }

# attest(7) names every page, and whatever of ours a page refers to is there.
here=$(cd "$top_srcdir/man" && ls ./*.[1578] | sed 's,^\./,,')
for p in $here; do
	if [ "$p" = attest.7 ] || grep -qE "\.It .*Xr ${p%.*} ${p##*.}|^\.Xr ${p%.*} ${p##*.}" "$top_srcdir/man/attest.7"; then
		passed=$((passed + 1))
	else
		note "attest.7 does not name $p"
	fi
done
for p in $(sed -nE 's/.*Xr ((pam_|libnss_)?attest[a-z.-]*|gate\.conf|verifier[a-z.]+) ([0-9]).*/\1.\3/p' "$top_srcdir"/man/*.[1578] | sort -u); do
	if [ -e "$top_srcdir/man/$p" ]; then passed=$((passed + 1)); else note "no page: $p"; fi
done
[ "$(echo "$here" | wc -l)" -gt 20 ] || note "few pages"
if command -v mandoc >/dev/null; then
	for f in "$top_srcdir"/man/*.[1578]; do
		if out=$(mandoc -Tlint -W warning "$f"); then
			passed=$((passed + 1))
		else
			note "$out"
		fi
	done
fi

# said <program> <page>: each command and option of --help is in the page.
said() {
	program=$(find "$top_builddir" -type f -name "$1" -perm -100 | head -n 1)
	help=$("${program:-false}" --help 2>&1) || { note "$1 --help failed"; return; }
	words=$(printf '%s\n' "$help" | sed -nE 's/^  ([a-z][a-z-]*)( .*|$)/\1/p; s/^ *(-[a-zA-Z]|--[a-z0-9-]+)[ ,].*/\1/p')
	[ -n "$words" ] || note "$1 --help lists nothing"
	all_in "$2" "$words"
}
# all_in <page> <words>
all_in() {
	for w in $2; do
		pattern=$(printf '%s' "$w" | sed 's/^-*//; s/-/(\\\\-|-)/g')
		if grep -qE -- "$pattern" "$top_srcdir/man/$1"; then passed=$((passed + 1)); else note "$1 lacks $w"; fi
	done
}
said attestctl attestctl.8
# Each of its commands has a table of options, which is its help.
for c in $(printf '%s\n' "$help" | sed -nE 's/^  ([a-z][a-z-]*)( .*|$)/\1/p'); do
	help=$("$program" "$c" --help 2>&1) || note "attestctl $c --help failed"
	all_in attestctl.8 "$(printf '%s\n' "$help" | sed -nE 's/^  (--[a-z0-9-]+)( .*|$)/\1/p')"
done
said verifierctl verifierctl.8
# The arguments that its table of commands shows are those that its commands read, and the page has them.
shown=$(sed -n '/^#define COMMANDS/,/^#define X/p' "$top_srcdir/verifierd/verifierctl/verifierctl.h" | grep -oE -- '--[a-z0-9-]+' | sort -u)
read_=$(cat "$top_srcdir"/verifierd/verifierctl/cmd_*.c | grep -oE '\{ "[a-z0-9-]+", *(&[^,{}]+, *NULL|NULL, *&[^,{}]+)' | sed -E 's/\{ "([^"]*)".*/--\1/' | sort -u)
if [ -n "$shown" ] && [ "$shown" = "$read_" ]; then passed=$((passed + 1)); else note "verifierctl shows: $(echo $shown)
and reads: $(echo $read_)"; fi
all_in verifierctl.8 "$shown"
said attestd attestd.8
said verifierd verifierd.8

# Each kind of line in the journal has its id in a page.
ids=$(sed -nE 's/^X\([A-Z_]+, "([0-9a-f]{32})".*/\1/p' "$top_srcdir/common/base/message_id.h")
[ -n "$ids" ] || note "no message ids"
for id in $ids; do
	if grep -q "$id" "$top_srcdir/man/pam_attest.8" "$top_srcdir/man/attestd.8"; then passed=$((passed + 1)); else note "no page has message id $id"; fi
done

# Each metric is in attestctl(8).
for name in $(grep -o '"attest_[a-z_]*"' "$top_srcdir/pam_attest/attestd/metrics.h" | tr -d '"'); do
	if grep -qw "$name" "$top_srcdir/man/attestctl.8"; then passed=$((passed + 1)); else note "attestctl.8 lacks $name"; fi
done

# keys <file with the table> <page>: each configuration key in the table is in the page.
for pair in pam_attest/gate/gate_conf.c:gate.conf.5 pam_attest/attestd/options.c:attestd.conf.5 verifierd/options.c:verifierd.conf.5; do
	table=$top_srcdir/${pair%%:*} man=${pair##*:}
	keys=$(sed -nE 's/^.*\b(OPTION|KEY)\([^"]*"([a-z_]+)".*/\2/p; s/^\s*X\([^"]*"([a-z_]+)", *"?([a-z_]+)?"?.*/\2/p' "$table" | sort -u)
	[ -n "$keys" ] || note "no keys found in $table"
	for k in $keys; do
		if grep -qw -- "$k" "$top_srcdir/man/$man"; then passed=$((passed + 1)); else note "$man lacks $k"; fi
	done
done
echo "$passed passed, $failed failed"
[ $failed = 0 ]
