#!/bin/sh
# What was built links what its role may link, and nothing else.
set -u
cd "$top_builddir" || exit 1
passed=0 failed=0
command -v readelf >/dev/null || { echo "no readelf here"; exit 77; }

# may <file> <allowed DT_NEEDED beside libc, as a regular expression>
may() {
	file=$(find . -type f -name "$1" -perm -100 -path "${3:-*}" | head -n 1)
	if [ -z "$file" ]; then
		echo "$1 was not built"
		failed=$((failed + 1))
		return
	fi
	extra=$(readelf -d "$file" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' |
		grep -Evx "libc\.so\.6|ld-linux.*|lib(asan|ubsan)\.so.*|lib(m|gcc_s)\.so.*|$2")
	if [ -n "$extra" ]; then
		echo "$1 needs" "$extra"
		failed=$((failed + 1))
	else
		passed=$((passed + 1))
	fi
}
proto='libcrypto\.so\.3|libjson-c\.so\.5'
sandbox='libseccomp\.so\.2'
may pam_attest.so         'libpam\.so\.0'
may 'libnss_attest.so.2.*' nothing
may attestd               "$sandbox|$proto|libcurl\.so\.4|libaudit\.so\.1"
may attestd-tpm           "$sandbox|"'libtss2-(esys|mu|tctildr|rc)\.so\.0|libtss2-tctildr\.so\.0'
may attestctl             "$proto"
may verifierd             "$sandbox|$proto"
may verifierd-net         "$sandbox|$proto|libssl\.so\.3|libevent(_core|_extra|_openssl)?-2\.1\.so\.7"
may verifierd-core        "$sandbox|$proto|libsqlite3\.so\.0"
may verifierd-parse       "$sandbox|$proto"
may verifierd-judge       "$sandbox|$proto"
may verifierd-setup       "$sandbox|$proto|libsqlite3\.so\.0"
may verifierctl           "$proto|libcurl\.so\.4"
echo "$passed passed, $failed failed"
[ $failed = 0 ]
