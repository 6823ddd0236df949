/* The module loads alone, and goes again: nothing but libc and libpam is asked for, nothing is left behind. */
#include <dlfcn.h>
#include "unit.h"

static const char *const entries[] = {
	"pam_sm_authenticate", "pam_sm_setcred", "pam_sm_acct_mgmt", "pam_sm_open_session", "pam_sm_close_session",
};

START_TEST(loads_alone)
{
	char path[512];
	void *module;

	snprintf(path, sizeof(path), "%s/.libs/pam_attest.so", getenv("top_builddir"));
	for (int again = 0; again < 3; again++) {
		module = dlopen(path, RTLD_NOW | RTLD_LOCAL);
		ck_assert_msg(module != NULL, "%s", dlerror());
		for (size_t i = 0; i < COUNT(entries); i++)
			ck_assert_msg(dlsym(module, entries[i]) != NULL, "%s is not there", entries[i]);
		ck_assert_ptr_null(dlsym(module, "gate_decide"));
		ck_assert_int_eq(dlclose(module), 0);
	}
	ck_assert_ptr_null(dlopen(path, RTLD_NOW | RTLD_NOLOAD));
}
END_TEST

static void
add(TCase *tc)
{
	tcase_add_test(tc, loads_alone);
}

int
main(void)
{
	return unit_run("load", add);
}
