#!/bin/sh
# What the module needs and what it shows: libc and libpam; the entry points of PAM, nothing else.
set -u
module=$top_builddir/.libs/pam_attest.so
command -v readelf >/dev/null || { echo "no readelf here"; exit 77; }
failed=0
extra=$(readelf -d "$module" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' |
	grep -Evx 'libc\.so\.6|libpam\.so\.0|ld-linux.*|lib(asan|ubsan|m|gcc_s)\.so.*')
[ -z "$extra" ] || { echo "needs" "$extra"; failed=1; }
shown=$(nm -D --defined-only "$module" | sed 's/.* //' | sort | tr '\n' ' ')
want="pam_sm_acct_mgmt pam_sm_authenticate pam_sm_close_session pam_sm_open_session pam_sm_setcred "
[ "$shown" = "$want" ] || { echo "shows $shown"; failed=1; }
# Called directly, any of these would be state, allocation or a process of our own in somebody else's.
used=$(nm -D --undefined-only "$module" | sed 's/.* //; s/@.*//' | grep -Ex \
	'(secure_)?getenv|setenv|fork|exec.*|signal|sigaction|exit|abort|malloc|calloc|realloc|opendir|getpw.*|getgr.*|syslog|openlog|pthread_.*')
[ -z "$used" ] || { echo "calls" "$used"; failed=1; }
# What it calls is failed in turn by check_faults, or cannot fail in a way that anybody sees.
program=$top_builddir/tests/gate/.libs/check_faults
[ -e "$program" ] || program=$top_builddir/tests/gate/check_faults
wrapped=$(nm "$program" 2>/dev/null | sed -n 's/.* [Tt] __wrap_//p')
if [ -n "$wrapped" ]; then
	unknown=$(nm -D --undefined-only "$module" | sed 's/.* //; s/@.*//' | grep -vxF "$wrapped" | grep -Evx \
		'_ITM_.*|__(cxa_finalize|gmon_start__|stack_chk_fail|errno_location|asan_.*|ubsan_.*|sanitizer_.*)|(__)?(mem|str)[a-z0-9_]*|(__)?v?snprintf(_chk)?|(gmtime_r|timegm)|get(e?uid|e?gid|pid)')
	[ -z "$unknown" ] || { echo "nobody fails" "$unknown"; failed=1; }
else
	echo "check_faults is not built: whether it knows all calls was not looked at"
fi
exit $failed
