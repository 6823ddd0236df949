#!/bin/sh
# attestctl lint over PAM stacks: a gate that something takes away is named, with file and line (row 19); a good one is not.
set -u
passed=0 failed=0
ctl=$(find "$top_builddir" -type f -name attestctl -perm -100 ! -path "$top_builddir/root/*" | head -n 1)
lab=$(mktemp -d)
trap 'rm -rf "$lab"; echo "$passed passed, $failed failed"' EXIT
mkdir "$lab/pam.d"
cat >"$lab/gate.conf" <<C
[paths]
owner = root
run_dir = $lab/run
passwd = $lab/passwd
group = $lab/group
[default]
mode = audit
[sshd sudo]
mode = enforce
C
printf 'root:x:0:0::/root:/bin/sh\nkim:x:1000:100::/:/bin/sh\nlee:x:1001:100::/:/bin/sh\n' >"$lab/passwd"
printf 'attest-breakglass:x:900:kim\nusers:x:100:\nempty:x:901:\n' >"$lab/group"
gate='account [success=ok ignore=ignore module_unknown=ignore default=die] pam_attest.so'
setuid='account [success=ok ignore=ignore default=die] pam_attest.so'
unix='account required pam_unix.so'

# As Debian writes it.
cat >"$lab/pam.d/common-account" <<'C'
account [success=1 new_authtok_reqd=done default=ignore] pam_unix.so
account requisite pam_deny.so
account required pam_permit.so
C

# lint <what> <service> <exit> <wanted>: standard input is the service's file.
lint() {
	cat >"$lab/pam.d/$2"
	got=$("$ctl" -c "$lab/gate.conf" lint --pam-dir "$lab/pam.d"); rc=$?
	got=$(printf '%s\n' "$got" | sed "s|$lab/pam.d/||")
	rm "$lab/pam.d/$2"
	if [ "$got" = "$4" ] && [ $rc = "$3" ]; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		printf 'NOT OK: %s\n  got:    %s, exit %s\n  wanted: %s, exit %s\n' "$1" "$got" $rc "$4" "$3"
	fi
}

lint "as pam_attest(8) says" sshd 0 "" <<C
account required pam_nologin.so
$gate
@include common-account
C
lint "sudo, as pam_attest(8) says" sudo 0 "" <<C
$setuid
@include common-account
C
lint "sufficient on the gate" sshd 2 \
"error: sshd:1: a refusal counts for nothing under this control word (sufficient, optional)
warning: sshd:1: a good verdict passes over what stands below: it is about the machine, not about the user" <<C
account sufficient pam_attest.so
$unix
C
lint "optional on the gate" sshd 2 \
"error: sshd:1: a refusal counts for nothing under this control word (sufficient, optional)" <<C
account optional pam_attest.so
$unix
C
lint "sufficient before the gate" sshd 2 \
"error: sshd:1: pam_localuser.so can let people in before pam_attest.so (line 2 of sshd) is asked" <<C
account sufficient pam_localuser.so
$gate
$unix
C
lint "the gate behind what may end the stack (an expired password)" sshd 2 \
"error: common-account:1: for sshd: pam_unix.so can let people in before pam_attest.so (line 2 of sshd) is asked" <<C
@include common-account
$gate
C
lint "the same in a substack ends nothing but that" sshd 0 "" <<C
account substack common-account
$gate
C
lint "in a file for everybody" system-auth 2 \
"error: system-auth: calls pam_attest.so for cron, systemd --user and greeters too, which include it" <<C
$gate
$unix
C
lint "a jump over the gate" sshd 2 \
"error: sshd:1: pam_access.so can let people in before pam_attest.so (line 3 of sshd) is asked" <<C
account [success=2 default=ignore] pam_access.so
$unix
$gate
$unix
C
lint "a jump to the gate" sshd 0 "" <<C
account [success=1 default=ignore] pam_access.so
$unix
$gate
$unix
C
lint "exemptions made a permit" sshd 2 \
"error: sshd:1: ignore=ignore is missing: exemptions and mode = audit are answered with it" <<C
account [success=ok module_unknown=ignore default=die] pam_attest.so
$unix
C
lint "required locks out once the file is gone" sshd 0 \
"warning: sshd:1: without module_unknown=ignore nobody comes in once the module's file is gone" <<C
account required pam_attest.so
$unix
C
lint "row 36: a setuid caller with module_unknown=ignore" sudo 2 \
"error: sudo:1: module_unknown=ignore: a caller of sudo makes the loading fail by resource limits, and is let in" <<C
$gate
$unix
C
lint "alone" sshd 2 \
"error: sshd:1: alone in its stack: PAM turns its PAM_IGNORE (audit, exemptions) into a refusal" <<C
$gate
C
lint "row 17: in auth alone" sshd 2 \
"error: sshd: only auth calls pam_attest.so: public keys, a cached sudo and NOPASSWD do not pass there; account is where all do" <<C
auth [success=ok ignore=ignore module_unknown=ignore default=die] pam_attest.so
auth required pam_unix.so
$unix
C
lint "in session alone" sshd 2 \
"error: sshd: only session calls pam_attest.so: sshd does not heed its refusal; account is where all do" <<C
session [success=ok ignore=ignore module_unknown=ignore default=die] pam_attest.so
session required pam_unix.so
C
lint "in password" sshd 2 \
"error: sshd:2: pam_attest.so has no part in changing passwords" <<C
$gate
password required pam_attest.so
$unix
C
lint "enforced, and not hooked" sshd 2 \
"error: sshd: gate.conf says mode = enforce, and no line calls pam_attest.so" <<C
$unix
C
lint "audited, and not hooked" login 0 "" <<C
$unix
C
lint "what packages leave behind is no service" sshd.dpkg-old 0 "" <<C
account sufficient pam_attest.so
C
lint "a line that nobody understands" sshd 2 \
"error: sshd:2: not a line that PAM understands" <<C
$gate
account pam_unix.so
$unix
C
lint "an included file that is not there" sshd 0 \
"warning: sshd: common-nothing, which it includes, cannot be read" <<C
$gate
@include common-nothing
$unix
C

