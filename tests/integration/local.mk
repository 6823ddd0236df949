# A whole pam-attest in a folder: attestd, verifierd and a software TPM, driven as an administrator would.
integration_tests = %D%/login.sh %D%/net.sh %D%/attestd.sh %D%/sandbox.sh
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
