#include <stdio.h>
#include <string.h>
#include "scope.h"
#include "tpm_types.h"

enum { PCR_SELECT_BYTES = 3, RSA_DEFAULT_EXPONENT = 65537 };

/* A TPM2B: u16 size and as many bytes, at most max, copied to out. */
static size_t
read_2b(struct reader *r, void *out, size_t max, const char *field)
{
	uint16_t n = rd_be16(r, field);

	if (n > max) {
		r->bad = r->bad ? r->bad : field;
		return 0;
	}
	rd_copy(r, out, n, field);
	return r->bad ? 0 : n;
}

bool
selection_same(const struct selection *a, const struct selection *b)
{
	if (a->count != b->count)
		return false;
	for (unsigned i = 0; i < a->count; i++)
		if (a->bank[i].alg != b->bank[i].alg || a->bank[i].pcrs != b->bank[i].pcrs)
			return false;
	return true;
}

static bool
parse_pcrs(const char *s, size_t len, uint32_t *pcrs)
{
	*pcrs = 0;
	while (len) {
		unsigned n = 0, digits = 0;

		while (len && *s >= '0' && *s <= '9' && digits < 2) {
			n = n * 10 + (unsigned)(*s++ - '0');
			len--;
			digits++;
		}
		if (!digits || n >= PCR_COUNT || *pcrs & 1u << n)
			return false;
		*pcrs |= 1u << n;
		if (len && (*s++ != ',' || !--len))
			return false;
	}
	return true;
}

bool
selection_parse(const char *text, struct selection *out, struct error *e)
{
	struct selection s = { 0 };

	for (const char *p = text; *p;) {
		size_t len = strcspn(p, "+");
		const char *colon = memchr(p, ':', len);
		char word[8] = "";
		enum bank bank;

		if (s.count == TPM_SELECTIONS_MAX)
			return err_set(e, ERR_LIMIT, "%s: over %d banks", text, TPM_SELECTIONS_MAX);
		if (colon && (size_t)(colon - p) < sizeof(word))
			memcpy(word, p, (size_t)(colon - p));
		if (!colon || !bank_of_word(word, &bank) ||
		    !parse_pcrs(colon + 1, len - (size_t)(colon + 1 - p), &s.bank[s.count].pcrs))
			return err_set(e, ERR_FORMAT, "%.80s: not bank:pcr,pcr…", text);
		s.bank[s.count++].alg = bank_alg(bank);
		p += len;
		if (*p == '+' && !*++p)
			return err_set(e, ERR_FORMAT, "%.80s: ends in '+'", text);
	}
	if (!s.count)
		return err_set(e, ERR_FORMAT, "empty selection");
	*out = s;
	return true;
}

bool
selection_text(const struct selection *s, char *out, size_t size)
{
	FILE *f = fmemopen(out, size, "w");
	bool ok;

	if (!f)
		return false;
	for (unsigned i = 0; i < s->count; i++) {
		const char *comma = "";
		enum bank bank;

		if (bank_of_alg(s->bank[i].alg, &bank))
			fprintf(f, "%s%s:", i ? "+" : "", bank_word(bank));
		else
			fprintf(f, "%s0x%04x:", i ? "+" : "", s->bank[i].alg);
		for (unsigned pcr = 0; pcr < PCR_COUNT; pcr++)
			if (s->bank[i].pcrs & 1u << pcr) {
				fprintf(f, "%s%u", comma, pcr);
				comma = ",";
			}
	}
	fputc('\0', f);
	ok = !ferror(f) && !fflush(f) && (size_t)ftell(f) <= size;
	return !fclose(f) && ok;
}

static void
read_selection(struct reader *r, struct selection *s)
{
	uint32_t count = rd_be32(r, "selection count");

	if (count > TPM_SELECTIONS_MAX) {
		r->bad = "selection count";
		return;
	}
	for (s->count = 0; s->count < count && !r->bad; s->count++) {
		s->bank[s->count].alg = rd_be16(r, "selection bank");
		if (rd_u8(r, "selection size") != PCR_SELECT_BYTES && !r->bad)
			r->bad = "selection size";
		for (unsigned i = 0; i < PCR_SELECT_BYTES; i++)
			s->bank[s->count].pcrs |= (uint32_t)rd_u8(r, "selected PCRs") << 8 * i;
	}
}

static void
read_name(struct reader *r, struct tpm_name *n, const char *field)
{
	n->size = (uint16_t)read_2b(r, n->bytes, sizeof(n->bytes), field);
}

