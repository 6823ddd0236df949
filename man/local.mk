dist_man7_MANS += %D%/attest-protocol.7
dist_man5_MANS += %D%/attest-result.5
