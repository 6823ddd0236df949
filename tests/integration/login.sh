#!/bin/bash
# The whole path, asserted: TPM, attestd, verifier, PAM. What each login does, why, and at what price.
set -u
SOURCE=$top_srcdir BUILD=$top_builddir
. "$top_srcdir/tests/shell.sh"
needs swtpm swtpm_setup tpm2_pcrextend pamtester jq
. "$SOURCE/tests/integration/lab.sh"
VM=$SOURCE/tests/data/vm

like() {  # <what> <got> <pattern>
	# shellcheck disable=SC2254  # a pattern is meant
	case $2 in
	$3) passed=$((passed + 1)) ;;
	*) failed=$((failed + 1)); printf 'NOT OK: %s\n  got:    %s\n  wanted: %s\n' "$1" "$2" "$3" ;;
	esac
}
state() { sed -n 's/^state=//p' "$LAB/run/verdict" 2>/dev/null; }
reason() { sed -n 's/^reason=//p' "$LAB/run/verdict" 2>/dev/null; }
reaches() { wait_for "$1" sh -c '[ "$(sed -n s/^'"$2"'=//p "$1"/run/verdict 2>/dev/null)" = "$2" ]' - "$LAB" "$3"; }
# login <what> <permitted|refused> [pattern of what the user sees]
login() {
	local out rc
	out=$(lab_login kim); rc=$?
	[ $rc = 0 ] && rc=permitted || rc=refused
	is "$1" $rc "$2"
	[ -z "${3:-}" ] || like "$1: words" "$out" "$3"
}
power_cycle() {  # <recorded boot>
	lab_kill attestd
	lab_power_off
	lab_power_on "$VM/$1/binary_bios_measurements" >>"$LAB/tpm.log" 2>&1
	lab_attestd_up
}

lab_open "$(mktemp -d)"
trap lab_end EXIT

lab_manufacture >"$LAB/manufacture.log" 2>&1 || { echo "no TPM"; failed=1; exit 1; }
lab_power_on "$VM/sb-shimgrub-a/binary_bios_measurements" >>"$LAB/tpm.log" 2>&1
lab_verifier_conf 60s 60s
lab_verifier_up; is "verifierd starts" $? 0
lab_host_conf "grace = 14s"
lab_attestd_up; is "attestd starts" $? 0

# Before enrollment.
login "not enrolled" refused '*not-enrolled*'
attestctl status >/dev/null; is "status before enrollment" $? 6

# Enrollment.
attestctl enroll --url "https://127.0.0.1:$PORT" --ca "$LAB/verifier/tls/ca.pem" --name host-a >/dev/null
is "pending host is listed" "$(verifierctl hosts --json | jq -r '.hosts[0] | "\(.name) \(.enrollment)"')" "host-a pending"
login "pending" refused '*enrollment-pending*'
verifierctl approve host-a --ek 00 --yes >/dev/null; is "approve with another EK" $? 1
verifierctl approve host-a --yes >/dev/null; is "approve" $? 0

# No reference yet.
reaches 20 reason no-reference; is "no-reference arrives" $? 0
login "no reference" refused '*no-reference*'
attestctl status >/dev/null; is "status when refused" $? 1
verifierctl references capture host-a --name base --reason test >/dev/null; is "capture" $? 0
sleep 5
login "a candidate permits nothing (row 25)" refused '*pending-approval*'
verifierctl references activate base --yes >/dev/null; is "activate" $? 0
sleep 5
quotes=$(lab_field .counters.quotes) commands=$(lab_field .counters.tpm_commands)
login "after activation" permitted
is "one quote" $(($(lab_field .counters.quotes) - quotes)) 1
is "one TPM command an attestation" $(($(lab_field .counters.tpm_commands) - commands)) 1
commands=$(lab_field .counters.tpm_commands)
login "from the cache" permitted
login "from the cache again" permitted
is "no TPM command from the cache" $(($(lab_field .counters.tpm_commands) - commands)) 0
attestctl status >/dev/null; is "status when good" $? 0

# crowd N <what>: so many logins wait for attestd at the same time, for its round waits for a frozen verifier; then all
# are permitted. A crowded machine gets the time that it needs.
crowd() {
	local i p bad=0 pids=() roles
	mapfile -t roles < <(pgrep -P "${PIDS[verifierd]}")
	lab_gate_conf "timeout = 30s"
	rm -f "$LAB/start" && mkfifo "$LAB/start"
	exec 9<>"$LAB/start"
	for i in $(seq "$1"); do
		"$BUILD/tests/integration/pam_login" "$LAB/pam.d" demo kim <"$LAB/start" 9>&- >"$LAB/login.$i" 2>&1 & pids+=($!)
	done
	wait_for 30 sh -c '[ "$(cat "$1"/login.* | grep -c ready)" = '"$1"' ]' - "$LAB"; is "$2: they stand at the door" $? 0
	kill -STOP "${roles[@]}"
	crowd_begins 9>&-
	exec 9>&-
	wait_for 6 sh -c '[ "$(grep -c "$1/run/gate.sock$" /proc/net/unix)" = '$(($1 + 1))' ]' - "$LAB"; is "$2: $1 wait for attestd" $? 0
	kill -CONT "${roles[@]}"
	for p in "${pids[@]}"; do wait "$p" || bad=$((bad + 1)); done
	is "$2: $1 logins at once are permitted" "$bad $(cat "$LAB"/login.* | sort | uniq -c | tr -s ' ')" "0  $1 Success
 $1 ready"
	rm -f "$LAB"/login.*
	lab_gate_conf "grace = 14s"
}

