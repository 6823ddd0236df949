/* inspect allow-list: what a list of known files holds, and the same list as this project writes it. */
#include <stdio.h>
#include <string.h>
#include "allow_list.h"
#include "file.h"
#include "inspect.h"
#include "scope.h"

/* "sha256:12ab…" counts for "sha256", "verity:sha256:12ab…" for "verity:sha256". */
static struct json *
digests_json(const struct allow_list *l)
{
	struct json *j = json_new();
	struct allow_place at = { 0, 0 };
	char digest[ALLOWED_TEXT], before[ALLOWED_TEXT] = "";
	const char *pattern;
	int64_t n = 0;

	while (allow_list_next(l, &at, digest, &pattern)) {
		*strrchr(digest, ':') = '\0';
		if (n && strcmp(digest, before) != 0) {
			json_put_int(j, before, n);
			n = 0;
		}
		strcpy(before, digest);
		n++;
	}
	if (n)
		json_put_int(j, before, n);
	return j;
}

/* Each of the lines, as text or into a list. */
static void
each_exclude(char *excludes, struct json *list)
{
	for (char *line = excludes, *end; (end = strchr(line, '\n')); line = end + 1) {
		*end = '\0';
		if (list)
			json_add_text(list, line);
		else
			fprintf(stderr, "verifierctl: exclude: %s\n", line);
	}
}

int
inspect_allow_list(const struct ctl *ctl, const char *file)
{
	own(json) struct json *j = json_new();
	own(allow_list) struct allow_list l = { .count = 0 };
	own(mem) uint8_t *bytes = NULL;
	own(mem) char *excludes = NULL, *text = NULL;
	struct json *list = json_new_list();
	struct error e = { .code = ERR_NONE };
	size_t len;

	json_put(j, "excludes", list);
	if (!file_load(file, ALLOW_TEXT_MAX, &bytes, &len, &e)) {
		fprintf(stderr, "verifierctl: %s\n", e.why);
		return EXIT_REFUSED;
	}
	if (!allow_list_import((const char *)bytes, len, &l, &excludes, &e) || !allow_list_write(&l, &text, &len, &e)) {
		fprintf(stderr, "verifierctl: %s: %s\n", file, e.why);
		return EXIT_REFUSED;
	}
	if (ctl->json) {
		each_exclude(excludes, list);
		json_put_int(j, "schema", 1);
		json_put_int(j, "entries", l.count);
		json_put(j, "digests", digests_json(&l));
		return inspect_print(ctl, j, EXIT_DONE);
	}
	if (!ctl->quiet)
		fwrite(text, 1, len, stdout);
	each_exclude(excludes, NULL);
	return EXIT_DONE;
}
