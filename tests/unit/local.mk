# Unit tables, one check_x.c for each x.c. UNIT_LIBS brings the runner and what every test has.
if HAVE_CHECK
check_LTLIBRARIES += libunit.la
libunit_la_SOURCES  = %D%/unit.c %D%/unit.h
libunit_la_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
libunit_la_LIBADD   = libbase.la $(CHECK_LIBS)
UNIT_CPPFLAGS = $(POLICY_CPPFLAGS) -I$(srcdir)/%D% $(CHECK_CFLAGS)

check_PROGRAMS += %D%/check_reader
TESTS += %D%/check_reader
tests_unit_check_reader_SOURCES  = %D%/check_reader.c
tests_unit_check_reader_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_check_reader_LDADD    = libunit.la

check_PROGRAMS += %D%/check_lease
TESTS += %D%/check_lease
tests_unit_check_lease_SOURCES  = %D%/check_lease.c
tests_unit_check_lease_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_check_lease_LDADD    = libunit.la

check_PROGRAMS += %D%/check_orders
TESTS += %D%/check_orders
tests_unit_check_orders_SOURCES  = %D%/check_orders.c
tests_unit_check_orders_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_check_orders_LDADD    = libunit.la libproto.la

check_PROGRAMS += %D%/check_ima_record
TESTS += %D%/check_ima_record
tests_unit_check_ima_record_SOURCES  = %D%/check_ima_record.c
tests_unit_check_ima_record_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_check_ima_record_LDADD    = libunit.la

check_PROGRAMS += %D%/check_framing
TESTS += %D%/check_framing
tests_unit_check_framing_SOURCES  = %D%/check_framing.c
tests_unit_check_framing_CPPFLAGS = $(UNIT_CPPFLAGS) $(VERIFIERD_CPPFLAGS)
tests_unit_check_framing_LDADD    = libunit.la libroutes.la

check_PROGRAMS += %D%/check_proxy_header
TESTS += %D%/check_proxy_header
tests_unit_check_proxy_header_SOURCES  = %D%/check_proxy_header.c
tests_unit_check_proxy_header_CPPFLAGS = $(UNIT_CPPFLAGS) $(VERIFIERD_CPPFLAGS)
tests_unit_check_proxy_header_LDADD    = libunit.la libroutes.la

check_PROGRAMS += %D%/check_ipc
TESTS += %D%/check_ipc
tests_unit_check_ipc_SOURCES  = %D%/check_ipc.c
tests_unit_check_ipc_CPPFLAGS = $(UNIT_CPPFLAGS) $(VERIFIERD_CPPFLAGS)
tests_unit_check_ipc_LDADD    = libunit.la libipc.la

check_PROGRAMS += %D%/check_doctor
TESTS += %D%/check_doctor
tests_unit_check_doctor_SOURCES  = %D%/check_doctor.c
tests_unit_check_doctor_CPPFLAGS = $(UNIT_CPPFLAGS) $(DOCTOR_CPPFLAGS)
tests_unit_check_doctor_LDADD    = libunit.la libdoctor.la libgate.la

check_PROGRAMS += %D%/check_stack
TESTS += %D%/check_stack
tests_unit_check_stack_SOURCES  = %D%/check_stack.c
tests_unit_check_stack_CPPFLAGS = $(UNIT_CPPFLAGS) $(STACK_CPPFLAGS)
tests_unit_check_stack_LDADD    = libunit.la libstack.la

check_PROGRAMS += %D%/check_rescue
TESTS += %D%/check_rescue
tests_unit_check_rescue_SOURCES  = %D%/check_rescue.c
tests_unit_check_rescue_CPPFLAGS = $(UNIT_CPPFLAGS) $(STACK_CPPFLAGS)
tests_unit_check_rescue_LDADD    = libunit.la libstack.la

check_PROGRAMS += %D%/check_digest
TESTS += %D%/check_digest
tests_unit_check_digest_SOURCES  = %D%/check_digest.c
tests_unit_check_digest_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_check_digest_LDADD    = libunit.la libproto.la

