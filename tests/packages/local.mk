# What packages and service managers bring to a system.
package_tests = %D%/units.sh %D%/logs.sh
dist_check_SCRIPTS += $(package_tests)
TESTS += $(package_tests)
