#!/bin/bash
# attestctl enforce, audit, off and rescue test: each thing that has to be at hand before a service is enforced, the drop-in
# that is written, the trial and what confirms it; which ways back in hold for whom. attestd is one that says what it is told.
set -u
. "$top_srcdir/tests/shell.sh"
ctl=$(find "$top_builddir" -type f -name attestctl -perm -100 ! -path "$top_builddir/root/*" | head -n 1)
lab=$(mktemp -d)
pam=$lab/pam.d run=$lab/run state=$lab/state
mkdir "$pam" "$run" "$state" "$lab/etc" "$lab/home"
chmod 755 "$lab" "$lab/home"
"$top_builddir/tests/gate/say_attestd" "$run/gate.sock" "$lab" &
attestd=$!
trap 'kill $attestd; rm -rf "$lab"; echo "$passed passed, $failed failed"' EXIT
for _ in $(seq 100); do [ -S "$run/gate.sock" ] && break; sleep 0.05; done

# says <what> <wanted exit> <words of the answer> WORDS...: of attestctl.
says() {
	local what=$1 code=$2 words=$3; shift 3
	out=$("$ctl" -c "$lab/gate.conf" "$@" 2>&1); rc=$?
	out=${out//$lab/}
	is "$what" $rc "$code"
	case $out in *"$words"*) passed=$((passed + 1)) ;; *) is "$what: what it says" "$out" "$words" ;; esac
}
enforce() { local what=$1 code=$2 words=$3; shift 3; says "$what" "$code" "$words" enforce "$@" --pam-dir "$pam"; }
written() { cat "$lab/gate.conf.d/90-attestctl-sshd.conf" 2>/dev/null; }
mode() { "$ctl" -c "$lab/gate.conf" config sshd | sed -n 's/^mode = //p'; }
conf() {
	cat >"$lab/gate.conf" <<-C
		[paths]
		run_dir = $run
		state_dir = $state
		passwd = $lab/etc/passwd
		group = $lab/etc/group
		owner = $(id -u)
		[default]
		mode = audit
		${1:-}
	C
}

# --- accounts: root; kim, an administrator; eve, break-glass; and those who only look like a way back
me=$(id -u)
[ "$me" != 0 ] || me=1002
cat >"$lab/etc/passwd" <<C
root:x:0:0:root:$lab/home/root:/bin/bash
kim:x:1001:1001::$lab/home/kim:/bin/bash
eve:x:$me:$(id -g)::$lab/home/eve:/bin/bash
locked:x:1003:1003::$lab/home/locked:/bin/bash
noshell:x:1004:1004::$lab/home/noshell:/usr/sbin/nologin
odd:x:1005:1005::$lab/home/odd:/opt/sh
gone:x:1006:1006::$lab/home/gone:/bin/bash
exempt:x:1007:1007::$lab/home/exempt:/bin/bash
lee:x:1008:1008::$lab/home/lee:/bin/bash
nokey:x:1009:1009::$lab/home/nokey:/bin/bash
C
printf '%s\n' 'sudo:x:27:kim,locked,noshell,odd,gone' 'wheel:x:10:' 'attest-breakglass:x:900:eve,nokey' >"$lab/etc/group"
hash='$5$salt$hash'
cat >"$lab/etc/shadow" <<C
root:$hash:20000:0:99999:7:::
kim:$hash:20000:0:99999:7:::
eve:!:20000:0:99999:7:::
locked:!$hash:20000:0:99999:7:::
noshell:$hash:20000:0:99999:7:::
odd:$hash:20000:0:99999:7:::
gone:$hash:20000:0:99999:7::19000:
exempt:$hash:20000:0:99999:7:::
lee:$hash:20000:0:99999:7:::
nokey:*:20000:0:99999:7:::
C
printf '# shells\n/bin/sh\n/bin/bash\n/usr/sbin/nologin\n' >"$lab/etc/shells"
mkdir -p "$lab/home/eve/.ssh"
echo 'ssh-ed25519 AAAA eve' >"$lab/home/eve/.ssh/authorized_keys"
chmod 600 "$lab/home/eve/.ssh/authorized_keys"
[ "$(id -u)" != 0 ] || chown -R $me "$lab/home/eve"
conf $'[sshd]\nexempt_user = exempt\n[login]\nmode = enforce'

