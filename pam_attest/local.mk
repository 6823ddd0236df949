# gate, attestd, attestctl: one block a link domain.

# attestd: libcurl and proto; no TSS, no policy, no gate.
sbin_PROGRAMS += %D%/attestd/attestd
pam_attest_attestd_attestd_SOURCES = \
	%D%/attestd/agent.h \
	%D%/attestd/decisions.c %D%/attestd/decisions.h \
	%D%/attestd/enrol.c %D%/attestd/enrol.h \
	%D%/attestd/logs.c %D%/attestd/logs.h \
	%D%/attestd/main.c \
	%D%/attestd/options.c %D%/attestd/options.h \
	%D%/attestd/publish.c %D%/attestd/publish.h \
	%D%/attestd/round.c %D%/attestd/round.h \
	%D%/attestd/serve.c %D%/attestd/serve.h \
	%D%/attestd/state.c %D%/attestd/state.h \
	%D%/attestd/status.c %D%/attestd/status.h \
	%D%/attestd/tpm.c %D%/attestd/tpm.h %D%/attestd/tpm_wire.h \
	%D%/attestd/upstream.c %D%/attestd/upstream.h \
	%D%/attestd/worker.c %D%/attestd/worker.h
pam_attest_attestd_attestd_CPPFLAGS = $(PROTO_CPPFLAGS) $(CURL_CFLAGS) \
	-DSYSCONFDIR='"$(sysconfdir)"' -DPKGLIBEXECDIR='"$(pkglibexecdir)"'
pam_attest_attestd_attestd_CFLAGS  = $(PIE_COMPILE) -pthread
pam_attest_attestd_attestd_LDFLAGS = $(PIE_LINK) -pthread
pam_attest_attestd_attestd_LDADD   = libproto.la $(CURL_LIBS) $(CRYPTO_LIBS)

# attestd-tpm: the only program that links the TSS.
pkglibexec_PROGRAMS += %D%/attestd/attestd-tpm
pam_attest_attestd_attestd_tpm_SOURCES = \
	%D%/attestd/tpm_child.c \
	%D%/attestd/tpm_count.c %D%/attestd/tpm_count.h \
	%D%/attestd/tpm_ek.c \
	%D%/attestd/tpm_esys.c %D%/attestd/tpm_esys.h
pam_attest_attestd_attestd_tpm_CPPFLAGS = $(PROTO_CPPFLAGS) $(TSS2_CFLAGS)
pam_attest_attestd_attestd_tpm_CFLAGS  = $(PIE_COMPILE)
pam_attest_attestd_attestd_tpm_LDFLAGS = $(PIE_LINK)
pam_attest_attestd_attestd_tpm_LDADD   = libproto.la $(TSS2_LIBS)
