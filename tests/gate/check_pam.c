/*
 * The module inside PAM: what is on disk and who answers -> exactly this PAM code and these words.
 * Numbers in labels are rows of the list of attacks.
 */
#include <pthread.h>
#include <security/pam_appl.h>
#include <sys/stat.h>
#include "clock.h"
#include "unit.h"
#include "world.h"

/* The stack behind the module gives this code, so that PAM_IGNORE can be told from PAM_SUCCESS. */
#define BEHIND PAM_ACCT_EXPIRED
#define STACK \
	"auth [success=done ignore=ignore default=die] %1$s conf=%2$s/gate.conf %3$s\nauth requisite pam_debug.so auth=acct_expired\n" \
	"account [success=done ignore=ignore default=die] %1$s conf=%2$s/gate.conf %3$s\naccount requisite pam_debug.so acct=acct_expired\n" \
	"session [success=done ignore=ignore default=die] %1$s conf=%2$s/gate.conf %3$s\nsession requisite pam_debug.so open_session=acct_expired\n"

#define ENFORCE "[demo]\nmode = enforce\narm = always\n"
#define OPEN    ENFORCE "sources = exempt cache quote grace [none=permit broken=permit]\n"
#define OUT     "state=affirming upstream_out=yes expires_boot=@-1000 expires_wall=@-1000 issued_boot=@-60000 issued_wall=@-60000 " \
		"good_issued=@-60000 good_expires=@-1000 "
#define REFUSED "state=contraindicated reason=cmdline-changed "
#define EXPIRED "expires_boot=@-1000 expires_wall=@-1000 issued_boot=@-60000 issued_wall=@-60000 "

#define NO_CMDLINE "attest: refused: the kernel command line is not one of the known ones (cmdline-changed). " \
		   "Ref 7F3K-21QX. if it was you: verifierctl accept 7F3K-21QX"
#define NO_ATTESTD "attest: refused: attestd does not run on this host (attestd-down). Ref L-****-****. systemctl start attestd"
#define NO_TIME    "attest: refused: attestd did not answer in time (attestd-timeout). Ref L-****-****. try again; then look at attestd's journal"
#define NO_VERIFIER "attest: refused: no verifier can be reached (verifier-unreachable). Ref L-****-****. " \
		   "check network and verifierd"
#define NO_ANSWER  "attest: refused: the gate failed inside (internal-error). Ref L-****-****. look at the journal; report it"
#define NO_CONFIG  "attest: refused: the gate's configuration cannot be used (config-error). Ref L-****-****. attestctl lint names file and line"
#define NO_PENDING "attest: refused: only a candidate reference set matches this boot (pending-approval). Ref 7F3K-21QX. " \
		   "verifierctl references activate NAME"

#define IGNORED BEHIND
enum phase { AUTH, ACCOUNT, SESSION };
enum { ROOT = 1, CALLER = 2, DISABLED = 4, ARMED = 8, WRITABLE = 16, LINK = 32, NO_CONF = 64, CMDLINE = 128, QUIET = 256, NOBODYS = 512, OPEN_GROUP = 1024, NOBODYS_GROUP = 2048,
	KIMS = 4096, NAMELESS = 8192, OPEN_LEASE = 16384, FOREIGN_LEASE = 32768, LEASE_LINK = 65536 };

struct row {
	const char *label;
	const char *conf, *record, *attestd;    /* record NULL: none; attestd NULL: nobody listens */
	const char *service, *user, *tty, *rhost, *args;
	const char *lease;                      /* changes to a good one; NULL: none */
	const char *cmdline;                    /* the kernel's, instead of a harmless one */
	const char *peer, *code_typed;          /* answers to the prompts for them; NULL: the conversation fails */
	enum phase  phase;
	unsigned    flags;
	int         code;
	const char *text;                       /* NULL: the user sees nothing */
};

