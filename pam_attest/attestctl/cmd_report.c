/* attestctl report: what enforcing a service would have refused, and what to do next. Counts are by what verdicts were. */
#include "access.h"
#include "ask.h"
#include "conf.h"
#include "scope.h"
#include "show.h"

enum { REPORT_MS = 5000, SERVICES_MAX = 64, REASONS_MAX = 256, DEFAULT_S = 14 * 86400, LONGEST_S = 366 * 86400 };

struct line {
	char    service[64], mode[16], last_permit[TIME_TEXT];
	int64_t asked, count[ACCESS_COUNT];
};

static bool
read_service(const struct json *j, struct line *l, struct error *e)
{
	for (unsigned i = 0; i < ACCESS_COUNT; i++)
		if (!json_int(j, access_word((enum access)i), 0, INT64_MAX, &l->count[i], e))
			return false;
	return json_text(j, "service", l->service, sizeof(l->service), e) && json_text(j, "mode", l->mode, sizeof(l->mode), e) &&
	    json_text(j, "last_permit", l->last_permit, sizeof(l->last_permit), e) && json_int(j, "asked", 0, INT64_MAX, &l->asked, e);
}

struct why { char service[64], access[16], reason[REASON_CODE_MAX], ref[REF_TEXT], last[TIME_TEXT]; int64_t count; };

static bool
read_reason(const struct json *j, struct why *w, struct error *e)
{
	return json_text(j, "service", w->service, sizeof(w->service), e) && json_text(j, "access", w->access, sizeof(w->access), e) &&
	    json_text(j, "reason", w->reason, sizeof(w->reason), e) && json_text(j, "ref", w->ref, sizeof(w->ref), e) &&
	    json_text(j, "last", w->last, sizeof(w->last), e) && json_int(j, "count", 0, INT64_MAX, &w->count, e);
}

/* Why, one line a reason: of a refusal that was or would have been, and of what came in past a verdict. */
static bool
show_reasons(const struct json *j, const struct line *l, struct error *e)
{
	unsigned count = 0;

	if (!json_list(j, "reasons", REASONS_MAX, &count, e))
		return false;
	for (unsigned i = 0; i < count; i++) {
		struct why w;
		enum access access;

		if (!read_reason(json_item(j, "reasons", i), &w, e))
			return false;
		if (strcmp(w.service, l->service) != 0 || !access_find(w.access, &access) || access == ACCESS_PERMITTED ||
		    access == ACCESS_OFF)
			continue;
		printf("  %6lld %-12s %s%s%s, last %s\n", (long long)w.count, w.access, w.reason, w.ref[0] ? ", newest ref " : "",
		    w.ref, w.last);
	}
	return true;
}

/* Nothing was refused, and somebody was let in by a verdict: then it can be tried. */
static const char *
next_step(const struct line *l)
{
	int64_t refused = l->count[ACCESS_REFUSED] + l->count[ACCESS_WOULD_REFUSE];

	if (!strcmp(l->mode, "enforce"))
		return refused ? "attestctl explain REF says why each was refused" : "";
	if (refused)
		return "attestctl explain REF, for each of the newest references; then look again with --since 1d";
	if (!l->asked)
		return "";
	return l->count[ACCESS_PERMITTED] ? "attestctl enforce" : "let it be used while this host has a verdict: attestctl attest";
}

/* "all dbx-too-old, newest ref 7F3K-21QX" of that many: where one reason explains them. */
static bool
show_cause(const struct json *j, const struct line *l, int64_t of, struct error *e)
{
	unsigned count = 0;

	if (!json_list(j, "reasons", REASONS_MAX, &count, e))
		return false;
	for (unsigned i = 0; i < count; i++) {
		struct why w;

		if (!read_reason(json_item(j, "reasons", i), &w, e))
			return false;
		if (w.count == of && !strcmp(w.service, l->service) && strstr(w.access, "refuse"))
			printf(", all %s%s%s", w.reason, w.ref[0] ? ", newest ref " : "", w.ref);
	}
	return true;
}

