#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "file.h"
#include "import_text.h"
#include "json.h"
#include "scope.h"

enum { IMPORT_MAX = 4 << 20, FILES_MAX = 256, DEPTH = 2 };   /* a request is at most 8 MiB, and text grows in it */

static inline void drop_dir(DIR **d) { if (*d) closedir(*d); }

static bool
ends(const char *name, const char *with)
{
	size_t n = strlen(name), m = strlen(with);

	return n > m && !strcmp(name + n - m, with);
}

static bool
load_text(const char *path, char **text)
{
	own(mem) uint8_t *bytes = NULL;
	struct error e = { .code = ERR_NONE };
	size_t len;

	if (!file_load(path, IMPORT_MAX, &bytes, &len, &e)) {
		fprintf(stderr, "verifierctl: %s\n", e.why);
		return false;
	}
	if (strlen((const char *)bytes) != len) {
		fprintf(stderr, "verifierctl: %s: not text\n", path);
		return false;
	}
	*text = (char *)give(bytes);
	return true;
}

static bool
add_file(const char *path, const char *shown, struct json *files, unsigned *count)
{
	own(mem) char *text = NULL;
	struct json *o;

	if (++*count > FILES_MAX) {
		fprintf(stderr, "verifierctl: %s: over %d files\n", path, FILES_MAX);
		return false;
	}
	if (!load_text(path, &text))
		return false;
	o = json_new();
	json_put_text(o, "path", shown);
	json_put_text(o, "text", text);
	json_add(files, o);
	return true;
}

/* *.pcrlock, and below *.pcrlock.d the alternatives; the rest of a folder is of no interest. */
static bool
add_folder(const char *path, size_t top, unsigned depth, struct json *files, unsigned *count)
{
	own(dir) DIR *d = opendir(path);
	const struct dirent *x;
	bool good = true;

	if (!d) {
		perror(path);
		return false;
	}
	while (good && (x = readdir(d))) {
		char below[4096];

		if (snprintf(below, sizeof(below), "%s/%s", path, x->d_name) >= (int)sizeof(below))
			continue;
		if (ends(x->d_name, ".pcrlock"))
			good = add_file(below, below + top + 1, files, count);
		else if (depth && ends(x->d_name, ".pcrlock.d"))
			good = add_folder(below, top, depth - 1, files, count);
	}
	return good;
}

bool
import_text(const char *path, char **text)
{
	own(json) struct json *bundle = NULL;
	struct json *files;
	struct error e;
	struct stat st;
	unsigned count = 0;
	size_t len;
	bool good;

	if (stat(path, &st) < 0) {
		perror(path);
		return false;
	}
	if (!S_ISDIR(st.st_mode))
		return load_text(path, text);
	bundle = json_new();
	files = json_new_list();
	good = add_folder(path, strlen(path), DEPTH - 1, files, &count);
	json_put(bundle, "files", files);
	if (good && !count)
		fprintf(stderr, "verifierctl: %s: no .pcrlock file\n", path);
	return good && count && json_print(bundle, false, text, &len, &e);
}
