#!/bin/bash
# build.sh WORK DISK...: what the test machines boot, as WORK/DISK.img, from Debian packages and the programs of the build
# tree. Packages are fetched once, and unpacked below WORK/root, never installed. boots.sh calls this. Exit 77: no packages.
set -eu
work=$(readlink -m "$1")
shift
mkdir -p "$work/root"
cd "$work"
TIME=@1700000000        # of every file: the same input gives the same bytes

# --- packages

# The current kernel, and another one that the mirror still has; the older one first.
kernels() {
	{
		apt-cache show linux-image-cloud-amd64
		apt-cache show linux-image-6.12-cloud-amd64
	} 2>/dev/null | sed -n 's/^Depends:.*\(linux-image-[0-9][^ ,]*-cloud-amd64\).*/\1/p' | awk '!seen[$0]++' | head -n 2 | sort -V
}
fetch() {  # <package>...
	local p
	for p in "$@"; do
		[ ! -d "root/$p" ] || continue
		rm -rf debs
		mkdir debs
		(cd debs && apt-get download -qq -o APT::Sandbox::User=root "$p") && dpkg -x debs/*.deb debs/root && mv debs/root "root/$p" || return 1
		rm -rf debs
	done
}
[ -e root/kernels ] || {
	[ "$(kernels | wc -l)" = 2 ] || apt-get update -qq || true
	kernels >root/kernels
}
mapfile -t kernel <root/kernels
[ ${#kernel[@]} = 2 ] || { rm root/kernels; echo "SKIP: the mirror has no two kernels"; exit 77; }
fetch "${kernel[@]}" shim-signed shim-unsigned grub-efi-amd64-signed systemd-boot-efi ||
	{ echo "SKIP: kernels and boot loaders cannot be fetched"; exit 77; }
V1=${kernel[0]#linux-image-} V2=${kernel[1]#linux-image-}
K1=root/${kernel[0]}/boot/vmlinuz-$V1 K2=root/${kernel[1]}/boot/vmlinuz-$V2
STUB=root/systemd-boot-efi/usr/lib/systemd/boot/efi/linuxx64.efi.stub
SDBOOT=root/systemd-boot-efi/usr/lib/systemd/boot/efi/systemd-bootx64.efi

# --- initrd: busybox, attestd and what they need

# install_program FILE...: into ird/bin, without symbols, and the libraries that it is linked with.
install_program() {
	local f
	for f in "$@"; do
		strip -o "ird/bin/${f##*/}" "$f"
	done
	# shellcheck disable=SC2046  # a list of words
	install_files $(ldd "$@" | sed -n 's/.*[[:space:]]\(\/[^ ]*\) (0x.*/\1/p' | sort -u)
}
install_files() {
	local f
	for f in "$@"; do
		mkdir -p "ird${f%/*}"
		cp -L "$f" "ird$f"
	done
}
# For both kernels, so that another kernel is a change of the kernel alone.
modules() {
	local v m f
	for v in "${kernel[@]#linux-image-}"; do
		mkdir -p "ird/lib/modules/$v"
		for m in $(sed -n 's/^modules="\(.*\)"$/\1/p' "$top_srcdir/tests/vm/guest_init"); do
			f=$(find "root/linux-image-$v" -name "$m.ko*")
			case $f in
			*.xz) xz -dc "$f" >"ird/lib/modules/$v/$m.ko" ;;
			*) cp "$f" "ird/lib/modules/$v/" ;;
			esac
		done
	done
}
initrd() {
	local p
	rm -rf ird
	mkdir -p ird/bin ird/etc ird/lib ird/usr ird/var/lib/attest
	ln -s ../lib ird/usr/lib
	install -m755 "$top_srcdir/tests/vm/guest_init" ird/init
	printf 'root:x:0:0::/:/bin/sh\nattest:x:900:900::/:/bin/false\n' >ird/etc/passwd
	printf 'root:x:0:\ntss:x:901:\nattest:x:900:\n' >ird/etc/group
	cp /bin/busybox ird/bin/
	install_program /usr/bin/chattr
	for p in attestd attestd-tpm attestctl; do
		install_program "$(find "$top_builddir/pam_attest" -type f -name $p -perm -100)"
	done
	# Not linked, but loaded.
	install_files /usr/lib/x86_64-linux-gnu/libtss2-tcti-device.so.0
	modules
	find ird -exec touch -h -d $TIME {} +
	(cd ird && find . | LC_ALL=C sort | cpio --quiet -o -H newc --reproducible | gzip -n) >initrd
}

