#include <poll.h>
#include <sys/socket.h>
#include "ask.h"
#include "scope.h"
#include "show.h"
#include "sources.h"

static bool
field(void *arg, const char *key, const char *value, struct error *e)
{
	struct { struct told *told; size_t length; } *x = arg;

	if (!strcmp(key, "ok"))
		x->told->ok = !strcmp(value, "yes");
	else if (!strcmp(key, "reason") && !reason_find(value, &x->told->reason))
		return err_set(e, ERR_FORMAT, "reason %.40s: not known to this version", value);
	else if (!strcmp(key, "ref"))
		snprintf(x->told->ref, sizeof(x->told->ref), "%s", value);
	else if (!strcmp(key, "error"))
		snprintf(x->told->error, sizeof(x->told->error), "%s", value);
	else if (!strcmp(key, "code") && !code_read(value, x->told->code))
		return err_set(e, ERR_FORMAT, "code: not one");
	else if (!strcmp(key, "length"))
		x->length = strtoul(value, NULL, 10);
	return true;
}

/* The JSON that was announced: its start came with the head, the rest is read from fd. */
static bool
read_json(int fd, const struct local_answer *a, size_t length, int64_t deadline, struct json **out, struct error *e)
{
	own(mem) char *text = length <= LOCAL_JSON_MAX ? malloc(length + 1) : NULL;
	size_t have = a->len - a->head;

	if (!text)
		return err_set(e, ERR_LIMIT, "answer of %zu bytes", length);
	have = have < length ? have : length;
	memcpy(text, a->buf + a->head, have);
	while (have < length) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		ssize_t n = poll(&p, 1, clock_left(deadline)) > 0 ? recv(fd, text + have, length - have, 0) : 0;

		if (n <= 0)
			return err_set(e, ERR_TIMEOUT, "attestd did not finish its answer");
		have += (size_t)n;
	}
	return json_parse(text, length, out, e);
}

bool
ctl_try(const struct ctl *ctl, const struct local_out *ask, int timeout_ms, struct told *out, struct error *e)
{
	int64_t deadline = clock_mono() + timeout_ms;
	struct local_answer answer;
	struct told told = { .reason = REASON_INTERNAL_ERROR };
	struct { struct told *told; size_t length; } x = { &told, 0 };
	struct gate_conf c;
	char path[GATE_PATH_MAX + 16];
	own(fd) int fd = -1;

	ctl_conf(ctl, "", &c);
	snprintf(path, sizeof(path), "%s/gate.sock", c.run_dir);
	if (!local_exchange(path, gate_owner(&c), ask, deadline, &answer, &fd, e) ||
	    !local_walk(answer.buf, answer.head, field, &x, e))
		return false;
	if (x.length && !read_json(fd, &answer, x.length, deadline, &told.json, e)) {
		/* "Nobody listens" is another matter. */
		e->code = e->code == ERR_MISSING ? ERR_FORMAT : e->code;
		return false;
	}
	*out = told;
	return true;
}

int
ctl_ask(const struct ctl *ctl, struct local_out *ask, int timeout_ms, struct told *out)
{
	struct error e = { .code = ERR_NONE };
	char next[REASON_ADVICE_TEXT];

	if (!local_end(ask, &e))
		return ctl_wrong(ctl, EXIT_USAGE, "%s", e.why);
	if (ctl_try(ctl, ask, timeout_ms, out, &e))
		return EXIT_GOOD;
	if (e.code != ERR_MISSING)
		return ctl_wrong(ctl, EXIT_NONE, "%s", e.why);
	reason_advice(REASON_ATTESTD_DOWN, "", "", next);
	return ctl_wrong(ctl, EXIT_NOT_RUNNING, "%s. Next: %s", e.why, next);
}

int
ctl_refused(const struct ctl *ctl, const struct told *t, int code)
{
	if (t->ok)
		return EXIT_GOOD;
	return ctl_wrong(ctl, !strcmp(t->error, "permission denied") ? EXIT_PERMISSION : code, "%s", t->error);
}

int
ctl_details(const struct ctl *ctl, const struct told *t)
{
	if (t->ok && !t->json)
		return ctl_wrong(ctl, EXIT_NONE, "attestd sent no details");
	return ctl_refused(ctl, t, EXIT_NONE);
}

int
ctl_show(const struct ctl *ctl, const struct told *t)
{
	int code = ctl_details(ctl, t);

	if (code == EXIT_GOOD && ctl->json)
		code = show_json(ctl, t->json);
	else if (code == EXIT_GOOD && !ctl->quiet)
		show_status(ctl, t->json, clock_now().wall);
	return code ? code : ctl_exit(t->reason);
}
