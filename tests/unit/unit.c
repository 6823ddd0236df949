#include <ctype.h>
#include <sys/stat.h>
#include "unit.h"

int
unit_run(const char *suite, void (*add)(TCase *))
{
	Suite *s = suite_create(suite);
	TCase *tc = tcase_create("core");
	SRunner *sr = srunner_create(s);
	int bad;

	tcase_set_timeout(tc, 120);
	add(tc);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_ENV);
	bad = srunner_ntests_failed(sr);
	srunner_free(sr);
	return bad != 0;
}

static int
nibble(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)tolower((unsigned char)c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

size_t
unhex(const char *hex, uint8_t *buf, size_t size)
{
	size_t n = 0;

	for (; *hex; hex++) {
		if (isspace((unsigned char)*hex))
			continue;
		ck_assert_msg(nibble(hex[0]) >= 0 && nibble(hex[1]) >= 0 && n < size, "bad hex: %.10s", hex);
		buf[n++] = (uint8_t)(nibble(hex[0]) << 4 | nibble(hex[1]));
		hex++;
	}
	return n;
}

uint8_t *
unit_file(const char *path, size_t *len)
{
	const char *top = getenv("top_srcdir");
	char full[4096];
	own(file) FILE *f = NULL;
	uint8_t *buf;
	struct stat st;

	snprintf(full, sizeof(full), "%s%s%s", path[0] == '/' || !top ? "" : top,
	    path[0] == '/' || !top ? "" : "/", path);
	f = fopen(full, "rb");
	if (!f || fstat(fileno(f), &st) < 0 || !S_ISREG(st.st_mode))
		return NULL;
	buf = malloc((size_t)st.st_size + 1);
	ck_assert_ptr_nonnull(buf);
	*len = fread(buf, 1, (size_t)st.st_size, f);
	buf[*len] = '\0';
	return buf;
}

const char *
unit_corpus(void)
{
	const char *dir = getenv("CORPUS");
	struct stat st;

	return dir && !stat(dir, &st) && S_ISDIR(st.st_mode) ? dir : NULL;
}

void
unit_prefixes(const uint8_t *buf, size_t len, void (*fn)(const uint8_t *, size_t, void *), void *arg)
{
	for (size_t cut = 0; cut < len; cut++) {
		uint8_t *copy = malloc(cut ? cut : 1);

		ck_assert_ptr_nonnull(copy);
		memcpy(copy, buf, cut);
		fn(copy, cut, arg);
		free(copy);
	}
}
