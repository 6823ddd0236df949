/* Recorded boots and quotes: do they replay and verify, and are the same and other boots told apart? */
#include <dirent.h>
#include "appraise.h"
#include "json.h"
#include "made_log.h"



/* --- recorded boots --- */

/* The values that the guest read from its TPM, over those of the log's replay: PCRs that no log has. */
static bool
guest_values(const char *variant, struct replay *all)
{
	struct error e = { .code = ERR_NONE };
	own(json) struct json *pcrs = NULL;
	size_t len;
	own(mem) uint8_t *text = vm_file(variant, "pcrs.json", &len);

	*all = (struct replay){ 0 };
	if (!text)
		return false;
	ck_assert_msg(json_parse((char *)text, len, &pcrs, &e), "%s: %s", variant, e.why);
	for (enum bank b = 0; b < BANK_COUNT; b++) {
		const struct json *values;

		if (!json_has(pcrs, bank_word(b)))
			continue;
		ck_assert(json_sub(pcrs, bank_word(b), &values, &e));
		for (unsigned pcr = 0; pcr < PCR_COUNT; pcr++) {
			char key[8];

			snprintf(key, sizeof(key), "%u", pcr);
			ck_assert_msg(json_hex(values, key, all->value[b][pcr], bank_size(b), &e), "%s", e.why);
			all->extended[b] |= 1u << pcr;
		}
	}
	return true;
}

static bool
is_recorded(const char *variant)
{
	size_t len = 0;
	own(mem) uint8_t *log = vm_file(variant, "binary_bios_measurements", &len);

	return log && len;
}

/* Those that tests/vm left have values of PCRs alone. */
static bool
has_quotes(const char *variant)
{
	size_t len = 0;
	own(mem) uint8_t *selection = vm_file(variant, "q/selection", &len);

	return selection != NULL;
}

/* Replay against the guest's PCRs, wherever the log extends one. */
static bool
boot_replays(const char *variant, struct replay *r, const struct replay *guest)
{
	own(eventlog) struct eventlog log = { 0 };
	struct error e = { .code = ERR_NONE };
	unsigned compared = 0;

	vm_log(variant, &log);
	ck_assert(eventlog_replay(&log, r, &e));
	for (enum bank b = 0; b < BANK_COUNT; b++)
		for (unsigned pcr = 0; pcr < PCR_COUNT; pcr++) {
			if (!(r->extended[b] & guest->extended[b] & 1u << pcr))
				continue;
			if (memcmp(r->value[b][pcr], guest->value[b][pcr], bank_size(b)))
				return printf("%s: %s:%u differs\n", variant, bank_word(b), pcr), false;
			compared++;
		}
	return compared >= 7;
}

/* The quote verifies under its key, and its digest is that of the replay (and of PCRs that have no log). */
static bool
quote_holds(const char *variant, const char *kind, const struct replay *r, const struct replay *guest)
{
	struct replay both = *guest;
	struct error e = { .code = ERR_NONE };
	struct verify_key *key = NULL;
	struct tpm_signature sig;
	struct quote q;
	uint8_t out[DIGEST_MAX];
	size_t attest_len, sig_len, pem_len, n;
	char name[64];
	bool ok;

	snprintf(name, sizeof(name), "q/quote-%s.attest", kind);
	own(mem) uint8_t *attest = vm_file(variant, name, &attest_len);
	snprintf(name, sizeof(name), "q/quote-%s.sig", kind);
	own(mem) uint8_t *sigbuf = vm_file(variant, name, &sig_len);
	snprintf(name, sizeof(name), "q/ak-%s.pem", kind);
	own(mem) uint8_t *pem = vm_file(variant, name, &pem_len);
	ck_assert(attest && sigbuf && pem);
	for (enum bank b = 0; b < BANK_COUNT; b++)
		for (unsigned pcr = 0; pcr < PCR_COUNT; pcr++)
			if (r->extended[b] & 1u << pcr)
				memcpy(both.value[b][pcr], r->value[b][pcr], DIGEST_MAX);
	ok = quote_read(attest, attest_len, &q, &e) && q.magic == TPM_GENERATED && q.type == TPM_ST_ATTEST_QUOTE &&
	    signature_read(sigbuf, sig_len, &sig, &e) && verify_key_open_pem((char *)pem, pem_len, &key, &e) &&
	    verify_key_check(key, &sig, attest, attest_len, &e) &&
	    replay_digest(&both, &q.selection, sig.hash, out, &n, &e) && n == q.pcr_digest_len &&
	    !memcmp(out, q.pcr_digest, n);
	verify_key_free(key);
	if (!ok)
		printf("%s: quote by %s: %s\n", variant, kind, e.code ? e.why : "digest differs");
	return ok;
}

