#!/bin/bash
# What the gate leaves in the system's log, and what other programs make of it: fail2ban must not ban who was refused for
# the machine's sake, by lines that a real sshd wrote a moment ago; logcheck must be silent about what is as usual, and
# about nothing else, by the lines of doors.table.
set -u
# shellcheck disable=SC2034  # BUILD is for what is sourced
SOURCE=$top_srcdir BUILD=$top_builddir
. "$SOURCE/tests/integration/lab.sh"
. "$SOURCE/tests/system/machine.sh"
machine_skip
command -v fail2ban-regex >/dev/null || { echo "SKIP: no fail2ban here"; exit 77; }
[ "${1:-}" = --inside ] || exec "$SOURCE/tests/system/private.sh" bash "$0" --inside

. "$top_srcdir/tests/shell.sh"
lab_open /run/lab
trap 'lab_close; echo "$passed passed, $failed failed"' EXIT

# As rsyslog writes it into auth.log: ours has facility and priority instead of time, host and process.
as_auth_log() { sed -E 's/^[a-z]+\.[a-z]+ ([^ :]+): /Nov 28 21:21:27 host-a \1[4711]: /'; }

# --- fail2ban
# The jail's lines as one.
RULE=$(sed -nE '/^ignoreregex/,$s/^(ignoreregex =|) *: /: /p' "$SOURCE/deploy/fail2ban/pam-attest.conf" | paste -sd '|')
# counted LOG FILTER [RULE]: lines that a jail would count.
counted() { fail2ban-regex "$@" | sed -n 's/^Lines:.* \([0-9]*\) matched.*/\1/p'; }
# counts <what> <without the rule> <with it> FILTER COMMAND...: what sshd logs meanwhile.
counts() {
	local what=$1 without=$2 with=$3 filter=$4; shift 4
	machine_logged
	"$@" >/dev/null 2>&1 </dev/null
	machine_logged
	as_auth_log <"$LAB/logged" | grep ' sshd\[' >"$LAB/auth.log"
	is "$what: counted by fail2ban as it comes" "$(counted "$LAB/auth.log" "$filter")" "$without"
	is "$what: counted with our rule" "$(counted "$LAB/auth.log" "$filter" "$RULE")" "$with"
}
log_in() { "${SSH[@]}" "$@" localhost echo in; }
guess() { SSH_ASKPASS=$KEYS/guess log_in "${by_password[@]}" "$@"; }

mkdir -p /etc/attest /run/attest /var/lib/attest
export SSHD_MORE="-o LogLevel=VERBOSE"
machine_syslog && machine_users && machine_gate && machine_sshd; is "a machine" $? 0
machine_conf enforce 'arm = always'
counts "a key that the gate refuses" 1 0 'sshd[publickey=any]' log_in "${by_key[@]}"
counts "a key that the gate refuses, by the defaults" 0 0 sshd log_in "${by_key[@]}"
counts "a right password that the gate refuses, which is logged as a wrong one" 1 1 sshd log_in "${by_password[@]}"
counts "the same by keyboard-interactive" 1 1 sshd log_in "${by_keyboard[@]}"
counts "a wrong password" 1 1 sshd guess
counts "nobody's password" 2 2 sshd guess -l nobody-here
counts "nobody's key" 1 1 'sshd[publickey=any]' log_in "${by_key[@]}" -l nobody-here
lab_kill sshd
lab_start sshd /usr/sbin/sshd -D -f /etc/ssh/sshd_config -o AllowGroups=attested
wait_for 5 bash -c 'exec 3<>/dev/tcp/127.0.0.1/22'
counts "a key, without the group that AllowGroups wants" 1 0 sshd log_in "${by_key[@]}"
counts "a password, without it" 2 1 sshd guess

mkdir "$LAB/fail2ban" && cp -r /etc/fail2ban/. "$LAB/fail2ban" && cp "$SOURCE/deploy/fail2ban/pam-attest.conf" "$LAB/fail2ban/jail.d/"
is "the jail takes the rule" "$(fail2ban-client -c "$LAB/fail2ban" -d 2>/dev/null |
	grep "'sshd', 'addignoreregex'" | grep -oE 'Failed publickey|AllowGroups' | tr '\n' ' ')" "Failed publickey AllowGroups "

# --- logcheck
# logged PRIORITY WORDS: such lines of the table, with numbers again, in a file.
logged() {
	sed -nE "s/^  log (authpriv\.$1 [^:]+: pam_attest\([a-z:]+\): ($2) .*)/\1/p" "$SOURCE/tests/system/doors.table" |
		sed 's/REF/7F3K-21QX/; s/age=AGE/age=42s/; s/ms=MS/ms=3/' | as_auth_log | sort -u
}
# silent FILE...: of the lines on standard input, how many logcheck would mail nobody.
silent() { cat "$@" >"$LAB/rules"; grep -cE -f "$LAB/rules"; }
gate=$SOURCE/deploy/logcheck/libpam-attest
usual=$(logged info 'permitted|would-permit'; logged info exempted | grep reason=exempt-root)
is "there are lines as usual" "$([ "$(wc -l <<<"$usual")" -ge 6 ] && echo yes)" yes
is "logcheck is silent about them" "$(silent "$gate" <<<"$usual")" "$(wc -l <<<"$usual")"
unusual=$(logged '[a-z]+' '[a-z-]+' | grep -vxFf <(echo "$usual"))
is "there are others" "$([ "$(wc -l <<<"$unusual")" -ge 20 ] && echo yes)" yes
is "and about none of these" "$(silent "$gate" <<<"$unusual")" 0
is "nor by a host's long time" "$(sed 's/^Nov 28 21:21:27/2026-11-28T21:21:27.123456+00:00/' <<<"$usual" | silent "$gate")" "$(wc -l <<<"$usual")"
daemons=("$SOURCE/deploy/logcheck/attestd" "$SOURCE/deploy/logcheck/verifierd")
is "the daemons, as usual" "$(silent "${daemons[@]}" <<-L
	Nov 28 21:21:27 host-a attestd[99]: started: ok
	Nov 28 21:21:27 host-a attestd[99]: affirming: ok ref=7F3K-21QX
	Nov 28 21:21:27 host-a verifierd[12]: ready: hosts on [::]:8451, administrators on /run/verifierd/admin.sock
	Nov 28 21:21:27 host-a verifierd-core[13]: host-a: affirming, ok, 7F3K-21QX
L
)" 4
is "the daemons, not as usual" "$(silent "${daemons[@]}" <<-L
	Nov 28 21:21:27 host-a attestd[99]: started: not-enrolled
	Nov 28 21:21:27 host-a attestd[99]: contraindicated: cmdline-changed ref=7F3K-21QX
	Nov 28 21:21:27 host-a attestd[99]: affirming: ok ref=7F3K-21QX: the record could not be written
	Nov 28 21:21:27 host-a verifierd[12]: core ended: all roles start again
	Nov 28 21:21:27 host-a verifierd-core[13]: host-a: contraindicated, cmdline-changed, 7F3K-21QX
	Nov 28 21:21:27 host-a verifierd-core[13]: root: host.approve host-a
L
)" 0
[ $failed = 0 ]