static const struct row rows[] = {
	/* A verdict of this boot. */
	{ "affirming, account", ENFORCE, "", .phase = ACCOUNT, .code = PAM_SUCCESS },
	{ "affirming, session", ENFORCE, "", .phase = SESSION, .code = PAM_SUCCESS },
	{ "26: affirming, auth: about the machine, not the user", ENFORCE, "", .phase = AUTH, .code = IGNORED },
	{ "affirming, auth, success_ok", ENFORCE "success_ok = yes\n", "", .phase = AUTH, .code = PAM_SUCCESS },
	{ "warning", ENFORCE, "state=warning reason=kexec", .phase = ACCOUNT, .code = PAM_SUCCESS },
	{ "warning, and the section denies it", ENFORCE "sources = cache [warning=deny]\n", "state=warning reason=kexec", .phase = ACCOUNT,
	    .code = PAM_PERM_DENIED, .text = "attest: refused: the kernel was replaced without a measured boot (kexec). Ref 7F3K-21QX. reboot the host" },
	{ "explain says it on a permit too", ENFORCE "explain = yes\n", "", .phase = ACCOUNT, .code = PAM_SUCCESS,
	    .text = "attest: permitted: everything measured is known (ok). Ref 7F3K-21QX." },
	{ "contraindicated, nobody to ask", ENFORCE, REFUSED, .phase = ACCOUNT, .code = PAM_PERM_DENIED, .text = NO_CMDLINE },
	{ "contraindicated, auth", ENFORCE, REFUSED, .phase = AUTH, .code = PAM_PERM_DENIED, .text = NO_CMDLINE },
	{ "contraindicated, and the cause is gone", ENFORCE, REFUSED, "ok=yes state=affirming reason=ok ref=AAAA-BBBB", .phase = ACCOUNT, .code = PAM_SUCCESS },
	{ "message is added", ENFORCE "message = Call 4242.\n", REFUSED, .phase = ACCOUNT, .code = PAM_PERM_DENIED, .text = NO_CMDLINE " Call 4242." },
	{ "message: nothing of it moves a terminal's cursor", ENFORCE "message = \033[2J\tCall\xc2\x9b\x31m \xc3\xa9t\xc3\xa9 \xff\xe2\x82\x7f.\n", REFUSED, .phase = ACCOUNT,
	    .code = PAM_PERM_DENIED, .text = NO_CMDLINE " ?[2J?Call??1m \xc3\xa9t\xc3\xa9 ????." },
	{ "PAM_SILENT, as sudo asks: a refusal is told", ENFORCE, REFUSED, .phase = ACCOUNT, .flags = QUIET, .code = PAM_PERM_DENIED, .text = NO_CMDLINE },
	{ "PAM_SILENT, permitted", ENFORCE, "", .phase = ACCOUNT, .flags = QUIET, .code = PAM_SUCCESS },
	{ "silent", ENFORCE, REFUSED, .args = "silent", .phase = ACCOUNT, .code = PAM_PERM_DENIED },
	{ "mode off", "[demo]\nmode = off\n", REFUSED, .phase = ACCOUNT, .code = IGNORED },
	{ "mode audit", "[demo]\nmode = audit\n", REFUSED, .phase = ACCOUNT, .code = IGNORED },
	{ "mode audit, good", "[demo]\nmode = audit\n", "", .phase = ACCOUNT, .code = IGNORED },
	{ "audit by [default]", "[default]\nmode = audit\n", REFUSED, .phase = ACCOUNT, .code = IGNORED },
	{ "the PAM line's mode beats the file's", ENFORCE, REFUSED, .args = "mode=audit", .phase = ACCOUNT, .code = IGNORED },
	{ "service= names the section", ENFORCE, REFUSED, .service = "other-name", .args = "service=demo", .phase = ACCOUNT, .code = PAM_PERM_DENIED, .text = NO_CMDLINE },
	{ "until is over: audit", ENFORCE "until = 2001-01-01T00:00:00Z\n", REFUSED, .phase = ACCOUNT, .code = IGNORED },
	{ "until is ahead: enforce", ENFORCE "until = 2999-01-01T00:00:00Z\n", REFUSED, .phase = ACCOUNT, .code = PAM_PERM_DENIED, .text = NO_CMDLINE },

	/* attestd is asked. */
	{ "nobody listens", ENFORCE, NULL, .phase = ACCOUNT, .code = PAM_AUTHINFO_UNAVAIL, .text = NO_ATTESTD },
	{ "quote: affirming", ENFORCE, NULL, "ok=yes state=affirming reason=ok ref=AAAA-BBBB", .phase = ACCOUNT, .code = PAM_SUCCESS },
	{ "quote: contraindicated", ENFORCE, NULL, "ok=yes state=contraindicated reason=cmdline-changed ref=7F3K-21QX", .phase = ACCOUNT,
	    .code = PAM_PERM_DENIED, .text = NO_CMDLINE },
	{ "quote: broken", ENFORCE, NULL, "ok=yes state=broken reason=tpm-busy ref=", .phase = ACCOUNT, .code = PAM_AUTHINFO_UNAVAIL,
	    .text = "attest: refused: the TPM did not answer in time (tpm-busy). Ref L-****-****. attestd replaces its TPM process by itself; else power-cycle the machine" },
	{ "auth never drives the TPM", ENFORCE, NULL, "ok=yes state=affirming reason=ok ref=AAAA-BBBB", .phase = AUTH, .code = PAM_AUTHINFO_UNAVAIL,
	    .text = "attest: refused: this host has not been attested in this boot (not-attested). Ref L-****-****. wait for attestd, or run: attestctl attest" },
	{ "16: attestd frozen", ENFORCE "timeout = 1s\n", NULL, "silent", .phase = ACCOUNT, .code = PAM_AUTHINFO_UNAVAIL, .text = NO_TIME },
	{ "16: attestd never accepts", ENFORCE "timeout = 1s\n", NULL, "deaf", .phase = ACCOUNT, .code = PAM_AUTHINFO_UNAVAIL, .text = NO_TIME },
	{ "16: attestd's answer does not end", ENFORCE "timeout = 1s\n", NULL, "drip", .phase = ACCOUNT, .code = PAM_AUTHINFO_UNAVAIL, .text = NO_TIME },
	{ "16: attestd frozen, and the section lets it through", OPEN "timeout = 1s\n", NULL, "silent", .phase = ACCOUNT, .code = IGNORED },
	{ "16: the verifier does not answer", ENFORCE, NULL, "ok=yes state=none reason=verifier-unreachable ref=", .phase = ACCOUNT,
	    .code = PAM_AUTHINFO_UNAVAIL, .text = NO_VERIFIER },
	{ "attestd hangs up", ENFORCE, NULL, "hangup", .phase = ACCOUNT, .code = PAM_AUTHINFO_UNAVAIL, .text = NO_ATTESTD },
	{ "21: ok=no beside a good state", ENFORCE, NULL, "ok=no state=affirming reason=ok ref=AAAA-BBBB", .phase = ACCOUNT, .code = PAM_AUTHINFO_UNAVAIL,
	    .text = NO_ANSWER },
	{ "21: state that its reason does not mean", ENFORCE, NULL, "ok=yes state=affirming reason=tpm-busy", .phase = ACCOUNT, .code = PAM_AUTHINFO_UNAVAIL,
	    .text = NO_ANSWER },
	{ "21: an answer without a state", ENFORCE, NULL, "ok=yes", .phase = ACCOUNT, .code = PAM_AUTHINFO_UNAVAIL,
	    .text = NO_ANSWER },
	{ "none=permit is PAM_IGNORE, never PAM_SUCCESS", OPEN, NULL, .phase = ACCOUNT, .code = IGNORED },

	/* The machine that connects: by the name that the service gives, or by its passport. */
#define PEER       ENFORCE "sources = peer\npeer_prompt = yes\n"
#define PASSPORT   ENFORCE "sources = passport\naudience = vpn.example\n"
#define CODE       "0123-456789-abcdefghjk-mnpqrs"
#define GOOD_PEER  "ok=yes state=affirming reason=ok ref=7F3K-21QX peer=laptop7"
#define BAD_PEER   "ok=yes state=contraindicated reason=cmdline-changed ref=7F3K-21QX peer=laptop7"
#define NO_PEER    "attest: refused: the service did not say which machine connects (peer-unnamed). Ref L-****-****. " \
		   "map the prompt attest-peer to the certificate's name: attest-vpn(7)"
#define NO_CODE    "attest: refused: no passport was given (passport-missing). Ref L-****-****. " \
		   "on the machine that connects: attestctl passport --audience A --user U"
#define BAD_CODE   "attest: refused: the passport is not good: used, too old, or for another audience or user (passport-invalid). Ref L-****-****. " \
		   "on the machine that connects: attestctl passport --audience A --user U"
#define LAPTOP     "attest: refused: laptop7: the kernel command line is not one of the known ones (cmdline-changed). " \
		   "Ref 7F3K-21QX. if it was you: verifierctl accept 7F3K-21QX"
	{ "a good peer", PEER, "", GOOD_PEER, .peer = "laptop7", .phase = ACCOUNT, .code = PAM_SUCCESS },
	{ "a good peer, and no verdict here: nothing is armed", "[demo]\nmode = enforce\nsources = peer\npeer_prompt = yes\n", NULL, BAD_PEER,
	    .peer = "laptop7", .phase = ACCOUNT, .code = PAM_PERM_DENIED, .text = LAPTOP },
	{ "a bad peer", PEER, "", BAD_PEER, .peer = "laptop7", .phase = ACCOUNT, .code = PAM_PERM_DENIED, .text = LAPTOP },
	{ "a good peer of a gateway that is refused", PEER, REFUSED, GOOD_PEER, .peer = "laptop7", .phase = ACCOUNT, .code = PAM_PERM_DENIED, .text = NO_CMDLINE },
	{ "a peer that nobody knows", PEER, "", "ok=yes state=none reason=peer-unknown ref= peer=laptop7", .peer = "laptop7", .phase = ACCOUNT,
	    .code = PAM_AUTHINFO_UNAVAIL, .text = "attest: refused: laptop7: the verifier knows no machine of this name (peer-unknown). Ref L-****-****. "
	    "enroll the machine that connects, under the name in its certificate" },
	{ "the verifier out", PEER, "", "ok=yes state=none reason=verifier-unreachable ref= peer=laptop7", .peer = "laptop7", .phase = ACCOUNT,
	    .code = PAM_AUTHINFO_UNAVAIL, .text = "attest: refused: laptop7: no verifier can be reached (verifier-unreachable). Ref L-****-****. check network and verifierd" },
	{ "attestd takes its permit back", PEER, "", "ok=no state=affirming reason=ok", .peer = "laptop7", .phase = ACCOUNT, .code = PAM_AUTHINFO_UNAVAIL,
	    .text = "attest: refused: laptop7: the gate failed inside (internal-error). Ref L-****-****. look at the journal; report it" },
	{ "no certificate, no name", PEER, "", GOOD_PEER, .peer = "", .phase = ACCOUNT, .code = PAM_AUTHINFO_UNAVAIL, .text = NO_PEER },
	{ "no mapping: the user's name", PEER, "", GOOD_PEER, .peer = "kim", .phase = ACCOUNT, .code = PAM_AUTHINFO_UNAVAIL, .text = NO_PEER },
	{ "a name that is too long", PEER, "", GOOD_PEER, .peer = "0123456789012345678901234567890123456789012345678901234567890123", .phase = ACCOUNT,
	    .code = PAM_AUTHINFO_UNAVAIL, .text = NO_PEER },
	{ "nobody answers prompts", PEER, "", GOOD_PEER, .phase = ACCOUNT, .code = PAM_AUTHINFO_UNAVAIL, .text = NO_PEER },
	{ "peer_prompt is not set", ENFORCE "sources = peer\n", "", GOOD_PEER, .peer = "laptop7", .phase = ACCOUNT, .code = PAM_AUTHINFO_UNAVAIL, .text = NO_PEER },
	{ "people answer sshd's prompts", "[sshd]\nmode = enforce\narm = always\nsources = peer\npeer_prompt = yes\n", "", GOOD_PEER, .service = "sshd",
	    .peer = "laptop7", .phase = ACCOUNT, .code = PAM_AUTHINFO_UNAVAIL, .text = NO_PEER },
	{ "nor under another section's name", PEER, "", GOOD_PEER, .service = "sshd", .args = "service=demo", .peer = "laptop7", .phase = ACCOUNT,
	    .code = PAM_AUTHINFO_UNAVAIL, .text = NO_PEER },
	{ "which others may have", PEER, "", GOOD_PEER, .service = "vpn", .args = "service=demo", .peer = "laptop7", .phase = ACCOUNT, .code = PAM_SUCCESS },
	{ "strangers ask about no peer", PEER, "", GOOD_PEER, .peer = "laptop7", .phase = AUTH, .code = PAM_AUTHINFO_UNAVAIL,
	    .text = "attest: refused: this host has not been attested in this boot (not-attested). Ref L-****-****. wait for attestd, or run: attestctl attest" },
	{ "a session has no peer", PEER, "", GOOD_PEER, .peer = "laptop7", .phase = SESSION, .code = PAM_AUTHINFO_UNAVAIL, .text = NO_PEER },
	{ "peer, audit: would permit or refuse", "[demo]\nmode = audit\nsources = peer\npeer_prompt = yes\n", "", BAD_PEER, .peer = "laptop7", .phase = ACCOUNT, .code = IGNORED },
	{ "35: a passport", PASSPORT, "", GOOD_PEER, .code_typed = CODE, .phase = ACCOUNT, .code = PAM_SUCCESS },
	{ "35: a passport that the verifier does not take", PASSPORT, "", "ok=yes state=contraindicated reason=passport-invalid ref= peer=", .code_typed = CODE,
	    .phase = ACCOUNT, .code = PAM_PERM_DENIED, .text = BAD_CODE },
	{ "35: what can be no passport", PASSPORT, "", GOOD_PEER, .code_typed = "correct-horse", .phase = ACCOUNT, .code = PAM_PERM_DENIED, .text = BAD_CODE },
	{ "35: a result in its place", PASSPORT, "", GOOD_PEER, .code_typed = "eyJhbGciOiJFUzI1NiJ9.e30.AAAA", .phase = ACCOUNT, .code = PAM_PERM_DENIED, .text = BAD_CODE },
	{ "an empty answer", PASSPORT, "", GOOD_PEER, .code_typed = "", .phase = ACCOUNT, .code = PAM_AUTHINFO_UNAVAIL, .text = NO_CODE },
	{ "no answer", PASSPORT, "", GOOD_PEER, .phase = ACCOUNT, .code = PAM_AUTHINFO_UNAVAIL, .text = NO_CODE },
	{ "no audience", ENFORCE "sources = passport\n", "", GOOD_PEER, .code_typed = CODE, .phase = ACCOUNT, .code = PAM_AUTHINFO_UNAVAIL, .text = NO_CODE },
	{ "a passport before the password", PASSPORT, "", GOOD_PEER, .code_typed = CODE, .phase = AUTH, .code = PAM_AUTHINFO_UNAVAIL,
	    .text = "attest: refused: this host has not been attested in this boot (not-attested). Ref L-****-****. wait for attestd, or run: attestctl attest" },
	{ "a passport, attestd down", PASSPORT, "", .code_typed = CODE, .phase = ACCOUNT, .code = PAM_AUTHINFO_UNAVAIL, .text = NO_ATTESTD },
	{ "a wrong passport is no want of one", ENFORCE "sources = passport [none=permit]\naudience = vpn.example\n", "", GOOD_PEER, .code_typed = "x",
	    .phase = ACCOUNT, .code = PAM_PERM_DENIED, .text = BAD_CODE },

	/* Records that do not count. */
#define CACHE_ONLY ENFORCE "sources = cache\n"
#define NO_BOOT    "attest: refused: the verdict at hand is of another boot (verdict-other-boot). Ref L-****-****. wait for attestd, or run: attestctl attest"
#define NO_EXPIRED "attest: refused: the last verdict has expired (verdict-expired). Ref L-****-****. see why attestd does not renew it: attestctl status"
#define NO_TRUST   "attest: refused: somebody else could have written the verdict record (record-untrusted). Ref L-****-****. " \
		   "restore owner and mode of the run directory, then: attestctl attest"
#define NO_SENSE   "attest: refused: the verdict record cannot be read (record-malformed). Ref L-****-****. attestctl attest writes it anew"
	{ "20: of another host or an earlier boot", CACHE_ONLY, "boot_id=deadbeef-0000-4000-8000-000000000002", .phase = ACCOUNT, .code = PAM_AUTHINFO_UNAVAIL, .text = NO_BOOT },
	{ "20: with a later expiry than any verdict has", CACHE_ONLY, "expires_boot=@90000000 expires_wall=@90000000", .phase = ACCOUNT, .code = PAM_AUTHINFO_UNAVAIL, .text = NO_SENSE },
	{ "20: others may write it", CACHE_ONLY, "", .flags = WRITABLE, .phase = ACCOUNT, .code = PAM_AUTHINFO_UNAVAIL, .text = NO_TRUST },
	{ "44: the overflow uid wrote it, and owns the name", CACHE_ONLY, "", .flags = NOBODYS, .phase = ACCOUNT,
	    .code = PAM_AUTHINFO_UNAVAIL, .text = NO_TRUST },
	{ "the owner by name wrote it", CACHE_ONLY, "", .flags = KIMS, .phase = ACCOUNT, .code = PAM_SUCCESS },
	{ "44: the owner's name is nobody's, and somebody wrote it", CACHE_ONLY, "", .flags = NAMELESS, .phase = ACCOUNT,
	    .code = PAM_AUTHINFO_UNAVAIL, .text = NO_TRUST },
	{ "20: a link", CACHE_ONLY, "", .flags = LINK, .phase = ACCOUNT, .code = PAM_AUTHINFO_UNAVAIL, .text = NO_TRUST },
	{ "20: cut off", CACHE_ONLY, "state=", .phase = ACCOUNT, .code = PAM_AUTHINFO_UNAVAIL, .text = NO_SENSE },
	{ "37: expired", CACHE_ONLY, EXPIRED, .phase = ACCOUNT, .code = PAM_AUTHINFO_UNAVAIL, .text = NO_EXPIRED },
	{ "37: the wall clock was set back a day", CACHE_ONLY, "issued_wall=@86400000 expires_wall=@86500000", .phase = ACCOUNT, .code = PAM_AUTHINFO_UNAVAIL, .text = NO_EXPIRED },
	{ "37: the wall clock was set forth a day", CACHE_ONLY, "issued_wall=@-86400000 expires_wall=@-86300000", .phase = ACCOUNT, .code = PAM_AUTHINFO_UNAVAIL, .text = NO_EXPIRED },
	{ "37: issued in this boot's future (a time namespace)", CACHE_ONLY, "issued_boot=@100000 expires_boot=@200000", .phase = ACCOUNT, .code = PAM_AUTHINFO_UNAVAIL, .text = NO_EXPIRED },
	{ "37: older than max_age", CACHE_ONLY "max_age = 5s\n", "", .phase = ACCOUNT, .code = PAM_AUTHINFO_UNAVAIL, .text = NO_EXPIRED },
	{ "37: max_age longer than expiry", CACHE_ONLY "max_age = 1d\n", EXPIRED, .phase = ACCOUNT, .code = PAM_AUTHINFO_UNAVAIL, .text = NO_EXPIRED },
	{ "younger than max_age", CACHE_ONLY "max_age = 60s\n", "", .phase = ACCOUNT, .code = PAM_SUCCESS },

	/* Candidates, ceilings, refusals that stand. */
	{ "25: only a candidate matches", ENFORCE, "state=contraindicated reason=pending-approval", .phase = ACCOUNT, .code = PAM_PERM_DENIED, .text = NO_PENDING },
	{ "25: tampered boot under a ceiling of audit", ENFORCE, REFUSED "ceiling=audit", .phase = ACCOUNT, .code = IGNORED },
	{ "a ceiling of another boot counts nothing", ENFORCE, REFUSED "ceiling=audit boot_id=deadbeef-0000-4000-8000-000000000002", .phase = ACCOUNT, .code = PAM_PERM_DENIED, .text = NO_CMDLINE },
	{ "ceiling=off: nothing is refused", ENFORCE, REFUSED "ceiling=off", .phase = ACCOUNT, .code = IGNORED },
	{ "the section's mode is the lower one", "[demo]\nmode = audit\n", REFUSED "ceiling=enforce", .phase = ACCOUNT, .code = IGNORED },
	{ "a ceiling outlives its verdict", CACHE_ONLY, EXPIRED "ceiling=audit", .phase = ACCOUNT, .code = IGNORED },
	{ "27: refused, expired, attestd gone, none=permit", OPEN, REFUSED EXPIRED, .phase = ACCOUNT, .code = PAM_PERM_DENIED, .text = NO_CMDLINE },
	{ "27: refused, then a reboot", OPEN, REFUSED "boot_id=deadbeef-0000-4000-8000-000000000002", .phase = ACCOUNT, .code = PAM_PERM_DENIED, .text = NO_CMDLINE },
	{ "27: refused, verifier down", OPEN, REFUSED "upstream_out=yes", "ok=yes state=none reason=verifier-unreachable", .phase = ACCOUNT, .code = PAM_PERM_DENIED, .text = NO_CMDLINE },
	{ "27: refused, TPM broken", OPEN, REFUSED, "ok=yes state=broken reason=tpm-busy", .phase = ACCOUNT, .code = PAM_PERM_DENIED, .text = NO_CMDLINE },
	{ "27: refused, and sources does not name cache", ENFORCE "sources = quote [none=permit]\n", REFUSED, .phase = ACCOUNT, .code = PAM_PERM_DENIED, .text = NO_CMDLINE },

	/* Grace. */
	{ "grace: the verifier is out", ENFORCE, OUT, "ok=yes state=none reason=verifier-unreachable", .phase = ACCOUNT, .code = PAM_SUCCESS },
	{ "grace: attestd calls it grace itself", ENFORCE, OUT, "ok=yes state=warning reason=grace", .phase = ACCOUNT, .code = PAM_SUCCESS },
	{ "grace: no verdict left in the record", ENFORCE, "state=none reason=verifier-unreachable issued_boot=0 expires_boot=0 issued_wall=0 expires_wall=0 upstream_out=yes good_expires=@-1000",
	    "ok=yes state=none reason=verifier-unreachable", .phase = ACCOUNT, .code = PAM_SUCCESS },
	{ "grace: TPM broken in a boot that was affirming", ENFORCE, OUT "upstream_out=no", "ok=yes state=broken reason=tpm-busy", .phase = ACCOUNT, .code = PAM_SUCCESS },
	{ "grace in auth, as in account: it is on file, and nobody is asked", ENFORCE, OUT, "ok=yes state=contraindicated reason=cmdline-changed ref=7F3K-21QX", .phase = AUTH, .code = IGNORED },
	{ "42: in auth, the verifier is not out", ENFORCE, OUT "upstream_out=no", .phase = AUTH, .code = PAM_AUTHINFO_UNAVAIL, .text = NO_EXPIRED },
	{ "42: TLS failure is no outage", ENFORCE, OUT, "ok=yes state=none reason=verifier-untrusted", .phase = ACCOUNT, .code = PAM_AUTHINFO_UNAVAIL,
	    .text = "attest: refused: the server that answered is not the verifier of this host (verifier-untrusted). Ref L-****-****. compare ca_file with the verifier's tls/ca.pem" },
	{ "42: nor is a bad signature", ENFORCE, OUT, "ok=yes state=none reason=result-invalid", .phase = ACCOUNT, .code = PAM_AUTHINFO_UNAVAIL,
	    .text = "attest: refused: the verifier's result does not verify (result-invalid). Ref L-****-****. compare clocks and keys; then: attestctl attest" },
	{ "42: nor a 4xx", ENFORCE, OUT, "ok=yes state=none reason=request-invalid", .phase = ACCOUNT, .code = PAM_AUTHINFO_UNAVAIL,
	    .text = "attest: refused: the verifier could not read the request (request-invalid). Ref L-****-****. compare the versions of attestd and verifierd" },
	{ "42: nor another AK", ENFORCE, OUT, "ok=yes state=broken reason=ak-changed", .phase = ACCOUNT, .code = PAM_AUTHINFO_UNAVAIL,
	    .text = "attest: refused: the TPM's attestation key is not the enrolled one (ak-changed). Ref L-****-****. attestctl enroll again; an administrator compares the EK" },
	{ "42: revoked, packets dropped, past grace_max", ENFORCE, OUT "grace_max=500", "ok=yes state=none reason=verifier-unreachable", .phase = ACCOUNT, .code = PAM_AUTHINFO_UNAVAIL, .text = NO_VERIFIER },
	{ "42: past the section's grace", ENFORCE "grace = 1s\n", OUT "good_expires=@-30000", "ok=yes state=none reason=verifier-unreachable", .phase = ACCOUNT, .code = PAM_AUTHINFO_UNAVAIL, .text = NO_VERIFIER },
	{ "42: grace = 0", ENFORCE "grace = 0\n", OUT, "ok=yes state=none reason=verifier-unreachable", .phase = ACCOUNT, .code = PAM_AUTHINFO_UNAVAIL, .text = NO_VERIFIER },
	{ "42: wall clock set back, the boot's own clock is past it", ENFORCE "grace = 2s\n", OUT "expires_boot=@-9000 good_expires=@-1000", "ok=yes state=none reason=verifier-unreachable",
	    .phase = ACCOUNT, .code = PAM_AUTHINFO_UNAVAIL, .text = NO_VERIFIER },
	{ "42: good in another boot, digest not seen", ENFORCE, OUT "good_this_boot=no", "ok=yes state=none reason=verifier-unreachable", .phase = ACCOUNT, .code = PAM_AUTHINFO_UNAVAIL, .text = NO_VERIFIER },
	{ "42: from a warning", ENFORCE, OUT "state=warning reason=kexec", "ok=yes state=none reason=verifier-unreachable", .phase = ACCOUNT, .code = PAM_AUTHINFO_UNAVAIL, .text = NO_VERIFIER },
	{ "42: from a refusal", ENFORCE, OUT REFUSED "upstream_out=yes", "ok=yes state=none reason=verifier-unreachable", .phase = ACCOUNT, .code = PAM_PERM_DENIED, .text = NO_CMDLINE },
	{ "42: the boot looks like another one", ENFORCE, OUT, "ok=yes state=none reason=boot-unconfirmed", .phase = ACCOUNT, .code = PAM_AUTHINFO_UNAVAIL,
	    .text = "attest: refused: no verifier can be reached, and this boot does not look like the last good one (boot-unconfirmed). "
	    "Ref L-****-****. bring the verifier back: it judges what is different" },
	{ "42: the verifier is not out", ENFORCE, OUT "upstream_out=no", "ok=yes state=none reason=not-attested", .phase = ACCOUNT, .code = PAM_AUTHINFO_UNAVAIL,
	    .text = "attest: refused: this host has not been attested in this boot (not-attested). Ref L-****-****. wait for attestd, or run: attestctl attest" },
	{ "42: refused now, whatever grace would say", ENFORCE "sources = quote [contraindicated=continue] grace\n", OUT, "ok=yes state=contraindicated reason=cmdline-changed ref=7F3K-21QX",
	    .phase = ACCOUNT, .code = PAM_PERM_DENIED, .text = NO_CMDLINE },

	/* Leases. */
#define NO_REVOKED "attest: refused: an administrator revoked this host (host-revoked). Ref 7F3K-21QX. verifierctl show alpha tells who and why"
#define SURE "overrules_refusal=yes "
	{ "lease: no verdict", ENFORCE, NULL, .lease = "", .phase = ACCOUNT, .code = IGNORED },
	{ "lease: in auth, where nobody is asked", ENFORCE, NULL, .lease = "", .phase = AUTH, .code = IGNORED },
	{ "lease: for this user at this service", ENFORCE, NULL, .lease = "user=kim services=sshd,demo", .phase = ACCOUNT, .code = IGNORED },
	{ "lease: for somebody else", ENFORCE, NULL, .lease = "user=lee", .phase = ACCOUNT, .code = PAM_AUTHINFO_UNAVAIL, .text = NO_ATTESTD },
	{ "lease: at another service", ENFORCE, NULL, .lease = "services=sshd,demo2", .phase = ACCOUNT, .code = PAM_AUTHINFO_UNAVAIL, .text = NO_ATTESTD },
	{ "lease: told where it is asked for", ENFORCE "explain = yes\n", NULL, .lease = "", .phase = ACCOUNT, .code = IGNORED,
	    .text = "attest: permitted: an administrator lets people in for a while, whatever is measured (lease). Ref 3M4N-5P6Q." },
	{ "lease: the section does not ask for it", ENFORCE "sources = cache quote\n", NULL, .lease = "", .phase = ACCOUNT, .code = PAM_AUTHINFO_UNAVAIL, .text = NO_ATTESTD },
	{ "lease: a verdict is behind it", ENFORCE "sources = cache lease\n", "", .lease = "", .phase = ACCOUNT, .code = PAM_SUCCESS },
	{ "lease: TPM broken", ENFORCE "sources = quote lease\n", NULL, "ok=yes state=broken reason=tpm-busy ref=", .lease = "", .phase = ACCOUNT, .code = IGNORED },
	{ "lease: a refusal on record beats it", ENFORCE, REFUSED, .lease = "", .phase = ACCOUNT, .code = PAM_PERM_DENIED, .text = NO_CMDLINE },
	{ "lease: an old refusal on record, too", ENFORCE, REFUSED EXPIRED, .lease = "", .phase = ACCOUNT, .code = PAM_PERM_DENIED, .text = NO_CMDLINE },
	{ "lease: and one that a quote brings", ENFORCE "sources = quote [contraindicated=continue] lease\n", NULL,
	    "ok=yes state=contraindicated reason=cmdline-changed ref=7F3K-21QX", .lease = "", .phase = ACCOUNT, .code = PAM_PERM_DENIED, .text = NO_CMDLINE },
	{ "lease: unless it overrules", ENFORCE, REFUSED, .lease = SURE, .phase = ACCOUNT, .code = IGNORED },
	{ "lease: it overrules what a quote brings", ENFORCE "sources = quote [contraindicated=continue] lease\n", NULL,
	    "ok=yes state=contraindicated reason=cmdline-changed ref=7F3K-21QX", .lease = SURE, .phase = ACCOUNT, .code = IGNORED },
	{ "38: a revoked host", ENFORCE, "state=contraindicated reason=host-revoked", .lease = SURE, .phase = ACCOUNT, .code = PAM_PERM_DENIED, .text = NO_REVOKED },
	{ "38: a host of which a quote says that it was revoked", ENFORCE "sources = quote [contraindicated=continue] lease\n", NULL,
	    "ok=yes state=contraindicated reason=host-revoked ref=7F3K-21QX", .lease = SURE, .phase = ACCOUNT, .code = PAM_PERM_DENIED,
	    .text = "attest: refused: an administrator revoked this host (host-revoked). Ref 7F3K-21QX. verifierctl show HOST tells who and why" },
	{ "38: of the boot before", ENFORCE, NULL, .lease = "boot_id=deadbeef-0000-4000-8000-000000000002", .phase = ACCOUNT, .code = PAM_AUTHINFO_UNAVAIL, .text = NO_ATTESTD },
	{ "38: expired", ENFORCE, NULL, .lease = "expires_boot=@-1 expires_wall=@-1", .phase = ACCOUNT, .code = PAM_AUTHINFO_UNAVAIL, .text = NO_ATTESTD },
	{ "38: expired, and the wall clock was set back", ENFORCE, NULL, .lease = "expires_boot=@-1", .phase = ACCOUNT, .code = PAM_AUTHINFO_UNAVAIL, .text = NO_ATTESTD },
	{ "38: the wall clock was set back behind it", ENFORCE, NULL, .lease = "issued_wall=@3600000", .phase = ACCOUNT, .code = PAM_AUTHINFO_UNAVAIL, .text = NO_ATTESTD },
	{ "38: for ever", ENFORCE, NULL, .lease = "expires_boot=@90000000 expires_wall=@90000000", .phase = ACCOUNT, .code = PAM_AUTHINFO_UNAVAIL, .text = NO_ATTESTD },
	{ "38: others may write it", ENFORCE, NULL, .lease = "", .flags = OPEN_LEASE, .phase = ACCOUNT, .code = PAM_AUTHINFO_UNAVAIL, .text = NO_ATTESTD },
	{ "38: somebody else wrote it", ENFORCE, NULL, .lease = "", .flags = FOREIGN_LEASE, .phase = ACCOUNT, .code = PAM_AUTHINFO_UNAVAIL, .text = NO_ATTESTD },
	{ "38: a link", ENFORCE, NULL, .lease = "", .flags = LEASE_LINK, .phase = ACCOUNT, .code = PAM_AUTHINFO_UNAVAIL, .text = NO_ATTESTD },
	{ "38: nonsense", ENFORCE, NULL, .lease = "user=a=b", .phase = ACCOUNT, .code = PAM_AUTHINFO_UNAVAIL, .text = NO_ATTESTD },
	{ "lease: an unusable configuration asks nobody", ENFORCE "nonsense = 1\n", NULL, .lease = SURE, .phase = ACCOUNT, .code = PAM_AUTHINFO_UNAVAIL, .text = NO_CONFIG },

	/* Configuration that cannot be used. */
	{ "a bad line in the section", ENFORCE "max_agee = 5\n", "", .phase = ACCOUNT, .code = PAM_AUTHINFO_UNAVAIL, .text = NO_CONFIG },
	{ "a bad line above mode and arm", "[demo]\nnonsense\nmode = enforce\narm = always\n", "", .phase = ACCOUNT, .code = PAM_AUTHINFO_UNAVAIL, .text = NO_CONFIG },
	{ "a bad line in the section, mode audit", "[demo]\nmode = audit\nbad = 1\n", "", .phase = ACCOUNT, .code = IGNORED },
	{ "a bad line in [default]", "[default]\nmood = x\n" ENFORCE, "", .phase = ACCOUNT, .code = PAM_AUTHINFO_UNAVAIL, .text = NO_CONFIG },
	{ "a bad line in another service's section", "[sshd]\nmood = x\n" ENFORCE, "", .phase = ACCOUNT, .code = PAM_SUCCESS },
	{ "a mode that nobody knows is the strict one", "[demo]\narm = always\nmode = enforced\n", "", .phase = ACCOUNT, .code = PAM_AUTHINFO_UNAVAIL, .text = NO_CONFIG },
	{ "a header without an end", ENFORCE "[sshd\nmode = off\n", "", .phase = ACCOUNT, .code = PAM_AUTHINFO_UNAVAIL, .text = NO_CONFIG },
	{ "a key twice", ENFORCE "mode = audit\n", "", .phase = ACCOUNT, .code = PAM_AUTHINFO_UNAVAIL, .text = NO_CONFIG },
	{ "contraindicated cannot be permitted", ENFORCE "sources = cache [contraindicated=permit]\n", REFUSED, .phase = ACCOUNT, .code = PAM_AUTHINFO_UNAVAIL, .text = NO_CONFIG },
	{ "an option that nobody knows", ENFORCE, "", .args = "modus=off", .phase = ACCOUNT, .code = PAM_AUTHINFO_UNAVAIL, .text = NO_CONFIG },
	{ "no gate.conf", ENFORCE, "", .flags = NO_CONF, .phase = ACCOUNT, .code = PAM_AUTHINFO_UNAVAIL, .text = NO_CONFIG },
	{ "no gate.conf, mode=audit on the line", ENFORCE, "", .flags = NO_CONF, .args = "mode=audit", .phase = ACCOUNT, .code = IGNORED },
	{ "no gate.conf, a service that is never gated", ENFORCE, "", .service = "cron", .flags = NO_CONF, .phase = ACCOUNT, .code = IGNORED },

	/* Arming and kill switches. */
#define UNARMED "[demo]\nmode = enforce\n"
	{ "never affirming: enforce acts as audit", UNARMED, REFUSED, .phase = ACCOUNT, .code = IGNORED },
	{ "armed", UNARMED, REFUSED, .flags = ARMED, .phase = ACCOUNT, .code = PAM_PERM_DENIED, .text = NO_CMDLINE },
	{ "DISABLED is not for every door", ENFORCE, NULL, .flags = DISABLED, .phase = ACCOUNT, .code = PAM_AUTHINFO_UNAVAIL, .text = NO_ATTESTD },
	{ "DISABLED, kill_switch = all", ENFORCE "kill_switch = all\n", NULL, .flags = DISABLED, .phase = ACCOUNT, .code = IGNORED },
	{ "DISABLED does not beat a refusal", ENFORCE "kill_switch = all\n", REFUSED, .flags = DISABLED, .phase = ACCOUNT, .code = PAM_PERM_DENIED, .text = NO_CMDLINE },
	{ "attest=audit behind -- is not the kernel's", ENFORCE "kill_switch = all\n", NULL, .phase = ACCOUNT, .code = PAM_AUTHINFO_UNAVAIL, .text = NO_ATTESTD },
	{ "attest=audit on the command line", ENFORCE "kill_switch = all\n", NULL, .flags = CMDLINE, .phase = ACCOUNT, .code = IGNORED },
	{ "31: attest=audit does not beat a refusal", ENFORCE "kill_switch = all\n", REFUSED, .flags = CMDLINE, .phase = ACCOUNT, .code = PAM_PERM_DENIED, .text = NO_CMDLINE },
	{ "31: nor both, on the console", "[login]\nmode = enforce\narm = always\n", REFUSED, .service = "login", .tty = "tty1", .flags = ROOT | CMDLINE | DISABLED, .phase = ACCOUNT,
	    .code = PAM_PERM_DENIED, .text = NO_CMDLINE },
	{ "31: attest=audit is not for every door", ENFORCE, NULL, .flags = CMDLINE, .phase = ACCOUNT, .code = PAM_AUTHINFO_UNAVAIL, .text = NO_ATTESTD },
	{ "31: attest=audit on the console", "[login]\nmode = enforce\narm = always\n", NULL, .service = "login", .tty = "tty1", .flags = ROOT | CMDLINE, .phase = ACCOUNT, .code = IGNORED },
	{ "31: sshd has no console", "[sshd]\nmode = enforce\narm = always\n", NULL, .service = "sshd", .tty = "tty1", .flags = ROOT | CMDLINE | DISABLED, .phase = ACCOUNT,
	    .code = PAM_AUTHINFO_UNAVAIL, .text = NO_ATTESTD },
	{ "31: another word", ENFORCE "kill_switch = all\n", NULL, .cmdline = "ro xattest=audit attest=auditor attest=audit=1 attest.audit=1 ATTEST=audit\n", .phase = ACCOUNT,
	    .code = PAM_AUTHINFO_UNAVAIL, .text = NO_ATTESTD },
	{ "31: a refusal by quote is not beaten either", ENFORCE "kill_switch = all\n", NULL, "ok=yes state=contraindicated reason=cmdline-changed ref=7F3K-21QX", .flags = DISABLED | CMDLINE,
	    .phase = ACCOUNT, .code = PAM_PERM_DENIED, .text = NO_CMDLINE },
	{ "DISABLED on the console, for anybody", "[login]\nmode = enforce\narm = always\n", NULL, .service = "login", .tty = "tty1", .flags = ROOT | DISABLED, .phase = ACCOUNT, .code = IGNORED },

	/* Exemptions: decided with nothing running. */
	{ "cron is never gated", "[default]\nmode = enforce\narm = always\n", NULL, .service = "cron", .phase = ACCOUNT, .code = IGNORED },
	{ "unless a section names it", "[cron]\nmode = enforce\narm = always\n", NULL, .service = "cron", .phase = ACCOUNT, .code = PAM_AUTHINFO_UNAVAIL, .text = NO_ATTESTD },
	{ "break-glass group", ENFORCE, REFUSED, .user = "glen", .phase = ACCOUNT, .code = IGNORED },
	{ "break-glass group, auth", ENFORCE, REFUSED, .user = "glen", .phase = AUTH, .code = IGNORED },
	{ "break-glass group of another name", ENFORCE "breakglass_group = sudo\n", NULL, .user = "ada", .phase = ACCOUNT, .code = IGNORED },
	{ "a name that only begins like a member's", ENFORCE, NULL, .user = "gle", .phase = ACCOUNT, .code = PAM_AUTHINFO_UNAVAIL, .text = NO_ATTESTD },
	{ "exempt_user", ENFORCE "exempt_user = backup kim\n", NULL, .phase = ACCOUNT, .code = IGNORED },
	{ "18: no break-glass group, and a user without a name", ENFORCE "breakglass_group =\nexempt_user =\n", NULL, .user = "", .phase = ACCOUNT, .code = PAM_AUTHINFO_UNAVAIL, .text = NO_ATTESTD },
	{ "18: no break-glass group", ENFORCE "breakglass_group =\n", NULL, .user = "glen", .phase = ACCOUNT, .code = PAM_AUTHINFO_UNAVAIL, .text = NO_ATTESTD },
	{ "18: one that is not there", ENFORCE "breakglass_group = nobodys\n", NULL, .user = "glen", .phase = ACCOUNT, .code = PAM_AUTHINFO_UNAVAIL, .text = NO_ATTESTD },
	{ "18: nothing is a pattern", ENFORCE "breakglass_group = *\nexempt_user = * !lee ALL\n", NULL, .phase = ACCOUNT, .code = PAM_AUTHINFO_UNAVAIL, .text = NO_ATTESTD },
	{ "18: a list is no name", ENFORCE "breakglass_group = sudo attest-breakglass\n", NULL, .user = "glen", .phase = ACCOUNT, .code = PAM_AUTHINFO_UNAVAIL, .text = NO_ATTESTD },
	{ "sources without exempt", ENFORCE "sources = cache\nexempt_user = kim\n", REFUSED, .phase = ACCOUNT, .code = PAM_PERM_DENIED, .text = NO_CMDLINE },
#define LOGIN "[login]\nmode = enforce\narm = always\n"
	{ "root on tty1", LOGIN, NULL, .service = "login", .user = "root", .tty = "/dev/tty1", .flags = ROOT, .phase = ACCOUNT, .code = IGNORED },
	{ "a member of sudo on tty63", LOGIN, REFUSED, .service = "login", .user = "ada", .tty = "tty63", .flags = ROOT, .phase = ACCOUNT, .code = IGNORED },
	{ "whose primary group is sudo", LOGIN, NULL, .service = "login", .user = "eve", .tty = "tty2", .flags = ROOT, .phase = ACCOUNT, .code = IGNORED },
	{ "no administrator on tty1", LOGIN, NULL, .service = "login", .tty = "tty1", .flags = ROOT, .phase = ACCOUNT, .code = PAM_AUTHINFO_UNAVAIL, .text = NO_ATTESTD },
	{ "there is no tty64", LOGIN, NULL, .service = "login", .user = "root", .tty = "tty64", .flags = ROOT, .phase = ACCOUNT, .code = PAM_AUTHINFO_UNAVAIL, .text = NO_ATTESTD },
	{ "a serial line is none unless listed", LOGIN, NULL, .service = "login", .user = "root", .tty = "ttyS0", .flags = ROOT, .phase = ACCOUNT, .code = PAM_AUTHINFO_UNAVAIL, .text = NO_ATTESTD },
	{ "nor a hypervisor's", LOGIN, NULL, .service = "login", .user = "root", .tty = "hvc0", .flags = ROOT, .phase = ACCOUNT, .code = PAM_AUTHINFO_UNAVAIL, .text = NO_ATTESTD },
	{ "a serial line that is listed", LOGIN "console_ttys = ttyS0 hvc0\n", REFUSED, .service = "login", .user = "root", .tty = "/dev/ttyS0", .flags = ROOT, .phase = ACCOUNT, .code = IGNORED },
	{ "a service that lists its console", "[kiosk]\nmode = enforce\narm = always\nconsole_ttys = tty7\n", REFUSED, .service = "kiosk", .user = "ada", .tty = "tty7", .flags = ROOT,
	    .phase = ACCOUNT, .code = IGNORED },
	{ "and one that does not", "[kiosk]\nmode = enforce\narm = always\n[default]\nconsole_ttys = tty7\n", REFUSED, .service = "kiosk", .user = "ada", .tty = "tty7", .flags = ROOT,
	    .phase = ACCOUNT, .code = PAM_PERM_DENIED, .text = NO_CMDLINE },
	{ "console_ttys", LOGIN "console_ttys = ttyS0 hvc0\n", NULL, .service = "login", .user = "root", .tty = "hvc0", .flags = ROOT, .phase = ACCOUNT, .code = IGNORED },
	{ "from afar it is no console", LOGIN, NULL, .service = "login", .user = "root", .tty = "tty1", .rhost = "192.0.2.7", .flags = ROOT, .phase = ACCOUNT, .code = PAM_AUTHINFO_UNAVAIL, .text = NO_ATTESTD },
	{ "nor is it in sshd", "[sshd]\nmode = enforce\narm = always\nconsole_ttys = ssh\n", NULL, .service = "sshd", .user = "root", .tty = "tty1", .flags = ROOT, .phase = ACCOUNT, .code = PAM_AUTHINFO_UNAVAIL, .text = NO_ATTESTD },
	{ "nor for a caller who is not root", LOGIN, NULL, .service = "login", .user = "root", .tty = "tty1", .flags = CALLER, .phase = ACCOUNT, .code = PAM_AUTHINFO_UNAVAIL, .text = NO_ATTESTD },
#define SUDO "[sudo sudo-i]\nmode = enforce\narm = always\n"
#define SU "[su su-l]\nmode = enforce\narm = always\nconsole_ttys = pts/0\n"
	{ "44: su - </dev/tty2, by a user", SU, REFUSED, .service = "su-l", .user = "root", .tty = "/dev/tty2", .flags = CALLER, .phase = ACCOUNT,
	    .code = PAM_PERM_DENIED, .text = NO_CMDLINE },
	{ "44: su on a line that console_ttys names", SU, REFUSED, .service = "su", .user = "ada", .tty = "pts/0", .flags = CALLER, .phase = ACCOUNT,
	    .code = PAM_PERM_DENIED, .text = NO_CMDLINE },
	{ "44: sudo </dev/tty2, by an administrator", SUDO "console_ttys = tty2\n", REFUSED, .service = "sudo", .user = "ada", .tty = "/dev/tty2", .flags = CALLER,
	    .phase = ACCOUNT, .code = PAM_PERM_DENIED, .text = NO_CMDLINE },
	{ "44: an administrator who started login himself", LOGIN, REFUSED, .service = "login", .user = "ada", .tty = "/dev/tty2", .flags = CALLER, .phase = ACCOUNT,
	    .code = PAM_PERM_DENIED, .text = NO_CMDLINE },
	{ "44: /dev/pts/../tty2 is no console", LOGIN, REFUSED, .service = "login", .user = "root", .tty = "/dev/pts/../tty2", .flags = ROOT, .phase = ACCOUNT,
	    .code = PAM_PERM_DENIED, .text = NO_CMDLINE },
	{ "44: nor is tty2 and more", LOGIN, REFUSED, .service = "login", .user = "root", .tty = "tty2 x", .flags = ROOT, .phase = ACCOUNT,
	    .code = PAM_PERM_DENIED, .text = NO_CMDLINE },
	/* This machine's NSS knows daemon as a member of daemon; the files named in gate.conf do not. */
	{ "44: a break-glass group that only NSS knows", ENFORCE "breakglass_group = daemon\n", REFUSED, .user = "daemon", .phase = ACCOUNT,
	    .code = PAM_PERM_DENIED, .text = NO_CMDLINE },
	{ "44: a group file that others may write", ENFORCE, REFUSED, .user = "glen", .flags = OPEN_GROUP, .phase = ACCOUNT,
	    .code = PAM_PERM_DENIED, .text = NO_CMDLINE },
	{ "44: a group file of the overflow uid's", ENFORCE, REFUSED, .user = "glen", .flags = NOBODYS_GROUP, .phase = ACCOUNT,
	    .code = PAM_PERM_DENIED, .text = NO_CMDLINE },
	{ "root's own su", SU, REFUSED, .service = "su", .user = "ada", .flags = ROOT, .phase = ACCOUNT, .code = IGNORED },
	{ "root's own su -", SU, REFUSED, .service = "su-l", .user = "ada", .flags = ROOT, .phase = ACCOUNT, .code = IGNORED },
	{ "root's own sudo, in a section that others share", ENFORCE, REFUSED, .service = "sudo", .args = "service=demo", .flags = ROOT, .phase = ACCOUNT, .code = IGNORED },
	{ "sshd with sudo's section is no sudo", SUDO, REFUSED, .service = "sshd", .args = "service=sudo", .flags = ROOT, .phase = ACCOUNT,
	    .code = PAM_PERM_DENIED, .text = NO_CMDLINE },
	{ "nor a cron with cron's", "[default]\nmode = enforce\narm = always\n", REFUSED, .service = "sshd", .args = "service=cron", .flags = ROOT, .phase = ACCOUNT,
	    .code = PAM_PERM_DENIED, .text = NO_CMDLINE },
	{ "nor a console with login's", LOGIN, REFUSED, .service = "sshd", .args = "service=login", .user = "root", .tty = "tty1", .flags = ROOT, .phase = ACCOUNT,
	    .code = PAM_PERM_DENIED, .text = NO_CMDLINE },
	{ "root's own sudo", SUDO, REFUSED, .service = "sudo", .flags = ROOT, .phase = ACCOUNT, .code = IGNORED },
	{ "a user's sudo", SUDO, REFUSED, .service = "sudo-i", .flags = CALLER, .phase = ACCOUNT, .code = PAM_PERM_DENIED, .text = NO_CMDLINE },
};

