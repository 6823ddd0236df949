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
exit $failed
