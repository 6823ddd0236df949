#!/bin/bash
# The ways back in, with the real sshd and the commands that an administrator types: a fresh install refuses nobody; a trial ends
# by itself, and becomes permanent only once a verdict has let somebody in; break-glass rings the bell; kill switches count on the
# console, and elsewhere where they were asked to; a refused host is let in within 5 s of the cause being gone; unhook undoes hook.
set -u
# shellcheck disable=SC2034  # BUILD is for what is sourced
SOURCE=$top_srcdir BUILD=$top_builddir
. "$top_srcdir/tests/shell.sh"
needs swtpm swtpm_setup swtpm_localca tpm2_pcrextend jq pamtester
. "$SOURCE/tests/integration/lab.sh"
. "$SOURCE/tests/system/machine.sh"
machine_skip
[ "${1:-}" = --inside ] || exec "$SOURCE/tests/system/private.sh" bash "$0" --inside
VM=$SOURCE/tests/data/vm

lab_open /run/lab
trap lab_end EXIT

# The files where the shipped configuration has them. PAM's modules are not where a build that was never installed looks for
# them, which it does for /etc/pam.d by that very name.
ctl() { "$ATTESTCTL" "$@" 2>&1; }
PAM=/etc/pam.d/
state() { wait_for "$1" sh -c '[ "$(sed -n s/^state=//p /run/attest/verdict)" = "$1" ]' - "$2"; }
as() { [ "$("${SSH[@]}" "${by_key[@]}" -l "$1" localhost echo in 2>"$LAB/seen" </dev/null)" = in ] && echo in || echo out; }
# at_console USER [TTY]: the account phase of login there, or on tty1.
at_console() { pamtester -I tty="/dev/${2:-tty1}" login "$1" acct_mgmt >"$LAB/seen" 2>&1 && echo in || echo out; }
# says <what> <wanted exit> <words> WORDS...
says() {
	local what=$1 code=$2 words=$3 out rc; shift 3
	out=$(ctl "$@"); rc=$?
	is "$what" $rc "$code"
	case $out in *"$words"*) passed=$((passed + 1)) ;; *) is "$what: what it says" "$out" "$words" ;; esac
}
# logged <words>: LOGGED becomes the priority of each line that the module wrote since it was asked last, and those words.
logged() { machine_logged; LOGGED=$(grep ': pam_attest(' "$LAB/logged" | grep -oE "^[a-z]+\.[a-z]+|$1" | tr '\n' ' '); }

# --- the machine, as a package leaves it: every service audits
lab_manufacture >"$LAB/manufacture.log" 2>&1 || { echo "no TPM"; failed=1; exit 1; }
lab_power_on "$VM/sb-shimgrub-a/binary_bios_measurements" >>"$LAB/tpm.log" 2>&1
lab_verifier_conf
lab_verifier_up; is "verifierd starts" $? 0
lab_host_conf
machine_paths; is "paths" $? 0
machine_syslog; is "syslog" $? 0
machine_users; is "users" $? 0
machine_sshd; is "sshd" $? 0
cp "$BUILD/.libs/pam_attest.so" "$PAM_MODULES/"
usermod -s /bin/bash -p "$(openssl passwd -5 "$PASSWORD")" root 2>/dev/null
: >/run/cmdline
conf() { printf '[paths]\nowner = root\ncmdline = /run/cmdline\n[default]\nmode = audit\ntimeout = 1s\n%s\n' "${1:-}" >/etc/attest/gate.conf; }
conf
cp -p /etc/pam.d/sshd "$LAB/sshd.before"
cp -p /etc/pam.d/login "$LAB/login.before"
lab_attestd_up; is "attestd starts" $? 0

# --- 1: hooked, and nothing is refused: what would have been is counted
says "hook sshd" 0 "in mode audit" hook sshd --pam-dir $PAM
says "hook login" 0 "in mode audit" hook login --pam-dir $PAM
is "a fresh install refuses nobody" "$(as kim) $(at_console kim)" "in in"
is "and counts whom it would have" "$(ctl report --json | jq -r '.services[] | select(.service == "sshd") | .would_refuse')" 1
says "no enforcement of a host that nobody knows" 6 "no way back in was proved" enforce sshd --trial 10m