static struct world w;
static char said[1024];

static int
listen_in(int n, const struct pam_message **msg, struct pam_response **answers, void *arg)
{
	const struct row *r = arg;
	const char *typed = NULL;

	*answers = calloc((size_t)n, sizeof(**answers));
	ck_assert_ptr_nonnull(*answers);
	/* pam_debug speaks as well. */
	for (int i = 0; i < n; i++) {
		if (!strncmp(msg[i]->msg, "attest: ", 8))
			strncat(said, msg[i]->msg, sizeof(said) - strlen(said) - 1);
		if (msg[i]->msg_style != PAM_PROMPT_ECHO_ON)
			continue;
		if (!strcmp(msg[i]->msg, "attest-peer: "))
			typed = r->peer;
		else if (!strcmp(msg[i]->msg, "attest-passport vpn.example for kim: "))
			typed = r->code_typed;
		if (!typed)
			return PAM_CONV_ERR;
		(*answers)[i].resp = strdup(typed);
	}
	return PAM_SUCCESS;
}

static void
set_lease(const struct row *r)
{
	char path[128], link[128];

	world_lease(&w, r->lease);
	snprintf(path, sizeof(path), "%s/run/lease", w.dir);
	snprintf(link, sizeof(link), "%s/run/elsewhere", w.dir);
	if (r->flags & OPEN_LEASE)
		ck_assert_int_eq(chmod(path, 0666), 0);
	if (r->flags & FOREIGN_LEASE)
		ck_assert_int_eq(chown(path, 1000, 1000), 0);
	if (r->flags & LEASE_LINK)
		ck_assert(!rename(path, link) && !symlink(link, path));
}

