#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include "sshd_conf.h"

enum { LOGIN_GRACE_DEFAULT = 120 };

void
sshd_conf_open(struct sshd_conf *c)
{
	*c = (struct sshd_conf){ .login_grace = LOGIN_GRACE_DEFAULT };
}

/* sshd_config(5), TIME FORMATS: "90", "2m", "1h30m". False for what sshd would not take. */
static bool
take_time(const char *text, unsigned *out)
{
	static const struct { char unit; unsigned seconds; } units[] = { { 's', 1 }, { 'm', 60 }, { 'h', 3600 }, { 'd', 86400 }, { 'w', 604800 } };
	unsigned long long all = 0, n = 0;
	bool digits = false;

	for (; *text; text++) {
		unsigned factor = 0;

		if (*text >= '0' && *text <= '9') {
			n = n * 10 + (unsigned)(*text - '0');
			digits = true;
			if (n > INT_MAX)
				return false;
			continue;
		}
		for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
			if ((*text | 0x20) == units[i].unit)
				factor = units[i].seconds;
		if (!factor || !digits)
			return false;
		all += n * factor;
		n = 0;
		digits = false;
		if (all > INT_MAX)
			return false;
	}
	all += n;
	if (all > INT_MAX)
		return false;
	*out = (unsigned)all;
	return true;
}

static void
place(char out[static SSHD_PLACE], const char *file, unsigned line)
{
	snprintf(out, SSHD_PLACE, "%.140s:%u", file, line);
}

void
sshd_conf_take(struct sshd_conf *c, const char *file, const char *text, size_t len, sshd_include_fn *include, void *arg)
{
	struct lines l = lines_open(text, len, false);
	char line[LINE_TEXT], *word[WORDS_MAX];
	unsigned number, seconds;
	bool cut, in_match = false;

	while (lines_next(&l, line, &number, &cut)) {
		unsigned n = line_words(line, "=", word);

		c->cut |= cut;
		if (n < 2 || word[0][0] == '#')
			continue;
		if (!strcasecmp(word[0], "match")) {
			in_match = strcasecmp(word[1], "all") != 0;
		} else if (in_match) {
			continue;
		} else if (!strcasecmp(word[0], "include") && include) {
			for (unsigned i = 1; i < n; i++)
				include(arg, word[i]);
		} else if (!strcasecmp(word[0], "usepam") && !c->use_pam_at[0]) {
			c->use_pam = !strcasecmp(word[1], "yes") || !strcasecmp(word[1], "true");
			place(c->use_pam_at, file, number);
		} else if (!strcasecmp(word[0], "logingracetime") && !c->login_grace_at[0] && take_time(word[1], &seconds)) {
			c->login_grace = seconds;
			place(c->login_grace_at, file, number);
		} else if (!strcasecmp(word[0], "allowgroups") && c->group && !c->group_at[0]) {
			for (unsigned i = 1; i < n; i++)
				if (!strcmp(word[i], c->group))
					place(c->group_at, file, number);
		}
	}
}