# --- 3, 2: a proved way back in, then a trial
ctl enroll --url "https://127.0.0.1:$PORT" --ca "$LAB/verifier/tls/ca.pem" --name host-a >/dev/null
verifierctl approve host-a --yes >/dev/null
wait_for 20 grep -q reason=no-reference /run/attest/verdict; is "enrolled" $? 0
says "nor of one that is refused" 1 "this host is not affirming" enforce sshd --trial 10m
verifierctl references capture host-a --name base --reason test >/dev/null
verifierctl references activate base --yes >/dev/null
ctl attest >/dev/null; is "and good" $? 0
says "nor without a way back in" 2 "Next: attestctl rescue test USER" enforce sshd --trial 10m
says "rescue test kim" 1 "no way back in is proved" rescue test lee
says "rescue test root" 0 "passes on tty1 without any daemon" rescue test root
says "rescue test eve" 0 "passes sshd without any daemon; has a key and a password" rescue test eve
says "nor of a service without a line" 2 "Next: attestctl hook sudo" enforce sudo --trial 10m
is "all the while nothing was written" "$(find /etc/attest -name '*attestctl*')" ""

# A trial that nobody confirms: the host is refused under it, kim is out, and is in again when it ends.
says "a trial" 0 "sshd is enforced until" enforce sshd --trial 6s
verifierctl references retire base --reason test --yes >/dev/null
ctl attest >/dev/null; is "the host is refused" $? 1
is "under the trial nobody comes in" "$(as kim)" out
says "which confirms nothing" 2 "no verdict has permitted anybody" enforce sshd --confirm
machine_logged
is "but break-glass does" "$(as eve)" in
logged reason=break-glass
is "and rings the bell" "$LOGGED" "authpriv.alert reason=break-glass "
says "which confirms nothing either" 2 "no verdict has permitted anybody" enforce sshd --confirm
wait_for 10 sh -c "[ \$(date +%s) -ge $(date +%s -d "$(sed -n 's/^until = //p' /etc/attest/gate.conf.d/90-attestctl-sshd.conf)") ]"
is "the trial ends by itself" "$(as kim)" in
is "and the use of break-glass is the better proof" "$(ctl rescue test eve | grep -c 'is the better proof')" 1
is "which is written down" "$(grep -c 'break-glass used eve' /var/lib/attest/rescue)" 1

verifierctl references activate base --yes >/dev/null
ctl attest >/dev/null; is "good again" $? 0

# A trial that a login confirms.
says "another trial" 0 "sshd is enforced until" enforce sshd --trial 10m
says "nobody has come in yet" 2 "no verdict has permitted anybody" enforce sshd --confirm
sleep 1
is "somebody does" "$(as kim)" in
says "it is confirmed" 0 "sshd is enforced from now on" enforce sshd --confirm
says "login is enforced at once" 0 "login is enforced" enforce login --yes

# --- 7, and 5 seconds: another command line was booted; its approval lets people in
lab_kill attestd
lab_power_off
lab_power_on "$VM/sb-shimgrub-cmd/binary_bios_measurements" >>"$LAB/tpm.log" 2>&1
lab_attestd_up
state 20 contraindicated; is "another command line was booted" $? 0
start=$EPOCHREALTIME
is "kim is out" "$(as kim) $(grep -c 'cmdline-changed' "$LAB/seen")" "out 1"
login=$(((${EPOCHREALTIME/./} - ${start/./}) / 1000))
is "root on the console is in, kim there is not" "$(at_console root) $(at_console kim)" "in out"
: >/etc/attest/DISABLED
is "no kill switch beats a refusal" "$(as kim) $(at_console kim)" "out out"
rm /etc/attest/DISABLED
verifierctl accept "$(ctl status --json | jq -r .ref)" --reason planned --yes >/dev/null; is "it is accepted" $? 0
start=$EPOCHREALTIME
until [ "$(as kim)" = in ] || [ $(((${EPOCHREALTIME/./} - ${start/./}) / 1000)) -gt 15000 ]; do :; done
took=$(((${EPOCHREALTIME/./} - ${start/./}) / 1000))
# The host asks again at most once in 5 s, so that is the longest; beside that a login, which has just begun, and one that succeeds.
is "kim is in within 5 s: $took ms, of which a login takes $login ms" "$([ $took -lt $((5000 + 2 * login + 500)) ] && echo yes)" yes
echo "in $took ms after the approval"