struct vm_tally { unsigned boots, replay, quotes, hold; };

static void
recorded_boot(const char *variant, struct vm_tally *t)
{
	struct replay r, guest;

	if (variant[0] == '.' || !is_recorded(variant) || !guest_values(variant, &guest))
		return;
	t->boots++;
	t->replay += boot_replays(variant, &r, &guest);
	if (!has_quotes(variant))
		return;
	t->quotes += 2;
	t->hold += quote_holds(variant, "ecc", &r, &guest) + quote_holds(variant, "rsa", &r, &guest);
}

START_TEST(recorded_boots_replay_and_quote)
{
	const char *corpus = unit_corpus(), *top = getenv("top_srcdir");
	struct vm_tally t = { 0 };
	char path[1024];
	struct dirent *d;
	DIR *dir;

	/* The corpus has all of them; without it those that are kept here. */
	if (corpus)
		snprintf(path, sizeof(path), "%s/vm", corpus);
	else
		snprintf(path, sizeof(path), "%s/tests/data/vm", top ? top : ".");
	dir = opendir(path);
	ck_assert_ptr_nonnull(dir);
	while ((d = readdir(dir)))
		recorded_boot(d->d_name, &t);
	closedir(dir);
	printf("recorded boots: %u of %u replay to the guest's PCRs; quotes: %u of %u verify and have that digest\n",
	    t.replay, t.boots, t.hold, t.quotes);
	ck_assert_uint_eq(t.replay, t.boots);
	ck_assert_uint_eq(t.hold, t.quotes);
	ck_assert_uint_ge(t.boots, 14);
}
END_TEST

/* --- told apart --- */

enum { DEFAULT_PCRS = 1u << 0 | 1u << 2 | 1u << 4 | 1u << 7 | 1u << 8 | 1u << 9 | 1u << 11 | 1u << 12 | 1u << 14 };

static void
capture(const char *variant, struct known_set *known)
{
	own(eventlog) struct eventlog log = { 0 };
	struct error e = { .code = ERR_NONE };

	vm_log(variant, &log);
	*known = (struct known_set){ .active = true, .own_host = true };
	snprintf(known->label, sizeof(known->label), "%s", variant);
	ck_assert(set_capture(&log, BANK_SHA256, DEFAULT_PCRS, &known->set, &e));
}

/* A quote as the guest's TPM would have given it for the default selection; its rows have held. */
static void
quoted(const char *variant, struct quote *q, struct verdict *v)
{
	struct error e = { .code = ERR_NONE };
	struct replay guest;

	*q = (struct quote){ .selection = { .count = 1, .bank = { { 0x000b, DEFAULT_PCRS } } } };
	ck_assert(guest_values(variant, &guest));
	ck_assert(replay_digest(&guest, &q->selection, BANK_SHA256, q->pcr_digest, &q->pcr_digest_len, &e));
	*v = (struct verdict){ .state = STATE_CONTRAINDICATED, .reason = REASON_POLICY_FAILED };
	v->claim[CLAIM_INSTANCE_IDENTITY] = 2;
}

