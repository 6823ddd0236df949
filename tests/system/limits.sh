#!/bin/bash
# Row 36: a caller's resource limits must not take the gate away. Over su and sudo, as the user who sets them, each limit from
# nothing to comfortable, with the host refused: however a run ends, nobody comes in.
set -u
# shellcheck disable=SC2034  # BUILD is for what is sourced
SOURCE=$top_srcdir BUILD=$top_builddir
. "$SOURCE/tests/integration/lab.sh"
. "$SOURCE/tests/system/machine.sh"
machine_skip
[ "${1:-}" = --inside ] || exec "$SOURCE/tests/system/private.sh" bash "$0" --inside

. "$top_srcdir/tests/shell.sh"
lab_open /run/lab
trap lab_end EXIT

# --- one run
su_in() { as_kim_typing prlimit "$1" su lee -c 'echo in' 2>&1; }
sudo_in() { as_kim_typing prlimit "$1" sudo -k -S -p '' echo in 2>&1; }

# attempt PROGRAM LIMIT: sets HOW it ended.
attempt() {
	local out rc
	out=$("$1_in" "$2"); rc=$?
	case $rc,$out in
	0,* | *,in | *$'\n'in | *'failed to execute'*) HOW=permitted ;;
	*'attest: refused: '*) HOW=gate ;;
	12[4-9],* | 1[3-9][0-9],*) HOW=died ;;
	*) HOW=pam ;;
	esac
	COUNT[$HOW]=$((${COUNT[$HOW]:-0} + 1))
	[ $HOW != permitted ] || PERMITS+=" ${2#--}"
}
declare -A COUNT=()

# sweep PROGRAM LIMIT FROM TO STEP
sweep() {
	local n
	for ((n = $3; n <= $4; n += $5)); do attempt "$1" "--$2=$n"; done
}

# report PROGRAM LIMIT: what came of the runs since the last one.
report() {
	printf '%-5s %-7s refused by the gate %4d, refused without it %4d, ended by the limit %4d, permitted %d\n' \
		"$1" "$2" "${COUNT[gate]:-0}" "${COUNT[pam]:-0}" "${COUNT[died]:-0}" "${COUNT[permitted]:-0}"
}

# bytes PROGRAM LIMIT: doubles until the gate speaks; then STEPS steps over the range where loading fails.
STEPS=400
bytes() {
	local top=16384 step
	COUNT=() PERMITS=''
	while [ $top -lt $((1 << 28)) ]; do
		attempt "$1" "--$2=$top"
		[ $HOW != gate ] || break
		top=$((top * 2))
	done
	step=$(((top / STEPS + 4095) / 4096 * 4096))
	sweep "$1" "$2" $((top / 16)) $top $step
	report "$1" "$2"
}

machine_syslog; is "syslog" $? 0
cat /proc/sys/kernel/random/uuid >"$LAB/boot_id"
machine_users && machine_gate && machine_paths && machine_conf enforce; is "users and stacks" $? 0
# A refusal on record stands by itself: no daemon is needed.
machine_record contraindicated cmdline-changed
echo good >"$LAB/state/armed"

for program in su sudo; do
	for limit in as data stack fsize nofile nproc; do
		case $limit in
		nofile | nproc)
			COUNT=() PERMITS=''
			sweep $program $limit 0 48 1
			report $program $limit ;;
		*) bytes $program $limit ;;
		esac
		is "$program under every $limit: let in at" "$PERMITS" ""
		[ "${COUNT[gate]:-0}" -gt 0 ]; is "$program under some $limit meets the gate" $? 0
	done
done
machine_logged
is "no session was opened" "$(grep -c 'session opened' "$LAB/logged")" 0
grep -q 'unable to dlopen(pam_attest.so)' "$LAB/logged"; is "some runs could not load the module" $? 0

# And what the stack line without module_unknown=ignore is for: with it, the same sweep lets kim in.
sed -i "s/^account .*pam_attest.so/$GATE_LINE/" /etc/pam.d/su
STEPS=1200
bytes su as
[ -n "$PERMITS" ]; is "with module_unknown=ignore the sweep finds its way in" $? 0
machine_logged
grep -q 'session opened' "$LAB/logged"; is "and the log has it" $? 0
[ $failed = 0 ]
