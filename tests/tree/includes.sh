#!/bin/sh
# Libraries are reached in the one place that is meant to reach them.
set -u
cd "$top_srcdir" || exit 1
passed=0 failed=0

# only <what it is> <include pattern> <files that may, as a regular expression>
only() {
	found=$(grep -rlE "#include *[<\"]$2" common policy pam_attest verifierd --include='*.[ch]' | grep -Ev "^($3)\$")
	if [ -n "$found" ]; then
		echo "$1 is included by:" "$found"
		failed=$((failed + 1))
	else
		passed=$((passed + 1))
	fi
}
# never <folder> <include pattern>
never() {
	found=$(grep -rlE "#include *[<\"]($2)" "$1" --include='*.[ch]')
	if [ -n "$found" ]; then
		echo "$1 may not include $2, but does in:" "$found"
		failed=$((failed + 1))
	else
		passed=$((passed + 1))
	fi
}

only "the TSS"    'tss2'           'pam_attest/attestd/tpm[a-z_]*\.[ch]'
only "libcurl"    'curl/'          'pam_attest/attestd/upstream\.c|verifierd/verifierctl/api_client\.c'
only "json-c"     'json-c'         'common/proto/json\.c'
only "SQLite"     'sqlite3'        'verifierd/store_sqlite\.c'
only "libevent"   'event2/'        'verifierd/(net|http|conn|routes)[a-z_]*\.[ch]'
only "libssl"     'openssl/ssl'    'verifierd/(net|http|conn)[a-z_]*\.[ch]'
only "libseccomp" 'seccomp\.h'    'common/sandbox/syscalls\.c'
only "Landlock"   'linux/landlock' 'common/sandbox/(landlock|kernel)\.c'
only "libpam"     'security/'      'pam_attest/gate/pam_attest\.c'
never common/base     'openssl|json|curl|tss2|sqlite3|event2|security/|pthread|signal\.h'
never policy          'curl|tss2|sqlite3|event2|security/|sys/socket|fcntl|time\.h|clock\.h|file\.h'
only "NSS"        'nss\.h'         'pam_attest/gate/nss_attest\.c'
only "groups"     'grp\.h'         'pam_attest/gate/nss_attest\.c|pam_attest/attest(ctl|d)/.*|verifierd/.*'
never pam_attest/gate 'openssl|json|curl|tss2|sqlite3|event2|pthread|signal\.h|pwd\.h'
never pam_attest/attestd 'gate\.h|gate_conf\.h|appraise\.h|eventlog\.h'

# Functions that have no place in code that runs in other people's processes.
if grep -nE '\b(getenv|setenv|fork|execv[a-z]*|signal|sigaction|exit|abort|system|popen|malloc|calloc|strdup|getpw[a-z]+|getgr[a-z]+|syslog)\(' \
    pam_attest/gate/*.c common/base/record.c common/base/local.c common/base/conf.c | grep -v 'pam_syslog'; then
	echo "the gate calls what it must not"
	failed=$((failed + 1))
else
	passed=$((passed + 1))
fi
echo "$passed passed, $failed failed"
[ $failed = 0 ]
