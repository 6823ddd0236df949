/* The PEM files of ek_roots, read as one bundle at start and on SIGHUP; and the EK allow list. */
#include <ctype.h>
#include <dirent.h>
#include "core.h"
#include "file.h"
#include "log.h"
#include "scope.h"

enum { ROOT_FILE_MAX = 4 << 20, BUNDLE_MAX = 7 << 20, ALLOW_MAX = 4 << 20 };

static int
is_pem(const struct dirent *d)
{
	size_t n = strlen(d->d_name);

	return d->d_name[0] != '.' && n > 4 && !strcmp(d->d_name + n - 4, ".pem");
}

struct bundle { char *text; size_t len; };
static void drop_bundle(struct bundle *b) { free(b->text); }

static bool
append(struct bundle *b, const char *dir, const char *name, struct error *e)
{
	char path[OPTION_PATH + 256];
	own(mem) uint8_t *text = NULL;
	size_t len;
	char *larger;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	if (!file_load(path, ROOT_FILE_MAX, &text, &len, e))
		return false;
	if (len + 1 > BUNDLE_MAX - b->len)
		return err_set(e, ERR_LIMIT, "%.100s: more than %d bytes in all", dir, BUNDLE_MAX);
	larger = realloc(b->text, b->len + len + 1);
	if (!larger)
		return err_set(e, ERR_MEMORY, "ek_roots");
	memcpy(larger + b->len, text, len);
	larger[b->len + len] = '\n';
	b->text = larger;
	b->len += len + 1;
	return true;
}

bool
ek_roots_load(struct core *c, struct error *e)
{
	const char *dir = c->options.ek_roots;
	own(bundle) struct bundle b = { .text = NULL };
	struct dirent **list = NULL;
	int n = scandir(dir, &list, is_pem, alphasort);
	bool good = true;

	if (n < 0 && errno != ENOENT)
		return err_errno(e, "ek_roots %.150s", dir);
	for (int i = 0; i < n; i++) {
		good = good && append(&b, dir, list[i]->d_name, e);
		free(list[i]);
	}
	free(list);
	if (!good)
		return false;
	if (n <= 0)
		log_say(LOG_WARNING, "ek_roots: no .pem file in %s, so no TPM will be trusted", dir);
	free(c->ek_roots);
	c->ek_roots = give(b.text);
	c->ek_roots_len = b.len;
	return true;
}

/* One fingerprint a line; what follows it on the line is for people. */
bool
ek_allowed(const struct core *c, const char *fingerprint)
{
	own(mem) uint8_t *text = NULL;
	struct error e;
	size_t len, n = strlen(fingerprint);

	if (!*c->options.ek_allow)
		return false;
	if (!file_load(c->options.ek_allow, ALLOW_MAX, &text, &len, &e)) {
		log_say(LOG_ERR, "ek_allow: %s", e.why);
		return false;
	}
	for (const char *line = (const char *)text; line; line = strchr(line, '\n')) {
		line += strspn(line, "\n \t\r");
		if (n && !strncasecmp(line, fingerprint, n) && !isalnum((unsigned char)line[n]))
			return true;
	}
	return false;
}
