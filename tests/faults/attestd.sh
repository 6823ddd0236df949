#!/bin/bash
# Row 21, attestd itself with TPM and verifier: from a caller's question to the answer one system call of its threads
# fails at a time. The host is refused: no answer and no record may say otherwise, none is half written, and attestd
# answers afterwards or has ended.
#
#   FAULTS=all tests/faults/attestd.sh     every call with every error (default: every few, the errors in turn)
set -u
SOURCE=$top_srcdir BUILD=$top_builddir
. "$top_srcdir/tests/shell.sh"
needs swtpm swtpm_setup swtpm_localca tpm2_pcrextend jq
. "$SOURCE/tests/integration/lab.sh"
VM=$SOURCE/tests/data/vm

faults=0 ended=0
reaches() { wait_for "$1" sh -c '[ "$(sed -n s/^'"$2"'=//p "$1"/run/verdict 2>/dev/null)" = "$2" ]' - "$LAB" "$3"; }

lab_open "$(mktemp -d)"
finish() {
	lab_close
	[ $failed = 0 ] || for l in "$LAB"/*.log; do echo "--- ${l##*/}"; tail -n 30 "$l"; done
	rm -rf "$LAB"
	echo "$faults faults, attestd ended by $ended of them; $passed passed, $failed failed"
}
trap finish EXIT

FAIL=$(lab_program fail_daemon)
echo "0 0" >"$LAB/fault"
"$FAIL" "$LAB/fault" /bin/true; [ $? = 0 ] || { echo "SKIP: ptrace does not work here"; exit 77; }

lab_manufacture >"$LAB/manufacture.log" 2>&1 || { echo "no TPM"; failed=1; exit 1; }
lab_power_on "$VM/sb-shimgrub-a/binary_bios_measurements" >>"$LAB/tpm.log" 2>&1
lab_verifier_conf 60s 60s
lab_verifier_up; is "verifierd starts" $? 0
lab_host_conf
# A filter would refuse the call that is not made, in the place of its error.
sed -i 's/^\[process\]/&\nsandbox = no/' "$LAB/attestd.conf"
lab_attestd_up
attestctl enroll --url "https://127.0.0.1:$PORT" --ca "$LAB/verifier/tls/ca.pem" --name host-a >/dev/null
verifierctl approve host-a --yes >/dev/null
reaches 20 reason no-reference; is "attests" $? 0
verifierctl references capture host-a --name base --reason test >/dev/null
verifierctl references activate base --yes >/dev/null
attestctl attest >/dev/null; is "good" $? 0
[ $failed = 0 ] || exit 1
lab_kill attestd
lab_power_off
lab_power_on "$VM/sb-shimgrub-cmd/binary_bios_measurements" >>"$LAB/tpm.log" 2>&1

answers() { timeout 5 "$ATTESTCTL" -c "$LAB/gate.conf" --run-dir "$LAB/run" status >/dev/null 2>&1; [ $? -le 1 ]; }
up() {
	rm -f "$LAB/run/gate.sock"
	echo "0 0" >"$LAB/fault"
	lab_start attestd "$FAIL" "$LAB/fault" "$ATTESTD" -c "$LAB/attestd.conf" -f
	wait_for 20 answers
}
tell() { echo "$1 $2" >"$LAB/fault"; kill -USR1 "${PIDS[attestd]}"; }
ended() { ! lives; }
lives() { kill -0 "${PIDS[attestd]}" 2>/dev/null; }

up
reaches 20 reason cmdline-changed; is "refused" $? 0
attestctl attest >/dev/null; is "refused when asked" $? 1
# The first call that is counted may be one under way; the count is what a whole question takes.
tell 0 0
attestctl attest >/dev/null
tell 0 0
wait_for 5 test -s "$LAB/fault.calls"
attestctl status >/dev/null
calls=$(cat "$LAB/fault.calls")
[ "$calls" -gt 40 ]; is "calls from question to answer: $calls" $? 0
[ $failed = 0 ] || exit 1

errors=(12 5 24 4 11 28)  # ENOMEM EIO EMFILE EINTR EAGAIN ENOSPC
step=$((calls / 60 + 1)) all=
[ "${FAULTS:-}" != all ] || step=1 all=1
at=1 k=0
while [ $at -le "$calls" ]; do
	for error in "${errors[@]}"; do
		[ -n "$all" ] || error=${errors[$((k++ % ${#errors[@]}))]}
		what="call $at of $calls fails with $error"
		tell $at "$error"
		timeout 30 "$ATTESTCTL" -c "$LAB/gate.conf" --run-dir "$LAB/run" attest >"$LAB/attest.out" 2>&1; rc=$?
		faults=$((faults + 1))
		case $rc in
		1 | 3 | 4 | 5) passed=$((passed + 1)) ;;
		*) is "$what: exit code" $rc "1, 3, 4 or 5" ;;
		esac
		if [ -e "$LAB/run/verdict" ]; then
			is "$what: the record" "$(sed -n 's/^state=//p' "$LAB/run/verdict")" contraindicated
			is "$what: the record is whole" "$(tail -c 1 "$LAB/run/verdict" | od -An -c | tr -d ' ')$(wc -l <"$LAB/run/verdict")" '\n22'
		fi
		wait_for 5 answers
		# It may also end between two questions.
		rc=3
		if lives && answers; then attestctl status >/dev/null 2>&1; rc=$?; fi
		if [ $rc != 3 ]; then
			is "$what: says so afterwards" $rc 1
		elif lives && ! wait_for 20 ended; then
			is "$what: it hangs" yes no
			lab_kill attestd KILL
			up
		else
			ended=$((ended + 1))
			up
			attestctl status >/dev/null; is "$what: starts again and says so" $? 1
		fi
		[ -n "$all" ] || break
	done
	at=$((at + step))
done
[ $failed = 0 ]
