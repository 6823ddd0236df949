/*
 * A JSON body from the other side: the first byte picks which. What is taken must be writable, and
 * read again as the same.
 */
#include "api.h"
#include "scope.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

#define BODIES(X) X('c', challenge_request) X('C', challenge_answer) X('e', enroll_request) X('E', enroll_answer) \
	X('h', enrolled) X('p', problem) X('r', redemption) X('t', told_result)

#define X(letter, name)                                                                      \
static void                                                                                  \
name##_again(const char *text, size_t len)                                                   \
{                                                                                            \
	static struct name first, second;                                                    \
	own(mem) char *once = NULL;                                                          \
	own(mem) char *twice = NULL;                                                         \
	struct error e;                                                                      \
	size_t n, m;                                                                         \
                                                                                             \
	if (!name##_read(text, len, &first, &e))                                             \
		return;                                                                      \
	if (!name##_json(&first, &once, &n, &e) || !name##_read(once, n, &second, &e) ||     \
	    !name##_json(&second, &twice, &m, &e) || n != m || memcmp(once, twice, n) != 0)  \
		abort();                                                                     \
}
BODIES(X)
#undef X

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static struct evidence_answer answer;
	uint8_t secret[SECRET_SIZE];
	const char *text = (const char *)p + 1;
	struct error e;

	if (!n)
		return 0;
	switch (p[0]) {
#define X(letter, name) case letter: name##_again(text, n - 1); break;
	BODIES(X)
#undef X
	case 'a': (void)!evidence_answer_read(text, n - 1, &answer, &e); break;
	case 's': (void)!proof_read(text, n - 1, secret, &e); break;
	default: break;
	}
	return 0;
}
