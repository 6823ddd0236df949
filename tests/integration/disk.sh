#!/bin/bash
# Disks that are full or read-only under verifierd and attestd: words, nothing half-written, no verdict that is not
# stored, and everybody goes on by himself once there is room again. In a mount namespace of its own.
set -u
SOURCE=$top_srcdir BUILD=$top_builddir
. "$top_srcdir/tests/shell.sh"
needs swtpm swtpm_setup swtpm_localca tpm2_pcrextend unshare jq
if [ -z "${OWN_MOUNTS:-}" ]; then
	unshare -m true 2>/dev/null || { echo "SKIP: no mount namespace here"; exit 77; }
	exec unshare -m --propagation private env OWN_MOUNTS=1 bash "$0"
fi
. "$SOURCE/tests/integration/lab.sh"

field() { sed -n "s/^$1=//p" "$LAB/run/verdict" 2>/dev/null; }
fill() { dd if=/dev/zero of="$1/filler" bs=4k 2>/dev/null; dd if=/dev/zero of="$1/filler" bs=1 count=4096 oflag=append conv=notrunc 2>/dev/null; }
room() { rm -f "$1/filler"; }
mark() { lines=$(wc -l <"$LAB/$1.log"); }
said() { tail -n +$((lines + 1)) "$LAB/$1.log" | grep -Eq "$2"; }   # since mark
whole() { is "$1: nothing unfinished" "$(find "$LAB/state" "$LAB/run" "$LAB/verifier" -name '*.new.*' -printf '%P ')" ""; }
reports() { verifierctl show host-a --json | jq '.reports | length'; }
decision() { attestctl check --service demo --user kim --json | jq -r '"\(.decision) \(.reason)"'; }
restart() { lab_kill attestd "${1:-TERM}"; lab_attestd_up; }
# until_attested REASON: this is what is attested, by whichever round
until_attested() { wait_for 20 sh -c '"$@" >/dev/null 2>&1; [ "$(sed -n s/^reason=//p "$0/run/verdict")" = '"$1"' ]' "$LAB" "$ATTESTCTL" -c "$LAB/gate.conf" --run-dir "$LAB/run" attest; }

lab_open "$(mktemp -d)"
finish() {
	lab_close
	[ $failed = 0 ] || for l in "$LAB"/*.log; do echo "--- ${l##*/}"; tail -n 30 "$l"; done
	umount "$LAB/verifier" "$LAB/state" "$LAB/run"
	rm -rf "$LAB"
	echo "$passed passed, $failed failed"
}
trap finish EXIT
if ! mount -t tmpfs -o size=80k,mode=700 tmpfs "$LAB/verifier" 2>/dev/null; then
	echo "SKIP: no mount here"
	trap - EXIT
	rm -rf "$LAB"
	exit 77
fi
mount -t tmpfs -o size=256k tmpfs "$LAB/state"
mount -t tmpfs -o size=128k tmpfs "$LAB/run"

lab_manufacture >"$LAB/manufacture.log" 2>&1 || { echo "no TPM"; failed=1; exit 1; }
lab_power_on "$SOURCE/tests/data/vm/sb-shimgrub-a/binary_bios_measurements" >>"$LAB/tpm.log" 2>&1

# --- a verifier whose first start has no room
lab_verifier_conf 60s 60s
: >"$LAB/verifierd.log"
mark verifierd
"$VERIFIERD" -c "$LAB/verifierd.conf" -f >>"$LAB/verifierd.log" 2>&1; is "a first start without room ends" $? 1
said verifierd 'full|No space'; is "and says why" $? 0
mount -o remount,size=16m "$LAB/verifier"
lab_verifier_up; is "with room it starts" $? 0
lab_host_conf
lab_attestd_up; is "attestd starts" $? 0
attestctl enroll --url "https://127.0.0.1:$PORT" --ca "$LAB/verifier/tls/ca.pem" --name host-a >/dev/null; is "enroll" $? 0
verifierctl approve host-a --yes >/dev/null
until_attested no-reference
verifierctl references capture host-a --name base --reason test >/dev/null
verifierctl references activate base --yes >/dev/null; is "activate" $? 0
until_attested ok; is "good" $? 0