static void
set_stage(const struct row *r)
{
	char path[128], stack[4096], module[512], link[128], group[128];
	const char *build = getenv("top_builddir");

	snprintf(module, sizeof(module), "%s/.libs/pam_attest.so", build ? build : ".");
	snprintf(stack, sizeof(stack), STACK, module, w.dir, r->args ? r->args : "");
	snprintf(path, sizeof(path), "pam.d/%s", r->service ? r->service : "demo");
	world_file(&w, path, stack);
	world_file(&w, "pam.d/other", "auth required pam_deny.so\n");
	if (r->flags & NOBODYS)
		w.owner = 65534;
	if (r->flags & (KIMS | NAMELESS)) {
		w.owner = 1000;
		w.owner_name = r->flags & KIMS ? "kim" : "kimberly";
	}
	world_conf(&w, r->conf);
	snprintf(path, sizeof(path), "%s/gate.conf", w.dir);
	if (r->flags & NO_CONF)
		unlink(path);
	if (r->record)
		world_record(&w, r->record);
	if (r->lease)
		set_lease(r);
	snprintf(path, sizeof(path), "%s/run/verdict", w.dir);
	snprintf(link, sizeof(link), "%s/run/elsewhere", w.dir);
	if (r->flags & WRITABLE)
		ck_assert_int_eq(chmod(path, 0664), 0);
	if (r->flags & (NOBODYS | KIMS | NAMELESS))
		ck_assert_int_eq(chown(path, w.owner, w.owner), 0);
	snprintf(group, sizeof(group), "%s/group", w.dir);
	if (r->flags & OPEN_GROUP)
		ck_assert_int_eq(chmod(group, 0664), 0);
	if (r->flags & NOBODYS_GROUP)
		ck_assert_int_eq(chown(group, 65534, 65534), 0);
	if (r->flags & LINK)
		ck_assert(!rename(path, link) && !symlink(link, path));
	if (r->flags & DISABLED)
		world_file(&w, "DISABLED", "");
	if (r->flags & ARMED)
		world_file(&w, "state/armed", "");
	if (r->flags & CMDLINE)
		world_file(&w, "cmdline", "BOOT_IMAGE=/vmlinuz ro attest=audit quiet\n");
	if (r->cmdline)
		world_file(&w, "cmdline", r->cmdline);
	if (r->attestd)
		world_attestd(&w, r->attestd);
}

