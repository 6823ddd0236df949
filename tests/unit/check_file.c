#include "file.h"
#include "unit.h"

static const struct { const char *label; uid_t uid, owner; bool trusted; } owners[] = {
	{ "root's", 0, 990, true },
	{ "the owner's", 990, 990, true },
	{ "another's", 991, 990, false },
	{ "44: the overflow uid's", 65534, 990, false },
	{ "44: the overflow uid's, when that is who is asked for", 65534, 65534, false },
	{ "44: root's, when that is who is asked for", 0, 65534, true },
};
START_TEST(whose)
{
	ck_assert_msg(owner_trusted(owners[_i].uid, owners[_i].owner) == owners[_i].trusted, "%s", owners[_i].label);
}
END_TEST

static void
add(TCase *tc)
{
	tcase_add_loop_test(tc, whose, 0, COUNT(owners));
}

int
main(void)
{
	return unit_run("file", add);
}
