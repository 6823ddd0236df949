#!/bin/bash
# Every process of a working pam-attest is in its sandbox, and everything still works there: enrollment, attestation,
# reload, and who replaces those that were killed.
set -u
# shellcheck disable=SC2034  # for what is sourced
SOURCE=$top_srcdir BUILD=$top_builddir
. "$top_srcdir/tests/shell.sh"
needs swtpm swtpm_setup swtpm_localca tpm2_pcrextend jq pgrep
. "$SOURCE/tests/integration/lab.sh"
VM=$SOURCE/tests/data/vm

lab_open "$(mktemp -d)"
! grep -q __asan_init "$VERIFIERD" || { echo "SKIP: sanitizers cannot live in a sandbox"; rm -rf "$LAB"; exit 77; }
trap lab_end EXIT
# those of the daemons: main first
family() { echo "${PIDS[$1]}"; pgrep -P "${PIDS[$1]}"; }
confined() {  # <what> <pid>; one that is gone by now, as a parser that was renewed, is nobody
	local name status limits
	status=$(cat "/proc/$2/status" 2>/dev/null) && limits=$(cat "/proc/$2/limits" 2>/dev/null) || return 0
	case $status in *'State:	Z'*) return 0 ;; esac
	name="$1 $(awk '/^Name:/ { print $2 }' <<<"$status")"
	is "$name: seccomp" "$(awk '/^Seccomp:/ { print $2 }' <<<"$status")" 2
	is "$name: no new privileges" "$(awk '/^NoNewPrivs:/ { print $2 }' <<<"$status")" 1
	is "$name: no core dumps" "$(awk '/^Max core file size/ { print $5, $6 }' <<<"$limits")" "0 0"
}
all_confined() {
	local p
	for p in $(family verifierd); do confined "$1" "$p"; done
	for p in $(family attestd); do confined "$1" "$p"; done
}

lab_manufacture >"$LAB/manufacture.log" 2>&1 || { echo "no TPM"; failed=1; exit 1; }
lab_power_on "$VM/sb-shimgrub-a/binary_bios_measurements" >>"$LAB/tpm.log" 2>&1
lab_verifier_conf
lab_verifier_up; is "verifierd starts" $? 0
lab_host_conf
lab_attestd_up; is "attestd starts" $? 0
attestctl enroll --url "https://127.0.0.1:$PORT" --ca "$LAB/verifier/tls/ca.pem" --name host-a >/dev/null
verifierctl approve host-a --yes >/dev/null
wait_for 20 sh -c '[ "$(sed -n s/^reason=//p "$1")" = no-reference ]' - "$LAB/run/verdict"; is "enrolled" $? 0
verifierctl references capture host-a --name base --reason test >/dev/null
verifierctl references activate base --yes >/dev/null
attestctl attest >/dev/null; is "attested" $? 0
is "two daemons, their roles and the TPM child" "$(($(family verifierd | wc -l) - $(nproc) * 2 - ($(nproc) + 1) / 2 + $(family attestd | wc -l)))" 5
all_confined "at work,"

kill -HUP "${PIDS[verifierd]}" "${PIDS[attestd]}"
# Whoever ends is replaced by one that is confined as well.
for p in $(pgrep -P "${PIDS[verifierd]}") $(pgrep -P "${PIDS[attestd]}"); do
	kill -9 "$p" 2>/dev/null
	sleep 0.3
done
wait_for 20 verifierctl hosts; is "verifierd has recovered" $? 0
wait_for 20 attestctl attest; is "attested again" $? 0
all_confined "replaced,"

is "keys are for the daemon alone" "$(find "$LAB/verifier/keys" "$LAB/verifier/store.db" "$LAB/verifier/tls/server-key.pem" -type f -perm /077)" ""
is "nothing was refused" "$(grep -c 'not permitted\|ermission denied' "$LAB/verifierd.log" "$LAB/attestd.log" | paste -sd ' ')" \
	"$LAB/verifierd.log:0 $LAB/attestd.log:0"

# A worker that its sandbox ends costs nobody else anything: SIGSYS is how it would go.
for p in $(pgrep -P "${PIDS[verifierd]}" -f verifierd-parse); do kill -SYS "$p"; done
wait_for 20 attestctl attest; is "attested after the parsers were ended by SIGSYS" $? 0
is "and the log says how they ended" "$(grep -c 'parse [0-9]* was ended by signal 31' "$LAB/verifierd.log")" "$(nproc)"

# Not wanted: nobody is confined, and everything works all the same.
lab_kill attestd; lab_kill verifierd
echo 'sandbox = no' >>"$LAB/verifierd.conf"
sed -i 's/^user =$/&\nsandbox = no/' "$LAB/attestd.conf"
lab_verifier_up; lab_attestd_up
is "attested without sandboxes" "$(wait_for 20 attestctl attest; echo $?)" 0
for p in $(family verifierd) $(family attestd); do cat "/proc/$p/status"; done >"$LAB/free" 2>/dev/null
is "no filter then" "$(awk '/^Seccomp:/ { print $2 }' "$LAB/free" | sort -u)" 0
is "but no new privileges" "$(awk '/^NoNewPrivs:/ { print $2 }' "$LAB/free" | sort -u)" 1

# A kernel without Landlock: one line each, also after parsers were started anew, and filters all the same.
lab_kill attestd; lab_kill verifierd
sed -i '/^sandbox = no$/d' "$LAB/verifierd.conf" "$LAB/attestd.conf"
VERIFIERD="$BUILD/tests/integration/old_kernel $VERIFIERD" ATTESTD="$BUILD/tests/integration/old_kernel $ATTESTD"
: >"$LAB/verifierd.log"; : >"$LAB/attestd.log"
rm -f "$LAB/run/gate.sock"
# shellcheck disable=SC2086  # two words each
lab_start verifierd $VERIFIERD -c "$LAB/verifierd.conf" -f
# shellcheck disable=SC2086
lab_start attestd $ATTESTD -c "$LAB/attestd.conf" -f
is "without Landlock it serves" "$(wait_for 20 grep -q 'ready: ' "$LAB/verifierd.log"; echo $?)" 0
for p in $(pgrep -P "${PIDS[verifierd]}" -f verifierd-parse); do kill -9 "$p"; done
is "and attests" "$(wait_for 20 attestctl attest; echo $?)" 0
is "verifierd says so once" "$(grep -c 'this kernel has no Landlock' "$LAB/verifierd.log")" 1
is "attestd says so once" "$(grep -c 'this kernel has no Landlock' "$LAB/attestd.log")" 1
all_confined "without Landlock,"

[ $failed = 0 ]