static int
call(const struct row *r, int *code)
{
	static int (*const entry[])(pam_handle_t *, int) = {
		[AUTH] = pam_authenticate, [ACCOUNT] = pam_acct_mgmt, [SESSION] = pam_open_session,
	};
	const struct pam_conv conv = { .conv = listen_in, .appdata_ptr = (void *)(uintptr_t)r };
	pam_handle_t *pamh;
	char dir[128];

	snprintf(dir, sizeof(dir), "%s/pam.d", w.dir);
	if (pam_start_confdir(r->service ? r->service : "demo", r->user ? r->user : "kim", &conv, dir, &pamh) != PAM_SUCCESS)
		return -1;
	if (r->tty)
		pam_set_item(pamh, PAM_TTY, r->tty);
	if (r->rhost)
		pam_set_item(pamh, PAM_RHOST, r->rhost);
	*code = entry[r->phase](pamh, r->flags & QUIET ? PAM_SILENT : 0);
	return pam_end(pamh, *code);
}

START_TEST(decides)
{
	const struct row *r = &rows[_i];
	int64_t start;
	int code = -1;

	if ((r->flags & (ROOT | CALLER | NOBODYS | NOBODYS_GROUP | FOREIGN_LEASE)) && getuid() != 0) {
		printf("SKIP: %s: needs root\n", r->label);
		return;
	}
	set_stage(r);
	if (r->flags & CALLER)
		ck_assert_int_eq(setresuid(65534, 0, 0), 0);
	start = clock_mono();
	ck_assert_int_eq(call(r, &code), 0);
	ck_assert_msg(code == r->code, "%s: PAM code %d, wanted %d; said: %s", r->label, code, r->code, said);
	ck_assert_msg(r->text ? world_like(said, r->text) : !said[0], "%s: said \"%s\", wanted \"%s\"", r->label, said, r->text ? r->text : "");
	ck_assert_msg(clock_mono() - start < 2500, "%s: took %lld ms", r->label, (long long)(clock_mono() - start));
}
END_TEST

