#!/bin/bash
# vm.sh: a Debian of which systemd is process 1, with the packages in it, on a machine that really boots (tests/vm/README):
# real units, a real /dev/tpmrm0, the kernel's own boot log, journal and audit. It boots, is enrolled and gated; reboots; has
# its power cut while no verifier answers. guest.sh is what runs there, and says what is right and what is not.
# Not part of make check: minutes. From a built tree, after packages.sh: its folder (PACKAGES_DIR) has the packages.
set -u
SOURCE=${top_srcdir:-$(readlink -f "$(dirname "$0")/../..")} BUILD=${top_builddir:-$SOURCE/build}
dir=$(readlink -m "${PACKAGES_DIR:-$SOURCE/build-logs/packages}")
WORK=$(readlink -m "$BUILD/vm") OUT=$dir/vm
DEBIAN="systemd-sysv udev dbus libpam-systemd cron apparmor jq"
[ "$(id -u)" = 0 ] || { echo "SKIP: vm.sh needs root"; exit 77; }
. "$SOURCE/tests/shell.sh"
needs qemu-system-x86_64 swtpm swtpm_setup tpm2_nvdefine sgdisk mkfs.vfat mcopy sbsign mke2fs debugfs debootstrap
[ -e /usr/share/OVMF/OVMF_CODE_4M.secboot.fd ] || { echo "SKIP: no OVMF here"; exit 77; }
ls "$dir"/debs/attestd_*.deb >/dev/null 2>&1 || { echo "no packages in $dir/debs: packages.sh first"; exit 2; }
. "$SOURCE/tests/integration/swtpm.sh"
VM_TIMEOUT=${VM_TIMEOUT:-600}
. "$SOURCE/tests/vm/boot.sh"

# --- the machine: MACHINE/disk has one partition, the root, at 1 MiB

SIZE=1280        # MiB
# install ROOT: what is in the folder is a Debian; it gets the packages, people, and what guest.sh wants.
install_in() {
	local root=$1
	mkdir -p "$root/root/debs" "$root/etc/attest/ek-roots.d" "$root/usr/local/sbin"
	cp "$dir"/debs/*_*.deb "$root/root/debs/"
	chroot "$root" sh -c 'dpkg -i /root/debs/*.deb' || return 1
	install -m 644 "$SOURCE/tests/shell.sh" "$root/usr/local/lib/shell.sh" &&
	install -m 755 "$SOURCE/tests/packages/guest.sh" "$root/usr/local/sbin/guest" &&
	cp "$SOURCE"/tests/packages/guest*.service "$root/etc/systemd/system/" &&
	chroot "$root" /usr/local/sbin/guest install || return 1
	cat "$MACHINE"/tpm/ca/*.pem >"$root/etc/attest/ek-roots.d/manufacturer.pem"
}
make_disk() {
	local root=$MACHINE/root
	mkdir -p "$MACHINE/over" "$root" &&
	mount -t tmpfs -o mode=755 tmpfs "$MACHINE/over" && mkdir "$MACHINE/over/upper" "$MACHINE/over/work" &&
	mount -t overlay overlay -o "lowerdir=$dir/systemd,upperdir=$MACHINE/over/upper,workdir=$MACHINE/over/work" "$root" || return 1
	mount -t proc proc "$root/proc" && install_in "$root" >"$OUT/install.log" 2>&1 </dev/null || { tail -n 5 "$OUT/install.log"; return 1; }
	umount "$root/proc"
	truncate -s ${SIZE}M "$MACHINE/disk" &&
	sgdisk -n 1:2048:0 -t 1:8300 -u 1:0FACADE0-0000-4000-8000-000000000004 "$MACHINE/disk" >/dev/null &&
	mke2fs -q -t ext4 -d "$root" -E offset=1048576,lazy_itable_init=1 "$MACHINE/disk" $(((SIZE - 2) * 1024))k 2>&1 | grep -v 'alignment\|^$'
	umount "$root" "$MACHINE/over"
}

# --- boots

# boot NAME: what the guest says of itself is counted.
boot() {
	local started=$SECONDS out=$OUT/$1 rc
	vm_run "$MACHINE" "$WORK/grub-systemd.img" "$out" 1024 2; rc=$?
	debugfs -R "rdump /var/log/guest $out" "$MACHINE/disk?offset=1048576" >/dev/null 2>&1
	passed=$((passed + $(grep -ca '^GUEST ok' "$out/serial.log")))
	failed=$((failed + $(grep -ca '^GUEST NOT OK' "$out/serial.log")))
	echo "$1: $((SECONDS - started)) s"
	tr -d '\r' <"$out/serial.log" | grep -aE '^GUEST (NOT OK|note)|^  (got|wanted): ' | sed 's/^GUEST //'
	if [ $rc != 0 ]; then
		failed=$((failed + 1))
		echo "NOT OK: $1 did not come to its end ($rc)"
		tail -n 30 "$out/serial.log" | tr -cd '[:print:]\n'
		return 1
	fi
}
finish() {
	vm_off
	rm -rf "$MACHINE"
	echo "$passed passed, $failed failed"
}

if [ "${1:-}" != --inside ]; then
	mkdir -p "$WORK" "$OUT"
	"$SOURCE/tests/packages/chroot.sh" make "$dir/systemd" $DEBIAN || exit $?
	top_srcdir=$SOURCE top_builddir=$BUILD "$SOURCE/tests/vm/build.sh" "$WORK" grub-systemd >"$OUT/build.log" 2>&1
	case $? in
	0) ;;
	77) grep SKIP "$OUT/build.log"; exit 77 ;;
	*) tail "$OUT/build.log"; exit 1 ;;
	esac
	exec unshare --mount --net "$0" --inside
fi
MACHINE=$(mktemp -d)
trap finish EXIT
vm_machine "$MACHINE" ms >"$OUT/machine.log" 2>&1 && make_disk || { failed=1; echo "no machine"; exit 1; }
for name in first reboot power-cut; do
	rm -rf "${OUT:?}/$name"
	boot $name || break
done
[ $failed = 0 ]
