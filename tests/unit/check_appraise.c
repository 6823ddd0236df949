/* Rows of the quote and of the boot, each with what must fail it. Quotes are signed here by a software key. */
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include "appraise.h"
#include "check_ima.h"
#include "made_log.h"
#include "tails.h"

static const uint8_t extra[SHA256_SIZE] = "what the host has to sign 012345";
#define BOOT_A "aaaaaaaa-0000-4000-8000-000000000001"
#define BOOT_B "bbbbbbbb-0000-4000-8000-000000000002"
enum { PCRS = 1u << 0 | 1u << 4 | 1u << 7 | 1u << 8 | 1u << 9 };

/* One case: all that goes into an appraisal, good until a test spoils it. */
struct bench {
	struct made_log       made;
	struct eventlog       log;
	EVP_PKEY             *pkey;
	struct verify_key    *key;
	struct host_facts     host;
	struct policy         policy;
	struct expectation    want;
	struct quote          put;       /* what is signed */
	uint8_t               attest[TPM_ATTEST_MAX], sig[TPM_SIGNATURE_MAX];
	size_t                attest_len, sig_len;
	struct quote          quote;     /* what was read */
	struct verdict        verdict;
	struct known_set      sets[2];
	struct boot_evidence  boot;
};

static void
attest_write(const struct quote *q, struct writer *w)
{
	wr_be32(w, q->magic, "magic");
	wr_be16(w, q->type, "type");
	wr_be16(w, q->signer.size, "signer");
	wr_bytes(w, q->signer.bytes, q->signer.size, "signer");
	wr_be16(w, (uint16_t)q->extra_len, "extra");
	wr_bytes(w, q->extra, q->extra_len, "extra");
	wr_be64(w, q->clock, "clock");
	wr_be32(w, q->reset_count, "reset");
	wr_be32(w, q->restart_count, "restart");
	wr_u8(w, q->safe, "safe");
	wr_be64(w, q->firmware, "firmware");
	if (q->type != TPM_ST_ATTEST_QUOTE) {           /* a TPMS_TIME_ATTEST_INFO */
		wr_bytes(w, (const uint8_t[33]){ 0 }, 33, "time");
		return;
	}
	wr_be32(w, q->selection.count, "count");
	for (unsigned i = 0; i < q->selection.count; i++) {
		wr_be16(w, q->selection.bank[i].alg, "bank");
		wr_u8(w, 3, "size");
		for (unsigned k = 0; k < 3; k++)
			wr_u8(w, (uint8_t)(q->selection.bank[i].pcrs >> 8 * k), "pcrs");
	}
	wr_be16(w, (uint16_t)q->pcr_digest_len, "digest");
	wr_bytes(w, q->pcr_digest, q->pcr_digest_len, "digest");
}

/* TPMT_SIGNATURE of ECDSA with SHA-256 */
static void
sign(struct bench *b)
{
	struct writer w = wr_open(b->attest, sizeof(b->attest));
	uint8_t der[128], part[32];
	size_t derlen = sizeof(der);
	const uint8_t *p = der;
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	ECDSA_SIG *sig;

	attest_write(&b->put, &w);
	ck_assert_ptr_null(w.bad);
	b->attest_len = w.used;
	ck_assert(EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, b->pkey) == 1 &&
	    EVP_DigestSign(ctx, der, &derlen, b->attest, b->attest_len) == 1);
	EVP_MD_CTX_free(ctx);
	sig = d2i_ECDSA_SIG(NULL, &p, (long)derlen);
	ck_assert_ptr_nonnull(sig);
	w = wr_open(b->sig, sizeof(b->sig));
	wr_be16(&w, TPM_ALG_ECDSA, "alg");
	wr_be16(&w, 0x000b, "hash");
	ck_assert(BN_bn2binpad(ECDSA_SIG_get0_r(sig), part, 32) == 32);
	wr_be16(&w, 32, "r");
	wr_bytes(&w, part, 32, "r");
	ck_assert(BN_bn2binpad(ECDSA_SIG_get0_s(sig), part, 32) == 32);
	wr_be16(&w, 32, "s");
	wr_bytes(&w, part, 32, "s");
	b->sig_len = w.used;
	ECDSA_SIG_free(sig);
}

static void
make_log(struct made_log *l, const char *cmdline)
{
	made_open(l, 1u << BANK_SHA1 | 1u << BANK_SHA256);
	made_text(l, 0, 8, "firmware");
	made_text(l, 7, 5, "keys");
	made_measure(l, 4, EV_EFI_BOOT_SERVICES_APPLICATION, "GRUB", 4, "", 0);
	made_measure(l, 4, EV_EFI_BOOT_SERVICES_APPLICATION, "KERNEL", 6, "", 0);
	made_grub(l, "grub_cmd: ", "linux /vmlinuz");
	made_grub(l, "kernel_cmdline: ", cmdline);
	made_measure(l, 9, EV_IPL, "KERNEL", 6, "/vmlinuz", 9);
}

static void
digest_of_log(struct bench *b)
{
	struct error e = { .code = ERR_NONE };
	struct replay r;

	eventlog_free(&b->log);
	made_parse(&b->made, &b->log);
	ck_assert(eventlog_replay(&b->log, &r, &e));
	ck_assert_msg(replay_digest(&r, &b->put.selection, BANK_SHA256, b->put.pcr_digest, &b->put.pcr_digest_len, &e), "%s", e.why);
}

static struct bench *
bench_open(void)
{
	struct bench *b = calloc(1, sizeof(*b));
	struct error e = { .code = ERR_NONE };
	uint8_t *spki = b->host.spki;

	ck_assert_ptr_nonnull(b);
	b->pkey = EVP_EC_gen("P-256");
	ck_assert_ptr_nonnull(b->pkey);
	b->host.spki_len = (size_t)i2d_PUBKEY(b->pkey, &spki);
	ck_assert(verify_key_open(b->host.spki, b->host.spki_len, &b->key, &e));
	policy_default(&b->policy);
	for (unsigned i = 0; i < PCR_COUNT; i++)
		b->policy.pcr[i].mode = PCRS & 1u << i ? PCR_MODE_EVENTS : PCR_MODE_NONE;
	b->host.known = b->host.active = true;
	b->host.signer = (struct tpm_name){ .size = 34, .bytes = { 0, 0x0b, 1, 2, 3 } };
	memcpy(b->want.extra, extra, sizeof(extra));
	b->want.selection = (struct selection){ .count = 1, .bank = { { 0x000b, PCRS } } };
	strcpy(b->want.boot_id, BOOT_A);
	b->put = (struct quote){ .magic = TPM_GENERATED, .type = TPM_ST_ATTEST_QUOTE, .signer = b->host.signer,
		.extra_len = sizeof(extra), .clock = 5000, .reset_count = 7, .restart_count = 0, .safe = true,
		.selection = b->want.selection };
	memcpy(b->put.extra, extra, sizeof(extra));
	make_log(&b->made, "root=a quiet");
	digest_of_log(b);
	sign(b);
	b->sets[0] = (struct known_set){ .label = "good/1", .active = true, .own_host = true };
	ck_assert(set_capture(&b->log, BANK_SHA256, PCRS, &b->sets[0].set, &e));
	b->boot = (struct boot_evidence){ .log_sent = true, .log_len = b->made.len };
	return b;
}

static void
bench_close(struct bench *b)
{
	made_free(&b->made);
	eventlog_free(&b->log);
	verify_key_free(b->key);
	EVP_PKEY_free(b->pkey);
	set_free(&b->sets[0].set);
	set_free(&b->sets[1].set);
	free(b);
}

static bool
judge_quote(struct bench *b)
{
	return appraise_quote(b->attest, b->attest_len, b->sig, b->sig_len, &b->host, b->key, &b->want, &b->quote, &b->verdict);
}