/* Applications call PAM on small stacks: ocserv on one of 96 KiB, where nothing stops who needs more. */
enum { SMALL_STACK = 64 << 10 };

struct on_stack { const struct row *row; int code, rc; };

static void *
call_there(void *arg)
{
	struct on_stack *s = arg;

	s->rc = call(s->row, &s->code);
	return NULL;
}

START_TEST(fits_a_small_stack)
{
	static const struct row row = { "stack", PASSPORT, "", GOOD_PEER, .code_typed = CODE, .phase = ACCOUNT, .args = "debug explain" };
	struct on_stack s = { .row = &row };
	pthread_attr_t attr;
	pthread_t thread;

#if defined(__SANITIZE_ADDRESS__)
	printf("SKIP: a sanitizer's stack frames are larger\n");
	return;
#endif
	set_stage(&row);
	world_file(&w, "gate.conf.d/10.conf", "[demo]\nmessage = ask kim\n");
	ck_assert(!pthread_attr_init(&attr) && !pthread_attr_setstacksize(&attr, SMALL_STACK));
	ck_assert_int_eq(pthread_create(&thread, &attr, call_there, &s), 0);
	pthread_join(thread, NULL);
	ck_assert_int_eq(s.rc, 0);
	ck_assert_int_eq(s.code, PAM_SUCCESS);
}
END_TEST

