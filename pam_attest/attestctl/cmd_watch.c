/* attestctl watch: says each change of a verdict, and runs a command on it. attest-vpn(7) has what it is for. */
#include <ctype.h>
#include <spawn.h>
#include <sys/wait.h>
#include <time.h>
#include "ask.h"
#include "conf.h"
#include "file.h"
#include "result.h"
#include "scope.h"

enum {
	PEERS_MAX = 4096, PEER_ARGS_TEXT = 256, PEERS_FILE_MAX = 512 << 10, ASK_MS = 4000,
	EVERY_S = 15, EVERY_MIN_S = 1, EVERY_MAX_S = 24 * 3600,
};

/* One that is watched: a machine of the list, or this host, whose name is "". */
struct watched {
	char        name[NAME_TEXT], args[PEER_ARGS_TEXT];
	bool        seen, listed;
	enum reason reason;
	char        ref[REF_TEXT];
};
struct watch {
	const struct ctl *ctl;
	const char       *command;
	bool              unread;      /* the list, and that is said */
	unsigned          count;
	struct watched    item[PEERS_MAX];
};

/* What attestd says of it now; that nobody answers is an answer, too. False: we may not ask. */
static bool
look(const struct ctl *ctl, struct watched *w, enum reason *now)
{
	own(told) struct told told = { 0 };
	struct error e = { .code = ERR_NONE };
	struct local_out o;

	local_open(&o);
	local_put(&o, "verb", w->name[0] ? "peer" : "status");
	local_put_number(&o, "wait_ms", ASK_MS - 500);
	if (w->name[0])
		local_put(&o, "peer", w->name);
	w->ref[0] = '\0';
	if (!local_end(&o, &e) || !ctl_try(ctl, &o, ASK_MS, &told, &e)) {
		*now = e.code == ERR_MISSING ? REASON_ATTESTD_DOWN : REASON_ATTESTD_TIMEOUT;
		return true;
	}
	*now = told.reason;
	snprintf(w->ref, sizeof(w->ref), "%.*s", REF_TEXT - 1, told.ref);
	if (!told.ok && !strcmp(told.error, "permission denied"))
		return false;
	if (!told.ok)
		*now = REASON_INTERNAL_ERROR;
	return true;
}

/* By the shell, with what is known in its environment; the next look waits for its end. */
static void
run(const struct watch *all, const struct watched *w, bool was)
{
	char *argv[] = { (char[]){ "sh" }, (char[]){ "-c" }, strdup(all->command), NULL };
	pid_t pid;
	int rc;

	setenv("ATTEST_PEER", w->name, 1);
	setenv("ATTEST_PEER_ARGS", w->args, 1);
	setenv("ATTEST_STATE", state_word(reason_state(w->reason)), 1);
	setenv("ATTEST_REASON", reason_code(w->reason), 1);
	setenv("ATTEST_REF", w->ref, 1);
	setenv("ATTEST_FIRST", was ? "no" : "yes", 1);
	rc = argv[2] ? posix_spawn(&pid, "/bin/sh", NULL, NULL, argv, environ) : ENOMEM;
	free(argv[2]);
	if (rc) {
		(void)ctl_wrong(all->ctl, 0, "sh: %s", strerror(rc));
		return;
	}
	while (waitpid(pid, &rc, 0) < 0 && errno == EINTR)
		;
	if (!WIFEXITED(rc) || WEXITSTATUS(rc))
		(void)ctl_wrong(all->ctl, 0, "the command failed for %s (%s)", w->name[0] ? w->name : "this host", reason_code(w->reason));
}

static void
tell(const struct watch *all, const struct watched *w)
{
	own(json) struct json *j = NULL;
	own(mem) char *text = NULL;
	char at[TIME_TEXT];
	struct error e;
	size_t len;

	if (all->ctl->quiet)
		return;
	time_text(clock_now().wall, at);
	if (all->ctl->json) {
		j = json_new();
		json_put_int(j, "schema", 1);
		json_put_text(j, "time", at);
		json_put_text(j, "peer", w->name);
		json_put_text(j, "state", state_word(reason_state(w->reason)));
		json_put_text(j, "reason", reason_code(w->reason));
		json_put_text(j, "ref", w->ref);
		if (json_print(j, false, &text, &len, &e))
			puts(text);
	} else {
		printf("%s %s%s%s (%s)%s%s\n", at, w->name, w->name[0] ? " " : "", state_word(reason_state(w->reason)),
		    reason_code(w->reason), w->ref[0] ? " " : "", w->ref);
	}
	fflush(stdout);
}

