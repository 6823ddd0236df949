# Fuzz targets: fuzz_x.c has LLVMFuzzerTestOneInput. In `make check` each runs over its seeds
# (seeds/x/*) and over every prefix of them; configured with --enable-fuzzers it is libFuzzer's.
if LIBFUZZER
FUZZ_MAIN =
FUZZ_LINK = $(AM_LDFLAGS) -fsanitize=fuzzer
else
FUZZ_MAIN = %D%/seeds.c
FUZZ_LINK = $(AM_LDFLAGS)
endif
EXTRA_DIST += %D%/seeds.c %D%/seeds
EXTRA_DIST += %D%/run.sh

# One test runs them all: for each folder seeds/x it wants a target fuzz_x.
dist_check_SCRIPTS += %D%/seeds.sh
TESTS += %D%/seeds.sh

check_PROGRAMS += %D%/fuzz_ipc
tests_fuzz_fuzz_ipc_SOURCES  = %D%/fuzz_ipc.c $(FUZZ_MAIN)
tests_fuzz_fuzz_ipc_CPPFLAGS = $(VERIFIERD_CPPFLAGS)
tests_fuzz_fuzz_ipc_LDFLAGS  = $(FUZZ_LINK)
tests_fuzz_fuzz_ipc_LDADD    = libipc.la

check_PROGRAMS += %D%/fuzz_evidence
tests_fuzz_fuzz_evidence_SOURCES  = %D%/fuzz_evidence.c $(FUZZ_MAIN)
tests_fuzz_fuzz_evidence_CPPFLAGS = $(PROTO_CPPFLAGS)
tests_fuzz_fuzz_evidence_LDFLAGS  = $(FUZZ_LINK)
tests_fuzz_fuzz_evidence_LDADD    = libproto.la

check_PROGRAMS += %D%/fuzz_quote
tests_fuzz_fuzz_quote_SOURCES  = %D%/fuzz_quote.c $(FUZZ_MAIN)
tests_fuzz_fuzz_quote_CPPFLAGS = $(PROTO_CPPFLAGS)
tests_fuzz_fuzz_quote_LDFLAGS  = $(FUZZ_LINK)
tests_fuzz_fuzz_quote_LDADD    = libproto.la

check_PROGRAMS += %D%/fuzz_prompt
tests_fuzz_fuzz_prompt_SOURCES  = %D%/fuzz_prompt.c $(FUZZ_MAIN)
tests_fuzz_fuzz_prompt_CPPFLAGS = $(PROMPT_CPPFLAGS)
tests_fuzz_fuzz_prompt_LDFLAGS  = $(FUZZ_LINK)
tests_fuzz_fuzz_prompt_LDADD    = libprompt.la

check_PROGRAMS += %D%/fuzz_api
tests_fuzz_fuzz_api_SOURCES  = %D%/fuzz_api.c $(FUZZ_MAIN)
tests_fuzz_fuzz_api_CPPFLAGS = $(PROTO_CPPFLAGS)
tests_fuzz_fuzz_api_LDFLAGS  = $(FUZZ_LINK)
tests_fuzz_fuzz_api_LDADD    = libproto.la

check_PROGRAMS += %D%/fuzz_result
tests_fuzz_fuzz_result_SOURCES  = %D%/fuzz_result.c $(FUZZ_MAIN)
tests_fuzz_fuzz_result_CPPFLAGS = $(PROTO_CPPFLAGS)
tests_fuzz_fuzz_result_LDFLAGS  = $(FUZZ_LINK)
tests_fuzz_fuzz_result_LDADD    = libproto.la

check_PROGRAMS += %D%/fuzz_record
tests_fuzz_fuzz_record_SOURCES  = %D%/fuzz_record.c $(FUZZ_MAIN)
tests_fuzz_fuzz_record_CPPFLAGS = $(AM_CPPFLAGS)
tests_fuzz_fuzz_record_LDFLAGS  = $(FUZZ_LINK)
tests_fuzz_fuzz_record_LDADD    = libbase.la

check_PROGRAMS += %D%/fuzz_lease
tests_fuzz_fuzz_lease_SOURCES  = %D%/fuzz_lease.c $(FUZZ_MAIN)
tests_fuzz_fuzz_lease_CPPFLAGS = $(AM_CPPFLAGS)
tests_fuzz_fuzz_lease_LDFLAGS  = $(FUZZ_LINK)
tests_fuzz_fuzz_lease_LDADD    = libbase.la

check_PROGRAMS += %D%/fuzz_diary
tests_fuzz_fuzz_diary_SOURCES  = %D%/fuzz_diary.c $(FUZZ_MAIN)
tests_fuzz_fuzz_diary_CPPFLAGS = $(ATTESTD_CPPFLAGS)
tests_fuzz_fuzz_diary_LDFLAGS  = $(FUZZ_LINK)
tests_fuzz_fuzz_diary_LDADD    = libattestd.la

