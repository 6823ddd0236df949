#!/bin/bash
# private.sh COMMAND...: runs it as root of a machine that is thrown away: users, PAM stacks, sudoers, keys and logs
# that it makes are gone when it ends, and so are its processes, whatever became of them. The machine itself is not
# touched: /etc, /var, /root, /home and the folder of libraries, PAM's modules in it, are seen through an overlay, /run and /dev are new, and the only
# network is a loopback of its own. Exit 77 with a word where that cannot be had.
set -u

skip() { echo "SKIP: $*"; exit 77; }

if [ "${1:-}" != --inside ]; then
	[ "$(id -u)" = 0 ] || skip "a private machine wants root"
	unshare --mount --net --pid --uts --fork true 2>/dev/null || skip "no namespaces here"
	exec unshare --mount --net --pid --uts --fork --kill-child --mount-proc bash "$0" --inside "$@"
fi
shift

modules=$(find /usr/lib /lib -name pam_unix.so -printf '%h\n' 2>/dev/null | head -n 1)
[ -n "$modules" ] || skip "no folder of PAM modules"
libraries=${modules%/security}
mount -t tmpfs -o mode=755 tmpfs /run || skip "no tmpfs here"
over=/run/private
n=0
for folder in /etc /var /root /home "$libraries"; do
	n=$((n + 1))
	mkdir -p "$over/$n.upper" "$over/$n.work"
	mount -t overlay overlay -o "lowerdir=$folder,upperdir=$over/$n.upper,workdir=$over/$n.work" "$folder" 2>/dev/null ||
		skip "no overlay over $folder"
done

# A /dev of its own: the log socket is ours, and no device of the machine is at hand.
mkdir -p $over/dev/pts $over/dev/shm
for node in null zero full random urandom tty; do
	: >"$over/dev/$node"
	mount --bind "/dev/$node" "$over/dev/$node"
done
mount -t devpts -o newinstance,ptmxmode=0666,mode=620,gid=5 devpts $over/dev/pts
ln -s pts/ptmx $over/dev/ptmx
ln -s /proc/self/fd $over/dev/fd
mount --rbind $over/dev /dev
chmod 1777 /dev/shm
mkdir -m 755 /run/lock /run/sshd

ip link set lo up || skip "no loopback"
hostname host-a
echo "127.0.0.1 localhost host-a" >/etc/hosts
PAM_MODULES=$modules LIBRARIES=$libraries exec "$@"
