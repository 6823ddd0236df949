#include <dirent.h>
#include <pwd.h>
#include "complete.h"
#include "scope.h"

void
complete_word(const char *begun, const char *word, const char *help)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_@%+=:,./-";

	/* bash puts it into the line as it is: what a shell would read as more than a word is nobody's name, or left to be typed. */
	if (word[strspn(word, plain)] || strncmp(begun, word, strlen(begun)))
		return;
	printf(help[0] ? "%s\t%s\n" : "%s\n", word, help);
}

/* The words of "auth|account|session". */
static void
each_of(const char *list, const char *begun)
{
	char word[32];

	while (*list) {
		size_t n = strcspn(list, "|");

		snprintf(word, sizeof(word), "%.*s", (int)n, list);
		complete_word(begun, word, "");
		list += n + (list[n] == '|');
	}
}

static void
named_service(void *begun, const char *service)
{
	complete_word(begun, service, "gate.conf");
}

/* Those that gate.conf names, and those that PAM knows; a shell shows what comes twice once. */
static void
services(const struct ctl *ctl, const char *begun)
{
	DIR *d = opendir("/etc/pam.d");
	const struct dirent *entry;
	char copy[GATE_NAME_MAX];
	struct error e;

	snprintf(copy, sizeof(copy), "%s", begun);
	if (!gate_conf_services(ctl->conf, named_service, copy, &e))
		copy[0] = '\0';
	while (d && (entry = readdir(d)))
		if (!strpbrk(entry->d_name, ".~") && strncmp(entry->d_name, "common-", 7) != 0)
			complete_word(begun, entry->d_name, "");
	if (d)
		closedir(d);
}

static void
users(const char *begun)
{
	const struct passwd *p;

	setpwent();
	while ((p = getpwent()))
		complete_word(begun, p->pw_name, "");
	endpwent();
}

int
complete_value(const struct ctl *ctl, const char *what, const char *begun)
{
	if (strchr(what, '|'))
		each_of(what, begun);
	else if (!strcmp(what, "SERVICE"))
		services(ctl, begun);
	else if (!strcmp(what, "USER"))
		users(begun);
	else if (!strcmp(what, "FILE") || !strcmp(what, "DIR"))
		return COMPLETE_FILES;
	return COMPLETE_ALL;
}