static enum reason
judge(struct bench *b, unsigned nsets)
{
	if (judge_quote(b)) {
		if (!b->boot.log && !b->boot.log_error && b->boot.log_sent)
			b->boot.log = &b->log;
		appraise_boot(&b->boot, &b->quote, BANK_SHA256, &b->host, &b->policy, b->sets, nsets, &b->verdict);
	}
	return b->verdict.reason;
}

START_TEST(good)
{
	struct bench *b = bench_open();

	ck_assert_int_eq(judge(b, 1), REASON_OK);
	ck_assert_int_eq(b->verdict.state, STATE_AFFIRMING);
	ck_assert_int_eq(b->verdict.claim[CLAIM_INSTANCE_IDENTITY], 2);
	ck_assert_int_eq(b->verdict.claim[CLAIM_HARDWARE], 2);
	ck_assert_int_eq(b->verdict.claim[CLAIM_CONFIGURATION], 2);
	ck_assert_int_eq(b->verdict.claim[CLAIM_EXECUTABLES], 3);
	ck_assert_str_eq(b->verdict.references, "good/1");
	ck_assert(b->verdict.replayed);
	ck_assert_uint_eq(b->verdict.findings.count, 0);
	bench_close(b);
}
END_TEST

/* After the quote's rows alone the verdict is still not trusted. */
START_TEST(half_is_not_good)
{
	struct bench *b = bench_open();

	ck_assert(judge_quote(b));
	ck_assert_int_eq(b->verdict.state, STATE_CONTRAINDICATED);
	ck_assert_int_eq(b->verdict.reason, REASON_POLICY_FAILED);
	b->put.magic ^= 1;
	sign(b);
	ck_assert(!judge_quote(b));
	b->boot.log = &b->log;
	appraise_boot(&b->boot, &b->quote, BANK_SHA256, &b->host, &b->policy, b->sets, 1, &b->verdict);
	ck_assert_int_eq(b->verdict.reason, REASON_QUOTE_MAGIC);
	bench_close(b);
}
END_TEST

static enum reason
spoiled(void (*spoil)(struct bench *), int8_t claim)
{
	struct bench *b = bench_open();
	enum reason reason;

	spoil(b);
	reason = judge(b, 1);
	ck_assert_int_ne(b->verdict.state, STATE_AFFIRMING);
	ck_assert_int_eq(b->verdict.state, reason_state(reason));
	ck_assert_int_eq(b->verdict.claim[CLAIM_INSTANCE_IDENTITY], claim);
	ck_assert_uint_ge(b->verdict.findings.count, 1);
	ck_assert_int_eq(b->verdict.findings.list[0].code, reason);
	ck_assert(!b->verdict.replayed);
	bench_close(b);
	return reason;
}

/* NEGATIVE rows 1 and 2: signed by the very key, but no TPM ever makes it, or it is no quote. */
static void magic_flipped(struct bench *b) { b->put.magic ^= 1; sign(b); }
static void time_attest(struct bench *b) { b->put.type = 0x8019; sign(b); }
START_TEST(test_row_1_magic) { ck_assert_int_eq(spoiled(magic_flipped, 99), REASON_QUOTE_MAGIC); } END_TEST
START_TEST(test_row_2_type) { ck_assert_int_eq(spoiled(time_attest, 99), REASON_QUOTE_TYPE); } END_TEST

/* NEGATIVE rows 3 and 4: the golden events in other PCRs, other banks, or nowhere; the digest is right every time. */
static const struct { const char *label; struct selection sel; } selections[] = {
	{ "other PCRs",       { 1, { { 0x000b, 7u << 13 } } } },
	{ "nothing",          { 0, { { 0, 0 } } } },
	{ "an empty bitmap",  { 1, { { 0x000b, 0 } } } },
	{ "another bank",     { 1, { { 0x000c, PCRS } } } },
	{ "the bank twice",   { 2, { { 0x000b, PCRS }, { 0x000b, PCRS } } } },
	{ "a bank more",      { 2, { { 0x000b, PCRS }, { 0x0004, PCRS } } } },
	{ "banks permuted",   { 2, { { 0x0004, PCRS }, { 0x000b, PCRS } } } },
	{ "a PCR more",       { 1, { { 0x000b, PCRS | 1u << 3 } } } },
	{ "a PCR less",       { 1, { { 0x000b, PCRS & ~(1u << 7) } } } },
	{ "resettable PCR 16", { 1, { { 0x000b, (PCRS & ~(1u << 9)) | 1u << 16 } } } },
	{ "resettable PCR 23", { 1, { { 0x000b, (PCRS & ~(1u << 9)) | 1u << 23 } } } },
	{ "row 4: an unallocated bank, dropped by the TPM", { 2, { { 0x000b, PCRS }, { 0x000c, 0 } } } },
};

START_TEST(test_row_3_selection)
{
	struct bench *b = bench_open();

	b->put.selection = selections[_i].sel;
	if (strstr(selections[_i].label, "row 4"))
		b->want.selection = (struct selection){ 2, { { 0x000b, PCRS }, { 0x000c, PCRS } } };
	else if (strstr(selections[_i].label, "permuted"))
		b->want.selection = (struct selection){ 2, { { 0x000b, PCRS }, { 0x0004, PCRS } } };
	sign(b);
	ck_assert_msg(judge(b, 1) == REASON_SELECTION_DIFFERS, "%s: %s", selections[_i].label, reason_code(b->verdict.reason));
	ck_assert_str_ne(b->verdict.findings.list[0].expected, "");
	bench_close(b);
}
END_TEST

/* The recorded pair: one key, one nonce, one digest, valid signatures; only the selection tells. */
START_TEST(test_row_3_masquerade)
{
	static const char *const names[] = { "real", "fake" };
	struct selection want;
	struct error e = { .code = ERR_NONE };
	struct verify_key *key = NULL;
	struct quote q[2];
	size_t len;
	own(mem) uint8_t *pem = unit_file("tests/data/masquerade/ak.pem", &len);

	ck_assert(pem && verify_key_open_pem((char *)pem, len, &key, &e));
	ck_assert(selection_parse("sha256:0,4,7", &want, &e));
	for (unsigned i = 0; i < 2; i++) {
		struct tpm_signature s;
		char path[64];
		size_t n, m;

		snprintf(path, sizeof(path), "tests/data/masquerade/%s.msg", names[i]);
		own(mem) uint8_t *msg = unit_file(path, &n);
		snprintf(path, sizeof(path), "tests/data/masquerade/%s.sig", names[i]);
		own(mem) uint8_t *sig = unit_file(path, &m);
		ck_assert(msg && sig && quote_read(msg, n, &q[i], &e) && signature_read(sig, m, &s, &e) &&
		    verify_key_check(key, &s, msg, n, &e));
		ck_assert(selection_same(&want, &q[i].selection) == (i == 0));
	}
	ck_assert_mem_eq(q[0].pcr_digest, q[1].pcr_digest, 32);
	verify_key_free(key);
	/* And through all rows, signed again over the context that this verifier asks for. */
	for (unsigned i = 0; i < 2; i++) {
		struct bench *b = bench_open();

		b->want.selection = want;
		b->put.selection = q[i].selection;
		memcpy(b->put.pcr_digest, q[i].pcr_digest, 32);
		sign(b);
		ck_assert(judge_quote(b) == (i == 0));
		ck_assert_int_eq(b->verdict.reason, i ? REASON_SELECTION_DIFFERS : REASON_POLICY_FAILED);
		bench_close(b);
	}
}
END_TEST

