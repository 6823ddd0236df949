#!/bin/sh
# verifierctl inspect, as an administrator and as a script meet it: files in, JSON and exit codes out.
set -u
ctl=$top_builddir/verifierd/verifierctl/verifierctl data=$top_srcdir/tests/data
command -v jq >/dev/null || { echo "skipped: no jq here"; exit 77; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
passed=0 failed=0

# is <what> <expected> <seen>
is() {
	if [ "$2" = "$3" ]; then passed=$((passed + 1)); else echo "$1: expected $2, seen $3"; failed=$((failed + 1)); fi
}
# log <file>: its JSON in $work/out; the exit code
log() { "$ctl" inspect eventlog "$1" --json >"$work/out" 2>"$work/err"; }

for boot in "$data"/vm/*/; do
	log "$boot/binary_bios_measurements"
	is "$boot: exit code" 0 $?
	is "$boot: members" '["banks","events","findings","format","schema"]' \
	    "$(jq -c '[keys[] | select(IN("schema","format","banks","events","findings"))]' "$work/out")"
	is "$boot: PCRs that the guest had otherwise" "" "$(jq -r --slurpfile guest "$boot/pcrs.json" \
	    '.banks | to_entries[] | .key as $b | .value | to_entries[] | select($guest[0][$b][.key] != .value) | "\($b):\(.key)"' "$work/out")"
	is "$boot: enough PCRs" true "$(jq '[.banks[] | length] | max >= 7' "$work/out")"
	is "$boot: facts, and what binds them" "digest-bound true" "$(jq -r '.facts | "\(.secure_boot.binding) \(.images | length > 0)"' "$work/out")"
	is "$boot: an event lacks a member" "" \
	    "$(jq -c '.events[] | select(([has("number","pcr","type","digests","offset","text","bound")] | all) | not)' "$work/out" | head -n 1)"
	is "$boot: numbers" true "$(jq '[.events[].number] == [range(.events | length)]' "$work/out")"
done

boot=$data/vm/sb-shimgrub-a/binary_bios_measurements
head -c 7000 "$boot" >"$work/cut"
log "$work/cut"
is "cut: exit code" 1 $?
is "cut: code" eventlog-malformed "$(jq -r '.findings[0].code' "$work/out")"
is "cut: event and offset are where the events end" true "$(jq '.findings[0].event == (.events | length) and
    .findings[0].offset > .events[-1].offset and .findings[0].offset < 7000' "$work/out")"
is "cut: replay of a cut log is no machine's state" '{}' "$(jq -c .banks "$work/out")"
: >"$work/empty"
log "$work/empty"
is "empty: exit code" 1 $?
is "empty: format" unknown "$(jq -r .format "$work/out")"
{ cat "$boot"; head -c 64 /dev/zero; } >"$work/padded"
log "$work/padded"
is "padded: exit code" 0 $?
is "padded: said" info "$(jq -r '.findings[0].severity' "$work/out")"
log "$work/no-such-file"
is "no file: exit code" 1 $?
"$ctl" inspect 2>/dev/null
is "no arguments: exit code" 2 $?
"$ctl" inspect eventlog "$boot" >"$work/text"
is "text: exit code" 0 $?
is "text: command line" 1 "$(grep -c 'kernel_cmdline: /vmlinuz' "$work/text")"
is "text: PCR 8" 1 "$(grep -c '^sha256:8 ' "$work/text")"

# ima <file> <arguments>...: an IMA list
ima() { "$ctl" inspect ima "$@" --json >"$work/out" 2>"$work/err"; }
lists=0
for list in "$data"/vm/*/ima_binary; do
	dir=$(dirname "$list") lists=$((lists + 1))
	ima "$list" --log "$dir/binary_bios_measurements"
	is "$list: exit code" 0 $?
	is "$list: members" '["banks","boot_aggregate","entries","findings","format","padded","schema","templates","violations"]' "$(jq -c keys "$work/out")"
	is "$list: PCR 10 as the guest had it, in every bank" "" "$(jq -r --slurpfile guest "$dir/pcrs.json" '. as $o | $guest[0] | to_entries[] | .key as $b | .value["10"] |
	    select(. != $o.banks[$b]["10"] and . != $o.padded[$b]["10"]) | $b' "$work/out")"
	is "$list: boot_aggregate" true "$(jq .boot_aggregate.matches "$work/out")"
	is "$list: entries by template" true "$(jq '([.templates[]] | add) == .entries and .entries > 70' "$work/out")"
done
is "lists" true "$([ "$lists" -ge 5 ] && "$ctl" inspect ima "$data/vm/direct-51-viol/ima_binary" --json | jq '.violations > 0')"
list=$data/vm/direct-51-a/ima_binary
ima "$list" --log "$data/vm/direct-56/binary_bios_measurements"
is "another boot's list: exit code" 1 $?
is "another boot's list: code" boot-aggregate "$(jq -r '.findings[0].code' "$work/out")"
head -c 1000 "$list" >"$work/cut"
ima "$work/cut"
is "cut list: exit code" 1 $?
is "cut list: code" ima-malformed "$(jq -r '.findings[0].code' "$work/out")"
is "cut list: entry and offset are where the entries end" true "$(jq '.findings[0].event == .entries and .findings[0].offset < 1000' "$work/out")"
is "cut list: no values" '{} {}' "$(jq -c .banks "$work/out") $(jq -c .padded "$work/out")"
ima "$work/empty"
is "empty list: exit code" 1 $?
is "empty list: code" ima-missing "$(jq -r '.findings[0].code' "$work/out")"
ima "$work/no-such-file"
is "no list: exit code" 1 $?
"$ctl" inspect ima 2>/dev/null
is "ima without a file: exit code" 2 $?
is "list as text" 1 "$("$ctl" inspect ima "$list" | grep -c '^entries  *79$')"

printf '%064d  /usr/bin/true\n%064d  /a b\n' 2 1 >"$work/sums"
"$ctl" inspect allow-list "$work/sums" >"$work/list"
is "checksums: exit code" 0 $?
is "checksums: as an allow list" "$(printf 'attest-allow-list 1\nsha256:%064d /a_b\nsha256:%064d /usr/bin/true' 1 2)" "$(cat "$work/list")"
"$ctl" inspect allow-list "$work/list" | cmp -s - "$work/list"
is "an allow list comes out the same" 0 $?
printf '{"digests":{"/a":["%064d"]},"excludes":["/tmp/.*"]}' 1 >"$work/keylime"
is "a Keylime policy" '{"excludes":["/tmp/**"],"schema":1,"entries":1,"digests":{"sha256":1}}' "$("$ctl" inspect allow-list "$work/keylime" --json | jq -c .)"
is "its excludes as text" 1 "$("$ctl" inspect allow-list "$work/keylime" 2>&1 >/dev/null | grep -c 'exclude: /tmp/\*\*$')"
"$ctl" inspect allow-list "$boot" 2>/dev/null
is "no allow list: exit code" 1 $?

# held <log> <arguments>...: the log beside a quote or PCR values
held() { "$ctl" inspect eventlog "$@" --json >"$work/out" 2>"$work/err"; }
state() { jq -r --arg pcr "$1" '.states.sha256[$pcr]' "$work/out"; }

vm=$data/vm/sb-shimgrub-a
held "$boot" --pcrs "$vm/pcrs.json"
is "its own PCRs: exit code" 0 $?
is "its own PCRs: replays" true "$(jq .replays "$work/out")"
is "its own PCRs: states" '["not-logged","verified"]' "$(jq -c '[.states.sha256[]] | unique' "$work/out")"
is "its own PCRs: PCR 7" verified "$(state 7)"
is "IMA's PCR is not the log's to tell" not-logged "$(state 10)"
is "and that is said" 1 "$(jq '[.findings[] | select(.text | contains("PCR 10"))] | length' "$work/out")"
held "$boot" --pcrs "$vm/pcrs.json" --quote "$vm/q/quote-ecc.attest"
is "the values that were quoted: exit code" 0 $?
is "the values that were quoted: PCR 7" verified "$(state 7)"
is "a PCR that is not quoted" null "$(state 16)"
held "$boot" --pcrs "$data/vm/sb-shimgrub-cmd/pcrs.json"
is "another boot's PCRs: exit code" 1 $?
is "another boot's PCRs: PCR 8" mismatch "$(state 8)"
is "another boot's PCRs: PCR 7" verified "$(state 7)"
is "another boot's PCRs: named" 1 "$(jq '[.findings[] | select(.code == "eventlog-mismatch" and (.text | contains("other values for PCR 8")))] | length' "$work/out")"
held "$boot" --pcrs "$data/vm/sb-shimgrub-cmd/pcrs.json" --quote "$vm/q/quote-ecc.attest"
is "values that were not quoted: exit code" 1 $?
is "values that were not quoted: said" 1 "$(grep -c 'not those that were quoted' "$work/err")"
held "$boot" --quote "$vm/q/quote-ecc.attest"
is "a quote with IMA's PCR alone: exit code" 1 $?
is "a quote alone does not say which" null "$(jq .states "$work/out")"
held "$boot" --quote "$vm/q/quote-ecc.sig"
is "no quote: exit code" 1 $?
echo '{"sha256":{}}' >"$work/none.json"
held "$boot" --pcrs "$work/none.json"
is "no values: exit code" 1 $?

# a log that lost what ExitBootServices wrote into PCR 5
log "$boot"
at=$(jq '[.events[] | select(.text | startswith("Exit Boot Services Invocation"))][0].offset' "$work/out")
head -c "$at" "$boot" >"$work/lost"
held "$work/lost" --pcrs "$vm/pcrs.json"
is "ExitBootServices not logged: exit code" 0 $?
is "ExitBootServices not logged: PCR 5" verified "$(state 5)"
is "ExitBootServices not logged: said" 1 "$(jq '[.findings[] | select(.pcr == 5 and (.text | contains("ExitBootServices")))] | length' "$work/out")"

# quote <folder> <attest> <signature> <key> <arguments>...
quote() {
	dir=$1 attest=$2 sig=$3 ak=$4; shift 4
	"$ctl" inspect quote --attest "$dir/$attest" --signature "$dir/$sig" --ak "$dir/$ak" "$@" --json >"$work/out" 2>"$work/err"
}
fails() { jq -r '[.checks[] | select(.holds | not) | .check] | join(" ")' "$work/out"; }
nonce=00112233445566778899aabbccddeeff
m=$data/masquerade
quote "$m" real.msg real.sig ak.pem --nonce $nonce --selection sha256:0,4,7
is "real: exit code" 0 $?
quote "$m" fake.msg fake.sig ak.pem --nonce $nonce --selection sha256:0,4,7
is "fake: exit code" 1 $?
is "fake: what fails" selection "$(fails)"
quote "$m" real.msg real.sig ak.pem --nonce 00 --selection sha256:0,4,7
is "other nonce: exit code" 1 $?
is "other nonce: what fails" nonce "$(fails)"
quote "$m" real.msg fake.sig ak.pem
is "other signature: exit code" 1 $?
is "other signature: what fails" signature "$(fails)"
for kind in ecc rsa; do
	q=$data/vm/sb-shimgrub-a/q
	quote "$q" quote-$kind.attest quote-$kind.sig ak-$kind.pem --nonce "$(cat "$q/nonce.hex")" --selection "$(cat "$q/selection")"
	is "$kind quote: exit code" 0 $?
	quote "$q" quote-$kind.attest quote-$kind.sig ak-$kind.pem --selection sha256:0
	is "$kind quote, other PCRs: exit code" 1 $?
done
echo "$passed passed, $failed failed"
[ $failed = 0 ] && [ $passed -gt 50 ]
