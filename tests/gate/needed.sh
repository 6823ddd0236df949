#!/bin/sh
# What the modules need and what they show: libc, and libpam for PAM's; their entry points, nothing else.
set -u
command -v readelf >/dev/null || { echo "no readelf here"; exit 77; }
failed=0
bad() { echo "$name $*"; failed=$((failed + 1)); }

# Called directly, any of these would be state, allocation or a process of our own in somebody else's, or ask the
# language of the user.
never='(secure_)?getenv|setenv|fork|exec.*|signal|sigaction|exit|abort|malloc|calloc|opendir|getpw.*|getgr.*|syslog|openlog|pthread_.*|strerror(_r)?'
# Cannot fail in a way that anybody sees.
harmless='_ITM_.*|__progname|program_invocation_short_name|__(cxa_finalize|gmon_start__|stack_chk_fail|errno_location|asan_.*|ubsan_.*|sanitizer_.*)|(__)?(mem|str)[a-z0-9_]*|(__)?v?snprintf(_chk)?|(__)?explicit_bzero(_chk)?|free|(gmtime_r|timegm)|get(e?uid|e?gid|pid)'

# module <file> <libraries beside libc> <entry points> <test that fails each call> <calls that are never made>
module() {
	name=$1 file=$top_builddir/.libs/$1
	extra=$(readelf -d "$file" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' |
		grep -Evx "libc\.so\.6|ld-linux.*|lib(asan|ubsan|m|gcc_s)\.so.*|$2")
	[ -z "$extra" ] || bad needs "$extra"
	shown=$(nm -D --defined-only "$file" | sed 's/.* //' | sort | tr '\n' ' ')
	[ "$shown" = "$3 " ] || bad shows "$shown"
	if readelf -d "$file" | grep -q 'NEEDED.*lib[at]san'; then
		echo "$name: a sanitizer keeps what is not used: its calls were not looked at"
		return
	fi
	calls=$(nm -D --undefined-only "$file" | sed 's/.* //; s/@.*//')
	used=$(echo "$calls" | grep -Ex "$never|$5")
	[ -z "$used" ] || bad calls "$used"
	program=$top_builddir/tests/gate/.libs/$4
	[ -e "$program" ] || program=$top_builddir/tests/gate/$4
	wrapped=$(nm "$program" 2>/dev/null | sed -n 's/.* [Tt] __wrap_//p')
	if [ -n "$wrapped" ]; then
		unknown=$(echo "$calls" | grep -vxF "$wrapped" | grep -Evx "$harmless")
		[ -z "$unknown" ] || bad "calls what $4 does not fail:" "$unknown"
	else
		echo "$4 is not built: whether it knows all calls was not looked at"
	fi
}
module pam_attest.so 'libpam\.so\.0' \
	'pam_sm_acct_mgmt pam_sm_authenticate pam_sm_close_session pam_sm_open_session pam_sm_setcred' check_faults realloc
module libnss_attest.so.2 '' '_nss_attest_getgrgid_r _nss_attest_getgrnam_r _nss_attest_initgroups_dyn' check_nss \
	'socket|connect|send.*|recv.*|poll|select|p?ppoll|sleep|nanosleep|flock|fcntl.*'
soname=$(readelf -d "$top_builddir/.libs/libnss_attest.so.2" | sed -n 's/.*(SONAME).*\[\(.*\)\]/\1/p')
[ "$soname" = libnss_attest.so.2 ] || { echo "the NSS module is called $soname"; failed=$((failed + 1)); }
exit $failed
