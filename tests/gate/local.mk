# The module as PAM sees it: what it links and shows, that it loads alone, and each decision's PAM code.
dist_check_SCRIPTS += %D%/needed.sh %D%/hook.sh %D%/lint.sh %D%/modes.sh %D%/in_use.sh
TESTS += %D%/needed.sh %D%/hook.sh %D%/lint.sh %D%/modes.sh %D%/in_use.sh
check_PROGRAMS += %D%/say_attestd
tests_gate_say_attestd_SOURCES = %D%/say_attestd.c
tests_gate_say_attestd_LDADD   = libbase.la
if HAVE_CHECK
check_PROGRAMS += %D%/check_load
TESTS += %D%/check_load
tests_gate_check_load_SOURCES  = %D%/check_load.c
tests_gate_check_load_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_gate_check_load_LDADD    = libunit.la

check_PROGRAMS += %D%/check_pam
TESTS += %D%/check_pam
tests_gate_check_pam_SOURCES  = %D%/check_pam.c %D%/world.c %D%/world.h
tests_gate_check_pam_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_gate_check_pam_LDADD    = libunit.la -lpam

check_PROGRAMS += %D%/check_journal
TESTS += %D%/check_journal
tests_gate_check_journal_SOURCES  = %D%/check_journal.c
tests_gate_check_journal_CPPFLAGS = $(UNIT_CPPFLAGS) $(GATE_CPPFLAGS)
tests_gate_check_journal_LDADD    = libgate.la libunit.la

check_PROGRAMS += %D%/check_faults
TESTS += %D%/check_faults
tests_gate_check_faults_SOURCES  = %D%/check_faults.c %D%/world.c %D%/world.h pam_attest/gate/pam_attest.c
tests_gate_check_faults_CPPFLAGS = $(UNIT_CPPFLAGS) $(GATE_CPPFLAGS)
tests_gate_check_faults_LDFLAGS  = $(AM_LDFLAGS) -Wl,--wrap=open -Wl,--wrap=fstat -Wl,--wrap=read -Wl,--wrap=getdents64 \
	-Wl,--wrap=socket -Wl,--wrap=connect -Wl,--wrap=getsockopt -Wl,--wrap=setsockopt -Wl,--wrap=send -Wl,--wrap=recv -Wl,--wrap=poll \
	-Wl,--wrap=clock_gettime -Wl,--wrap=getrandom -Wl,--wrap=sendmsg -Wl,--wrap=close \
	-Wl,--wrap=pam_get_item -Wl,--wrap=pam_get_user -Wl,--wrap=pam_prompt -Wl,--wrap=pam_syslog
tests_gate_check_faults_LDADD    = libgate.la libunit.la -lpam

check_PROGRAMS += %D%/check_hostile
TESTS += %D%/check_hostile
tests_gate_check_hostile_SOURCES  = %D%/check_hostile.c %D%/world.c %D%/world.h
tests_gate_check_hostile_CPPFLAGS = $(UNIT_CPPFLAGS) $(SANDBOX_CPPFLAGS)
tests_gate_check_hostile_LDADD    = libsandbox.la libunit.la -lpam

check_PROGRAMS += %D%/check_nss
TESTS += %D%/check_nss
tests_gate_check_nss_SOURCES  = %D%/check_nss.c %D%/world.c %D%/world.h pam_attest/gate/nss_attest.c
tests_gate_check_nss_CPPFLAGS = $(UNIT_CPPFLAGS) $(GATE_CPPFLAGS)
tests_gate_check_nss_CFLAGS   = $(AM_CFLAGS) -pthread
tests_gate_check_nss_LDFLAGS  = $(AM_LDFLAGS) -pthread -Wl,--wrap=open -Wl,--wrap=fstat -Wl,--wrap=read -Wl,--wrap=getdents64 \
	-Wl,--wrap=clock_gettime -Wl,--wrap=close -Wl,--wrap=realloc
tests_gate_check_nss_LDADD    = libgate.la libunit.la
endif
dist_check_SCRIPTS += %D%/doctor.sh
TESTS += %D%/doctor.sh
dist_check_SCRIPTS += %D%/catalog.sh
TESTS += %D%/catalog.sh
dist_check_SCRIPTS += %D%/completion.sh %D%/json.sh
TESTS += %D%/completion.sh %D%/json.sh
