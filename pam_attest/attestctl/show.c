#include <langinfo.h>
#include <locale.h>
#include "lease.h"
#include "scope.h"
#include "show.h"
#include "staged.h"

enum { TEXT_MAX = 512 };

/* A mark for the eye, in a colour; the word beside it says the same. */
static const struct { const char *mark, *ascii, *colour; } marks[] = {
	[STATE_NONE]            = { "○", "o", "33" },
	[STATE_AFFIRMING]       = { "●", "*", "32" },
	[STATE_WARNING]         = { "●", "*", "33" },
	[STATE_CONTRAINDICATED] = { "✖", "x", "31" },
	[STATE_BROKEN]          = { "✖", "x", "31" },
};
_Static_assert(COUNT(marks) == STATE_COUNT, "a mark for each state");

static bool
coloured(const struct ctl *ctl)
{
	const char *term = getenv("TERM"), *no = getenv("NO_COLOR");

	if (ctl->colour != COLOUR_AUTO)
		return ctl->colour == COLOUR_ALWAYS;
	return isatty(STDOUT_FILENO) && !(no && no[0]) && term && strcmp(term, "dumb") != 0;
}

void
show_state(const struct ctl *ctl, enum state s, const char *text)
{
	bool utf8 = setlocale(LC_CTYPE, "") && !strcmp(nl_langinfo(CODESET), "UTF-8");
	const char *mark;

	s = (unsigned)s < STATE_COUNT ? s : STATE_NONE;
	mark = utf8 ? marks[s].mark : marks[s].ascii;
	if (coloured(ctl))
		printf("\033[%sm%s\033[0m %s\n", marks[s].colour, mark, text);
	else
		printf("%s %s\n", mark, text);
}

void
show_line(const char *label, const char *text)
{
	if (text[0])
		printf("%11s: %s\n", label, text);
}

void
show_record(struct json *j, const struct record *r, const char *boot_id)
{
	struct json *boot = json_new();

	json_put_time(j, "issued", r->issued_wall);
	json_put_time(j, "expires", r->expires_wall);
	json_put_text(j, "host", r->host);
	json_put_text(j, "policy", r->policy);
	json_put_words(j, "references", r->references);
	json_put_text(boot, "boot_id", boot_id);
	json_put_int(boot, "reset_count", r->reset_count);
	json_put_int(boot, "restart_count", r->restart_count);
	json_put(j, "boot", boot);
}

int
show_json(const struct ctl *ctl, const struct json *j)
{
	own(mem) char *text = NULL;
	struct error e;
	size_t len;

	if (ctl->quiet)
		return EXIT_GOOD;
	if (!json_print(j, true, &text, &len, &e))
		return ctl_wrong(ctl, EXIT_BROKEN, "%s", e.why);
	puts(text);
	return EXIT_GOOD;
}

const char *
span_text(int64_t ms, char out[static SPAN_TEXT])
{
	static const struct { int64_t seconds; const char *unit; } units[] = { { 86400, "d" }, { 3600, "h" }, { 60, "min" }, { 1, "s" } };
	int64_t s = ms > 0 ? ms / 1000 : 0;
	size_t i = 0;

	while (i + 1 < COUNT(units) && s < units[i].seconds)
		i++;
	snprintf(out, SPAN_TEXT, "%lld %s", (long long)(s / units[i].seconds), units[i].unit);
	s %= units[i].seconds;
	/* Seconds behind minutes say nothing to a person. */
	if (i + 1 < COUNT(units) && units[i + 1].seconds >= 60 && s >= units[i + 1].seconds)
		snprintf(out + strlen(out), SPAN_TEXT - strlen(out), " %lld %s", (long long)(s / units[i + 1].seconds), units[i + 1].unit);
	return out;
}

const char *
when_text(int64_t wall, int64_t now, char out[static SPAN_TEXT])
{
	char span[SPAN_TEXT];

	out[0] = '\0';
	if (wall && wall > now)
		snprintf(out, SPAN_TEXT, "in %.40s", span_text(wall - now, span));
	else if (wall)
		snprintf(out, SPAN_TEXT, "%.40s ago", span_text(now - wall, span));
	return out;
}