static const struct { const char *known, *booted; enum reason reason; const char *first; enum severity severity; } pairs[] = {
	/* the same boot again, with another memory layout, another variable store */
	{ "sb-shimgrub-a", "sb-shimgrub-a",     REASON_OK, NULL, SEVERITY_INFO },
	{ "sb-shimgrub-a", "sb-shimgrub-b",     REASON_OK, NULL, SEVERITY_INFO },
	{ "sb-shimgrub-b", "sb-shimgrub-a",     REASON_OK, NULL, SEVERITY_INFO },
	{ "sb-shimgrub-a", "sb-shimgrub-vars1", REASON_OK, NULL, SEVERITY_INFO },
	{ "direct-51-a",   "direct-51-b",       REASON_OK, NULL, SEVERITY_INFO },
	{ "direct-51-b",   "direct-51-a",       REASON_OK, NULL, SEVERITY_INFO },
	{ "sdboot-1",      "sdboot-2",          REASON_OK, NULL, SEVERITY_INFO },
	{ "sdboot-2",      "sdboot-1",          REASON_OK, NULL, SEVERITY_INFO },
	{ "sdboot-uki",    "sdboot-uki",        REASON_OK, NULL, SEVERITY_INFO },
	{ "sb-uki",        "sb-uki",            REASON_OK, NULL, SEVERITY_INFO },
	/* others */
	{ "sb-shimgrub-a", "sb-shimgrub-cmd",   REASON_CMDLINE_CHANGED,    "kernel command line: + audit=0 + pam_attest.changed=1", SEVERITY_ALARMING },
	{ "sb-shimgrub-cmd", "sb-shimgrub-a",   REASON_CMDLINE_CHANGED,    "kernel command line: - audit=0 - pam_attest.changed=1", SEVERITY_ALARMING },
	{ "sb-shimgrub-a", "sb-shimgrub-k56",   REASON_KERNEL_CHANGED,     "kernel /vmlinuz has another content, signer unchanged", SEVERITY_UNKNOWN },
	{ "sb-shimgrub-a", "sb-shimgrub-mem1g", REASON_FIRMWARE_CHANGED,   "firmware volume (917504 bytes at 0x820000) has another content", SEVERITY_UNKNOWN },
	{ "sb-shimgrub-a", "shimgrub-nosb-linuxefi", REASON_SECUREBOOT_CHANGED, "Secure Boot was turned off", SEVERITY_ALARMING },
	{ "direct-51-a",   "direct-51-cmd",     REASON_CMDLINE_CHANGED,    "the kernel command line changed; its words are not in the log", SEVERITY_UNKNOWN },
	{ "direct-51-a",   "direct-56",         REASON_KERNEL_CHANGED,     "kernel has another content, not checked by Secure Boot", SEVERITY_UNKNOWN },
	{ "direct-51-a",   "sdboot-1",          REASON_CMDLINE_CHANGED,    "the kernel command line changed; its words are not in the log", SEVERITY_UNKNOWN },
	{ "sdboot-1",      "sdboot-uki",        REASON_CMDLINE_CHANGED,    "kernel command line: - initrd=", SEVERITY_UNKNOWN },
	{ "sdboot-1",      "sb-shimgrub-a",     REASON_FIRMWARE_CHANGED,   "firmware volume (", SEVERITY_UNKNOWN },
	/* one machine: an update of dbx by the guest, the same taken back, Secure Boot off in the firmware's setup */
	{ "sb-sdboot",     "sb-sdboot-dbx",     REASON_SECUREBOOT_CHANGED, "dbx: 1 -> 2 entries, 1 added, none removed", SEVERITY_BENIGN_LIKELY },
	{ "sb-sdboot-dbx", "sb-sdboot",         REASON_SECUREBOOT_CHANGED, "dbx: 2 -> 1 entries, none added, 1 removed", SEVERITY_ALARMING },
	{ "sb-sdboot",     "sb-sdboot-off",     REASON_SECUREBOOT_CHANGED, "Secure Boot was turned off", SEVERITY_ALARMING },
};

START_TEST(boots_are_told_apart)
{
	own(eventlog) struct eventlog log = { 0 };
	static struct policy policy;
	struct host_facts host = { .known = true, .active = true };
	struct boot_evidence boot = { .log_sent = true, .log_len = 1, .log = &log };
	struct known_set known;
	struct verdict *v = malloc(sizeof(*v));
	struct quote q;

	ck_assert_ptr_nonnull(v);
	capture(pairs[_i].known, &known);
	vm_log(pairs[_i].booted, &log);
	quoted(pairs[_i].booted, &q, v);
	policy_default(&policy);
	for (unsigned i = 0; i < PCR_COUNT; i++)
		policy.pcr[i].mode = q.selection.bank[0].pcrs & 1u << i ? PCR_MODE_EVENTS : PCR_MODE_NONE;
	appraise_boot(&boot, &q, BANK_SHA256, &host, &policy, &known, 1, v);
	ck_assert(v->replayed);
	ck_assert_msg(v->reason == pairs[_i].reason, "%s under %s: %s (%s)", pairs[_i].booted, pairs[_i].known,
	    reason_code(v->reason), v->findings.count ? v->findings.list[0].text : "");
	ck_assert_int_eq(v->state, reason_state(v->reason));
	if (v->reason == REASON_OK) {
		ck_assert_str_eq(v->references, pairs[_i].known);
		ck_assert_uint_eq(v->findings.count, 0);
	} else {
		ck_assert_msg(!strncmp(v->findings.list[0].text, pairs[_i].first, strlen(pairs[_i].first)), "%s under %s: %s",
		    pairs[_i].booted, pairs[_i].known, v->findings.list[0].text);
		ck_assert_int_eq(v->findings.list[0].code, v->reason);
		ck_assert_msg(v->findings.list[0].severity == pairs[_i].severity, "%s under %s: %s", pairs[_i].booted, pairs[_i].known,
		    severity_word(v->findings.list[0].severity));
		ck_assert_str_eq(v->nearest, pairs[_i].known);
		ck_assert_uint_gt(v->differs, 0);
		printf("%s under %s: %s: %s\n", pairs[_i].booted, pairs[_i].known, reason_code(v->reason), v->findings.list[0].text);
	}
	set_free(&known.set);
	free(v);
}
END_TEST

