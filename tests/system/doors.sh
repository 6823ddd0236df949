#!/bin/bash
# Real doors: sshd, sudo, su, login, cron and polkit of this system with the gate in their account stacks, on a private
# machine with a TPM, an attestd and a verifier. What each does in each state is compared with doors.table to the letter: exit code, what the
# user sees, what the module logs. A row that is missing on either side is a failure. Row 16: frozen daemons, answered in
# time; row 17: every method; row 19: stacks that take the gate away.
set -u
# shellcheck disable=SC2034  # BUILD is for what is sourced
SOURCE=$top_srcdir BUILD=$top_builddir
. "$top_srcdir/tests/shell.sh"
needs swtpm swtpm_setup swtpm_localca tpm2_pcrextend jq login cron crontab pamtester dbus-daemon pkexec pkttyagent
. "$SOURCE/tests/integration/lab.sh"
. "$SOURCE/tests/system/machine.sh"
machine_skip
[ "${1:-}" = --inside ] || exec "$SOURCE/tests/system/private.sh" bash "$0" --inside
VM=$SOURCE/tests/data/vm

reaches() { wait_for "$1" sh -c '[ "$(sed -n s/^'"$2"'=//p "$1"/run/verdict 2>/dev/null)" = "$2" ]' - "$LAB" "$3"; }

lab_open /run/lab
GOT=$LAB/doors.got
trap lab_end EXIT

# --- one row

# What differs from run to run: references (the host's own begin with L-), ages, times.
same_words() {
	sed -E 's/\r$//; s/\bL-[0-9A-Z]{4}-[0-9A-Z]{4}\b/L-REF/g; s/\b[0-9A-Z]{4}-[0-9A-Z]{4}\b/REF/g
		s/ age=[0-9]+s / age=AGE /; s/ ms=[0-9]+ / ms=MS /; s/^/  '"$2"' /; s/ +$//; $a\' "$1"
}
refs() { grep -oE '\b(L-)?[0-9A-Z]{4}-[0-9A-Z]{4}\b' "$1" | sort -u | tr '\n' ' '; }

# row DOOR METHOD COMMAND...: goes through a door, and writes down what came of it. Whoever is in says "in".
row() {
	local door="$1 $2" start=$EPOCHREALTIME rc took; shift 2
	machine_logged
	"$@" >"$LAB/out" 2>"$LAB/seen" </dev/null; rc=$?
	took=$(((${EPOCHREALTIME/./} - ${start/./}) / 1000))
	machine_logged
	sed -i '/: pam_attest(/!d' "$LAB/logged"
	{
		printf '%s %s %s\n  exit %s\n' "$door" $STATE $MODE $rc
		same_words "$LAB/out" out
		same_words "$LAB/seen" sees
		same_words "$LAB/logged" log
		echo
	} >>"$GOT"
	! grep -q ' Ref ' "$LAB/seen" || is "$door $STATE: the user's reference is the log's" "$(refs "$LAB/seen")" "$(refs "$LAB/logged")"
	case $STATE in
	permitted) USUAL[$door]=$took ;;
	*-frozen)
		[ $((took - ${USUAL[$door]})) -lt $((TIMEOUT * 1000 + 1000)) ]
		is "$door $STATE $MODE: an answer after $took ms" $? 0 ;;
	esac
}
declare -A USUAL=()

doors() {
	row sshd publickey "${SSH[@]}" "${by_key[@]}" localhost echo in
	row sshd certificate "${SSH[@]}" "${by_certificate[@]}" localhost echo in
	row sshd password "${SSH[@]}" "${by_password[@]}" localhost echo in
	row sshd keyboard-interactive "${SSH[@]}" "${by_keyboard[@]}" localhost echo in
	# A connection that was let in before carries sessions of today: sshd asks nobody (row 17).
	row sshd multiplexed "${SSH[@]}" -o ControlPath=$MASTER localhost echo in
	row sshd break-glass "${SSH[@]}" "${by_key[@]}" -l eve localhost echo in
	row scp publickey "${SCP[@]}" "${by_key[@]}" "$KEYS/user.pub" localhost:
	row sudo password as_kim_typing sudo -k -S -p '' echo in
	row sudo cached as_kim sudo -n echo in
	row sudo NOPASSWD as_kim sudo -k -n printf 'in\n'
	row sudo root sudo -u lee echo in
	row su password as_kim_typing su lee -c 'echo in'
	row su root su lee -c 'echo in'
}

# Doors whose stacks ask in the same way: where it counts who comes, and from where.
more_doors() {
	row login console-root on_terminal -n /dev/tty1 login root
	row login console-sudo on_terminal -n /dev/tty1 login ada
	row login console-user on_terminal -n /dev/tty1 login lou
	row login elsewhere-sudo on_terminal login ada
	row su-l password as_kim_typing su -l lee -c 'echo in'
	row su-l root su -l lee -c 'echo in'
	row sudo-i password as_kim_typing sudo -k -S -p '' -i echo in
	row sudo list as_kim sudo -n -l printf
	row cron job cron_job
	row systemd-user account systemd_user kim
	row polkit password polkit_asks
	row sftp publickey sftp_in
	row batch publickey batch
}

