#!/bin/bash
# attestd beside a TPM that is slow, frozen, gone or swapped, and servers that are not its verifier.
set -u
SOURCE=$top_srcdir BUILD=$top_builddir
. "$top_srcdir/tests/shell.sh"
needs swtpm swtpm_setup swtpm_localca tpm2_pcrextend tpm2_createprimary tpm2_evictcontrol openssl jq
. "$SOURCE/tests/integration/lab.sh"
# shellcheck source=tests/json.sh
. "$top_srcdir/tests/json.sh"
VM=$SOURCE/tests/data/vm

field() { sed -n "s/^$1=//p" "$LAB/run/verdict" 2>/dev/null; }
reaches() { wait_for "$1" sh -c '[ "$(sed -n s/^'"$2"'=//p "$1"/run/verdict 2>/dev/null)" = "$2" ]' - "$LAB" "$3"; }
# attests <what> <reason> <exit code>; ok has to be a new result, not one that still counts
attests() {
	local out rc before
	before=$(lab_field .ref)
	out=$(attestctl attest --json 2>&1); rc=$?
	is "$1: reason" "$(printf '%s' "$out" | jq -r .reason 2>/dev/null || printf '%s' "$out")" "$2"
	is "$1: exit code" $rc "$3"
	[ "$2" != ok ] || { [ "$(lab_field .ref)" != "$before" ]; is "$1: a new result" $? 0; }
}
# attempt <what> <reason>: the error of the newest attempt, whatever counts meanwhile
attempt() { is "$1" "$(sed -n '$s/^attestd: [a-z]*: \([a-z-]*\).*/\1/p' "$LAB/attestd.log")" "$2"; }
commands() { wc -l <"$LAB/tap.log"; }
restart() { lab_kill attestd "${1:-TERM}"; lab_attestd_up; }
enroll() { attestctl enroll --url "https://127.0.0.1:$PORT" --name host-a "$@" 2>&1; }
conf() {  # <[verifier] lines>: attestd.conf with them, in force after a restart
	lab_host_conf
	sed -i "s|^timeout = 2s|&\\n$1|" "$LAB/attestd.conf"
}

lab_open "$(mktemp -d)"
trap lab_end EXIT

# --- configuration
TCTI=
lab_host_conf
"$ATTESTD" -c "$LAB/attestd.conf" -t; is "a good configuration" $? 0
printf "[process]\ncolour = red\n" >"$LAB/attestd.conf"
out=$("$ATTESTD" -c "$LAB/attestd.conf" -t 2>&1); is "a bad one" $? 2
case $out in *attestd.conf:*colour*) is "names file and key" yes yes ;; *) is "names file and key" "$out" "attestd.conf:N: … colour" ;; esac

# --- a TPM behind a tap
lab_manufacture >"$LAB/manufacture.log" 2>&1 || { echo "no TPM"; failed=1; exit 1; }
lab_power_on "$VM/sb-shimgrub-a/binary_bios_measurements" >>"$LAB/tpm.log" 2>&1
DIRECT=$TCTI
lab_start tap "$(lab_program tap)" "$LAB/tap" "$LAB/tpm/sock"
wait_for 5 test -S "$LAB/tap.ctrl"
TCTI=swtpm:path=$LAB/tap
lab_verifier_conf 60s 60s
lab_verifier_up; is "verifierd starts" $? 0
CA=$LAB/verifier/tls/ca.pem
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj "/CN=another CA" \
	-keyout "$LAB/other.key" -out "$LAB/other.pem" 2>/dev/null

# --- enrollment, interrupted everywhere
conf ""
lab_attestd_up; is "attestd starts" $? 0
enroll --ca "$LAB/other.pem" >"$LAB/enroll.out"; is "enroll trusting another CA" $? 1
grep -q verifier-untrusted "$LAB/enroll.out"; is "says verifier-untrusted" $? 0
enroll --ca-sha256 "$(printf '0%.0s' {1..64})" >"$LAB/enroll.out"; is "enroll with another pin" $? 1
enroll --ca-sha256 "$(openssl x509 -in "$CA" -outform der | sha256sum | cut -c1-64)" >"$LAB/enroll.out"
is "enroll with the right pin" $? 0
cmp -s "$CA" "$LAB/state/ca.pem" || openssl x509 -in "$LAB/state/ca.pem" -noout -fingerprint | cmp -s - <(openssl x509 -in "$CA" -noout -fingerprint)
is "and that CA is kept" $? 0
is "pending" "$(lab_field .enrollment)" pending
is "the TPM holds neither session nor transient key after it" \
	"$(TPM2TOOLS_TCTI=$DIRECT tpm2_getcap handles-loaded-session; TPM2TOOLS_TCTI=$DIRECT tpm2_getcap handles-transient)" ""