check_PROGRAMS += %D%/check_json
TESTS += %D%/check_json
tests_unit_check_json_SOURCES  = %D%/check_json.c
tests_unit_check_json_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_check_json_LDADD    = libunit.la libproto.la

check_PROGRAMS += %D%/check_tpm_types
TESTS += %D%/check_tpm_types
tests_unit_check_tpm_types_SOURCES  = %D%/check_tpm_types.c
tests_unit_check_tpm_types_CPPFLAGS = $(UNIT_CPPFLAGS) $(CRYPTO_CFLAGS)
tests_unit_check_tpm_types_LDADD    = libunit.la libproto.la $(CRYPTO_LIBS)

check_PROGRAMS += %D%/check_evidence
TESTS += %D%/check_evidence
tests_unit_check_evidence_SOURCES  = %D%/check_evidence.c
tests_unit_check_evidence_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_check_evidence_LDADD    = libunit.la libproto.la

check_PROGRAMS += %D%/check_challenge
TESTS += %D%/check_challenge
tests_unit_check_challenge_SOURCES  = %D%/check_challenge.c
tests_unit_check_challenge_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_check_challenge_LDADD    = libunit.la libproto.la

check_PROGRAMS += %D%/check_credential
TESTS += %D%/check_credential
tests_unit_check_credential_SOURCES  = %D%/check_credential.c
tests_unit_check_credential_CPPFLAGS = $(UNIT_CPPFLAGS) $(VERIFIERD_CPPFLAGS) $(CRYPTO_CFLAGS)
tests_unit_check_credential_LDADD    = libunit.la libenroll.la $(CRYPTO_LIBS)

check_PROGRAMS += %D%/check_endorsement
TESTS += %D%/check_endorsement
tests_unit_check_endorsement_SOURCES  = %D%/check_endorsement.c
tests_unit_check_endorsement_CPPFLAGS = $(UNIT_CPPFLAGS) $(VERIFIERD_CPPFLAGS) $(CRYPTO_CFLAGS)
tests_unit_check_endorsement_LDADD    = libunit.la libenroll.la $(CRYPTO_LIBS)

check_PROGRAMS += %D%/check_sign
TESTS += %D%/check_sign
tests_unit_check_sign_SOURCES  = %D%/check_sign.c %D%/forge.c %D%/forge.h
tests_unit_check_sign_CPPFLAGS = $(UNIT_CPPFLAGS) $(CRYPTO_CFLAGS)
tests_unit_check_sign_LDADD    = libunit.la libproto.la $(CRYPTO_LIBS)

check_PROGRAMS += %D%/check_result
TESTS += %D%/check_result
tests_unit_check_result_SOURCES  = %D%/check_result.c %D%/forge.c %D%/forge.h
tests_unit_check_result_CPPFLAGS = $(UNIT_CPPFLAGS) $(CRYPTO_CFLAGS)
tests_unit_check_result_LDADD    = libunit.la libproto.la $(CRYPTO_LIBS)

check_PROGRAMS += %D%/check_pki
TESTS += %D%/check_pki
tests_unit_check_pki_SOURCES  = %D%/check_pki.c
tests_unit_check_pki_CPPFLAGS = $(UNIT_CPPFLAGS) $(VERIFIERD_CPPFLAGS) $(CRYPTO_CFLAGS)
tests_unit_check_pki_LDADD    = libunit.la libpki.la

check_PROGRAMS += %D%/check_routes
TESTS += %D%/check_routes
tests_unit_check_routes_SOURCES  = %D%/check_routes.c
tests_unit_check_routes_CPPFLAGS = $(UNIT_CPPFLAGS) $(VERIFIERD_CPPFLAGS)
tests_unit_check_routes_LDADD    = libunit.la libroutes.la