check_PROGRAMS += %D%/fuzz_incidents
tests_fuzz_fuzz_incidents_SOURCES  = %D%/fuzz_incidents.c $(FUZZ_MAIN)
tests_fuzz_fuzz_incidents_CPPFLAGS = $(PROTO_CPPFLAGS)
tests_fuzz_fuzz_incidents_LDFLAGS  = $(FUZZ_LINK)
tests_fuzz_fuzz_incidents_LDADD    = libproto.la

check_PROGRAMS += %D%/fuzz_local
tests_fuzz_fuzz_local_SOURCES  = %D%/fuzz_local.c $(FUZZ_MAIN)
tests_fuzz_fuzz_local_CPPFLAGS = $(AM_CPPFLAGS)
tests_fuzz_fuzz_local_LDFLAGS  = $(FUZZ_LINK)
tests_fuzz_fuzz_local_LDADD    = libbase.la

check_PROGRAMS += %D%/fuzz_conf
tests_fuzz_fuzz_conf_SOURCES  = %D%/fuzz_conf.c $(FUZZ_MAIN)
tests_fuzz_fuzz_conf_CPPFLAGS = $(AM_CPPFLAGS)
tests_fuzz_fuzz_conf_LDFLAGS  = $(FUZZ_LINK)
tests_fuzz_fuzz_conf_LDADD    = libbase.la

check_PROGRAMS += %D%/fuzz_gate_conf
tests_fuzz_fuzz_gate_conf_SOURCES  = %D%/fuzz_gate_conf.c $(FUZZ_MAIN)
tests_fuzz_fuzz_gate_conf_CPPFLAGS = $(GATE_CPPFLAGS)
tests_fuzz_fuzz_gate_conf_LDFLAGS  = $(FUZZ_LINK)
tests_fuzz_fuzz_gate_conf_LDADD    = libgate.la

check_PROGRAMS += %D%/fuzz_endorsement
tests_fuzz_fuzz_endorsement_SOURCES  = %D%/fuzz_endorsement.c $(FUZZ_MAIN)
tests_fuzz_fuzz_endorsement_CPPFLAGS = $(VERIFIERD_CPPFLAGS)
tests_fuzz_fuzz_endorsement_LDFLAGS  = $(FUZZ_LINK)
tests_fuzz_fuzz_endorsement_LDADD    = libenroll.la

check_PROGRAMS += %D%/fuzz_eventlog
tests_fuzz_fuzz_eventlog_SOURCES  = %D%/fuzz_eventlog.c $(FUZZ_MAIN)
tests_fuzz_fuzz_eventlog_CPPFLAGS = $(POLICY_CPPFLAGS)
tests_fuzz_fuzz_eventlog_LDFLAGS  = $(FUZZ_LINK)
tests_fuzz_fuzz_eventlog_LDADD    = libpolicy.la

check_PROGRAMS += %D%/fuzz_imalog
tests_fuzz_fuzz_imalog_SOURCES  = %D%/fuzz_imalog.c $(FUZZ_MAIN)
tests_fuzz_fuzz_imalog_CPPFLAGS = $(POLICY_CPPFLAGS)
tests_fuzz_fuzz_imalog_LDFLAGS  = $(FUZZ_LINK)
tests_fuzz_fuzz_imalog_LDADD    = libpolicy.la

check_PROGRAMS += %D%/fuzz_reference
tests_fuzz_fuzz_reference_SOURCES  = %D%/fuzz_reference.c $(FUZZ_MAIN)
tests_fuzz_fuzz_reference_CPPFLAGS = $(POLICY_CPPFLAGS)
tests_fuzz_fuzz_reference_LDFLAGS  = $(FUZZ_LINK)
tests_fuzz_fuzz_reference_LDADD    = libpolicy.la

check_PROGRAMS += %D%/fuzz_import
tests_fuzz_fuzz_import_SOURCES  = %D%/fuzz_import.c $(FUZZ_MAIN)
tests_fuzz_fuzz_import_CPPFLAGS = $(POLICY_CPPFLAGS)
tests_fuzz_fuzz_import_LDFLAGS  = $(FUZZ_LINK)
tests_fuzz_fuzz_import_LDADD    = libpolicy.la

check_PROGRAMS += %D%/fuzz_policy
tests_fuzz_fuzz_policy_SOURCES  = %D%/fuzz_policy.c $(FUZZ_MAIN)
tests_fuzz_fuzz_policy_CPPFLAGS = $(POLICY_CPPFLAGS)
tests_fuzz_fuzz_policy_LDFLAGS  = $(FUZZ_LINK)
tests_fuzz_fuzz_policy_LDADD    = libpolicy.la

check_PROGRAMS += %D%/fuzz_framing
tests_fuzz_fuzz_framing_SOURCES  = %D%/fuzz_framing.c $(FUZZ_MAIN)
tests_fuzz_fuzz_framing_CPPFLAGS = $(VERIFIERD_CPPFLAGS)
tests_fuzz_fuzz_framing_LDFLAGS  = $(FUZZ_LINK)
tests_fuzz_fuzz_framing_LDADD    = libroutes.la

