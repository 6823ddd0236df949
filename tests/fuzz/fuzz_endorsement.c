/*
 * An enrollment as a host could send it: EK public area, AK public area, EK certificate and one
 * certificate more, each behind its length as two bytes; what is left is the bundle of roots.
 */
#include "endorsement.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static size_t
take(struct reader *r, uint8_t *out, size_t size)
{
	size_t n = rd_be16(r, "length");

	if (n > size)
		n = size;
	rd_copy(r, out, n, "part");
	return n;
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static struct enroll_request q;
	struct reader r = rd_open(p, n);
	struct enroll_facts f;
	struct error e;

	q.ek_public_len = take(&r, q.ek_public, sizeof(q.ek_public));
	q.ak_public_len = take(&r, q.ak_public, sizeof(q.ak_public));
	q.ek_cert_len = take(&r, q.ek_cert, sizeof(q.ek_cert));
	q.chain_len[0] = take(&r, q.chain[0], sizeof(q.chain[0]));
	q.chain_count = 1;
	if (rd_ok(&r, &e))
		endorsement_check(&q, (const char *)r.pos, r.left, true, 1800000000000, &f);
	return 0;
}