# --- stacks that take the gate away (row 19)

# stack SERVICE LINES: instead of the service's own; none: that again.
stack() {
	[ -e "$LAB/$1.pam" ] || cp "/etc/pam.d/$1" "$LAB/$1.pam"
	if [ -n "${2:-}" ]; then printf '%s\nsession required pam_permit.so\n' "$2" >"/etc/pam.d/$1"; else cp "$LAB/$1.pam" "/etc/pam.d/$1"; fi
}
# comes_in COMMAND...: "in" or "out".
comes_in() { [ "$("$@" 2>/dev/null </dev/null)" = in ] && echo in || echo out; }
# sshd_says <what> <wanted> COMMAND...: sshd's own words on it, which filters of logs count.
sshd_says() {
	local what=$1 wanted=$2; shift 2
	machine_logged
	"$@" >/dev/null 2>&1 </dev/null
	machine_logged
	is "$what" "$(grep -oE '(Failed [a-z]+ for|Access denied for user) kim( by PAM account configuration)?' "$LAB/logged" | tr '\n' '|')" "$wanted"
}
lints() { attestctl -c /etc/attest/gate.conf lint | grep "^error: /etc/pam.d/$1:" | sed 's|^error: /etc/pam.d/||' | tr '\n' '|'; }
with_key() { "${SSH[@]}" "${by_key[@]}" -l "$1" localhost echo in; }
with_password() { SSH_ASKPASS=$KEYS/$1 "${SSH[@]}" "${by_password[@]}" -l "$2" localhost echo in; }
sudo_guessing() { as_kim sudo -k -S -p '' echo in <<<wrong; }

stacks_when_good() {
	local service
	for service in sshd sudo; do
		stack $service "auth sufficient pam_attest.so
auth required pam_unix.so nodelay
account required pam_permit.so"
	done
	is "auth sufficient, a good host, the right password" "$(comes_in with_password askpass kim)" in
	is "auth sufficient, a good host, a wrong password" "$(comes_in with_password guess kim)" out
	is "auth sufficient, an exemption, a wrong password" "$(comes_in with_password guess eve)" out
	is "auth sufficient, sudo with a wrong password" "$(comes_in sudo_guessing)" out
	stack sudo
	stack sshd "auth required pam_unix.so
account sufficient pam_attest.so
account required pam_deny.so"
	is "account sufficient, a good host" "$(comes_in with_key kim)" in
	is "account sufficient: an exemption is no permit" "$(comes_in with_key eve)" out
	stack sshd
	mv "$PAM_MODULES/pam_attest.so" "$LAB/"
	is "the module's file is gone: sshd lets in" "$(comes_in with_key kim)" in
	is "but no caller of a setuid program" "$(comes_in as_kim sudo -k -n printf 'in\n')" out
	mv "$LAB/pam_attest.so" "$PAM_MODULES/"
}

stacks_when_refused() {
	local gate=$GATE_LINE unix='account required pam_unix.so'
	sshd_says "a refusal under a key" "Access denied for user kim by PAM account configuration|" with_key kim
	sshd_says "a refusal behind a password" "Failed password for kim|Access denied for user kim by PAM account configuration|" \
		with_password askpass kim
	is "lint has nothing against the stacks as they are" "$(lints '.*')" ""
	stack sshd "account sufficient pam_attest.so
$unix"
	is "account sufficient: a refusal counts for nothing" "$(comes_in with_key kim)" in
	is "and lint says so" "$(lints sshd)" "sshd:1: a refusal counts for nothing under this control word (sufficient, optional)|"
	stack sshd "account sufficient pam_permit.so
$gate
$unix"
	is "sufficient before the gate: nobody asks it" "$(comes_in with_key kim)" in
	is "and lint says so" "$(lints sshd)" "sshd:1: pam_permit.so can let people in before pam_attest.so (line 2 of sshd) is asked|"
	stack sshd "@include common-account
$gate"
	is "behind common-account the gate is asked" "$(comes_in with_key kim)" out
	chage -d 0 kim 2>/dev/null
	machine_logged
	comes_in with_key kim >/dev/null
	machine_logged
	is "but not when the password has expired" "$(grep -c ': pam_attest(' "$LAB/logged")" 0
	is "and lint says so" "$(lints common-account)" \
		"common-account:$(grep -n new_authtok_reqd=done /etc/pam.d/common-account | cut -d: -f1): for sshd: pam_unix.so can let people in before pam_attest.so (line 2 of sshd) is asked|"
	chage -d 20000 kim 2>/dev/null
	stack sshd
}

