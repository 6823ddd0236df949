/* verifierd-parse: one log or certificate into flat records. The only role that reads a host's raw bytes. */
#include "endorsement.h"
#include "eventlog.h"
#include "imalog.h"
#include "log.h"
#include "parts.h"
#include "policy_json.h"
#include "roles.h"
#include "sandbox.h"
#include "scope.h"
#include "worker.h"

enum { FACTS_PACKED_MAX = 8 << 10 };

static bool
parse_log(struct reader *in, uint8_t **out, size_t *len, struct error *e)
{
	own(eventlog) struct eventlog log = { .event = NULL };
	struct error why = { .code = ERR_NONE };
	own(mem) uint8_t *buf = NULL;
	struct writer w;
	size_t size;

	if (!eventlog_parse(in->pos, in->left, &log, &why))
		return worker_refusal(&why, out, len, e);
	size = 1 + eventlog_packed_size(&log);
	if (size > message_max(MSG_PARSED_LOG)) {
		err_set(&why, ERR_LIMIT, "log of %u events is too large", log.count);
		return worker_refusal(&why, out, len, e);
	}
	buf = malloc(size);
	if (!buf)
		return err_set(e, ERR_MEMORY, "log of %zu bytes", size);
	w = wr_open(buf, size);
	wr_u8(&w, 1, "ok");
	eventlog_pack(&log, &w);
	if (!wr_ok(&w, e))
		return false;
	*len = w.used;
	*out = give(buf);
	return true;
}

/* first u64, list */
static bool
parse_ima(struct reader *in, uint8_t **out, size_t *len, struct error *e)
{
	struct error why = { .code = ERR_NONE };
	own(mem) uint8_t *buf = NULL;
	uint64_t from = rd_be64(in, "first entry");
	struct writer w;
	size_t size;

	if (!rd_ok(in, e))
		return false;
	size = 1 + ima_packed_max(in->left);
	if (size > message_max(MSG_PARSED_IMA))
		size = message_max(MSG_PARSED_IMA);
	buf = malloc(size);
	if (!buf)
		return err_set(e, ERR_MEMORY, "IMA list of %zu bytes", in->left);
	w = wr_open(buf, size);
	wr_u8(&w, 1, "ok");
	if (!imalog_pack(in->pos, in->left, from, &w, &why) || !wr_ok(&w, &why))
		return worker_refusal(&why, out, len, e);
	*len = w.used;
	*out = give(buf);
	return true;
}

/* now i64, simulator u8, request, PEM bundle */
static bool
parse_enroll(struct reader *in, uint8_t **out, size_t *len, struct error *e)
{
	own(mem) struct enroll_request *q = calloc(1, sizeof(*q));
	own(mem) uint8_t *buf = malloc(FACTS_PACKED_MAX);
	struct writer w = wr_open(buf, buf ? FACTS_PACKED_MAX : 0);
	struct enroll_facts facts = { .reason = REASON_INTERNAL_ERROR };
	int64_t now = (int64_t)rd_be64(in, "now");
	bool simulator = rd_u8(in, "simulator") == 1;
	struct reader request = part_take(in, "request"), roots = part_take(in, "roots");

	if (!q)
		return err_set(e, ERR_MEMORY, "request");
	if (!rd_end(in, e) || !enroll_request_unpack(&request, q, e))
		return false;
	endorsement_check(q, (const char *)roots.pos, roots.left, simulator, now, &facts);
	enroll_facts_pack(&facts, &w);
	if (!wr_ok(&w, e))
		return false;
	*len = w.used;
	*out = give(buf);
	return true;
}

/* A policy, as an administrator sent it. */
static bool
parse_policy(struct reader *in, uint8_t **out, size_t *len, struct error *e)
{
	own(ima_rules) struct ima_rules ima = { .mode = IMA_MODE_OFF };
	own(mem) struct policy *p = calloc(1, sizeof(*p));
	own(mem) uint8_t *rules = NULL, *buf = NULL;
	struct error why = { .code = ERR_NONE };
	size_t rules_len, size, mark;
	struct writer w;

	if (!p)
		return err_set(e, ERR_MEMORY, "policy");
	if (!policy_json_read((const char *)in->pos, in->left, p, &ima, &why) || !policy_ima_pack(p, &ima, &rules, &rules_len, &why))
		return worker_refusal(&why, out, len, e);
	size = POLICY_PACKED_MAX + NAME_TEXT + rules_len + 32;
	buf = malloc(size);
	if (!buf)
		return err_set(e, ERR_MEMORY, "policy");
	w = wr_open(buf, size);
	wr_u8(&w, 1, "ok");
	part_put(&w, p->name, strlen(p->name), "name");
	mark = part_begin(&w, "policy");
	policy_pack(p, &w);
	part_end(&w, mark, "policy");
	part_put(&w, rules, rules_len, "ima");
	if (!wr_ok(&w, e))
		return false;
	*len = w.used;
	*out = give(buf);
	return true;
}

