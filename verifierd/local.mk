# main, net, core, parse, judge and verifierctl: one executable a role.
VERIFIERD_CPPFLAGS = $(POLICY_CPPFLAGS) -I$(srcdir)/verifierd

# ipc: what every role has of the channel to the others, and how a role starts.
noinst_LTLIBRARIES += libipc.la
libipc_la_SOURCES = \
	%D%/ipc.c %D%/ipc.h \
	%D%/ipc_pack.c \
	%D%/options.c %D%/options.h \
	%D%/parts.c %D%/parts.h \
	%D%/roles.c %D%/roles.h
libipc_la_CPPFLAGS = $(VERIFIERD_CPPFLAGS) -DSYSCONFDIR='"$(sysconfdir)"'
libipc_la_LIBADD   = libbase.la

# enroll: is a TPM genuine, of parse; a credential that it alone can open, of core.
noinst_LTLIBRARIES += libenroll.la
libenroll_la_SOURCES = \
	%D%/credential.c %D%/credential.h \
	%D%/endorsement.c %D%/endorsement.h
libenroll_la_CPPFLAGS = $(VERIFIERD_CPPFLAGS) $(CRYPTO_CFLAGS)
libenroll_la_LIBADD   = libproto.la $(CRYPTO_LIBS)

# store: of core and setup alone. SQLite is known to store_sqlite.c alone.
noinst_LTLIBRARIES += libstore.la
libstore_la_SOURCES  = %D%/store.h %D%/store_sql.h %D%/store_sqlite.c
libstore_la_CPPFLAGS = $(VERIFIERD_CPPFLAGS) $(SQLITE_CFLAGS)
libstore_la_LIBADD   = libproto.la $(SQLITE_LIBS)

# net: libevent and libssl are known to it alone.
noinst_LTLIBRARIES += libroutes.la
libroutes_la_SOURCES  = %D%/routes.c %D%/routes.h
libroutes_la_CPPFLAGS = $(VERIFIERD_CPPFLAGS)
libroutes_la_LIBADD   = libipc.la libproto.la
pkglibexec_PROGRAMS += %D%/verifierd-net
verifierd_verifierd_net_SOURCES  = %D%/net.c %D%/http.c %D%/http.h
verifierd_verifierd_net_CPPFLAGS = $(VERIFIERD_CPPFLAGS) $(EVENT_CFLAGS) $(SSL_CFLAGS)
verifierd_verifierd_net_CFLAGS   = $(PIE_COMPILE)
verifierd_verifierd_net_LDFLAGS  = $(PIE_LINK)
verifierd_verifierd_net_LDADD    = libroutes.la $(EVENT_LIBS) $(SSL_LIBS) $(CRYPTO_LIBS)

# pki: of setup alone.
noinst_LTLIBRARIES += libpki.la
libpki_la_SOURCES  = %D%/pki.c %D%/pki.h
libpki_la_CPPFLAGS = $(VERIFIERD_CPPFLAGS) $(CRYPTO_CFLAGS)
libpki_la_LIBADD   = libbase.la $(CRYPTO_LIBS)
