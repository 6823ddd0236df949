#!/bin/bash
# guest.sh: what vm.sh has its guest do, with systemd as process 1. "GUEST ok ..." and "GUEST NOT OK ..." on the console
# are counted outside; what is in /var/log/guest afterwards is fetched.
#
#   guest install        in a chroot, before the first boot: people, and what costs time and is not asked about
#   guest first-login    a unit of its own, as soon as sshd is up
#   guest                the boots, one after the other
set -u
LOG=/var/log/guest
CONSOLE=/dev/ttyS0
export HOME=/root LC_ALL=C.UTF-8

. /usr/local/lib/shell.sh
say() { printf 'GUEST %s\n' "$*" >$CONSOLE; }
# As it happens: who hangs is seen to.
is() {  # <what> <got> <wanted>
	if [ "$2" = "$3" ]; then
		say "ok: $1"
	else
		failed=$((failed + 1))
		say "NOT OK: $1"
		printf '  got:    %s\n  wanted: %s\n' "$2" "$3" >$CONSOLE
	fi
}
uptime() { cut -d' ' -f1 /proc/uptime; }

install_guest() {
	echo host-a >/etc/hostname
	printf '127.0.0.1 localhost\n127.0.1.1 host-a\n' >/etc/hosts
	: >/etc/fstab
	useradd -m -s /bin/bash kim
	echo 'kim ALL = (ALL) NOPASSWD: ALL' >/etc/sudoers.d/kim
	ssh-keygen -q -t ed25519 -N '' -f /root/key
	install -d -m 700 -o kim -g kim /home/kim/.ssh
	install -m 600 -o kim -g kim /root/key.pub /home/kim/.ssh/authorized_keys
	printf 'HostKey /etc/ssh/ssh_host_ed25519_key\nPrintMotd no\n' >/etc/ssh/sshd_config.d/quick.conf
	# In every boot, before anything is said about the machine.
	printf '@reboot kim cat /proc/sys/kernel/random/boot_id >/tmp/cron-ran\n' >/etc/cron.d/guest
	echo 'simulator = yes' >>/etc/attest/verifierd.conf
	mkdir -p $LOG /var/log/journal /etc/systemd/journald.conf.d
	# Debian's journald turns audit off; auditd would turn it on.
	printf '[Journal]\nAudit=yes\n' >/etc/systemd/journald.conf.d/audit.conf
	systemctl -q enable guest guest-login
	# No network, no console to log in at, and nothing by the clock.
	systemctl -q mask getty@tty1 serial-getty@ttyS0 apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer \
		e2scrub_reap fstrim.timer systemd-timesyncd systemd-pcrphase systemd-pcrphase-sysinit systemd-hwdb-update \
		proc-sys-fs-binfmt_misc.automount systemd-update-utmp-runlevel
}

# --- logins

SSH=(ssh -F none -i /root/key -o BatchMode=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null )
by_ssh() { "${SSH[@]}" kim@127.0.0.1 "${@:-echo in}" 2>&1 </dev/null | grep -v '^Warning: Perm'; }
by_sudo() { setpriv --reuid=kim --regid=kim --init-groups --reset-env sudo -n echo in 2>&1 </dev/null; }
# Waits for attestd alone; that is started by the first who asks.
first_login() {
	local seen tries=0 up
	wait_for 60 bash -c 'exec 3<>/dev/tcp/127.0.0.1/22'
	up=$(uptime)
	until seen=$(by_ssh); [ "$seen" = in ]; do
		tries=$((tries + 1))
		echo "$(uptime) $seen" >>$LOG/first-login.tries
		[ $tries -lt 60 ] || break
		sleep 0.2
	done
	echo "$up $(uptime) $tries" >/run/first-login
}
# one DECISION WHAT COMMAND...: the journal has one line about it, with its fields.
cursor() { journalctl -q -n 0 --show-cursor | sed -n 's/^-- cursor: //p'; }
decisions() {
	journalctl -q --after-cursor="$1" -o json _TRANSPORT=journal _TRANSPORT=syslog | jq -c 'select(.MESSAGE | strings | test("pam_attest"))'
}
one() {
	local decision=$1 what=$2 since; shift 2
	since=$(cursor)
	"$@" >$LOG/seen
	wait_for 5 test -n "$(decisions "$since")"
	decisions "$since" >$LOG/decisions
	is "$what: one line in the journal" "$(wc -l <$LOG/decisions)" 1
	is "$what: its fields" "$(jq -r '"\(.ATTEST_DECISION) \(.ATTEST_SERVICE) \(.ATTEST_USER) \(.MESSAGE_ID | length) \(.ATTEST_REASON != null)"' $LOG/decisions)" \
		"$decision 32 true"
}

