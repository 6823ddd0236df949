/* A host in software: its key, its quotes, the evidence it sends. Check is not needed: benchmarks use it as well. */
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/x509.h>
#include "eventlog.h"
#include "scope.h"
#include "soft_host.h"

/* What cannot fail on a machine that works. */
#define must(held) ((held) ? (void)0 : broken(#held, __LINE__))
static void __attribute__((noreturn))
broken(const char *what, int line)
{
	fprintf(stderr, "soft_host.c:%d: %s\n", line, what);
	abort();
}

static void
name_of_key(EVP_PKEY *key, struct tpm_name *ak, uint8_t *spki, size_t *spki_len)
{
	uint8_t *der = NULL;
	int n = i2d_PUBKEY(key, &der);

	must(n > 0 && n <= TPM_PUBLIC_MAX);
	memcpy(spki, der, (size_t)n);
	*spki_len = (size_t)n;
	ak->size = 34;
	ak->bytes[0] = 0;
	ak->bytes[1] = 0x0b;
	must(digest_sha256(der, (size_t)n, ak->bytes + 2));
	OPENSSL_free(der);
}

void
soft_host_new(struct soft_host *h, const char *name, unsigned number, struct host_row *out)
{
	struct host_row row = { .state = ENROLLMENT_ACTIVE, .enrolled = 1, .group = "default",
		.key = { .hash = 0x000b, .banks = 1u << BANK_SHA256, .ek_subject = "software" } };

	*h = (struct soft_host){ .clock = 1000, .reset_count = 7 };
	snprintf(h->name, sizeof(h->name), "%s", name);
	snprintf(h->id, sizeof(h->id), "00000000-0000-4000-8000-%012u", number);
	snprintf(h->boot_id, sizeof(h->boot_id), "11111111-1111-4111-8111-%012u", number);
	h->key = EVP_EC_gen("P-256");
	must(h->key);
	name_of_key(h->key, &row.key.ak, row.key.spki, &row.key.spki_len);
	must(name_qualify(&row.key.ak, TPM_RH_ENDORSEMENT, &row.key.signer));
	h->ak = row.key.ak;
	h->signer = row.key.signer;
	snprintf(row.key.ek, sizeof(row.key.ek), "%064u", number);
	memcpy(row.id, h->id, sizeof(row.id));
	memcpy(row.name, h->name, sizeof(row.name));
	*out = row;
}

void
soft_host_free(struct soft_host *h)
{
	EVP_PKEY_free(h->key);
	free(h->log);
	soft_ima_free(&h->ima);
}

void
soft_ask(const struct soft_host *h, struct challenge_request *out)
{
	size_t sent = h->gives_no_log ? 0 : h->log_len;

	*out = (struct challenge_request){ .ak = h->ak, .boot_log_len = sent, .ima_count = h->ima.entries,
		.purpose = h->purpose };
	memcpy(out->boot_id, h->boot_id, sizeof(out->boot_id));
	must(digest_sha256(h->log, sent, out->boot_log));
}

static void
replayed_digest(const struct soft_host *h, const struct selection *sel, uint8_t out[static 32])
{
	own(eventlog) struct eventlog log = { .event = NULL };
	struct replay r;
	struct error e = { .code = ERR_NONE };
	uint8_t digest[DIGEST_MAX];
	size_t n;

	must(eventlog_parse(h->log, h->log_len, &log, &e) && eventlog_replay(&log, &r, &e));
	soft_ima_value(&h->ima, h->ima_covered, r.value[BANK_SHA256][10]);
	must(replay_digest(&r, sel, BANK_SHA256, digest, &n, &e) && n == 32);
	memcpy(out, digest, 32);
}

void
soft_quote(struct soft_host *h, const struct challenge_answer *a, struct soft_quote *q)
{
	*q = (struct soft_quote){
		.magic = TPM_GENERATED, .type = TPM_ST_ATTEST_QUOTE, .signer = h->signer, .selection = a->selection,
		.reset_count = h->reset_count, .clock = ++h->clock, .key = h->key, .log = h->log,
		.log_len = h->gives_no_log ? 0 : h->log_len, .with_log = !a->boot_log_known, .ima_from = -1, .with_values = true,
		.sent_audience = "", .sent_user = "",
	};
	memcpy(q->challenge, a->challenge, sizeof(q->challenge));
	memcpy(q->nonce, a->nonce, sizeof(q->nonce));
	must(digest_sha256(h->log, q->log_len, q->log_digest) && digest_sha256("", 0, q->facts_digest));
	q->context = (struct context){ .purpose = h->purpose, .nonce = q->nonce, .host_id = h->id, .boot_id = h->boot_id,
		.boot_log = q->log_digest, .facts = q->facts_digest, .audience = "", .user = "" };
	if (a->ima_wanted && h->ima.entries) {
		q->ima = &h->ima;
		q->ima_from = (int64_t)a->ima_from;
		q->ima_at = (unsigned)a->ima_from;
		q->ima_to = h->ima.entries;
		q->context.ima_from = a->ima_from;
	}
	replayed_digest(h, &q->selection, q->pcr_digest);
}

