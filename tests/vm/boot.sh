# boot.sh - one boot of one machine under QEMU, without KVM. Sourced by bash; needs tests/integration/swtpm.sh.
#
# A machine is a folder: tpm/ (a software TPM), vars.fd (the firmware's variables), disk (a tar archive that its guest
# unpacks at start and packs at the end). Nothing of it is ever set back: counters run and variables change as on a real one.
# shellcheck shell=bash

OVMF=/usr/share/OVMF
VM_TIMEOUT=${VM_TIMEOUT:-240}

# What a firmware or boot loader says that will not start what it found.
VM_STUCK='No bootable option or device|Shell> |grub rescue>|bad shim signature|you need to load the kernel first|Press any key to continue|Security Violation|Access Denied|Error loading|Kernel panic|Failed to (open|start)'

# vm_machine DIR VARS: a machine as it leaves the factory; VARS is the firmware's variables, as ms, snakeoil, or nothing for no keys.
vm_machine() {
	swtpm_manufacture "$1/tpm" && cp "$OVMF/OVMF_VARS_4M${2:+.$2}.fd" "$1/vars.fd"
}

# vm_secure_boot DIR 0|1: what the firmware's setup page does. The variable is there once the machine has booted with keys.
vm_secure_boot() {
	local at
	# Its name in UTF-16, with its NUL; the value is the byte behind it. The newest copy is the last.
	at=$(LC_ALL=C grep -obUaP 'S\x00e\x00c\x00u\x00r\x00e\x00B\x00o\x00o\x00t\x00E\x00n\x00a\x00b\x00l\x00e\x00\x00\x00' "$1/vars.fd" |
		tail -n 1 | cut -d: -f1)
	[ -n "$at" ] || return 1
	printf '%b' "\\x0$2" | dd of="$1/vars.fd" bs=1 seek=$((at + 34)) conv=notrunc status=none
}

VM_PIDS=
vm_off() {
	# shellcheck disable=SC2086  # a list of words
	[ -z "$VM_PIDS" ] || { kill $VM_PIDS; wait $VM_PIDS; } 2>/dev/null
	VM_PIDS=
}

# vm_run DIR ESP OUT [MEGABYTES [CPUS]]: boots what is on ESP, which is not written to; OUT gets serial.log. 0: the guest
# switched itself off, or wanted its power cut; 1: firmware or boot loader refused; 2: neither came in time.
vm_run() {
	local dir=$1 esp=$2 out=$3 mem=${4:-512} qemu swtpm rc=2 until=$((SECONDS + VM_TIMEOUT))
	mkdir -p "$out"
	: >"$out/serial.log"
	swtpm socket --tpm2 --tpmstate "dir=$dir/tpm" --ctrl "type=unixio,path=$dir/ctrl" --terminate >"$out/swtpm.log" 2>&1 &
	swtpm=$!
	VM_PIDS=$swtpm
	until [ -S "$dir/ctrl" ]; do sleep 0.05; kill -0 $swtpm 2>/dev/null || return 2; done
	nice qemu-system-x86_64 -machine q35,accel=tcg,smm=on -cpu max -smp "${5:-1}" -m "$mem" -nodefaults -display none -no-reboot \
		-global driver=cfi.pflash01,property=secure,value=on -global ICH9-LPC.disable_s3=1 \
		-drive "if=pflash,format=raw,unit=0,readonly=on,file=$OVMF/OVMF_CODE_4M.secboot.fd" \
		-drive "if=pflash,format=raw,unit=1,file=$dir/vars.fd" \
		-chardev "socket,id=tpm,path=$dir/ctrl" -tpmdev emulator,id=tpm0,chardev=tpm -device tpm-crb,tpmdev=tpm0 \
		-drive "if=none,id=esp,format=raw,file=$esp,snapshot=on" -device nvme,drive=esp,serial=esp,bootindex=0,addr=4 \
		-drive "if=none,id=disk,format=raw,file=$dir/disk" -device nvme,drive=disk,serial=machine,addr=5 \
		-netdev user,id=net -device virtio-net-pci,netdev=net,romfile=,addr=6 \
		-serial "file:$out/serial.log" >"$out/qemu.log" 2>&1 </dev/null &
	qemu=$!
	VM_PIDS="$qemu $swtpm"
	while kill -0 $qemu 2>/dev/null; do
		if grep -qaE "$VM_STUCK" "$out/serial.log"; then
			rc=1
			break
		fi
		! grep -qa '^GUEST cut' "$out/serial.log" || break
		[ $SECONDS -lt $until ] || break
		sleep 0.2
	done
	grep -qaE '^GUEST (done|cut)' "$out/serial.log" && rc=0
	# Its last words are worth waiting for.
	[ $rc = 0 ] || sleep 1
	vm_off
	rm -f "$dir/ctrl"
	return $rc
}

# vm_boot: the same for a guest that is guest_init; OUT gets what it packed, too.
vm_boot() {
	vm_run "$@" || return
	tar -xmf "$1/disk" -C "$3" --strip-components=1 out
}
