# policy: pure functions on evidence. No files, sockets, clock or globals, but for constants that grubenv.c works out once.
POLICY_CPPFLAGS = $(PROTO_CPPFLAGS) -I$(srcdir)/policy
noinst_LTLIBRARIES += libpolicy.la
libpolicy_la_SOURCES = \
	%D%/allow_import.c \
	%D%/allow_list.c %D%/allow_list.h \
	%D%/appraise.c %D%/appraise.h \
	%D%/boot_aggregate.c %D%/boot_aggregate.h \
	%D%/bound_text.c %D%/bound_text.h \
	%D%/cel.c \
	%D%/cel_json.c \
	%D%/cert_name.c %D%/cert_name.h \
	%D%/check_ima.c %D%/check_ima.h \
	%D%/check_quote.c \
	%D%/check_replay.c \
	%D%/check_values.c \
	%D%/claims.c %D%/claims.h \
	%D%/cmdline.c %D%/cmdline.h \
	%D%/cmdline_rules.c %D%/cmdline_rules.h \
	%D%/composite.c %D%/composite.h \
	%D%/diff.c %D%/diff.h %D%/diff_change.h \
	%D%/diff_class.c \
	%D%/diff_keys.c \
	%D%/diff_words.c \
	%D%/efi.c %D%/efi.h \
	%D%/eventlog.c %D%/eventlog.h \
	%D%/eventlog_pack.c \
	%D%/facts.c %D%/facts.h %D%/facts_read.h \
	%D%/facts_chain.c \
	%D%/facts_json.c %D%/facts_json.h \
	%D%/facts_secure_boot.c \
	%D%/finding.c %D%/finding.h \
	%D%/grubenv.c %D%/grubenv.h \
	%D%/ima_judge.c %D%/ima_judge.h \
	%D%/ima_rules.c %D%/ima_rules.h \
	%D%/ima_rules_json.c \
	%D%/ima_signature.c %D%/ima_signature.h \
	%D%/ima_state.c \
	%D%/ima_template.c %D%/ima_template.h \
	%D%/imalog.c %D%/imalog.h \
	%D%/keylime_boot.c \
	%D%/log_parser.h \
	%D%/match.c %D%/match.h \
	%D%/name_version.c %D%/name_version.h \
	%D%/nearest.c %D%/nearest.h \
	%D%/packed_text.c %D%/packed_text.h \
	%D%/pattern.c \
	%D%/pcrlock.c \
	%D%/policy.c %D%/policy.h \
	%D%/policy_json.c %D%/policy_json.h \
	%D%/reference.c %D%/reference.h \
	%D%/reference_json.c %D%/reference_json.h \
	%D%/replay.c \
	%D%/rules.c %D%/rules.h \
	%D%/set_import.c %D%/set_import.h \
	%D%/tails.c %D%/tails.h \
	%D%/tpms.c %D%/tpms.h \
	%D%/verdict.c %D%/verdict.h \
	%D%/words.c %D%/words.h
libpolicy_la_CPPFLAGS = $(POLICY_CPPFLAGS) $(CRYPTO_CFLAGS)
libpolicy_la_LIBADD   = libproto.la

# What the files that people write look like, for their editors.
dist_pkgdata_DATA = %D%/policy.schema.json %D%/reference.schema.json