/* TPM-2, TPMS_ATTEST and TPMS_QUOTE_INFO. */
bool
quote_read(const void *attest, size_t len, struct quote *out, struct error *e)
{
	struct reader r = rd_open(attest, len);
	struct quote q = { 0 };
	uint8_t safe;

	if (len > TPM_ATTEST_MAX)
		return err_set(e, ERR_LIMIT, "attest structure of %zu bytes: over %d", len, TPM_ATTEST_MAX);
	q.magic = rd_be32(&r, "magic");
	q.type = rd_be16(&r, "type");
	read_name(&r, &q.signer, "qualified signer");
	q.extra_len = read_2b(&r, q.extra, sizeof(q.extra), "extra data");
	q.clock = rd_be64(&r, "clock");
	q.reset_count = rd_be32(&r, "reset count");
	q.restart_count = rd_be32(&r, "restart count");
	safe = rd_u8(&r, "safe");
	q.firmware = rd_be64(&r, "firmware version");
	if (!rd_ok(&r, e))
		return false;
	if (safe > 1)
		return err_set(e, ERR_FORMAT, "safe: %u is neither yes nor no", safe);
	q.safe = safe;
	if (q.type == TPM_ST_ATTEST_QUOTE) {
		read_selection(&r, &q.selection);
		q.pcr_digest_len = read_2b(&r, q.pcr_digest, sizeof(q.pcr_digest), "PCR digest");
		if (!rd_end(&r, e))
			return false;
	}
	*out = q;
	return true;
}

static bool
signing_hash(uint16_t alg, enum bank *hash)
{
	return bank_of_alg(alg, hash) && (*hash == BANK_SHA256 || *hash == BANK_SHA384 || *hash == BANK_SHA512);
}

/* TPM-2, TPMT_SIGNATURE. */
bool
signature_read(const void *p, size_t len, struct tpm_signature *out, struct error *e)
{
	struct reader r = rd_open(p, len);
	struct tpm_signature s = { 0 };
	uint16_t hash;

	if (len > TPM_SIGNATURE_MAX)
		return err_set(e, ERR_LIMIT, "signature of %zu bytes: over %d", len, TPM_SIGNATURE_MAX);
	s.alg = rd_be16(&r, "signature algorithm");
	hash = rd_be16(&r, "signature hash");
	if (!rd_ok(&r, e))
		return false;
	if (!signing_hash(hash, &s.hash))
		return err_set(e, ERR_FORMAT, "signature hash 0x%04x: not SHA-256, -384 or -512", hash);
	switch (s.alg) {
	case TPM_ALG_ECDSA:
		s.r_len = read_2b(&r, s.r, sizeof(s.r), "signature r");
		s.s_len = read_2b(&r, s.s, sizeof(s.s), "signature s");
		break;
	case TPM_ALG_RSASSA:
	case TPM_ALG_RSAPSS:
		s.rsa_len = read_2b(&r, s.rsa, sizeof(s.rsa), "signature");
		break;
	default:
		return err_set(e, ERR_FORMAT, "signature algorithm 0x%04x: not ECDSA, RSASSA or RSAPSS", s.alg);
	}
	if (!rd_end(&r, e))
		return false;
	*out = s;
	return true;
}

static size_t
curve_bytes(uint16_t curve)
{
	return curve == TPM_ECC_P256 ? 32 : curve == TPM_ECC_P384 ? 48 : 0;
}

/* A coordinate as the TPM gives it, which may lack leading zeros, at the curve's full size. */
static void
read_coordinate(struct reader *r, uint8_t *out, size_t size, const char *field)
{
	uint8_t raw[66];
	size_t n = read_2b(r, raw, size, field);

	memset(out, 0, size);
	memcpy(out + size - n, raw, n);
}

static void
read_scheme(struct reader *r, struct tpm_public *p)
{
	p->scheme = rd_be16(r, "scheme");
	if (p->scheme != TPM_ALG_NULL)
		p->scheme_hash = rd_be16(r, "scheme hash");
}

