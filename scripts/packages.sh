# shellcheck shell=sh disable=SC2034  # sourced: the words are used elsewhere
# Debian packages that pam-attest needs; sourced by the other scripts.
BUILD_PACKAGES="gcc make libc6-dev autoconf automake libtool pkg-config libtss2-dev libssl-dev
	libpam0g-dev libcurl4-openssl-dev libjson-c-dev libevent-dev libseccomp-dev libaudit-dev libsqlite3-dev"
DEMO_PACKAGES="swtpm swtpm-tools tpm2-tools libpam-wrapper pamtester openssl jq procps"
TEST_PACKAGES="$DEMO_PACKAGES check clang libclang-rt-14-dev llvm cppcheck mandoc shellcheck binutils
	curl openssh-server openssh-client sudo iproute2 systemd fail2ban apparmor
	patch cron dbus login ocserv openconnect openvpn pkexec polkitd strace zsh fish"
DEBIAN_PACKAGES="build-essential debhelper dh-apparmor dpkg-dev lintian debootstrap"
# Kernels and boot loaders are never installed: tests/vm/build.sh fetches and unpacks them.
VM_PACKAGES="qemu-system-x86 ovmf mtools dosfstools gdisk sbsigntool efitools busybox-static cpio xz-utils e2fsprogs"

# Installs those that are missing, and only those.
need_packages() {
	missing=
	for p in "$@"; do
		dpkg-query -W -f='${db:Status-Abbrev}' "$p" 2>/dev/null | grep -q '^ii' || missing="$missing $p"
	done
	[ -n "$missing" ] || return 0
	if [ "$(id -u)" != 0 ]; then
		echo "these Debian packages are missing (run this as root, or install them):$missing" >&2
		return 1
	fi
	echo "installing:$missing"
	apt-get update -qq
	quietly_install "$missing"
}

# Tests bring their own sshd up: the packages' services stay down, as they do in an image build.
quietly_install() (
	policy=/usr/sbin/policy-rc.d
	if [ ! -e $policy ]; then
		trap 'rm -f $policy' EXIT
		printf '#!/bin/sh\nexit 101\n' >$policy && chmod 755 $policy
	fi
	# shellcheck disable=SC2086  # a list of words
	DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $1 >/dev/null
)

# Makes configure if it is not there or older than what it is made from.
need_configure() {
	if [ ! -x configure ] || [ -n "$(find configure.ac Makefile.am ./*/local.mk ./*/*/local.mk -newer configure 2>/dev/null)" ]; then
		./bootstrap >bootstrap.log 2>&1 || { cat bootstrap.log >&2; return 1; }
	fi
}

jobs=$(nproc 2>/dev/null || echo 1)
