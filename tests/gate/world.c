#include <dirent.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include "clock.h"
#include "unit.h"
#include "world.h"

void
world_open(struct world *w)
{
	char path[128];

	strcpy(w->dir, "/tmp/pam-attest-gate.XXXXXX");
	w->attestd = 0;
	w->owner = getuid();
	w->owner_name = NULL;
	ck_assert_ptr_nonnull(mkdtemp(w->dir));
	ck_assert_int_eq(chmod(w->dir, 0755), 0);
	for (const char *const *sub = (const char *const[]){ "run", "state", "pam.d", "gate.conf.d", NULL }; *sub; sub++) {
		snprintf(path, sizeof(path), "%s/%s", w->dir, *sub);
		ck_assert_int_eq(mkdir(path, 0755), 0);
		ck_assert_int_eq(chmod(path, 0755), 0);
	}
	world_file(w, "boot_id", BOOT_ID "\n");
	world_file(w, "cmdline", "BOOT_IMAGE=/vmlinuz root=/dev/sda1 ro quiet -- attest=audit\n");
	world_file(w, "passwd", "root:x:0:0:root:/root:/bin/sh\nkim:x:1000:1000::/:/bin/sh\nada:x:1001:1001::/:/bin/sh\n"
	    "eve:x:1002:27::/:/bin/sh\n");
	world_file(w, "group", "root:x:0:\nsudo:x:27:ada,bob\nattest-breakglass:x:90:glen,bob\n");
}

static void
remove_below(const char *dir)
{
	DIR *d = opendir(dir);
	struct dirent *entry;
	char path[400];

	while (d && (entry = readdir(d))) {
		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
			continue;
		snprintf(path, sizeof(path), "%s/%s", dir, entry->d_name);
		if (unlink(path) < 0)
			remove_below(path);
	}
	if (d)
		closedir(d);
	rmdir(dir);
}

void
world_close(struct world *w)
{
	if (w->attestd > 0) {
		kill(w->attestd, SIGKILL);
		waitpid(w->attestd, NULL, 0);
	}
	remove_below(w->dir);
}

void
world_file(const struct world *w, const char *name, const char *text)
{
	char path[256];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", w->dir, name);
	unlink(path);
	f = fopen(path, "w");
	ck_assert_ptr_nonnull(f);
	fputs(text, f);
	ck_assert_int_eq(fclose(f), 0);
	ck_assert_int_eq(chmod(path, 0644), 0);
}

void
world_conf(const struct world *w, const char *text)
{
	char all[8192], uid[16];
	const char *d = w->dir;

	snprintf(uid, sizeof(uid), "%u", (unsigned)w->owner);
	snprintf(all, sizeof(all), "[paths]\nrun_dir = %s/run\nstate_dir = %s/state\nboot_id = %s/boot_id\npasswd = %s/passwd\n"
	    "group = %s/group\ncmdline = %s/cmdline\njournal = %s/journal\nowner = %s\n%s", d, d, d, d, d, d, d, w->owner_name ? w->owner_name : uid, text);
	world_file(w, "gate.conf", all);
}

struct field { const char *key, *value; };
static const struct field good[] = {
	{ "boot_id", BOOT_ID }, { "state", "affirming" }, { "reason", "ok" }, { "ref", "7F3K-21QX" }, { "ceiling", "enforce" },
	{ "issued_boot", "@-10000" }, { "expires_boot", "@600000" }, { "issued_wall", "@-10000" }, { "expires_wall", "@600000" },
	{ "asleep", "@0" }, { "reset_count", "7" }, { "restart_count", "0" }, { "host", "alpha" }, { "policy", "default/3" },
	{ "references", "debian12/14" }, { "upstream_out", "no" }, { "upstream_since", "0" }, { "good_issued", "@-10000" },
	{ "good_expires", "@600000" }, { "good_this_boot", "yes" }, { "grace_max", "86400000" },
};
static const struct field good_lease[] = {
	{ "boot_id", BOOT_ID }, { "id", "3M4N-5P6Q" }, { "issued_boot", "@-10000" }, { "expires_boot", "@600000" },
	{ "issued_wall", "@-10000" }, { "expires_wall", "@600000" }, { "overrules_refusal", "no" }, { "user", "" }, { "services", "" },
};