void
soft_values(const struct soft_host *h, struct soft_quote *q)
{
	own(eventlog) struct eventlog log = { .event = NULL };
	struct writer w = wr_open(q->values, sizeof(q->values));
	struct replay r;
	struct error e = { .code = ERR_NONE };

	must(eventlog_parse(h->log, h->log_len, &log, &e) && eventlog_replay(&log, &r, &e));
	soft_ima_value(&h->ima, h->ima_covered, r.value[BANK_SHA256][10]);
	for (unsigned pcr = 0; pcr < PCR_COUNT; pcr++)
		if (q->selection.bank[0].pcrs & 1u << pcr)
			wr_bytes(&w, r.value[BANK_SHA256][pcr], 32, "value");
	must(!w.bad);
	q->values_len = w.used;
}

static size_t
put_attest(const struct soft_quote *q, uint8_t *buf, size_t size)
{
	struct writer w = wr_open(buf, size);
	struct context ctx = q->context;
	uint8_t extra[32];

	ctx.nonce = q->nonce;
	ctx.boot_log = q->log_digest;
	ctx.facts = q->facts_digest;
	must(context_digest(&ctx, extra));
	wr_be32(&w, q->magic, "magic");
	wr_be16(&w, q->type, "type");
	wr_be16(&w, q->signer.size, "signer");
	wr_bytes(&w, q->signer.bytes, q->signer.size, "signer");
	wr_be16(&w, 32, "extra");
	wr_bytes(&w, extra, 32, "extra");
	wr_be64(&w, q->clock, "clock");
	wr_be32(&w, q->reset_count, "reset");
	wr_be32(&w, q->restart_count, "restart");
	wr_u8(&w, 1, "safe");
	wr_be64(&w, 0x2017000000000000, "firmware");
	wr_be32(&w, q->selection.count, "selections");
	for (unsigned i = 0; i < q->selection.count; i++) {
		wr_be16(&w, q->selection.bank[i].alg, "alg");
		wr_u8(&w, 3, "size");
		for (unsigned byte = 0; byte < 3; byte++)
			wr_u8(&w, (uint8_t)(q->selection.bank[i].pcrs >> 8 * byte), "bits");
	}
	wr_be16(&w, 32, "digest");
	wr_bytes(&w, q->pcr_digest, 32, "digest");
	must(!w.bad);
	return w.used;
}

static size_t
put_signature(EVP_PKEY *key, const uint8_t *attest, size_t len, uint8_t *buf, size_t size)
{
	struct writer w = wr_open(buf, size);
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	uint8_t der[128], part[32];
	const uint8_t *at = der;
	size_t n = sizeof(der);
	const BIGNUM *r, *s;
	ECDSA_SIG *sig;

	must(EVP_DigestSignInit(md, NULL, EVP_sha256(), NULL, key) == 1 && EVP_DigestSign(md, der, &n, attest, len) == 1);
	sig = d2i_ECDSA_SIG(NULL, &at, (long)n);
	must(sig);
	ECDSA_SIG_get0(sig, &r, &s);
	wr_be16(&w, TPM_ALG_ECDSA, "alg");
	wr_be16(&w, 0x000b, "hash");
	wr_be16(&w, 32, "r");
	must(BN_bn2binpad(r, part, 32) == 32);
	wr_bytes(&w, part, 32, "r");
	wr_be16(&w, 32, "s");
	must(BN_bn2binpad(s, part, 32) == 32);
	wr_bytes(&w, part, 32, "s");
	ECDSA_SIG_free(sig);
	EVP_MD_CTX_free(md);
	return w.used;
}

static void
put_place(const struct soft_quote *q, uint8_t out[static 24])
{
	struct writer w = wr_open(out, 24);

	wr_be64(&w, (uint64_t)q->ima_from, "from");
	wr_be64(&w, q->ima_at, "at");
	wr_be64(&w, q->ima ? q->ima->entries : 0, "count");
}

static void
put_text(struct part *part, const char *text)
{
	if (*text)
		*part = (struct part){ (const uint8_t *)text, strlen(text), true };
}

uint8_t *
soft_evidence(const struct soft_quote *q, size_t *len)
{
	uint8_t attest[TPM_ATTEST_MAX], signature[TPM_SIGNATURE_MAX], place[24];
	struct evidence ev = { .challenge = { q->challenge, sizeof(q->challenge), true } };
	struct error e = { .code = ERR_NONE };
	uint8_t *body = malloc(EVIDENCE_MAX);
	struct writer w = wr_open(body, EVIDENCE_MAX);

	must(body);
	ev.attest = (struct part){ attest, put_attest(q, attest, sizeof(attest)), true };
	ev.signature = (struct part){ signature, put_signature(q->key, attest, ev.attest.len, signature, sizeof(signature)), true };
	if (q->with_log)
		ev.boot_log = (struct part){ q->log, q->log_len, true };
	put_place(q, place);
	if (q->ima_from >= 0)
		ev.ima_from = (struct part){ place, 8, true };
	if (q->ima) {
		ev.ima = (struct part){ q->ima->buf + q->ima->offset[q->ima_at], q->ima->offset[q->ima_to] - q->ima->offset[q->ima_at], true };
		ev.ima_at = (struct part){ place + 8, 16, true };
	}
	if (q->facts)
		ev.facts = (struct part){ (const uint8_t *)q->facts, strlen(q->facts), true };
	if (q->with_values)
		ev.pcr_values = (struct part){ q->values, q->values_len, true };
	put_text(&ev.audience, q->sent_audience);
	put_text(&ev.user, q->sent_user);
	must(evidence_write(&ev, &w, &e));
	*len = w.used;
	return body;
}

