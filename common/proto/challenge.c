#include <string.h>
#include "challenge.h"
#include "writer.h"

/* Keeps this HMAC apart from any other that should ever be made with the same key. */
static const char domain[] = "pam-attest/challenge/1";

enum {
	CHALLENGE_VERSION = 1,
	BODY_SIZE = CHALLENGE_SIZE - SHA256_SIZE,    /* the HMAC covers it, padding and all */
	KEY_ID_AT = 1,
	/* version, key id, id, nonce, AK, boot id, log, policy, selection, purpose, expiry */
	LONGEST   = 1 + 4 + CHALLENGE_ID_SIZE + NONCE_SIZE + 1 + TPM_NAME_MAX + 1 + (BOOT_ID_TEXT - 1) +
	    SHA256_SIZE + 4 + 1 + TPM_SELECTIONS_MAX * 5 + 1 + 8,
};
_Static_assert(LONGEST <= BODY_SIZE, "every challenge fits");

static const char *const purposes[PURPOSE_COUNT] = {
#define X(name, word) [PURPOSE_##name] = word,
	PURPOSES(X)
#undef X
};

const char *
purpose_word(enum purpose p)
{
	return (unsigned)p < PURPOSE_COUNT ? purposes[p] : "none";
}

bool
purpose_find(const char *word, enum purpose *out)
{
	for (unsigned i = 0; i < PURPOSE_COUNT; i++)
		if (!strcmp(purposes[i], word)) {
			*out = (enum purpose)i;
			return true;
		}
	return false;
}

static bool
seal_mac(const uint8_t *body, const uint8_t key[static 32], uint8_t mac[static SHA256_SIZE], struct error *e)
{
	uint8_t tagged[sizeof(domain) + BODY_SIZE];

	memcpy(tagged, domain, sizeof(domain));
	memcpy(tagged + sizeof(domain), body, BODY_SIZE);
	return hmac_sha256(key, tagged, sizeof(tagged), mac) || err_set(e, ERR_CRYPTO, "challenge: HMAC");
}

static void
write_fields(const struct challenge *c, struct writer *w)
{
	size_t boot_id = strnlen(c->boot_id, BOOT_ID_TEXT - 1);

	wr_u8(w, CHALLENGE_VERSION, "version");
	wr_be32(w, c->key_id, "key id");
	wr_bytes(w, c->id, sizeof(c->id), "id");
	wr_bytes(w, c->nonce, sizeof(c->nonce), "nonce");
	wr_u8(w, (uint8_t)c->ak.size, "AK name size");
	wr_bytes(w, c->ak.bytes, c->ak.size, "AK name");
	wr_u8(w, (uint8_t)boot_id, "boot id size");
	wr_bytes(w, c->boot_id, boot_id, "boot id");
	wr_bytes(w, c->boot_log, sizeof(c->boot_log), "boot log");
	wr_be32(w, c->policy_version, "policy version");
	wr_u8(w, (uint8_t)c->selection.count, "banks");
	for (unsigned i = 0; i < c->selection.count; i++) {
		wr_be16(w, c->selection.bank[i].alg, "bank");
		wr_u8(w, (uint8_t)(c->selection.bank[i].pcrs >> 16), "PCRs");
		wr_be16(w, (uint16_t)c->selection.bank[i].pcrs, "PCRs");
	}
	wr_u8(w, (uint8_t)c->purpose, "purpose");
	wr_be64(w, (uint64_t)c->expires_wall, "expiry");
}

bool
challenge_seal(const struct challenge *c, const uint8_t key[static 32], uint8_t out[static CHALLENGE_SIZE],
    struct error *e)
{
	uint8_t sealed[CHALLENGE_SIZE] = { 0 };
	struct writer w = wr_open(sealed, BODY_SIZE);

	if (c->ak.size > TPM_NAME_MAX || c->selection.count > TPM_SELECTIONS_MAX || (unsigned)c->purpose >= PURPOSE_COUNT)
		return err_set(e, ERR_FORMAT, "challenge: a field is out of range");
	for (unsigned i = 0; i < c->selection.count; i++)
		if (c->selection.bank[i].pcrs >> PCR_COUNT)
			return err_set(e, ERR_FORMAT, "challenge: a PCR over %d", PCR_COUNT - 1);
	write_fields(c, &w);
	if (!wr_ok(&w, e) || !seal_mac(sealed, key, sealed + BODY_SIZE, e))
		return false;
	memcpy(out, sealed, CHALLENGE_SIZE);
	return true;
}

uint32_t
challenge_key_id(const uint8_t sealed[static CHALLENGE_SIZE])
{
	struct reader r = rd_open(sealed + KEY_ID_AT, 4);

	return rd_be32(&r, "key id");
}