static void
put_field(FILE *f, const char *key, const char *value)
{
	struct clock now = clock_now();
	size_t len = strlen(key);
	long long base = now.wall;

	if (value[0] != '@') {
		fprintf(f, "%s=%s\n", key, value);
		return;
	}
	if (!strcmp(key, "asleep"))
		base = now.boot - now.mono;
	else if (len > 5 && !strcmp(key + len - 5, "_boot"))
		base = now.boot;
	fprintf(f, "%s=%lld\n", key, base + atoll(value + 1));
}

/* The last value for key in "a=b c=d", else NULL. */
static const char *
changed(const char *changes, const char *key, char out[static 256])
{
	char all[512], *save = NULL;
	const char *found = NULL;
	size_t len = strlen(key);

	snprintf(all, sizeof(all), "%s", changes);
	for (char *w = strtok_r(all, " ", &save); w; w = strtok_r(NULL, " ", &save))
		if (!strncmp(w, key, len) && w[len] == '=') {
			snprintf(out, 256, "%s", w + len + 1);
			for (char *comma = out; (comma = strchr(comma, ',')); )
				*comma = ' ';
			found = out;
		}
	return found;
}

static void
world_fields(const struct world *w, const char *name, const struct field *fields, unsigned n, const char *changes)
{
	char text[4096] = "", value[256];
	FILE *f = fmemopen(text, sizeof(text), "w");

	ck_assert_ptr_nonnull(f);
	fputs("version=1\n", f);
	for (unsigned i = 0; i < n; i++) {
		const char *v = changed(changes, fields[i].key, value);

		put_field(f, fields[i].key, v ? v : fields[i].value);
	}
	fclose(f);
	world_file(w, name, text);
}

void
world_record(const struct world *w, const char *changes)
{
	world_fields(w, "run/verdict", good, COUNT(good), changes);
}

void
world_lease(const struct world *w, const char *changes)
{
	world_fields(w, "run/lease", good_lease, COUNT(good_lease), changes);
}

static void __attribute__((noreturn))
serve(int fd, const char *answer)
{
	char all[512], *save = NULL, ask[4096];

	for (;;) {
		int c = accept(fd, NULL, NULL);

		if (c < 0 || !strcmp(answer, "hangup")) {
			close(c);
			continue;
		}
		if (recv(c, ask, sizeof(ask), 0) <= 0 || !strcmp(answer, "silent"))
			continue;
		while (!strcmp(answer, "drip") && send(c, "version=1\nerror=aaa\n", 1, MSG_NOSIGNAL) == 1)
			usleep(1000);
		dprintf(c, "version=1\n");
		snprintf(all, sizeof(all), "%s", answer);
		for (char *w = strtok_r(all, " ", &save); w; w = strtok_r(NULL, " ", &save))
			dprintf(c, "%s\n", w);
		dprintf(c, "\n");
		close(c);
	}
}

void
world_attestd(struct world *w, const char *answer)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(at.sun_path, sizeof(at.sun_path), "%s/run/gate.sock", w->dir);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	ck_assert_int_eq(chmod(at.sun_path, 0666), 0);
	ck_assert_int_eq(listen(fd, 16), 0);
	if (!strcmp(answer, "deaf"))
		return;                 /* connected by the kernel, never accepted */
	w->attestd = fork();
	ck_assert_int_ge(w->attestd, 0);
	if (!w->attestd)
		serve(fd, answer);
	close(fd);
}

bool
world_like(const char *text, const char *pattern)
{
	for (; *text && (*pattern == '*' || *pattern == *text); text++)
		pattern++;
	return !*text && !*pattern;
}
