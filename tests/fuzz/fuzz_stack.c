/* A file of pam.d. */
#include <stdint.h>
#include "scope.h"
#include "stack.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
take(void *arg, const struct stack_line *l)
{
	unsigned *last = arg;

	if (l->number <= *last || l->kind > KIND_BAD || l->type > STACK_EVERY || l->jump > STACK_LINES_MAX)
		abort();
	*last = l->number;
	if (l->kind != KIND_BAD && (!l->name[0] || !memchr(l->name, '\0', sizeof(l->name))))
		abort();
	for (size_t i = 0; l->kind == KIND_MODULE && i < ANSWER_COUNT; i++)
		if (l->on[i] > ACT_JUMP || (l->on[i] == ACT_JUMP && !l->jump))
			abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	unsigned last = 0;

	stack_walk((const char *)p, n, take, &last);
	return 0;
}
