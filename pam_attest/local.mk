# gate, attestd, attestctl: one block a link domain.

# attestd: libcurl and proto; no TSS, no policy, no gate.
ATTESTD_CPPFLAGS = $(PROTO_CPPFLAGS) $(AUDIT_CFLAGS) $(CURL_CFLAGS) -I$(srcdir)/%D%/attestd -I$(srcdir)/common/sandbox
noinst_LTLIBRARIES += libattestd.la
libattestd_la_SOURCES = \
	%D%/attestd/agent.h \
	%D%/attestd/decisions.c %D%/attestd/decisions.h \
	%D%/attestd/diary.c %D%/attestd/diary.h \
	%D%/attestd/enrol.c %D%/attestd/enrol.h \
	%D%/attestd/fetch_orders.c %D%/attestd/fetch_orders.h \
	%D%/attestd/ima_file.c %D%/attestd/ima_file.h \
	%D%/attestd/leases.c %D%/attestd/leases.h \
	%D%/attestd/logs.c %D%/attestd/logs.h \
	%D%/attestd/options.c %D%/attestd/options.h \
	%D%/attestd/metrics.c %D%/attestd/metrics.h \
	%D%/attestd/outbox.c %D%/attestd/outbox.h \
	%D%/attestd/pipe.h \
	%D%/attestd/publish.c %D%/attestd/publish.h \
	%D%/attestd/recover.c %D%/attestd/recover.h \
	%D%/attestd/relying.c %D%/attestd/relying.h \
	%D%/attestd/round.c %D%/attestd/round.h \
	%D%/attestd/sandbox.c %D%/attestd/sandbox.h \
	%D%/attestd/serve.c %D%/attestd/serve.h \
	%D%/attestd/sockets.c %D%/attestd/sockets.h \
	%D%/attestd/state.c %D%/attestd/state.h \
	%D%/attestd/status.c %D%/attestd/status.h \
	%D%/attestd/tally.c %D%/attestd/tally.h \
	%D%/attestd/tell.c %D%/attestd/tell.h \
	%D%/attestd/tpm.c %D%/attestd/tpm.h %D%/attestd/tpm_wire.h \
	%D%/attestd/trail.c %D%/attestd/trail.h \
	%D%/attestd/upstream.c %D%/attestd/upstream.h \
	%D%/attestd/worker.c %D%/attestd/worker.h
libattestd_la_CPPFLAGS = $(ATTESTD_CPPFLAGS) -DPACKAGE_VERSION='"$(PACKAGE_VERSION)"'
libattestd_la_CFLAGS   = $(AM_CFLAGS) -pthread
libattestd_la_LIBADD   = libsandbox.la libproto.la $(AUDIT_LIBS) $(CURL_LIBS) $(CRYPTO_LIBS)
sbin_PROGRAMS += %D%/attestd/attestd
pam_attest_attestd_attestd_SOURCES = \
	%D%/attestd/callers.c \
	%D%/attestd/daemon.h \
	%D%/attestd/intake.c \
	%D%/attestd/jobs.c \
	%D%/attestd/main.c \
	%D%/attestd/passports.c \
	%D%/attestd/start.c
pam_attest_attestd_attestd_CPPFLAGS = $(ATTESTD_CPPFLAGS) -DSYSCONFDIR='"$(sysconfdir)"' -DPKGLIBEXECDIR='"$(pkglibexecdir)"'
pam_attest_attestd_attestd_CFLAGS  = $(PIE_COMPILE) -pthread
pam_attest_attestd_attestd_LDFLAGS = $(PIE_LINK) -pthread
pam_attest_attestd_attestd_LDADD   = libattestd.la

# attestd-tpm: the only program that links the TSS.
pkglibexec_PROGRAMS += %D%/attestd/attestd-tpm
pam_attest_attestd_attestd_tpm_SOURCES = \
	%D%/attestd/tpm_child.c \
	%D%/attestd/tpm_count.c %D%/attestd/tpm_count.h \
	%D%/attestd/tpm_ek.c \
	%D%/attestd/tpm_esys.c %D%/attestd/tpm_esys.h \
	%D%/attestd/tpm_sandbox.c %D%/attestd/tpm_sandbox.h