/* A file of golden measurements, as an administrator sent it. */
static bool
parse_set(struct reader *in, uint8_t **out, size_t *len, struct error *e)
{
	own(imported) struct imported i = { .count = 0 };
	struct error why = { .code = ERR_NONE };
	own(mem) uint8_t *buf = NULL;
	own(mem) char *text = strndup((const char *)in->pos, in->left);
	size_t size = sizeof(i.origin) + sizeof(i.remarks) + 64;
	struct writer w;

	if (!text)
		return err_set(e, ERR_MEMORY, "file");
	if (!import_read(text, in->left, &i, &why))
		return worker_refusal(&why, out, len, e);
	for (unsigned k = 0; k < i.count; k++)
		size += 32 + set_packed_size(&i.set[k]);
	buf = malloc(size);
	if (!buf || size > message_max(MSG_PARSED_SET))
		return err_set(e, ERR_MEMORY, "%u sets", i.count);
	w = wr_open(buf, size);
	wr_u8(&w, 1, "ok");
	part_put(&w, i.origin, strlen(i.origin), "origin");
	part_put(&w, i.remarks, strlen(i.remarks), "remarks");
	wr_u8(&w, (uint8_t)i.count, "count");
	for (unsigned k = 0; k < i.count; k++) {
		size_t mark = part_begin(&w, "set");

		wr_be32(&w, i.set[k].count, "entries");
		wr_u8(&w, (uint8_t)i.set[k].parts, "parts");
		wr_u8(&w, !set_serves_group(&i.set[k]), "own");
		set_pack(&i.set[k], &w);
		part_end(&w, mark, "set");
	}
	if (!wr_ok(&w, e))
		return false;
	*len = w.used;
	*out = give(buf);
	return true;
}

/* An allow list, as an administrator sent it. */
static bool
parse_allow(struct reader *in, uint8_t **out, size_t *len, struct error *e)
{
	own(allow_list) struct allow_list list = { .packed = NULL };
	struct error why = { .code = ERR_NONE };
	own(mem) uint8_t *buf = NULL;
	own(mem) char *excludes = NULL;
	struct writer w;
	size_t size;

	if (!allow_list_import((const char *)in->pos, in->left, &list, &excludes, &why))
		return worker_refusal(&why, out, len, e);
	size = 1 + 4 + 4 + (excludes ? strlen(excludes) : 0) + list.packed_len;
	buf = malloc(size);
	if (!buf)
		return err_set(e, ERR_MEMORY, "allow list of %u entries", list.count);
	w = wr_open(buf, size);
	wr_u8(&w, 1, "ok");
	wr_be32(&w, list.count, "entries");
	part_put(&w, excludes, excludes ? strlen(excludes) : 0, "excludes");
	wr_bytes(&w, list.packed, list.packed_len, "list");
	if (!wr_ok(&w, e))
		return false;
	*len = w.used;
	*out = give(buf);
	return true;
}

/* What a host told afterwards. */
static bool
parse_events(struct reader *in, uint8_t **out, size_t *len, struct error *e)
{
	own(json) struct json *j = NULL;
	own(mem) struct incidents *events = malloc(sizeof(*events));
	own(mem) uint8_t *buf = malloc(message_max(MSG_PARSED_EVENTS));
	struct error why = { .code = ERR_NONE };
	struct writer w;

	if (!events || !buf)
		return err_set(e, ERR_MEMORY, "events");
	if (!json_parse((const char *)in->pos, in->left, &j, &why) || !incidents_read(j, events, &why))
		return worker_refusal(&why, out, len, e);
	w = wr_open(buf, message_max(MSG_PARSED_EVENTS));
	wr_u8(&w, 1, "ok");
	incidents_pack(events, &w);
	if (!wr_ok(&w, e))
		return false;
	*len = w.used;
	*out = give(buf);
	return true;
}

static bool
answer(void *state, struct frame *f, enum message *type, uint8_t **out, size_t *len, struct error *e)
{
	(void)state;
	if (f->type == MSG_PARSE_LOG) {
		*type = MSG_PARSED_LOG;
		return parse_log(&f->payload, out, len, e);
	}
	if (f->type == MSG_PARSE_IMA) {
		*type = MSG_PARSED_IMA;
		return parse_ima(&f->payload, out, len, e);
	}
	if (f->type == MSG_PARSE_SET) {
		*type = MSG_PARSED_SET;
		return parse_set(&f->payload, out, len, e);
	}
	if (f->type == MSG_PARSE_ALLOW) {
		*type = MSG_PARSED_ALLOW;
		return parse_allow(&f->payload, out, len, e);
	}
	if (f->type == MSG_PARSE_EVENTS) {
		*type = MSG_PARSED_EVENTS;
		return parse_events(&f->payload, out, len, e);
	}
	if (f->type == MSG_PARSE_POLICY) {
		*type = MSG_PARSED_POLICY;
		return parse_policy(&f->payload, out, len, e);
	}
	*type = MSG_PARSED_ENROLL;
	return parse_enroll(&f->payload, out, len, e);
}

int
main(int argc, char **argv)
{
	struct error e = { .code = ERR_NONE };
	struct role_start s;

	role_begin(argc, argv, "verifierd-parse", false, &s);
	if (!sandbox_enter(ROLE_PARSE, &s, NULL, &e)) {
		log_say(LOG_ERR, "%s", e.why);
		return 1;
	}
	role_ready();
	return worker_loop(ROLE_PARSE, answer, NULL);
}
