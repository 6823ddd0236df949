# What packages and service managers bring to a system.
package_tests = %D%/sandbox.sh %D%/units.sh %D%/logs.sh
check_PROGRAMS += %D%/unit_run
tests_packages_unit_run_SOURCES  = %D%/unit_run.c
tests_packages_unit_run_CPPFLAGS = $(AM_CPPFLAGS) $(SECCOMP_CFLAGS)
tests_packages_unit_run_LDADD    = $(SECCOMP_LIBS)
dist_check_SCRIPTS += $(package_tests)
TESTS += $(package_tests)
# Of scripts/test: they take minutes, and a Debian from the network.
EXTRA_DIST += %D%/packages.sh %D%/chroot.sh %D%/inside.sh %D%/evening.sh %D%/vm.sh %D%/guest.sh \
	%D%/guest.service %D%/guest-login.service