pam_attest_attestd_attestd_tpm_CPPFLAGS = $(PROTO_CPPFLAGS) $(TSS2_CFLAGS) -I$(srcdir)/common/sandbox
pam_attest_attestd_attestd_tpm_CFLAGS  = $(PIE_COMPILE)
pam_attest_attestd_attestd_tpm_LDFLAGS = $(PIE_LINK)
pam_attest_attestd_attestd_tpm_LDADD   = libsandbox.la libbase.la $(TSS2_LIBS)

# gate: loaded into other people's processes. libc and libpam, nothing more.
GATE_CPPFLAGS = $(AM_CPPFLAGS) -I$(srcdir)/%D%/gate
noinst_LTLIBRARIES += libgate.la
libgate_la_SOURCES = \
	%D%/gate/accounts.c %D%/gate/accounts.h \
	%D%/gate/exempt.c \
	%D%/gate/facts.c \
	%D%/gate/gate.c %D%/gate/gate.h \
	%D%/gate/gate_ask.c %D%/gate/gate_ask.h \
	%D%/gate/gate_conf.c %D%/gate/gate_conf.h \
	%D%/gate/gate_journal.c \
	%D%/gate/gate_load.c %D%/gate/gate_option.h \
	%D%/gate/lease.c \
	%D%/gate/passport.c \
	%D%/gate/peer.c \
	%D%/gate/sources.c %D%/gate/sources.h
libgate_la_LIBADD = libbase.la

pammod_LTLIBRARIES = pam_attest.la
pam_attest_la_SOURCES = %D%/gate/pam_attest.c
pam_attest_la_CPPFLAGS = $(GATE_CPPFLAGS)
pam_attest_la_LDFLAGS = $(AM_LDFLAGS) -module -avoid-version -shared -Wl,--gc-sections \
	-Wl,--version-script=$(srcdir)/%D%/gate/pam_attest.map
pam_attest_la_LIBADD  = libgate.la -lpam
EXTRA_pam_attest_la_DEPENDENCIES = %D%/gate/pam_attest.map
EXTRA_DIST += %D%/gate/pam_attest.map

# nss: loaded into every program that looks up a group. libc alone.
nsslibdir = $(libdir)
nsslib_LTLIBRARIES = libnss_attest.la
libnss_attest_la_SOURCES  = %D%/gate/nss_attest.c
libnss_attest_la_CPPFLAGS = $(GATE_CPPFLAGS)
libnss_attest_la_LDFLAGS  = $(AM_LDFLAGS) -module -version-info 2:0:0 -shared -Wl,--gc-sections \
	-Wl,--version-script=$(srcdir)/%D%/gate/nss_attest.map
libnss_attest_la_LIBADD   = libgate.la
EXTRA_libnss_attest_la_DEPENDENCIES = %D%/gate/nss_attest.map
EXTRA_DIST += %D%/gate/nss_attest.map
# Before it is removed: who still counts on the group.
dist_pkglibexec_SCRIPTS += %D%/gate/nss-in-use

# Modules are loaded by name: no .la, and no name to link with.
install-data-hook:
	rm -f $(DESTDIR)$(pammoddir)/pam_attest.la $(DESTDIR)$(nsslibdir)/libnss_attest.la $(DESTDIR)$(nsslibdir)/libnss_attest.so
uninstall-hook:
	rm -f $(DESTDIR)$(pammoddir)/pam_attest.so $(DESTDIR)$(nsslibdir)/libnss_attest.so.2 $(DESTDIR)$(nsslibdir)/libnss_attest.so.2.0.0

# attestctl: asks attestd; check, lint and config are the gate's own code.
CTL_CPPFLAGS = $(GATE_CPPFLAGS) -I$(srcdir)/common/proto
noinst_LTLIBRARIES += libstack.la
libstack_la_SOURCES = \
	%D%/attestctl/pam_edit.c %D%/attestctl/pam_edit.h \
	%D%/attestctl/rescue.c %D%/attestctl/rescue.h \
	%D%/attestctl/stack.c %D%/attestctl/stack.h