static bool
read_rsa(struct reader *r, struct tpm_public *p, struct error *e)
{
	read_scheme(r, p);
	p->rsa_bits = rd_be16(r, "key bits");
	p->exponent = rd_be32(r, "exponent");
	p->modulus_len = read_2b(r, p->modulus, sizeof(p->modulus), "modulus");
	if (!rd_ok(r, e))
		return false;
	if (!p->exponent)
		p->exponent = RSA_DEFAULT_EXPONENT;
	if (p->exponent != RSA_DEFAULT_EXPONENT)
		return err_set(e, ERR_FORMAT, "exponent %u: not 65537", p->exponent);
	if (p->rsa_bits < 2048 || p->rsa_bits > 4096 || p->modulus_len != p->rsa_bits / 8u || !(p->modulus[0] & 0x80))
		return err_set(e, ERR_FORMAT, "modulus of %zu bytes for %u bits", p->modulus_len, p->rsa_bits);
	return true;
}

static bool
read_ecc(struct reader *r, struct tpm_public *p, struct error *e)
{
	uint16_t kdf;

	read_scheme(r, p);
	p->curve = rd_be16(r, "curve");
	kdf = rd_be16(r, "kdf");
	if (!rd_ok(r, e))
		return false;
	p->xy_len = curve_bytes(p->curve);
	if (!p->xy_len)
		return err_set(e, ERR_FORMAT, "curve 0x%04x: neither P-256 nor P-384", p->curve);
	if (kdf != TPM_ALG_NULL)
		return err_set(e, ERR_FORMAT, "kdf 0x%04x: not null", kdf);
	read_coordinate(r, p->x, p->xy_len, "x");
	read_coordinate(r, p->y, p->xy_len, "y");
	return rd_ok(r, e);
}

/* TPM-2, TPMT_PUBLIC. */
bool
public_read(const void *tpmt, size_t len, struct tpm_public *out, struct error *e)
{
	struct reader r = rd_open(tpmt, len);
	struct tpm_public p = { 0 };

	if (len > TPM_PUBLIC_MAX)
		return err_set(e, ERR_LIMIT, "public area of %zu bytes: over %d", len, TPM_PUBLIC_MAX);
	p.type = rd_be16(&r, "key type");
	p.name_alg = rd_be16(&r, "name algorithm");
	p.attributes = rd_be32(&r, "attributes");
	p.policy_len = read_2b(&r, p.policy, sizeof(p.policy), "policy");
	p.sym_alg = rd_be16(&r, "symmetric algorithm");
	if (p.sym_alg != TPM_ALG_NULL) {
		p.sym_bits = rd_be16(&r, "symmetric bits");
		p.sym_mode = rd_be16(&r, "symmetric mode");
	}
	if (!rd_ok(&r, e))
		return false;
	if (p.type == TPM_ALG_RSA ? !read_rsa(&r, &p, e) : p.type == TPM_ALG_ECC ? !read_ecc(&r, &p, e) :
	    !err_set(e, ERR_FORMAT, "key type 0x%04x: neither RSA nor ECC", p.type))
		return false;
	if (!rd_end(&r, e))
		return false;
	*out = p;
	return true;
}

/* u16 algorithm || its hash over what is given; the shape of every Name. */
static bool
make_name(uint16_t alg, const void *p, size_t len, struct tpm_name *out)
{
	enum bank bank;

	if (!bank_of_alg(alg, &bank) || !digest(bank, p, len, out->bytes + 2))
		return false;
	out->bytes[0] = (uint8_t)(alg >> 8);
	out->bytes[1] = (uint8_t)alg;
	out->size = (uint16_t)(2 + bank_size(bank));
	return true;
}

bool
public_name(const void *tpmt, size_t len, struct tpm_name *out, struct error *e)
{
	struct reader r = rd_open(tpmt, len);
	uint16_t alg;

	rd_be16(&r, "key type");
	alg = rd_be16(&r, "name algorithm");
	if (!rd_ok(&r, e))
		return false;
	return make_name(alg, tpmt, len, out) || err_set(e, ERR_FORMAT, "name algorithm 0x%04x: unknown", alg);
}

/* TPM-1, Qualified Name: of a primary key, over its hierarchy's handle and its Name. */
bool
name_qualify(const struct tpm_name *name, uint32_t hierarchy, struct tpm_name *out)
{
	uint8_t both[4 + TPM_NAME_MAX];

	if (name->size < 2)
		return false;
	for (unsigned i = 0; i < 4; i++)
		both[i] = (uint8_t)(hierarchy >> 8 * (3 - i));
	memcpy(both + 4, name->bytes, name->size);
	return make_name((uint16_t)(name->bytes[0] << 8 | name->bytes[1]), both, 4u + name->size, out);
}

bool
name_same(const struct tpm_name *a, const struct tpm_name *b)
{
	return a->size && a->size == b->size && same_bytes(a->bytes, b->bytes, a->size);
}