rescue() { says "rescue test $1" "$2" "$3" rescue test "$1"; }
rescue root 0 "+ console      root: passes on tty1 without any daemon"
is "it is written down" "$(sed -E 's/=.*Z /=TIME /' "$state/rescue")" $'version=1\nproof=TIME console decision root'
is "for all to read, for root to write" "$(stat -c %a "$state/rescue")" 644
rescue kim 0 "+ console      kim: passes on tty1"
rescue eve 0 "+ break-glass  eve: passes sshd without any daemon; has a key"
rescue exempt 0 "+ exempt-user  exempt: passes sshd without any daemon; has a password"
rescue locked 1 "- console      locked: no password that can be typed there"
rescue noshell 1 "/usr/sbin/nologin is no shell"
rescue odd 1 "/opt/sh is no shell"
rescue gone 1 "the account has expired"
rescue lee 1 "no way back in is proved for lee"
rescue nokey 1 "neither a password nor a key"
rescue nobody-here 1 "no such user"
says "rescue test of nobody" 2 "wants: attestctl rescue test USER" rescue test
says "no name" 2 "wants: attestctl rescue test USER" rescue test $'a b'
chmod 666 "$lab/home/eve/.ssh/authorized_keys"
rescue eve 1 "neither a password nor a key"
chmod 600 "$lab/home/eve/.ssh/authorized_keys"
# The home is the user's, who may put a FIFO there behind the back of who looks: root waits for nobody.
keys=$lab/home/eve/.ssh/authorized_keys
cp -p "$keys" "$keys.file" && mkfifo -m 600 "$keys.fifo"
[ "$(id -u)" != 0 ] || chown $me "$keys".f*
perl -e 'while (1) { for ("file", "fifo") { link("$ARGV[0].$_", "$ARGV[0].new"); rename("$ARGV[0].new", $ARGV[0]) } }' "$keys" &
flips=$!
hung=0
for _ in {1..100}; do
	timeout 5 "$ctl" -q -c "$lab/gate.conf" rescue test eve --dry-run
	[ $? != 124 ] || { hung=1; break; }
done
kill $flips
wait $flips 2>/dev/null
rm "$keys" && mv "$keys.file" "$keys"
rm -f "$keys".*
is "a file that changes while it is looked at" $hung 0
is "four proofs are kept" "$(grep -c ^proof= "$state/rescue")" 4
echo '{"schema":1,"services":[],"reasons":[
	{"service":"sshd","access":"exempted","reason":"break-glass","count":1,"last":"2026-11-20T10:00:00Z","ref":""},
	{"service":"login","access":"refused","reason":"exempt-console","count":1,"last":"2026-11-20T10:00:00Z","ref":""}]}' >"$lab/report.json"
rescue eve 0 "was used at 2026-11-20T10:00:00Z, which is the better proof"
is "which is written down" "$(grep -c 'break-glass used eve' "$state/rescue")" 1
rescue root 0 "recorded"
is "a refusal is no use" "$(grep -c 'console decision root' "$state/rescue")" 1
conf $'[sshd]\nsources = cache quote'
rescue eve 1 "the gate asks for a verdict"
conf
rm "$state/rescue" "$lab/report.json"
says "--dry-run" 0 "passes on tty1" rescue test root --dry-run
is "records nothing" "$(ls "$state")" ""
rm -rf "$lab/gate.conf.d"

