#!/bin/bash
# evening.sh: a newcomer's evening with attest-quickstart(7), in the pristine Debian, with the packages in /mnt: every
# command of the page, in its order, with what it has to come to. Nobody is refused before "enforce"; a changed boot is,
# in words; its change is accepted; the packages go, and nothing is left. The machine below is a software TPM, into which
# recorded boots of /mnt/boots are measured; no service manager runs here, so that the units' commands are started by hand.
set -u
. /mnt/shell.sh
finish() {
	local p
	for p in "${PIDS[@]}"; do kill "$p" 2>/dev/null; wait "$p" 2>/dev/null; done
	swtpm_stop /root/tpm 2>/dev/null
	[ $failed = 0 ] || tail -n 15 /root/*.log
	echo "$passed passed, $failed failed"
}
declare -A PIDS=()
trap finish EXIT
. /mnt/swtpm.sh

# --- the page's commands

# What the page has people type at the "#" prompt; backslashes are mdoc's.
page() { sed -n 's/^# //p' /mnt/attest-quickstart.7 | sed 's/\\-/-/g; s/\\e/\\/g'; }
mapfile -t COMMANDS < <(page)
NEXT=0
REF=
# types COMMAND EXIT PATTERN: this is the page's next command; it ends so, and says so. ANSWER: what is typed when it asks.
types() {
	local command=${COMMANDS[$NEXT]:-nothing} out rc
	NEXT=$((NEXT + 1))
	is "the page's command $NEXT" "$command" "$1"
	out=$(cd /mnt && bash -c "${command//REF/$REF}" 2>&1 <<<"${ANSWER:-}"); rc=$?
	is "$command: exit code" $rc "$2"
	grep -qE -- "$3" <<<"$out"; rc=$?
	is "$command: says /$3/ in: $out" $rc 0
}

# --- the machine: people, a TPM, boots
useradd -m -s /bin/sh kim
echo kim:secret | chpasswd -c SHA256 -s 1000
echo root:secret | chpasswd -c SHA256 -s 1000
ssh-keygen -q -t ed25519 -N '' -f /root/host_key
ssh-keygen -q -t ed25519 -N '' -f /root/key
install -d -m 700 -o kim -g kim /home/kim/.ssh
install -m 600 -o kim -g kim /root/key.pub /home/kim/.ssh/authorized_keys
printf 'HostKey /root/host_key\nUsePAM yes\nPrintMotd no\n' >/etc/ssh/sshd_config
# "in", or what the user sees.
login() {
	ssh -F none -i /root/key -o BatchMode=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null \
		-o ProxyCommand="/usr/sbin/sshd -i" kim@here echo in 2>/root/seen </dev/null || grep -v '^Warning: Permanently' /root/seen
}
# boots NAME: the power comes on, and firmware and boot loader measure what they load.
boots() {
	local log=/mnt/boots/$1 digests
	swtpm_start /root/tpm && chmod a+rx /root/tpm && chmod a+rw /root/tpm/sock /root/tpm/sock.ctrl || return 1
	install -m 644 "$log" /root/boot_log
	cat /proc/sys/kernel/random/uuid >/root/boot_id
	umount /proc/sys/kernel/random/boot_id 2>/dev/null
	mount --bind /root/boot_id /proc/sys/kernel/random/boot_id
	digests=$(verifierctl inspect eventlog "$log" --json |
		jq -r '.events[] | select(.type != "EV_NO_ACTION" and .digests.sha256) | "\(.pcr):sha256=\(.digests.sha256)"') || return 1
	# shellcheck disable=SC2086  # a list of words
	TPM2TOOLS_TCTI=swtpm:path=/root/tpm/sock tpm2_pcrextend $digests
}
# start NAME COMMAND...: what the unit of that name runs.
start() {
	local name=$1; shift
	"$@" >>"/root/$name.log" 2>&1 &
	PIDS[$name]=$!
}
stop() { kill "${PIDS[$1]}" && wait "${PIDS[$1]}"; unset "PIDS[$1]"; }
attestd_up() { rm -f /run/attest/gate.sock; start attestd attestd -f && wait_for 10 test -S /run/attest/gate.sock; }
others() { (cd / && find etc/pam.d etc/ssh etc/nsswitch.conf etc/sudoers etc/sudoers.d etc/login.defs -type f -exec md5sum {} + | sort -k 2); }

swtpm_manufacture /root/tpm >/root/tpm.log 2>&1; is "a TPM is made" $? 0
before=$(others)
is "before everything" "$(login)" in

# --- 1: install
types 'apt install ./verifierd_*.deb ./attestd_*.deb ./libpam-attest_*.deb ./attest-tools_*.deb' 0 'Setting up libpam-attest'
is "no login has changed" "$(login)" in
is "nor any file" "$(others)" "$before"
# This machine's TPM is no device and of no vendor; both are said where an administrator would say it.
chmod 755 /root
boots usual >>/root/tpm.log 2>&1; is "the machine has booted" $? 0
printf '[tpm]\ntcti = swtpm:path=/root/tpm/sock\n[logs]\nboot_log = /root/boot_log\nima_log =\n' >>/etc/attest/attestd.conf
echo 'simulator = yes' >>/etc/attest/verifierd.conf
install -d /etc/attest/ek-roots.d && cat /root/tpm/ca/*.pem >/etc/attest/ek-roots.d/manufacturer.pem
start verifierd verifierd -f
wait_for 20 verifierctl hosts; is "verifierd runs" $? 0
attestd_up; is "attestd runs" $? 0

# --- 2: enroll
types 'verifierctl enroll-line' 0 '^attestctl enroll --url https://'
types 'eval "$(verifierctl enroll-line)"' 0 'host-a is enrolled'
is "and attestd has nothing to say against it" "$(sed -n 's/.*enrollment: //p' /root/attestd.log)" active
types 'verifierctl hosts' 0 'host-a +active'

# --- 3: say what is good
wait_for 20 grep -q '^reason=no-reference' /run/attest/verdict
types 'attestctl attest' 1 'no-reference'
types 'verifierctl references capture "$(hostname)" --name first --reason "as installed"' 0 'candidate'
types 'verifierctl references activate first --yes' 0 'active'
types 'attestctl attest' 0 'affirming'
types 'attestctl status' 0 'affirming'

# --- 4: watch
types 'attestctl hook sshd --dry-run' 0 'pam_attest.so'
is "a dry run changes nothing" "$(others)" "$before"
types 'attestctl hook sshd' 0 'sshd'
is "audited" "$(login)" in
wait_for 5 sh -c 'attestctl report --json | grep -q "\"service\": *\"sshd\""'
types 'attestctl report' 0 'sshd'
types 'attestctl doctor' 0 'rescue'

# --- 5: enforce, on trial
types 'attestctl rescue test root' 0 'console'
types 'attestctl enforce sshd --trial 10m' 0 'until'
sleep 1   # nobody is that quick, and attestd counts in whole seconds
is "on trial" "$(login)" in
wait_for 5 attestctl enforce sshd --confirm --dry-run
types 'attestctl enforce sshd --confirm' 0 'sshd'

# --- 6: a refusal, and let in
stop attestd
swtpm_stop /root/tpm
rm -f /run/attest/verdict
boots changed >>/root/tpm.log 2>&1 && attestd_up
is "booted with another command line" $? 0
wait_for 20 grep -q '^reason=cmdline-changed' /run/attest/verdict
seen=$(login)
is "refused" "$(grep -c '^attest: refused: the kernel command line is not one of the known ones (cmdline-changed)' <<<"$seen")" 1
REF=$(grep -oE 'Ref [0-9A-Z]{4}-[0-9A-Z]{4}' <<<"$seen" | cut -c5-)
types 'verifierctl explain REF' 0 'command line'
types 'verifierctl accept REF --reason "it was me" --yes' 0 'active'
wait_for 6 sh -c 'sleep 1; test "$(ssh -F none -i /root/key -o BatchMode=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR -o ProxyCommand="/usr/sbin/sshd -i" kim@here echo in </dev/null 2>/dev/null)" = in'
is "let in" $? 0

# --- 7: out again
types 'attestctl unhook --all' 0 'sshd'
is "out" "$(login)" in
is "the stacks are what they were" "$(others)" "$before"
stop attestd
stop verifierd
ANSWER=y types 'apt purge verifierd attestd libpam-attest attest-tools' 0 'Purging|Removing'
is "purged" "$(login)" in
is "and nothing of others has changed" "$(others)" "$before"
is "that was the whole page" "$((${#COMMANDS[@]} - NEXT))" 0
[ $failed = 0 ]