# --- 6: every daemon dead and no record: kill switches
lab_kill attestd
rm -f /run/attest/verdict /run/attest/gate.sock
is "without a verdict nobody comes in, but who is exempt" "$(as kim) $(at_console kim) $(as eve) $(at_console root)" "out out in in"
machine_logged
: >/etc/attest/DISABLED
is "DISABLED: on the console, and nowhere else" "$(at_console kim) $(as kim)" "in out"
logged kill-switch
is "and the log shouts" "$LOGGED" "authpriv.alert kill-switch authpriv.notice "
rm /etc/attest/DISABLED
echo 'quiet attest=audit -- x' >/run/cmdline
is "attest=audit: the same" "$(at_console kim) $(as kim)" "in out"
conf $'[sshd]\nkill_switch = all'
is "kill_switch = all: for sshd as well" "$(at_console kim) $(as kim)" "in in"
echo 'quiet -- attest=audit' >/run/cmdline
is "the word behind -- is not the kernel's" "$(at_console kim) $(as kim)" "out out"
: >/etc/attest/DISABLED
chmod 666 /etc/attest/DISABLED
is "a file that others may write is no switch" "$(at_console kim) $(as kim)" "out out"
rm /etc/attest/DISABLED

is "a serial line is no console" "$(at_console root ttyS0)" out
conf $'[login]\nconsole_ttys = ttyS0'
is "unless console_ttys says so" "$(at_console root ttyS0) $(at_console kim ttyS0) $(at_console root ttyS1)" "in out out"

# --- back, from a break-glass session, with everything dead
says "audit" 0 "sshd is in mode audit" audit sshd --pam-dir $PAM
is "kim is in" "$(as kim) $(at_console kim)" "in out"
says "unhook" 0 "taken out" unhook --all --pam-dir $PAM
is "the stacks are what they were" "$(cmp /etc/pam.d/sshd "$LAB/sshd.before" && cmp /etc/pam.d/login "$LAB/login.before" && echo same)" same
mv "$PAM_MODULES/pam_attest.so" "$LAB/"
is "and without the module everybody is in" "$(as kim) $(at_console kim)" "in in"

# --- no longer that host: its key leaves the TPM, and what a clone would inherit leaves the disk
lab_attestd_up; is "attestd starts" $? 0
keys() { TPM2TOOLS_TCTI=$TCTI tpm2_getcap handles-persistent | wc -l; }
had=$(keys)
says "unenroll, with login enforced" 2 "login: enforced, and would refuse everybody. Next: attestctl audit login" unenroll
says "audit login" 0 "login is in mode audit" audit login --pam-dir $PAM
says "seal-image while attestd runs" 2 "attestd runs" seal-image
says "unenroll" 0 "has forgotten its verifier and its key" unenroll
is "its key left the TPM" $(($(keys) - had)) -1
ctl status >/dev/null; is "it is not enrolled" $? 6
is "nothing is left of it" "$(cd /var/lib/attest && ls -d identity enrollment ak verifier ca.pem last-good 2>/dev/null)" ""
is "and no verdict" "$(sed -n 's/^reason=//p' /run/attest/verdict)" not-enrolled
verifierctl remove host-a --reason test --yes >/dev/null; is "and its verifier is told" $? 0
ctl enroll --url "https://127.0.0.1:$PORT" --ca "$LAB/verifier/tls/ca.pem" --name host-b >/dev/null; is "it can enroll again" $? 0
verifierctl approve host-b --yes >/dev/null
wait_for 20 sh -c "! grep -q reason=enrollment-pending /run/attest/verdict"; is "as another host" $? 0
verifierctl revoke host-b --reason test >/dev/null
ctl attest >/dev/null; is "which is refused" $? 1
says "unenroll a refused host" 0 "has forgotten" unenroll
is "a refusal is not forgotten" "$(sed -n 's/^state=//p' /run/attest/verdict)" contraindicated
ctl enroll --url "https://127.0.0.1:$PORT" --ca "$LAB/verifier/tls/ca.pem" --name host-c >/dev/null; is "and once more" $? 0
lab_kill attestd
says "seal-image --dry-run" 0 "/var/lib/attest/ak: would go" seal-image --dry-run
is "takes nothing" "$(find /var/lib/attest -name ak | wc -l)" 1
says "seal-image" 0 "/var/lib/attest/armed: gone" seal-image
is "the verifier's address stays" "$(cd /var/lib/attest && echo *)" "ca.pem verifier"
[ $failed = 0 ]
