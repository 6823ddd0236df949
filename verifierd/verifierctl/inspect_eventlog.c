#include <stdio.h>
#include <string.h>
#include "eventlog.h"
#include "facts_json.h"
#include "file.h"
#include "finding.h"
#include "inspect.h"
#include "scope.h"

static struct json *
digests_json(const struct event *ev)
{
	struct json *j = json_new();

	for (unsigned b = 0; b < BANK_COUNT; b++)
		if (ev->banks & 1u << b)
			json_put_hex(j, bank_word((enum bank)b), ev->digest[b], bank_size((enum bank)b));
	return j;
}

static struct json *
event_json(const struct event *ev)
{
	struct json *j = json_new();

	json_put_int(j, "number", ev->number);
	json_put_int(j, "offset", ev->offset);
	json_put_int(j, "pcr", ev->pcr);
	json_put_text(j, "type", event_type_name(ev->type));
	json_put_int(j, "type_number", ev->type);
	json_put(j, "digests", digests_json(ev));
	json_put_int(j, "data_len", ev->data_len);
	json_put_text(j, "text", ev->text ? ev->text : "");
	json_put_bool(j, "bound", ev->binding == BOUND_DIGEST);
	return j;
}

static struct json *
events_json(const struct eventlog *log)
{
	struct json *list = json_new_list();

	for (unsigned i = 0; i < log->count; i++)
		json_add(list, event_json(&log->event[i]));
	return list;
}

/* Every PCR that the log extends, bank by bank, start values included. */
static struct json *
banks_json(const struct eventlog *log, const struct replay *r)
{
	struct json *all = json_new();

	for (unsigned b = 0; b < BANK_COUNT; b++) {
		struct json *bank;

		if (!(log->banks & 1u << b))
			continue;
		bank = json_new();
		for (unsigned pcr = 0; pcr < PCR_COUNT; pcr++) {
			char key[4];

			snprintf(key, sizeof(key), "%u", pcr);
			if (r->extended[b] & 1u << pcr)
				json_put_hex(bank, key, r->value[b][pcr], bank_size((enum bank)b));
		}
		json_put(all, bank_word((enum bank)b), bank);
	}
	return all;
}

struct json *
inspect_finding(const struct finding *f, uint32_t offset)
{
	struct json *j = json_new();

	json_put_text(j, "code", reason_code(f->code));
	json_put_text(j, "severity", severity_word(f->severity));
	if (f->pcr != FINDING_NO_PCR)
		json_put_int(j, "pcr", f->pcr);
	json_put_int(j, "event", f->event);
	json_put_int(j, "offset", offset);
	json_put_text(j, "text", f->text);
	return j;
}

static struct json *
finding_json(enum reason code, enum severity severity, uint32_t event, uint32_t offset, const char *text)
{
	struct finding f = { .code = code, .severity = severity, .event = event, .pcr = FINDING_NO_PCR };

	finding_say(f.text, "%s", text);
	return inspect_finding(&f, offset);
}

/* What is not wrong with the form, but should be read. */
static void
notable(const struct eventlog *log, const struct replay *r, size_t len, struct json *findings)
{
	uint32_t extended = 0;
	char text[80];

	for (unsigned b = 0; b < BANK_COUNT; b++)
		extended |= r->extended[b];
	if (!extended)
		json_add(findings, finding_json(REASON_EVENT_MISSING, SEVERITY_UNKNOWN, 0, 0, "nothing is measured"));
	if (log->logs > 1) {
		snprintf(text, sizeof(text), "%u logs stand behind each other; the last one counts", log->logs);
		json_add(findings, finding_json(REASON_OK, SEVERITY_INFO, 0, log->event[0].offset, text));
	}

	for (unsigned i = 0; i < log->count; i++)
		if (!strcmp(log->event[i].text, "error separator"))
			json_add(findings, finding_json(REASON_EVENT_UNEXPECTED, SEVERITY_ALARMING, i,
			    log->event[i].offset, "the firmware measured an error instead of a separator"));
	if (log->consumed == len)
		return;
	snprintf(text, sizeof(text), "%zu bytes of padding follow the last event", len - log->consumed);
	json_add(findings, finding_json(REASON_OK, SEVERITY_INFO, log->count, log->consumed, text));
}

/*
 * What the machine did, by the bank that a verifier would judge: the first that is not SHA-1. No quote
 * is at hand, so "digest-bound" means: by the digests of this log.
 */
static struct json *
said_json(const struct eventlog *log, const struct replay *r)
{
	own(mem) struct boot_facts *f = malloc(sizeof(*f));
	enum bank bank = log->banks & ~(1u << BANK_SHA1) ? BANK_SHA256 : BANK_SHA1;

	while (!(log->banks & 1u << bank))
		bank++;
	if (!f)
		return json_new();
	boot_facts_read(log, bank, r->extended[bank], f);
	return facts_json(f);
}

int
inspect_eventlog(const struct ctl *ctl, const struct inspect_log *in)
{
	own(json) struct json *j = json_new();
	own(mem) struct replay *replay = calloc(1, sizeof(*replay));
	own(mem) uint8_t *bytes = NULL;
	own(eventlog) struct eventlog log = { 0 };
	struct json *findings = json_new_list();
	struct error e = { .code = ERR_NONE };
	struct log_fault fault;
	size_t len;
	bool good, replays = true;

	json_put(j, "findings", findings);
	if (!replay || !file_load(in->file, EVENTLOG_LEN_MAX, &bytes, &len, &e)) {
		fprintf(stderr, "verifierctl: %s\n", replay ? e.why : "out of memory");
		return EXIT_REFUSED;
	}
	good = eventlog_parse_until(bytes, len, &log, &fault, &e) && eventlog_replay(&log, replay, &e);
	if (good)
		notable(&log, replay, len, findings);
	else
		json_add(findings, finding_json(REASON_EVENTLOG_MALFORMED, SEVERITY_ALARMING, fault.number, fault.offset, e.why));
	json_put_int(j, "schema", 1);
	json_put_text(j, "format", log.count ? log_form_word(log.form) : "unknown");
	json_put_text(j, "registers", log.registers == REGISTERS_RTMR ? "rtmr" : "pcr");
	json_put_int(j, "logs", log.logs);
	json_put_int(j, "startup_locality", log.locality);
	json_put_int(j, "consumed", log.consumed);
	/* A replay of a log that was cut would look like a machine's state: it is left out. */
	json_put(j, "banks", good ? banks_json(&log, replay) : json_new());
	if (good)
		json_put(j, "facts", said_json(&log, replay));
	json_put(j, "events", events_json(&log));
	if (good && (in->quote || in->pcrs) && !inspect_replay(&log, replay, in->quote, in->pcrs, j, findings, &replays, &e)) {
		fprintf(stderr, "verifierctl: %s\n", e.why);
		return EXIT_REFUSED;
	}
	if (!good && !ctl->json)
		fprintf(stderr, "verifierctl: %s: %s\n", in->file, e.why);
	return inspect_print(ctl, j, good && replays ? EXIT_DONE : EXIT_REFUSED);
}