/* NEGATIVE row 6: nothing asked for is never held by nothing quoted. */
START_TEST(test_row_6_nothing_asked)
{
	struct bench *b = bench_open();

	b->want.selection = b->put.selection = (struct selection){ .count = 0 };
	sign(b);
	ck_assert_int_eq(judge(b, 1), REASON_SELECTION_DIFFERS);
	b->want.selection = b->put.selection = (struct selection){ 1, { { 0x000b, 0 } } };
	sign(b);
	ck_assert_int_eq(judge(b, 1), REASON_SELECTION_DIFFERS);
	bench_close(b);
}
END_TEST

/* NEGATIVE row 39: each field that the context binds ends up in extraData; any other value is refused. */
static void extra_other(struct bench *b) { b->put.extra[31] ^= 1; sign(b); }
static void extra_short(struct bench *b) { b->put.extra_len = 31; sign(b); }
static void extra_empty(struct bench *b) { b->put.extra_len = 0; sign(b); }
static void extra_long(struct bench *b) { b->put.extra_len = 33; sign(b); }
START_TEST(test_row_39_context)
{
	static void (*const spoils[])(struct bench *) = { extra_other, extra_short, extra_empty, extra_long };

	ck_assert_int_eq(spoiled(spoils[_i], 99), REASON_CONTEXT_DIFFERS);
}
END_TEST

START_TEST(test_row_39_each_field)
{
	static const uint8_t a[32] = { 1 }, z[32] = { 2 };
	const struct context base = { .purpose = PURPOSE_LOGIN, .nonce = a, .host_id = BOOT_A, .boot_id = BOOT_B, .boot_log = a,
		.ima_from = 0, .facts = a, .audience = "", .user = "" };
	struct context other[] = { base, base, base, base, base, base, base, base, base };
	uint8_t one[32], two[32];

	other[0].purpose = PURPOSE_EVENTS;
	other[1].nonce = z;
	other[2].host_id = BOOT_B;
	other[3].boot_id = BOOT_A;
	other[4].boot_log = z;
	other[5].ima_from = 1;
	other[6].facts = z;
	other[7].audience = "x";
	other[8].user = "x";
	ck_assert(context_digest(&base, one));
	for (unsigned i = 0; i < COUNT(other); i++) {
		struct bench *b = bench_open();

		ck_assert(context_digest(&other[i], two));
		memcpy(b->want.extra, one, 32);
		memcpy(b->put.extra, two, 32);
		sign(b);
		ck_assert_msg(judge(b, 1) == REASON_CONTEXT_DIFFERS, "field %u is not bound", i);
		bench_close(b);
	}
}
END_TEST

/* NEGATIVE row 7, and the rest of the quote's rows. */
static void host_unknown(struct bench *b) { b->host.known = false; }
static void host_revoked(struct bench *b) { b->host.revoked = true; }
static void host_pending(struct bench *b) { b->host.active = false; }
static void no_key(struct bench *b) { verify_key_free(b->key); b->key = NULL; }
static void bit_in_attest(struct bench *b) { b->attest[60] ^= 1; }
static void bit_in_signature(struct bench *b) { b->sig[20] ^= 1; }
static void signature_cut(struct bench *b) { b->sig_len--; }
static void signature_null(struct bench *b) { b->sig[0] = 0; b->sig[1] = 0x10; }
static void attest_cut(struct bench *b) { b->attest_len--; }
static void attest_stray(struct bench *b) { b->attest[b->attest_len++] = 0; }
static void attest_none(struct bench *b) { b->attest_len = 0; }
static void signature_none(struct bench *b) { b->sig_len = 0; }
static void attest_huge(struct bench *b) { b->attest_len = TPM_ATTEST_MAX + 1; }
static void signer_other(struct bench *b) { b->put.signer.bytes[33] ^= 1; sign(b); }
static void signer_none(struct bench *b) { b->put.signer.size = b->host.signer.size = 0; sign(b); }
static void
key_other(struct bench *b)
{
	EVP_PKEY_free(b->pkey);
	b->pkey = EVP_EC_gen("P-256");
	sign(b);
}

static const struct { const char *label; void (*spoil)(struct bench *); enum reason reason; int8_t claim; } rows[] = {
	{ "row 7: unknown key", host_unknown,  REASON_AK_UNKNOWN, 97 },
	{ "revoked",         host_revoked,     REASON_HOST_REVOKED, 96 },
	{ "pending",         host_pending,     REASON_ENROLLMENT_PENDING, 0 },
	{ "no key",          no_key,           REASON_QUOTE_SIGNATURE, 99 },
	{ "another key",     key_other,        REASON_QUOTE_SIGNATURE, 99 },
	{ "a bit of the quote", bit_in_attest, REASON_QUOTE_SIGNATURE, 99 },
	{ "a bit of the signature", bit_in_signature, REASON_QUOTE_SIGNATURE, 99 },
	{ "signature cut",   signature_cut,    REASON_QUOTE_SIGNATURE, 99 },
	{ "signature by nobody", signature_null, REASON_QUOTE_SIGNATURE, 99 },
	{ "quote cut",       attest_cut,       REASON_QUOTE_MALFORMED, 99 },
	{ "a byte more",     attest_stray,     REASON_QUOTE_MALFORMED, 99 },
	{ "no quote",        attest_none,      REASON_QUOTE_MALFORMED, 99 },
	{ "no signature",    signature_none,   REASON_QUOTE_MALFORMED, 99 },
	{ "a huge quote",    attest_huge,      REASON_QUOTE_MALFORMED, 99 },
	{ "another signer",  signer_other,     REASON_SIGNER_DIFFERS, 99 },
	{ "no signer at all", signer_none,     REASON_SIGNER_DIFFERS, 99 },
};

START_TEST(quote_rows)
{
	enum reason got = spoiled(rows[_i].spoil, rows[_i].claim);

	ck_assert_msg(got == rows[_i].reason, "%s: %s", rows[_i].label, reason_code(got));
}
END_TEST

/* FACTS 3.7: what counters, clock and boot id do in a machine's life. Last quote: 7/2, clock 5000, boot A. */
static const struct { const char *label; uint32_t reset, restart; uint64_t clock; bool safe; const char *boot_id; enum reason reason; } lives[] = {
	{ "renewal in the same boot",          7, 2, 9000, true,  BOOT_A, REASON_OK },
	{ "again at the same millisecond",     7, 2, 5000, true,  BOOT_A, REASON_OK },
	{ "reboot",                            8, 0, 9000, true,  BOOT_B, REASON_OK },
	{ "several reboots",                  12, 0, 9000, true,  BOOT_B, REASON_OK },
	{ "suspend and resume",                7, 3, 9000, true,  BOOT_A, REASON_OK },
	{ "hibernation: TPM reset, same kernel", 8, 0, 9000, true, BOOT_A, REASON_OK },
	{ "hibernation by TPM restart",        7, 3, 9000, true,  BOOT_B, REASON_OK },
	{ "power cut: clock back, unsafe",     8, 0, 1000, false, BOOT_B, REASON_OK },
	{ "unsafe clock later in that boot",   7, 2, 6000, false, BOOT_A, REASON_OK },
	{ "TPM2_Clear in the firmware menu",   0, 0,   20, true,  BOOT_B, REASON_OK },
	{ "TPM2_Clear and a reboot",           1, 0,   20, true,  BOOT_B, REASON_OK },
	{ "TPM2_Clear while running",          0, 0,   20, true,  BOOT_A, REASON_OK },
	{ "counters run over",        0xffffffff, 0, 9000, true,  BOOT_B, REASON_OK },
	{ "kexec",                             7, 2, 9000, true,  BOOT_B, REASON_KEXEC },
	{ "clock back within one boot",        7, 2, 4999, true,  BOOT_A, REASON_CLOCK_BACKWARDS },
	{ "the same, unsafe",                  7, 2, 4999, false, BOOT_A, REASON_CLOCK_BACKWARDS },
	{ "two boots, one count, clock back",  7, 2, 4999, true,  BOOT_B, REASON_AK_CLONED },
};

