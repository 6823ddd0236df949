#!/bin/bash
# attestctl hook and unhook: where the line goes in the files that systems have, what is refused and left alone, and that
# taking it out gives back what was there, byte for byte. lint has nothing against any of it.
set -u
. "$top_srcdir/tests/shell.sh"
ctl=$(find "$top_builddir" -type f -name attestctl -perm -100 ! -path "$top_builddir/root/*" | head -n 1)
lab=$(mktemp -d)
trap 'rm -rf "$lab"; echo "$passed passed, $failed failed"' EXIT
pam=$lab/pam.d
mkdir "$pam"
printf '[paths]\nowner = root\n[default]\nmode = audit\n' >"$lab/gate.conf"
root_line='account [success=ok ignore=ignore module_unknown=ignore default=die] pam_attest.so'
setuid_line='account [success=ok ignore=ignore default=die] pam_attest.so'

# attestctl WORDS...: $out, $rc
attestctl() { out=$("$ctl" -c "$lab/gate.conf" "$@" --pam-dir "$pam" 2>&1); rc=$?; out=${out//$lab/}; }
errors() { "$ctl" -c "$lab/gate.conf" lint --pam-dir "$pam" | grep -c '^error'; }
same() { cmp -s "$1" "$2" && echo same || echo differs; }
clear_pam() { rm -rf "$pam"; mkdir "$pam"; }

# --- files that systems have

# A Debian's, where this is one; each with the line that has to stand right behind ours.
debian() {
	cat >"$pam/common-account" <<-'C'
		account	[success=1 new_authtok_reqd=done default=ignore]	pam_unix.so
		account	requisite			pam_deny.so
		account	required			pam_permit.so
	C
	printf 'auth required pam_unix.so\n' >"$pam/common-auth"
	printf 'session required pam_unix.so\n' | tee "$pam/common-session" >"$pam/common-session-noninteractive"
	printf 'password required pam_unix.so\n' >"$pam/common-password"
}
fedora() {
	cat >"$pam/system-auth" <<-'C'
		auth        required      pam_env.so
		auth        sufficient    pam_unix.so nullok
		auth        required      pam_deny.so
		account     required      pam_unix.so
		account     sufficient    pam_localuser.so
		account     sufficient    pam_usertype.so issystem
		account     required      pam_permit.so
		session     required      pam_unix.so
	C
	cp "$pam/system-auth" "$pam/password-auth"
	printf 'session optional pam_umask.so silent\n' >"$pam/postlogin"
}

# What authselect makes of it: the shared files are links to its own.
authselect() {
	fedora
	mkdir -p "$lab/authselect"
	mv "$pam/system-auth" "$pam/password-auth" "$pam/postlogin" "$lab/authselect/"
	for f in system-auth password-auth postlogin; do ln -s "$lab/authselect/$f" "$pam/$f"; done
}

# goes SYSTEM SERVICE OURS BEHIND <FILE: puts it in and takes it out again; the file is standard input.
goes() {
	local what="$1: $2"
	clear_pam
	"$1"
	[ "$2" = su-l ] && printf 'account sufficient pam_rootok.so\naccount include common-account\n' >"$pam/su"
	cat >"$pam/$2"
	chmod 640 "$pam/$2"
	cp -p "$pam/$2" "$lab/before"
	attestctl hook "$2" --dry-run
	is "$what: --dry-run" "$rc $(same "$pam/$2" "$lab/before")" "0 same"
	attestctl hook "$2"
	is "$what: hooked" "$rc" 0
	[ $rc = 0 ] || echo "$out"
	is "$what: its line, and what stands below it" "$(grep -A1 -Fx "$3" "$pam/$2")" "$3
$4"
	is "$what: lint" "$(errors)" 0
	is "$what: the diff is the difference" "$(printf '%s\n' "$out" | sed -n '/^@@/,$p' | grep '^[-+]')" "+$3"
	printf '%s\n' "$out" | grep -E '^(---|\+\+\+|@@|[-+ \\])' >"$lab/diff"
	cp "$lab/before" "$lab/patched"
	patch -s "$lab/patched" "$lab/diff" >/dev/null 2>&1
	is "$what: and patch(1) thinks so, too" "$(same "$lab/patched" "$pam/$2")" same
	is "$what: mode" "$(stat -c %a "$pam/$2")" 640
	cp "$pam/$2" "$lab/hooked"
	attestctl hook "$2"
	is "$what: again" "$rc $(same "$pam/$2" "$lab/hooked")" "0 same"
	attestctl unhook "$2"
	is "$what: unhooked" "$rc $(same "$pam/$2" "$lab/before")" "0 same"
	attestctl unhook "$2"
	is "$what: and again" "$rc $(same "$pam/$2" "$lab/before")" "0 same"
	is "$what: nothing is left beside it" "$(find "$pam" -name "$2?*" ! -name su-l ! -name sudo-i | wc -l)" 0
}
include='@include common-account'

goes debian sshd "$root_line" "$include" <<'C'
# PAM configuration for the Secure Shell service

# Standard Un*x authentication.
@include common-auth

# Disallow non-root logins when /etc/nologin exists.
account    required     pam_nologin.so

# Standard Un*x authorization.
@include common-account
session    required     pam_loginuid.so
@include common-session
@include common-password
C
for s in sudo sudo-i su polkit-1; do
	goes debian $s "$setuid_line" "$include" <<'C'
#%PAM-1.0
session    required   pam_limits.so
@include common-auth
@include common-account
@include common-session-noninteractive
C
done
goes debian su-l "$setuid_line" $'account\t\tinclude\t\tsu' <<'C'
#%PAM-1.0
auth		include		su
account		include		su
password	include		su
session		optional	pam_keyinit.so force revoke
session		include		su
C
goes debian ocserv "$root_line" "$include" <<'C'
@include common-auth
account       required     pam_nologin.so
@include common-account
@include common-session
C
goes debian openvpn "$root_line" 'account required pam_unix.so' <<'C'
auth required pam_unix.so
account required pam_unix.so
C
goes fedora sshd "$root_line" 'account    include      password-auth' <<'C'
#%PAM-1.0
auth       substack     password-auth
auth       include      postlogin
account    required     pam_sepermit.so
account    required     pam_nologin.so
account    include      password-auth
password   include      password-auth
session    required     pam_selinux.so close
session    include      password-auth
C
goes authselect sshd "$root_line" 'account    include      password-auth' <<'C'
#%PAM-1.0
auth       substack     password-auth
account    required     pam_nologin.so
account    include      password-auth
session    include      password-auth
C
goes fedora sudo "$setuid_line" 'account    include      system-auth' <<'C'
#%PAM-1.0
auth       include      system-auth
account    include      system-auth
password   include      system-auth
session    optional     pam_keyinit.so revoke
session    required     pam_limits.so
session    include      system-auth
C
goes fedora su "$setuid_line" 'account		sufficient	pam_succeed_if.so uid = 0 use_uid quiet' <<'C'
#%PAM-1.0
auth		sufficient	pam_rootok.so
auth		substack	system-auth
account		sufficient	pam_succeed_if.so uid = 0 use_uid quiet
account		include		system-auth
session		include		system-auth
C
goes fedora login "$root_line" 'account    include      system-auth' <<'C'
#%PAM-1.0
auth       substack     system-auth
account    required     pam_nologin.so
account    include      system-auth
session    include      system-auth
C
goes debian vsftpd "$root_line" 'account [success=1 default=ignore] pam_succeed_if.so quiet user ingroup ftp' <<'C'
account [success=1 default=ignore] pam_succeed_if.so quiet user ingroup ftp
account requisite pam_deny.so
@include common-account
C
goes debian odd "$root_line" 'account required \' <<'C'
account required pam_nologin.so
account required \
  pam_unix.so
# the end \
C
goes debian nologin-alone "$root_line" 'account required pam_nologin.so' <<'C'
auth required pam_unix.so
account required pam_nologin.so
C
printf '@include common-auth\n@include common-account' | goes debian no-newline "$root_line" "$include"
printf 'auth required pam_unix.so\r\naccount required pam_unix.so\r\n' | goes debian dos "$root_line" $'account required pam_unix.so\r'

# This machine's own, whatever they are: in and out, and lint finds nothing.
clear_pam
cp -p /etc/pam.d/* "$pam/" 2>/dev/null
find "$pam" -type l -delete
sed -i '/pam_attest/d' "$pam"/*
cp -a "$pam" "$lab/machine"
own=0
for s in sshd sudo sudo-i su su-l login polkit-1 ocserv; do
	[ -e "$pam/$s" ] || continue
	own=$((own + 1))
	attestctl hook $s
	is "this machine's $s" "$rc" 0
done
is "this machine's stacks: lint" "$(errors)" 0
attestctl unhook --all --dry-run
is "unhook --all --dry-run" "$rc $(grep -l pam_attest "$pam"/* | wc -l)" "0 $(grep -c 'would go' <<<"$out")"
attestctl unhook --all
is "unhook --all gives them back" "$rc $(diff -r "$pam" "$lab/machine")" "0 "
[ $own -gt 0 ] || echo "this machine has no PAM stacks of its own to try"

# --- what is refused, and why

# refuses <what> <service> <words of the answer>: the file is not changed.
refuses() {
	cp -p "$pam/$2" "$lab/before" 2>/dev/null || : >"$lab/before"
	attestctl hook "$2"
	is "refused: $1" "$rc $( [ -e "$pam/$2" ] && same "$pam/$2" "$lab/before" || echo same)" "2 same"
	case $out in *"$3"*) is "$1: says so" 0 0 ;; *) is "$1: says so" "$out" "$3" ;; esac
}
clear_pam; debian; fedora
printf '@include common-account\n' | tee "$pam/cron" "$pam/systemd-user" "$pam/runuser" "$pam/sshd" >/dev/null
printf 'account include mail\n' >"$pam/atd"
for s in cron systemd-user runuser atd; do refuses "$s" $s "never gated"; done
rm "$pam/password-auth"; ln -s "$lab/authselect/password-auth" "$pam/password-auth"
for s in common-account system-auth password-auth; do refuses "$s" $s "is shared by services"; done
printf 'account required pam_unix.so\n' >"$pam/mail"
refuses "what a never-gated service includes" mail "is included by atd, which is never gated"
refuses "no such service" nothing "no such file"
refuses "no name" ../sshd "the name of a service is wanted"
printf 'auth required pam_unix.so\n' >"$pam/ftp"
refuses "no account line" ftp "PAM asks the service \`other\` there"
printf 'account requires pam_unix.so\n' >"$pam/ftp"
refuses "a line that nobody understands" ftp "line 1: not a line that PAM understands"
ln -s sshd "$pam/link"
refuses "a link" link "is a link to sshd"
is "and it still is one" "$(readlink "$pam/link")" sshd
rm "$pam/link"
ln "$pam/sshd" "$lab/second"
refuses "a file with two names" sshd "hard link"
rm "$lab/second"
printf '[default]\nmode = loud\n' >>"$lab/gate.conf"
refuses "a gate.conf that cannot be used" sshd "nobody would have a verdict"
mv "$lab/gate.conf" "$lab/away"
refuses "no gate.conf" sshd "nobody would have a verdict"
printf '[paths]\nowner = root\n[default]\nmode = audit\n' >"$lab/gate.conf"
printf '@include common-account\nauth sufficient pam_attest.so bad\npassword required pam_attest.so\n' >"$pam/ftp"
refuses "what lint would call an error" ftp "was not changed: with the line in place lint finds this"
if [ "$(id -u)" != 0 ]; then
	chmod 555 "$pam"
	attestctl hook sshd
	is "no permission" "$rc" 7
	chmod 755 "$pam"
fi

# A write that is killed half way leaves the file as it was; what lies beside it is no service that anybody asks for.
clear_pam; debian
printf '@include common-account\n' >"$pam/sshd"
cp "$pam/sshd" "$lab/before"
{ (ulimit -f 0; exec "$ctl" -q -c "$lab/gate.conf" hook sshd --pam-dir "$pam"); rc=$?; } 2>/dev/null
is "killed while it writes" "$([ $rc -gt 128 ] && same "$pam/sshd" "$lab/before")" same
is "and leaves a part" "$(find "$pam" -name 'sshd.new.*' | wc -l)" 1
: >"$pam/su.new.abcdef"
attestctl hook sshd
is "and then once more" "$rc $(head -n 1 "$pam/sshd")" "0 $root_line"
is "nothing is left of the first, and nobody else's" "$(find "$pam" -name '*.new.*' -printf '%f ')" "su.new.abcdef "

# --- repairs: lint names this command for them

# repairs <what> <service> <wanted file>: what is there is standard input.
repairs() {
	cat >"$pam/$2"
	attestctl hook "$2"
	is "repairs $1" "$rc|$(cat "$pam/$2")|$(errors)" "0|$3|0"
}
clear_pam; debian
unix='account required pam_unix.so'
repairs "sufficient, and keeps the options" sshd "$root_line timeout=2 explain
$unix" <<<"account sufficient pam_attest.so timeout=2 explain
$unix"
repairs "a gate behind what can let people in" sshd "$root_line
@include common-account" <<<"@include common-account
account required pam_attest.so"
repairs "module_unknown=ignore for a setuid caller" sudo "$setuid_line
$unix" <<<"$root_line
$unix"
repairs "two calls" sshd "$root_line
$unix" <<<"account optional pam_attest.so
account optional pam_attest.so
$unix"
repairs "nothing that is well" sshd "account required pam_access.so
$root_line
$unix" <<<"account required pam_access.so
$root_line
$unix"

# --- what was edited in between stays; what belongs to others stays

clear_pam; debian
printf '@include common-account\n' >"$pam/sshd"
attestctl hook sshd
printf '# mine\naccount required pam_access.so\n' | cat - "$pam/sshd" >"$lab/edited"
cat "$lab/edited" >"$pam/sshd"
attestctl unhook sshd
is "edited in between" "$(cat "$pam/sshd")" "# mine
account required pam_access.so
@include common-account"
printf 'auth [success=2 default=ignore] pam_x.so\nauth required pam_attest.so\nauth required pam_y.so\n' >"$pam/sshd"
cp "$pam/sshd" "$lab/before"
attestctl unhook sshd
is "a jump over it" "$rc $(same "$pam/sshd" "$lab/before") ${out#attestctl unhook: }" \
	"2 same /pam.d/sshd: line 1 jumps over a line of pam_attest.so: correct both by hand"
printf 'auth required pam_attest.so\naccount \\\n required \\\n pam_attest.so\n%s\n' "$unix" >"$pam/sshd"
attestctl unhook sshd
is "lines in pieces, and of every type" "$(cat "$pam/sshd")" "$unix"
printf '%s\n%s\n' "$setuid_line" "$unix" >"$pam/su"
printf 'account include su\n' >"$pam/su-l"
attestctl unhook su-l
is "still gated through another file" "$rc $out" "0 /pam.d/su-l has no line that calls pam_attest.so
su-l is still gated, through line 1 of su"
attestctl hook su-l
is "gated through another file is enough" "$rc $out" "0 su-l: line 1 of su asks the gate already"
printf '%s\n' "$setuid_line" >"$pam/common-account.dpkg-old"
attestctl unhook --all
is "unhook --all" "$rc $(grep -l pam_attest "$pam"/*)" "0 $pam/common-account.dpkg-old"
attestctl unhook
is "unhook of nothing" "$rc" 2
out=$("$ctl" -c "$lab/gate.conf" hook su --pam-dir "$pam" --json)
is "--json" "${out//[[:space:]]/}" "{\"schema\":1,\"dry_run\":false,\"files\":[{\"file\":\"$pam/su\",\"changed\":true,\"lines\":1,\"line\":1,\"error\":\"\"}]}"
[ $failed = 0 ]