check_PROGRAMS += %D%/fuzz_pam_edit
tests_fuzz_fuzz_pam_edit_SOURCES  = %D%/fuzz_pam_edit.c $(FUZZ_MAIN)
tests_fuzz_fuzz_pam_edit_CPPFLAGS = $(STACK_CPPFLAGS)
tests_fuzz_fuzz_pam_edit_LDFLAGS  = $(FUZZ_LINK)
tests_fuzz_fuzz_pam_edit_LDADD    = libstack.la

check_PROGRAMS += %D%/fuzz_rescue
tests_fuzz_fuzz_rescue_SOURCES  = %D%/fuzz_rescue.c $(FUZZ_MAIN)
tests_fuzz_fuzz_rescue_CPPFLAGS = $(STACK_CPPFLAGS)
tests_fuzz_fuzz_rescue_LDFLAGS  = $(FUZZ_LINK)
tests_fuzz_fuzz_rescue_LDADD    = libstack.la

check_PROGRAMS += %D%/fuzz_sudoers
tests_fuzz_fuzz_sudoers_SOURCES  = %D%/fuzz_sudoers.c $(FUZZ_MAIN)
tests_fuzz_fuzz_sudoers_CPPFLAGS = $(DOCTOR_CPPFLAGS)
tests_fuzz_fuzz_sudoers_LDFLAGS  = $(FUZZ_LINK)
tests_fuzz_fuzz_sudoers_LDADD    = libdoctor.la libgate.la

check_PROGRAMS += %D%/fuzz_sshd_conf
tests_fuzz_fuzz_sshd_conf_SOURCES  = %D%/fuzz_sshd_conf.c $(FUZZ_MAIN)
tests_fuzz_fuzz_sshd_conf_CPPFLAGS = $(DOCTOR_CPPFLAGS)
tests_fuzz_fuzz_sshd_conf_LDFLAGS  = $(FUZZ_LINK)
tests_fuzz_fuzz_sshd_conf_LDADD    = libdoctor.la libgate.la

check_PROGRAMS += %D%/fuzz_groups
tests_fuzz_fuzz_groups_SOURCES  = %D%/fuzz_groups.c $(FUZZ_MAIN)
tests_fuzz_fuzz_groups_CPPFLAGS = $(DOCTOR_CPPFLAGS)
tests_fuzz_fuzz_groups_LDFLAGS  = $(FUZZ_LINK)
tests_fuzz_fuzz_groups_LDADD    = libdoctor.la libgate.la

check_PROGRAMS += %D%/fuzz_stack
tests_fuzz_fuzz_stack_SOURCES  = %D%/fuzz_stack.c $(FUZZ_MAIN)
tests_fuzz_fuzz_stack_CPPFLAGS = $(STACK_CPPFLAGS)
tests_fuzz_fuzz_stack_LDFLAGS  = $(FUZZ_LINK)
tests_fuzz_fuzz_stack_LDADD    = libstack.la

check_PROGRAMS += %D%/fuzz_routes
tests_fuzz_fuzz_routes_SOURCES  = %D%/fuzz_routes.c $(FUZZ_MAIN)
tests_fuzz_fuzz_routes_CPPFLAGS = $(VERIFIERD_CPPFLAGS)
tests_fuzz_fuzz_routes_LDFLAGS  = $(FUZZ_LINK)
tests_fuzz_fuzz_routes_LDADD    = libroutes.la

check_PROGRAMS += %D%/fuzz_challenge
tests_fuzz_fuzz_challenge_SOURCES  = %D%/fuzz_challenge.c $(FUZZ_MAIN)
tests_fuzz_fuzz_challenge_CPPFLAGS = $(PROTO_CPPFLAGS)
tests_fuzz_fuzz_challenge_LDFLAGS  = $(FUZZ_LINK)
tests_fuzz_fuzz_challenge_LDADD    = libproto.la

check_PROGRAMS += %D%/fuzz_accounts
tests_fuzz_fuzz_accounts_SOURCES  = %D%/fuzz_accounts.c $(FUZZ_MAIN)
tests_fuzz_fuzz_accounts_CPPFLAGS = $(GATE_CPPFLAGS)
tests_fuzz_fuzz_accounts_LDFLAGS  = $(FUZZ_LINK)
tests_fuzz_fuzz_accounts_LDADD    = libgate.la

check_PROGRAMS += %D%/fuzz_serve
tests_fuzz_fuzz_serve_SOURCES  = %D%/fuzz_serve.c $(FUZZ_MAIN)
tests_fuzz_fuzz_serve_CPPFLAGS = $(ATTESTD_CPPFLAGS)
tests_fuzz_fuzz_serve_LDFLAGS  = $(FUZZ_LINK)
tests_fuzz_fuzz_serve_LDADD    = libattestd.la

check_PROGRAMS += %D%/fuzz_tpm
tests_fuzz_fuzz_tpm_SOURCES  = %D%/fuzz_tpm.c $(FUZZ_MAIN)
tests_fuzz_fuzz_tpm_CPPFLAGS = $(ATTESTD_CPPFLAGS)
tests_fuzz_fuzz_tpm_LDFLAGS  = $(FUZZ_LINK)
tests_fuzz_fuzz_tpm_LDADD    = libattestd.la
