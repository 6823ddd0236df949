#!/bin/bash
# Ways back in that an administrator of the verifier opens: leases by order and by a printed code, from verifierctl to the
# PAM answer, and what they do not open (row 38).
set -u
SOURCE=$top_srcdir BUILD=$top_builddir
. "$top_srcdir/tests/shell.sh"
needs swtpm swtpm_setup swtpm_localca tpm2_pcrextend pamtester jq setpriv
[ "$(id -u)" = 0 ] || { echo "SKIP: needs root, to be somebody else"; exit 77; }
. "$SOURCE/tests/integration/lab.sh"
SHIFTER=$(find "$BUILD" -name libshift.so -path '*integration*' | head -n 1)
VM=$SOURCE/tests/data/vm

like() {  # <what> <got> <pattern>
	# shellcheck disable=SC2254  # a pattern is meant
	case $2 in
	$3) passed=$((passed + 1)) ;;
	*) failed=$((failed + 1)); printf 'NOT OK: %s\n  got:    %s\n  wanted: %s\n' "$1" "$2" "$3" ;;
	esac
}
# login <what> <permitted|refused> [user]
login() {
	local rc
	lab_login "${3:-kim}" >"$LAB/login.out"; rc=$?
	[ $rc = 0 ] && rc=permitted || rc=refused
	is "$1" $rc "$2"
}
enters() { lab_login "${1:-kim}" >/dev/null; }
stays_out() { ! enters "$@"; }
# decision [environment...]: what the gate would say, perhaps by another clock.
decision() { env "$@" "$ATTESTCTL" -c "$LAB/gate.conf" check --service demo --user kim --json | jq -r '"\(.decision) \(.pam) \(.reason) \(.source)"'; }
allow() { verifierctl allow host-a "$@" --json; }
# Orders are asked for behind every attestation; by itself a refused host asks every 15 s.
nudge() { attestctl attest >/dev/null 2>&1; }
somebody() { setpriv --reuid 12345 --regid 12345 --clear-groups "$@"; }

lab_open "$(mktemp -d)"
trap lab_end EXIT
chmod 755 "$LAB"

lab_manufacture >"$LAB/manufacture.log" 2>&1 || { echo "no TPM"; failed=1; exit 1; }
lab_power_on "$VM/sb-shimgrub-a/binary_bios_measurements" >>"$LAB/tpm.log" 2>&1
lab_verifier_conf 60s 60s
lab_verifier_up; is "verifierd starts" $? 0
lab_host_conf
lab_attestd_up; is "attestd starts" $? 0
attestctl recover 00000000000000000000000000 >/dev/null 2>&1; is "no enrollment, no code" $? 1
attestctl enroll --url "https://127.0.0.1:$PORT" --ca "$LAB/verifier/tls/ca.pem" --name host-a >/dev/null; is "enroll" $? 0
verifierctl approve host-a --yes >/dev/null; is "approve" $? 0
wait_for 20 grep -q no-reference "$LAB/run/verdict"; is "it is refused" $? 0
is "the recovery key is there, for attestd alone" "$(stat -c %a "$LAB/state/recovery.key")" 600
login "refused" refused

# By order. One that does not overrule does not let anybody into a host that is refused.
allow --for 1h --user lee --reason "on call" >/dev/null; is "allow" $? 0
nudge
wait_for 20 test -s "$LAB/run/lease"; is "it reaches the host" $? 0
is "status tells of it" "$(lab_field '.lease[0] | "\(.by) \(.user) \(.overrules_refusal)"')" "order lee false"
login "a refusal stands against it" refused lee
began=$SECONDS
id=$(allow --for 2h --user kim --service demo --overrule-refusal --reason "repair" | jq -r .lease.id)
wait_for 20 enters; is "one that overrules lets its user in" $? 0
[ $((SECONDS - began)) -le 17 ]; is "within seconds" $? 0
is "never by PAM_SUCCESS" "$(decision)" "ignore PAM_IGNORE lease lease"
is "the log names the lease" "$(attestctl explain "$id" --json | jq -r '.decision | "\(.access) \(.reason) \(.source) \(.ref)"')" "leased lease lease $id"
login "and nobody else" refused lee
is "status says by what" "$(lab_field .source)" lease
like "for people as well" "$(attestctl status)" "*Lease: $id by order until *: kim, at some services, also while this host is refused*"
like "the verifier lists it" "$(verifierctl allow host-a --list)" "*$id  in-force*kim*demo*yes*repair*"
is "the trail has it" "$(verifierctl audit list --json | jq -r '[.entries[] | select(.action == "allow")] | length')" 2

# What is wrong with the file closes the door, whoever it was.
chmod 666 "$LAB/run/lease"; is "others may write it" "$(decision)" "deny PAM_PERM_DENIED no-reference none"
chmod 644 "$LAB/run/lease"
chown 12345 "$LAB/run/lease"; is "somebody else wrote it" "$(decision)" "deny PAM_PERM_DENIED no-reference none"
chown 0 "$LAB/run/lease"; is "as it was" "$(decision)" "ignore PAM_IGNORE lease lease"
if [ -n "$SHIFTER" ]; then
	asan=$(ldd "$ATTESTCTL" | sed -n 's/.*libasan[^ ]* => \([^ ]*\) .*/\1/p')
	for s in -86400 86400 7200; do
		printf '%-31d\n' $s >"$LAB/clock"
		is "by a clock that is $s s off it is over" "$(decision LD_PRELOAD="${asan:+$asan }$SHIFTER" SHIFT="$LAB/clock")" \
			"deny PAM_PERM_DENIED no-reference none"
	done
