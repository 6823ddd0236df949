#!/bin/bash
# attestctl report: what enforcing would have refused, in words, from decisions that are on disk already. Needs no TPM.
set -u
# shellcheck disable=SC2034  # BUILD is for what is sourced
SOURCE=$top_srcdir BUILD=$top_builddir
command -v jq >/dev/null || { echo "SKIP: no jq here"; exit 77; }
. "$SOURCE/tests/integration/lab.sh"

. "$top_srcdir/tests/shell.sh"
lab_open "$(mktemp -d)"
trap lab_end EXIT
# shellcheck disable=SC2034  # for lab_host_conf
TCTI=swtpm:path=$LAB/none
: >"$LAB/boot_log"
echo 00000000-0000-4000-8000-000000000000 >"$LAB/boot_id"
lab_host_conf
now=$(date +%s)
# line COUNT SECONDS-AGO SERVICE ACCESS PHASE STATE REASON REF MODE
number=0
line() {
	for _ in $(seq "$1"); do
		number=$((number + 1))
		echo "1 $number $((now - $2))000 $3 kim $4 $5 $6 $7 $8 $9 cache -"
	done
}
{
	line 7 2000000 sshd would_refuse account none attestd-down - audit       # longer ago than is asked for
	line 809 7200 sshd permitted account affirming ok 7F3K-21QX audit
	line 809 7200 sshd permitted auth affirming ok 7F3K-21QX audit          # of the same accesses
	line 1 7000 sshd would_refuse account contraindicated dbx-too-old 7F3K-21QA audit
	line 2 60 sshd would_refuse account contraindicated dbx-too-old 7F3K-21QB audit
	line 1 60 sudo would_refuse account none not-enrolled L-7F3K-21QZ audit
	line 4 60 login permitted account affirming ok 7F3K-21QX audit
	line 2 60 su refused account none attestd-down L-7F3K-21QC enforce
	line 1 60 su refused account none verdict-expired L-7F3K-21QD enforce
	line 5 50 su permitted account affirming ok 7F3K-21QX enforce
	echo "1 99999 torn"
} >"$LAB/state/decisions"
lab_attestd_up
wait_for 10 attestctl report; is "report" $? 0
said() { attestctl report --service "$1" | sed 1d; }
last=$(date -u -d "@$((now - 60))" +%Y-%m-%dT%H:%M:%SZ)
is "some would have been refused" "$(said sshd)" "sshd (audit): enforcing would have refused 3 of 812, all dbx-too-old, newest ref 7F3K-21QB
       3 would_refuse dbx-too-old, newest ref 7F3K-21QB, last $last
  next: attestctl explain REF, for each of the newest references; then look again with --since 1d"
is "never permitted" "$(said sudo | head -n 1)" \
	"sudo (audit): enforcing would have refused 1 of 1, all not-enrolled, newest ref L-7F3K-21QZ; never permitted by a verdict"
is "clean" "$(said login)" "login (audit): enforcing would have refused none of 4
  next: attestctl enforce login --trial 10m"
is "enforced" "$(said su | head -n 1)" "su (enforce): refused 3 of 8"
is "nobody asked" "$(said cron)" "no access was asked for through cron"
is "an hour" "$(attestctl report --since 1s --service sshd | sed -n 2p)" \
	"$(attestctl report --since 1s --json | jq -r '.services[] | select(.service == "sshd") |
		if .asked == 0 then "sshd (audit): not asked" else "sshd (audit): enforcing would have refused \(.would_refuse) of \(.asked), all dbx-too-old, newest ref 7F3K-21QB; never permitted by a verdict" end')"
is "the newest permit" "$(attestctl report --json | jq -r '.services[] | select(.service == "su").last_permit')" \
	"$(date -u -d "@$((now - 50))" +%Y-%m-%dT%H:%M:%SZ)"
is "none under audit" "$(attestctl report --json | jq -r '.services[] | select(.service == "login").last_permit')" ""
attestctl report --since yesterday >/dev/null 2>&1; is "a time that is none" $? 2

# Whose access it was, and how often, is root's to know.
is "explain" "$(attestctl explain L-7F3K-21QC --json | jq -r .decision.user)" kim
if setpriv --reuid=60001 --clear-groups true 2>/dev/null; then
	chmod 755 "$LAB"
	cp "$ATTESTCTL" "$LAB/attestctl" && chmod 755 "$LAB/attestctl"
	other() { setpriv --reuid=60001 --clear-groups "$LAB/attestctl" -c "$LAB/gate.conf" --run-dir "$LAB/run" "$@"; }
	other report >/dev/null 2>&1; is "report for others" $? 7
	other metrics >/dev/null 2>&1; is "metrics for others" $? 7
	is "explain for others" "$(other explain L-7F3K-21QC --json | jq -r '.decision | "\(.reason) \(.user)"')" "attestd-down null"
fi
[ $failed = 0 ]
