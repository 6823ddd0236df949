#!/bin/bash
# IMA from end to end: a list that grows beside a TPM whose PCR 10 it extends. What is new travels, nothing else; a file
# that nobody knows sticks; a kill between parts and commits costs a round.
#
#   IMA_ENTRIES=100000 tests/integration/ima.sh    that long a list (default 5000), with what it took
set -u
SOURCE=$top_srcdir BUILD=$top_builddir
. "$top_srcdir/tests/shell.sh"
needs swtpm swtpm_setup tpm2_pcrextend jq
. "$SOURCE/tests/integration/lab.sh"
BOOT=$SOURCE/tests/data/vm/sb-shimgrub-a/binary_bios_measurements
IMA=$(lab_program ima_lab)
ENTRIES=${IMA_ENTRIES:-5000}

below() { [ "$2" -lt "$3" ]; is "$1: $2 below $3" $? 0; }
attests() {  # <what> <reason>
	is "$1" "$(attestctl attest --json 2>&1 | jq -r .reason 2>/dev/null)" "$2"
}
shown() { verifierctl show host-a --json | jq -r ".ima.$1"; }
# What a host has sent as evidence since the last call, in bytes.
sent() {
	cat "$LAB"/tap/*.body 2>/dev/null | wc -c
	rm -f "$LAB"/tap/*
}
# The kernel measures entries FROM up to TO: into the list first, then into the PCR.
measure() {
	"$IMA" list "$BOOT" "$1" "$2" >>"$LAB/ima" &&
		"$IMA" extends "$BOOT" "$1" "$2" | TPM2TOOLS_TCTI=$TCTI xargs -n 2000 tpm2_pcrextend
}

lab_open "$(mktemp -d)"
trap lab_end EXIT

# --- a verifier behind a tap, whose policy knows all files but those beyond the list
lab_manufacture >"$LAB/manufacture.log" 2>&1 || { echo "no TPM"; failed=1; exit 1; }
lab_power_on "$BOOT" >>"$LAB/tpm.log" 2>&1
lab_verifier_conf
lab_verifier_up; is "verifierd starts" $? 0
half=$((ENTRIES / 2))
"$IMA" allow 0 $half >"$LAB/old.allow"
"$IMA" allow $half $((ENTRIES + 5000)) >"$LAB/new.allow"
cat >"$LAB/policy.json" <<-P
	{ "schema": 1, "name": "default", "tpm": { "allow_simulator": true },
	  "pcrs": { "0": "events", "2": "events", "4": "events", "7": "events", "8": "events", "9": "events", "14": "events" },
	  "ima": { "mode": "allow-list", "allow_lists": ["old", "new"] } }
P
verifierctl allow-lists set old "$LAB/old.allow" --reason test >/dev/null; is "an allow list" $? 0
verifierctl policies set "$LAB/policy.json" --reason test --yes 2>/dev/null; is "a policy that names another one" $? 1
verifierctl allow-lists set new "$LAB/new.allow" --reason test >/dev/null; is "the other one" $? 0
verifierctl policies set "$LAB/policy.json" --reason test --yes >/dev/null; is "a policy that wants IMA" $? 0
is "names" "$(verifierctl allow-lists list --json | jq -r '[.lists[].name] | join(" ")')" "new old"
verifierctl allow-lists remove old --reason test 2>/dev/null; is "what is named stays" $? 1
mkdir "$LAB/tap"
TAP=$(lab_port)
lab_start tap "$(lab_program tls_tap)" "$TAP" "$PORT" "$LAB/verifier/tls/server.pem" "$LAB/verifier/tls/server-key.pem" "$LAB/tap"
lab_host_conf
sed -i "s|^ima_log =.*|ima_log = $LAB/ima|" "$LAB/attestd.conf"
measure 0 100; is "IMA starts" $? 0
lab_attestd_up; is "attestd starts" $? 0
attestctl enroll --url "https://127.0.0.1:$TAP" --ca "$LAB/verifier/tls/ca.pem" --name host-a >/dev/null 2>&1
is "enroll" $? 0
verifierctl approve host-a --yes >/dev/null; is "approve" $? 0
wait_for 20 sh -c "grep -q ^reason=no-reference '$LAB/run/verdict'"; is "goes on by itself" $? 0
verifierctl references capture host-a --name base --reason test >/dev/null
verifierctl references activate base --yes >/dev/null
attests "a known boot and known files" ok
is "entries" "$(shown entries)" 100

# --- what is new travels
sent >/dev/null
attests "nothing new" ok
below "bytes" "$(sent)" 2000
measure 100 110
attests "ten files more" ok
bytes=$(sent)
below "bytes" "$bytes" 4000
[ "$bytes" -gt 1000 ]; is "the ten files travel" $? 0
is "entries" "$(shown entries)" 110

# --- a long list, in parts
measure 110 "$ENTRIES"; is "many files" $? 0
start=$(date +%s%N)
attests "$ENTRIES entries" ok
took=$((($(date +%s%N) - start) / 1000000))
whole=$(sent)
[ "$whole" -gt $((ENTRIES * 100)) ]; is "all of them travel" $? 0
is "entries" "$(shown entries)" "$ENTRIES"
measure "$ENTRIES" $((ENTRIES + 10))
start=$(date +%s%N)
attests "ten more" ok
again=$((($(date +%s%N) - start) / 1000000))
bytes=$(sent)
below "bytes" "$bytes" 4000
echo "$ENTRIES entries: $whole bytes in $took ms; then 10: $bytes bytes in $again ms"
echo "attestd: $(awk '/^Private_Dirty/ { n += $2 } END { print n }' "/proc/${PIDS[attestd]}/smaps") KiB private dirty"

# --- attestd starts anew: it finds its place in the list by itself
lab_kill attestd KILL
lab_attestd_up
attests "attestd again" ok
below "bytes" "$(sent)" 4000

# --- core is killed at some point of a long list: the host goes on, from the beginning of what was not accepted
measure $((ENTRIES + 10)) $((ENTRIES + 4000))
attestctl attest >/dev/null 2>&1 &
asking=$!
wait_for 5 sh -c "ls '$LAB'/tap/*.body"
core=$(pgrep -P "${PIDS[verifierd]}" -f verifierd-core)
kill -KILL "$core"
wait $asking
wait_for 10 verifierctl hosts
attests "core was killed between parts" ok
is "entries" "$(shown entries)" $((ENTRIES + 4000))
sent >/dev/null

# --- a list that cannot be read, and one that is gone
lab_kill attestd
sed -i "s|^ima_log =.*|ima_log = $LAB|" "$LAB/attestd.conf"
lab_attestd_up
attestctl attest >/dev/null 2>&1
is "unreadable" "$(sed -n '$s/^attestd: [a-z]*: \([a-z-]*\).*/\1/p' "$LAB/attestd.log")" ima-unreadable
lab_kill attestd
sed -i "s|^ima_log =.*|ima_log =|" "$LAB/attestd.conf"
lab_attestd_up
attests "withheld" evidence-lost
lab_kill attestd
sed -i "s|^ima_log =.*|ima_log = $LAB/ima|" "$LAB/attestd.conf"
lab_attestd_up
attests "there again" ok

# --- a file that is not known, then files that are (row 40)
"$IMA" list "$BOOT" 150000 150001 >>"$LAB/ima"
"$IMA" extends "$BOOT" 150000 150001 | TPM2TOOLS_TCTI=$TCTI xargs tpm2_pcrextend
attests "an unknown file" ima-unknown-file
verifierctl explain "$(lab_field .ref)" | grep -q /usr/bin/tool-150000; is "is named" $? 0
measure $((ENTRIES + 4000)) $((ENTRIES + 4005))
attests "and sticks" ima-unknown-file
is "refused for this boot" "$(shown refused)" true

# --- until the next boot (row 15)
lab_kill attestd
lab_power_off
lab_power_on "$BOOT" >>"$LAB/tpm.log" 2>&1
: >"$LAB/ima"
measure 0 50
lab_attestd_up
attests "the next boot" ok
is "entries" "$(shown entries)" 50
[ $failed = 0 ]