fi

# Codes, made while the verifier is there.
weak=$(allow --for 1h --print --reason "printed" | jq -r .code)
first=$(allow --for 1h --print --overrule-refusal --reason "printed" | jq -r .code)
code=$(allow --for 2h --print --overrule-refusal --reason "printed" | jq -r .code)
is "26 characters" ${#code} 26
verifierctl allow host-a --for 90m --print --reason x >/dev/null 2>&1; is "a code is for whole hours" $? 1
verifierctl allow host-a --for 25h --reason x >/dev/null 2>&1; is "no lease is for more than a day" $? 1

# The order ends by the administrator's word.
verifierctl allow host-a --end "$id" >/dev/null; is "allow --end" $? 0
wait_for 20 stays_out; is "it ends within seconds" $? 0
grep -q "$id" "$LAB/run/lease"; is "the other one stays" $? 1
verifierctl allow host-a --end >/dev/null; is "all of them end" $? 0
nudge
wait_for 20 test ! -e "$LAB/run/lease"; is "and the file with the last" $? 0
like "codes that were printed are ended as well" "$(attestctl recover "$code" 2>&1)" "*has been used or ended*"
first=$(allow --for 1h --print --overrule-refusal --reason "printed" | jq -r .code)
code=$(allow --for 2h --print --overrule-refusal --reason "printed" | jq -r .code)

# A restart of attestd in this boot keeps an order; the next boot does not.
allow --for 1h --overrule-refusal --reason "restart" >/dev/null
nudge
wait_for 20 enters; is "everybody" $? 0
lab_kill verifierd
lab_kill attestd KILL
rm -f "$LAB/run/lease"
lab_attestd_up
login "after a restart, without a verifier" permitted
cp "$LAB/run/lease" "$LAB/old-lease"
lab_kill attestd
lab_power_off
lab_power_on "$VM/sb-shimgrub-a/binary_bios_measurements" >>"$LAB/tpm.log" 2>&1
cp "$LAB/old-lease" "$LAB/run/lease"
is "an old file counts nothing" "$(decision)" "deny PAM_AUTHINFO_UNAVAIL attestd-down none"
lab_attestd_up
login "after a reboot" refused
[ ! -e "$LAB/run/lease" ]; is "it is not published again" $? 0

# By code, with no verifier. Whoever has a shell may try, and not often.
for _ in 1 2 3 4; do somebody "$ATTESTCTL" --run-dir "$LAB/run" -c "$LAB/gate.conf" recover "Z${code#?}" 2>"$LAB/guess"; done
like "a wrong one" "$(cat "$LAB/guess")" "*not a recovery code of this host*"
for _ in $(seq 60); do
	somebody "$ATTESTCTL" --run-dir "$LAB/run" -c "$LAB/gate.conf" recover "Z${code#?}" 2>"$LAB/guess" && is "guessed" 0 1
done
like "guesses are put off" "$(cat "$LAB/guess")" "*too many wrong codes: try again in *"
is "few of them were looked at" "$(jq -r '.failures < 8' "$LAB/state/recovery.key")" true
like "also a right one" "$(somebody "$ATTESTCTL" --run-dir "$LAB/run" -c "$LAB/gate.conf" recover "$code" 2>&1)" "*too many wrong codes*"
login "nothing is open" refused
like "no code at all" "$(attestctl recover hello 2>&1)" "*not the 26 letters*"
like "of a code that was ended before" "$(attestctl recover "$weak" 2>&1)" "*has been used or ended*"
typed=$(echo "$code" | tr 'A-Z01' 'a-zol' | sed 's/...../&-/g')
like "root is not put off; small letters, dashes, o and l for digits" "$(attestctl recover "$typed")" "*let people in until *"
login "by code" permitted
is "status says so" "$(lab_field '.lease[0].by')" code
attestctl recover "$code" >/dev/null 2>&1; is "a used code again" $? 1
attestctl recover "$first" >/dev/null 2>&1; is "one that was made before it" $? 1
lab_kill attestd KILL
lab_attestd_up
login "a restart keeps it" permitted
attestctl recover "$code" >/dev/null 2>&1; is "and does not forget that it was used" $? 1

# The verifier is back: revocation reaches the host within seconds, and no lease stands against it.
lab_verifier_up; is "the verifier is there again" $? 0
nudge
login "the code still counts" permitted
verifierctl revoke host-a --reason stolen >/dev/null; is "revoke" $? 0
nudge
wait_for 20 stays_out; is "a revoked host lets nobody in" $? 0
like "it says so" "$(lab_login kim)" "*host-revoked*"
verifierctl allow host-a --for 1h --overrule-refusal --reason x >/dev/null 2>&1; is "and gets no lease" $? 1
verifierctl allow host-a --for 1h --print --reason x >/dev/null 2>&1; is "nor a code" $? 1
[ $failed = 0 ]