# --- boots

pid() { systemctl show -P MainPID "$1"; }
verdict() { sed -n "s/^$1=//p" /run/attest/verdict; }
reason_is() { [ "$(verdict reason)" = "$1" ]; }
stamp() { systemctl show -P "$2" "$1"; }
complaints() {
	journalctl -q -b -o cat _TRANSPORT=audit _TRANSPORT=kernel | grep -a "$@"
}
healthy() {
	is "$1: systemd is content" "$(timeout 60 systemctl is-system-running --wait)" running
	is "$1: no unit failed" "$(systemctl --failed --plain --no-legend | tr '\n' ' ')" ""
	for u in attestd.socket attestd-decisions.socket attestd.service verifierd.service ssh.service cron.service; do
		[ "$u" = "${2:-}" ] || is "$1: $u" "$(systemctl is-active $u)" active
	done
}
quiet() {
	is "no system call was refused by death" "$(complaints -cE '(type=1326|^SECCOMP) ')" 0
	is "nothing dumped core or was killed" "$(journalctl -q -b -u attestd -u verifierd -o cat | grep -cE 'code=(killed|dumped)' )" "$1"
	complaints -E '^AVC.*apparmor="(ALLOWED|DENIED)' >$LOG/apparmor
	is "AppArmor has nothing against it" "$(grep -o 'operation=.*' $LOG/apparmor | sed 's/ pid=[0-9]*//' | sort | uniq -c | head -n 30)" ""
}

confined() {
	local p status bits
	p=$(pid attestd)
	status=/proc/$p/status
	is "attestd is attest" "$(sed -n 's/^Uid:\t\([0-9]*\).*/\1/p' $status)" "$(id -u attest)"
	is "and has one capability" "$(sed -n 's/^CapEff:\t//p' $status)" 0000000020000000
	is "no new privileges, seccomp" "$(sed -nE 's/^(NoNewPrivs|Seccomp):\t//p' $status | tr '\n' ' ')" "1 2 "
	is "the system is read-only for it" "$(awk '$5 == "/" { print $6 }' "/proc/$p/mountinfo" | cut -d, -f1)" ro
	is "home folders are not there" "$(find "/proc/$p/root/home" -mindepth 1 | wc -l)" 0
	# What the unit's group of processes may open.
	for bits in "/dev/tpmrm0 0" "/dev/nvme0n1 1" "/dev/kmsg 1"; do
		( echo $BASHPID >/sys/fs/cgroup/system.slice/attestd.service/cgroup.procs && exec 3<"${bits% *}" ) 2>/dev/null
		is "opening ${bits% *} in it" $? "${bits#* }"
	done
	is "AppArmor knows it" "$(cat "/proc/$p/attr/apparmor/current")" "attestd (complain)"
	is "and verifierd" "$(cat "/proc/$(pid verifierd)/attr/apparmor/current")" "verifierd (complain)"
}