# One byte is another, and the machine would still start.
flip() {  # <from> <to> <offset>
	local byte
	[ "$1" = "$2" ] || cp "$1" "$2"
	byte=$(od -An -tu1 -j "$3" -N 1 "$2")
	printf '%b' "\\x$(printf %x $((byte ^ 32)))" | dd of="$2" bs=1 seek="$3" conv=notrunc status=none
}
# Words that a kernel has for a boot loader of the last century.
flip_kernel() { flip "$1" "$2" "$(LC_ALL=C grep -obUaF 'No setup signature found' "$1" | head -n 1 | cut -d: -f1)"; }
# The time in the header of gzip.
flip_initrd() { flip "$1" "$2" 4; }

# --- keys: those of a firmware in OVMF's package, whose secret half comes with it

KEYS=/usr/share/ovmf/PkKek-1-snakeoil
keys() {
	openssl rsa -in $KEYS.key -passin pass:snakeoil -out key.pem 2>/dev/null
	# An update of dbx: it forbids the bare stub, which no machine here boots.
	hash-to-efi-sig-list "$STUB" dbx.esl
	sign-efi-sig-list -a -t '2026-01-01 00:00:00' -k key.pem -c $KEYS.pem dbx dbx.esl dbx.auth
}
sign() { sbsign --key key.pem --cert $KEYS.pem --output "$2" "$1"; }  # <from> <to>

# --- disks

# The disk of a guest with systemd, tests/packages/vm.sh.
SYSTEMD="root=PARTUUID=0facade0-0000-4000-8000-000000000004 rw rootwait console=ttyS0 loglevel=4 systemd.show_status=no"
CMDLINE="root=UUID=6d1c6b0b-0d6d-4b1c-9b1e-2b8f5d0c1a01 ro console=ttyS0 loglevel=4"

