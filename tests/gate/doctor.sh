#!/bin/bash
# attestctl doctor over small machines of its own: each thing that goes wrong is found, by its code, and nothing else is.
set -u
command -v jq >/dev/null || { echo "SKIP: no jq"; exit 77; }
passed=0 failed=0
ctl=$(find "$top_builddir" -type f -name attestctl -perm -100 ! -path "$top_builddir/root/*" | head -n 1)
lab=$(mktemp -d)
trap '[ -z "${pid:-}" ] || kill "$pid" 2>/dev/null; rm -rf "$lab"; echo "$passed passed, $failed failed"' EXIT
umask 022
root=$lab/m
doctor() { "$ctl" doctor --root "$root" "$@"; }

# Where the module is looked for: doctor itself says it, of a machine without one.
module=
# A machine with nothing wrong but that no attestd runs in it.
fresh() {
	rm -rf "$root"
	mkdir -p "$root"/{etc/{attest,pam.d,ssh/sshd_config.d,sudoers.d,openvpn/server},var/lib/attest,run/attest,proc,dev,boot/grub,home} \
		"$root"/usr/{bin,lib/systemd/system} "$root/sys/kernel/security/tpm0" "$root/sys/firmware/efi/efivars"
	cat >"$root/etc/attest/gate.conf" <<-C
		[paths]
		owner = $(id -u)
		cmdline = /proc/cmdline
		[default]
		mode = audit
		[sshd sudo]
		mode = enforce
	C
	printf 'root:x:0:0::/:/bin/sh\nkim:x:1000:1000::/:/bin/sh\n' >"$root/etc/passwd"
	printf 'attest-breakglass:x:900:kim\n' >"$root/etc/group"
	printf 'root:$5$s$h:20000:0:99999:7:::\nkim:!:20000:0:99999:7:::\n' >"$root/etc/shadow"
	echo /bin/sh >"$root/etc/shells"
	printf 'BOOT_IMAGE=/vmlinuz quiet\n' >"$root/proc/cmdline"
	: >"$root/dev/tpmrm0"
	: >"$root/var/lib/attest/armed"
	printf 'version=1\nproof=%s console decision root\n\n' "$(date -u +%FT%TZ)" >"$root/var/lib/attest/rescue"
	chmod 600 "$root/var/lib/attest/rescue"
	echo log >"$root/sys/kernel/security/tpm0/binary_bios_measurements"
	printf '\006\0\0\0\001' >"$root/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"
	local gate='account [success=ok ignore=ignore module_unknown=ignore default=die] pam_attest.so'
	printf '%s\naccount required pam_unix.so\n' "$gate" >"$root/etc/pam.d/sshd"
	printf 'account [success=ok ignore=ignore default=die] pam_attest.so\naccount required pam_unix.so\n' >"$root/etc/pam.d/sudo"
	printf 'Include /etc/ssh/sshd_config.d/*.conf\nUsePAM yes\nMatch User git\n\tUsePAM no\n' >"$root/etc/ssh/sshd_config"
	printf 'Defaults env_reset\n@includedir /etc/sudoers.d\nroot ALL=(ALL:ALL) ALL\n' >"$root/etc/sudoers"
	if [ -n "$module" ]; then mkdir -p "$root${module%/*}"; : >"$root$module"; fi
}

# finds <what> <codes in order, beside attestd-down>: the machine as it is now; then a fresh one.
finds() {
	local json codes rc
	json=$(doctor --json); rc=$?
	codes=$(jq -r '[.findings[].code] | map(select(. != "attestd-down")) | sort | join(" ")' <<<"$json")
	# Every finding has a sentence and a command, whose words were put in.
	if [ "$codes" = "$2" ] && [ $rc = 1 ] && jq -e '(.findings | all((.text | length > 0) and (.fix | length > 0)
	    and (.fix | test("SERVICE|\\bFILE\\b") | not))) and (.errors + .warnings + .unknown == (.findings | length))' <<<"$json" >/dev/null; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		echo "NOT OK: $1: exit $rc, found: $codes, wanted: $2"
		jq -c '.findings[]' <<<"$json"
	fi
	fresh
}
# says <text>: some finding of the machine as it is has these words.
says() {
	if doctor | grep -qF -- "$1"; then passed=$((passed + 1)); else failed=$((failed + 1)); echo "NOT OK: nothing says: $1"; doctor; fi
}

fresh
module=$(doctor --json | jq -r '.findings[] | select(.code == "module-missing") | .text' | sed "s|^$root||; s/ is not there.*//")
[ -n "$module" ] || { echo "a module that is not there was not missed"; exit 1; }
fresh
finds "nothing else is wrong" ""