# --- the verifier's disk is full
fill "$LAB/verifier"
# What the write-ahead log has room for is still stored.
mark attestd
for _ in $(seq 100); do
	before=$(reports) ref=$(lab_field .ref)
	attestctl attest >/dev/null 2>&1
	! said attestd verifier-error || break
	is "said, so stored" "$(($(reports) - before))" 1
done
said attestd 'verifier-error'; is "a full store is an outage" $? 0
is "no verdict is stored" "$(reports)" "$before"
is "and none is told" "$(lab_field .ref)" "$ref"
is "logins go on" "$(decision)" "permit ok"
verifierctl tokens create --reason test >"$LAB/out" 2>&1; is "administration is refused" $? 1
grep -Eq 'full' "$LAB/out"; is "in words" $? 0
verifierctl hosts >/dev/null; is "reading goes on" $? 0
room "$LAB/verifier"
until_attested ok; is "room again: attests" $? 0
[ "$(lab_field .ref)" != "$ref" ]; is "a new verdict" $? 0
verifierctl explain "$(lab_field .ref)" >/dev/null; is "which is stored" $? 0
verifierctl tokens create --reason test >/dev/null; is "and administration goes on" $? 0
is "the audit trail is intact" "$(verifierctl audit list --json | jq .intact)" true
whole "verifier"

# --- attestd's state_dir is full
fill "$LAB/state"
attestctl enroll --url "https://127.0.0.1:$PORT" --ca "$LAB/verifier/tls/ca.pem" --name host-a >"$LAB/out" 2>&1; is "no room to enroll" $? 1
grep -q 'No space' "$LAB/out"; is "in words" $? 0
mark attestd
attestctl attest >/dev/null; is "the enrollment in force is as it was" $? 0
said attestd 'No space'; is "what is not kept is said" $? 0
lab_kill attestd
lab_power_off
lab_power_on "$SOURCE/tests/data/vm/sb-shimgrub-cmd/binary_bios_measurements" >>"$LAB/tpm.log" 2>&1
lab_attestd_up
attestctl attest >/dev/null 2>&1
is "a refusal that cannot be kept is told" "$(decision)" "deny cmdline-changed"
whole "state_dir full"
room "$LAB/state"
attestctl attest >/dev/null
restart KILL
is "room again: a refusal outlives kill -9" "$(decision)" "deny cmdline-changed"
verifierctl accept "$(lab_field .ref)" --reason test --yes >/dev/null; is "accept" $? 0
until_attested ok; is "good again" $? 0

# --- run_dir is full: the gate cannot read, so it asks
fill "$LAB/run"
mark attestd
attestctl attest >/dev/null
[ ! -e "$LAB/run/verdict" ]; is "no record rather than an old one" $? 0
said attestd 'No space'; is "said" $? 0
is "logins ask" "$(decision)" "permit ok"
whole "run_dir full"
room "$LAB/run"
attestctl attest >/dev/null
is "room again" "$(field reason)" ok

# --- state_dir is read-only
mount -o remount,ro "$LAB/state"
mark attestd
attestctl attest >/dev/null; is "a read-only state_dir costs no login" $? 0
said attestd 'Read-only'; is "and is said" $? 0
restart
is "it starts there" "$(decision)" "permit ok"
mount -o remount,rw "$LAB/state"
attestctl attest >/dev/null
cmp -s <(sed -n 's/^ref=//p' "$LAB/run/verdict") <(jq -r .record "$LAB/state/last-good" | sed -n 's/^ref=//p')
is "writable again: kept" $? 0

lab_kill verifierd
wait_for 10 mount -o remount,ro "$LAB/verifier"; is "a disk becomes read-only" $? 0
mark verifierd
timeout 20 "$VERIFIERD" -c "$LAB/verifierd.conf" -f >>"$LAB/verifierd.log" 2>&1; is "a verifier on a read-only disk ends" $? 1
said verifierd 'read-?only|Read-only'; is "and says why" $? 0
mount -o remount,rw "$LAB/verifier"
lab_verifier_up; is "writable again: it starts" $? 0
until_attested ok; is "and judges" $? 0
whole "at the end"
[ $failed = 0 ]