/* Row 26: alone in the auth stack under any control word, an affirming host logs nobody in. */
START_TEST(never_authenticates)
{
	static const char *const controls[] = { "sufficient", "optional", "required", "requisite" };
	static const struct row r = { "26", ENFORCE, "", .phase = AUTH };

	for (size_t i = 0; i < COUNT(controls); i++)
		for (int alone = 0; alone < 2; alone++) {
			char stack[1024];
			int code = -1;

			set_stage(&r);
			snprintf(stack, sizeof(stack), "auth %s %s/.libs/pam_attest.so conf=%s/gate.conf\n%s", controls[i], getenv("top_builddir"), w.dir,
			    alone ? "" : "auth required pam_debug.so auth=auth_err\n");
			world_file(&w, "pam.d/demo", stack);
			ck_assert_int_eq(call(&r, &code), 0);
			ck_assert_msg(code != PAM_SUCCESS, "auth %s, %s: logged in", controls[i], alone ? "alone" : "wrong password");
		}
}
END_TEST

/* Services that run on their own or cannot refuse well, on a refused host: let alone, until a section names them. */
static const char *const never_gated[] = { "cron", "crond", "atd", "systemd-user", "gdm-launch-environment", "gdm-autologin", "runuser", "runuser-l",
	"chfn", "chsh", "passwd", "other" };

