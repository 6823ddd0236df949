#!/bin/sh
# nss-in-use: each place that can name the group of libnss_attest, and what only looks like it.
set -u
program=$top_srcdir/pam_attest/gate/nss-in-use
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
passed=0 failed=0

fresh() {
	rm -rf "${root:?}"/*
	mkdir -p "$root/etc/attest/gate.conf.d" "$root/etc/ssh/sshd_config.d" "$root/etc/sudoers.d" "$root/etc/polkit-1/rules.d" \
		"$root/usr/share/polkit-1/rules.d" "$root/etc/pam.d" "$root/etc/security"
	printf 'Include /etc/ssh/sshd_config.d/*.conf\n' >"$root/etc/ssh/sshd_config"
	printf 'root ALL=(ALL:ALL) ALL\n%%sudo ALL=(ALL:ALL) ALL\n@includedir /etc/sudoers.d\n' >"$root/etc/sudoers"
	printf 'account required pam_unix.so\n' >"$root/etc/pam.d/sshd"
}

# case WANTED FILE TEXT: what is said when TEXT stands in FILE; "" for nothing, and then 0.
case_() {
	printf '%b' "$3" >>"$root$2"
	got=$("$program" "$root" 2>&1); rc=$?
	if [ "$got" = "$1" ] && [ $rc = "$([ -z "$1" ]; echo $?)" ]; then
		passed=$((passed + 1))
	else
		printf 'NOT OK: %s: %s\n  got:    %s (%s)\n  wanted: %s\n' "$2" "$3" "$got" $rc "$1"
		failed=$((failed + 1))
	fi
}
# is WANTED FILE TEXT: on a machine that has nothing else of it.
is() { fresh; case_ "$@"; }
in_sshd() { is "$1" /etc/ssh/sshd_config.d/a.conf "$2"; }
in_sudo() { is "$1" /etc/sudoers.d/a "$2"; }

is '' /etc/ssh/sshd_config ''
is '/etc/ssh/sshd_config:2: AllowGroups wheel attested' /etc/ssh/sshd_config 'AllowGroups wheel attested\n'
in_sshd '/etc/ssh/sshd_config.d/a.conf:2:   denygroups=attested' '\n  denygroups=attested\n'
in_sshd '/etc/ssh/sshd_config.d/a.conf:1: AllowGroups "att?st*"' 'AllowGroups "att?st*"\n'
in_sshd '/etc/ssh/sshd_config.d/a.conf:1: AllowGroups !attested *' 'AllowGroups !attested *'
in_sshd '/etc/ssh/sshd_config.d/a.conf:1: Match User kim Group wheel,attested' 'Match User kim Group wheel,attested\n'
in_sshd '' 'AllowGroups * attested2 un-attested #attested\n# AllowGroups attested\nBanner attested\nMatch User attested\nAllowUsers attested\n'
fresh
mkdir "$root/etc/ssh/more"
printf 'Include "more/*"\n' >"$root/etc/ssh/sshd_config.d/a.conf"
case_ '/etc/ssh/more/b:1: AllowGroups attested' /etc/ssh/more/b 'AllowGroups attested\n'
is '' /etc/ssh/sshd_config.d/not-included 'AllowGroups attested\n'
is '/etc/ssh/sshd_config:3: AllowGroups attested' /etc/ssh/sshd_config 'Include /etc/ssh/sshd_config\nAllowGroups attested\n'

in_sudo '/etc/sudoers.d/a:1: %attested ALL=(ALL) NOPASSWD: /bin/id' '%attested ALL=(ALL) NOPASSWD: /bin/id\n'
in_sudo '/etc/sudoers.d/a:1: User_Alias GOOD = lee, %attested, \
/etc/sudoers.d/a:2: %attested' 'User_Alias GOOD = lee, %attested, \\\n%attested'
in_sudo '/etc/sudoers.d/a:1: "%attested" ALL = ALL' '"%attested" ALL = ALL\n'
in_sudo '/etc/sudoers.d/a:1: #1000 ALL=(ALL:attested) ALL' '#1000 ALL=(ALL:attested) ALL\n'
in_sudo '' '# %attested ALL = ALL\n%attested2 ALL = ALL # attested\n%#4242 ALL = ALL\n'
is '' /etc/sudoers.d/a.bak '%attested ALL = ALL\n'
is '' /etc/sudoers.d/a~ '%attested ALL = ALL\n'
fresh
printf '#include more\n' >"$root/etc/sudoers.d/a"
case_ '/etc/more:1: %attested ALL = ALL' /etc/more '%attested ALL = ALL\n'

is '/etc/polkit-1/rules.d/9.rules:2: return subject.isInGroup("attested") ? polkit.Result.YES : null;' /etc/polkit-1/rules.d/9.rules \
	'// attested\nreturn subject.isInGroup("attested") ? polkit.Result.YES : null;\n'
is '/etc/pam.d/sshd:2: account required pam_succeed_if.so user ingroup attested' /etc/pam.d/sshd 'account required pam_succeed_if.so user ingroup attested\n'
is '' /etc/pam.d/sshd.dpkg-old 'account required pam_succeed_if.so user ingroup attested\n'
is '/etc/security/access.conf:1: - : ALL EXCEPT (attested) : ALL' /etc/security/access.conf '- : ALL EXCEPT (attested) : ALL\n'

# What gate.conf calls it, and its number.
named() { fresh; printf '[nss]\ngroup = first\n[sshd]\ngroup = attested\n' >"$root/etc/attest/gate.conf"
	printf '[nss]\n group=proved ; not attested\ngid = 4242\n' >"$root/etc/attest/gate.conf.d/50-nss.conf"; }
named
case_ '' /etc/sudoers.d/a '%attested ALL = ALL\n'
case_ '/etc/sudoers.d/a:2: %proved ALL = ALL' /etc/sudoers.d/a '%proved ALL = ALL\n'
named
case_ '/etc/sudoers.d/a:1: %#4242 ALL = ALL' /etc/sudoers.d/a '%#4242 ALL = ALL\n%#42420 ALL = ALL\n'

"$program" --help 2>/dev/null; [ $? = 2 ] && passed=$((passed + 1)) || failed=$((failed + 1))
rm -rf "${root:?}"/*
case_ '' '/none' ''
echo "$passed passed, $failed failed"
[ $failed = 0 ]