int64_t
show_time(const struct json *j, const char *key)
{
	char text[TIME_TEXT + 8];
	struct error e;
	int64_t wall;

	return json_text(j, key, text, sizeof(text), &e) && time_read(text, &wall) ? wall : 0;
}

const char *
show_text(const struct json *j, const char *key, char *out, size_t size)
{
	struct error e;

	if (!json_text(j, key, out, size, &e))
		out[0] = '\0';
	/* What a verifier or a file says moves no cursor. */
	for (char *p = out; *p; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			*p = '?';
	return out;
}

const char *
show_words(const struct json *j, const char *key, char *out, size_t size)
{
	char one[TEXT_MAX];
	unsigned count = 0;
	struct error e;

	out[0] = '\0';
	if (!json_list(j, key, 64, &count, &e))
		return out;
	for (unsigned i = 0; i < count; i++)
		if (json_item_text(json_item(j, key, i), one, sizeof(one), &e))
			snprintf(out + strlen(out), size - strlen(out), "%s%s", i ? ", " : "", one);
	return out;
}

/* --- status */

static void
show_age(const struct json *j, int64_t now)
{
	int64_t issued = show_time(j, "issued"), expires = show_time(j, "expires"), renews = show_time(j, "renews");
	char text[TEXT_MAX], when[SPAN_TEXT], stamp[TIME_TEXT];

	if (issued) {
		time_text(issued, stamp);
		snprintf(text, sizeof(text), "%s, %s", stamp, when_text(issued, now, when));
		show_line("Issued", text);
	}
	if (expires) {
		snprintf(text, sizeof(text), "%s %s", expires > now ? "ends" : "ended", when_text(expires, now, when));
		if (renews)
			snprintf(text + strlen(text), sizeof(text) - strlen(text), ", attests again %s", renews > now ? when_text(renews, now, when) : "now");
		show_line("Verdict", text);
	} else if (renews) {
		snprintf(text, sizeof(text), "attests %s", renews > now ? when_text(renews, now, when) : "now");
		show_line("Verdict", text);
	}
}

/* Which of them answers, and when it last did; what an outage has eaten of the grace. */
static void
show_verifier(const struct json *j, int64_t now)
{
	char url[TEXT_MAX], state[16], standby[TEXT_MAX], text[2 * TEXT_MAX], when[SPAN_TEXT], stamp[TIME_TEXT];
	int64_t since, ends, answered;
	const struct json *v;
	struct error e;
	bool out;

	if (!json_sub(j, "verifier", &v, &e))
		return;
	since = show_time(v, "since");
	ends = show_time(v, "grace_ends");
	answered = show_time(v, "answered");
	out = !strcmp(show_text(v, "state", state, sizeof(state)), "out");
	show_text(v, "url", url, sizeof(url));
	snprintf(text, sizeof(text), "%s%s%s", url, url[0] ? "  " : "", out ? "out of reach" : answered ? "ok" : "");
	if (out && since)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), " since %s", when_text(since, now, when));
	else if (answered)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), ", answered %s", when_text(answered, now, when));
	show_line("Verifier", url[0] || out ? text : "");
	show_line("Standby", show_words(v, "standby", standby, sizeof(standby)));
	if (!out)
		return;
	time_text(ends, stamp);
	if (ends > now)
		snprintf(text, sizeof(text), "%s left, until %s", span_text(ends - now, when), stamp);
	else
		snprintf(text, sizeof(text), "%s", ends ? "over" : "none: there is no good verdict to go by");
	show_line("Grace", text);
}

static void
show_services(const struct json *j)
{
	char service[GATE_NAME_MAX], mode[16], text[TEXT_MAX] = "";
	unsigned count = 0;
	struct error e;

	if (!json_list(j, "services", 256, &count, &e))
		return;
	for (unsigned i = 0; i < count; i++) {
		const struct json *one = json_item(j, "services", i);

		snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%s: %s", i ? ", " : "",
		    show_text(one, "service", service, sizeof(service)), show_text(one, "mode", mode, sizeof(mode)));
	}
	show_line("Gates", text);
}