# one_each MODE: one door of root's and one of a setuid program.
one_each() {
	MODE=$1
	row sshd publickey "${SSH[@]}" "${by_key[@]}" localhost echo in
	row sudo NOPASSWD as_kim sudo -k -n printf 'in\n'
}

# state NAME: every door under enforce, then under audit. One that waits for a frozen daemon takes a second, and what is
# asked of a stopped one differs from an outage in a word.
state() {
	local started=$SECONDS
	STATE=$1
	machine_conf enforce
	MODE=enforce
	doors
	case $STATE in
	*-frozen)
		machine_conf audit
		one_each audit ;;
	*)
		[ "$STATE" = attestd-stopped ] || more_doors
		MODE=audit
		machine_conf $MODE
		doors
		[ "$STATE" != refused ] || more_doors ;;
	esac
	echo "$STATE: $((SECONDS - started)) s"
}

# --- the machine
lab_manufacture >"$LAB/manufacture.log" 2>&1 || { echo "no TPM"; failed=1; exit 1; }
lab_power_on "$VM/sb-shimgrub-a/binary_bios_measurements" >>"$LAB/tpm.log" 2>&1
lab_verifier_conf
lab_verifier_up; is "verifierd starts" $? 0
lab_host_conf
machine_paths; is "paths" $? 0
machine_syslog; is "syslog" $? 0
machine_users && machine_gate && machine_more_gates; is "users and stacks" $? 0
machine_sshd; is "sshd" $? 0
machine_bus; is "polkitd" $? 0
machine_conf enforce
lab_attestd_up; is "attestd starts" $? 0
MASTER=/run/master
"${SSH[@]}" "${by_key[@]}" -o ControlMaster=yes -o ControlPath=$MASTER -fN localhost >"$LAB/master.log" 2>&1
is "a connection to be shared" $? 0
as_kim_typing sudo -S -p '' -v; is "a sudo timestamp" $? 0

# --- the states
state not-armed

attestctl enroll --url "https://127.0.0.1:$PORT" --ca "$LAB/verifier/tls/ca.pem" --name host-a >/dev/null
verifierctl approve host-a --yes >/dev/null
reaches 20 reason no-reference; is "enrolled" $? 0
verifierctl references capture host-a --name base --reason test >/dev/null
verifierctl references activate base --yes >/dev/null
attestctl attest >/dev/null; is "and good" $? 0
state permitted
machine_conf enforce
stacks_when_good

kill -STOP "${PIDS[attestd]}"
rm "$LAB/run/verdict"
state attestd-frozen
machine_conf enforce 'sources = exempt cache quote [none=permit broken=permit]'
one_each none=permit
kill -CONT "${PIDS[attestd]}"

lab_kill attestd
rm -rf "${LAB:?}"/run/*
state attestd-stopped

lab_kill verifierd
rm "$LAB/state/last-good"               # else grace would answer
lab_attestd_up; is "attestd starts again" $? 0
state verifier-down

lab_verifier_up
mapfile -t roles < <(pgrep -P "${PIDS[verifierd]}")
kill -STOP "${roles[@]}"
STATE=verifier-frozen
lab_kill attestd
rm -f "$LAB/run/verdict"
# Longer than the rows below take: they all wait for the same attempt.
sed -i 's/^timeout = 2s/timeout = 20s/' "$LAB/attestd.conf"
lab_attestd_up; is "attestd starts once more" $? 0
for m in enforce audit; do machine_conf $m; one_each $m; done
kill -CONT "${roles[@]}"
lab_host_conf
lab_kill attestd
lab_power_off
lab_power_on "$VM/sb-shimgrub-cmd/binary_bios_measurements" >>"$LAB/tpm.log" 2>&1
lab_attestd_up
reaches 20 state contraindicated; is "another command line was booted" $? 0
state refused
machine_conf enforce
stacks_when_refused

# --- the table
[ -z "${DOORS_GOT:-}" ] || cp "$GOT" "$DOORS_GOT"
# A paragraph a row, its first line the key; prints what is wrong, and how many are right.
compare() {
	awk -v FS='\n' -v RS='' '
		FILENAME == ARGV[1] { if ($1 !~ /^#/) want[$1] = $0; next }
		{ seen[$1] = 1 }
		!($1 in want) { print "NOT OK: not in doors.table:\n" $0; next }
		want[$1] != $0 { print "NOT OK: got:\n" $0 "\nwanted:\n" want[$1]; next }
		{ right++ }
		END {
			for (row in want) if (!(row in seen)) print "NOT OK: never tried: " row
			print right + 0
		}' "$1" "$2"
}
compare "$SOURCE/tests/system/doors.table" "$GOT" >"$LAB/compared"
passed=$((passed + $(tail -n 1 "$LAB/compared")))
failed=$((failed + $(grep -c '^NOT OK' "$LAB/compared")))
sed '$d' "$LAB/compared"
[ $failed = 0 ]