START_TEST(test_row_14_counters)
{
	struct bench *b = bench_open();

	b->host.seen = true;
	b->host.last_reset = 7;
	b->host.last_restart = 2;
	b->host.last_clock = 5000;
	strcpy(b->host.last_boot_id, BOOT_A);
	strcpy(b->want.boot_id, lives[_i].boot_id);
	b->put.reset_count = lives[_i].reset;
	b->put.restart_count = lives[_i].restart;
	b->put.clock = lives[_i].clock;
	b->put.safe = lives[_i].safe;
	sign(b);
	ck_assert_msg(judge(b, 1) == lives[_i].reason, "%s: %s", lives[_i].label, reason_code(b->verdict.reason));
	ck_assert_int_eq(b->verdict.state, reason_state(lives[_i].reason));
	if (lives[_i].reason == REASON_KEXEC) {
		ck_assert_int_eq(b->verdict.state, STATE_WARNING);
		ck_assert_int_eq(b->verdict.claim[CLAIM_EXECUTABLES], 33);
		ck_assert_int_eq(b->verdict.findings.list[0].code, REASON_KEXEC);
	}
	bench_close(b);
}
END_TEST

/* --- the boot's rows --- */

static void log_not_sent(struct bench *b) { b->boot.log_sent = false; }
static void log_empty(struct bench *b) { b->boot.log_len = 0; }
static void log_unread(struct bench *b) { b->boot.log_error = "event 3 at offset 99: digest count 0"; }
static void log_other(struct bench *b) { made_text(&b->made, 9, EV_IPL, "more"); eventlog_free(&b->log); made_parse(&b->made, &b->log); }
static void log_of_header(struct bench *b) { b->log.count = 1; }
static void log_of_nothing(struct bench *b) { b->log.count = 0; }
/* row 11: the digest of one bank only is wrong; the quote covers both */
static void one_bank_corrupt(struct bench *b)
{
	b->want.selection = b->put.selection = (struct selection){ 2, { { 0x0004, PCRS }, { 0x000b, PCRS } } };
	digest_of_log(b);
	sign(b);
	b->log.event[1].digest[BANK_SHA1][0] ^= 1;
}
static void other_bank_corrupt(struct bench *b)
{
	one_bank_corrupt(b);
	b->log.event[1].digest[BANK_SHA1][0] ^= 1;
	b->log.event[1].digest[BANK_SHA256][0] ^= 1;
}

static const struct { const char *label; void (*spoil)(struct bench *); enum reason reason; const char *words; } logs[] = {
	{ "row 9: no log",        log_not_sent,  REASON_EVENTLOG_MISSING, "" },
	{ "row 9: empty log",     log_empty,     REASON_EVENTLOG_MISSING, "" },
	{ "row 9: unreadable",    log_unread,    REASON_EVENTLOG_MALFORMED, "event 3 at offset 99" },
	{ "another log",          log_other,     REASON_EVENTLOG_MISMATCH, "another digest" },
	{ "row 6: header alone",  log_of_header, REASON_EVENTLOG_MISMATCH, "extends none" },
	{ "row 6: no events",     log_of_nothing, REASON_EVENTLOG_MISMATCH, "extends none" },
	{ "row 11: SHA-1 corrupt", one_bank_corrupt, REASON_EVENTLOG_MISMATCH, "another digest" },
	{ "row 11: SHA-256 corrupt", other_bank_corrupt, REASON_EVENTLOG_MISMATCH, "another digest" },
};

START_TEST(test_row_9_and_11_logs)
{
	for (unsigned gave = 0; gave < 2; gave++) {
		struct bench *b = bench_open();

		b->host.gave_log = gave;
		logs[_i].spoil(b);
		judge(b, 1);
		ck_assert_msg(b->verdict.reason == (gave ? REASON_EVIDENCE_LOST : logs[_i].reason), "%s: %s", logs[_i].label,
		    reason_code(b->verdict.reason));
		ck_assert_int_eq(b->verdict.state, STATE_CONTRAINDICATED);
		ck_assert(!b->verdict.replayed);
		ck_assert_msg(strstr(b->verdict.findings.list[0].text, logs[_i].words) != NULL, "%s: %s", logs[_i].label,
		    b->verdict.findings.list[0].text);
		ck_assert_int_ge(b->verdict.claim[CLAIM_EXECUTABLES], 96);
		bench_close(b);
	}
}
END_TEST

/* --- a host whose class says that its log cannot be used --- */

enum { NOT_THERE = 99 };
/* rule of the policy; what is wrong with the values (a PCR whose pin differs, or NOT_THERE: none came); what else is asked */
static void nothing_else(struct bench *b) { (void)b; }
static void gave_log_before(struct bench *b) { b->host.gave_log = true; }
static void no_class(struct bench *b) { b->host.class = CLASS_LOG; }
static void other_values(struct bench *b) { ((uint8_t *)(uintptr_t)b->boot.pcr_values.p)[5] ^= 1; }
static void values_short(struct bench *b) { b->boot.pcr_values.len--; }
static void candidate(struct bench *b) { b->sets[0].active = false; }
static void of_another_host(struct bench *b) { b->sets[0].own_host = false; b->sets[0].set.host_only = true; }
static void of_events(struct bench *b) { b->sets[0].set.values = false; }
static void revoked(struct bench *b) { b->sets[0].active = false; b->sets[0].revoked = true; }
static void loader_revoked(struct bench *b) { revoked(b); b->sets[0].revoked_parts = 1u << COMPONENT_LOADER; }
static void wants_ima(struct bench *b) { b->policy.ima = b->policy.ima_judged = true; }
static void ima_is_off(struct bench *b) { b->policy.ima = true; }
static void wants_lockdown(struct bench *b) { b->policy.require_lockdown = true; }
static void wants_secure_boot(struct bench *b) { b->policy.secure_boot.required = true; }
static void wants_vendor(struct bench *b) { b->policy.tpm.count = 1; strcpy(b->policy.tpm.vendor[0].vendor, "INTC"); }
static void pins_pcr_4(struct bench *b) { b->policy.pcr[4] = (struct pcr_rule){ PCR_MODE_VALUE, 1, { { BANK_SHA256, { 1 } } } }; }
static void log_mismatch(struct bench *b) { b->boot.log_len = b->made.len; b->log.event[1].digest[BANK_SHA256][0] ^= 1; }

