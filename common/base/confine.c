#include <sys/prctl.h>
#include <sys/resource.h>
#include "confine.h"

bool
confine_process(struct error *e)
{
	const struct rlimit none = { 0, 0 };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || setrlimit(RLIMIT_CORE, &none) < 0 ||
	    prctl(PR_SET_DUMPABLE, SANITIZED, 0, 0, 0) < 0)
		return err_errno(e, "cannot give up privileges");
	return true;
}