# --- what stands in other programs' files
sed -i 's/^UsePAM yes/UsePAM no/' "$root/etc/ssh/sshd_config"
says "$root/etc/ssh/sshd_config:2: UsePAM no"
finds "UsePAM no" "sshd-usepam-off"
sed -i '/^UsePAM yes/d' "$root/etc/ssh/sshd_config"
finds "UsePAM in a Match block alone, which sets nothing" "sshd-usepam-off"
echo 'UsePAM=no' >"$root/etc/ssh/sshd_config.d/10-x.conf"
says "sshd_config.d/10-x.conf:1: UsePAM no"
finds "UsePAM no in a file that is included first" "sshd-usepam-off"
printf 'match user git\n usepam no\n' >"$root/etc/ssh/sshd_config.d/10-x.conf"
finds "a Match block of an included file ends with it" ""
echo 'LoginGraceTime 5' >>"$root/etc/ssh/sshd_config.d/a.conf"
finds "LoginGraceTime is the gate's timeout" "sshd-grace-short"
echo 'LoginGraceTime 0' >>"$root/etc/ssh/sshd_config.d/a.conf"
finds "no LoginGraceTime" ""
sed -i 's/sshd sudo/sudo/; $a [sshd]\nmode = off' "$root/etc/attest/gate.conf"
sed -i '/pam_attest/d' "$root/etc/pam.d/sshd"
sed -i 's/^UsePAM yes/UsePAM no/' "$root/etc/ssh/sshd_config"
finds "an sshd that nobody gates may do without PAM" ""

for scope in '' '@web7' ':kim' ':kim, lee' '>root' '!/usr/bin/id'; do
	printf 'Defaults%s env_reset, !pam_acct_mgmt\n' "$scope" >"$root/etc/sudoers.d/x"
	[ "$scope" != ":kim" ] || says "$root/etc/sudoers.d/x:1: Defaults:kim !pam_acct_mgmt"
	finds "sudoers: Defaults$scope !pam_acct_mgmt" "sudo-skips-account"
done
printf 'Defaults !pam_acct_mgmt\nDefaults pam_acct_mgmt\n' >"$root/etc/sudoers.d/x"
finds "sudoers: taken back" ""
printf 'Defaults !pam_acct_mgmt\nDefaults:kim pam_acct_mgmt\n' >"$root/etc/sudoers.d/x"
finds "sudoers: taken back for one" "sudo-skips-account"
printf '# Defaults !pam_acct_mgmt\nDefaults badpass_message="!pam_acct_mgmt, no"\nDefaults !!pam_acct_mgmt\n' >"$root/etc/sudoers.d/x"
finds "sudoers: in a comment, in quotes, negated twice" ""
printf 'Defaults \\\n   !pam_acct_mgmt\n' >"$root/etc/sudoers.d/x.conf"
finds "sudoers: a file that sudo passes over" ""
printf 'Defaults \\\n   !pam_acct_mgmt\n' >"$root/etc/sudoers.d/x"
finds "sudoers: in two lines" "sudo-skips-account"
printf 'Defaults:kim pam_service=other-sudo\n' >"$root/etc/sudoers.d/x"
finds "sudoers: another PAM service" "sudo-other-service"

mkdir -p "$root/etc/fail2ban/filter.d" "$root/etc/fail2ban/jail.d"
: >"$root/usr/bin/fail2ban-server"; : >"$root/etc/fail2ban/filter.d/sshd.conf"
finds "fail2ban without a rule" "fail2ban-bans"
mkdir -p "$root/etc/fail2ban/filter.d"
: >"$root/usr/bin/fail2ban-server"; : >"$root/etc/fail2ban/filter.d/sshd.conf"
echo 'ignoreregex = pam_attest' >"$root/etc/fail2ban/filter.d/sshd.local"
finds "fail2ban with one" ""

printf '[openvpn]\nmode = enforce\n' >>"$root/etc/attest/gate.conf"
cp "$root/etc/pam.d/sshd" "$root/etc/pam.d/openvpn"
echo 'plugin /usr/lib/openvpn/openvpn-plugin-auth-pam.so "openvpn login USERNAME"' >"$root/etc/openvpn/server/a.conf"
finds "OpenVPN waits for PAM" "openvpn-waits"
printf '[openvpn]\nmode = enforce\n' >>"$root/etc/attest/gate.conf"
cp "$root/etc/pam.d/sshd" "$root/etc/pam.d/openvpn"
printf 'plugin openvpn-plugin-auth-pam.so openvpn\nsetenv deferred_auth_pam 1\n' >"$root/etc/openvpn/server/a.conf"
finds "OpenVPN does not" ""
cp "$root/etc/pam.d/sudo" "$root/etc/pam.d/polkit-1"
printf '[Service]\nRestrictAddressFamilies=AF_INET\n' >"$root/usr/lib/systemd/system/polkit-agent-helper@.service"
finds "polkit's sandbox without AF_UNIX" "polkit-sandbox"
cp "$root/etc/pam.d/sudo" "$root/etc/pam.d/polkit-1"
printf '[Service]\nRestrictAddressFamilies=AF_UNIX\n' >"$root/usr/lib/systemd/system/polkit-agent-helper@.service"
finds "polkit's sandbox with it" ""

