/* A file of pam.d, hooked and unhooked: without a line of the gate before, the same again to the byte. */
#include <stdint.h>
#include "pam_edit.h"
#include "scope.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static bool
edited(const struct pam_edit *x, const char *text, size_t n, char **out, size_t *len)
{
	struct error e;

	if (!pam_edit_apply(x, text, n, out, len, &e))
		abort();
	return true;
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	own(mem) struct pam_edit *x = malloc(sizeof(*x)), *in = malloc(sizeof(*in));
	own(mem) char *bare = NULL, *hooked = NULL, *again = NULL;
	size_t bare_len, hooked_len, again_len;
	struct error e;

	if (!x || !in || !pam_edit_unhook((const char *)p, n, x, &e))
		return 0;
	edited(x, (const char *)p, n, &bare, &bare_len);
	if (bare_len > n || (!x->n && bare_len != n))
		abort();
	if (!pam_edit_hook("/nonexistent", bare, bare_len, PAM_GATE_LINE, in, &e))
		return 0;
	edited(in, bare, bare_len, &hooked, &hooked_len);
	/* What is left may be a line that only the removal of another one made one of the gate. */
	if (in->n)
		return 0;
	if (!pam_edit_unhook(hooked, hooked_len, x, &e) || x->n != 1)
		abort();
	edited(x, hooked, hooked_len, &again, &again_len);
	if (again_len != bare_len || memcmp(again, bare, bare_len) != 0)
		abort();
	return 0;
}