restart KILL
is "pending after kill -9" "$(lab_field .enrollment)" pending
verifierctl approve host-a --yes >/dev/null; is "approve" $? 0
reaches 20 reason no-reference; is "goes on by itself" $? 0
restart KILL
is "active after kill -9" "$(lab_field .enrollment)" active
verifierctl references capture host-a --name base --reason test >/dev/null
verifierctl references activate base --yes >/dev/null
attests "after activation" ok 0

# --- a TPM process that dies while nobody waits for it
kill -KILL "$(pgrep -P "${PIDS[attestd]}")"
attests "costs nobody an answer" ok 0

# --- one command on the wire
before=$(commands)
attests "again" ok 0
is "one command" $(($(commands) - before)) 1
is "which is TPM2_Quote" "$(tail -n 1 "$LAB/tap.log")" 0x00000158
restart
is "has its verdict at once" "$(lab_field .state)" affirming
before=$(commands)
attests "a restarted attestd" ok 0
is "one command again" $(($(commands) - before)) 1

# --- the TPM's lockout counter: one command when doctor asks, none when it asks again at once, and no attestation with it
before=$(commands) quotes=$(lab_field .counters.quotes)
attestctl doctor --pam-dir "$LAB/pam.d" --json >"$LAB/doctor.json"
is "doctor reads the lockout counter" "$(jq -r '[.findings[] | select(.text | test("lockout"))] | length' "$LAB/doctor.json")" 0
is "by one command" $(($(commands) - before)) 1
is "which is TPM2_GetCapability" "$(tail -n 1 "$LAB/tap.log")" 0x0000017a
attestctl doctor --pam-dir "$LAB/pam.d" --json >/dev/null
is "and asked again by none" $(($(commands) - before)) 1
is "and by no quote" "$(lab_field .counters.quotes)" "$quotes"
attests "the next attestation has one command" ok 0
is "as before" $(($(commands) - before)) 2
is "status says when attestd attests again" "$(attestctl status --json | jq -r '(.renews | fromdateiso8601) > now')" true
is "and that the verifier answered" "$(attestctl status --json | jq -r '(.verifier.answered | fromdateiso8601) > now - 60')" true
attestctl is-attested -q; is "is-attested" $? 0
# --- attest-json(7) says what these print; tests/gate asks those that need no daemon
fits() { local s=$1; shift; is "$s" "$("$@" --json 2>&1 | json_differs "$s")" ""; }
fits "attestctl status" attestctl status
fits "attestctl status" attestctl attest
lab_login >/dev/null
fits "attestctl status" attestctl explain "$(lab_field .ref)"
fits "attestctl report" attestctl report
fits "attestctl metrics" attestctl metrics
fits "attestctl check" attestctl check --service demo --user kim
fits "attestctl doctor" attestctl doctor --pam-dir "$LAB/pam.d"
fits "attestctl passport" attestctl passport --audience vpn.example --user kim
fits "verifierctl hosts" verifierctl hosts
fits "verifierctl show" verifierctl show host-a
fits "verifierctl history" verifierctl history host-a
for what in references policies groups allow-lists gateways audit; do fits "verifierctl $what list" verifierctl $what list; done
fits "verifierctl tokens create" verifierctl tokens create --reason test

# --- power
lab_kill attestd
TCTI=$DIRECT
lab_power_off
lab_power_on "$VM/sb-shimgrub-a/binary_bios_measurements" >>"$LAB/tpm.log" 2>&1
lab_attestd_up
reaches 20 reason ok; is "the AK survives a power cut" $? 0

# --- another boot while no verifier answers: our own quote tells whether it is the good one again
power_cycle() {
	lab_kill attestd
	lab_power_off
	lab_power_on "$VM/$1/binary_bios_measurements" >>"$LAB/tpm.log" 2>&1
	lab_attestd_up
}
lab_kill verifierd
power_cycle sb-shimgrub-b
wait_for 10 grep -q upstream_out=yes "$LAB/run/verdict"; is "the outage is noticed" $? 0
is "the same boot again" "$(field good_this_boot)" yes
power_cycle sb-shimgrub-cmd
wait_for 10 grep -q upstream_out=yes "$LAB/run/verdict"
is "another boot" "$(field good_this_boot)" no
lab_verifier_up
power_cycle sb-shimgrub-a
reaches 20 reason ok; is "the verifier is back" $? 0

# --- a frozen verifier (row 16)
mapfile -t roles < <(pgrep -P "${PIDS[verifierd]}")
kill -STOP "${roles[@]}"
start=$SECONDS
attestctl attest >/dev/null 2>&1
[ $((SECONDS - start)) -le 4 ]; is "a frozen verifier is answered for in time" $? 0
attempt "as unreachable" verifier-unreachable
kill -CONT "${roles[@]}"
sleep 1
attests "the verifier goes on" ok 0

# --- a frozen TPM
swtpm_pid=$(cat "$LAB/tpm/swtpm.pid")
kill -STOP "$swtpm_pid"
start=$SECONDS
attestctl attest >/dev/null 2>&1
[ $((SECONDS - start)) -le 7 ]; is "a frozen TPM is answered for in time" $? 0
attempt "as tpm-busy" tpm-busy
is "what was signed counts until it expires" "$(field reason)" ok
kill -CONT "$swtpm_pid"
sleep 1
attests "the TPM is back" ok 0