libstack_la_LIBADD  = libbase.la
STACK_CPPFLAGS = $(AM_CPPFLAGS) -I$(srcdir)/%D%/attestctl
# What other programs' files say, for lint and doctor.
noinst_LTLIBRARIES += libdoctor.la
libdoctor_la_SOURCES = \
	%D%/attestctl/attestd_conf.c %D%/attestctl/attestd_conf.h \
	%D%/attestctl/found.c %D%/attestctl/found.h \
	%D%/attestctl/groups.c %D%/attestctl/groups.h \
	%D%/attestctl/lines.c %D%/attestctl/lines.h \
	%D%/attestctl/origins.c %D%/attestctl/origins.h \
	%D%/attestctl/sshd_conf.c %D%/attestctl/sshd_conf.h \
	%D%/attestctl/staged.c %D%/attestctl/staged.h \
	%D%/attestctl/sudoers.c %D%/attestctl/sudoers.h
libdoctor_la_CPPFLAGS = $(GATE_CPPFLAGS)
libdoctor_la_LIBADD   = libbase.la
DOCTOR_CPPFLAGS = $(GATE_CPPFLAGS) -I$(srcdir)/%D%/attestctl
noinst_LTLIBRARIES += libprompt.la
libprompt_la_SOURCES  = %D%/attestctl/prompt.c %D%/attestctl/prompt.h
libprompt_la_CPPFLAGS = $(PROTO_CPPFLAGS)
libprompt_la_LIBADD   = libproto.la
PROMPT_CPPFLAGS = $(PROTO_CPPFLAGS) -I$(srcdir)/%D%/attestctl
# ssh finds it by its path: a program for SSH_ASKPASS.
dist_pkglibexec_SCRIPTS += %D%/attestctl/attest-askpass
bin_PROGRAMS += %D%/attestctl/attestctl
pam_attest_attestctl_attestctl_SOURCES = \
	%D%/attestctl/ask.c %D%/attestctl/ask.h \
	%D%/attestctl/attestctl.h \
	%D%/attestctl/cmd_check.c \
	%D%/attestctl/cmd_config.c \
	%D%/attestctl/cmd_doctor.c \
	%D%/attestctl/cmd_enroll.c \
	%D%/attestctl/cmd_hook.c \
	%D%/attestctl/cmd_mode.c \
	%D%/attestctl/cmd_rescue.c \
	%D%/attestctl/cmd_seal.c \
	%D%/attestctl/dropin.c %D%/attestctl/dropin.h \
	%D%/attestctl/ways.c %D%/attestctl/ways.h \
	%D%/attestctl/cmd_lint.c \
	%D%/attestctl/cmd_passport.c \
	%D%/attestctl/cmd_recover.c \
	%D%/attestctl/cmd_watch.c \
	%D%/attestctl/cmd_metrics.c \
	%D%/attestctl/cmd_report.c \
	%D%/attestctl/lint.h \
	%D%/attestctl/lint_stacks.c \
	%D%/attestctl/cmd_status.c \
	%D%/attestctl/complete.c %D%/attestctl/complete.h \
	%D%/attestctl/doctor.h \
	%D%/attestctl/doctor_group.c \
	%D%/attestctl/doctor_host.c \
	%D%/attestctl/doctor_programs.c \
	%D%/attestctl/main.c \
	%D%/attestctl/options.c \
	%D%/attestctl/program.c %D%/attestctl/program.h \
	%D%/attestctl/services.c \
	%D%/attestctl/show.c %D%/attestctl/show.h
pam_attest_attestctl_attestctl_CPPFLAGS = $(CTL_CPPFLAGS) -DPAM_MODULE_DIR='"$(pammoddir)"'
pam_attest_attestctl_attestctl_CFLAGS  = $(PIE_COMPILE)
pam_attest_attestctl_attestctl_LDFLAGS = $(PIE_LINK)
pam_attest_attestctl_attestctl_LDADD   = libdoctor.la libprompt.la libstack.la libgate.la libproto.la
