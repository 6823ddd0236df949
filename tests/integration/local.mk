# A whole pam-attest in a folder: attestd, verifierd and a software TPM, driven as an administrator would.
integration_tests = %D%/login.sh
dist_check_SCRIPTS += $(integration_tests)
EXTRA_DIST += %D%/lab.sh %D%/swtpm.sh