# conf <what> <exit> <line of [default]> <wanted>: what gate.conf itself is told of.
cp "$lab/gate.conf" "$lab/good.conf"
conf() {
	sed "/^mode = audit/a $3" "$lab/good.conf" >"$lab/gate.conf"
	printf '%s\n@include common-account\n' "$gate" >"$lab/pam.d/sshd"
	printf '%s\n@include common-account\n' "$setuid" >"$lab/pam.d/sudo"
	got=$("$ctl" -c "$lab/gate.conf" lint --pam-dir "$lab/pam.d"); rc=$?
	got=$(printf '%s\n' "$got" | sed "s|$lab/||")
	if [ "$got" = "$4" ] && [ $rc = "$2" ]; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		printf 'NOT OK: %s\n  got:    %s, exit %s\n  wanted: %s, exit %s\n' "$1" "$got" $rc "$4" "$2"
	fi
}
conf "nothing to say" 0 "grace = 1h" ""
conf "row 18: a break-glass group that everybody is in" 2 "breakglass_group = users" \
"error: [default] breakglass_group = users: it is the own group of 2 users, and all of them are let in"
conf "row 18: one that is not there" 0 "breakglass_group = nobodys" \
"warning: [default] breakglass_group = nobodys: not in group; a directory service's group does not count"
conf "row 18: one without members" 0 "breakglass_group = empty" \
"warning: [default] breakglass_group = empty: no member in group; those of a directory service do not count"
conf "row 18: none at all is a decision" 0 "exempt_user = backup git" ""
conf "row 18: a pattern for users" 2 "exempt_user = backup !kim" \
"error: [default] exempt_user: '!' in \"backup !kim\": names with blanks between, and nothing else"
conf "row 18: everybody" 2 "exempt_user = *" \
"error: [default] exempt_user: '*' in \"*\": names with blanks between, and nothing else"
conf "a network's terminal as console" 0 "console_ttys = ttyS0 pts/0" \
"warning: [default] console_ttys: pts/0 is a terminal of the network"
printf '[cache]\nrenew = 50%%\n' >"$lab/attestd.conf"
conf "max_age below the renewal that attestd.conf says" 0 "max_age = 7m" \
"warning: [default] max_age is 420 s, and attestd renews after 450 s (renew = 50%): accesses wait for a quote
warning: [sshd] max_age is 420 s, and attestd renews after 450 s (renew = 50%): accesses wait for a quote
warning: [sudo] max_age is 420 s, and attestd renews after 450 s (renew = 50%): accesses wait for a quote"
conf "max_age above it" 0 "max_age = 8m" ""
conf "cache beside passport" 2 "sources = exempt cache passport" \
"error: [default] sources: cache judges this host, peer and passport the connecting one; not both
error: [default] sources: passport without audience: no passport can be for this service
error: [sshd] sources: cache judges this host, peer and passport the connecting one; not both
error: [sshd] sources: passport without audience: no passport can be for this service
error: [sudo] sources: cache judges this host, peer and passport the connecting one; not both
error: [sudo] sources: passport without audience: no passport can be for this service"
conf "peer where people answer, or nobody does" 2 "sources = exempt peer" \
"error: [default] sources: peer without peer_prompt = yes: nobody says which machine connects
error: [sshd] sources: peer: people answer this service's prompts, and could name any machine
error: [sudo] sources: peer: people answer this service's prompts, and could name any machine"
conf "passport without audience" 2 "sources = exempt passport" \
"error: [default] sources: passport without audience: no passport can be for this service
error: [sshd] sources: passport without audience: no passport can be for this service
error: [sudo] sources: passport without audience: no passport can be for this service"
[ $failed = 0 ]
