# main, net, core, parse, judge and verifierctl: one executable a role.
VERIFIERD_CPPFLAGS = $(POLICY_CPPFLAGS) -I$(srcdir)/verifierd -I$(srcdir)/common/sandbox

# ipc: what every role has of the channel to the others, and how a role starts.
noinst_LTLIBRARIES += libipc.la
libipc_la_SOURCES = \
	%D%/address.c %D%/address.h \
	%D%/ipc.c %D%/ipc.h \
	%D%/ipc_pack.c \
	%D%/options.c %D%/options.h \
	%D%/parts.c %D%/parts.h \
	%D%/roles.c %D%/roles.h
libipc_la_CPPFLAGS = $(VERIFIERD_CPPFLAGS) -DSYSCONFDIR='"$(sysconfdir)"'
libipc_la_LIBADD   = libbase.la

# sandbox: of every role but main.
noinst_LTLIBRARIES += libconfine.la
libconfine_la_SOURCES  = %D%/sandbox.c %D%/sandbox.h
libconfine_la_CPPFLAGS = $(VERIFIERD_CPPFLAGS) $(CRYPTO_CFLAGS)
libconfine_la_LIBADD   = libipc.la libsandbox.la $(CRYPTO_LIBS)

# enroll: is a TPM genuine, of parse; a credential that it alone can open, of core.
noinst_LTLIBRARIES += libenroll.la
libenroll_la_SOURCES = \
	%D%/credential.c %D%/credential.h \
	%D%/endorsement.c %D%/endorsement.h
libenroll_la_CPPFLAGS = $(VERIFIERD_CPPFLAGS) $(CRYPTO_CFLAGS)
libenroll_la_LIBADD   = libproto.la $(CRYPTO_LIBS)

# store: of core and setup alone. SQLite is known to store_sqlite.c alone.
noinst_LTLIBRARIES += libstore.la
libstore_la_SOURCES = \
	%D%/keys.c %D%/keys.h \
	%D%/store.h %D%/store_sql.h %D%/store_sqlite.c
libstore_la_CPPFLAGS = $(VERIFIERD_CPPFLAGS) $(SQLITE_CFLAGS)
libstore_la_LIBADD   = libproto.la $(SQLITE_LIBS)

# net: libevent and libssl are known to it alone.
noinst_LTLIBRARIES += libroutes.la
libroutes_la_SOURCES = \
	%D%/framing.c %D%/framing.h \
	%D%/proxy_header.c %D%/proxy_header.h \
	%D%/routes.c %D%/routes.h
libroutes_la_CPPFLAGS = $(VERIFIERD_CPPFLAGS)
libroutes_la_LIBADD   = libipc.la libproto.la
pkglibexec_PROGRAMS += %D%/verifierd-net
verifierd_verifierd_net_SOURCES  = %D%/net.c %D%/conn.c %D%/conn.h %D%/http.c %D%/http.h
verifierd_verifierd_net_CPPFLAGS = $(VERIFIERD_CPPFLAGS) $(EVENT_CFLAGS) $(SSL_CFLAGS)
verifierd_verifierd_net_CFLAGS   = $(PIE_COMPILE)
verifierd_verifierd_net_LDFLAGS  = $(PIE_LINK)
verifierd_verifierd_net_LDADD    = libconfine.la libroutes.la $(EVENT_LIBS) $(SSL_LIBS) $(CRYPTO_LIBS)

# pki: of setup alone.
noinst_LTLIBRARIES += libpki.la
libpki_la_SOURCES  = %D%/pki.c %D%/pki.h
libpki_la_CPPFLAGS = $(VERIFIERD_CPPFLAGS) $(CRYPTO_CFLAGS)
libpki_la_LIBADD   = libbase.la $(CRYPTO_LIBS)

# main holds no key and reads no input, and links accordingly.
sbin_PROGRAMS += %D%/verifierd
verifierd_verifierd_SOURCES  = %D%/main.c %D%/listen.c %D%/listen.h %D%/notify.c %D%/notify.h
verifierd_verifierd_CPPFLAGS = $(VERIFIERD_CPPFLAGS) \
	-DSYSCONFDIR='"$(sysconfdir)"' -DSBINDIR='"$(sbindir)"' -DPKGLIBEXECDIR='"$(pkglibexecdir)"'
verifierd_verifierd_CFLAGS  = $(PIE_COMPILE)
verifierd_verifierd_LDFLAGS = $(PIE_LINK)
verifierd_verifierd_LDADD   = libipc.la libsandbox.la libbase.la

