#!/bin/bash
# Grace, by real daemons and a PAM stack: each way of having no signed result, in the boot that was good and after a power
# cut; and what is no outage, no such boot, or over (row 42). Who was refused gets in within 5 s of the cause being gone.
set -u
SOURCE=$top_srcdir BUILD=$top_builddir
. "$top_srcdir/tests/shell.sh"
needs swtpm swtpm_setup swtpm_localca tpm2_pcrextend pamtester openssl jq
. "$SOURCE/tests/integration/lab.sh"
VM=$SOURCE/tests/data/vm

reaches() { wait_for "$1" sh -c '[ "$(sed -n s/^'"$2"'=//p "$1"/run/verdict 2>/dev/null)" = "$2" ]' - "$LAB" "$3"; }
decision() { attestctl check --service demo --user kim --json | jq -r '"\(.decision) \(.reason)"'; }
# login <what> <decision and reason>: attestd tries anew; then the gate's decision, and that of a login through PAM.
login() {
	local rc
	attestctl attest >/dev/null 2>&1
	is "$1" "$(decision)" "$2"
	lab_login kim >"$LAB/seen" && rc=permit || rc=deny
	is "$1: PAM" $rc "${2%% *}"
}
cut_power() {  # <recorded boot> [verifier's roles stay stopped]
	lab_kill attestd KILL
	swtpm_stop "$LAB/tpm" cut
	rm -rf "${LAB:?}"/run/*
	lab_power_on "$VM/$1/binary_bios_measurements" >>"$LAB/tpm.log" 2>&1
	lab_attestd_up
}
another_kernel() {  # as kexec does it: the TPM was not reset
	lab_kill attestd
	cat /proc/sys/kernel/random/uuid >"$LAB/boot_id"
	lab_attestd_up
}
# expires: the verdict does, which nobody renews
is_over() { [ "${EPOCHREALTIME%%[.,]*}" -gt $(($(sed -n 's/^expires_wall=//p' "$LAB/run/verdict") / 1000)) ]; }
expires() { wait_for 10 is_over; is "the verdict expires" $? 0; }
roles() { mapfile -t ROLES < <(pgrep -P "${PIDS[verifierd]}"); kill "-$1" "${ROLES[@]}"; }
# instead NAME STATUS BODY: a server in the verifier's place, by its certificate or another one
instead() {
	lab_kill instead
	printf 'HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s' "$2" ${#3} "$3" >"$LAB/says"
	lab_start instead "$(lab_program tls_says)" "$PORT" "$LAB/$1.pem" "$LAB/$1-key.pem" "$LAB/says"
	wait_for 5 bash -c "exec 3<>/dev/tcp/127.0.0.1/$PORT"
}

lab_open "$(mktemp -d)"
trap lab_end EXIT

lab_manufacture >"$LAB/manufacture.log" 2>&1 || { echo "no TPM"; failed=1; exit 1; }
lab_power_on "$VM/sb-shimgrub-a/binary_bios_measurements" >>"$LAB/tpm.log" 2>&1
lab_verifier_conf 2s 10m
lab_verifier_up; is "verifierd starts" $? 0
lab_host_conf
sed -i 's/^timeout = 2s/timeout = 1s/' "$LAB/attestd.conf"
lab_attestd_up; is "attestd starts" $? 0
attestctl enroll --url "https://127.0.0.1:$PORT" --ca "$LAB/verifier/tls/ca.pem" --name host-a >/dev/null
verifierctl approve host-a --yes >/dev/null
reaches 20 reason no-reference; is "enrolled" $? 0
verifierctl references capture host-a --name base --reason test >/dev/null
verifierctl references activate base --yes >/dev/null

# --- the verifier's certificate, one that has run out, one of another CA
tls=$LAB/verifier/tls
cp "$tls/server.pem" "$LAB/verifier.pem"
cp "$tls/server-key.pem" "$LAB/verifier-key.pem"
openssl req -new -key "$tls/server-key.pem" -subj /CN=127.0.0.1 2>/dev/null |
	openssl x509 -req -CA "$tls/ca.pem" -CAkey "$LAB/verifier/keys/ca-key.pem" -days -1 -out "$LAB/expired.pem" \
		-extfile <(echo subjectAltName=IP:127.0.0.1) 2>/dev/null; is "an expired certificate" $? 0
cp "$tls/server-key.pem" "$LAB/expired-key.pem"
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=127.0.0.1 \
	-addext subjectAltName=IP:127.0.0.1 -keyout "$LAB/foreign-key.pem" -out "$LAB/foreign.pem" 2>/dev/null
is "a foreign certificate" $? 0

# --- in the boot that was good: no signed result, in each way
login "good" "permit ok"
swtpm_pid=$(cat "$LAB/tpm/swtpm.pid")
kill -STOP "$swtpm_pid"
expires
login "the TPM does not answer" "permit grace"
kill -CONT "$swtpm_pid"
sleep 0.5
login "it does again" "permit ok"
roles STOP
expires
login "packets are dropped" "permit grace"
roles CONT
lab_kill verifierd
login "nobody listens" "permit grace"
instead verifier "503 Busy" ""
login "5xx" "permit grace"
instead expired "200 OK" "{}"
login "the certificate has expired" "permit grace"
is "and that is said" "$(lab_field .last_error | grep -c 'certificate has expired')" 1

# --- what is no outage
instead foreign "200 OK" "{}"
login "a server of another CA" "deny verifier-untrusted"
instead verifier "400 Bad Request" ""
login "4xx" "deny request-invalid"
instead verifier "200 OK" '{"result":"a.b.c"}'
login "an answer that is none" "deny result-invalid"
lab_kill instead
# Another root, another key for results; all else is the verifier's own.
mkdir "$LAB/aside"
mv "$LAB"/verifier/keys/{root.pem,root.jwk,result.pem,keyset.jws} "$LAB/aside/"
lab_verifier_up
login "a result that another key signed" "deny result-invalid"
lab_kill verifierd
mv "$LAB"/aside/* "$LAB/verifier/keys/"
login "an outage again" "permit grace"
attestctl status >/dev/null; is "status in grace" $? 0

# --- a power cut while the verifier is down
cut_power sb-shimgrub-a
login "the same boot after a power cut" "permit grace"
lab_kill attestd KILL
rm -f "$LAB/run/verdict"
lab_attestd_up
is "attestd starts again in it: nothing is compared" "$(sed -n 's/^good_this_boot=//p' "$LAB/run/verdict")" yes
another_kernel
login "another kernel in the same power cycle" "deny boot-unconfirmed"
grep -q "the TPM was not reset" "$LAB/attestd.log"; is "and why is said" $? 0
cut_power sb-shimgrub-cmd
login "another command line" "deny boot-unconfirmed"
grep -q "does not look like the last good one" "$LAB/seen"; is "the user is told" $? 0
grep -q "its PCR digest is not that of the last good result" "$LAB/attestd.log"; is "and the log has it" $? 0
cut_power sb-shimgrub-b
login "the same boot, another initrd's name" "permit grace"

# --- the verifier is back: grace was no permit of its own
lab_verifier_up
started=$SECONDS
wait_for 6 sh -c '[ "$('"$ATTESTCTL"' -c "$1/gate.conf" --run-dir "$1/run" check --service demo --user kim --json | jq -r .reason)" = ok ]' - "$LAB"
is "the next access is good by a verdict" $? 0
echo "after the outage: permitted by a verdict within $((SECONDS - started)) s"
lab_kill verifierd

# --- what grace never builds on: a warning, a refusal
lab_verifier_up
another_kernel
reaches 20 reason kexec; is "a kexec is warned of" $? 0
lab_kill verifierd
is "a warning permits" "$(decision)" "permit kexec"
expires
login "but not beyond its life" "deny verifier-unreachable"
cut_power sb-shimgrub-a
login "nor after a power cut" "deny verifier-unreachable"
lab_verifier_up
login "good again" "permit ok"
cut_power sb-shimgrub-cmd
reaches 20 state contraindicated; is "another command line is refused" $? 0
lab_kill verifierd
cut_power sb-shimgrub-a
login "a refusal outlives the boot that it was made in, while nobody takes it back" "deny cmdline-changed"
lab_gate_conf "sources = exempt cache quote grace [none=permit broken=permit]"
login "row 27: with none=permit too" "deny cmdline-changed"
lab_gate_conf
lab_verifier_up

# --- the cause is gone: the next access, untouched, 5 s later at the most
cut_power sb-shimgrub-cmd
reaches 20 state contraindicated
ref=$(lab_field .ref)
# Refused and in the pauses of an outage at the same time.
roles STOP
attestctl attest >/dev/null 2>&1
attestctl attest >/dev/null 2>&1
attestctl attest >/dev/null 2>&1
roles CONT
is "refused" "$(decision)" "deny cmdline-changed"
verifierctl accept "$ref" --reason planned --yes >/dev/null; is "accept" $? 0
accepted=${EPOCHREALTIME/./} before=$(lab_field .counters.quotes)
until [ "$(decision)" = "permit ok" ] || [ $((${EPOCHREALTIME/./} - accepted)) -gt 9000000 ]; do sleep 0.2; done
took=$(((${EPOCHREALTIME/./} - accepted) / 1000))
echo "after accept: permitted within $took ms"
[ $took -le 5400 ]; is "accepted: let in within 5 s" $? 0
[ $(($(lab_field .counters.quotes) - before)) -le 2 ]; is "and a refused host makes a quote in 5 s, whoever asks" $? 0

# --- revoked while its packets are dropped: until grace_max, and not beyond
lab_kill verifierd
lab_verifier_conf 2s 5s
lab_verifier_up
login "good, with 5 s of grace" "permit ok"
good=$SECONDS
verifierctl revoke host-a --reason stolen >/dev/null; is "revoked" $? 0
roles STOP
expires
is "grace, for nobody can tell" "$(decision)" "permit grace"
while [ $((SECONDS - good)) -le 5 ]; do sleep 0.2; done
login "row 42: past grace_max" "deny verifier-unreachable"
roles CONT
sleep 0.5
login "row 42: and when packets arrive" "deny host-revoked"
lab_kill verifierd
login "row 42: which no outage takes back" "deny host-revoked"
[ $failed = 0 ]