# --- the verifier's address and certificate
conf "url = https://127.0.0.1:1, https://127.0.0.1:$PORT"
restart
attests "the second URL answers" ok 0
conf "ca_file = $LAB/other.pem"
restart
attestctl attest >/dev/null
attempt "a server of another CA" verifier-untrusted
is "is no outage" "$(lab_field .verifier.state)" ok
# The same with that CA in what everybody else on the machine trusts.
mkdir "$LAB/store"
cp "$CA" "$LAB/store/ca-certificates.crt"
cp "$CA" "$LAB/store/verifier.pem"
openssl rehash "$LAB/store" 2>/dev/null
if unshare -m sh -c "mount --bind '$LAB/store' /etc/ssl/certs" 2>/dev/null; then
	lab_kill attestd
	rm -f "$LAB/run/gate.sock"
	lab_start attestd unshare -m sh -c "mount --bind '$LAB/store' /etc/ssl/certs && exec '$ATTESTD' -c '$LAB/attestd.conf' -f"
	wait_for 10 test -S "$LAB/run/gate.sock"
	if command -v curl >/dev/null; then
		unshare -m sh -c "mount --bind '$LAB/store' /etc/ssl/certs && curl -s --cacert '$LAB/other.pem' https://127.0.0.1:$PORT/healthz >/dev/null"
		is "a libcurl left as it is believes it" $? 0
	fi
	attestctl attest >/dev/null
	attempt "a CA of the system store is not trusted" verifier-untrusted
else
	echo "system store: not tried, no mount namespace here"
fi
conf ""
restart
attests "the right CA again" ok 0

# --- callers
if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null; then
	chmod 711 "$LAB"
	ask_as() { setpriv --reuid=65534 --regid=65534 --clear-groups "$ATTESTCTL" -c "$LAB/gate.conf" --run-dir "$LAB/run" "$@"; }
	if setpriv --reuid=65534 --regid=65534 --clear-groups test -x "$ATTESTCTL"; then
		ask_as status >/dev/null; is "anybody may see the state" $? 0
		ask_as attest 2>/dev/null; is "but not attest" $? 7
		ask_as enroll --url https://127.0.0.1:1 --ca /dev/null 2>/dev/null; is "nor enroll" $? 7
		# What only root may read is opened before root is given up.
		lab_kill attestd
		chown -R 65534:65534 "$LAB/state" "$LAB/run"
		chmod 600 "$LAB/boot_log"
		chmod 711 "$LAB/tpm"
		chmod 666 "$LAB/tpm/sock" "$LAB/tpm/sock.ctrl"
		sed -i "s/^user =/user = nobody/" "$LAB/attestd.conf"
		lab_attestd_up
		is "runs as its user" "$(sed -n 's/^Uid:[[:space:]]*//p' "/proc/${PIDS[attestd]}/status" | tr -s "[:space:]" " ")" "65534 65534 65534 65534 "
		attests "as that user" ok 0
	fi
fi

# --- another key under our handle
handle=$(jq -r .persistent "$LAB/state/ak")
handle=$(printf '0x%x' "$handle")
export TPM2TOOLS_TCTI=$DIRECT
lab_kill attestd
rm -f "$LAB/state/last-good"    # else grace would answer
tpm2_evictcontrol -C o -c "$handle" >/dev/null
lab_attestd_up
attestctl attest >/dev/null
is "the AK is gone" "$(field reason)" ak-changed
tpm2_createprimary -C e -G ecc:ecdsa-sha256:null -c "$LAB/foreign.ctx" \
	-a 'fixedtpm|fixedparent|sensitivedataorigin|userwithauth|noda|restricted|sign' >/dev/null
tpm2_evictcontrol -C o -c "$LAB/foreign.ctx" "$handle" >/dev/null
tpm2_flushcontext -t
restart
attests "another key under its handle" ak-changed 5

# --- no TPM at all
lab_kill attestd
lab_power_off
lab_attestd_up
attestctl attest >/dev/null; is "no TPM: exit code" $? 5
attempt "no TPM" tpm-absent
attestctl unenroll >"$LAB/unenroll.out" 2>&1; is "unenroll while a service is enforced" $? 2
attestctl unenroll --yes >"$LAB/unenroll.out" 2>&1; is "unenroll without the TPM" $? 1
grep -q "forgotten, but its key $handle is still in the TPM" "$LAB/unenroll.out"; is "says what is left" $? 0
is "not enrolled any more" "$(lab_field .enrollment) $(ls "$LAB/state/identity" "$LAB/state/ak" 2>/dev/null)" "none "
pid=${PIDS[attestd]}
unset 'PIDS[attestd]'
kill "$pid"; wait "$pid"; is "SIGTERM ends it well" $? 0
[ $failed = 0 ]