static bool
read_ak(struct reader *r, struct tpm_name *ak, struct error *e)
{
	ak->size = rd_u8(r, "AK name size");
	if (ak->size > TPM_NAME_MAX)
		return err_set(e, ERR_FORMAT, "AK name: %u bytes", ak->size);
	rd_copy(r, ak->bytes, ak->size, "AK name");
	return rd_ok(r, e);
}

static bool
read_boot_id(struct reader *r, char *boot_id, struct error *e)
{
	uint8_t len = rd_u8(r, "boot id size");

	if (len >= BOOT_ID_TEXT)
		return err_set(e, ERR_FORMAT, "boot id: %u bytes", len);
	rd_copy(r, boot_id, len, "boot id");
	return rd_ok(r, e);
}

static bool
read_selection(struct reader *r, struct selection *s, struct error *e)
{
	s->count = rd_u8(r, "banks");
	if (s->count > TPM_SELECTIONS_MAX)
		return err_set(e, ERR_FORMAT, "selection: %u banks", s->count);
	for (unsigned i = 0; i < s->count; i++) {
		s->bank[i].alg = rd_be16(r, "bank");
		s->bank[i].pcrs = (uint32_t)rd_u8(r, "PCRs") << 16;
		s->bank[i].pcrs |= rd_be16(r, "PCRs");
	}
	return rd_ok(r, e);
}

static bool
read_fields(struct reader *r, struct challenge *c, struct error *e)
{
	uint8_t version = rd_u8(r, "version"), purpose;

	if (version != CHALLENGE_VERSION)
		return err_set(e, ERR_FORMAT, "challenge: version %u", version);
	c->key_id = rd_be32(r, "key id");
	rd_copy(r, c->id, sizeof(c->id), "id");
	rd_copy(r, c->nonce, sizeof(c->nonce), "nonce");
	if (!read_ak(r, &c->ak, e) || !read_boot_id(r, c->boot_id, e))
		return false;
	rd_copy(r, c->boot_log, sizeof(c->boot_log), "boot log");
	c->policy_version = rd_be32(r, "policy version");
	if (!read_selection(r, &c->selection, e))
		return false;
	purpose = rd_u8(r, "purpose");
	if (purpose >= PURPOSE_COUNT)
		return err_set(e, ERR_FORMAT, "challenge: purpose %u", purpose);
	c->purpose = (enum purpose)purpose;
	c->expires_wall = (int64_t)rd_be64(r, "expiry");
	while (rd_more(r))
		if (rd_u8(r, "padding"))
			return err_set(e, ERR_FORMAT, "challenge: padding is not zero");
	return rd_end(r, e);
}

bool
challenge_open(const uint8_t sealed[static CHALLENGE_SIZE], const uint8_t key[static 32], struct challenge *out,
    struct error *e)
{
	struct reader r = rd_open(sealed, BODY_SIZE);
	struct challenge c = { 0 };
	uint8_t mac[SHA256_SIZE];

	if (!seal_mac(sealed, key, mac, e))
		return false;
	if (!same_bytes(mac, sealed + BODY_SIZE, sizeof(mac)))
		return err_set(e, ERR_UNTRUSTED, "challenge: not made with this key");
	if (!read_fields(&r, &c, e))
		return false;
	*out = c;
	return true;
}

static bool
add_field(struct hasher *h, const void *p, size_t n)
{
	const uint8_t len[4] = { (uint8_t)(n >> 24), (uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n };

	return n <= UINT32_MAX && hasher_add(h, len, sizeof(len)) && hasher_add(h, p, n);
}

static bool
add_text(struct hasher *h, const char *s)
{
	return add_field(h, s, strlen(s));
}

bool
context_digest(const struct context *c, uint8_t out[static SHA256_SIZE])
{
	struct hasher *h = hasher_new(BANK_SHA256);
	uint8_t from[8];
	bool ok;

	for (unsigned i = 0; i < sizeof(from); i++)
		from[i] = (uint8_t)(c->ima_from >> 8 * (sizeof(from) - 1 - i));
	ok = h && add_text(h, "pam-attest/1") && add_text(h, purpose_word(c->purpose)) &&
	    add_field(h, c->nonce, NONCE_SIZE) && add_text(h, c->host_id) && add_text(h, c->boot_id) &&
	    add_field(h, c->boot_log, SHA256_SIZE) && add_field(h, from, sizeof(from)) &&
	    add_field(h, c->facts, SHA256_SIZE) && add_text(h, c->audience) && add_text(h, c->user) &&
	    hasher_end(h, out);
	hasher_free(h);
	return ok;
}