# --- what enforce wants
root_line='account [success=ok ignore=ignore module_unknown=ignore default=die] pam_attest.so'
good() {  # everything at hand
	conf
	printf '%s\naccount required pam_unix.so\n' "$root_line" >"$pam/sshd"
	echo ok >"$lab/reason"
	: >"$state/armed"
	echo '{"schema":1,"ceiling":"enforce"}' >"$lab/status.json"
	"$ctl" -c "$lab/gate.conf" rescue test root >/dev/null
	rm -rf "$lab/gate.conf.d"
}
good
printf 'account required pam_unix.so\n' >"$pam/sshd"
enforce "without a PAM line" 2 "Next: attestctl hook sshd" sshd --trial 10m
good; rm "$state/rescue"
enforce "without a way back in" 2 "no way back in was proved. Next: attestctl rescue test USER" sshd --trial 10m
good; sed -i 's/^root:[^:]*/root:*/' "$lab/etc/shadow"
enforce "with one that holds no more" 2 "console of root was proved, and holds no more" sshd --trial 10m
sed -i "s/^root:[^:]*/root:$hash/" "$lab/etc/shadow"
good; printf 'version=1\nproof=2026-01-01T00:00:00Z console decision root\n\n' >"$state/rescue"
enforce "with one of last year" 2 "no way back in was proved within 90 days" sshd --trial 10m
good; chmod 666 "$state/rescue"
enforce "with one that others may write" 2 "may write" sshd --trial 10m
good; echo cmdline-changed >"$lab/reason"
enforce "on a refused host" 1 "this host is not affirming: the kernel command line is not one of the known ones (cmdline-changed)" sshd --trial 10m
good; echo grace >"$lab/reason"
enforce "in grace" 4 "this host is not affirming" sshd --trial 10m 2>/dev/null
good; echo not-enrolled >"$lab/reason"
enforce "on a host that is not enrolled" 6 "this host is not affirming" sshd --trial 10m
good; echo '{"schema":1,"ceiling":"audit"}' >"$lab/status.json"
enforce "under a ceiling" 2 "holds gates down to audit" sshd --trial 10m
good; rm "$state/armed"
enforce "on a host that was never affirming" 2 "enforce acts as audit until this host has been affirming once" sshd --trial 10m
good; conf $'[sshd]\nkill_switch = all'; : >"$lab/DISABLED"
enforce "with a kill switch on" 2 "a kill switch" sshd --trial 10m
rm "$lab/DISABLED"
good; printf 'account optional pam_attest.so\naccount required pam_unix.so\n' >"$pam/sshd"
enforce "with a line that counts for nothing" 2 "a refusal counts for nothing" sshd --trial 10m
good; printf '%s mode=audit\naccount required pam_unix.so\n' "$root_line" >"$pam/sshd"
enforce "with a mode on the line" 2 "says mode=, which beats what is written here" sshd --trial 10m
good; conf $'[sshd]\nsources = cache peer'
enforce "with sources that contradict each other" 2 "not both" sshd --trial 10m
good; conf $'[sshd]\nmax_age = soon'
enforce "with a line that cannot be read" 2 "Next: attestctl lint" sshd --trial 10m
good; mkdir "$lab/gate.conf.d"; printf '[sshd]\nmode = audit\n' >"$lab/gate.conf.d/99-site.conf"
enforce "with a drop-in that is read later" 2 "/gate.conf.d/99-site.conf:2 says mode = audit, and is read later" sshd --trial 10m
good; conf $'[sshd]\nuntil = 2030-01-01T00:00:00Z'
enforce "for good, and gate.conf says until" 2 "/gate.conf:10 says until = 2030-01-01T00:00:00Z, which would end it" sshd --yes
good
enforce "without a word how" 2 "wants one of: --trial 10m" sshd
enforce "two words how" 2 "wants one of: --trial 10m" sshd --trial 10m --yes
enforce "a trial of a second" 2 "--trial" sshd --trial 1s
enforce "cron" 2 "cron is never gated" cron --trial 10m
enforce "[default]" 2 "is no service" default --trial 10m
enforce "no name" 2 "the name of a service is wanted" --trial 10m
enforce "a path" 2 "the name of a service is wanted" ../sshd --trial 10m
kill $attestd; wait $attestd 2>/dev/null
enforce "without attestd" 3 "gate.sock" sshd --trial 10m
rm -f "$run/gate.sock"
"$top_builddir/tests/gate/say_attestd" "$run/gate.sock" "$lab" &
attestd=$!
for _ in $(seq 100); do [ -S "$run/gate.sock" ] && break; sleep 0.05; done
is "and nothing was written all the while" "$(find "$lab/gate.conf.d" -name '*attestctl*' 2>/dev/null)" ""
printf 'account required pam_unix.so\n' >"$pam/sshd"; rm "$state/rescue"; echo cmdline-changed >"$lab/reason"
enforce "all that is missing is said at once" 2 "no way back in was proved" sshd --trial 10m
is "how much" "$(grep -c Next: <<<"$out")" 3

