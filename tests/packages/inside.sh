#!/bin/bash
# inside.sh: what packages.sh runs in the pristine Debian, with the packages in /mnt and those of the next version in
# /mnt/next. Who could log in can log in at every stage, and nothing of other packages is left changed.
set -u
. /mnt/shell.sh
trap 'echo "$passed passed, $failed failed"' EXIT
ALL="libpam-attest libnss-attest attestd attest-tools verifierd"
# dpkg asks nobody: a question about a conffile ends it, and is seen.
packages() { dpkg "$@" >/root/dpkg.log 2>&1 </dev/null; local rc=$?; [ $rc = 0 ] || tail -n 5 /root/dpkg.log; return $rc; }
status() { dpkg-query -W -f='${db:Status-Abbrev}' "$1" 2>/dev/null | tr -d ' '; }

# --- who logs in
for u in kim lee; do
	useradd -m -s /bin/sh $u
	echo $u:secret | chpasswd -c SHA256 -s 1000
done
echo 'kim ALL = (ALL) NOPASSWD: ALL' >/etc/sudoers.d/kim
ssh-keygen -q -t ed25519 -N '' -f /root/host_key
ssh-keygen -q -t ed25519 -N '' -f /root/key
install -d -m 700 -o kim -g kim /home/kim/.ssh
install -m 600 -o kim -g kim /root/key.pub /home/kim/.ssh/authorized_keys
printf 'HostKey /root/host_key\nUsePAM yes\nPrintMotd no\n' >/root/sshd_config
by_ssh() {
	ssh -F none -i /root/key -o BatchMode=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR \
		-o ProxyCommand="/usr/sbin/sshd -i -f ${SSHD_CONFIG:-/root/sshd_config}" kim@here echo in 2>/dev/null </dev/null
}
as_kim() { setpriv --reuid=kim --regid=kim --init-groups --reset-env "$@" 2>/dev/null; }
by_sudo() { as_kim sudo -n echo in </dev/null; }
by_su() { as_kim su lee -c 'echo in' <<<secret; }
by_root() { su kim -c 'echo in' </dev/null; }
by_pam() { pamtester sshd kim acct_mgmt >/dev/null 2>&1 && echo in; }
logins() { for door in ssh sudo su root pam; do [ "$("by_$door")" = in ] && printf '%s ' $door; done; }
EVERYBODY="ssh sudo su root pam "