check_PROGRAMS += %D%/check_net
TESTS += %D%/check_net
tests_unit_check_net_SOURCES  = %D%/check_net.c %D%/net_lab.c %D%/net_lab.h
tests_unit_check_net_CPPFLAGS = $(UNIT_CPPFLAGS) $(VERIFIERD_CPPFLAGS) $(SSL_CFLAGS) $(CRYPTO_CFLAGS)
tests_unit_check_net_LDADD    = libunit.la libpki.la libipc.la libproto.la $(SSL_LIBS) $(CRYPTO_LIBS)

check_PROGRAMS += %D%/check_connections
TESTS += %D%/check_connections
tests_unit_check_connections_SOURCES  = %D%/check_connections.c %D%/net_lab.c %D%/net_lab.h
tests_unit_check_connections_CPPFLAGS = $(UNIT_CPPFLAGS) $(VERIFIERD_CPPFLAGS) $(SSL_CFLAGS) $(CRYPTO_CFLAGS)
tests_unit_check_connections_LDADD    = libunit.la libpki.la libipc.la libproto.la $(SSL_LIBS) $(CRYPTO_LIBS)

check_PROGRAMS += %D%/check_api
TESTS += %D%/check_api
tests_unit_check_api_SOURCES  = %D%/check_api.c
tests_unit_check_api_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_check_api_LDADD    = libunit.la libproto.la
# Appraisal: made and recorded logs and quotes.
EXTRA_DIST += tests/data
check_LTLIBRARIES += libmade.la
libmade_la_SOURCES  = %D%/made_ima.c %D%/made_ima.h %D%/made_log.c %D%/made_log.h
libmade_la_CPPFLAGS = $(UNIT_CPPFLAGS)
libmade_la_LIBADD   = libunit.la libpolicy.la
check_PROGRAMS += %D%/check_eventlog
TESTS += %D%/check_eventlog
tests_unit_check_eventlog_SOURCES  = %D%/check_eventlog.c
tests_unit_check_eventlog_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_check_eventlog_LDADD    = libmade.la
check_PROGRAMS += %D%/check_cel
TESTS += %D%/check_cel
tests_unit_check_cel_SOURCES  = %D%/check_cel.c
tests_unit_check_cel_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_check_cel_LDADD    = libmade.la
check_PROGRAMS += %D%/check_allow_list
TESTS += %D%/check_allow_list
tests_unit_check_allow_list_SOURCES  = %D%/check_allow_list.c
tests_unit_check_allow_list_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_check_allow_list_LDADD    = libmade.la
check_PROGRAMS += %D%/check_ima_rules
TESTS += %D%/check_ima_rules
tests_unit_check_ima_rules_SOURCES  = %D%/check_ima_rules.c
tests_unit_check_ima_rules_CPPFLAGS = $(UNIT_CPPFLAGS) $(CRYPTO_CFLAGS)
tests_unit_check_ima_rules_LDADD    = libmade.la $(CRYPTO_LIBS)
check_PROGRAMS += %D%/check_ima
TESTS += %D%/check_ima
tests_unit_check_ima_SOURCES  = %D%/check_ima.c
tests_unit_check_ima_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_check_ima_LDADD    = libmade.la
check_PROGRAMS += %D%/check_imalog
TESTS += %D%/check_imalog
tests_unit_check_imalog_SOURCES  = %D%/check_imalog.c
tests_unit_check_imalog_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_check_imalog_LDADD    = libmade.la
check_PROGRAMS += %D%/check_reference
TESTS += %D%/check_reference
tests_unit_check_reference_SOURCES  = %D%/check_reference.c
tests_unit_check_reference_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_check_reference_LDADD    = libmade.la

check_PROGRAMS += %D%/check_reference_json
TESTS += %D%/check_reference_json
tests_unit_check_reference_json_SOURCES  = %D%/check_reference_json.c
tests_unit_check_reference_json_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_check_reference_json_LDADD    = libmade.la

check_PROGRAMS += %D%/check_import
TESTS += %D%/check_import
tests_unit_check_import_SOURCES  = %D%/check_import.c
tests_unit_check_import_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_check_import_LDADD    = libmade.la

