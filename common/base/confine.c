#include <sys/prctl.h>
#include <sys/resource.h>
#include "confine.h"

/* The leak check of AddressSanitizer traces the process at its end. */
#if defined(__SANITIZE_ADDRESS__)
enum { DUMPABLE = 1 };
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
enum { DUMPABLE = 1 };
#else
enum { DUMPABLE = 0 };
#endif
#else
enum { DUMPABLE = 0 };
#endif

bool
confine_process(struct error *e)
{
	const struct rlimit none = { 0, 0 };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || setrlimit(RLIMIT_CORE, &none) < 0 ||
	    prctl(PR_SET_DUMPABLE, DUMPABLE, 0, 0, 0) < 0)
		return err_errno(e, "cannot give up privileges");
	return true;
}
