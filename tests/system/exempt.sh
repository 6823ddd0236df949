#!/bin/bash
# Nobody of the always-exempt is ever refused: with no daemon at all, on a host that is refused, whatever has become of the
# gate's files. Root and members of sudo on the console, break-glass by key, root's own sudo and su, cron, the user's
# systemd, exempt_user. Beside them kim, who is not exempt, stays out each time. What a broken file does take with it
# (pam_attest(8), WHAT ALWAYS WORKS) stands there, too. Row 44: who only says so is not exempt.
set -u
# shellcheck disable=SC2034  # BUILD is for what is sourced
SOURCE=$top_srcdir BUILD=$top_builddir
. "$SOURCE/tests/integration/lab.sh"
. "$SOURCE/tests/system/machine.sh"
machine_skip
. "$top_srcdir/tests/shell.sh"
needs login cron crontab pamtester
[ "${1:-}" = --inside ] || exec "$SOURCE/tests/system/private.sh" bash "$0" --inside

lab_open /run/lab
trap lab_end EXIT

# --- who comes: a word each

by_key_as() { "${SSH[@]}" "${by_key[@]}" -l "$1" localhost echo in; }
console_root() { on_terminal -n /dev/tty1 login root; }
console_sudo() { on_terminal -n /dev/tty1 login ada; }
break_glass() { by_key_as eve; }
root_sudo() { sudo -u lee echo in; }
root_su() { su lee -c 'echo in'; }
root_su_l() { su -l lee -c 'echo in'; }
service() { systemd_user kim; }
named_user() { on_terminal login eli; }
kim() { by_key_as kim; }
kim_sudo() { as_kim sudo -k -n printf 'in\n'; }
EXEMPT="console_root console_sudo break_glass root_sudo root_su root_su_l cron_job service named_user"

# --- the machine, whole, and refused

fresh() {
	rm -rf /etc/attest
	mkdir -p /etc/attest/gate.conf.d "$LAB/run" "$LAB/state"
	rm -rf "${LAB:?}"/run/*
	conf
	echo good >"$LAB/state/armed"
	machine_record contraindicated cmdline-changed
}
# conf [LINE...]: of [paths].
conf() {
	cat >/etc/attest/gate.conf <<-C
		[paths]
		$(printf '%s\n' "$@")
		[default]
		mode = enforce
		arm = always
		timeout = 1s
		exempt_user = eli
	C
}
garbage() { head -c "${1:-3000}" /dev/urandom; }

# broken NAME [WHO...]: everybody who is exempt comes in, but for those named; kim does not.
broken() {
	local name=$1 who out wanted; shift
	for who in $EXEMPT kim kim_sudo; do
		case " kim kim_sudo $* " in *" $who "*) wanted=out ;; *) wanted=in ;; esac
		out=$($who 2>/dev/null </dev/null)
		[ "${out##*$'\n'}" = in ] && out=in || out=out
		is "$name: $who" $out $wanted
	done
	fresh
}

machine_syslog; is "syslog" $? 0
cat /proc/sys/kernel/random/uuid >"$LAB/boot_id"
machine_users && machine_gate && machine_more_gates && machine_paths; is "users and stacks" $? 0
machine_sshd; is "sshd" $? 0

fresh
broken "nothing is broken, and the host refused"

# What attestd leaves behind.
garbage >"$LAB/run/verdict"
garbage >"$LAB/run/lease"
broken "record and lease are garbage"
head -c 100000000 /dev/zero >"$LAB/run/verdict"
cp "$LAB/run/verdict" "$LAB/run/lease"
broken "and of 100 MB"
rm -f "$LAB/run/verdict"
mkfifo "$LAB/run/verdict" "$LAB/run/lease" "$LAB/run/gate.sock" "$LAB/run/decisions.sock"
broken "FIFOs, and where the sockets were as well"
rm "$LAB/run/verdict"
ln -s verdict "$LAB/run/verdict"
mkdir "$LAB/run/lease"
broken "a link to itself, and a folder"
conf "run_dir = /run/no-such-folder" "state_dir = /run/no-such-folder" "boot_id = /run/no-such-file" "cmdline = /run/no-such-file" \
	"owner = no-such-user"
broken "no run_dir, no state_dir, no boot_id"

# gate.conf. What it does not say any more has the built-in word: whom it named is not exempt by it.
rm /etc/attest/gate.conf
broken "no gate.conf" named_user
: >/etc/attest/gate.conf
broken "an empty one" named_user
garbage >/etc/attest/gate.conf
broken "one of garbage" named_user
garbage 100000 >>/etc/attest/gate.conf
broken "too long" named_user
chmod 666 /etc/attest/gate.conf
broken "others may write it" named_user
rm /etc/attest/gate.conf
mkfifo /etc/attest/gate.conf
broken "a FIFO" named_user
garbage | tr -d '\0' >>/etc/attest/gate.conf
broken "lines of garbage behind what was there"
truncate -s +500 /etc/attest/gate.conf
broken "zeros there" named_user
sed -i 's/^mode = .*/mode = loud/' /etc/attest/gate.conf
broken "a mode that nobody can read"
garbage | tr -d '\0' >/etc/attest/gate.conf.d/50.conf
broken "a drop-in of such lines"
head -c 500 /dev/zero >/etc/attest/gate.conf.d/50.conf
broken "a drop-in of zeros"
mkfifo /etc/attest/gate.conf.d/50.conf
broken "a drop-in that is a FIFO"
for ((n = 0; n < 40; n++)); do : >/etc/attest/gate.conf.d/$n.conf; done
broken "forty drop-ins" named_user

# Accounts, as the gate reads them; PAM's own modules read the system's. Root needs neither file.
garbage >"$LAB/accounts"
conf "passwd = $LAB/accounts"
broken "a passwd file of garbage"
conf "group = $LAB/accounts"
broken "a group file of garbage" console_sudo break_glass
conf "group = $LAB/no-such-file" "passwd = $LAB/no-such-file"
broken "neither file" console_sudo break_glass

lab_kill syslog
rm -f /dev/log
broken "nobody takes the log"

# Row 44: who only says so is not exempt. A terminal's name is the caller's word in su and sudo, whoever calls; ada is an
# administrator, and on a console, but comes from somewhere else; and a group of NSS's is none of /etc/group's.
machine_record affirming ok
as_ada() { on_terminal -n /dev/tty2 setpriv --reuid=ada --regid=ada --init-groups --reset-env "$@"; }
came_in() { case $("$@" 2>/dev/null </dev/null) in *in) echo in ;; *) echo out ;; esac; }
for wanted in in out; do
	is "row 44: su from /dev/tty2" "$(came_in as_ada su -l lou)" $wanted
	is "row 44: sudo from there" "$(came_in as_ada sudo -k -i)" $wanted
	is "row 44: a member of sudo who comes by ssh" "$(came_in by_key_as ada)" $wanted
	machine_record contraindicated cmdline-changed
done
cp "$BUILD/.libs/libnss_attest.so.2" "$LIBRARIES/"
sed -i 's/^group:.*/group: files attest/' /etc/nsswitch.conf
sed -i '/^attest-breakglass:/d' /etc/group
printf 'sources = exempt\n[nss]\ngroup = attest-breakglass\ngid = 4242\n' >>/etc/attest/gate.conf
machine_record affirming ok
is "row 44: everybody is in the break-glass group, says NSS" "$(id -nG kim)" "kim attest-breakglass"
is "row 44: and nobody is to the gate" "$(came_in kim) $(came_in break_glass)" "out out"
[ $failed = 0 ]
