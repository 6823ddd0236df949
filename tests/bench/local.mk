# Figures, each beside a floor of the same run: `make bench`. `make check` builds them and runs one short round.
EXTRA_DIST += %D%/README %D%/attestd.sh
BENCHES =
dist_check_SCRIPTS += %D%/smoke.sh
TESTS += %D%/smoke.sh
if HAVE_CHECK
check_LTLIBRARIES += libbench.la
libbench_la_SOURCES = %D%/bench.c %D%/bench.h
libbench_la_LIBADD  = libbase.la

BENCHES += %D%/bench_gate
tests_bench_bench_gate_SOURCES  = %D%/bench_gate.c tests/gate/world.c tests/gate/world.h pam_attest/gate/nss_attest.c
tests_bench_bench_gate_CPPFLAGS = $(UNIT_CPPFLAGS) $(GATE_CPPFLAGS) -I$(srcdir)/tests/gate
tests_bench_bench_gate_LDFLAGS  = $(AM_LDFLAGS) -Wl,--wrap=open
tests_bench_bench_gate_LDADD    = libbench.la libgate.la libunit.la -lpam

BENCHES += %D%/bench_ima
tests_bench_bench_ima_SOURCES  = %D%/bench_ima.c
tests_bench_bench_ima_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_bench_bench_ima_LDADD    = libbench.la libpolicy.la

BENCHES += %D%/bench_log
tests_bench_bench_log_SOURCES  = %D%/bench_log.c %D%/large_log.c %D%/large_log.h
tests_bench_bench_log_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_bench_bench_log_LDADD    = libbench.la libpolicy.la

BENCHES += %D%/bench_server
tests_bench_bench_server_SOURCES  = %D%/bench_server.c %D%/bare_server.c %D%/bare_server.h %D%/client.c %D%/client.h \
	%D%/crew.c %D%/crew.h %D%/large_log.c %D%/large_log.h tests/unit/soft_ima.c tests/unit/soft_ima.h tests/unit/soft_host.c tests/unit/soft_host.h
tests_bench_bench_server_CPPFLAGS = $(UNIT_CPPFLAGS) $(VERIFIERD_CPPFLAGS) $(SSL_CFLAGS) $(CRYPTO_CFLAGS)
tests_bench_bench_server_LDADD    = libbench.la libstore.la libpolicy.la $(SSL_LIBS) $(CRYPTO_LIBS)
endif
check_PROGRAMS += $(BENCHES)

.PHONY: bench
bench: all $(BENCHES)
	@for p in $(BENCHES); do $(AM_TESTS_ENVIRONMENT) CK_VERBOSITY=silent ./$$p || exit 1; done
	@$(AM_TESTS_ENVIRONMENT) bash $(srcdir)/%D%/attestd.sh