first() {
	local n since
	healthy "as installed"
	is "nobody is gated" "$(by_ssh)" in
	is "the socket is there before sshd" "$(($(stamp attestd.socket ActiveEnterTimestampMonotonic) < $(stamp ssh.service ActiveEnterTimestampMonotonic)))" 1
	is "the TPM's device" "$(stat -c '%U %G %a' /dev/tpmrm0)" "tss tss 660"
	confined

	attestctl status >$LOG/status; is "not enrolled" $? 6
	verifierctl enroll-line >$LOG/line 2>&1; is "a line to enroll with" $? 0
	bash $LOG/line >$LOG/enroll 2>&1; is "enrolled: $(cat $LOG/enroll)" $? 0
	wait_for 20 reason_is no-reference; is "judged: the boot log, which is root's, was read" $? 0
	attestctl -q hook sshd >$LOG/hook 2>&1 && attestctl -q hook sudo >>$LOG/hook 2>&1; is "hooked" $? 0
	# The machine is slow, and slower while others use its processors.
	printf '[sshd sudo]\nmode = enforce\narm = always\ntimeout = 30s\n' >/etc/attest/gate.conf.d/test.conf
	one "refused sshd kim" "a refusal" by_ssh
	is "which the user sees" "$(grep -c '(no-reference)' $LOG/seen)" 1
	verifierctl references capture host-a --name first --reason "as installed" >$LOG/capture 2>&1 &&
		verifierctl references activate first --yes >>$LOG/capture 2>&1; is "captured: $(tail -n 1 $LOG/capture)" $? 0
	attestctl attest >$LOG/attest; is "affirming" $? 0
	one "permitted sshd kim" "a login" by_ssh
	is "which is in" "$(cat $LOG/seen)" in
	one "permitted sudo kim" "sudo" by_sudo
	is "which is in" "$(cat $LOG/seen)" in
	wait_for 5 bash -c "test \$(journalctl -q -b _TRANSPORT=audit | grep -c op=attest) -ge 3"
	is "the kernel's audit trail has them" "$(journalctl -q -b -o json _TRANSPORT=audit | jq -r 'select(.MESSAGE | test("op=attest")) | .MESSAGE' |
		grep -oE 'decision=[a-z-]+ service=[a-z]+ acct="kim"' | paste -sd ' ')" \
		'decision=refused service=sshd acct="kim" decision=permitted service=sshd acct="kim" decision=permitted service=sudo acct="kim"'
	is "the journal explains" "$(journalctl -q -b -x -n 1 ATTEST_DECISION=permitted | grep -c 'Subject: pam-attest permitted kim through sudo')" 1
	is "what attestd says has fields" "$(journalctl -q -b -u attestd -o json ATTEST_STATE=affirming | jq -r '"\(.ATTEST_REASON) \(.MESSAGE_ID | length)"' | head -n 1)" "ok 32"
	attestctl doctor >$LOG/doctor
	is "a session of kim's own" "$(by_ssh 'systemctl --user is-system-running --wait')" running

	# --- it goes, and comes
	: >$LOG/through
	touch /run/logins-go-on
	( while [ -e /run/logins-go-on ]; do by_ssh; by_sudo; done >$LOG/through ) &
	systemctl restart attestd; is "restarted" $? 0
	systemctl restart attestd; is "again" $? 0
	systemctl reload attestd; is "reloaded" $? 0
	since=$(for n in attestd attestd-decisions; do stamp $n.socket ActiveEnterTimestampMonotonic; done)
	dpkg -i /root/debs/*.deb >$LOG/upgrade 2>&1 </dev/null; is "all packages upgraded" $? 0
	is "with attestd's sockets as they were" "$(for n in attestd attestd-decisions; do stamp $n.socket ActiveEnterTimestampMonotonic; done)" "$since"
	rm /run/logins-go-on
	wait
	is "logins went on" "$(($(wc -l <$LOG/through) >= 6))" 1
	is "and nobody was refused" "$(sort -u $LOG/through)" in
	systemctl stop attestd 2>$LOG/stop; is "stopped" $? 0
	is "the sockets stay" "$(systemctl is-active attestd.socket attestd-decisions.socket | tr '\n' ' ')" "active active "
	rm -f /run/attest/verdict
	is "the next login starts it" "$(by_ssh)" in
	is "and it runs" "$(systemctl is-active attestd)" active
	systemctl restart verifierd; is "verifierd restarted" $? 0
	attestctl attest >$LOG/attest; is "and judges" $? 0
	systemctl reload verifierd; is "and reloaded" $? 0
	attestctl attest >$LOG/attest; is "and judges" $? 0

	# --- it hangs
	mkdir -p /run/systemd/system/attestd.service.d
	printf '[Service]\nWatchdogSec=4s\n' >/run/systemd/system/attestd.service.d/watchdog.conf
	systemctl daemon-reload && systemctl restart attestd; is "a quicker watchdog" $? 0
	n=$(systemctl show -P NRestarts attestd)
	sleep 6
	is "which is content" "$(systemctl show -P NRestarts attestd)" "$n"
	kill -STOP "$(pid attestd)"
	is "a login, while attestd hangs" "$(by_ssh)" in
	wait_for 20 bash -c "test \$(systemctl show -P NRestarts attestd) -gt $n"; is "systemd ends and starts it" $? 0
	attestctl attest >$LOG/attest; is "and it works" $? 0
	is "cron's job ran" "$(cat /tmp/cron-ran)" "$(cat /proc/sys/kernel/random/boot_id)"
	quiet 1
	is "decisions are of these services" "$(journalctl -q -b -o json | jq -r '.ATTEST_SERVICE | strings' | sort -u | paste -sd ' ')" "sshd sudo"
	healthy "at the end"
}

first_login_was() {
	local up in tries
	wait_for 60 test -e /run/first-login
	read -r up in tries </run/first-login
	say "note: sshd up at $up s, the first login in at $in s, refused before that: $tries; attestd ready at $(($(stamp attestd ActiveEnterTimestampMonotonic) / 10000))e-2 s"
	is "the first login after boot is permitted" "$tries" 0
}
again() {
	healthy "rebooted"
	first_login_was
	is "affirming by itself" "$(verdict state)" affirming
	is "cron's job ran" "$(cat /tmp/cron-ran)" "$(cat /proc/sys/kernel/random/boot_id)"
	quiet 0
	# From here on AppArmor forbids, as its profiles invite to.
	sed -i 's/ flags=(complain)//' /etc/apparmor.d/usr.sbin.{attestd,verifierd} &&
		apparmor_parser -r /etc/apparmor.d/usr.sbin.{attestd,verifierd} && systemctl restart verifierd attestd; is "under AppArmor" $? 0
	is "which forbids" "$(cat "/proc/$(pid attestd)/attr/apparmor/current")" "attestd (enforce)"
	attestctl attest >$LOG/attest; is "and still affirming" $? 0
	quiet 0
	# No verifier any more, and no time to say goodbye.
	systemctl -q mask --now verifierd
	is "a login without a verifier" "$(by_ssh)" in
}
after_cut() {
	healthy "after a power cut, without a verifier" verifierd.service
	first_login_was
	one "permitted sshd kim" "a login without a verifier" by_ssh
	is "by grace" "$(jq -r .ATTEST_SOURCE $LOG/decisions)" grace
	attestctl status >$LOG/status
	is "cron's job ran" "$(cat /tmp/cron-ran)" "$(cat /proc/sys/kernel/random/boot_id)"
	systemctl -q unmask verifierd && systemctl start verifierd; is "a verifier again" $? 0
	wait_for 60 reason_is ok; is "and affirming by itself" $? 0
	quiet 0
	dpkg --purge libpam-attest libnss-attest attestd attest-tools verifierd >$LOG/purge 2>&1 </dev/null; is "purged" $? 0
	is "no unit is left" "$(systemctl list-units --all --plain --no-legend | grep -E '^(attestd|verifierd)' | tr '\n' ' ')" ""
	is "nor a process" "$(cat /proc/[0-9]*/comm | grep -cE '^(attestd|verifierd)')" 0
	is "kim is in" "$(by_ssh)" in
	# As most will have it: on a system that runs.
	dpkg -i /root/debs/*.deb >$LOG/install 2>&1 </dev/null; is "installed again" $? 0
	is "AppArmor knew it before it began" "$(cat "/proc/$(pid attestd)/attr/apparmor/current")" "attestd (complain)"
	attestctl status >$LOG/status; is "not enrolled, and attestd answers" $? 6
	healthy "installed again"
}

case ${1:-} in
install) install_guest; exit ;;
first-login) first_login; exit ;;
esac
n=$(cat $LOG/boots 2>/dev/null || echo 0)
echo $((n + 1)) >$LOG/boots
say "note: boot $((n + 1)), guest begins at $(uptime) s"
case $n in
0) first ;;
1) again ;;
2) after_cut ;;
esac
systemd-analyze blame >$LOG/blame 2>&1
systemd-analyze critical-chain ssh.service >$LOG/chain 2>&1
journalctl -q -b -o short-monotonic >$LOG/journal.$n
journalctl --sync
say "note: over at $(uptime) s"
sync
if [ "$n" = 1 ]; then
	say cut
else
	say "done"
	systemctl poweroff
fi
[ $failed = 0 ]
