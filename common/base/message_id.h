/*
 * message_id.h - the kinds of lines in the journal: MESSAGE_ID, and what journalctl -x says beside it.
 *
 * X(NAME, id, subject, text). An id is never changed or reused. @FIELD@ is put in by journalctl.
 */
#ifndef MESSAGE_ID_H
#define MESSAGE_ID_H

#define MESSAGE_IDS(X) \
X(REFUSED, "29f476b2bf704b5b848fe5ad0b26595c", \
	"pam-attest refused @ATTEST_USER@ through @ATTEST_SERVICE@: @ATTEST_REASON@", \
	"This host has no verdict that lets anybody in through @ATTEST_SERVICE@ (@ATTEST_STATE@, @ATTEST_REASON@).\n" \
	"attestctl explain @ATTEST_REF@ says what is known here, verifierctl explain @ATTEST_REF@ what the verifier found;\n" \
	"attest-reasons(7) has the next step for each reason.\n") \
X(WOULD_REFUSE, "70f764c5ada74826bf25d81c8b393dd2", \
	"pam-attest would have refused @ATTEST_USER@ through @ATTEST_SERVICE@: @ATTEST_REASON@", \
	"The service is watched (mode @ATTEST_MODE@), so nobody was refused. Under enforce this access would have been.\n" \
	"attestctl report counts them; enforce the service when there are none left.\n") \
X(PERMITTED, "0f9a544a9ac1469cb9b15f8243c5ca0c", \
	"pam-attest permitted @ATTEST_USER@ through @ATTEST_SERVICE@", \
	"This host has proved that it booted what it was meant to boot (@ATTEST_REASON@).\n") \
X(LEASED, "8326794131f84a33a7585c50fef06733", \
	"pam-attest let @ATTEST_USER@ in through @ATTEST_SERVICE@ by a lease", \
	"An administrator of the verifier lets this host be entered for a while: @ATTEST_REASON@.\n" \
	"verifierctl allow --list names who, until when, and why.\n") \
X(EXEMPTED, "3d815a19b470423da9ac84e0720227ec", \
	"pam-attest did not gate @ATTEST_USER@ through @ATTEST_SERVICE@", \
	"@ATTEST_REASON@: gate.conf(5), source exempt, says who is never refused.\n") \
X(FAIL_OPEN, "53a24bd23acd4e95bdde22e37499ef3c", \
	"pam-attest let @ATTEST_USER@ in through @ATTEST_SERVICE@ without a verdict", \
	"No verdict could be had (@ATTEST_REASON@), and a bracket of sources in gate.conf(5) says permit.\n" \
	"Whoever can keep this host from its verifier or its TPM can bring that about.\n") \
X(BREAK_GLASS, "30f457f36e0643acb3c24a690ad09fab", \
	"a member of the break-glass group came in: @ATTEST_USER@ through @ATTEST_SERVICE@", \
	"The local group that is never refused was used. The verifier is told. Ask why it was needed.\n") \
X(KILL_SWITCH, "a59139571e044a9c9506d7c29a1df8c0", \
	"pam-attest is switched off at this host", \
	"/etc/attest/DISABLED, or attest=audit on the kernel command line, turns enforce into audit: @ATTEST_USER@ came in\n" \
	"through @ATTEST_SERVICE@ while the verdict was @ATTEST_STATE@. Remove it when the emergency is over.\n") \
X(NOT_ARMED, "e52b4b3e597c4a5e989091b0946a073a", \
	"pam-attest does not refuse anybody at this host yet", \
	"@ATTEST_SERVICE@ is enforced, but this host has never had a good verdict, so it acts as audit.\n" \
	"Enroll it: attestctl(8). arm = always in gate.conf(5) refuses nevertheless.\n") \
X(STATE, "83ddba1d2b80409e9ede3ab328d0df15", \
	"pam-attest: the state of this host is @ATTEST_STATE@: @ATTEST_REASON@", \
	"attestctl status says more, attest-reasons(7) the next step for each reason.\n")

enum message_id {
#define X(name, id, subject, text) MESSAGE_##name,
	MESSAGE_IDS(X)
#undef X
	MESSAGE_COUNT
};
const char *message_id(enum message_id);    /* 32 hexadecimal digits */
#endif
