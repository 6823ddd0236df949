#!/bin/bash
# packages.sh TARBALL: builds the Debian packages from a release tarball, asks lintian, and has a pristine Debian 12
# install, upgrade, remove, purge and reinstall them (inside.sh), and a newcomer's evening with them (evening.sh). Not part of make check: scripts/test runs it.
# PACKAGES_DIR holds what can be used again: the pristine Debian, and the packages.
set -u
here=$(dirname "$(realpath "$0")")
tarball=$(realpath "$1") || exit 2
dir=${PACKAGES_DIR:-$here/../../build-logs/packages}
[ "$(id -u)" = 0 ] || { echo "SKIP: a chroot wants root"; exit 77; }
for p in dpkg-buildpackage dh lintian debootstrap; do
	command -v $p >/dev/null || { echo "SKIP: no $p here"; exit 77; }
done
# What stands for the hardware of an evening.
MACHINE="swtpm swtpm-tools tpm2-tools libtss2-tcti-swtpm0 jq"
mkdir -p "$dir" && cd "$dir" || exit 1

# shellcheck disable=SC2086  # a list of words
"$here/chroot.sh" make "$dir/debian" $MACHINE &
base=$!
trap wait EXIT

rm -rf source debs
mkdir -p source debs/next
tar xzf "$tarball" -C source --strip-components=1 || exit 1
(cd source && DEB_BUILD_OPTIONS="nocheck noautodbgsym parallel=$(nproc)" dpkg-buildpackage -us -uc -b) >build.log 2>&1 ||
	{ tail -n 30 build.log; echo "the packages do not build"; exit 1; }
mv ./*.deb ./*.changes ./*.buildinfo debs/
rm -rf source
lintian --allow-root --pedantic --fail-on error,warning debs/*.changes || { echo "lintian has something to say"; exit 1; }

# The next version is the same but for its number.
for p in libpam-attest libnss-attest attestd attest-tools verifierd; do
	dpkg-deb -R debs/"$p"_*.deb next.tmp
	sed -i -E 's/^Version: .*/&+next/; s/\(= [^)]*/&+next/g' next.tmp/DEBIAN/control
	dpkg-deb --root-owner-group -Znone -b next.tmp "debs/next/$p.deb" >/dev/null || exit 1
	rm -rf next.tmp
done
wait $base || exit $?
cp "$here"/inside.sh "$here"/evening.sh "$here"/../integration/swtpm.sh "$here"/../shell.sh "$here"/../../man/attest-quickstart.7 debs/
mkdir -p debs/boots
cp "$here"/../data/vm/sb-shimgrub-a/binary_bios_measurements debs/boots/usual
cp "$here"/../data/vm/sb-shimgrub-cmd/binary_bios_measurements debs/boots/changed
rc=0
for test in inside evening; do
	"$here/chroot.sh" run "$dir/debian" "$dir/debs" bash /mnt/$test.sh || rc=1
done
exit $rc
