# policy: pure functions on evidence. No files, sockets, clock or globals.
POLICY_CPPFLAGS = $(PROTO_CPPFLAGS) -I$(srcdir)/policy
noinst_LTLIBRARIES += libpolicy.la
libpolicy_la_SOURCES = \
	%D%/appraise.h \
	%D%/eventlog.h \
	%D%/finding.h \
	%D%/reference.h
libpolicy_la_CPPFLAGS = $(POLICY_CPPFLAGS)
libpolicy_la_LIBADD   = libproto.la