# --- the stacks and gate.conf: lint's rows are doctor's as well
sed -i '/pam_attest/d' "$root/etc/pam.d/sshd"
finds "enforced and not hooked" "not-hooked"
sed -i 's/account.*pam_attest/auth required pam_attest/; 1a auth required pam_unix.so' "$root/etc/pam.d/sshd"
finds "in auth alone" "auth-only locks-when-gone"
sed -i '/pam_unix/d' "$root/etc/pam.d/sshd"
finds "the only module" "only-module"
sed -i '1i account sufficient pam_localuser.so' "$root/etc/pam.d/sshd"
finds "a sufficient before it" "passed-over"
echo 'account required pam_attest.so' >"$root/etc/pam.d/common-account"
echo '@include common-account' >"$root/etc/pam.d/cron"
finds "in common-account" "in-common locks-when-gone only-module"
printf '[ssh]\nmode = enforce\n' >>"$root/etc/attest/gate.conf"
finds "a section for a service that is not there" "no-such-service"
printf '[login]\nsources = exempt cache peer\n' >>"$root/etc/attest/gate.conf"
: >"$root/etc/pam.d/login"
finds "cache beside peer, and peer where people type" "cache-and-peer peer-typed"
echo 'modes = audit' >>"$root/etc/attest/gate.conf"
finds "a key that nobody knows" "conf"

# --- ways back in, switches, folders
rm "$root/var/lib/attest/rescue"
finds "no way back in was proved, and something is enforced" "no-rescue"
rm "$root/var/lib/attest/rescue"
sed -i 's/enforce/audit/' "$root/etc/attest/gate.conf"
finds "the same before anything is" "rescue-untested"
sed -i 's/=20[0-9]*/=2019/' "$root/var/lib/attest/rescue"
finds "a proof of long ago" "no-rescue"
sed -i 's/^root:[^:]*/root:!/' "$root/etc/shadow"
says "console of root was proved, and holds no more: no password that can be typed there"
finds "a proof that holds no more" "no-rescue"
rm "$root/var/lib/attest/armed"
finds "not armed" "not-armed"
: >"$root/etc/attest/DISABLED"
finds "DISABLED" "kill-switch-on"
echo 'quiet attest=audit -- x' >"$root/proc/cmdline"
finds "attest=audit" "kill-switch-on"
echo 'quiet xattest=audit -- attest=audit' >"$root/proc/cmdline"
finds "words that are not it" ""
chmod 777 "$root/run/attest"
finds "run_dir that others may write" "run-dir-open"
rmdir "$root/run/attest"; ln -s /tmp "$root/run/attest"
finds "run_dir is a link" "run-dir-open"
chmod 775 "$root/var/lib/attest"
finds "state_dir that others may write" "state-dir-open"
printf '[paths]\nrun_dir = /run/other\n' >"$root/etc/attest/attestd.conf"
finds "attestd writes elsewhere" "folders-differ"