check_PROGRAMS += %D%/check_policy
TESTS += %D%/check_policy
tests_unit_check_policy_SOURCES  = %D%/check_policy.c
tests_unit_check_policy_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_check_policy_LDADD    = libmade.la

check_PROGRAMS += %D%/check_rules
TESTS += %D%/check_rules
tests_unit_check_rules_SOURCES  = %D%/check_rules.c
tests_unit_check_rules_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_check_rules_LDADD    = libmade.la

check_PROGRAMS += %D%/check_record
TESTS += %D%/check_record
tests_unit_check_record_SOURCES  = %D%/check_record.c
tests_unit_check_record_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_check_record_LDADD    = libunit.la

check_PROGRAMS += %D%/check_file
TESTS += %D%/check_file
tests_unit_check_file_SOURCES  = %D%/check_file.c
tests_unit_check_file_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_check_file_LDADD    = libunit.la

check_PROGRAMS += %D%/check_conf
TESTS += %D%/check_conf
tests_unit_check_conf_SOURCES  = %D%/check_conf.c
tests_unit_check_conf_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_check_conf_LDADD    = libunit.la

check_PROGRAMS += %D%/check_local
TESTS += %D%/check_local
tests_unit_check_local_SOURCES  = %D%/check_local.c
tests_unit_check_local_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_check_local_LDADD    = libunit.la

check_PROGRAMS += %D%/check_gate_conf
TESTS += %D%/check_gate_conf
tests_unit_check_gate_conf_SOURCES  = %D%/check_gate_conf.c
tests_unit_check_gate_conf_CPPFLAGS = $(UNIT_CPPFLAGS) $(GATE_CPPFLAGS)
tests_unit_check_gate_conf_LDADD    = libgate.la libunit.la
check_PROGRAMS += %D%/check_cmdline
TESTS += %D%/check_cmdline
tests_unit_check_cmdline_SOURCES  = %D%/check_cmdline.c
tests_unit_check_cmdline_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_check_cmdline_LDADD    = libmade.la
check_PROGRAMS += %D%/check_corpus
TESTS += %D%/check_corpus
tests_unit_check_corpus_SOURCES  = %D%/check_corpus.c
tests_unit_check_corpus_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_check_corpus_LDADD    = libmade.la
check_PROGRAMS += %D%/check_facts
TESTS += %D%/check_facts
tests_unit_check_facts_SOURCES  = %D%/check_facts.c
tests_unit_check_facts_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_check_facts_LDADD    = libmade.la

check_PROGRAMS += %D%/check_corpus_ima
TESTS += %D%/check_corpus_ima
tests_unit_check_corpus_ima_SOURCES  = %D%/check_corpus_ima.c
tests_unit_check_corpus_ima_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_check_corpus_ima_LDADD    = libmade.la
check_PROGRAMS += %D%/check_claims
TESTS += %D%/check_claims
tests_unit_check_claims_SOURCES  = %D%/check_claims.c
tests_unit_check_claims_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_check_claims_LDADD    = libmade.la

check_PROGRAMS += %D%/check_updates
TESTS += %D%/check_updates
tests_unit_check_updates_SOURCES  = %D%/check_updates.c
tests_unit_check_updates_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_check_updates_LDADD    = libmade.la

check_PROGRAMS += %D%/check_labels
TESTS += %D%/check_labels
tests_unit_check_labels_SOURCES  = %D%/check_labels.c
tests_unit_check_labels_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_check_labels_LDADD    = libmade.la