# The rounds below may wait as long as a round may take.
lab_kill attestd
sed -i 's/^timeout = 2s/timeout = 10s/' "$LAB/attestd.conf"
lab_attestd_up
reaches 20 state affirming; is "good after a restart" $? 0

# The record is gone, and everybody comes at once: one quote.
sleep 2
quotes=$(lab_field .counters.quotes)
crowd_begins() { rm -f "$LAB/run/verdict"; }
crowd 200 "no record"
is "and make one quote" $(($(lab_field .counters.quotes) - quotes)) 1

# The morning after a power cut: they come while attestd starts. The same boot again is never refused.
lab_kill attestd
lab_power_off
lab_power_on "$VM/sb-shimgrub-b/binary_bios_measurements" >>"$LAB/tpm.log" 2>&1
crowd_begins() { lab_attestd_up; }
crowd 200 "after boot"
is "and make one quote after boot" "$(lab_field .counters.quotes)" 1
lab_host_conf "grace = 14s"
lab_kill attestd
lab_attestd_up
reaches 20 state affirming; is "an identical boot is good by itself" $? 0
login "identical boot" permitted

# A verdict that is too old for a door is none there while no younger one can be had, whatever it is worth elsewhere.
lab_kill verifierd
sleep 3
lab_gate_conf "max_age = 1s
grace = 0"
login "max_age, and no verifier" refused '*verifier-unreachable*'
lab_gate_conf "grace = 14s"
login "where nobody minds it counts" permitted
lab_verifier_up
attestctl attest >/dev/null; is "the verifier is there again" $? 0
mapfile -t roles < <(pgrep -P "${PIDS[verifierd]}")
kill -STOP "${roles[@]}"
sleep 3
lab_gate_conf "max_age = 1s
grace = 0
timeout = 1s"
login "max_age, and a verifier that is slow" refused '*verdict-expired*'
kill -CONT "${roles[@]}"
sleep 3
login "max_age, and the verifier is back" permitted
lab_gate_conf "grace = 14s"

# Another command line.
power_cycle sb-shimgrub-cmd
reaches 20 state contraindicated; is "another command line is refused" $? 0
login "another command line" refused '*cmdline-changed*'
ref=$(lab_field .ref)
lab_login kim | grep -q "$ref"; is "the user sees the reference" $? 0
why=$(verifierctl explain "$ref" --json)
is "explain: state" "$(echo "$why" | jq -r .state)" contraindicated
is "explain: code" "$(echo "$why" | jq -r '.findings[0].code')" cmdline-changed
is "explain: PCR" "$(echo "$why" | jq -r '.findings[0].pcr')" 8
case $(echo "$why" | jq -r .summary) in
*" was refused: kernel command line: + audit=0 + pam_attest.changed=1 (PCR 8, event "*"; this is not how an update looks: "*"verifierctl accept $ref"*) r=0 ;; *) r=1 ;;
esac
is "explain: the first sentence is the answer" $r 0
is "explain: what the machine did" "$(echo "$why" | jq -c '.facts | [.secure_boot.state, .secure_boot.binding, .boot, .kernel.name, .kernel.name_binding]')" \
	'["on","digest-bound","grub","/vmlinuz","digest-bound"]'
verifierctl explain "$ref" | grep -q '^secure boot   on (digest-bound)'; is "explain: for people as well" $? 0
is "explain: nearest" "$(echo "$why" | jq -r '.nearest.set')" base/1
[ "$(echo "$why" | jq -r '.findings[0] | .event > 0 and .expected != .seen')" = true ]; is "explain: event, expected, seen" $? 0
is "explain: what the machine did" "$(echo "$why" | jq -r '.facts.secure_boot.state')" on
grep -c 'answered what nobody asked\|was ended by signal' "$LAB/verifierd.log" | grep -qx 0; is "no worker had to be ended" $? 0