# --- a trial
good
enforce "--dry-run" 0 "nothing was written" sshd --trial 10m --dry-run
is "writes nothing" "$(written)$(mode)" audit
enforce "--confirm without a trial" 2 "no trial of sshd is under way" sshd --confirm
umask 077
enforce "a trial" 0 "Log in through sshd anew; when that works: attestctl enforce sshd --confirm" sshd --trial 10m
is "its file" "$(written | sed -E 's/20[0-9-]*T[0-9:]*Z/TIME/')" "# Written by: attestctl enforce --trial sshd. Read after gate.conf, and beats it; attestctl writes it anew.
[sshd]
mode  = enforce
until = TIME"
umask 022
is "which everybody may read, whatever the umask" "$(stat -c %a "$lab/gate.conf.d" "$lab/gate.conf.d/90-attestctl-sshd.conf" | tr '\n' ' ')" "755 644 "
is "it is in force" "$(mode)" enforce
left=$(($(date +%s -d "$(written | sed -n 's/^until = //p')") - $(date +%s)))
is "for ten minutes" "$([ $left -gt 590 ] && [ $left -le 600 ] && echo yes)" yes
permit() { echo '{"schema":1,"services":[{"service":"sudo","last_permit":"2099-01-01T00:00:00Z"},{"service":"sshd","last_permit":"'"$1"'"}],"reasons":[]}' >"$lab/report.json"; }
permit ""
enforce "--confirm when nobody came in" 2 "no verdict has permitted anybody through sshd since the trial began" sshd --confirm
permit "$(date -u +%FT%TZ -d @$(($(date +%s) - 60)))"
enforce "--confirm when somebody came in before it" 2 "no verdict has permitted anybody" sshd --confirm
permit "$(date -u +%FT%TZ -r "$lab/gate.conf.d/90-attestctl-sshd.conf")"
enforce "--confirm when somebody came in in the second of its start" 2 "no verdict has permitted anybody" sshd --confirm
is "the trial goes on" "$(written | grep -c until)" 1
permit "$(date -u +%FT%TZ -d @$(($(date +%s) + 1)))"
echo cmdline-changed >"$lab/reason"
enforce "--confirm on a host that is refused by now" 1 "this host is not affirming" sshd --confirm
echo ok >"$lab/reason"
enforce "--confirm" 0 "sshd is enforced from now on. Back: attestctl audit sshd" sshd --confirm
is "for good" "$(mode) $(written | grep -c until)" "enforce 0"
enforce "a trial of what is enforced" 2 "is enforced already, and the end of a trial would end that" sshd --trial 10m
says "audit" 0 "sshd is in mode audit from now on" audit sshd --pam-dir "$pam"
is "audited" "$(mode) $(written | tail -n 1)" "audit mode  = audit"
says "off" 0 "sshd is in mode off" off sshd --pam-dir "$pam"
is "off" "$(mode)" off
enforce "at once" 0 "sshd is enforced from now on" sshd --yes
is "enforced" "$(mode)" enforce
says "audit --dry-run" 0 "nothing was written" audit sshd --pam-dir "$pam" --dry-run
is "still enforced" "$(mode)" enforce
good
enforce "a trial that is over" 0 "" sshd --trial 5s
sed -i 's/^until = .*/until = 2026-01-01T00:00:00Z/' "$lab/gate.conf.d/90-attestctl-sshd.conf"
enforce "is not confirmed" 2 "the trial of sshd ended at 2026-01-01T00:00:00Z" sshd --confirm
good; conf $'[sshd]\nmode = audit'
enforce "gate.conf says otherwise" 0 "/gate.conf:10 says mode = audit; the drop-in beats it" sshd --trial 10m
is "the drop-in counts" "$(mode)" enforce

# --- audit is a way back: whatever else is wrong
good
rm "$state/rescue"; echo cmdline-changed >"$lab/reason"; rm "$pam/sshd"
says "audit without anything" 0 "no PAM line asks the gate. Next: attestctl hook sshd" audit sshd --pam-dir "$pam"
printf '[sshd]\nmode = enforce\n' >"$lab/gate.conf.d/99-site.conf"
says "audit that a later file beats" 2 "/gate.conf.d/99-site.conf:2 says mode = enforce, and is read later" audit sshd --pam-dir "$pam"
rm "$lab/gate.conf.d/99-site.conf"
printf '%s mode=enforce\naccount required pam_unix.so\n' "$root_line" >"$pam/sshd"
says "audit that the line beats" 2 "says mode=, which beats it" audit sshd --pam-dir "$pam"
mv "$lab/gate.conf" "$lab/away"
says "audit without gate.conf" 2 "every service is refused" audit sshd --pam-dir "$pam"
mv "$lab/away" "$lab/gate.conf"
rm -rf "$lab/gate.conf.d"; mkdir "$lab/gate.conf.d"
for i in $(seq 32); do printf '[x]\nmode = audit\n' >"$lab/gate.conf.d/$i.conf"; done
says "one file more than the gate reads" 2 "32 files are there" audit sshd --pam-dir "$pam"
is "is not written" "$(written)$(mode)" audit
out=$("$ctl" -c "$lab/gate.conf" --json audit sshd --pam-dir "$pam" --dry-run)
is "--json" "$(tr -d ' \n' <<<"${out//$lab/}")" \
	'{"schema":1,"service":"sshd","mode":"audit","until":null,"file":"/gate.conf.d/90-attestctl-sshd.conf","hooked":true,"written":false}'
[ $failed = 0 ]
