# base: libc only. It is linked into modules that run inside sshd and login.
noinst_LTLIBRARIES += libbase.la
libbase_la_SOURCES = \
	%D%/base/access.c %D%/base/access.h \
	%D%/base/clock.c %D%/base/clock.h \
	%D%/base/conf.c %D%/base/conf.h \
	%D%/base/confine.c %D%/base/confine.h \
	%D%/base/crockford.c %D%/base/crockford.h \
	%D%/base/error.c %D%/base/error.h \
	%D%/base/file.c %D%/base/file.h \
	%D%/base/hex.c %D%/base/hex.h \
	%D%/base/ima_record.c %D%/base/ima_record.h \
	%D%/base/journal.c %D%/base/journal.h \
	%D%/base/lease.c %D%/base/lease.h \
	%D%/base/local.c %D%/base/local.h \
	%D%/base/log.c %D%/base/log.h \
	%D%/base/message_id.h \
	%D%/base/plain.c %D%/base/plain.h \
	%D%/base/reader.c %D%/base/reader.h \
	%D%/base/reason.c %D%/base/reason.h \
	%D%/base/record.c %D%/base/record.h \
	%D%/base/ref.c %D%/base/ref.h \
	%D%/base/scope.h \
	%D%/base/writer.c %D%/base/writer.h
# A module takes only the functions that it calls: no log, no allocation comes along.
libbase_la_CFLAGS = $(AM_CFLAGS) -ffunction-sections -fdata-sections

# proto: what host and verifier say to each other. libcrypto and json-c, nothing else.
PROTO_CPPFLAGS = $(AM_CPPFLAGS) -I$(srcdir)/common/proto
noinst_LTLIBRARIES += libproto.la
libproto_la_SOURCES = \
	%D%/proto/api.c %D%/proto/api.h \
	%D%/proto/bank.c \
	%D%/proto/challenge.c %D%/proto/challenge.h \
	%D%/proto/digest.c %D%/proto/digest.h \
	%D%/proto/evidence.c %D%/proto/evidence.h \
	%D%/proto/incidents.c %D%/proto/incidents.h \
	%D%/proto/json.c %D%/proto/json.h \
	%D%/proto/orders.c %D%/proto/orders.h \
	%D%/proto/recovery.c %D%/proto/recovery.h \
	%D%/proto/result.c %D%/proto/result.h \
	%D%/proto/sign.c %D%/proto/sign.h \
	%D%/proto/tpm_key.c \
	%D%/proto/tpm_types.c %D%/proto/tpm_types.h
libproto_la_CPPFLAGS = $(PROTO_CPPFLAGS) $(CRYPTO_CFLAGS) $(JSON_CFLAGS)
libproto_la_LIBADD   = libbase.la $(CRYPTO_LIBS) $(JSON_LIBS)

# sandbox: what a daemon gives up. libseccomp; never linked into a module.
noinst_LTLIBRARIES += libsandbox.la
libsandbox_la_SOURCES = \
	%D%/sandbox/kernel.c %D%/sandbox/kernel.h \
	%D%/sandbox/landlock.c %D%/sandbox/landlock.h \
	%D%/sandbox/programs.c %D%/sandbox/programs.h \
	%D%/sandbox/syscalls.c %D%/sandbox/syscalls.h
SANDBOX_CPPFLAGS = $(AM_CPPFLAGS) -I$(srcdir)/common/sandbox
libsandbox_la_CPPFLAGS = $(SANDBOX_CPPFLAGS) $(SECCOMP_CFLAGS)
libsandbox_la_LIBADD   = libbase.la $(SECCOMP_LIBS)