check_PROGRAMS += %D%/check_diff
TESTS += %D%/check_diff
tests_unit_check_diff_SOURCES  = %D%/check_diff.c
tests_unit_check_diff_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_check_diff_LDADD    = libmade.la
check_PROGRAMS += %D%/check_recorded
TESTS += %D%/check_recorded
tests_unit_check_recorded_SOURCES  = %D%/check_recorded.c
tests_unit_check_recorded_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_check_recorded_LDADD    = libmade.la
check_PROGRAMS += %D%/check_appraise
TESTS += %D%/check_appraise
tests_unit_check_appraise_SOURCES  = %D%/check_appraise.c
tests_unit_check_appraise_CPPFLAGS = $(UNIT_CPPFLAGS) $(CRYPTO_CFLAGS)
tests_unit_check_appraise_LDADD    = libmade.la $(CRYPTO_LIBS)
check_PROGRAMS += %D%/check_options
TESTS += %D%/check_options
tests_unit_check_options_SOURCES  = %D%/check_options.c
tests_unit_check_options_CPPFLAGS = $(UNIT_CPPFLAGS) $(ATTESTD_CPPFLAGS)
tests_unit_check_options_LDADD    = libunit.la libattestd.la

check_PROGRAMS += %D%/check_relying
TESTS += %D%/check_relying
tests_unit_check_relying_SOURCES  = %D%/check_relying.c
tests_unit_check_relying_CPPFLAGS = $(UNIT_CPPFLAGS) $(ATTESTD_CPPFLAGS)
tests_unit_check_relying_LDADD    = libunit.la libattestd.la

check_PROGRAMS += %D%/check_state
TESTS += %D%/check_state
tests_unit_check_state_SOURCES  = %D%/check_state.c
tests_unit_check_state_CPPFLAGS = $(UNIT_CPPFLAGS) $(ATTESTD_CPPFLAGS)
tests_unit_check_state_LDADD    = libunit.la libattestd.la

check_PROGRAMS += %D%/check_decisions
TESTS += %D%/check_decisions
tests_unit_check_decisions_SOURCES  = %D%/check_decisions.c
tests_unit_check_decisions_CPPFLAGS = $(UNIT_CPPFLAGS) $(ATTESTD_CPPFLAGS)
tests_unit_check_decisions_LDADD    = libunit.la libattestd.la

check_PROGRAMS += %D%/check_outbox
TESTS += %D%/check_outbox
tests_unit_check_outbox_SOURCES  = %D%/check_outbox.c
tests_unit_check_outbox_CPPFLAGS = $(UNIT_CPPFLAGS) $(ATTESTD_CPPFLAGS)
tests_unit_check_outbox_LDADD    = libunit.la libattestd.la

check_PROGRAMS += %D%/check_serve
TESTS += %D%/check_serve
tests_unit_check_serve_SOURCES  = %D%/check_serve.c
tests_unit_check_serve_CPPFLAGS = $(UNIT_CPPFLAGS) $(ATTESTD_CPPFLAGS)
tests_unit_check_serve_LDADD    = libunit.la libattestd.la

check_PROGRAMS += %D%/check_ima_file
TESTS += %D%/check_ima_file
tests_unit_check_ima_file_SOURCES  = %D%/check_ima_file.c
tests_unit_check_ima_file_CPPFLAGS = $(UNIT_CPPFLAGS) $(ATTESTD_CPPFLAGS)
tests_unit_check_ima_file_LDADD    = libunit.la libattestd.la

check_PROGRAMS += %D%/check_role_sandbox
TESTS += %D%/check_role_sandbox
tests_unit_check_role_sandbox_SOURCES  = %D%/check_role_sandbox.c
tests_unit_check_role_sandbox_CPPFLAGS = $(UNIT_CPPFLAGS) $(VERIFIERD_CPPFLAGS) $(SECCOMP_CFLAGS)
tests_unit_check_role_sandbox_LDADD    = libunit.la libconfine.la libpolicy.la $(SECCOMP_LIBS)

check_PROGRAMS += %D%/check_sandbox
TESTS += %D%/check_sandbox
tests_unit_check_sandbox_SOURCES  = %D%/check_sandbox.c pam_attest/attestd/tpm_sandbox.c
tests_unit_check_sandbox_CPPFLAGS = $(UNIT_CPPFLAGS) $(ATTESTD_CPPFLAGS)
tests_unit_check_sandbox_LDADD    = libunit.la libattestd.la