static const struct { const char *label; enum no_log rule; unsigned pcr; void (*spoil)(struct bench *); enum reason reason; } unlogged[] = {
	{ "by pins",               NO_LOG_PINS,          24, nothing_else, REASON_OK },
	{ "by the firmware alone", NO_LOG_FIRMWARE_ONLY, 24, nothing_else, REASON_OK },
	{ "refused by policy",     NO_LOG_REFUSE,        24, nothing_else, REASON_EVENTLOG_MISSING },
	{ "a log that mismatches", NO_LOG_PINS,          24, log_mismatch, REASON_OK },
	{ "another PCR 0",         NO_LOG_PINS,          0, nothing_else, REASON_FIRMWARE_CHANGED },
	{ "another PCR 7",         NO_LOG_PINS,          7, nothing_else, REASON_SECUREBOOT_CHANGED },
	{ "PCR 7 is not asked",    NO_LOG_FIRMWARE_ONLY, 7, nothing_else, REASON_OK },
	{ "row 9: no values",      NO_LOG_PINS,          NOT_THERE, nothing_else, REASON_PCRS_UNPROVEN },
	{ "others than quoted",    NO_LOG_PINS,          24, other_values, REASON_PCRS_UNPROVEN },
	{ "a byte less",           NO_LOG_PINS,          24, values_short, REASON_PCRS_UNPROVEN },
	{ "row 9: no class",       NO_LOG_PINS,          24, no_class, REASON_EVENTLOG_MISSING },
	{ "row 43: gave a log",    NO_LOG_PINS,          24, gave_log_before, REASON_EVIDENCE_LOST },
	{ "a candidate",           NO_LOG_PINS,          24, candidate, REASON_PENDING_APPROVAL },
	{ "another host's pins",   NO_LOG_PINS,          24, of_another_host, REASON_NO_REFERENCE },
	{ "events are no values",  NO_LOG_PINS,          24, of_events, REASON_NO_REFERENCE },
	{ "revoked",               NO_LOG_PINS,          24, revoked, REASON_REFERENCE_REVOKED },
	{ "of it what it has not", NO_LOG_PINS,          24, loader_revoked, REASON_NO_REFERENCE },
	{ "IMA cannot be judged",  NO_LOG_PINS,          24, wants_ima, REASON_EVENTLOG_MISSING },
	{ "IMA rules that are off", NO_LOG_PINS,         24, ima_is_off, REASON_OK },
	{ "nor lockdown",          NO_LOG_PINS,          24, wants_lockdown, REASON_EVENTLOG_MISSING },
	{ "Secure Boot is pinned", NO_LOG_PINS,          24, wants_secure_boot, REASON_OK },
	{ "or cannot be told",     NO_LOG_FIRMWARE_ONLY, 24, wants_secure_boot, REASON_EVENTLOG_MISSING },
	{ "another TPM",           NO_LOG_PINS,          24, wants_vendor, REASON_TPM_VENDOR },
	{ "a value of the policy", NO_LOG_PINS,          24, pins_pcr_4, REASON_PCR_VALUE },
};

/* The bench quotes PCR 2 as well, which its log leaves at zero. */
static struct bench *
values_bench(enum no_log rule, unsigned spoiled)
{
	struct bench *b = bench_open();
	struct pcr_values known = { .there = { [BANK_SHA256] = PCRS | 1u << 2 } };
	struct error e = { .code = ERR_NONE };
	uint8_t *bytes = malloc(PCR_COUNT * 32);
	struct replay r;
	size_t n = 0;

	b->want.selection.bank[0].pcrs = b->put.selection.bank[0].pcrs = PCRS | 1u << 2;
	b->policy.pcr[2].mode = PCR_MODE_EVENTS;
	digest_of_log(b);
	sign(b);
	ck_assert(eventlog_replay(&b->log, &r, &e));
	for (unsigned pcr = 0; pcr < PCR_COUNT; pcr++)
		if (known.there[BANK_SHA256] & 1u << pcr) {
			memcpy(bytes + n, r.value[BANK_SHA256][pcr], 32);
			memcpy(known.value[BANK_SHA256][pcr], r.value[BANK_SHA256][pcr], 32);
			n += 32;
		}
	if (spoiled < PCR_COUNT)
		known.value[BANK_SHA256][spoiled][0] ^= 1;
	set_free(&b->sets[0].set);
	ck_assert(set_of_values(&known, BANK_SHA256, false, &b->sets[0].set, &e));
	b->policy.no_log = rule;
	b->host.class = CLASS_NO_LOG;
	b->boot.log_len = 0;
	b->boot.pcr_values = (struct part){ bytes, spoiled == NOT_THERE ? 0 : n, true };
	return b;
}

START_TEST(test_row_9_and_43_values)
{
	struct bench *b = values_bench(unlogged[_i].rule, unlogged[_i].pcr);
	struct verdict *v = &b->verdict;

	unlogged[_i].spoil(b);
	judge(b, 1);
	ck_assert_msg(v->reason == unlogged[_i].reason, "%s: %s: %s", unlogged[_i].label, reason_code(v->reason), v->findings.list[0].text);
	ck_assert_int_eq(v->state, reason_state(v->reason));
	ck_assert(!v->replayed);
	if (v->reason == REASON_OK) {
		ck_assert_int_eq(v->claim[CLAIM_EXECUTABLES], 31);
		ck_assert(strstr(v->findings.list[0].text, "are not appraised") && v->values_len == 6 * 32);
		ck_assert_str_eq(v->references, "good/1");
	}
	free((void *)(uintptr_t)b->boot.pcr_values.p);
	bench_close(b);
}
END_TEST

/* Each set that a result rests on is named, for its revocation has to find the host: also "good/1" behind "good/12". */
START_TEST(values_of_two_sets)
{
	struct bench *b = values_bench(NO_LOG_PINS, 24);
	struct known_set *other = &b->sets[1];
	size_t size = b->sets[0].set.count * sizeof(struct set_entry);

	*other = b->sets[0];
	other->set.keys = NULL;
	other->set.entry = malloc(size);
	ck_assert_ptr_nonnull(other->set.entry);
	memcpy(other->set.entry, b->sets[0].set.entry, size);
	strcpy(b->sets[0].label, "good/12");
	b->sets[0].set.parts = 1u << COMPONENT_FIRMWARE;
	other->set.parts = 1u << COMPONENT_SECUREBOOT;
	ck_assert_int_eq(judge(b, 2), REASON_OK);
	ck_assert_str_eq(b->verdict.references, "good/12 good/1");
	free((void *)(uintptr_t)b->boot.pcr_values.p);
	bench_close(b);
}
END_TEST

/* A list that passed beside values makes no log good that nobody compared, whoever else errs. */
START_TEST(a_list_makes_no_log_good)
{
	struct bench *b = bench_open();
	struct ima_answer answer = { .outcome = IMA_MATCHED, .reason = REASON_OK };
	struct ima_evidence ima = { .sent = true, .answer = &answer, .by_values = true };

	b->boot.ima = &ima;
	ck_assert_int_eq(judge(b, 1), REASON_EVENTLOG_MISMATCH);
	ck_assert_int_eq(b->verdict.state, STATE_CONTRAINDICATED);
	ck_assert(!b->verdict.replayed);
	bench_close(b);
}
END_TEST

/* ExitBootServices in PCR 5: what firmware and kernel leave out of the log is tried, anything else refused. */
#define CALLS "Exit Boot Services Invocation"
#define WORKS "Exit Boot Services Returned with Success"
#define FAILS "Exit Boot Services Returned with Failure"
static const struct { const char *label, *words[4]; enum reason reason; } exits[] = {
	{ "logged",              { NULL }, REASON_OK },
	{ "the last is lost",    { WORKS }, REASON_OK },
	{ "both are lost",       { CALLS, WORKS }, REASON_OK },
	{ "failed",              { CALLS, FAILS }, REASON_OK },
	{ "failed, then worked", { CALLS, FAILS, WORKS }, REASON_OK },
	{ "a stale map key",     { FAILS, CALLS, WORKS }, REASON_OK },
	{ "only the call",       { CALLS }, REASON_EVENTLOG_MISMATCH },
	{ "twice",               { CALLS, WORKS, WORKS }, REASON_EVENTLOG_MISMATCH },
	{ "other words",         { "UEFI Debug Mode" }, REASON_EVENTLOG_MISMATCH },
};

/* The quote is over the log's values with these words extended into a PCR; what the replay would be is left in *r. */
static void
quote_more(struct bench *b, unsigned pcr, const char *const *words, unsigned n, struct replay *r)
{
	struct error e = { .code = ERR_NONE };

	ck_assert(eventlog_replay(&b->log, r, &e));
	for (unsigned i = 0; i < n && words[i]; i++) {
		uint8_t d[DIGEST_MAX];

		ck_assert(digest(BANK_SHA256, words[i], strlen(words[i]), d) && digest_extend(BANK_SHA256, r->value[BANK_SHA256][pcr], d));
	}
	ck_assert(replay_digest(r, &b->put.selection, BANK_SHA256, b->put.pcr_digest, &b->put.pcr_digest_len, &e));
	sign(b);
}

