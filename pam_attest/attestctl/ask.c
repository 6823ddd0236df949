#include <poll.h>
#include <sys/socket.h>
#include "ask.h"
#include "lease.h"
#include "scope.h"
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
ctl_ask(const struct ctl *ctl, const struct local_out *ask, int timeout_ms, struct told *out)
{
	struct error e = { .code = ERR_NONE };

	if (ctl_try(ctl, ask, timeout_ms, out, &e))
		return EXIT_GOOD;
	return ctl_wrong(ctl, e.code == ERR_MISSING ? EXIT_NOT_RUNNING : EXIT_NONE, "%s", e.why);
}

static const char *
text_of(const struct json *j, const char *key, char *out, size_t size)
{
	struct error e;

	if (!json_text(j, key, out, size, &e))
		out[0] = '\0';
	return out;
}

static void
line(const char *label, const char *value)
{
	if (value[0])
		printf("%11s: %s\n", label, value);
}

static void
show_references(const struct json *j)
{
	char all[REFERENCES_TEXT] = "", one[NAME_TEXT];
	unsigned count = 0;
	struct error e;

	if (!json_list(j, "references", 64, &count, &e))
		return;
	for (unsigned i = 0; i < count; i++)
		if (json_item_text(json_item(j, "references", i), one, sizeof(one), &e))
			snprintf(all + strlen(all), sizeof(all) - strlen(all), "%s%s", i ? ", " : "", one);
	line("Reference", all);
}

static void
show_verifier(const struct json *j)
{
	const struct json *v;
	char url[300], state[16], since[32], ends[32], text[420];
	struct error e;

	if (!json_sub(j, "verifier", &v, &e))
		return;
	text_of(v, "url", url, sizeof(url));
	text_of(v, "state", state, sizeof(state));
	text_of(v, "since", since, sizeof(since));
	text_of(v, "grace_ends", ends, sizeof(ends));
	snprintf(text, sizeof(text), "%s  %s%s%s", url, !strcmp(state, "out") ? "out of reach" : "ok",
	    since[0] ? " since " : "", since);
	line("Verifier", url[0] ? text : "");
	if (!strcmp(state, "out"))
		line("Grace ends", ends);
}

static void
show_decision(const struct json *j)
{
	const struct json *d;
	char when[32], service[64], user[64], decision[32], text[200];
	struct error e;

	if (!json_sub(j, "decision", &d, &e))
		return;
	snprintf(text, sizeof(text), "%s of %s through %s at %s", text_of(d, "decision", decision, sizeof(decision)),
	    text_of(d, "user", user, sizeof(user)), text_of(d, "service", service, sizeof(service)),
	    text_of(d, "time", when, sizeof(when)));
	line("Decision", text);
}

/* Who comes in here by an administrator's word, and until when. */
static void
show_leases(const struct json *j)
{
	char until[32], user[LEASE_USER_TEXT], id[REF_TEXT], by[16], text[200];
	unsigned count = 0;
	struct error e;

	if (!json_list(j, "lease", LEASES_MAX, &count, &e))
		return;
	for (unsigned i = 0; i < count; i++) {
		const struct json *l = json_item(j, "lease", i);
		unsigned services = 0;
		bool overrules = false;

		(void)(json_list(l, "services", LEASE_SERVICES_TEXT, &services, &e) && json_flag(l, "overrules_refusal", &overrules, &e));
		text_of(l, "user", user, sizeof(user));
		snprintf(text, sizeof(text), "%s by %s until %s: %s%s%s", text_of(l, "id", id, sizeof(id)),
		    text_of(l, "by", by, sizeof(by)), text_of(l, "expires", until, sizeof(until)), user[0] ? user : "everybody",
		    services ? ", at some services" : "", overrules ? ", also while this host is refused" : "");
		line("Lease", text);
	}
}

/* A mark for the eye, the word for everybody. */
static void
show_text(const struct json *j, enum reason r)
{
	char host[NAME_TEXT], value[400];
	enum state s = reason_state(r);

	text_of(j, "host", host, sizeof(host));
	printf("%s %s%s%s (%s)\n", s == STATE_AFFIRMING || s == STATE_WARNING ? "+" : "-", host, host[0] ? ": " : "",
	    state_word(s), reason_code(r));
	printf("%11s: %s\n", "Meaning", reason_text(r));
	show_decision(j);
	line("Ref", text_of(j, "ref", value, sizeof(value)));
	line("Issued", text_of(j, "issued", value, sizeof(value)));
	line("Expires", text_of(j, "expires", value, sizeof(value)));
	show_references(j);
	line("Policy", text_of(j, "policy", value, sizeof(value)));
	show_leases(j);
	show_verifier(j);
	line("Last error", text_of(j, "last_error", value, sizeof(value)));
	if (r != REASON_OK)
		line("Next", text_of(j, "next", value, sizeof(value)));
	if (s == STATE_CONTRAINDICATED)
		line("Details", "verifierctl explain REF, where the verifier runs");
}

int
ctl_show(const struct ctl *ctl, const struct told *t)
{
	struct error e = { .code = ERR_NONE };
	own(mem) char *text = NULL;
	size_t len;

	if (!t->ok)
		return ctl_wrong(ctl, !strcmp(t->error, "permission denied") ? EXIT_PERMISSION : EXIT_NONE, "%s", t->error);
	if (!t->json)
		return ctl_wrong(ctl, EXIT_NONE, "attestd sent no details");
	if (ctl->json) {
		if (!json_print(t->json, true, &text, &len, &e))
			return ctl_wrong(ctl, EXIT_NONE, "%s", e.why);
		puts(text);
	} else if (!ctl->quiet) {
		show_text(t->json, t->reason);
	}
	return ctl_exit(t->reason);
}