static void
show_boot(const struct json *j)
{
	char id[64], text[TEXT_MAX];
	int64_t reset = 0, restart = 0;
	const struct json *b;
	struct error e;

	if (!json_sub(j, "boot", &b, &e))
		return;
	show_text(b, "boot_id", id, sizeof(id));
	if (!json_int(b, "reset_count", 0, UINT32_MAX, &reset, &e) || !json_int(b, "restart_count", 0, UINT32_MAX, &restart, &e))
		return;
	snprintf(text, sizeof(text), "%s, reset %lld, restart %lld", id, (long long)reset, (long long)restart);
	/* The counters are the record's: there may be none of this boot, as under grace. */
	show_line("Boot", id[0] && (reset || restart) ? text : id);
}

/* What comes next without anybody doing anything, or what somebody has to do. */
static void
show_next(const struct json *j, enum reason r)
{
	char value[TEXT_MAX], text[2 * TEXT_MAX];

	if (r != REASON_OK)
		show_line("Next", show_text(j, "next", value, sizeof(value)));
	if (show_text(j, "staged_kernel", value, sizeof(value))[0]) {
		snprintf(text, sizeof(text), "kernel %s boots next, and no verdict has seen it", value);
		show_line("Next", text);
	}
}

static void
show_decision(const struct json *j)
{
	const struct json *d;
	char when[32], service[64], user[64], decision[32], text[TEXT_MAX];
	struct error e;

	if (!json_sub(j, "decision", &d, &e))
		return;
	snprintf(text, sizeof(text), "%s of %s through %s at %s", show_text(d, "decision", decision, sizeof(decision)),
	    show_text(d, "user", user, sizeof(user)), show_text(d, "service", service, sizeof(service)),
	    show_text(d, "time", when, sizeof(when)));
	show_line("Decision", text);
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
		show_text(l, "user", user, sizeof(user));
		snprintf(text, sizeof(text), "%s by %s until %s: %s%s%s", show_text(l, "id", id, sizeof(id)),
		    show_text(l, "by", by, sizeof(by)), show_text(l, "expires", until, sizeof(until)), user[0] ? user : "everybody",
		    services ? ", at some services" : "", overrules ? ", also while this host is refused" : "");
		show_line("Lease", text);
	}
}

void
show_status(const struct ctl *ctl, const struct json *j, int64_t now)
{
	char host[NAME_TEXT], code[REASON_CODE_MAX], value[TEXT_MAX], line[NAME_TEXT + 64];
	enum reason r = REASON_INTERNAL_ERROR;
	enum state s;

	if (!reason_find(show_text(j, "reason", code, sizeof(code)), &r))
		r = REASON_INTERNAL_ERROR;
	s = reason_state(r);
	show_text(j, "host", host, sizeof(host));
	snprintf(line, sizeof(line), "%s%s%s (%s)", host, host[0] ? ": " : "", state_word(s), reason_code(r));
	show_state(ctl, s, line);
	show_line("Meaning", reason_text(r));
	show_line("attestd", show_text(j, "attestd", value, sizeof(value)));
	show_services(j);
	show_decision(j);
	show_line("Ref", show_text(j, "ref", value, sizeof(value)));
	show_age(j, now);
	show_leases(j);
	show_verifier(j, now);
	show_boot(j);
	show_line("Reference", show_words(j, "references", value, sizeof(value)));
	show_line("Policy", show_text(j, "policy", value, sizeof(value)));
	if (strcmp(show_text(j, "ceiling", value, sizeof(value)), "enforce") != 0)
		show_line("Ceiling", value);
	show_line("Last error", show_text(j, "last_error", value, sizeof(value)));
	show_next(j, r);
	if (s == STATE_CONTRAINDICATED)
		show_line("Details", "verifierctl explain REF, where the verifier runs");
}