/* A bench that also quotes this PCR, of which its log has one event. */
static struct bench *
bench_with(unsigned pcr)
{
	struct bench *b = bench_open();
	struct error e;

	b->want.selection.bank[0].pcrs = b->put.selection.bank[0].pcrs = PCRS | 1u << pcr;
	made_text(&b->made, pcr, EV_IPL, "something");
	eventlog_free(&b->log);
	made_parse(&b->made, &b->log);
	set_free(&b->sets[0].set);
	ck_assert(set_capture(&b->log, BANK_SHA256, PCRS | 1u << pcr, &b->sets[0].set, &e));
	return b;
}

START_TEST(exit_boot_services_of_pcr_5)
{
	struct bench *b = bench_with(5);
	struct replay r;

	quote_more(b, 5, exits[_i].words, 4, &r);
	ck_assert_msg(judge(b, 1) == exits[_i].reason, "%s: %s", exits[_i].label, reason_code(b->verdict.reason));
	if (exits[_i].reason == REASON_OK) {
		ck_assert_uint_eq(b->verdict.findings.count, exits[_i].words[0] != NULL);
		ck_assert_uint_eq(b->verdict.pcrs.verified, PCRS | 1u << 5);
	}
	if (exits[_i].words[0] && b->verdict.reason == REASON_OK) {
		ck_assert_uint_eq(b->verdict.findings.list[0].pcr, 5);
		ck_assert_msg(strstr(b->verdict.findings.list[0].text, "which the log does not record") != NULL, "%s",
		    b->verdict.findings.list[0].text);
	}
	bench_close(b);
}
END_TEST

/* PCR 11 of a UKI: the words that systemd extends and logs nowhere, in their order and no other. */
static const struct { const char *label, *words[5]; enum reason reason; } tails[] = {
	{ "none",            { NULL }, REASON_OK },
	{ "initrd",          { "enter-initrd" }, REASON_OK },
	{ "switched root",   { "enter-initrd", "leave-initrd" }, REASON_OK },
	{ "system is up",    { "enter-initrd", "leave-initrd", "sysinit" }, REASON_OK },
	{ "ready",           { "enter-initrd", "leave-initrd", "sysinit", "ready" }, REASON_OK },
	{ "out of order",    { "leave-initrd" }, REASON_EVENTLOG_MISMATCH },
	{ "another word",    { "enter-initrd", "rescue" }, REASON_EVENTLOG_MISMATCH },
	{ "shutting down",   { "enter-initrd", "leave-initrd", "sysinit", "ready", "shutdown" }, REASON_EVENTLOG_MISMATCH },
};

START_TEST(phases_of_pcr_11)
{
	struct bench *b = bench_with(11);
	struct replay r;

	quote_more(b, 11, tails[_i].words, 5, &r);
	ck_assert_msg(judge(b, 1) == tails[_i].reason, "%s: %s", tails[_i].label, reason_code(b->verdict.reason));
	if (tails[_i].reason == REASON_OK)
		ck_assert_uint_eq(b->verdict.findings.count, tails[_i].words[0] != NULL);
	bench_close(b);
}
END_TEST

/* A log that records phases, and a quote that is younger: what comes next is tried, what was left out is not. */
static const struct { const char *label; uint32_t type; unsigned logged; const char *words[4]; enum reason reason; } later[] = {
	{ "as logged",             EV_CEL(CEL_SYSTEMD), 2, { NULL }, REASON_OK },
	{ "one more",              EV_CEL(CEL_SYSTEMD), 2, { "sysinit" }, REASON_OK },
	{ "two more",              EV_CEL(CEL_SYSTEMD), 2, { "sysinit", "ready" }, REASON_OK },
	{ "from the first",        EV_CEL(CEL_SYSTEMD), 1, { "leave-initrd", "sysinit", "ready" }, REASON_OK },
	{ "only the last",         EV_CEL(CEL_SYSTEMD), 3, { "ready" }, REASON_OK },
	{ "one is left out",       EV_CEL(CEL_SYSTEMD), 2, { "ready" }, REASON_EVENTLOG_MISMATCH },
	{ "from the start again",  EV_CEL(CEL_SYSTEMD), 2, { "enter-initrd" }, REASON_EVENTLOG_MISMATCH },
	{ "not of systemd's log",  EV_IPL, 2, { "sysinit" }, REASON_EVENTLOG_MISMATCH },
};

START_TEST(phases_that_follow_the_log)
{
	static const char *const words[] = { "enter-initrd", "leave-initrd", "sysinit" };
	struct bench *b = bench_with(11);
	struct error e;
	struct replay r;

	for (unsigned i = 0; i < later[_i].logged; i++)
		made_text(&b->made, 11, later[_i].type, words[i]);
	eventlog_free(&b->log);
	made_parse(&b->made, &b->log);
	set_free(&b->sets[0].set);
	ck_assert(set_capture(&b->log, BANK_SHA256, PCRS | 1u << 11, &b->sets[0].set, &e));
	quote_more(b, 11, later[_i].words, 4, &r);
	ck_assert_msg(judge(b, 1) == later[_i].reason, "%s: %s", later[_i].label, reason_code(b->verdict.reason));
	bench_close(b);
}
END_TEST

/* The values of the selected PCRs behind each other, as a host would give them. */
static size_t
values_of(const struct replay *r, uint32_t pcrs, uint8_t *out)
{
	size_t n = 0;

	for (unsigned pcr = 0; pcr < PCR_COUNT; pcr++)
		if (pcrs & 1u << pcr) {
			memcpy(out + n, r->value[BANK_SHA256][pcr], SHA256_SIZE);
			n += SHA256_SIZE;
		}
	return n;
}

/* A mismatch names the PCRs when the host gave their values, and only if those are what was quoted. */
START_TEST(a_mismatch_names_its_pcrs)
{
	static const char *const word[] = { "rootkit" };
	struct bench *b = bench_with(5);
	uint8_t values[PCR_COUNT * SHA256_SIZE];
	uint32_t all = PCRS | 1u << 5 | 1u << 10;
	const struct finding *f = &b->verdict.findings.list[0];
	struct replay r;

	b->want.selection.bank[0].pcrs = b->put.selection.bank[0].pcrs = all;
	quote_more(b, 4, word, 1, &r);
	b->boot.pcr_values = (struct part){ values, values_of(&r, all, values), true };
	ck_assert_int_eq(judge(b, 1), REASON_EVENTLOG_MISMATCH);
	ck_assert_msg(strstr(f->text, "sha256: the log gives other values for PCR 4") != NULL, "%s", f->text);
	ck_assert_uint_eq(b->verdict.pcrs.mismatch, 1u << 4);
	ck_assert_uint_eq(b->verdict.pcrs.not_logged, 1u << 10);
	ck_assert_uint_eq(b->verdict.pcrs.verified, all & ~(1u << 4) & ~(1u << 10));

	quote_more(b, 10, word, 1, &r);
	(void)values_of(&r, all, values);
	ck_assert_int_eq(judge(b, 1), REASON_EVENTLOG_MISMATCH);
	ck_assert_msg(strstr(f->text, "it has nothing for what is in PCR 10") != NULL, "%s", f->text);
	ck_assert_uint_eq(b->verdict.pcrs.mismatch, 0);

	values[0] ^= 1;                 /* not what was quoted: nothing is believed of it */
	ck_assert_int_eq(judge(b, 1), REASON_EVENTLOG_MISMATCH);
	ck_assert_msg(strstr(f->text, "another digest") != NULL, "%s", f->text);
	ck_assert_uint_eq(b->verdict.pcrs.verified | b->verdict.pcrs.mismatch | b->verdict.pcrs.not_logged, 0);
	values[0] ^= 1;
	b->boot.pcr_values.len--;
	ck_assert_int_eq(judge(b, 1), REASON_EVENTLOG_MISMATCH);
	ck_assert(strstr(f->text, "another digest") != NULL);
	bench_close(b);
}
END_TEST

