/* attestctl status, attest, explain: what attestd knows, now, after a fresh quote, or of one decision. */
#include <sys/utsname.h>
#include "ask.h"
#include "scope.h"
#include "show.h"
#include "sources.h"
#include "staged.h"

enum { STATUS_MS = 5000, ATTEST_MS = 35000 };

static int
ask_verb(const struct ctl *ctl, const char *verb, const char *ref, int timeout_ms)
{
	own(told) struct told told = { 0 };
	struct local_out o;
	int code;

	local_open(&o);
	local_put(&o, "verb", verb);
	local_put_number(&o, "wait_ms", timeout_ms - 1000);
	if (ref)
		local_put(&o, "ref", ref);
	code = ctl_ask(ctl, &o, timeout_ms, &told);
	return code == EXIT_GOOD ? ctl_show(ctl, &told) : code;
}

/* --- status: attestd's word, or, without it, what the record says, which is what gates go by as well */

static struct json *
services_json(const struct ctl *ctl, enum gate_mode ceiling)
{
	static struct services all;
	struct json *list = json_new_list();
	struct gate_conf c;
	struct error e;

	if (!ctl_services(ctl, &all, &e))
		all.n = 0;
	for (unsigned i = 0; i < all.n; i++) {
		struct json *one = json_new();

		ctl_conf(ctl, all.name[i], &c);
		json_put_text(one, "service", all.name[i]);
		json_put_text(one, "mode", mode_word(c.mode < ceiling ? c.mode : ceiling));
		json_add(list, one);
	}
	return list;
}

/* What this machine shows beside the verdict: how gates are set, and a kernel that waits for the next boot. */
static void
add_local(const struct ctl *ctl, struct json *j, const char *attestd)
{
	char word[16], release[RELEASE_TEXT];
	enum gate_mode ceiling = MODE_ENFORCE;
	struct utsname running;

	if (!mode_find(show_text(j, "ceiling", word, sizeof(word)), &ceiling))
		ceiling = MODE_ENFORCE;
	json_put_text(j, "attestd", attestd);
	json_put(j, "services", services_json(ctl, ceiling));
	if (!uname(&running) && staged_kernel("/boot", running.release, release))
		json_put_text(j, "staged_kernel", release);
	else
		json_put_null(j, "staged_kernel");
}

/* The record, as a gate reads it. */
static void
look(const struct ctl *ctl, struct gate_conf *c, struct facts *f)
{
	static const struct gate_request nobody = { .user = "", .rhost = "", .tty = "" };

	ctl_conf(ctl, "", c);
	facts_read(c, &nobody, f);
}

static enum reason
says(const struct facts *f)
{
	return f->recorded ? record_says(&f->record, f->boot_id, &f->now) : f->unrecorded;
}

static void
put_verifier(struct json *j, const struct record *r)
{
	struct json *v = json_new();

	json_put_text(v, "url", "");
	json_put_text(v, "state", r->upstream_out ? "out" : "ok");
	json_put_time(v, "since", r->upstream_since_wall);
	json_put_time(v, "grace_ends", record_grace_ends(r));
	json_put_null(v, "answered");
	json_put(v, "standby", json_new_list());
	json_put(j, "verifier", v);
}

/* The members of attestd's own status, as far as the record has them; and why it is not attestd that says them. */
static struct json *
record_json(const struct facts *f, const struct error *why)
{
	static const struct record nothing = { .ceiling = MODE_ENFORCE };
	const struct record *r = f->recorded ? &f->record : &nothing;
	struct json *j = json_new();
	char next[REASON_ADVICE_TEXT];
	enum reason now = says(f);

	json_put_int(j, "schema", 1);
	json_put_text(j, "state", state_word(reason_state(now)));
	json_put_text(j, "reason", reason_code(now));
	json_put_text(j, "text", reason_text(now));
	reason_advice(why->code == ERR_MISSING ? REASON_ATTESTD_DOWN : now, r->ref, r->host, next);
	json_put_text(j, "next", next);
	json_put_text(j, "ref", r->ref);
	show_record(j, r, f->boot_id);
	json_put_null(j, "renews");
	json_put_text(j, "source", now == REASON_GRACE ? "grace" : "cache");
	json_put_text(j, "enrollment", "unknown");
	json_put_text(j, "ceiling", mode_word(r->ceiling));
	put_verifier(j, r);
	json_put_text(j, "last_error", why->why);
	return j;
}

static int
print_status(const struct ctl *ctl, const struct json *j)
{
	if (ctl->json)
		return show_json(ctl, j);
	if (!ctl->quiet)
		show_status(ctl, j, clock_now().wall);
	return EXIT_GOOD;
}

int
cmd_status(const struct ctl *ctl, int argc, char **argv)
{
	own(told) struct told told = { 0 };
	struct error e = { .code = ERR_NONE };
	own(json) struct json *j = NULL;
	struct gate_conf c;
	struct local_out o;
	struct facts f;
	int code;

	if (!ctl_options(ctl, argc, argv, NULL, 0, NULL))
		return EXIT_USAGE;
	local_open(&o);
	local_put(&o, "verb", "status");
	if (local_end(&o, &e) && ctl_try(ctl, &o, STATUS_MS, &told, &e)) {
		if (!told.ok || !told.json)
			return ctl_show(ctl, &told);
		add_local(ctl, told.json, "running");
		code = print_status(ctl, told.json);
		return code ? code : ctl_exit(told.reason);
	}
	/* Gates go on by the record until it ends; so does what is shown. */
	look(ctl, &c, &f);
	j = record_json(&f, &e);
	add_local(ctl, j, e.code == ERR_MISSING ? "not running" : "no answer");
	code = print_status(ctl, j);
	return code ? code : e.code == ERR_MISSING ? EXIT_NOT_RUNNING : EXIT_NONE;
}

/* As short as systemctl is-active, by the record alone: no daemon is asked, and none has to run. */
int
cmd_is_attested(const struct ctl *ctl, int argc, char **argv)
{
	struct gate_conf c;
	struct facts f;
	enum reason now;

	if (!ctl_options(ctl, argc, argv, NULL, 0, NULL))
		return EXIT_USAGE;
	look(ctl, &c, &f);
	now = says(&f);
	if (!ctl->quiet && ctl->json)
		printf("{\"schema\":1,\"attested\":%s,\"state\":\"%s\",\"reason\":\"%s\"}\n", ctl_exit(now) ? "false" : "true",
		    state_word(reason_state(now)), reason_code(now));
	else if (!ctl->quiet)
		puts(state_word(reason_state(now)));
	return ctl_exit(now);
}

int
cmd_attest(const struct ctl *ctl, int argc, char **argv)
{
	if (!ctl_options(ctl, argc, argv, NULL, 0, NULL))
		return EXIT_USAGE;
	return ask_verb(ctl, "attest", NULL, ATTEST_MS);
}

int
cmd_explain(const struct ctl *ctl, int argc, char **argv)
{
	const char *typed = NULL;
	char ref[REF_TEXT];

	if (!ctl_options(ctl, argc, argv, NULL, 0, &typed))
		return EXIT_USAGE;
	if (typed && !ref_read(typed, ref))
		return ctl_wrong(ctl, EXIT_USAGE, "%s: not a reference", typed);
	return ask_verb(ctl, "explain", typed ? ref : NULL, STATUS_MS);
}
