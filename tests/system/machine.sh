# shellcheck shell=bash disable=SC2034  # sourced: the words are used elsewhere
# machine.sh - what a private machine (private.sh) needs for people to come in: users, keys, sshd, sudo, su, login, cron,
# polkit, syslog, and the gate in their account stacks as pam_attest(8) recommends. Sourced by bash, after lab.sh; LAB,
# BUILD, SOURCE are set.
#
# kim logs in, by password or key; lee is whom kim becomes by su; eve is in the break-glass group; ada is in sudo; eli
# may be an exempt_user. The shell of ada, eli, lou and root says "in", whatever it is asked.

PASSWORD=correct-horse
KEYS=/run/keys
TIMEOUT=1

# recipe NAME FILE: a file of attest-recipes(7), as it is shipped.
recipe() { cat "$SOURCE/recipes/$1/etc/$2"; }

# For services that root starts: an uninstalled package locks nobody out. Callers of setuid programs can make the
# loading of a module fail, so that these lines do without it.
GATE_LINE=$(recipe sshd pam.d/sshd.part)
GATE_LINE_SETUID=$(recipe sudo pam.d/sudo.part)
DOORS="sshd sudo su login polkit"       # recipes

machine_skip() {
	needs /usr/sbin/sshd ssh scp ssh-keygen sudo su setpriv useradd logger openssl
	if ldd "$BUILD/.libs/pam_attest.so" | grep -q 'lib[at]san'; then
		echo "SKIP: sshd and sudo cannot load a module that wants a sanitizer's runtime first"
		exit 77
	fi
}

machine_users() {
	local hash user
	hash=$(openssl passwd -5 -salt "rounds=1000\$doors" "$PASSWORD")
	groupadd -f attest-breakglass
	for user in kim lee eve ada lou eli; do
		useradd -m -s /bin/sh -p "$hash" "$user"
	done
	usermod -a -G attest-breakglass eve
	usermod -a -G sudo ada
	printf '#!/bin/sh\necho in\n' >/run/in && chmod 755 /run/in
	usermod -p "$hash" root
	for user in ada eli lou root; do usermod -s /run/in $user; done
	printf '%s\n' 'kim ALL = (ALL) ALL' 'kim ALL = (ALL) NOPASSWD: /usr/bin/printf' \
		'Defaults timestamp_type = global, timestamp_timeout = -1, lecture = never' >/etc/sudoers.d/doors
	chmod 440 /etc/sudoers.d/doors
	# The pauses of su and pam_unix after a refusal are not what is measured here.
	sed -i 's/pam_unix.so/& nodelay/' /etc/pam.d/common-auth
	sed -i '/^FAIL_DELAY/d' /etc/login.defs
	echo 'FAIL_DELAY 0' >/etc/default/su
}

# hooked SERVICE...: attestctl hook writes the line of the recipe.
hooked() {
	local service
	printf '[default]\nmode = audit\n' >"$LAB/hook.conf"
	for service; do
		# The folder by another name: attestctl need not look where a build that was never installed has its module.
		"$ATTESTCTL" -q -c "$LAB/hook.conf" hook "$service" --pam-dir /etc/pam.d/ &&
			grep -qxFf "$(find "$SOURCE"/recipes/{sshd,sudo,su,login,polkit} -name "$service.part" -path '*/pam.d/*')" "/etc/pam.d/$service" || return 1
	done
}

# What an administrator does: the module into its folder, and attestctl hook.
machine_gate() {
	cp "$BUILD/.libs/pam_attest.so" "$PAM_MODULES/"
	hooked sshd sudo su
}

# The same for the doors beside sshd, sudo and su. Cron and systemd-user are never gated, and hook would refuse: a line in
# common-account is what would reach them.
machine_more_gates() {
	local service
	for service in polkit-1 systemd-user; do
		[ -e /etc/pam.d/$service ] || cp /usr/lib/pam.d/$service /etc/pam.d/
	done
	# Greetings are not what is compared here; pauses not what is measured.
	sed -i '/pam_motd\|pam_lastlog\|pam_mail\|pam_faildelay/d' /etc/pam.d/login
	for service in cron systemd-user; do
		sed -i "/^@include common-account/i $GATE_LINE" /etc/pam.d/$service
	done
	hooked login sudo-i polkit-1 || return 1
	mkdir -p /etc/polkit-1/rules.d
	echo 'polkit.addAdminRule(function() { return ["unix-user:kim"]; });' >/etc/polkit-1/rules.d/00-kim.rules
	chmod -R a+rX /etc/polkit-1
}