/* "sshd (audit): enforcing would have refused 3 of 812, all dbx-too-old, newest ref 7F3K-21QX" */
static bool
show_service(const struct json *j, const struct line *l, struct error *e)
{
	int64_t refused = l->count[ACCESS_REFUSED], would = l->count[ACCESS_WOULD_REFUSE];
	bool enforced = !strcmp(l->mode, "enforce");
	const char *next = next_step(l);

	printf("%s (%s): ", l->service, l->mode);
	if (!l->asked)
		printf("not asked");
	else if (!refused && !would)
		printf("%s none of %lld", enforced ? "refused" : "enforcing would have refused", (long long)l->asked);
	else if (!refused)
		printf("enforcing would have refused %lld of %lld", (long long)would, (long long)l->asked);
	else
		printf("refused %lld of %lld", (long long)refused, (long long)l->asked);
	if (refused && would)
		printf(", and enforcing would have refused %lld more", (long long)would);
	else if ((refused || would) && !show_cause(j, l, refused + would, e))
		return false;
	printf("%s\n", l->asked && !l->count[ACCESS_PERMITTED] ? "; never permitted by a verdict" : "");
	if (!show_reasons(j, l, e))
		return false;
	if (!strcmp(next, "attestctl enforce"))
		printf("  next: attestctl enforce %s --trial 10m\n", l->service);
	else if (*next)
		printf("  next: %s\n", next);
	return true;
}

static bool
show(const struct json *j, const char *service, struct error *e)
{
	char since[TIME_TEXT], kept[TIME_TEXT];
	unsigned count = 0, shown = 0;
	int64_t lost;

	if (!json_text(j, "since", since, sizeof(since), e) || !json_text(j, "kept_since", kept, sizeof(kept), e) ||
	    !json_int(j, "lost", 0, INT64_MAX, &lost, e) || !json_list(j, "services", SERVICES_MAX, &count, e))
		return false;
	printf("since %s\n", strcmp(kept, since) > 0 ? kept : since);
	for (unsigned i = 0; i < count; i++) {
		struct line l;

		if (!read_service(json_item(j, "services", i), &l, e))
			return false;
		if (service && strcmp(service, l.service) != 0)
			continue;
		if (!show_service(j, &l, e))
			return false;
		shown++;
	}
	if (!shown)
		printf("no access was asked for%s%s\n", service ? " through " : "", service ? service : "");
	if (lost)
		printf("%lld decisions could not be kept: is the disk full?\n", (long long)lost);
	return true;
}

static int
answer(const struct ctl *ctl, const struct told *t, const char *service)
{
	struct error e;
	int code = ctl_details(ctl, t);

	if (code != EXIT_GOOD)
		return code;
	if (ctl->json)
		return show_json(ctl, t->json);
	if (!ctl->quiet && !show(t->json, service, &e))
		return ctl_wrong(ctl, EXIT_NONE, "%s", e.why);
	return EXIT_GOOD;
}

int
cmd_report(const struct ctl *ctl, int argc, char **argv)
{
	const char *since = NULL, *service = NULL;
	const struct ctl_option table[] = {
		{ "--since", &since, "TIME", "how far back: 90s, 15m, 24h, 14d (the default)" },
		{ "--service", &service, "SERVICE", "of this service alone" },
	};
	own(told) struct told told = { 0 };
	struct error e = { .code = ERR_NONE };
	struct local_out o;
	unsigned seconds = DEFAULT_S;
	int code;

	if (!ctl_options(ctl, argc, argv, table, COUNT(table), NULL))
		return EXIT_USAGE;
	if (since && !conf_seconds(since, 1, LONGEST_S, &seconds, &e))
		return ctl_wrong(ctl, EXIT_USAGE, "--since: %s", e.why);
	local_open(&o);
	local_put(&o, "verb", "report");
	local_put_number(&o, "since", clock_now().wall - (int64_t)seconds * 1000);
	code = ctl_ask(ctl, &o, REPORT_MS, &told);
	return code == EXIT_GOOD ? answer(ctl, &told, service) : code;
}