static struct watched *
find(struct watch *all, const char *name)
{
	for (unsigned i = 0; i < all->count; i++)
		if (!strcmp(all->item[i].name, name))
			return &all->item[i];
	if (all->count == PEERS_MAX)
		return NULL;
	all->item[all->count] = (struct watched){ 0 };
	snprintf(all->item[all->count].name, NAME_TEXT, "%s", name);
	return &all->item[all->count++];
}

/* "NAME ARGUMENTS", a line each. What is no name is passed over, and said once. */
static void
take_line(struct watch *all, char *line)
{
	char *name = line + strspn(line, " \t"), *args;
	struct watched *w;

	name[strcspn(name, "#\r")] = '\0';
	args = name + strcspn(name, " \t");
	if (*args)
		*args++ = '\0';
	args += strspn(args, " \t");
	for (size_t n = strlen(args); n && isspace((unsigned char)args[n - 1]); n--)
		args[n - 1] = '\0';
	if (!*name)
		return;
	w = audience_ok(name) && strlen(args) < PEER_ARGS_TEXT ? find(all, name) : NULL;
	if (!w) {
		(void)ctl_wrong(all->ctl, 0, "'%.60s': no name of a host, its arguments are too long, or there are over %d", name, PEERS_MAX);
		return;
	}
	w->listed = true;
	strcpy(w->args, args);
}

/* The list anew: who is not on it any more is forgotten. A list that cannot be read changes nothing, and is said once. */
static void
read_list(struct watch *all, const char *path)
{
	own(mem) uint8_t *text = NULL;
	struct error e;
	char *save = NULL;
	unsigned kept = 0;
	size_t len;

	if (!file_load(path, PEERS_FILE_MAX, &text, &len, &e)) {
		if (!all->unread)
			(void)ctl_wrong(all->ctl, 0, "%s", e.why);
		all->unread = true;
		return;
	}
	all->unread = false;
	for (unsigned i = 0; i < all->count; i++)
		all->item[i].listed = false;
	for (char *l = strtok_r((char *)text, "\n", &save); l; l = strtok_r(NULL, "\n", &save))
		take_line(all, l);
	for (unsigned i = 0; i < all->count; i++)
		if (all->item[i].listed)
			all->item[kept++] = all->item[i];
	all->count = kept;
}

static bool
look_at_all(struct watch *all)
{
	for (unsigned i = 0; i < all->count; i++) {
		struct watched *w = &all->item[i];
		bool was = w->seen;
		enum reason now;

		if (!look(all->ctl, w, &now))
			return false;
		if (was && now == w->reason)
			continue;
		w->seen = true;
		w->reason = now;
		tell(all, w);
		if (all->command)
			run(all, w, was);
	}
	return true;
}

int
cmd_watch(const struct ctl *ctl, int argc, char **argv)
{
	static struct watch all;
	const char *peers = NULL, *every = NULL;
	const struct ctl_option table[] = {
		{ "--exec", &all.command, "COMMAND", "run this by sh on each change, and on the first look" },
		{ "--peers", &peers, "FILE", "watch the machines of this list, not this host" },
		{ "--every", &every, "TIME", "how often to look [15s]" },
	};
	struct timespec pause = { .tv_sec = EVERY_S };
	struct error e;
	unsigned seconds = EVERY_S;

	if (!ctl_options(ctl, argc, argv, table, COUNT(table), NULL))
		return EXIT_USAGE;
	if (every && !conf_seconds(every, EVERY_MIN_S, EVERY_MAX_S, &seconds, &e))
		return ctl_wrong(ctl, EXIT_USAGE, "--every: %s", e.why);
	all.ctl = ctl;
	for (;;) {
		if (peers)
			read_list(&all, peers);
		else
			(void)find(&all, "");
		if (!look_at_all(&all))
			return ctl_wrong(ctl, EXIT_PERMISSION, "root alone may ask about other machines");
		pause.tv_sec = (time_t)seconds;
		nanosleep(&pause, NULL);
	}
}
