#include <dirent.h>
#include <sys/stat.h>
#include "clock.h"
#include "conf.h"
#include "dropin.h"
#include "file.h"
#include "scope.h"

#define PREFIX "90-attestctl-"

bool
dropin_path(const char *conf, const char *service, char out[static DROPIN_PATH_MAX], struct error *e)
{
	if (strlen(PREFIX) + strlen(service) + strlen(".conf") >= GATE_NAME_MAX)
		return err_set(e, ERR_LIMIT, "%.60s: the name is too long for a drop-in of its own; write gate.conf", service);
	if (strlen(conf) >= GATE_PATH_MAX)
		return err_set(e, ERR_LIMIT, "%.60s: path too long", conf);
	snprintf(out, DROPIN_PATH_MAX, "%.*s.d/" PREFIX "%.*s.conf", GATE_PATH_MAX, conf, GATE_NAME_MAX, service);
	return true;
}

static const char *
last_part(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* --- what others say */

struct look { const char *service, *key, *file; struct said *out; };

static bool
take(void *arg, const char *section, const char *key, const char *value, unsigned line, struct error *e)
{
	struct look *k = arg;

	(void)e;
	if (key && !strcmp(key, k->key) && gate_list_has(section, k->service)) {
		snprintf(k->out->place, sizeof(k->out->place), "%s:%u", k->file, line);
		snprintf(k->out->value, sizeof(k->out->value), "%s", value);
	}
	return true;
}

static void
look_into(struct look *k, const char *path)
{
	own(mem) uint8_t *text = NULL;
	struct error ignored;
	size_t len;

	k->file = path;
	/* Bad lines and files are lint's and the gate's. */
	if (file_load(path, GATE_FILE_MAX, &text, &len, &ignored) &&
	    !conf_walk(path, (const char *)text, len, take, k, &ignored))
		ignored.code = ERR_NONE;
}

static int
is_dropin(const struct dirent *d)
{
	size_t len = strlen(d->d_name);

	return d->d_name[0] != '.' && len > 5 && !strcmp(d->d_name + len - 5, ".conf");
}

static int
in_order(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

bool
dropin_look(const char *conf, const char *service, const char *key, struct said *before, struct said *after, struct error *e)
{
	char own_path[DROPIN_PATH_MAX], path[DROPIN_PATH_MAX + 256];
	struct look k = { .service = service, .key = key };
	struct dirent **entry = NULL;
	const char *ours;
	int n;

	*before = *after = (struct said){ 0 };
	if (!dropin_path(conf, service, own_path, e))
		return false;
	ours = last_part(own_path);
	k.out = before;
	look_into(&k, conf);
	snprintf(path, sizeof(path), "%s.d", conf);
	n = scandir(path, &entry, is_dropin, in_order);
	for (int i = 0; i < n; i++) {
		snprintf(path, sizeof(path), "%.*s.d/%s", GATE_PATH_MAX, conf, entry[i]->d_name);
		k.out = strcmp(entry[i]->d_name, ours) < 0 ? before : after;
		if (strcmp(entry[i]->d_name, ours) != 0)
			look_into(&k, path);
		free(entry[i]);
	}
	free(entry);
	return true;
}

/* --- ours */

bool
dropin_read(const char *conf, const char *service, struct dropin *out, struct error *e)
{
	char path[DROPIN_PATH_MAX], text[GATE_FILE_MAX];
	struct said mode = { 0 }, until = { 0 };
	struct look k = { .service = service, .key = "mode", .out = &mode };
	struct dropin d = { .until = 0 };
	struct stat st;
	size_t len;

	if (!dropin_path(conf, service, path, e) || !file_read_trusted(path, geteuid(), text, sizeof(text), &len, e))
		return false;
	k.file = last_part(path);
	if (!conf_walk(k.file, text, len, take, &k, e))
		return false;
	k.key = "until";
	k.out = &until;
	if (!conf_walk(k.file, text, len, take, &k, e))
		return false;
	if (!mode_find(mode.value, &d.mode) || (until.place[0] && !time_read(until.value, &d.until)))
		return err_set(e, ERR_FORMAT, "%s: mode or until cannot be read", path);
	if (stat(path, &st) < 0)
		return err_errno(e, "stat %s", path);
	d.since = (int64_t)st.st_mtim.tv_sec * 1000 + st.st_mtim.tv_nsec / 1000000;
	*out = d;
	return true;
}

/* One more than the gate reads, and it would read none: nobody would have a verdict. */
static bool
has_room(const char *folder, const char *path, struct error *e)
{
	struct dirent **entry = NULL;
	int n;

	if (access(path, F_OK) == 0)
		return true;
	n = scandir(folder, &entry, is_dropin, NULL);
	for (int i = 0; i < n; i++)
		free(entry[i]);
	free(entry);
	return n < GATE_DROPINS_MAX || err_set(e, ERR_LIMIT, "%s: %d files are there, and the gate reads no more", folder, n);
}

bool
dropin_write(const char *conf, const char *service, const char *command, enum gate_mode mode, int64_t until, struct error *e)
{
	char path[DROPIN_PATH_MAX], folder[GATE_PATH_MAX + 8], text[1024], when[TIME_TEXT];
	size_t len;

	if (!dropin_path(conf, service, path, e))
		return false;
	snprintf(folder, sizeof(folder), "%.*s.d", GATE_PATH_MAX, conf);
	/* Whatever the umask: a gate that may not look into it has no configuration. */
	if (mkdir(folder, 0755) < 0 ? errno != EEXIST : chmod(folder, 0755) < 0)
		return err_errno(e, "create %s", folder);
	if (!has_room(folder, path, e))
		return false;
	len = (size_t)snprintf(text, sizeof(text), "# Written by: attestctl %s %s. Read after gate.conf, and beats it; attestctl writes it anew.\n"
	    "[%s]\nmode  = %s\n", command, service, service, mode_word(mode));
	if (until) {
		time_text(until, when);
		len += (size_t)snprintf(text + len, sizeof(text) - len, "until = %s\n", when);
	}
	file_sweep_of(path);
	return file_replace(path, text, len, 0644, true, e);
}