# What belongs to others: every file below, but what the packages may bring.
others() { (cd / && find etc/pam.d etc/ssh etc/nsswitch.conf etc/sudoers etc/sudoers.d etc/login.defs -type f -exec md5sum {} + | sort -k 2); }
differ() { diff <(echo "$1") <(echo "$2") | grep '^[<>]'; }
enforce() { printf '[sshd sudo su]\nmode = enforce\narm = always\n' >/etc/attest/gate.conf.d/test.conf; }
hooked() { grep -l '^[^#]*pam_attest' /etc/pam.d/* | tr '\n' ' '; }
hook() { local s; for s in sshd sudo su; do attestctl -q hook $s >/dev/null || return 1; done; }
HOOKED="/etc/pam.d/sshd /etc/pam.d/su /etc/pam.d/sudo "

before=$(others)
is "who can log in" "$(logins)" "$EVERYBODY"

# --- install
packages -i /mnt/*.deb; is "installed" $? 0
for p in $ALL; do is "$p" "$(status "$p")" ii; done
is "nothing of others is changed" "$(differ "$before" "$(others)")" ""
is "who can log in, installed" "$(logins)" "$EVERYBODY"
is "the mode is audit" "$(attestctl config sshd 2>/dev/null | grep '^mode = ')" "mode = audit"
is "nobody is enforced" "$(grep -rh '^mode' /etc/attest | tr -d ' ' | sort -u)" mode=audit
is "users and groups" "$(getent passwd attest verifierd | wc -l) $(getent group attest-admin attest-breakglass attested | wc -l)" "2 3"
is "attest may use the TPM" "$(id -nG attest)" "attest tss"
is "the folders are attestd's" "$(stat -c '%U %a' /run/attest /var/lib/attest | tr '\n' ' ')" "attest 755 attest 755 "
is "nss.conf has the group's number" "$(sed -n 's/^gid = //p' /etc/attest/gate.conf.d/nss.conf)" "$(getent group attested | cut -d: -f3)"
attestctl lint >/root/lint.log 2>&1
is "lint finds no error: $(cat /root/lint.log)" "$(grep -c '^error' /root/lint.log)" 0
for d in attestd verifierd; do $d -t; is "$d takes its configuration" $? 0; done
is "units are enabled" "$(cd /etc/systemd/system && find . -type l -name '*attestd*' -o -type l -name 'verifierd*' | sort | tr '\n' ' ')" \
	"./multi-user.target.wants/attestd.service ./multi-user.target.wants/verifierd.service ./sockets.target.wants/attestd-decisions.socket ./sockets.target.wants/attestd.socket "
dpkg --verify $ALL >/root/verify.log; is "files are as packed: $(cat /root/verify.log)" "$(wc -c </root/verify.log)" 0

# Who is not root has no /usr/sbin in his path, and asks as well.
as_kim env PATH=/usr/local/bin:/usr/bin:/bin attestctl status >/dev/null; is "kim may ask for the state; attestd does not run" $? 3
as_kim env PATH=/usr/local/bin:/usr/bin:/bin verifierctl hosts >/dev/null; is "and a verifier, which does not either" $? 3

# --- the daemons, as installed: there is no TPM, which they say
soon() { local until=$((SECONDS + 10)); until "$@" >/dev/null 2>&1; do [ $SECONDS -lt $until ] || return 1; sleep 0.1; done; }
verifierd -f 2>/root/verifierd.log & verifierd=$!
attestd -f 2>/root/attestd.log & attestd=$!
soon verifierctl hosts; is "verifierd serves" $? 0
soon test -S /run/attest/gate.sock; is "attestd too" $? 0
attestctl enroll --url https://127.0.0.1:8451 --ca /var/lib/verifierd/tls/ca.pem >/root/enroll.log 2>&1
is "attestd's TPM process finds no TPM: $(cat /root/enroll.log)" "$(grep -c tpm-absent /root/enroll.log)" 1
is "and runs as attest" "$(sed -n 's/^Uid:[[:space:]]*\([0-9]*\).*/\1/p' /proc/$attestd/status)" "$(id -u attest)"
kill $attestd $verifierd
wait $attestd $verifierd
is "who can log in after that" "$(logins)" "$EVERYBODY"

# --- hooked, by the command and by hand; refused without attestd, which is right
hook; is "hooked" $? 0
is "in these stacks" "$(hooked)" "$HOOKED"
is "who can log in, audited" "$(logins)" "$EVERYBODY"
enforce
is "who can log in, enforced" "$(logins)" "root "
echo '# of the administrator' >>/etc/pam.d/sudo
sed -i 's/^; Nothing is refused yet.*/; Ours./' /etc/attest/gate.conf
mv /lib/*/security/pam_attest.so /root/
is "without its file sshd lets in, by its line" "$(by_ssh)" in
mv /root/pam_attest.so /lib/*-linux-gnu/security/

# --- upgrade
stacks=$(others) state=$(md5sum /etc/attest/gate.conf /etc/attest/gate.conf.d/*)
packages -i /mnt/next/*.deb; is "upgraded" $? 0
is "to the next" "$(dpkg-query -W -f='${Version}\n' $ALL | sort -u)" "$(dpkg-deb -f /mnt/next/attestd.deb Version)"
is "stacks are as they were" "$(differ "$stacks" "$(others)")" ""
is "gate.conf too" "$(md5sum /etc/attest/gate.conf /etc/attest/gate.conf.d/*)" "$state"
is "who can log in, still enforced" "$(logins)" "root "

# --- attestd stays while somebody is refused without it
dpkg -r attestd >/root/dpkg.log 2>&1
is "attestd stays while services are enforced" "$(status attestd)" ri
is "and dpkg says what to do" "$(grep -c '^attestd: .*attestctl audit SERVICE' /root/dpkg.log)" 1
printf '[sshd sudo su]\nmode = audit\n' >/etc/attest/gate.conf.d/test.conf
packages -r attestd; is "not while they are audited" $? 0
is "who can log in, without attestd" "$(logins)" "$EVERYBODY"
packages -i /mnt/next/attestd.deb; is "attestd again" $? 0
enforce

# --- remove: not while a line cannot be taken out
ln /etc/pam.d/sudo /root/sudo.link
dpkg -r libpam-attest >/root/dpkg.log 2>&1
is "a stack that cannot be edited keeps the module: status" "$(status libpam-attest)" ri
is "and its file" "$(find /lib/*/security/pam_attest.so | wc -l)" 1
is "and dpkg says where" "$(grep -c '^/etc/pam.d/sudo$' /root/dpkg.log)" 1
rm /root/sudo.link
packages -r libpam-attest; is "removed" $? 0
is "no line is left" "$(hooked)" ""
is "who can log in, removed" "$(logins)" "$EVERYBODY"
is "the administrator's line stays" "$(tail -n 1 /etc/pam.d/sudo)" "# of the administrator"
sed -i '$d' /etc/pam.d/sudo
is "and all else is as it was" "$(differ "$before" "$(others)")" ""
is "the configuration stays" "$(md5sum /etc/attest/gate.conf /etc/attest/gate.conf.d/*)" "$state"
is "openssh-server, sudo and the rest are as packed" "$(dpkg --verify 2>/dev/null | grep -E '/etc/(pam.d|ssh|nsswitch|sudoers$)')" ""

# --- again, and all of it away at once
packages -i /mnt/next/libpam-attest.deb; is "installed again" $? 0
hook; is "hooked again" $? 0
is "enforced at once, by what had stayed" "$(logins)" "root "
printf 'HostKey /root/host_key\nUsePAM yes\nAllowGroups attested kim\n' >/etc/ssh/sshd_config
dpkg -r libnss-attest >/root/dpkg.log 2>&1
is "AllowGroups keeps the group's module" "$(status libnss-attest)" ri
is "and dpkg says which line" "$(grep -c '^/etc/ssh/sshd_config:3:' /root/dpkg.log)" 1
sed -i '/AllowGroups/d' /etc/ssh/sshd_config
touch /var/lib/attest/identity /etc/attest/DISABLED
packages --purge $ALL; is "purged" $? 0
for p in $ALL; do is "$p is gone" "$(status "$p")" ""; done
is "who can log in, purged" "$(logins)" "$EVERYBODY"
is "stacks are as they were at first" "$(differ "$(grep pam.d <<<"$before")" "$(others | grep pam.d)")" ""
is "what is left" "$(find /etc/attest /run/attest /var/lib/attest /run/verifierd /usr/libexec/pam-attest /etc/apparmor.d /etc/fail2ban \
	/etc/logcheck /lib/*/security/pam_attest.so /usr/lib/*/libnss_attest* /etc/systemd/system/*/*attest* 2>/dev/null)" ""
is "keys that a fleet trusts stay" "$(test -d /var/lib/verifierd && echo yes)" yes
packages -i /mnt/*.deb; is "and installed once more" $? 0
is "who can log in, at the end" "$(logins)" "$EVERYBODY"
[ $failed = 0 ]
