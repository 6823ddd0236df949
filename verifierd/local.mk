# main, net, core, parse, judge and verifierctl: one executable a role.
VERIFIERD_CPPFLAGS = $(POLICY_CPPFLAGS) -I$(srcdir)/verifierd

# ipc: what every role has of the channel to the others.
noinst_LTLIBRARIES += libipc.la
libipc_la_SOURCES = \
	%D%/credential.h \
	%D%/endorsement.h \
	%D%/ipc.c %D%/ipc.h \
	%D%/ipc_pack.c
libipc_la_CPPFLAGS = $(VERIFIERD_CPPFLAGS)
libipc_la_LIBADD   = libbase.la
