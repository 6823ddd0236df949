/*
 * reason.h - every word that pam-attest says about a host or a decision, in one table.
 *
 * From it come the enum, the stable code that scripts and JSON see, the state that the reason
 * stands for, the sentence for people, the next step, and attest-reasons(7). A code is never
 * renamed or reused. The state STATE_NONE is 0: what was never set is not trusted.
 */
#ifndef REASON_H
#define REASON_H
#include <stdbool.h>

/* attest(7), states. The words are those of gate.conf brackets and of JSON. */
#define STATES(X)                          \
	X(NONE,            "none")         \
	X(AFFIRMING,       "affirming")    \
	X(WARNING,         "warning")      \
	X(CONTRAINDICATED, "contraindicated") \
	X(BROKEN,          "broken")

enum state {
#define X(name, word) STATE_##name,
	STATES(X)
#undef X
	STATE_COUNT
};

/*
 * X(NAME, code, STATE, what it means, what to do next)
 *
 * NONE: no verdict could be had; an outage or a set-up that is not finished, never an attack.
 * BROKEN: this machine cannot produce evidence. CONTRAINDICATED: appraised, and bad.
 */
#define REASONS(X) \
/* no verdict */ \
X(NOT_ATTESTED,       "not-attested",        NONE, "this host has not been attested in this boot", "wait for attestd, or run: attestctl attest") \
X(VERDICT_EXPIRED,    "verdict-expired",     NONE, "the last verdict has expired", "see why attestd does not renew it: attestctl status") \
X(VERDICT_OTHER_BOOT, "verdict-other-boot",  NONE, "the verdict at hand is of another boot", "wait for attestd, or run: attestctl attest") \
X(RECORD_UNTRUSTED,   "record-untrusted",    NONE, "somebody else could have written the verdict record", "restore owner and mode of the run directory, then: attestctl attest") \
X(RECORD_MALFORMED,   "record-malformed",    NONE, "the verdict record cannot be read", "attestctl attest writes it anew") \
X(ATTESTD_DOWN,       "attestd-down",        NONE, "attestd does not run on this host", "systemctl start attestd") \
X(ATTESTD_TIMEOUT,    "attestd-timeout",     NONE, "attestd did not answer in time", "try again; then look at attestd's journal") \
X(CONFIG_ERROR,       "config-error",        NONE, "the gate's configuration cannot be used", "attestctl lint names file and line") \
X(INTERNAL_ERROR,     "internal-error",      NONE, "the gate failed inside", "look at the journal; report it") \
X(NOT_ENROLLED,       "not-enrolled",        NONE, "this host is not enrolled with a verifier", "attestctl enroll --url URL --ca FILE") \
X(ENROLLMENT_PENDING, "enrollment-pending",  NONE, "an administrator has not approved this host yet", "verifierctl approve HOST") \
X(ENROLLMENT_REJECTED,"enrollment-rejected", NONE, "an administrator rejected this host's enrollment", "ask who runs the verifier") \
X(VERIFIER_UNREACHABLE,"verifier-unreachable",NONE, "no verifier can be reached", "check network and verifierd") \
X(VERIFIER_ERROR,     "verifier-error",      NONE, "the verifier failed to answer", "look at verifierd's journal") \
X(BOOT_UNCONFIRMED,   "boot-unconfirmed",    NONE, "no verifier can be reached, and this boot does not look like the last good one", "bring the verifier back: it judges what is different") \
X(VERIFIER_UNTRUSTED, "verifier-untrusted",  NONE, "the server that answered is not the verifier of this host", "compare ca_file with the verifier's tls/ca.pem") \
X(RESULT_INVALID,     "result-invalid",      NONE, "the verifier's result does not verify", "compare clocks and keys; then: attestctl attest") \
X(PERMISSION_DENIED,  "permission-denied",   NONE, "you may not administer this verifier", "be root, or a member of group attest-admin") \
X(REQUEST_INVALID,    "request-invalid",     NONE, "the verifier could not read the request", "compare the versions of attestd and verifierd") \
X(CHALLENGE_INVALID,  "challenge-invalid",   NONE, "the challenge was not made by this verifier", "attestctl attest asks for a new one") \
X(CHALLENGE_EXPIRED,  "challenge-expired",   NONE, "the quote came after its challenge had expired", "attestctl attest; if it repeats, the TPM or the network is slow") \
X(NEEDS_BOOT_LOG,     "needs-boot-log",      NONE, "the verifier asks for the whole boot log", "attestd sends it by itself") \
X(NEEDS_PCRS,         "needs-pcrs",          NONE, "the verifier asks for the values of the PCRs", "attestd sends them by itself") \
X(NEEDS_IMA,          "needs-ima",           NONE, "the verifier asks for more of the IMA list", "attestd sends it by itself") \
/* the machine that connects */ \
X(PEER_UNNAMED, "peer-unnamed", NONE, "the service did not say which machine connects", "map the prompt attest-peer to the certificate's name: attest-vpn(7)") \
X(PEER_UNKNOWN, "peer-unknown", NONE, "the verifier knows no machine of this name", "enroll the machine that connects, under the name in its certificate") \
X(PEER_STALE, "peer-stale", NONE, "the machine that connects has no verdict that still counts", "on that machine: attestctl attest") \
X(NOT_GATEWAY, "not-a-gateway", NONE, "this host may not ask the verifier about other machines", "verifierctl gateways add NAME --host HOST --audience A") \
X(PASSPORT_MISSING, "passport-missing", NONE, "no passport was given", "on the machine that connects: attestctl passport --audience A --user U") \
/* this machine cannot produce evidence */ \
X(TPM_ABSENT,         "tpm-absent",          BROKEN, "the TPM cannot be opened", "check /dev/tpmrm0, the firmware's TPM setting and attestd.conf tcti") \
X(TPM_BUSY,           "tpm-busy",            BROKEN, "the TPM did not answer in time", "attestd replaces its TPM process by itself; else power-cycle the machine") \
X(TPM_LOCKOUT,        "tpm-lockout",         BROKEN, "the TPM is in dictionary-attack lockout", "wait, or: tpm2_dictionarylockout --clear-lockout") \
X(TPM_ERROR,          "tpm-error",           BROKEN, "the TPM refused a command", "the journal of attestd has the TPM's code") \
X(AK_CHANGED,         "ak-changed",          BROKEN, "the TPM's attestation key is not the enrolled one", "attestctl enroll again; an administrator compares the EK") \
X(BANK_UNSUPPORTED,   "bank-unsupported",    BROKEN, "the TPM has neither a SHA-256 nor a SHA-384 bank active", "activate one in the firmware setup") \
X(EVENTLOG_UNREADABLE,"eventlog-unreadable", BROKEN, "attestd cannot read the boot log", "see boot_log in attestd.conf and the rights of that file") \
X(IMA_UNREADABLE,     "ima-unreadable",      BROKEN, "attestd cannot read the IMA list", "see ima_log in attestd.conf and the rights of that file") \
/* the machine or its evidence was judged, and refused */ \
X(QUOTE_MALFORMED,    "quote-malformed",     CONTRAINDICATED, "the quote cannot be read", "attestctl attest; if it repeats, look at the TPM's firmware") \
X(QUOTE_MAGIC,        "quote-magic",         CONTRAINDICATED, "the signed bytes were not made by a TPM", "somebody signs forged evidence: isolate the host") \
X(QUOTE_TYPE,         "quote-type",          CONTRAINDICATED, "what was signed is not a quote", "somebody signs forged evidence: isolate the host") \
X(AK_UNKNOWN,         "ak-unknown",          CONTRAINDICATED, "the key that signed is not enrolled", "enroll the host") \
X(HOST_REVOKED,       "host-revoked",        CONTRAINDICATED, "an administrator revoked this host", "verifierctl show HOST tells who and why") \
X(QUOTE_SIGNATURE,    "quote-signature",     CONTRAINDICATED, "the enrolled key did not sign this quote", "attestctl attest; if it repeats: enroll again and compare the EK") \
X(SIGNER_DIFFERS,     "signer-differs",      CONTRAINDICATED, "the quote names another key or hierarchy than the enrolled one", "enroll again and compare the EK") \
X(CONTEXT_DIFFERS,    "context-differs",     CONTRAINDICATED, "the quote was made for another challenge, host, log or purpose", "attestctl attest; if it repeats, evidence is altered on its way") \
X(CHALLENGE_USED,     "challenge-used",      CONTRAINDICATED, "this challenge has been used before", "attestctl attest; if it repeats, evidence is replayed") \
X(SELECTION_DIFFERS,  "selection-differs",   CONTRAINDICATED, "the quote covers other PCRs than were asked for", "check which PCR banks the firmware has active") \
X(CLOCK_BACKWARDS,    "clock-backwards",     CONTRAINDICATED, "the TPM's clock ran backwards within one boot", "TPM2_Clear or a cloned TPM: compare the host's TPM, then enroll again") \
X(AK_CLONED,          "ak-cloned",           CONTRAINDICATED, "two boots report under one key and one boot count", "a cloned or cleared TPM: enroll again and compare the EK") \
X(EVENTLOG_MISSING,   "eventlog-missing",    CONTRAINDICATED, "the host sent no boot log", "check that the firmware gives a TCG log; GRUB needs linuxefi") \
X(EVENTLOG_MALFORMED, "eventlog-malformed",  CONTRAINDICATED, "the boot log cannot be read", "verifierctl inspect eventlog FILE names event and offset") \
X(EVENTLOG_MISMATCH,  "eventlog-mismatch",   CONTRAINDICATED, "the boot log does not replay to the quoted PCRs", "something was measured and not logged, or the log is altered") \
X(IMA_MISSING,        "ima-missing",         CONTRAINDICATED, "the host sent no IMA list, or nothing of it is in the TPM", "boot with ima_policy=tcb or a policy of your own; see attestd.conf ima_log") \
X(IMA_MALFORMED,      "ima-malformed",       CONTRAINDICATED, "the IMA list cannot be read", "verifierctl inspect ima FILE names entry and offset") \
X(IMA_MISMATCH,       "ima-mismatch",        CONTRAINDICATED, "boot log and IMA list do not replay to the quoted PCRs", "something was measured and not listed, or a list is altered; after a kexec: reboot the host") \
X(BOOT_AGGREGATE,     "boot-aggregate",      CONTRAINDICATED, "the IMA list does not begin with this boot's boot_aggregate", "IMA started before the TPM was there, or the list is of another boot: reboot the host") \
X(IMA_UNKNOWN_FILE,   "ima-unknown-file",    CONTRAINDICATED, "a file was run or read that is not on the allow list", "verifierctl explain REF names it; add it to the allow list, or reinstall it") \
X(IMA_UNSIGNED,       "ima-unsigned",        CONTRAINDICATED, "a measured file has no signature of a known key", "verifierctl explain REF names it; sign it, or add its key to the policy's keyrings") \
X(IMA_SIGNATURE,      "ima-signature",       CONTRAINDICATED, "the signature of a measured file does not verify", "verifierctl explain REF names it; reinstall it from a trusted source") \
X(IMA_VIOLATION,      "ima-violation",       CONTRAINDICATED, "a file was written to while it was measured", "find out who writes to it, then reboot the host") \
X(EVIDENCE_LOST,      "evidence-lost",       CONTRAINDICATED, "this host gave a log that met its quote before, and now does not", "find out who changed firmware, Secure Boot or boot loader; Debian's GRUB keeps no log while Secure Boot is off") \
X(PCRS_UNPROVEN,      "pcrs-unproven",       CONTRAINDICATED, "the host gave no PCR values, or others than it quoted", "attestctl attest; if it repeats, something extends PCRs all the time") \
X(NO_REFERENCE,       "no-reference",        CONTRAINDICATED, "no reference set is active for this host", "verifierctl accept REF, once you have read verifierctl explain REF") \
X(PENDING_APPROVAL,   "pending-approval",    CONTRAINDICATED, "only a candidate reference set matches this boot", "verifierctl references activate NAME") \
X(REFERENCE_REVOKED,  "reference-revoked",   CONTRAINDICATED, "what this host booted has been revoked", "boot something that is still approved; verifierctl explain REF names the set") \
X(FIRMWARE_CHANGED,   "firmware-changed",    CONTRAINDICATED, "the firmware is not one of the known ones", "after a planned firmware update: verifierctl accept REF") \
X(SECUREBOOT_CHANGED, "secureboot-changed",  CONTRAINDICATED, "Secure Boot state or keys are not the known ones", "after a planned dbx or key update: verifierctl accept REF") \
X(BOOTLOADER_CHANGED, "bootloader-changed",  CONTRAINDICATED, "the boot loader is not one of the known ones", "after a planned update: verifierctl accept REF") \
X(KERNEL_CHANGED,     "kernel-changed",      CONTRAINDICATED, "the kernel or initrd is not one of the known ones", "after a planned update: verifierctl accept REF") \
X(CMDLINE_CHANGED,    "cmdline-changed",     CONTRAINDICATED, "the kernel command line is not one of the known ones", "if it was you: verifierctl accept REF") \
X(BOOT_CHANGED,       "boot-changed",        CONTRAINDICATED, "what the boot loader read or ran is not known", "after a planned change: verifierctl accept REF") \
X(EVENT_MISSING,      "event-missing",       CONTRAINDICATED, "a required measurement is missing", "compare with: verifierctl explain REF") \
X(EVENT_UNEXPECTED,   "event-unexpected",    CONTRAINDICATED, "something more was measured than is known", "compare with: verifierctl explain REF") \
X(PCR_VALUE,          "pcr-value",           CONTRAINDICATED, "a PCR has none of the values that the policy has for it", "verifierctl explain REF names it; verifierctl policies show has the values") \
X(SECUREBOOT_OFF,     "secureboot-off",      CONTRAINDICATED, "Secure Boot is off, and the policy requires it", "turn it on in the firmware setup") \
X(SECUREBOOT_KEY,     "secureboot-key",      CONTRAINDICATED, "something ran by a key that the policy does not allow", "verifierctl explain REF names the key; remove it from the firmware, or allow it in the policy") \
X(DBX_TOO_OLD,        "dbx-too-old",         CONTRAINDICATED, "the list of revoked boot loaders (dbx) is shorter than the policy wants", "update dbx: fwupdmgr update") \
X(SBAT_TOO_OLD,       "sbat-too-old",        CONTRAINDICATED, "shim's revocation level is older than the policy wants", "update shim, or raise its SbatLevel: mokutil --set-sbat-policy latest") \
X(CMDLINE_FORBIDDEN,  "cmdline-forbidden",   CONTRAINDICATED, "the kernel command line has a word that the policy forbids", "boot without it; if it has to be there, change the policy's cmdline.forbid") \
X(CMDLINE_UNKNOWN,    "cmdline-unknown",     CONTRAINDICATED, "the kernel command line has a word that the policy does not allow", "boot without it, or add it to the policy's cmdline.allow") \
X(LOADER_COMMAND,     "loader-command",      CONTRAINDICATED, "the boot loader ran a command that no rule allows", "verifierctl explain REF names it; look into grub.cfg") \
X(TEXT_UNBOUND,       "text-unbound",        CONTRAINDICATED, "something that has to be judged by its words has none that its digest binds", "verifierctl explain REF names the event; judge this PCR by events instead") \
X(DRIVER_UNKNOWN,     "driver-unknown",      CONTRAINDICATED, "the firmware loaded a driver that the policy does not allow", "verifierctl explain REF names it; remove it, or allow its digest in the policy") \
X(OPTION_ROM_UNKNOWN, "option-rom-unknown",  CONTRAINDICATED, "an option ROM ran that the policy does not allow", "find the new card, or allow its digest in the policy") \
X(TPM_VENDOR,         "tpm-vendor",          CONTRAINDICATED, "the TPM is of a maker that the policy does not allow", "verifierctl show HOST names it; add it to the policy's tpm.vendors, if you trust it") \
X(TPM_FIRMWARE_OLD,   "tpm-firmware-old",    CONTRAINDICATED, "the TPM's firmware is older than the policy wants", "update the TPM's firmware") \
X(TPM_VULNERABLE,     "tpm-vulnerable",      CONTRAINDICATED, "the TPM's firmware is known to be vulnerable", "update the TPM's firmware; verifierctl explain REF has the advisory") \
X(TPM_SIMULATOR,      "tpm-simulator",       CONTRAINDICATED, "the TPM is a simulator, and the policy allows none", "for tests alone: allow_simulator in the policy") \
X(LOCKDOWN_MISSING,   "lockdown-missing",    CONTRAINDICATED, "the kernel does not lock itself down, so that it can be replaced unmeasured", "turn Secure Boot on, or boot with lockdown=integrity") \
X(POLICY_FAILED,      "policy-failed",       CONTRAINDICATED, "the appraisal could not be completed", "look at verifierd's journal") \
/* enrollment refused */ \
X(EK_UNTRUSTED,       "ek-untrusted",        CONTRAINDICATED, "the EK certificate does not lead to a trusted TPM vendor", "put the vendor's CA into ek_roots, if you trust it") \
X(EK_MISMATCH,        "ek-mismatch",         CONTRAINDICATED, "the EK certificate is for another key", "the TPM's seed was changed, or the certificate is not its own") \
X(EK_MISSING,         "ek-missing",          CONTRAINDICATED, "the TPM has no EK certificate", "see attestd(8): TPMs without a certificate") \
X(EK_IN_USE,          "ek-in-use",           CONTRAINDICATED, "another host is enrolled with this TPM", "verifierctl remove the old one, or rename it") \
X(AK_ATTRIBUTES,      "ak-attributes",       CONTRAINDICATED, "the attestation key lacks a property that makes quotes trustworthy", "enroll with attestd's own key") \
X(PROOF_FAILED,       "proof-failed",        CONTRAINDICATED, "the TPM did not prove that it holds both keys", "enroll again") \
X(NAME_IN_USE,        "name-in-use",         CONTRAINDICATED, "another host has this name", "attestctl enroll --name OTHER") \
X(TOKEN_INVALID,      "token-invalid",       CONTRAINDICATED, "the enrollment token is not valid", "ask for a new one") \
X(PASSPORT_INVALID, "passport-invalid", CONTRAINDICATED, "the passport is not good: used, too old, or for another audience or user", "on the machine that connects: attestctl passport --audience A --user U") \
/* permits, and what a gate says of its own */ \
X(KEXEC,              "kexec",               WARNING,   "the kernel was replaced without a measured boot", "reboot the host") \
X(IMA_UNSTEADY,       "ima-unsteady",        WARNING,   "files were written to while they were measured, and the policy only warns of it", "find out who writes to them") \
X(GRACE,              "grace",               WARNING,   "no verifier answers; the last good verdict still counts", "bring the verifier back before grace ends") \
X(OK,                 "ok",                  AFFIRMING, "everything measured is known", "nothing to do") \
X(EXEMPT_SERVICE,     "exempt-service",      NONE, "this service is never gated", "name it in gate.conf to gate it") \
X(EXEMPT_ROOT,        "exempt-root",         NONE, "root's own sudo and su are not gated", "nothing to do") \
X(EXEMPT_CONSOLE,     "exempt-console",      NONE, "an administrator on the local console is not gated", "nothing to do") \
X(EXEMPT_USER,        "exempt-user",         NONE, "this user is exempt in gate.conf", "nothing to do") \
X(BREAK_GLASS,        "break-glass",         NONE, "a member of the break-glass group came in", "ask why it was needed") \
X(LEASE,              "lease",               NONE, "an administrator lets people in for a while, whatever is measured", "verifierctl allow HOST --list tells who and why") \
X(MODE_OFF,           "mode-off",            NONE, "the gate is off for this service", "nothing to do")

enum reason {
#define X(name, code, state, text, next) REASON_##name,
	REASONS(X)
#undef X
	REASON_COUNT
};

enum { REASON_CODE_MAX = 24 };          /* longest code, with its NUL */

const char *reason_code(enum reason);   /* "kernel-changed"; "internal-error" outside the table */
enum state  reason_state(enum reason);
const char *reason_text(enum reason);   /* a sentence without a full stop */
const char *reason_next(enum reason);    /* with the words REF and HOST as they stand */
/* The same with the reference and the host's name in their places, ready to be pasted; "" leaves the word. */
enum { REASON_ADVICE_TEXT = 256 };
void        reason_advice(enum reason, const char *ref, const char *host, char out[static REASON_ADVICE_TEXT]);
bool        reason_find(const char *code, enum reason *);

/* Verifier, attestd or TPM did not answer: what grace may bridge. A wrong answer is no outage, nor is a refusal. */
bool        reason_outage(enum reason);

const char *state_word(enum state);     /* "none" outside the table */
bool        state_find(const char *word, enum state *);
#endif