# --- the TPM and its log
rm "$root/dev/tpmrm0"
finds "no TPM" "tpm-missing"
: >"$root/sys/kernel/security/tpm0/binary_bios_measurements"
printf '\006\0\0\0\0' >"$root/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"
echo 'linux /vmlinuz' >"$root/boot/grub/grub.cfg"
says "Secure Boot is off, and Debian's GRUB then starts the kernel by the old protocol"
says "do: turn Secure Boot on, or use linuxefi and initrdefi in grub.cfg"
finds "an empty log" "boot-log-empty"
rm "$root/sys/kernel/security/tpm0/binary_bios_measurements"
rm -r "$root/sys/firmware/efi"
says "this machine was not booted by UEFI"
finds "no log" "boot-log-absent"
asks() {
	mkdir -p "$root/etc/attest/gate.conf.d"
	printf 'passwd: files\ngroup:files attest # and more\n' >"$root/etc/nsswitch.conf"
	printf '[nss]\n%b' "$1" >"$root/etc/attest/gate.conf.d/nss.conf"
}
asks 'gid = 968\n'
finds "the group as it should be" ""
asks 'gid = 968\n'
sed -i 's/group:.*/group: files #attest/' "$root/etc/nsswitch.conf"
chmod o-r "$root/etc/attest/gate.conf.d/nss.conf"
finds "nobody asks for the group" ""
asks 'gid = 968\n'
sed -i 's/attest/systemd/' "$root/etc/nsswitch.conf"
sed -i '1i AllowGroups wheel attested' "$root/etc/ssh/sshd_config"
finds "AllowGroups has it, and nobody asks for it" "group-unasked"
asks 'gid = 968\n'
sed -i '1i AllowGroups wheel attested' "$root/etc/ssh/sshd_config"
finds "AllowGroups has it" ""
asks ''
finds "no number for the group" "group-silent"
asks 'gid = 968\ncolour = red\n'
finds "a line of [nss] that cannot be used" "conf group-silent"
asks 'gid = 968\n'
echo 'docker:x:968:kim' >>"$root/etc/group"
finds "row 45: the number is docker's" "group-silent"
asks 'gid = 968\n'
echo 'attested:x:968:' >>"$root/etc/group"
finds "the number is reserved" ""
asks 'gid = 968\n'
echo 'attested:x:968:kim' >>"$root/etc/group"
finds "somebody is a member for good" "group-members"
asks 'gid = 968\n'
echo 'attested:x:968:' >>"$root/etc/group"
sed -i 's/^kim:x:1000:1000/kim:x:1000:968/' "$root/etc/passwd"
finds "somebody's own group" "group-members"
asks 'gid = 968\n'
chmod o-r "$root/etc/attest/gate.conf"
chmod o-rx "$root/etc/attest/gate.conf.d"
finds "root alone can read it" "group-unseen group-unseen"

printf '[nss]\ngid = 968\ngroup = attested\n' >>"$root/etc/attest/gate.conf"
: >"$root/home/a"
if chgrp 968 "$root/home/a" 2>/dev/null; then
	chmod 2755 "$root/home/a"
	finds "a setgid file of the group" "setgid-files"
	chmod 2755 "$root/home" && chgrp 968 "$root/home"
	finds "a setgid folder is none" ""
fi

# --- what attestd says, by one that says what it is told
mkdir "$lab/said"
state() {  # <what> <codes> <jq to change the status>: of a machine whose attestd says so
	fresh
	jq -n '{schema: 1, state: "affirming", reason: "ok", text: "fine", ref: "AAAA-AAAA", issued: "2026-01-01T00:00:00Z", enrollment: "active",
	    ceiling: "enforce", verifier: {url: "https://v.example:8451", state: "ok", since: null, grace_ends: null}} | '"$3" >"$lab/said/status.json"
	jq -n '{schema: 1, lockout: {counter: 0, max: 32, interval: 7200, recovery: 86400}} | '"${4:-.}" >"$lab/said/tpm.json"
	"$top_builddir/tests/gate/say_attestd" "$root/run/attest/gate.sock" "$lab/said" &
	pid=$!
	for _ in $(seq 100); do [ -S "$root/run/attest/gate.sock" ] && break; sleep 0.05; done
	got=$(doctor --json | jq -r '[.findings[].code] | sort | join(" ")')
	kill $pid
	wait $pid 2>/dev/null
	pid=
	if [ "$got" = "$2" ]; then passed=$((passed + 1)); else failed=$((failed + 1)); echo "NOT OK: $1: found: $got, wanted: $2"; fi
}
state "a good host"              ""                   .
state "refused"                  "refused"            '.state = "contraindicated" | .reason = "firmware-changed"'
state "no verdict"               "no-verdict"         '.state = "none" | .reason = "verdict-expired"'
state "broken"                   "broken"             '.state = "broken" | .reason = "tpm-busy"'
state "a log that attestd cannot read" "boot-log-unreadable broken" '.state = "broken" | .reason = "eventlog-unreadable"'
state "not enrolled"             "not-enrolled"       '.enrollment = "none" | .state = "none"'
state "not approved"             "enrollment-pending" '.enrollment = "pending" | .state = "none"'
state "a ceiling"                "ceiling"            '.ceiling = "audit"'
state "the verifier is away"     "verifier-out"       '.verifier.state = "out" | .verifier.since = "2026-01-01T00:00:00Z"'
state "the clock"                "clock-wrong"        '.issued = "2999-01-01T00:00:00Z"'
state "the verifier's clock"     "clock-wrong"        ".last_error = \"the verifier's clock is 90 s ahead of this one\""
state "the TPM's counter rises"  "tpm-lockout-near"   . '.lockout.counter = 3'
state "the TPM is locked"        "tpm-lockout"        . '.lockout.counter = 32'
state "no counter in the answer" "not-looked-at"      . 'del(.lockout)'
fresh

# One line a check; and a machine without anything.
[ "$(doctor --list | wc -l)" = "$(doctor --json | jq .checks)" ] && passed=$((passed + 1)) || { failed=$((failed + 1)); echo "NOT OK: --list"; }
[ $failed = 0 ]