check_PROGRAMS += %D%/check_sockets
TESTS += %D%/check_sockets
tests_unit_check_sockets_SOURCES  = %D%/check_sockets.c
tests_unit_check_sockets_CPPFLAGS = $(UNIT_CPPFLAGS) $(ATTESTD_CPPFLAGS)
tests_unit_check_sockets_LDADD    = libunit.la libattestd.la

check_PROGRAMS += %D%/check_core
TESTS += %D%/check_core
tests_unit_check_core_SOURCES  = %D%/check_core.c %D%/core_lab.c %D%/core_lab.h %D%/soft_ima.c %D%/soft_ima.h %D%/soft_host.c %D%/soft_host.h
tests_unit_check_core_CPPFLAGS = $(UNIT_CPPFLAGS) $(VERIFIERD_CPPFLAGS) $(CRYPTO_CFLAGS)
tests_unit_check_core_LDADD    = libunit.la libstore.la libipc.la libpolicy.la $(CRYPTO_LIBS)

check_PROGRAMS += %D%/check_sets
TESTS += %D%/check_sets
tests_unit_check_sets_SOURCES  = %D%/check_sets.c %D%/core_lab.c %D%/core_lab.h %D%/soft_ima.c %D%/soft_ima.h \
	%D%/soft_host.c %D%/soft_host.h
tests_unit_check_sets_CPPFLAGS = $(UNIT_CPPFLAGS) $(VERIFIERD_CPPFLAGS) $(CRYPTO_CFLAGS)
tests_unit_check_sets_LDADD    = libunit.la libstore.la libipc.la libpolicy.la $(CRYPTO_LIBS)

check_PROGRAMS += %D%/check_groups
TESTS += %D%/check_groups
tests_unit_check_groups_SOURCES  = %D%/check_groups.c %D%/core_lab.c %D%/core_lab.h %D%/soft_ima.c %D%/soft_ima.h \
	%D%/soft_host.c %D%/soft_host.h
tests_unit_check_groups_CPPFLAGS = $(UNIT_CPPFLAGS) $(VERIFIERD_CPPFLAGS) $(CRYPTO_CFLAGS)
tests_unit_check_groups_LDADD    = libunit.la libstore.la libipc.la libpolicy.la $(CRYPTO_LIBS)

check_PROGRAMS += %D%/check_gateways
TESTS += %D%/check_gateways
tests_unit_check_gateways_SOURCES  = %D%/check_gateways.c %D%/core_lab.c %D%/core_lab.h %D%/soft_ima.c %D%/soft_ima.h \
	%D%/soft_host.c %D%/soft_host.h
tests_unit_check_gateways_CPPFLAGS = $(UNIT_CPPFLAGS) $(VERIFIERD_CPPFLAGS) $(CRYPTO_CFLAGS)
tests_unit_check_gateways_LDADD    = libunit.la libstore.la libipc.la libpolicy.la $(CRYPTO_LIBS)

check_PROGRAMS += %D%/check_prompt
TESTS += %D%/check_prompt
tests_unit_check_prompt_SOURCES  = %D%/check_prompt.c
tests_unit_check_prompt_CPPFLAGS = $(UNIT_CPPFLAGS) $(PROMPT_CPPFLAGS)
tests_unit_check_prompt_LDADD    = libunit.la libprompt.la

check_PROGRAMS += %D%/check_quorum
TESTS += %D%/check_quorum
tests_unit_check_quorum_SOURCES  = %D%/check_quorum.c %D%/core_lab.c %D%/core_lab.h %D%/soft_ima.c %D%/soft_ima.h \
	%D%/soft_host.c %D%/soft_host.h
tests_unit_check_quorum_CPPFLAGS = $(UNIT_CPPFLAGS) $(VERIFIERD_CPPFLAGS) $(CRYPTO_CFLAGS)
tests_unit_check_quorum_LDADD    = libunit.la libstore.la libipc.la libpolicy.la $(CRYPTO_LIBS)