# esp DISK: what is in tree/ becomes a disk with one EFI system partition.
esp() {
	truncate -s 0 "$1.img"
	truncate -s 64M "$1.img"
	sgdisk -U 0FACADE0-0000-4000-8000-000000000001 -n 1:2048:0 -t 1:EF00 -u 1:0FACADE0-0000-4000-8000-000000000002 "$1.img"
	SOURCE_DATE_EPOCH=${TIME#@} mkfs.vfat -F 32 -i DEADBEEF -n ESP --offset 2048 "$1.img" $(((64 * 2048 - 2048 - 34) / 2))
	find tree -exec touch -h -d $TIME {} +
	MTOOLS_SKIP_CHECK=1 mcopy -s -m -Q -i "$1.img@@1M" tree/* ::/
	rm -rf tree
}

# grub DISK VERSION KERNEL INITRD [CMDLINE [ENTRY [COMMAND]]]: shim, GRUB and kernel as Debian signs them. INITRD may be
# empty. ENTRY is what `grub-set-default` wrote; COMMAND starts the kernel, linux or linuxefi.
grub() {
	local linux=${7:-linux} cmdline=${5:-$CMDLINE}
	mkdir -p tree/EFI/BOOT tree/EFI/debian
	cp root/shim-signed/usr/lib/shim/shimx64.efi.signed tree/EFI/BOOT/BOOTX64.EFI
	cp root/grub-efi-amd64-signed/usr/lib/grub/x86_64-efi-signed/grubx64.efi.signed tree/EFI/BOOT/grubx64.efi
	cp root/shim-unsigned/usr/lib/shim/mmx64.efi tree/EFI/BOOT/mmx64.efi
	cp "$3" "tree/vmlinuz-$2"
	[ -z "$4" ] || cp "$4" "tree/initrd.img-$2"
	cat >tree/EFI/debian/grub.cfg <<-G
	if [ -s \$prefix/grubenv ]; then
	  load_env
	fi
	set default="\${saved_entry}"
	set timeout=0
	serial --unit=0 --speed=115200
	terminal_output serial
	menuentry "Debian GNU/Linux" --id simple {
	  $linux /vmlinuz-$2 $cmdline
	  ${linux/linux/initrd} /initrd.img-$2
	}
	menuentry "Debian GNU/Linux (recovery mode)" --id recovery {
	  $linux /vmlinuz-$2 $cmdline single
	  ${linux/linux/initrd} /initrd.img-$2
	}
	G
	[ -n "$4" ] || sed -i '/initrd/d' tree/EFI/debian/grub.cfg
	{ printf '# GRUB Environment Block\nsaved_entry=%s\n' "${6:-simple}"; printf '#%.0s' {1..1024}; } | head -c 1024 >tree/EFI/debian/grubenv
	esp "$1"
}

# sdboot DISK VERSION KERNEL INITRD [CMDLINE [ENTRY]]: systemd-boot and the kernel, signed with our keys.
sdboot() {
	local entry="title Debian GNU/Linux\nversion $2\nlinux /vmlinuz-$2\ninitrd /initrd.img-$2\noptions %s\n"
	mkdir -p tree/EFI/BOOT tree/loader/entries
	sign "$SDBOOT" tree/EFI/BOOT/BOOTX64.EFI
	cp "$3" "tree/vmlinuz-$2"
	cp "$4" "tree/initrd.img-$2"
	printf 'timeout 0\ndefault %s.conf\neditor no\n' "${6:-debian}" >tree/loader/loader.conf
	# shellcheck disable=SC2059  # the format is above
	{
		printf "$entry" "${5:-$CMDLINE}" >tree/loader/entries/debian.conf
		printf "$entry" "${5:-$CMDLINE} single" >tree/loader/entries/recovery.conf
	}
	esp "$1"
}

# uki DISK KERNEL INITRD [CMDLINE]: one signed file; Debian 12 has no ukify.
uki() {
	printf '%s' "${4:-$CMDLINE}" >cmdline
	printf 'ID=debian\nVERSION_ID=12\nPRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\n' >osrel
	objcopy --add-section .osrel=osrel --change-section-vma .osrel=0x20000 \
		--add-section .cmdline=cmdline --change-section-vma .cmdline=0x30000 \
		--add-section .linux="$2" --change-section-vma .linux=0x2000000 \
		--add-section .initrd="$3" --change-section-vma .initrd=0x3000000 "$STUB" bare.efi
	mkdir -p tree/EFI/BOOT
	sign bare.efi tree/EFI/BOOT/BOOTX64.EFI
	[ "$1" != uki-flip ] || flip_kernel tree/EFI/BOOT/BOOTX64.EFI tree/EFI/BOOT/BOOTX64.EFI
	esp "$1"
}

disk() {
	case $1 in
	grub)           grub   "$1" "$V1" "$K1" initrd ;;
	grub-quiet)     grub   "$1" "$V1" "$K1" initrd "$CMDLINE quiet" ;;
	grub-shell)     grub   "$1" "$V1" "$K1" initrd "$CMDLINE init=/bin/sh" ;;
	grub-kernel)    grub   "$1" "$V2" "$K2" initrd ;;
	grub-flip)      grub   "$1" "$V1" kernel-flipped initrd ;;
	grub-initrd)    grub   "$1" "$V1" "$K1" initrd-flipped ;;
	grub-entry)     grub   "$1" "$V1" "$K1" initrd "" recovery ;;
	grub-efi)       grub   "$1" "$V1" "$K1" initrd "" "" linuxefi ;;
	grub-systemd)   grub   "$1" "$V1" "$K1" "" "$SYSTEMD" ;;
	grub-efi-flip)  grub   "$1" "$V1" kernel-flipped initrd "" "" linuxefi ;;
	sdboot)         sdboot "$1" "$V1" kernel-ours initrd ;;
	sdboot-quiet)   sdboot "$1" "$V1" kernel-ours initrd "$CMDLINE quiet" ;;
	sdboot-kernel)  sdboot "$1" "$V2" kernel-ours2 initrd ;;
	sdboot-flip)    sdboot "$1" "$V1" kernel-ours-flipped initrd ;;
	sdboot-initrd)  sdboot "$1" "$V1" kernel-ours initrd-flipped ;;
	sdboot-entry)   sdboot "$1" "$V1" kernel-ours initrd "" recovery ;;
	uki)            uki    "$1" "$K1" initrd ;;
	uki-quiet)      uki    "$1" "$K1" initrd "$CMDLINE quiet" ;;
	uki-kernel)     uki    "$1" "$K2" initrd ;;
	uki-initrd)     uki    "$1" "$K1" initrd-flipped ;;
	uki-flip)       uki    "$1" "$K1" initrd ;;
	*)              echo "no disk $1"; return 1 ;;
	esac
}

initrd
flip_initrd initrd initrd-flipped
flip_kernel "$K1" kernel-flipped
keys
sign "$K1" kernel-ours
sign "$K2" kernel-ours2
flip_kernel kernel-ours kernel-ours-flipped
rm -rf tree
for name in "$@"; do
	disk "$name"
done
