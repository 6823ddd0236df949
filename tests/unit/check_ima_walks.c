#include "ima_walks.h"
#include "unit.h"

static struct ima_walks *all;

static void open_walks(void) { all = ima_walks_new(); ck_assert_ptr_nonnull(all); }
static void close_walks(void) { ima_walks_free(all); }

/* An id of a challenge by number. */
static const uint8_t *
id(unsigned n)
{
	static uint8_t out[CHALLENGE_ID_SIZE];

	memset(out, 0, sizeof(out));
	memcpy(out, &n, sizeof(n));
	return out;
}

static bool
is(unsigned n, int64_t now, const char *text)
{
	size_t len = 0;
	const uint8_t *p = ima_walks_get(all, id(n), now, &len);

	return text ? p && len == strlen(text) && !memcmp(p, text, len) : !p;
}

static void
put(unsigned n, int64_t now, int64_t expires, const char *text)
{
	ima_walks_put(all, id(n), now, expires, text, strlen(text));
}

START_TEST(one_state_a_challenge_until_it_expires)
{
	ck_assert(is(1, 0, NULL));
	put(1, 0, 100, "first part");
	put(2, 0, 100, "another");
	put(1, 50, 100, "second part");
	ck_assert(is(1, 99, "second part"));
	ck_assert(is(1, 100, NULL));
	ima_walks_drop(all, id(1));
	ima_walks_drop(all, id(1));
	ck_assert(is(1, 50, NULL));
	ck_assert(is(2, 50, "another"));
}
END_TEST

START_TEST(however_many_there_are)
{
	for (unsigned i = 0; i < IMA_WALKS_MAX; i++)
		put(i, 0, 1000 + i, "state");
	put(IMA_WALKS_MAX, 0, 5000, "one more");
	ck_assert(is(0, 0, NULL));                     /* would have gone first */
	for (unsigned i = 1; i < IMA_WALKS_MAX; i++)
		ck_assert(is(i, 0, "state"));
	put(9999, 1100, 6000, "later");                /* what has expired makes room */
	ck_assert(is(9999, 1100, "later"));
	ck_assert(is(101, 1100, "state"));
	ck_assert(is(IMA_WALKS_MAX, 1100, "one more"));
}
END_TEST

START_TEST(what_is_not_kept)
{
	own(mem) char *large = calloc(1, IMA_WALK_STATE_MAX + 1);

	ima_walks_put(all, id(1), 0, 100, large, IMA_WALK_STATE_MAX + 1);
	ck_assert(is(1, 0, NULL));
	ima_walks_put(all, id(1), 0, 100, large, 0);
	ck_assert(is(1, 0, NULL));
	ima_walks_put(NULL, id(1), 0, 100, large, 10);
	ck_assert_ptr_null(ima_walks_get(NULL, id(1), 0, &(size_t){ 0 }));
}
END_TEST

static void
add(TCase *tc)
{
	tcase_add_checked_fixture(tc, open_walks, close_walks);
	tcase_add_test(tc, one_state_a_challenge_until_it_expires);
	tcase_add_test(tc, however_many_there_are);
	tcase_add_test(tc, what_is_not_kept);
}

int
main(void)
{
	return unit_run("ima_walks", add);
}