START_TEST(is_never_gated)
{
	struct row r = { "never gated", "[default]\nmode = enforce\narm = always\n", REFUSED, .service = never_gated[_i], .phase = ACCOUNT };
	char conf[128];
	int code = -1;

	set_stage(&r);
	if (!strcmp(never_gated[_i], "other")) {
		char stack[2048];

		/* set_stage() has its own for it. */
		snprintf(stack, sizeof(stack), "account [success=done ignore=ignore default=die] %s/.libs/pam_attest.so conf=%s/gate.conf\n"
		    "account requisite pam_debug.so acct=acct_expired\n", getenv("top_builddir"), w.dir);
		world_file(&w, "pam.d/other", stack);
	}
	ck_assert_int_eq(call(&r, &code), 0);
	ck_assert_msg(code == IGNORED && !said[0], "%s: PAM code %d: %s", never_gated[_i], code, said);
	snprintf(conf, sizeof(conf), "[%s]\nmode = enforce\narm = always\n", never_gated[_i]);
	world_conf(&w, conf);
	ck_assert_int_eq(call(&r, &code), 0);
	ck_assert_msg(code == PAM_PERM_DENIED, "%s, named by a section: PAM code %d", never_gated[_i], code);
}
END_TEST

/* setcred and close_session have nothing to do, and say so. */
START_TEST(rest_is_ignored)
{
	static const struct row r = { "rest", ENFORCE, REFUSED, .phase = ACCOUNT };
	const struct pam_conv conv = { .conv = listen_in };
	pam_handle_t *pamh;
	char dir[128], stack[1024];

	set_stage(&r);
	snprintf(stack, sizeof(stack), "auth [ignore=ignore default=die] %1$s/.libs/pam_attest.so conf=%2$s/gate.conf\nauth required pam_debug.so cred=acct_expired\n"
	    "session [ignore=ignore default=die] %1$s/.libs/pam_attest.so conf=%2$s/gate.conf\nsession required pam_debug.so close_session=acct_expired\n",
	    getenv("top_builddir"), w.dir);
	world_file(&w, "pam.d/demo", stack);
	snprintf(dir, sizeof(dir), "%s/pam.d", w.dir);
	ck_assert_int_eq(pam_start_confdir("demo", "kim", &conv, dir, &pamh), PAM_SUCCESS);
	ck_assert_int_eq(pam_setcred(pamh, PAM_ESTABLISH_CRED), PAM_ACCT_EXPIRED);
	ck_assert_int_eq(pam_close_session(pamh, 0), PAM_ACCT_EXPIRED);
	ck_assert_str_eq(said, "");
	pam_end(pamh, PAM_SUCCESS);
}
END_TEST

static void
before(void)
{
	said[0] = '\0';
	world_open(&w);
}

static void
after(void)
{
	world_close(&w);
}

static void
add(TCase *tc)
{
	tcase_set_timeout(tc, 30);
	tcase_add_checked_fixture(tc, before, after);
	tcase_add_loop_test(tc, decides, 0, COUNT(rows));
	tcase_add_test(tc, never_authenticates);
	tcase_add_loop_test(tc, is_never_gated, 0, COUNT(never_gated));
	tcase_add_test(tc, rest_is_ignored);
	tcase_add_test(tc, fits_a_small_stack);
}

int
main(void)
{
	return unit_run("pam", add);
}
