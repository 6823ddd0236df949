# Real doors: sshd, sudo and su of this system, on a private copy of it.
check_PROGRAMS += %D%/syslogd
tests_system_syslogd_SOURCES = %D%/syslogd.c
check_PROGRAMS += %D%/terminal
tests_system_terminal_SOURCES = %D%/terminal.c
system_tests = %D%/doors.sh %D%/exempt.sh %D%/limits.sh %D%/nss.sh %D%/passports.sh %D%/vpn.sh %D%/ways_back.sh
dist_check_SCRIPTS += $(system_tests) %D%/private.sh
TESTS += $(system_tests)
EXTRA_DIST += %D%/gateway.sh %D%/machine.sh %D%/doors.table