check_PROGRAMS += %D%/check_leases
TESTS += %D%/check_leases
tests_unit_check_leases_SOURCES  = %D%/check_leases.c %D%/core_lab.c %D%/core_lab.h %D%/soft_ima.c %D%/soft_ima.h \
	%D%/soft_host.c %D%/soft_host.h verifierd/keys.c
tests_unit_check_leases_CPPFLAGS = $(UNIT_CPPFLAGS) $(VERIFIERD_CPPFLAGS) $(CRYPTO_CFLAGS)
tests_unit_check_leases_LDADD    = libunit.la libstore.la libipc.la libpolicy.la $(CRYPTO_LIBS)

check_PROGRAMS += %D%/check_recover
TESTS += %D%/check_recover
tests_unit_check_recover_SOURCES  = %D%/check_recover.c
tests_unit_check_recover_CPPFLAGS = $(UNIT_CPPFLAGS) $(ATTESTD_CPPFLAGS)
tests_unit_check_recover_LDADD    = libunit.la libattestd.la

check_PROGRAMS += %D%/check_core_ima
TESTS += %D%/check_core_ima
tests_unit_check_core_ima_SOURCES  = %D%/check_core_ima.c %D%/core_lab.c %D%/core_lab.h %D%/soft_ima.c %D%/soft_ima.h \
	%D%/soft_host.c %D%/soft_host.h
tests_unit_check_core_ima_CPPFLAGS = $(UNIT_CPPFLAGS) $(VERIFIERD_CPPFLAGS) $(CRYPTO_CFLAGS)
tests_unit_check_core_ima_LDADD    = libunit.la libstore.la libipc.la libpolicy.la $(CRYPTO_LIBS)

check_PROGRAMS += %D%/check_events
TESTS += %D%/check_events
tests_unit_check_events_SOURCES  = %D%/check_events.c %D%/core_lab.c %D%/core_lab.h %D%/soft_ima.c %D%/soft_ima.h \
	%D%/soft_host.c %D%/soft_host.h
tests_unit_check_events_CPPFLAGS = $(UNIT_CPPFLAGS) $(VERIFIERD_CPPFLAGS) $(CRYPTO_CFLAGS)
tests_unit_check_events_LDADD    = libunit.la libstore.la libipc.la libpolicy.la $(CRYPTO_LIBS)

check_PROGRAMS += %D%/check_memo
TESTS += %D%/check_memo
tests_unit_check_memo_SOURCES  = %D%/check_memo.c %D%/core_lab.c %D%/core_lab.h %D%/soft_ima.c %D%/soft_ima.h %D%/soft_host.c %D%/soft_host.h
tests_unit_check_memo_CPPFLAGS = $(UNIT_CPPFLAGS) $(VERIFIERD_CPPFLAGS) $(CRYPTO_CFLAGS)
tests_unit_check_memo_LDADD    = libunit.la libstore.la libipc.la libpolicy.la $(CRYPTO_LIBS)

check_PROGRAMS += %D%/check_ima_walks
TESTS += %D%/check_ima_walks
tests_unit_check_ima_walks_SOURCES  = %D%/check_ima_walks.c verifierd/ima_walks.c
tests_unit_check_ima_walks_CPPFLAGS = $(UNIT_CPPFLAGS) $(VERIFIERD_CPPFLAGS)
tests_unit_check_ima_walks_LDADD    = libunit.la

check_PROGRAMS += %D%/check_store
TESTS += %D%/check_store
tests_unit_check_store_SOURCES  = %D%/check_store.c
tests_unit_check_store_CPPFLAGS = $(UNIT_CPPFLAGS) $(VERIFIERD_CPPFLAGS) $(SQLITE_CFLAGS)
tests_unit_check_store_LDADD    = libunit.la libstore.la $(SQLITE_LIBS)

check_PROGRAMS += %D%/check_reason
TESTS += %D%/check_reason
tests_unit_check_reason_SOURCES  = %D%/check_reason.c
tests_unit_check_reason_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_check_reason_LDADD    = libunit.la
endif