/* NEGATIVE row 11: two banks are quoted; one of them corrupt, in the log or in the TPM, is a mismatch. */
START_TEST(test_row_11_two_banks)
{
	for (unsigned bank = 0; bank < 2; bank++) {
		struct bench *b = bench_open();

		b->want.selection = b->put.selection = (struct selection){ 2, { { 0x000b, PCRS }, { 0x0004, PCRS } } };
		digest_of_log(b);
		sign(b);
		ck_assert_int_eq(judge(b, 1), REASON_OK);
		b->log.event[1].digest[bank ? BANK_SHA256 : BANK_SHA1][0] ^= 1;
		ck_assert_int_eq(judge(b, 1), REASON_EVENTLOG_MISMATCH);
		bench_close(b);
	}
}
END_TEST

/* NEGATIVE row 10: types, strings and the order between PCRs are the host's to write; no verdict rests on them. */
static void retype(struct eventlog *l) { for (unsigned i = 1; i < l->count; i++) l->event[i].type = l->event[i].type == EV_IPL ? 5 : EV_IPL; }
static void retext(struct eventlog *l) { for (unsigned i = 1; i < l->count; i++) l->event[i].text = "SecureBoot: 1"; }
static void bind_all(struct eventlog *l) { for (unsigned i = 1; i < l->count; i++) l->event[i].binding = BOUND_DIGEST; retext(l); }
static void reorder(struct eventlog *l) { struct event e = l->event[1]; l->event[1] = l->event[2]; l->event[2] = e; }

START_TEST(test_row_10_labels)
{
	static void (*const relabel[])(struct eventlog *) = { retype, retext, bind_all, reorder };
	struct bench *b = bench_open();

	relabel[_i](&b->log);
	ck_assert_int_eq(judge(b, 1), REASON_OK);
	ck_assert_int_eq(b->verdict.state, STATE_AFFIRMING);
	/* A bad boot stays bad under the same lies. */
	b->sets[0].set.entry[5].digest[0] ^= 1;
	ck_assert_int_ne(judge(b, 1), REASON_OK);
	ck_assert_int_eq(b->verdict.state, STATE_CONTRAINDICATED);
	bench_close(b);
}
END_TEST

START_TEST(test_row_10_order_within_a_pcr)
{
	struct bench *b = bench_open();
	struct event e = b->log.event[3];

	b->log.event[3] = b->log.event[4];
	b->log.event[4] = e;
	ck_assert_int_eq(judge(b, 1), REASON_EVENTLOG_MISMATCH);
	bench_close(b);
}
END_TEST

/* NEGATIVE rows 6 and 25: without an active set there is no pass, whatever a candidate says. */
START_TEST(test_row_25_candidates)
{
	struct bench *b = bench_open();
	struct error e = { .code = ERR_NONE };

	ck_assert_int_eq(judge(b, 0), REASON_NO_REFERENCE);
	ck_assert(b->verdict.replayed);
	b->sets[0].active = false;
	ck_assert_int_eq(judge(b, 1), REASON_PENDING_APPROVAL);
	ck_assert_int_eq(b->verdict.state, STATE_CONTRAINDICATED);
	ck_assert_int_eq(b->verdict.claim[CLAIM_EXECUTABLES], 96);
	ck_assert(strstr(b->verdict.findings.list[0].text, "good/1") != NULL);
	ck_assert_str_eq(b->verdict.references, "");
	b->sets[0].set.entry[0].digest[0] ^= 1;
	ck_assert_int_eq(judge(b, 1), REASON_NO_REFERENCE);
	ck_assert_str_eq(b->verdict.nearest, "good/1");
	/* an active set that differs, and a candidate that fits */
	b->sets[0].active = true;
	b->sets[1] = (struct known_set){ .label = "new/2", .own_host = true };
	ck_assert(set_capture(&b->log, BANK_SHA256, PCRS, &b->sets[1].set, &e));
	ck_assert_int_eq(judge(b, 2), REASON_PENDING_APPROVAL);
	ck_assert_str_eq(b->verdict.nearest, "good/1");
	b->sets[1].active = true;
	ck_assert_int_eq(judge(b, 2), REASON_OK);
	bench_close(b);
}
END_TEST

START_TEST(another_hosts_set)
{
	struct bench *b = bench_open();

	b->sets[0].own_host = false;
	ck_assert_int_eq(judge(b, 1), REASON_OK);           /* another TPM, and the same boot to the last digest */
	b->sets[0].set.host_only = true;
	ck_assert_int_eq(judge(b, 1), REASON_NO_REFERENCE);
	ck_assert(strstr(b->verdict.findings.list[0].text, "captured from another host") != NULL);
	bench_close(b);
}
END_TEST

START_TEST(sets_of_another_bank_do_not_count)
{
	struct bench *b = bench_open();

	b->sets[0].set.bank = BANK_SHA384;
	ck_assert_int_eq(judge(b, 1), REASON_NO_REFERENCE);
	bench_close(b);
}
END_TEST

/* PCRs that only a second bank covers would be quoted and never judged. */
START_TEST(pcrs_of_a_second_bank_alone)
{
	struct bench *b = bench_open();

	b->want.selection = b->put.selection = (struct selection){ 2, { { 0x000b, PCRS & ~(1u << 9) }, { 0x0004, 1u << 9 } } };
	digest_of_log(b);
	sign(b);
	ck_assert_int_eq(judge(b, 1), REASON_POLICY_FAILED);
	bench_close(b);
}
END_TEST

START_TEST(packed_verdict_comes_back)
{
	struct bench *b = bench_open();
	struct error e = { .code = ERR_NONE };
	struct verdict *back = malloc(sizeof(*back));
	uint8_t buf[65536], again[65536];
	struct writer w = wr_open(buf, sizeof(buf));
	struct reader r;
	size_t size;

	b->sets[0].set.entry[5].digest[0] ^= 1;
	judge(b, 1);
	ck_assert_uint_gt(b->verdict.findings.count, 0);
	verdict_pack(&b->verdict, &w);
	ck_assert(wr_ok(&w, &e));
	size = w.used;
	r = rd_open(buf, size);
	ck_assert_msg(verdict_unpack(&r, back, &e) && rd_end(&r, &e), "%s", e.why);
	w = wr_open(again, sizeof(again));
	verdict_pack(back, &w);
	ck_assert(w.used == size && !memcmp(buf, again, size));
	for (size_t cut = 0; cut < size; cut++) {
		own(mem) uint8_t *copy = malloc(cut + !cut);

		memcpy(copy, buf, cut);
		r = rd_open(copy, cut);
		ck_assert(!verdict_unpack(&r, back, &e) && back->state == STATE_CONTRAINDICATED);
	}
	/* a state that the reason does not have, and a good one over bad claims */
	buf[0] = STATE_AFFIRMING;
	r = rd_open(buf, size);
	ck_assert(!verdict_unpack(&r, back, &e) && strstr(e.why, "contradict"));
	buf[1] = (uint8_t)(REASON_OK >> 8);
	buf[2] = (uint8_t)REASON_OK;
	r = rd_open(buf, size);
	ck_assert(!verdict_unpack(&r, back, &e) && strstr(e.why, "contradict"));
	ck_assert_int_eq(back->reason, REASON_POLICY_FAILED);
	free(back);
	bench_close(b);
}
END_TEST

