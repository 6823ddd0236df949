/*
 * A frame's payload as a broken role could send it: the first byte picks the structure. What is
 * taken must pack to the same bytes again.
 */
#include "ipc.h"
#include "scope.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

#define FORMS(X) X(0, challenge_request) X(1, enroll_request) X(2, admin_request) X(3, enroll_facts) \
	X(4, host_facts) X(5, expectation) X(6, quote) X(7, proof) X(8, newest) X(9, redeem) X(10, orders_ask)

#define X(number, name)                                                    \
static bool                                                                \
name##_again(struct reader *r, struct writer *w)                           \
{                                                                          \
	static struct name s;                                              \
	struct error e;                                                    \
                                                                           \
	if (!name##_unpack(r, &s, &e))                                     \
		return false;                                              \
	name##_pack(&s, w);                                                \
	return true;                                                       \
}
FORMS(X)
#undef X

static bool
again(unsigned form, struct reader *r, struct writer *w)
{
	switch (form) {
#define X(number, name) case number: return name##_again(r, w);
	FORMS(X)
#undef X
	default: return false;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static uint8_t buf[256 << 10];
	struct writer w = wr_open(buf, sizeof(buf));
	struct reader r;

	if (!n)
		return 0;
	r = rd_open(p + 1, n - 1);
	if (again(p[0], &r, &w) && (w.bad || w.used != n - 1 || memcmp(buf, p + 1, w.used) != 0))
		abort();
	return 0;
}
