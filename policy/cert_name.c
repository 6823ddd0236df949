#include <string.h>
#include "cert_name.h"

enum { DER_SEQUENCE = 0x30, DER_SET = 0x31, DER_OID = 0x06, DER_VERSION = 0xa0, DER_BMP = 0x1e };

/* One element: its tag, and a reader of what is in it. Lengths of up to three bytes. */
static struct reader
der_take(struct reader *r, uint8_t *tag)
{
	size_t len;
	uint8_t first;

	*tag = rd_u8(r, "tag");
	first = rd_u8(r, "length");
	if (first < 0x80)
		len = first;
	else if (first == 0x81)
		len = rd_u8(r, "length");
	else if (first == 0x82)
		len = rd_be16(r, "length");
	else {
		r->bad = r->bad ? r->bad : "length";
		len = 0;
	}
	return rd_sub(r, len, "value");
}

static struct reader
der_enter(struct reader *r, uint8_t want)
{
	uint8_t tag;
	struct reader in = der_take(r, &tag);

	if (tag != want && !r->bad)
		r->bad = "tag";
	if (r->bad)
		in.bad = r->bad;
	return in;
}

bool
der_is_sequence(const uint8_t *der, size_t len)
{
	struct reader r = rd_open(der, len);

	(void)der_enter(&r, DER_SEQUENCE);
	return !r.bad && !r.left;
}

/* TBSCertificate up to its subject (RFC 5280, 4.1). */
static struct reader
subject_of(const uint8_t *der, size_t len)
{
	struct reader r = rd_open(der, len);
	struct reader cert = der_enter(&r, DER_SEQUENCE);
	struct reader tbs = der_enter(&cert, DER_SEQUENCE);
	uint8_t tag;

	if (tbs.left && *tbs.pos == DER_VERSION)
		(void)der_take(&tbs, &tag);
	for (unsigned i = 0; i < 4; i++)        /* serial number, algorithm, issuer, validity */
		(void)der_take(&tbs, &tag);
	return der_enter(&tbs, DER_SEQUENCE);
}

static void
put_name(const struct reader *value, uint8_t tag, char *out, size_t size)
{
	size_t step = tag == DER_BMP ? 2 : 1, n = 0;

	for (size_t i = step - 1; i < value->left && n + 1 < size; i += step)
		out[n++] = value->pos[i] >= 0x20 && value->pos[i] < 0x7f ? (char)value->pos[i] : '?';
	out[n] = '\0';
}

void
cert_name(const uint8_t *der, size_t len, char *out, size_t size)
{
	static const uint8_t common_name[] = { 0x55, 0x04, 0x03 }, organisation[] = { 0x55, 0x04, 0x0a };
	struct reader subject = subject_of(der, len);

	*out = '\0';
	for (unsigned i = 0; i < CERT_RDNS_MAX && rd_more(&subject); i++) {
		struct reader set = der_enter(&subject, DER_SET);
		struct reader pair = der_enter(&set, DER_SEQUENCE);
		struct reader oid = der_enter(&pair, DER_OID);
		uint8_t tag;
		struct reader value = der_take(&pair, &tag);

		if (pair.bad || oid.left != sizeof(common_name))
			continue;
		if (!memcmp(oid.pos, common_name, sizeof(common_name))) {
			put_name(&value, tag, out, size);
			return;
		}
		if (!memcmp(oid.pos, organisation, sizeof(organisation)))
			put_name(&value, tag, out, size);
	}
}