/* --- a fleet: one machine captured, this one with its own part beside it --- */

static const struct { const char *fleet, *own, *booted; enum reason reason; const char *first; } fleets[] = {
	{ "sb-shimgrub-a", "sb-shimgrub-cmd", "sb-shimgrub-cmd", REASON_OK, NULL },
	{ "sb-shimgrub-a", NULL,              "sb-shimgrub-cmd", REASON_NO_REFERENCE, "no reference set is active for this host: the nearest" },
	/* the captured machine's boot to the last digest, whatever its own part is: an old kernel may be started again */
	{ "sb-shimgrub-a", "sb-shimgrub-cmd", "sb-shimgrub-b",   REASON_OK, NULL },
	{ "sb-shimgrub-a", NULL,              "sb-shimgrub-b",   REASON_OK, NULL },
	{ "sb-shimgrub-k56", "sb-shimgrub-cmd", "sb-shimgrub-a", REASON_CMDLINE_CHANGED, "kernel command line: -" },
	{ "sb-shimgrub-a", "sb-shimgrub-cmd", "sb-shimgrub-k56", REASON_CMDLINE_CHANGED, "" },         /* and the kernel, behind it */
	/* its own part names a kernel that nobody grants */
	{ "sb-shimgrub-a", "sb-shimgrub-k56", "sb-shimgrub-k56", REASON_KERNEL_CHANGED, "" },
	{ "sb-shimgrub-a", "sb-shimgrub-cmd", "shimgrub-nosb-linuxefi", REASON_SECUREBOOT_CHANGED, "Secure Boot was turned off" },
	{ "sdboot-1",      "sdboot-2",        "sdboot-1",        REASON_OK, NULL },
	{ "direct-51-a",   "direct-51-cmd",   "direct-51-cmd",   REASON_OK, NULL },
	{ "direct-51-a",   "direct-51-cmd",   "direct-51-b",     REASON_OK, NULL },
	{ "direct-56",     "direct-51-cmd",   "direct-51-b",     REASON_KERNEL_CHANGED, "" },      /* and its words, behind it */
};

START_TEST(row_28_a_fleet_is_told_apart)
{
	own(eventlog) struct eventlog log = { 0 }, own_log = { 0 };
	static struct policy policy;
	struct host_facts host = { .known = true, .active = true };
	struct boot_evidence boot = { .log_sent = true, .log_len = 1, .log = &log };
	struct known_set known[2] = { { .active = false } };
	struct error e = { .code = ERR_NONE };
	struct verdict *v = malloc(sizeof(*v));
	struct quote q;

	ck_assert_ptr_nonnull(v);
	capture(fleets[_i].fleet, &known[0]);
	known[0].own_host = false;
	if (fleets[_i].own) {
		vm_log(fleets[_i].own, &own_log);
		known[1] = (struct known_set){ .active = true, .own_host = true, .label = "own" };
		ck_assert(set_capture_some(&own_log, BANK_SHA256, DEFAULT_PCRS, &(struct set_want){ .host_part = true },
		    &known[1].set, &e));
	}
	vm_log(fleets[_i].booted, &log);
	quoted(fleets[_i].booted, &q, v);
	policy_default(&policy);
	for (unsigned i = 0; i < PCR_COUNT; i++)
		policy.pcr[i].mode = q.selection.bank[0].pcrs & 1u << i ? PCR_MODE_EVENTS : PCR_MODE_NONE;
	appraise_boot(&boot, &q, BANK_SHA256, &host, &policy, known, fleets[_i].own ? 2 : 1, v);
	ck_assert_msg(v->reason == fleets[_i].reason, "%s beside %s: %s (%s)", fleets[_i].booted, fleets[_i].own ? fleets[_i].own : "nothing",
	    reason_code(v->reason), v->findings.count ? v->findings.list[0].text : "");
	if (fleets[_i].first)
		ck_assert_msg(!strncmp(v->findings.list[0].text, fleets[_i].first, strlen(fleets[_i].first)), "%s", v->findings.list[0].text);
	set_free(&known[0].set);
	set_free(&known[1].set);
	free(v);
}
END_TEST

static void
add(TCase *tc)
{
	tcase_add_test(tc, recorded_boots_replay_and_quote);
	tcase_add_loop_test(tc, boots_are_told_apart, 0, COUNT(pairs));
	tcase_add_loop_test(tc, row_28_a_fleet_is_told_apart, 0, COUNT(fleets));
}

int main(void) { return unit_run("recorded", add); }
