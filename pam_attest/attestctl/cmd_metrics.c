/* attestctl metrics: what attestd counts, in Prometheus' text format, for node_exporter's textfile collector. */
#include "ask.h"
#include "file.h"
#include "scope.h"
#include "show.h"

enum { METRICS_MS = 5000, METRICS_TEXT_MAX = 1 << 20, METRIC_TEXT = 400, LIST_MAX = 4096 };

/* The text so far; nothing is added behind what did not fit. */
struct page { char *buf; size_t used; bool full; };

static void
put(struct page *p, const char *text)
{
	size_t n = strlen(text);

	if (p->full || n >= METRICS_TEXT_MAX - p->used) {
		p->full = true;
		return;
	}
	memcpy(p->buf + p->used, text, n + 1);
	p->used += n;
}

/* A label's value: backslash, quote and newline are escaped. */
static void
put_value(struct page *p, const char *value)
{
	for (; *value; value++) {
		const char one[2] = { *value, '\0' };

		put(p, *value == '\\' ? "\\\\" : *value == '"' ? "\\\"" : *value == '\n' ? "\\n" : one);
	}
}

static bool
put_sample(struct page *p, const char *name, const struct json *sample, struct error *e)
{
	const struct json *labels, *value;
	const char *key;
	char text[METRIC_TEXT];
	int64_t n;
	unsigned i = 0;

	if (!json_sub(sample, "labels", &labels, e) || !json_int(sample, "value", INT64_MIN, INT64_MAX, &n, e))
		return false;
	put(p, name);
	for (; json_member(labels, i, &key, &value); i++) {
		if (!json_item_text(value, text, sizeof(text), e))
			return false;
		put(p, i ? "," : "{");
		put(p, key);
		put(p, "=\"");
		put_value(p, text);
		put(p, "\"");
	}
	snprintf(text, sizeof(text), "%s %lld\n", i ? "}" : "", (long long)n);
	put(p, text);
	return true;
}

static bool
put_metric(struct page *p, const struct json *m, struct error *e)
{
	char name[METRIC_TEXT], type[METRIC_TEXT], help[METRIC_TEXT];
	unsigned count = 0;

	if (!json_text(m, "name", name, sizeof(name), e) || !json_text(m, "type", type, sizeof(type), e) ||
	    !json_text(m, "help", help, sizeof(help), e) || !json_list(m, "samples", LIST_MAX, &count, e))
		return false;
	if (!count)
		return true;
	for (const char *const *part = (const char *const[]){ "# HELP ", name, " ", help, "\n# TYPE ", name, " ", type, "\n", NULL }; *part; part++)
		put(p, *part);
	for (unsigned i = 0; i < count; i++)
		if (!put_sample(p, name, json_item(m, "samples", i), e))
			return false;
	return true;
}

static bool
put_all(struct page *p, const struct json *j, struct error *e)
{
	unsigned count = 0;

	p->buf = calloc(1, METRICS_TEXT_MAX);
	if (!p->buf)
		return err_set(e, ERR_MEMORY, "metrics");
	if (!json_list(j, "metrics", LIST_MAX, &count, e))
		return false;
	for (unsigned i = 0; i < count; i++)
		if (!put_metric(p, json_item(j, "metrics", i), e))
			return false;
	return !p->full || err_set(e, ERR_LIMIT, "more than %d bytes", METRICS_TEXT_MAX);
}

static int
answer(const struct ctl *ctl, const struct told *t, const char *out)
{
	struct page p = { NULL, 0, false };
	struct error e = { .code = ERR_NONE };
	int code = ctl_details(ctl, t);

	if (code == EXIT_GOOD && ctl->json && !out)
		return show_json(ctl, t->json);
	if (code == EXIT_GOOD && !put_all(&p, t->json, &e))
		code = ctl_wrong(ctl, EXIT_NONE, "%s", e.why);
	/* Whole or not at all: the collector may read at any time. */
	else if (code == EXIT_GOOD && out && !file_replace(out, p.buf, p.used, 0644, false, &e))
		code = ctl_wrong(ctl, EXIT_NONE, "%s", e.why);
	else if (code == EXIT_GOOD && !out && !ctl->quiet)
		fputs(p.buf, stdout);
	free(p.buf);
	return code;
}

int
cmd_metrics(const struct ctl *ctl, int argc, char **argv)
{
	const char *out = NULL;
	const struct ctl_option table[] = { { "--out", &out, "FILE", "write it there, whole or not at all" } };
	own(told) struct told told = { 0 };
	struct local_out o;
	int code;

	if (!ctl_options(ctl, argc, argv, table, COUNT(table), NULL))
		return EXIT_USAGE;
	local_open(&o);
	local_put(&o, "verb", "metrics");
	code = ctl_ask(ctl, &o, METRICS_MS, &told);
	return code == EXIT_GOOD ? answer(ctl, &told, out) : code;
}
