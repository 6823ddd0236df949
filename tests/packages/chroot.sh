#!/bin/bash
# chroot.sh - a pristine Debian to install packages in, thrown away at the end. Needs root; touches nothing of the machine.
#
#   chroot.sh make BASE [PACKAGE...] a Debian 12 with what ours depend on, what logs in, and these packages in the
#                                    folder BASE, if it is not there already
#   chroot.sh run BASE FOLDER COMMAND...
#                                    runs COMMAND as root in a copy of BASE: writes go to memory, processes end with it,
#                                    its network is a loopback of its own; FOLDER of this machine is its /mnt
#
# Exit 77 with a word where that cannot be had.
set -u

# There is no network later.
NEEDED="libcurl4 libevent-core-2.1-7 libevent-extra-2.1-7 libevent-openssl-2.1-7 libjson-c5 libseccomp2 libsqlite3-0 libssl3
	libtss2-esys-3.0.2-0 libtss2-mu0 libtss2-tctildr0 libtss2-tcti-device0 tpm-udev openssh-server openssh-client sudo pamtester"

skip() { echo "SKIP: $*"; exit 77; }

# Made again when other packages are asked for; half a base is none.
make_base() {
	local base=$1 mirror; shift
	[ "$(cat "$base/.packages" 2>/dev/null)" != "$*" ] || return 0
	command -v debootstrap >/dev/null || skip "no debootstrap here"
	mirror=$(sed -nE 's/^(URIs:|deb(-src)?) +(\[.*\] +)?([a-z]+:[^ ]*debian.org[^ ]*).*/\4/p' /etc/apt/sources.list \
		/etc/apt/sources.list.d/* 2>/dev/null | grep -v security | head -n 1)
	rm -rf "$base.new"
	mkdir -p "${base%/*}"
	debootstrap --variant=minbase --include="$(echo "$*" | tr ' ' ,)" bookworm "$base.new" "${mirror:-http://deb.debian.org/debian}" \
		>"$base.log" 2>&1 || { tail -n 5 "$base.log"; skip "debootstrap cannot make a Debian here"; }
	rm -rf "$base.new"/var/cache/apt/archives/*.deb "$base.new"/var/lib/apt/lists/* "$base"
	echo "$*" >"$base.new/.packages"
	mv "$base.new" "$base"
}

run_in() {
	local base=$1 folder=$2 root=/run/chroot; shift 2
	mount -t tmpfs -o mode=755 tmpfs /run || skip "no tmpfs here"
	mkdir -p $root/over $root/work $root/root
	mount -t overlay overlay -o "lowerdir=$base,upperdir=$root/over,workdir=$root/work" $root/root 2>/dev/null || skip "no overlay here"
	cd $root/root || exit 1
	mount -t proc proc proc && mount -t sysfs -o ro sysfs sys && mount -t tmpfs -o mode=755 tmpfs run || skip "no file systems here"
	mount -t tmpfs -o mode=755 tmpfs dev
	mkdir dev/pts dev/shm run/lock run/sshd
	chmod 1777 dev/shm
	for node in null zero full random urandom tty; do
		: >dev/$node
		mount --bind /dev/$node dev/$node
	done
	mount -t devpts -o newinstance,ptmxmode=0666,mode=620,gid=5 devpts dev/pts
	ln -s pts/ptmx dev/ptmx
	ln -s /proc/self/fd dev/fd
	mount --bind "$folder" mnt
	ip link set lo up 2>/dev/null
	hostname host-a
	echo "127.0.0.1 localhost host-a" >etc/hosts
	# No unit is started by a package: nothing here would.
	printf '#!/bin/sh\nexit 101\n' >usr/sbin/policy-rc.d && chmod 755 usr/sbin/policy-rc.d
	exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root TERM=dumb LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive \
		chroot . "$@"
}

[ "$(id -u)" = 0 ] || skip "a chroot wants root"
case ${1:-} in
make)
	case " $* " in
	*" systemd-sysv "*) ;;
	*) NEEDED="$NEEDED systemd-standalone-sysusers systemd-standalone-tmpfiles" ;;
	esac
	# shellcheck disable=SC2086  # a list of words
	make_base "$2" $NEEDED "${@:3}" ;;
run)
	unshare --mount --net --pid --uts --ipc --fork true 2>/dev/null || skip "no namespaces here"
	exec unshare --mount --net --pid --uts --ipc --fork --kill-child --mount-proc bash "$0" --inside "$(realpath "$2")" "$(realpath "$3")" "${@:4}" ;;
--inside) shift; run_in "$@" ;;
*) sed -n '2,/^$/s/^# \{0,1\}//p' "$0"; exit 2 ;;
esac