# A refusal outlives restart, expiry and the verifier (row 27).
lab_kill verifierd
lab_kill attestd KILL
rm -f "$LAB/run/verdict" "$LAB/run/gate.sock"
lab_attestd_up
login "refused, restarted, verifier down" refused '*cmdline-changed*'
lab_verifier_conf 6s 14s
lab_verifier_up
verifierctl accept "$ref" --reason "planned" --yes >/dev/null; is "accept" $? 0
sleep 6
login "after accept" permitted
power_cycle sb-shimgrub-a
reaches 20 state affirming; is "the old boot is still good" $? 0

# Outage: verdict, grace, none; the module answers in time even when attestd is frozen (row 16).
lab_kill verifierd
login "outage: verdict still counts" permitted
sleep 7
login "outage: grace" permitted
attestctl status >/dev/null; is "status in grace" $? 0
is "outage: status says so" "$(lab_field .reason)" grace
sleep 8
login "outage: grace is over" refused '*verifier-unreachable*'
ref=$(lab_login kim | sed -n 's/.*Ref \(L-[0-9A-Z-]*\).*/\1/p')
is "the host knows the decision that it made itself" \
	"$(attestctl explain "$ref" --json | jq -r '.decision | "\(.decision) \(.service) \(.user) \(.reason)"')" \
	"deny demo kim verifier-unreachable"
reported() { attestctl report --json | jq -r ".services[] | select(.service == \"demo\") | $1"; }
is "report: counted by what verdicts were" "$(reported '.permitted > 3 and .refused > 3 and .would_refuse == 0 and .asked == .permitted + .refused')" true
is "report: the newest permit" "$(reported '.last_permit | length')" 20
is "report: why, with a reference" \
	"$(attestctl report --json | jq -r '[.reasons[] | select(.reason == "verifier-unreachable")][0].ref')" "$ref"
attestctl report | grep -Eq "^demo \(enforce\): refused [0-9]+ of [0-9]+"; is "report in words" $? 0
before=$(reported .asked)
lab_kill attestd KILL
printf '1 99 17' >>"$LAB/state/decisions"
lab_attestd_up
is "report outlives kill -9 and a torn line" "$(reported .asked)" "$before"
is "and explain finds what was decided" "$(attestctl explain "$ref" --json | jq -r .decision.user)" kim
kill -STOP "${PIDS[attestd]}"
before=$SECONDS
login "attestd frozen" refused '*attestd-timeout*'
[ $((SECONDS - before)) -le 7 ]; is "and answered in time" $? 0
kill -CONT "${PIDS[attestd]}"
lab_kill attestd KILL
login "attestd gone" refused '*attestd-down*'
lab_verifier_up
lab_attestd_up
reaches 20 state affirming; is "back by itself" $? 0

# Revoked.
verifierctl revoke host-a --reason stolen >/dev/null; is "revoke" $? 0
attestctl attest >/dev/null; is "attest when revoked" $? 1
login "revoked" refused '*host-revoked*'
verifierctl audit list | grep -q revoke; is "the audit trail has it" $? 0

# And back, with what it has: no new enrollment. Its name is the verifier's to give.
verifierctl reinstate host-a --reason "was found" >/dev/null; is "reinstate" $? 0
attestctl attest >/dev/null; is "attest when reinstated" $? 0
login "reinstated" permitted ""
verifierctl rename host-a host-z --reason test >/dev/null; is "rename" $? 0
attestctl attest >/dev/null; is "attest under another name" $? 0
verifierctl show host-z --json | grep -q '"reason": *"ok"'; is "which the verifier knows" $? 0

# Forgotten: its TPM is nobody's, and may enroll under any name.
verifierctl remove host-z --reason sold </dev/null 2>/dev/null; is "an active host is not removed unasked" $? 2
verifierctl remove host-z --reason sold --dry-run >/dev/null && verifierctl show host-z >/dev/null; is "nor by a dry run" $? 0
verifierctl remove host-z --reason sold --yes >/dev/null; is "remove" $? 0
verifierctl show host-z >/dev/null 2>&1; is "it is not there" $? 1
attestctl attest >/dev/null; is "its last verdict counts until it ends" $? 0
attestctl unenroll --yes >/dev/null; is "unenroll" $? 0
attestctl enroll --url "https://127.0.0.1:$PORT" --ca "$LAB/verifier/tls/ca.pem" --name host-y >/dev/null; is "enroll under another name" $? 0
verifierctl approve host-y --yes >/dev/null; is "approve" $? 0
reaches 20 state affirming; is "and good at once, by the set of its group" $? 0
verifierctl revoke host-y --reason stolen >/dev/null; is "revoke, for who will not wait" $? 0
attestctl attest >/dev/null; is "attest when revoked" $? 1
verifierctl remove host-y --reason stolen --yes >/dev/null; is "remove one that is revoked" $? 0
attestctl attest >/dev/null; is "it stays refused" $? 1
login "revoked and removed" refused '*host-revoked*'
[ $failed = 0 ]
