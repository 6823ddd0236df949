# Every system call and every allocation of a decision failed in turn.
if HAVE_CHECK
check_LTLIBRARIES += libinject.la
libinject_la_SOURCES  = %D%/call.c %D%/call.h %D%/inject.c %D%/inject.h
libinject_la_CPPFLAGS = $(AM_CPPFLAGS)
FAULTS_CPPFLAGS = $(UNIT_CPPFLAGS) -I$(srcdir)/tests/gate -I$(srcdir)/%D%

check_PROGRAMS += %D%/gate_faults
TESTS += %D%/gate_faults
tests_faults_gate_faults_SOURCES  = %D%/gate_faults.c tests/gate/world.c tests/gate/world.h
tests_faults_gate_faults_CPPFLAGS = $(FAULTS_CPPFLAGS)
tests_faults_gate_faults_LDADD    = libinject.la libunit.la -lpam -ldl

check_PROGRAMS += %D%/attestd_faults
TESTS += %D%/attestd_faults
tests_faults_attestd_faults_SOURCES  = %D%/attestd_faults.c
tests_faults_attestd_faults_CPPFLAGS = $(FAULTS_CPPFLAGS) $(ATTESTD_CPPFLAGS)
tests_faults_attestd_faults_LDADD    = libinject.la libunit.la libattestd.la
endif

# The daemon itself, with its TPM and its verifier.
check_PROGRAMS += %D%/fail_daemon
tests_faults_fail_daemon_SOURCES = %D%/fail_daemon.c %D%/call.c %D%/call.h
dist_check_SCRIPTS += %D%/attestd.sh
TESTS += %D%/attestd.sh
