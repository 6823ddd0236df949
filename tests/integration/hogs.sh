#!/bin/bash
# Row 47: strangers of this machine who take what they can get of attestd and of the administrators' socket: a thousand
# connections that say nothing, questions without an end, attempts at `auth`. Time and memory stay bounded, the TPM is not
# theirs to drive, and root is served. (A bad signature before a long log: check_core, row_47.)
set -u
SOURCE=$top_srcdir BUILD=$top_builddir
. "$top_srcdir/tests/shell.sh"
needs swtpm swtpm_setup swtpm_localca tpm2_pcrextend pamtester jq
[ "$(id -u)" = 0 ] || { echo "SKIP: only root can be somebody else"; exit 77; }
. "$SOURCE/tests/integration/lab.sh"

lab_open "$(mktemp -d)"
finish() {
	go_away
	lab_end
}
trap finish EXIT

# crowd SOCKET [TEXT]: ten users with a hundred connections each, until go_away
HOG=$(lab_program hog)
HOGS=()
crowd() {
	local i
	rm -f "$LAB/doors" && mkfifo "$LAB/doors"
	exec 9<>"$LAB/doors"
	: >"$LAB/hogs"
	for i in 1 2 3 4 5 6 7 8 9 10; do
		"$HOG" "$1" 100 $((60000 + i)) ${2:+"$2"} <"$LAB/doors" >>"$LAB/hogs" 2>&1 9>&- & HOGS+=($!)
	done
	wait_for 20 sh -c '[ "$(grep -c there "$1")" = 10 ]' - "$LAB/hogs"; is "$1: a crowd" $? 0
}
go_away() {
	exec 9>&-
	[ ${#HOGS[@]} = 0 ] || wait "${HOGS[@]}"
	HOGS=()
}
quotes() { lab_field .counters.quotes; }
asks() { lab_field .counters.asks; }
memory() { awk '/^VmRSS:/ { print $2 }' "/proc/${PIDS[attestd]}/status"; }   # KiB
descriptors() { find "/proc/${PIDS[attestd]}/fd" -mindepth 1 2>/dev/null | wc -l; }
# login_of_root <what>: asks attestd, for there is no record
login_of_root() {
	rm -f "$LAB/run/verdict"
	is "$1: root's login" "$("$BUILD/tests/integration/pam_login" "$LAB/pam.d" demo kim </dev/null 2>&1 | tail -n 1)" Success
}

chmod 711 "$LAB"
lab_manufacture >"$LAB/manufacture.log" 2>&1 || { echo "no TPM"; failed=1; exit 1; }
lab_power_on "$SOURCE/tests/data/vm/sb-shimgrub-a/binary_bios_measurements" >>"$LAB/tpm.log" 2>&1
lab_verifier_conf
sed -i 's/^\[listen\]/&\nconnections = 64\nper_address = 16/' "$LAB/verifierd.conf"
lab_verifier_up; is "verifierd starts" $? 0
lab_host_conf
lab_gate_conf "timeout = 15s"
lab_attestd_up; is "attestd starts" $? 0
attestctl enroll --url "https://127.0.0.1:$PORT" --ca "$LAB/verifier/tls/ca.pem" --name host-a >/dev/null
verifierctl approve host-a --yes >/dev/null
wait_for 20 test -s "$LAB/run/result.jwt"
verifierctl references capture host-a --name base --reason test >/dev/null
verifierctl references activate base --yes >/dev/null
attestctl attest >/dev/null; is "good" $? 0
chmod 711 "$LAB/vrun"
[ $failed = 0 ] || exit 1

# --- a thousand connections that say nothing
before=$(memory) had=$(descriptors)
crowd "$LAB/run/gate.sock"
for n in 1 2 3; do
	sleep 2.2
	login_of_root "a thousand idle, $n"
done
attestctl status >/dev/null; is "a thousand idle: root sees the state" $? 0
[ $(($(descriptors) - had)) -le 160 ]; is "a thousand idle: descriptors, $had and now $(descriptors)" $? 0
[ $(($(memory) - before)) -le 3072 ]; is "a thousand idle: memory, $before KiB and now $(memory)" $? 0
go_away
wait_for 5 sh -c '[ "$(find /proc/'"${PIDS[attestd]}"'/fd -mindepth 1 | wc -l)" -le '$((had + 4))' ]'; is "and nothing of them stays" $? 0

# --- questions without an end: one quote in two seconds, over all of them
crowd "$LAB/run/gate.sock" version=1,verb=ask,wait_ms=30000
start=$EPOCHREALTIME before=$(quotes)
sleep 6
login_of_root "a thousand ask"
attestctl attest >/dev/null; is "a thousand ask: root attests" $? 0
took=$(((${EPOCHREALTIME/./} - ${start/./}) / 1000000)) made=$(($(quotes) - before))
[ $made -le $((took / 2 + 3)) ]; is "a thousand ask: $made quotes in $took s" $? 0
go_away

# --- strangers in auth: nobody is asked
printf 'auth required %s conf=%s\nauth required pam_permit.so\n' "$MODULE" "$LAB/gate.conf" >"$LAB/pam.d/door"
printf '[door]\nmode = enforce\narm = always\n' >>"$LAB/gate.conf"
asan=$(ldd "$MODULE" | sed -n 's/.*libasan[^ ]* => \([^ ]*\) .*/\1/p')
auth() {
	LD_PRELOAD="${asan:+$asan }libpam_wrapper.so" ASAN_OPTIONS=detect_leaks=0 PAM_WRAPPER=1 PAM_WRAPPER_SERVICE_DIR="$LAB/pam.d" \
		pamtester door "$1" authenticate >"$LAB/auth.out" 2>&1
}
auth kim; is "auth is let through while there is a record" $? 0
rm -f "$LAB/run/verdict"
before="$(quotes) $(asks)" refused=0
for n in $(seq 50); do auth "stranger$n" || refused=$((refused + 1)); done
is "fifty strangers in auth are refused" $refused 50
is "and neither TPM nor attestd is asked" "$(quotes) $(asks)" "$before"
login_of_root "and then"

# --- the administrators' socket: strangers fill the process, root is let in
crowd "$LAB/vrun/admin.sock"
for n in 1 2 3; do
	verifierctl hosts >/dev/null; is "a thousand on the administrators' socket: root is served, $n" $? 0
	sleep 1
done
net=$(pgrep -P "${PIDS[verifierd]}" -f 'verifierd-net .*admin$')
most=0
for _ in {1..10}; do
	sleep 0.2
	n=$(find "/proc/$net/fd" -mindepth 1 2>/dev/null | wc -l)
	[ "$n" -le $most ] || most=$n
done
[ $most -le 250 ]; is "and they have not much more than their share of 64: $most descriptors" $? 0
attestctl attest >/dev/null; is "hosts are served meanwhile" $? 0
go_away
[ $failed = 0 ]
