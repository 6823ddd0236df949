#!/bin/bash
# Row 14: what a machine goes through without being tampered with. Reboot, suspend and resume, hibernation, a power cut,
# a TPM that is cleared: the right verdict each time, and nobody is locked out. What a boot is, the TPM's counters say.
set -u
SOURCE=$top_srcdir BUILD=$top_builddir
. "$top_srcdir/tests/shell.sh"
needs swtpm swtpm_setup swtpm_localca tpm2_pcrextend tpm2_clear tpm2_readclock jq
. "$SOURCE/tests/integration/lab.sh"
LOG=$SOURCE/tests/data/vm/sb-shimgrub-a/binary_bios_measurements

lab_open "$(mktemp -d)"
trap lab_end EXIT
reaches() { wait_for "$1" sh -c '[ "$(sed -n s/^'"$2"'=//p "$1"/run/verdict 2>/dev/null)" = "$2" ]' - "$LAB" "$3"; }
decision() { attestctl check --service demo --user "${1:-kim}" --json | jq -r '"\(.decision) \(.reason)"'; }
clock_is_safe() { TPM2TOOLS_TCTI=$TCTI tpm2_readclock | sed -n 's/^ *safe: //p'; }

resets=0 restarts=0
# verdict <what> <decision and reason>: by a new quote, whose counters are those that resets and restarts say
verdict() {
	local before after
	before=$(lab_field .ref)
	attestctl attest >/dev/null 2>&1
	after=$(lab_field '"\(.boot.reset_count - '"$first"') \(.boot.restart_count)"')
	is "$1" "$(decision)" "$2"
	is "$1: counters" "$after" "$resets $restarts"
	[ "$(lab_field .ref)" != "$before" ]; is "$1: a new verdict" $? 0
}
# on: firmware, loader and kernel measure what they always do
on() { lab_power_on "$LOG" >>"$LAB/tpm.log" 2>&1; }
same_kernel() { cp "$LAB/boot_id" "$LAB/kernel"; "$@"; cp "$LAB/kernel" "$LAB/boot_id"; }

lab_manufacture >"$LAB/manufacture.log" 2>&1 || { echo "no TPM"; failed=1; exit 1; }
on
lab_verifier_conf
lab_verifier_up; is "verifierd starts" $? 0
lab_host_conf "exempt_user = eve"
lab_attestd_up; is "attestd starts" $? 0
enroll() { attestctl enroll --url "https://127.0.0.1:$PORT" --ca "$LAB/verifier/tls/ca.pem" --name host-a >/dev/null && verifierctl approve host-a --yes >/dev/null; }
enroll; is "enroll" $? 0
reaches 20 reason no-reference; is "attests" $? 0
verifierctl references capture host-a --name base --reason test >/dev/null
verifierctl references activate base --yes >/dev/null
attestctl attest >/dev/null; is "good" $? 0
first=$(lab_field .boot.reset_count)

# --- reboot
lab_kill attestd
lab_power_off
on
is "an orderly shutdown leaves a clock to be trusted" "$(clock_is_safe)" yes
lab_attestd_up
reaches 20 reason ok
resets=1
verdict "a reboot" "permit ok"

# --- suspend and resume: /run, the kernel and attestd stay; PCRs and clock come from what the TPM has kept
swtpm_stop "$LAB/tpm" state
swtpm_start "$LAB/tpm" state; is "the TPM resumes" $? 0
restarts=1
verdict "a resume" "permit ok"
swtpm_stop "$LAB/tpm" state
swtpm_start "$LAB/tpm" state
restarts=2
verdict "another one" "permit ok"

# --- hibernation: firmware and loader measure again, the kernel goes on
swtpm_stop "$LAB/tpm" state
same_kernel on
restarts=3
verdict "hibernation" "permit ok"

# --- power cut: nothing was said to the TPM
lab_kill attestd KILL
swtpm_stop "$LAB/tpm" cut
rm -rf "${LAB:?}"/run/*
on
is "a power cut leaves a clock that is not safe" "$(clock_is_safe)" no
lab_attestd_up
reaches 20 reason ok
resets=2 restarts=0
verdict "a power cut" "permit ok"
# A machine that is switched off in the middle of it, again and again.
for _ in 1 2 3; do
	lab_kill attestd KILL
	swtpm_stop "$LAB/tpm" cut
	rm -rf "${LAB:?}"/run/*
	on
	lab_attestd_up
	resets=$((resets + 1))
done
reaches 20 reason ok
verdict "power cuts" "permit ok"

# --- who says another boot than the TPM is no host that was rebooted
lab_kill attestd
rm -rf "${LAB:?}"/run/*
cat /proc/sys/kernel/random/uuid >"$LAB/boot_id"
lab_attestd_up
reaches 20 reason kexec; is "another boot id without a reset is no reboot" $? 0
verdict "row 48: and stays none" "permit kexec"
lab_kill attestd
lab_power_off
on
lab_attestd_up
reaches 20 reason ok
resets=$((resets + 1))
verdict "and a reboot is the way out" "permit ok"

# --- TPM2_Clear: the key is gone, which is neither an attack nor an outage; who is exempt comes in all the same
TPM2TOOLS_TCTI=$TCTI tpm2_clear -c p; is "clear" $? 0
attestctl attest >/dev/null 2>&1
is "a cleared TPM is a broken one" "$(sed -n '$s/^attestd: [a-z]*: \([a-z-]*\).*/\1/p' "$LAB/attestd.log")" ak-changed
is "what was signed for this boot counts" "$(decision)" "permit ok"
lab_kill attestd
lab_power_off
on
lab_attestd_up
reaches 20 reason ak-changed; is "after the next boot nothing does" "$(decision)" "deny ak-changed"
attestctl status >/dev/null; is "by its exit code too" $? 5
is "but who is exempt" "$(decision eve)" "ignore exempt-user"
enroll; is "the way out is to enroll again" $? 0
reaches 20 reason ok; is "good again" "$(decision)" "permit ok"
first=$(lab_field .boot.reset_count) resets=0
verdict "and stays so" "permit ok"
lab_kill attestd
lab_power_off
on
lab_attestd_up
reaches 20 reason ok
resets=1
verdict "also after a reboot" "permit ok"
is "one host, as before" "$(verifierctl hosts --json | jq -r '[.hosts[] | select(.enrollment == "active")] | length')" 1
[ $failed = 0 ]
