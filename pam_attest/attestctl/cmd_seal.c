/*
 * attestctl seal-image: what makes this host itself goes, before a disk is cloned. While attestd runs it would write some of it again.
 */
#include <dirent.h>
#include <sys/stat.h>
#include "json.h"
#include "local.h"
#include "scope.h"
#include "show.h"
#include "attestctl.h"

enum { ASK_MS = 2000, FILES_MAX = 64 };

/* Which verifier a clone is to enroll with is no secret, and the same for all. */
static const char *const stays[] = { "verifier", "ca.pem" };

static bool
is_running(const struct gate_conf *c)
{
	struct error e = { .code = ERR_NONE };
	char path[GATE_PATH_MAX + 16];
	struct local_answer answer;
	struct local_out ask;

	local_open(&ask);
	local_put(&ask, "verb", "status");
	snprintf(path, sizeof(path), "%s/gate.sock", c->run_dir);
	return local_end(&ask, &e) &&
	    (local_exchange(path, gate_owner(c), &ask, clock_mono() + ASK_MS, &answer, NULL, &e) || e.code != ERR_MISSING);
}

static int
goes(const struct dirent *entry)
{
	for (size_t i = 0; i < COUNT(stays); i++)
		if (!strcmp(stays[i], entry->d_name))
			return 0;
	return strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
}

/* The identity first: what is left if it ends here is a host that is not enrolled. */
static int
identity_first(const struct dirent **a, const struct dirent **b)
{
	int one = strcmp((*a)->d_name, "identity") != 0, two = strcmp((*b)->d_name, "identity") != 0;

	return one != two ? one - two : strcmp((*a)->d_name, (*b)->d_name);
}

static int
forget(const struct ctl *ctl, const char *folder, bool dry_run, struct json *names)
{
	struct dirent **entry = NULL;
	int n = scandir(folder, &entry, goes, identity_first), code = EXIT_GOOD;

	if (n < 0)
		return ctl_wrong(ctl, errno == EACCES ? EXIT_PERMISSION : EXIT_USAGE, "%s: %s", folder, strerror(errno));
	for (int i = 0; i < n; i++) {
		char path[GATE_PATH_MAX + 256 + 2];

		snprintf(path, sizeof(path), "%s/%s", folder, entry[i]->d_name);
		if (!dry_run && code == EXIT_GOOD && unlink(path) < 0)
			code = ctl_wrong(ctl, errno == EACCES || errno == EPERM ? EXIT_PERMISSION : EXIT_USAGE, "%s: %s", path, strerror(errno));
		else if (code == EXIT_GOOD)
			json_add_text(names, path);
		if (code == EXIT_GOOD && !ctl->json && !ctl->quiet)
			printf("%s: %s\n", path, dry_run ? "would go" : "gone");
		free(entry[i]);
	}
	free(entry);
	return code;
}

int
cmd_seal_image(const struct ctl *ctl, int argc, char **argv)
{
	const char *dry_run = NULL;
	const struct ctl_option options[] = { { "--dry-run", &dry_run, NULL, "say what would go" } };
	own(json) struct json *j = json_new();
	struct json *names = json_new_list();
	struct gate_conf c;
	int code = EXIT_GOOD;

	json_put(j, "files", names);
	if (!ctl_options(ctl, argc, argv, options, COUNT(options), NULL))
		return EXIT_USAGE;
	ctl_conf(ctl, "", &c);
	if (!dry_run && is_running(&c))
		return ctl_wrong(ctl, EXIT_USAGE, "attestd runs, and would write some of it again. Next: systemctl stop attestd.socket attestd.service");
	code = forget(ctl, c.state_dir, dry_run != NULL, names);
	json_put_int(j, "schema", 1);
	json_put_bool(j, "dry_run", dry_run != NULL);
	if (ctl->json)
		return show_json(ctl, j) == EXIT_GOOD ? code : EXIT_BROKEN;
	if (code == EXIT_GOOD && !ctl->quiet)
		puts("Shut down now, and clone. Each clone enrolls for itself; until it was affirming once, enforce acts as audit there.\n"
		    "A virtual TPM must not be cloned with the disk: its endorsement key is the machine.");
	return code;
}
