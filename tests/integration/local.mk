# A whole pam-attest in a folder: attestd, verifierd and a software TPM, driven as an administrator would.
integration_tests = %D%/events.sh %D%/report.sh %D%/login.sh %D%/net.sh %D%/attestd.sh %D%/sandbox.sh %D%/power.sh %D%/references.sh %D%/lease.sh
dist_check_SCRIPTS += $(integration_tests)
TESTS += $(integration_tests)
EXTRA_DIST += %D%/lab.sh %D%/swtpm.sh

# One building block against a TPM.
check_PROGRAMS += %D%/make_credential
tests_integration_make_credential_SOURCES  = %D%/make_credential.c
tests_integration_make_credential_CPPFLAGS = $(VERIFIERD_CPPFLAGS)
tests_integration_make_credential_LDADD    = libenroll.la
dist_check_SCRIPTS += %D%/credential.sh
TESTS += %D%/credential.sh

# Files in, JSON out: no daemon.
dist_check_SCRIPTS += %D%/inspect.sh
TESTS += %D%/inspect.sh
# Counts the commands between attestd and its TPM.
check_PROGRAMS += %D%/tap
tests_integration_tap_SOURCES = %D%/tap.c

check_PROGRAMS += %D%/pam_login
tests_integration_pam_login_SOURCES = %D%/pam_login.c
tests_integration_pam_login_LDADD   = -lpam

# Strangers who take what they can get.
check_PROGRAMS += %D%/hog
tests_integration_hog_SOURCES = %D%/hog.c
dist_check_SCRIPTS += %D%/hogs.sh
TESTS += %D%/hogs.sh

# Keeps what a host sends its verifier, to be sent again.
check_PROGRAMS += %D%/tls_tap
tests_integration_tls_tap_SOURCES = %D%/tls_tap.c
tests_integration_tls_tap_CFLAGS  = $(AM_CFLAGS) $(CRYPTO_CFLAGS)
tests_integration_tls_tap_LDADD   = $(SSL_LIBS) $(CRYPTO_LIBS)

# Every way of having no signed result, and who is let in then.
check_PROGRAMS += %D%/tls_says
tests_integration_tls_says_SOURCES = %D%/tls_says.c
tests_integration_tls_says_CFLAGS  = $(AM_CFLAGS) $(CRYPTO_CFLAGS)
tests_integration_tls_says_LDADD   = $(SSL_LIBS) $(CRYPTO_LIBS)
dist_check_SCRIPTS += %D%/grace.sh
TESTS += %D%/grace.sh

# Killed at every step; more often with CRASH_ROUNDS=200.
dist_check_SCRIPTS += %D%/crash.sh %D%/disk.sh
TESTS += %D%/crash.sh %D%/disk.sh

# IMA lists that grow, from a TPM to a verdict.
check_PROGRAMS += %D%/ima_lab
tests_integration_ima_lab_SOURCES  = %D%/ima_lab.c tests/unit/soft_ima.c tests/unit/soft_ima.h
tests_integration_ima_lab_CPPFLAGS = $(VERIFIERD_CPPFLAGS) -I$(srcdir)/tests/unit
tests_integration_ima_lab_LDADD    = libpolicy.la
dist_check_SCRIPTS += %D%/ima.sh
TESTS += %D%/ima.sh

# A kernel without Landlock, for sandbox.sh.
check_PROGRAMS += %D%/old_kernel
tests_integration_old_kernel_SOURCES  = %D%/old_kernel.c
tests_integration_old_kernel_CPPFLAGS = $(AM_CPPFLAGS) $(SECCOMP_CFLAGS)
tests_integration_old_kernel_LDADD    = $(SECCOMP_LIBS)

# A parse worker that a host has taken over.
check_PROGRAMS += %D%/lying_parse
tests_integration_lying_parse_SOURCES  = %D%/lying_parse.c
tests_integration_lying_parse_CPPFLAGS = $(VERIFIERD_CPPFLAGS)
tests_integration_lying_parse_LDADD    = libipc.la
dist_check_SCRIPTS += %D%/worker.sh
TESTS += %D%/worker.sh

# Clocks a day off; the library is preloaded for another wall clock.
dist_check_SCRIPTS += %D%/clocks.sh
TESTS += %D%/clocks.sh
check_LTLIBRARIES += %D%/libshift.la
tests_integration_libshift_la_SOURCES = %D%/shift.c
tests_integration_libshift_la_LDFLAGS = $(AM_LDFLAGS) -module -avoid-version -shared -rpath /nowhere

dist_check_SCRIPTS += %D%/policies.sh
TESTS += %D%/policies.sh
