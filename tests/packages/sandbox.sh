#!/bin/bash
# attestd and verifierd as their units start them, on a private machine: user, capabilities, system calls, address families
# and read-only folders are taken from the unit files. All that is left to systemd itself is what units.sh asks it about.
# A boot log that only root may read is read; logins wait while attestd starts and starts again; what verifierd's roles
# have to say arrives at syslog, as it does without -f.
set -u
# shellcheck disable=SC2034  # BUILD is for what is sourced
SOURCE=$top_srcdir BUILD=$top_builddir
. "$top_srcdir/tests/shell.sh"
needs swtpm swtpm_setup swtpm_localca tpm2_pcrextend jq systemd-analyze systemd-sysusers setpriv
. "$SOURCE/tests/integration/lab.sh"
if ldd "$BUILD/.libs/pam_attest.so" | grep -q 'lib[at]san'; then
	echo "SKIP: sanitizers want system calls of their own"
	exit 77
fi
[ "${1:-}" = --inside ] || exec "$SOURCE/tests/system/private.sh" bash "$0" --inside

lab_open /run/lab
trap lab_end EXIT

# --- what a unit says

says() { sed -n "s/^$2=//p" "$BUILD/deploy/$1.service"; }
# members NAME...: groups of system calls, taken apart.
members() {
	local n
	for n in "$@"; do
		case $n in
		@*) # shellcheck disable=SC2046  # a list of words
			members $(awk -v g="$n" '/^[@#]/ { on = $1 == g; next } on && NF == 1 { print $1 }' "$LAB/groups") ;;
		*) echo "$n" ;;
		esac
	done
}
# calls UNIT: those that are left, line by line as systemd reads them.
calls() {
	local line left
	left=$(members @default)
	while read -r line; do
		# shellcheck disable=SC2086  # a list of words
		case $line in
		"~"*) left=$(grep -vxFf <(members ${line#\~}) <<<"$left") ;;
		*) left=$(printf '%s\n' "$left" "$(members $line)") ;;
		esac
	done <<<"$(says "$1" SystemCallFilter)"
	sort -u <<<"$left"
}
# shellcheck disable=SC2016  # for the shell within
ENTER='
	for d in /run/attest /var/lib/attest /run/verifierd /var/lib/verifierd; do mount --bind $d $d || exit 1; done
	for d in / /etc /var /home /run; do mount -o remount,bind,ro $d || exit 1; done
	mount -t tmpfs tmpfs /tmp && mount -t tmpfs -o mode=0 tmpfs /root || exit 1
	[ "$4" != pid ] || mount -t proc -o subset=pid proc /proc || exit 1
	umask 077
	exec setpriv --reuid="$1" --regid="$1" --init-groups --no-new-privs --bounding-set="-all$2" --inh-caps="-all$3" \
		--ambient-caps="-all$3" "${@:5}"'
# words UNIT KEY: a list of capabilities, as setpriv has it.
words() { says "$1" "$2" | tr 'A-Z ' 'a-z\n' | sed -n 's/^cap_/,+/p' | tr -d '\n'; }
# under UNIT: the words that make a command run as the unit says, in UNDER.
under() {
	calls "$1" >"$LAB/$1.calls"
	is "$1: system calls that are left and are not" "$(grep -cxE 'openat|capset|mount|ptrace|bpf|setuid' "$LAB/$1.calls")" 2
	UNDER=(unshare --mount bash -c "$ENTER" bash "$(says "$1" User)" "$(words "$1" CapabilityBoundingSet)"
		"$(words "$1" AmbientCapabilities)" "$(says "$1" ProcSubset)" "$LAB/bin/unit_run" enter "$LAB/$1.calls")
}
capabilities() { sed -n 's/^Cap\(Prm\|Eff\|Amb\):[[:space:]]*//p' "/proc/$1/status" | tr '\n' ' '; }
NONE="0000000000000000 0000000000000000 0000000000000000 "
AUDIT_WRITE="0000000020000000 0000000020000000 0000000000000000 "     # not for what it starts
uids() { sed -n 's/^Uid:[[:space:]]*//p' "/proc/$1/status" | tr -s '[:space:]' ' '; }
all_ids() { local id; id=$(id -u "$1"); echo "$id $id $id $id "; }

# --- the machine
systemd-analyze syscall-filter >"$LAB/groups"
systemd-sysusers "$SOURCE"/deploy/sysusers.d/*.conf 2>"$LAB/sysusers.log"; is "users" $? 0
mkdir -p /etc/attest "$LAB/bin"
cp "$SOURCE/deploy/gate.conf" /etc/attest/
install -d -o attest -g attest /run/attest /var/lib/attest
install -d -o verifierd -g verifierd -m 700 /run/verifierd /var/lib/verifierd
chmod 755 /run/verifierd
for p in attestd attestd-tpm verifierd verifierd-core verifierd-net verifierd-parse verifierd-judge verifierd-setup unit_run; do
	cp "$(lab_program $p)" "$LAB/bin/"
done
lab_manufacture >"$LAB/manufacture.log" 2>&1 || { echo "no TPM"; failed=1; exit 1; }
lab_power_on "$SOURCE/tests/data/vm/sb-shimgrub-a/binary_bios_measurements" >>"$LAB/tpm.log" 2>&1
chmod 711 "$LAB" "$LAB/tpm"
chmod 666 "$LAB/tpm/sock" "$LAB/tpm/sock.ctrl"
chmod 400 "$LAB/boot_log"
chmod 644 "$LAB/boot_id"
mount --bind "$LAB/boot_id" /proc/sys/kernel/random/boot_id

# --- verifierd
PORT=$(lab_port)
printf '[listen]\nhosts = 127.0.0.1:%s\n[enroll]\nek_roots = %s\nsimulator = yes\n' "$PORT" "$LAB/ek-roots" >"$LAB/verifierd.conf"
verifierctl() { "$VERIFIERCTL" "$@"; }
lab_start syslog "$BUILD/tests/system/syslogd" /dev/log
wait_for 5 test -S /dev/log
under verifierd
lab_start verifierd "${UNDER[@]}" "$LAB/bin/verifierd" -c "$LAB/verifierd.conf"
wait_for 20 verifierctl hosts; is "verifierd serves" $? 0
is "verifierd: capabilities" "$(capabilities "${PIDS[verifierd]}")" "$NONE"
is "verifierd: user" "$(uids "${PIDS[verifierd]}")" "$(all_ids verifierd)"

# --- attestd
printf '[tpm]\ntcti = %s\n[logs]\nboot_log = %s\nima_log =\n' "$TCTI" "$LAB/boot_log" >"$LAB/attestd.conf"
under attestd
lab_start attestd "$LAB/bin/unit_run" manage /run/attest "${UNDER[@]}" "$LAB/bin/attestd" -c "$LAB/attestd.conf"
# Asked before it runs, on a socket that is there: the question waits.
wait_for 5 test -S /run/attest/gate.sock
is "asked at once" "$("$ATTESTCTL" status --json | jq -r .reason)" not-enrolled
attestd_pid() { pgrep -P "${PIDS[attestd]}" -x attestd; }
is "attestd: capabilities" "$(capabilities "$(attestd_pid)")" "$AUDIT_WRITE"
is "attestd: user" "$(uids "$(attestd_pid)")" "$(all_ids attest)"
(umask 077; cat /var/lib/verifierd/tls/ca.pem >/root/ca.pem)
"$ATTESTCTL" enroll --url "https://127.0.0.1:$PORT" --ca /root/ca.pem --name host-a >"$LAB/enroll.log" 2>&1; is "enrolled, by a CA in /root" $? 0
is "whose copy is gone" "$(ls /run/attest/ca.offered 2>/dev/null)" ""
verifierctl approve host-a --yes >/dev/null; is "approved" $? 0
reason() { [ "$(sed -n 's/^reason=//p' /run/attest/verdict 2>/dev/null)" = "$1" ]; }
wait_for 20 reason no-reference; is "the boot log that is root's was judged" $? 0
verifierctl references capture host-a --name base --reason test >/dev/null
verifierctl references activate base --yes >/dev/null
"$ATTESTCTL" attest >/dev/null; is "and is good" $? 0
grep -q "daemon.info verifierd-core: host-a: affirming" "$LAB/syslog.log"; is "verifierd's core said so" $? 0
kill -HUP "${PIDS[verifierd]}"
wait_for 5 grep -q 'verifierd-core: reloaded' "$LAB/syslog.log"; is "and that it took a signal" $? 0
is "and none of its processes ended" "$(grep -c ended "$LAB/syslog.log")" 0
is "the verdict is for everybody to read" "$(stat -c '%U %a' /run/attest/verdict)" "attest 644"
# (what it says of itself)
wait_for 5 grep -q '^WATCHDOG=1' "$LAB/attestd.log"; is "the watchdog is told" $? 0
is "and systemd, when it began" "$(grep -c '^READY=1' "$LAB/attestd.log")" 1

# --- it ends, and nobody notices
old=$(attestd_pid)
kill -KILL "$old"
"$ATTESTCTL" attest >"$LAB/attest.log" 2>&1; is "an attestation asked for while attestd was dead" $? 0
is "was another's" "$([ "$(attestd_pid)" != "$old" ] && echo yes)" yes
is "and it was ended once" "$(grep -c '^ENDED' "$LAB/attestd.log")" 1
[ $failed = 0 ]