START_TEST(findings_are_counted_when_full)
{
	struct findings all = { .count = 0 };

	for (unsigned i = 0; i < FINDINGS_MAX + 9; i++)
		finding_say(finding_add(&all, REASON_OK, SEVERITY_INFO, CLAIM_HARDWARE)->text, "finding %u", i);
	ck_assert_uint_eq(all.count, FINDINGS_MAX);
	ck_assert_uint_eq(all.left_out, 10);
	ck_assert_str_eq(all.list[FINDINGS_MAX - 1].text, "10 more findings are not shown");
	ck_assert_str_eq(all.list[FINDINGS_MAX - 2].text, "finding 62");
}
END_TEST

/* A rule that does not hold beats a reference that does; and one report tells both. */
START_TEST(rules_beat_references)
{
	struct bench *b = bench_open();
	struct error e = { .code = ERR_NONE };

	made_free(&b->made);
	make_log(&b->made, "/vmlinuz root=a init=/bin/bash");
	digest_of_log(b);
	sign(b);
	set_free(&b->sets[0].set);
	ck_assert(set_capture(&b->log, BANK_SHA256, PCRS, &b->sets[0].set, &e));
	b->boot.log_len = b->made.len;
	ck_assert_int_eq(judge(b, 1), REASON_CMDLINE_FORBIDDEN);
	ck_assert_int_eq(b->verdict.state, STATE_CONTRAINDICATED);
	ck_assert(b->verdict.replayed);
	ck_assert_str_eq(b->verdict.references, "good/1");
	ck_assert_uint_eq(b->verdict.findings.count, 1);
	b->policy.cmdline.forbid.count = 0;
	ck_assert_int_eq(judge(b, 1), REASON_OK);
	bench_close(b);
}
END_TEST

START_TEST(rules_and_references_are_both_told)
{
	struct bench *b = bench_open();

	made_free(&b->made);
	make_log(&b->made, "/vmlinuz root=a init=/bin/bash");
	digest_of_log(b);
	sign(b);
	b->boot.log_len = b->made.len;
	ck_assert_int_eq(judge(b, 1), REASON_CMDLINE_FORBIDDEN);
	ck_assert_int_eq(b->verdict.findings.list[0].code, REASON_CMDLINE_FORBIDDEN);
	ck_assert_uint_ge(b->verdict.findings.count, 2);
	ck_assert_str_eq(b->verdict.nearest, "good/1");
	bench_close(b);
}
END_TEST

/* NEGATIVE rows 6 and 34: no policy, or one for PCRs that were not quoted, permits nothing. */
START_TEST(row_34_the_policy_covers_the_quote)
{
	struct bench *b = bench_open();

	b->policy.pcr[11].mode = PCR_MODE_EVENTS;
	ck_assert_int_eq(judge(b, 1), REASON_SELECTION_DIFFERS);
	b->policy.pcr[11].mode = PCR_MODE_NONE;
	ck_assert_int_eq(judge(b, 1), REASON_OK);
	b->policy.pcr[7].mode = PCR_MODE_NONE;          /* quoted all the same: judged as before */
	ck_assert_int_eq(judge(b, 1), REASON_OK);
	ck_assert(judge_quote(b));
	appraise_boot(&b->boot, &b->quote, BANK_SHA256, &b->host, NULL, b->sets, 1, &b->verdict);
	ck_assert_int_eq(b->verdict.state, STATE_CONTRAINDICATED);
	bench_close(b);
}
END_TEST

/* NEGATIVE row 34: the same log and sets under the firmware of another TPM are judged again. */
START_TEST(row_34_other_firmware)
{
	struct bench *b = bench_open();

	strcpy(b->host.ek_subject, "IFX SLB9670 id:00070055");
	b->put.firmware = (uint64_t)7 << 48 | (uint64_t)85 << 32;
	sign(b);
	ck_assert_int_eq(judge(b, 1), REASON_OK);
	b->put.firmware = (uint64_t)7 << 48 | (uint64_t)61 << 32;
	sign(b);
	ck_assert_int_eq(judge(b, 1), REASON_TPM_VULNERABLE);
	ck_assert_int_eq(b->verdict.claim[CLAIM_HARDWARE], 96);
	b->policy.tpm.allow_flaws |= 1u << FLAW_ROCA;
	ck_assert_int_eq(judge(b, 1), REASON_OK);
	bench_close(b);
}
END_TEST

/* What a policy ignores may change; what it judges by rules needs no reference. */
START_TEST(modes_of_pcrs)
{
	struct bench *b = bench_open();

	made_free(&b->made);
	make_log(&b->made, "/vmlinuz root=b quiet");
	digest_of_log(b);
	sign(b);
	b->boot.log_len = b->made.len;
	ck_assert_int_eq(judge(b, 1), REASON_CMDLINE_CHANGED);
	b->policy.pcr[8].mode = PCR_MODE_IGNORE;
	ck_assert_int_eq(judge(b, 1), REASON_OK);
	b->policy.pcr[8].mode = PCR_MODE_RULES;
	b->policy.cmdline.allow.count = 2;
	strcpy(b->policy.cmdline.allow.text[0], "root=*");
	strcpy(b->policy.cmdline.allow.text[1], "quiet");
	ck_assert_int_eq(judge(b, 1), REASON_OK);
	b->policy.cmdline.allow.count = 1;
	ck_assert_int_eq(judge(b, 1), REASON_CMDLINE_UNKNOWN);
	bench_close(b);
}
END_TEST

static void
add(TCase *tc)
{
	tcase_add_test(tc, rules_beat_references);
	tcase_add_test(tc, rules_and_references_are_both_told);
	tcase_add_test(tc, row_34_the_policy_covers_the_quote);
	tcase_add_test(tc, row_34_other_firmware);
	tcase_add_test(tc, modes_of_pcrs);
	tcase_add_test(tc, good);
	tcase_add_test(tc, half_is_not_good);
	tcase_add_test(tc, test_row_1_magic);
	tcase_add_test(tc, test_row_2_type);
	tcase_add_loop_test(tc, test_row_3_selection, 0, COUNT(selections));
	tcase_add_test(tc, test_row_3_masquerade);
	tcase_add_test(tc, test_row_6_nothing_asked);
	tcase_add_loop_test(tc, test_row_39_context, 0, 4);
	tcase_add_test(tc, test_row_39_each_field);
	tcase_add_loop_test(tc, quote_rows, 0, COUNT(rows));
	tcase_add_loop_test(tc, test_row_14_counters, 0, COUNT(lives));
	tcase_add_test(tc, a_list_makes_no_log_good);
	tcase_add_test(tc, values_of_two_sets);
	tcase_add_loop_test(tc, test_row_9_and_43_values, 0, COUNT(unlogged));
	tcase_add_loop_test(tc, test_row_9_and_11_logs, 0, COUNT(logs));
	tcase_add_loop_test(tc, exit_boot_services_of_pcr_5, 0, COUNT(exits));
	tcase_add_test(tc, a_mismatch_names_its_pcrs);
	tcase_add_test(tc, test_row_11_two_banks);
	tcase_add_loop_test(tc, phases_that_follow_the_log, 0, COUNT(later));
	tcase_add_loop_test(tc, phases_of_pcr_11, 0, COUNT(tails));
	tcase_add_loop_test(tc, test_row_10_labels, 0, 4);
	tcase_add_test(tc, test_row_10_order_within_a_pcr);
	tcase_add_test(tc, test_row_25_candidates);
	tcase_add_test(tc, another_hosts_set);
	tcase_add_test(tc, sets_of_another_bank_do_not_count);
	tcase_add_test(tc, pcrs_of_a_second_bank_alone);
	tcase_add_test(tc, packed_verdict_comes_back);
	tcase_add_test(tc, findings_are_counted_when_full);
}

int main(void) { return unit_run("appraise", add); }
