#!/bin/bash
# Clocks a day off, on the host and at the verifier; a store that was put back; a machine that has been up longer or less
# long than it says: old verdicts and old evidence do not come back (rows 37 and 46), and nobody is locked out.
set -u
SOURCE=$top_srcdir BUILD=$top_builddir
. "$top_srcdir/tests/shell.sh"
needs swtpm swtpm_setup swtpm_localca tpm2_pcrextend curl jq
. "$SOURCE/tests/integration/lab.sh"
SHIFTER=$(find "$BUILD" -name libshift.so -path '*integration*' | head -n 1)
[ -n "$SHIFTER" ] || { echo "SKIP: no libshift.so"; exit 77; }

DAY=86400
# clock WHO SECONDS: the wall clock of host or verifier, from now on
clock() { printf '%-31d\n' "$2" 1<>"$LAB/$1.clock"; }
with() { local who=$1; shift; LD_PRELOAD=$SHIFTER SHIFT=$LAB/$who.clock "$@"; }
host() { with host "$ATTESTCTL" -c "$LAB/gate.conf" --run-dir "$LAB/run" "$@"; }
attest() { host attest --json 2>/dev/null | jq -r .reason; }
decision() { host check --service demo --user kim --json | jq -r '"\(.decision) \(.reason)"'; }
quotes() { lab_field .counters.quotes; }
mark() { lines=$(wc -l <"$LAB/$1.log"); }
said() { tail -n +$((lines + 1)) "$LAB/$1.log" | grep -q "$2"; }
attestd_up() {
	rm -f "$LAB/run/gate.sock"
	lab_start attestd env LD_PRELOAD="$SHIFTER" SHIFT="$LAB/host.clock" "$ATTESTD" -c "$LAB/attestd.conf" -f
	wait_for 10 test -S "$LAB/run/gate.sock"
}
verifier_up() {
	lab_start verifierd env LD_PRELOAD="$SHIFTER" SHIFT="$LAB/verifier.clock" "$VERIFIERD" -c "$LAB/verifierd.conf" -f
	wait_for 20 verifierctl hosts
}
# What was sent so far goes to FOLDER, and is sent again: status and reason of each, once.
keep_sent() { rm -rf "${LAB:?}/$1"; mkdir "$LAB/$1"; mv "$LAB"/sent/*.body "$LAB/$1"; rm -f "$LAB"/sent/*; }
resend() {
	local body
	for body in "$LAB/$1"/*.body; do
		curl -s -m 10 -w '\n%{http_code}\n' --cacert "$CA" -H 'Content-Type: application/vnd.pam-attest.evidence' \
			--data-binary "@$body" "https://127.0.0.1:$PORT/v1/evidence" >"$LAB/resent"
		echo "$(tail -n 1 "$LAB/resent") $(head -n 1 "$LAB/resent" | jq -r .reason)"
	done | sort -u
}

lab_open "$(mktemp -d)"
case $(ldd "$ATTESTD" 2>/dev/null) in *libasan*) echo "SKIP: AddressSanitizer wants to be preloaded first"; rm -rf "$LAB"; exit 77 ;; esac
trap lab_end EXIT
for who in host verifier; do printf '%-31d\n' 0 >"$LAB/$who.clock"; done

lab_manufacture >"$LAB/manufacture.log" 2>&1 || { echo "no TPM"; failed=1; exit 1; }
lab_power_on "$SOURCE/tests/data/vm/sb-shimgrub-a/binary_bios_measurements" >>"$LAB/tpm.log" 2>&1
lab_verifier_conf 60s 60s
verifier_up; is "verifierd starts" $? 0
mkdir "$LAB/sent"
TAP=$(lab_port) CA=$LAB/verifier/tls/ca.pem
lab_start tap "$(lab_program tls_tap)" "$TAP" "$PORT" "$LAB/verifier/tls/server.pem" "$LAB/verifier/tls/server-key.pem" "$LAB/sent"
lab_host_conf
attestd_up; is "attestd starts" $? 0
wait_for 10 host enroll --url "https://127.0.0.1:$TAP" --ca "$CA" --name host-a
verifierctl approve host-a --yes >/dev/null; is "approve" $? 0
wait_for 20 test -s "$LAB/run/result.jwt"
verifierctl references capture host-a --name base --reason test >/dev/null
verifierctl references activate base --yes >/dev/null
is "good" "$(attest)" ok
[ $failed = 0 ] || exit 1

# --- the host's clock is set while a verdict counts: it is asked for again, by the same rules
sleep 2
for off in $DAY -$DAY 0; do
	before=$(quotes)
	clock host $off
	is "host $off s: an old verdict does not count by another clock" "$(decision)" "permit ok"
	is "host $off s: one new quote" $(($(quotes) - before)) 1
	is "host $off s: which counts" "$(decision) $(($(quotes) - before))" "permit ok 1"
	sleep 2
done
lab_kill verifierd
clock host $DAY
is "host $DAY s and no verifier" "$(decision)" "deny verifier-unreachable"
clock host -$DAY
sleep 5
is "host -$DAY s and no verifier: an expired verdict does not come back" "$(decision)" "deny verifier-unreachable"
clock host 0
verifier_up

# --- two clocks that differ
clock host $DAY
mark attestd
is "the verifier is a day behind" "$(attest)" ok
said attestd "the verifier's clock is 86[0-9]* s behind"; is "and that is said" $? 0
clock host 0
is "no more" "$(attest)" ok
clock verifier $DAY
mark attestd
is "the verifier is a day ahead" "$(attest)" ok
said attestd "the verifier's clock is 86[0-9]* s ahead"; is "and that is said" $? 0
clock verifier 0
is "both right again" "$(attest)" ok

# --- the verifier's clock is set: what was used or has expired stays so
keep_sent used
is "used is used" "$(resend used)" "403 challenge-invalid
403 challenge-used"
mark verifierd
for off in $DAY -$DAY -3600 0; do
	clock verifier $off
	is "clock set to $off s: evidence of before" "$(resend used)" "403 challenge-invalid"
	is "clock set to $off s: the host goes on" "$(attest)" ok
done
said verifierd 'the clock was set'; is "and that is said" $? 0

# --- a store that was put back
lab_kill verifierd
cp "$LAB/verifier/store.db" "$LAB/backup.db"
verifier_up
is "after the backup" "$(attest)" ok
keep_sent used
lab_kill verifierd
cp "$LAB/backup.db" "$LAB/verifier/store.db"
rm -f "$LAB"/verifier/store.db-*
verifier_up; is "a store from a backup opens" $? 0
is "evidence that it has not seen" "$(resend used)" "403 challenge-invalid"
is "hosts go on by themselves" "$(attest)" ok
is "its audit trail is intact" "$(verifierctl audit list --json | jq .intact)" true

# --- a time namespace: another CLOCK_BOOTTIME
if unshare -T --boottime 86400 true 2>/dev/null; then
	is "good before" "$(decision)" "permit ok"
	lab_kill attestd
	elsewhen() { unshare -T --boottime "$1" --monotonic "$1" "$ATTESTCTL" -c "$LAB/gate.conf" --run-dir "$LAB/run" check --service demo --user kim --json | jq -r '"\(.decision) \(.reason)"'; }
	is "a day later the record has expired" "$(elsewhen 86400)" "deny attestd-down"
	is "as long up as it is, it counts" "$(elsewhen 0)" "permit ok"
else
	echo "time namespace: not tried, none here"
fi
[ $failed = 0 ]
