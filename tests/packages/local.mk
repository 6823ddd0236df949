# What packages and service managers bring to a system.
package_tests = %D%/units.sh %D%/logs.sh
dist_check_SCRIPTS += $(package_tests)
TESTS += $(package_tests)
# Of scripts/test: they take minutes, and a Debian from the network.
EXTRA_DIST += %D%/packages.sh %D%/chroot.sh %D%/inside.sh