# core links policy for the packed form of verdicts alone: it judges nothing.
pkglibexec_PROGRAMS += %D%/verifierd-core
verifierd_verifierd_core_SOURCES = \
	%D%/audit.c %D%/audit.h \
	%D%/channels.c \
	%D%/commit.c \
	%D%/core.c %D%/core.h \
	%D%/core_admin.c \
	%D%/core_allow.c \
	%D%/core_enrol.c \
	%D%/core_events.c \
	%D%/core_explain.c \
	%D%/core_gateways.c \
	%D%/core_evidence.c %D%/evidence_job.h \
	%D%/core_ima.c \
	%D%/core_lease.c \
	%D%/core_import.c \
	%D%/core_groups.c \
	%D%/core_hosts.c \
	%D%/core_policy.c \
	%D%/core_quorum.c \
	%D%/core_sets.c \
	%D%/ek_roots.c \
	%D%/explain.c \
	%D%/gathered.c %D%/gathered.h \
	%D%/ima_walks.c %D%/ima_walks.h \
	%D%/jobs.c \
	%D%/logs.c %D%/logs.h \
	%D%/memo.c %D%/memo.h \
	%D%/what_if.c %D%/what_if.h \
	%D%/workers.c
verifierd_verifierd_core_CPPFLAGS = $(VERIFIERD_CPPFLAGS)
verifierd_verifierd_core_CFLAGS   = $(PIE_COMPILE)
verifierd_verifierd_core_LDFLAGS  = $(PIE_LINK)
verifierd_verifierd_core_LDADD    = libconfine.la libstore.la libenroll.la libipc.la libpolicy.la

pkglibexec_PROGRAMS += %D%/verifierd-parse
verifierd_verifierd_parse_SOURCES  = %D%/parse.c %D%/worker.c %D%/worker.h
verifierd_verifierd_parse_CPPFLAGS = $(VERIFIERD_CPPFLAGS)
verifierd_verifierd_parse_CFLAGS   = $(PIE_COMPILE)
verifierd_verifierd_parse_LDFLAGS  = $(PIE_LINK)
verifierd_verifierd_parse_LDADD    = libconfine.la libenroll.la libipc.la libpolicy.la

pkglibexec_PROGRAMS += %D%/verifierd-judge
verifierd_verifierd_judge_SOURCES  = %D%/judge.c %D%/judge_ima.c %D%/judge_ima.h %D%/worker.c %D%/worker.h
verifierd_verifierd_judge_CPPFLAGS = $(VERIFIERD_CPPFLAGS)
verifierd_verifierd_judge_CFLAGS   = $(PIE_COMPILE)
verifierd_verifierd_judge_LDFLAGS  = $(PIE_LINK)
verifierd_verifierd_judge_LDADD    = libconfine.la libipc.la libpolicy.la

pkglibexec_PROGRAMS += %D%/verifierd-setup
verifierd_verifierd_setup_SOURCES  = %D%/setup.c
verifierd_verifierd_setup_CPPFLAGS = $(VERIFIERD_CPPFLAGS)
verifierd_verifierd_setup_CFLAGS   = $(PIE_COMPILE)
verifierd_verifierd_setup_LDFLAGS  = $(PIE_LINK)
verifierd_verifierd_setup_LDADD    = libconfine.la libpki.la libstore.la libipc.la

# verifierctl: libcurl for the admin socket; never the store.
bin_PROGRAMS += %D%/verifierctl/verifierctl
verifierd_verifierctl_verifierctl_SOURCES = \
	%D%/verifierctl/api_client.c %D%/verifierctl/api_client.h \
	%D%/verifierctl/args.c %D%/verifierctl/args.h \
	%D%/verifierctl/complete.c %D%/verifierctl/complete.h \
	%D%/verifierctl/cmd_gateways.c \
	%D%/verifierctl/cmd_groups.c \
	%D%/verifierctl/cmd_hosts.c \
	%D%/verifierctl/cmd_inspect.c \
	%D%/verifierctl/cmd_leases.c \
	%D%/verifierctl/cmd_allow.c \
	%D%/verifierctl/cmd_policies.c \
	%D%/verifierctl/cmd_references.c \
	%D%/verifierctl/import_text.c %D%/verifierctl/import_text.h \
	%D%/verifierctl/cmd_reports.c \
	%D%/verifierctl/cmd_server.c \
	%D%/verifierctl/inspect.h \
	%D%/verifierctl/inspect_allow.c \
	%D%/verifierctl/inspect_eventlog.c \
	%D%/verifierctl/inspect_ima.c \
	%D%/verifierctl/inspect_quote.c \
	%D%/verifierctl/inspect_replay.c \
	%D%/verifierctl/inspect_result.c \
	%D%/verifierctl/main.c \
	%D%/verifierctl/show.c %D%/verifierctl/show.h \
	%D%/verifierctl/vectors.c %D%/verifierctl/vectors.h \
	%D%/verifierctl/verifierctl.h
verifierd_verifierctl_verifierctl_CPPFLAGS = $(VERIFIERD_CPPFLAGS) $(CURL_CFLAGS) $(CRYPTO_CFLAGS)
verifierd_verifierctl_verifierctl_CFLAGS  = $(PIE_COMPILE)
verifierd_verifierctl_verifierctl_LDFLAGS = $(PIE_LINK)
verifierd_verifierctl_verifierctl_LDADD   = libipc.la libpolicy.la $(CURL_LIBS) $(CRYPTO_LIBS)