# What attestd makes stands where the shipped gate.conf looks for it.
machine_paths() {
	mkdir -p /etc/attest /run/attest /var/lib/attest
	mount --bind "$LAB/run" /run/attest && mount --bind "$LAB/state" /var/lib/attest &&
		mount --bind "$LAB/boot_id" /proc/sys/kernel/random/boot_id
}

# machine_conf MODE [LINE]: under enforce with the doors' recipes, else as a package leaves it.
machine_conf() {
	local door
	rm -rf /etc/attest/gate.conf.d
	for door in $DOORS; do
		[ "$1" != enforce ] || install -D -m 644 -t /etc/attest/gate.conf.d "$SOURCE/recipes/$door"/etc/attest/gate.conf.d/*.conf
	done
	cat >/etc/attest/gate.conf <<-C
		[default]
		mode = audit
		timeout = ${TIMEOUT}s
		${2:-}
	C
}

# machine_record STATE REASON [KEY=VALUE...]: a verdict of this boot, as attestd writes it. @N is N ms from now.
machine_record() {
	local boot wall key value
	boot=$(awk '{ print int($1 * 1000) }' /proc/uptime) wall=${EPOCHREALTIME/./}
	wall=$((wall / 1000))
	declare -A changed=([state]=$1 [reason]=$2)
	shift 2
	for key; do changed[${key%%=*}]=${key#*=}; done
	{
		echo version=1
		while read -r key value; do
			value=${changed[$key]-$value}
			case $key:$value in
			*_boot:@*) value=$((boot + ${value#@})) ;;
			*:@*) value=$((wall + ${value#@})) ;;
			esac
			echo "$key=$value"
		done
	} >"$LAB/run/verdict.new" <<-R
		boot_id $(cat "$LAB/boot_id")
		state
		reason
		ref 7F3K-21QX
		ceiling enforce
		issued_boot @-1000
		expires_boot @600000
		issued_wall @-1000
		expires_wall @600000
		asleep 0
		reset_count 7
		restart_count 0
		host host-a
		policy default/1
		references
		upstream_out no
		upstream_since 0
		good_issued 0
		good_expires 0
		good_this_boot no
		grace_max 0
	R
	mv -f "$LAB/run/verdict.new" "$LAB/run/verdict"
}

machine_syslog() {
	lab_start syslog "$BUILD/tests/system/syslogd" /dev/log
	wait_for 5 test -S /dev/log && LOG_MARK=0 && logger -t mark 0
}

# machine_logged: $LAB/logged becomes what was logged since it was asked last. The marker comes after everything that
# was sent before it. Not for a subshell: it counts.
machine_logged() {
	LOG_MARK=$((LOG_MARK + 1))
	logger -t mark "$LOG_MARK"
	until grep -q "mark: $LOG_MARK\$" "$LAB/syslog.log"; do sleep 0.01; done
	sed "0,/mark: $((LOG_MARK - 1))\$/d; /mark: $LOG_MARK\$/,\$d" "$LAB/syslog.log" >"$LAB/logged"
}

# One key that authorized_keys has, and one that only a certificate of the users' CA speaks for.
machine_keys() {
	local user
	mkdir -p $KEYS
	for key in host user certified ca; do
		ssh-keygen -q -t ed25519 -N '' -C '' -f "$KEYS/$key"
	done
	ssh-keygen -q -s $KEYS/ca -I kim@example -n kim -V -5m:+1h $KEYS/certified.pub
	for user in kim eve ada; do
		mkdir -m 700 "/home/$user/.ssh"
		cp $KEYS/user.pub "/home/$user/.ssh/authorized_keys"
		chown -R "$user:" "/home/$user/.ssh"
	done
}

# machine_sshd [LINE...]: of sshd_config.
machine_sshd() {
	machine_keys
	cat >/etc/ssh/sshd_config <<-C
		ListenAddress 127.0.0.1
		HostKey $KEYS/host
		PidFile none
		$(recipe sshd ssh/sshd_config.part)
		PasswordAuthentication yes
		KbdInteractiveAuthentication yes
		TrustedUserCAKeys $KEYS/ca.pub
		PrintMotd no
		Subsystem sftp internal-sftp
		$(printf '%s\n' "$@")
	C
	printf 'localhost ' | cat - $KEYS/host.pub >$KEYS/known_hosts
	printf '#!/bin/sh\necho %s\n' "$PASSWORD" >$KEYS/askpass
	printf '#!/bin/sh\necho wrong\n' >$KEYS/guess
	chmod 755 $KEYS/askpass $KEYS/guess
	cat >$KEYS/ssh_config <<-C
		GlobalKnownHostsFile $KEYS/known_hosts
		UserKnownHostsFile none
		StrictHostKeyChecking yes
		NumberOfPasswordPrompts 1
		IdentitiesOnly yes
		IdentityFile none
		User kim
	C
	# shellcheck disable=SC2086  # a list of words
	lab_start sshd /usr/sbin/sshd -D -f /etc/ssh/sshd_config ${SSHD_MORE:-}
	wait_for 5 bash -c 'exec 3<>/dev/tcp/127.0.0.1/22'
}

# polkitd on a system bus of its own.
machine_bus() {
	mkdir -p /run/dbus && rm -f /run/dbus/pid
	lab_start dbus dbus-daemon --system --nofork --nopidfile
	wait_for 5 test -S /run/dbus/system_bus_socket || return 1
	lab_start polkitd /usr/lib/polkit-1/polkitd --no-debug
	wait_for 10 dbus-send --system --print-reply --dest=org.freedesktop.PolicyKit1 / org.freedesktop.DBus.Peer.Ping
}

# How each method asks; the rest of an ssh command follows.
SSH=(timeout 20 ssh -F "$KEYS/ssh_config")
SCP=(timeout 20 scp -F "$KEYS/ssh_config")
by_key=(-o PreferredAuthentications=publickey -i "$KEYS/user")
by_certificate=(-o PreferredAuthentications=publickey -i "$KEYS/certified" -o "CertificateFile=$KEYS/certified-cert.pub")
by_password=(-o PreferredAuthentications=password)
by_keyboard=(-o PreferredAuthentications=keyboard-interactive)
export SSH_ASKPASS=$KEYS/askpass SSH_ASKPASS_REQUIRE=force

as_kim() { (cd /home/kim && exec timeout 20 setpriv --reuid=kim --regid=kim --init-groups --reset-env "$@"); }
as_kim_typing() { as_kim "$@" <<<"$PASSWORD"; }

# on_terminal [-n NAME] COMMAND...: types the password when it is asked for one.
on_terminal() { timeout 20 "$BUILD/tests/system/terminal" "$@" <<<"$PASSWORD"; }

# What a playbook does on a host: commands, and files both ways.
batch() {
	"${SSH[@]}" "${by_key[@]}" -T localhost echo in && "${SCP[@]}" "${by_key[@]}" "$KEYS/user.pub" localhost:copied &&
		sftp_in
}
sftp_in() { echo 'get .ssh/authorized_keys /dev/null' | timeout 20 sftp -F "$KEYS/ssh_config" "${by_key[@]}" -b - localhost >/dev/null; }

# A job of kim's under the real cron, which runs those for its own start at once.
cron_job() {
	rm -f /run/crond.reboot "$LAB/cron.out"
	install -o kim /dev/null "$LAB/cron.out"
	echo "@reboot echo in >$LAB/cron.out" | crontab -u kim -
	lab_start cron cron -f
	wait_for 5 test -s "$LAB/cron.out"
	cat "$LAB/cron.out"
	lab_kill cron
}

# The account phase of a user's own systemd; pid 1 is none here, so that nobody else asks it.
systemd_user() { pamtester systemd-user "$1" acct_mgmt >/dev/null && echo in; }

# pkexec's question goes to an agent on kim's terminal. Its helper says the PAM code there by itself, sooner or later.
polkit_asks() {
	on_terminal setpriv --reuid=kim --regid=kim --init-groups --reset-env sh -c 'cd && rm -f agent && mkfifo agent
		pkttyagent --process $$ --notify-fd 3 3>agent & read -r _ <agent
		pkexec --disable-internal-agent echo in' | sed 's/\x1b\[[0-9;]*m//g; /^polkit-agent-helper-1: /d'
	return "${PIPESTATUS[0]}"
}
