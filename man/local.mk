dist_man7_MANS += %D%/attest-protocol.7
dist_man5_MANS += %D%/attest-result.5
dist_man8_MANS += %D%/pam_attest.8
dist_man5_MANS += %D%/attest-record.5 %D%/gate.conf.5
dist_man7_MANS += %D%/attest-local.7
dist_man8_MANS += %D%/attestctl.8 %D%/attestd.8
dist_man5_MANS += %D%/attestd.conf.5
dist_man8_MANS += %D%/verifierctl.8
