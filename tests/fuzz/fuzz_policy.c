/* A policy that is read, from JSON or packed, comes back the same from both, and writes the same bytes again. */
#include "policy_json.h"
#include "scope.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
must(bool holds)
{
	if (!holds)
		abort();
}

static void
both_ways(const struct policy *p, const struct ima_rules *ima)
{
	static struct policy back;
	static uint8_t packed[POLICY_PACKED_MAX];
	own(ima_rules) struct ima_rules rules = { .mode = IMA_MODE_OFF };
	own(mem) char *one = NULL, *two = NULL;
	uint8_t digest[SHA256_SIZE], again[SHA256_SIZE];
	size_t n, m, len = 0;
	struct reader r;
	struct error e;

	must(policy_json_write(p, ima, &one, &n, &e) && policy_seal(p, packed, &len, digest, &e));
	r = rd_open(packed, len);
	must(policy_unpack(&r, &back, &e) && policy_json_write(&back, ima, &two, &m, &e) && n == m && !memcmp(one, two, n));
	must(policy_json_read(one, n, &back, &rules, &e) && policy_seal(&back, packed, &len, again, &e));
	must(!memcmp(digest, again, sizeof(digest)));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct policy p;
	own(ima_rules) struct ima_rules ima = { .mode = IMA_MODE_OFF };
	struct reader r = rd_open(data, len);
	struct error e;

	/* Packed, the rules for IMA are elsewhere. */
	if (policy_json_read((const char *)data, len, &p, &ima, &e) || (policy_unpack(&r, &p, &e) && !p.ima))
		both_ways(&p, &ima);
	return 0;
}
