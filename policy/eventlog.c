#include <stdlib.h>
#include <string.h>
#include "log_parser.h"
#include "scope.h"
#include "words.h"

enum {
	SIGNATURE_SIZE = 16,
	RECORD_MIN     = 16,            /* of a TCG_PCR_EVENT2 without digests and data */
	OLD_RECORD     = 32,            /* of a TCG_PCR_EVENT without data */
	SHA1_SIZE      = 20,
	PCR_SECURE_BOOT = 7,
	WORDS_PER_BYTE = 5,             /* room for the words: see words_room() */
	WORDS_MAX      = 4 << 20,       /* of a whole log; what comes after has no words */
};
static const uint8_t agile[SIGNATURE_SIZE] = "Spec ID Event03";
static const uint8_t old[][SIGNATURE_SIZE] = { "Spec ID Event00", "Spec ID Event02" };   /* BIOS and EFI with TPM 1.2 */
static const char    any_header[]          = "Spec ID Event";
static const uint8_t locality_mark[SIGNATURE_SIZE] = "StartupLocality";

const char *
log_form_word(enum log_form form)
{
	static const char *const words[] = {
#define X(name, word) word,
		LOG_FORMS(X)
#undef X
	};

	return (unsigned)form < LOG_FORM_COUNT ? words[form] : "unknown";
}

void
eventlog_free(struct eventlog *log)
{
	free(log->event);
	free(log->words);
	*log = (struct eventlog){ 0 };
}

bool
parser_add(struct parser *p, struct event **ev, struct error *e)
{
	struct eventlog *log = p->log;

	if (log->count == EVENTS_MAX)
		return err_set(e, ERR_LIMIT, "more than %d events", EVENTS_MAX);
	if (log->count == p->room) {
		size_t room = p->room ? 2 * p->room : 64;
		struct event *more = realloc(log->event, room * sizeof(*more));

		if (!more)
			return err_set(e, ERR_MEMORY, "%zu events", room);
		log->event = more;
		p->room = room;
	}
	*ev = &log->event[log->count];
	**ev = (struct event){ .number = log->count, .offset = (uint32_t)p->in.at };
	return true;
}

/* Escapes make words up to four times as long as data; a record's fixed part pays for the rest. */
static bool
words_room(struct parser *p, size_t len, struct error *e)
{
	p->words_size = len * WORDS_PER_BYTE + EVENT_TEXT_MAX;
	if (p->words_size > WORDS_MAX)
		p->words_size = WORDS_MAX;
	p->log->words = malloc(p->words_size);
	if (!p->log->words)
		return err_set(e, ERR_MEMORY, "words");
	p->log->words[0] = '\0';
	p->log->words_len = 1;
	return true;
}

static void
event_describe(struct parser *p, struct event *ev, const void *data)
{
	struct eventlog *log = p->log;
	size_t left = p->words_size - log->words_len;
	size_t size = left < EVENT_TEXT_MAX ? left : EVENT_TEXT_MAX;
	char *here = log->words + log->words_len;

	ev->text = log->words;          /* the empty string that stands first */
	if (size <= 1)
		return;
	if (event_words(ev, data, ev->data_len, here, size, &p->hashers, &ev->binding)) {
		ev->text = here;
		log->words_len += strlen(here) + 1;
	}
}

/* numberOfAlgorithms and digestSizes[] of the Spec ID event. */
static bool
header_algs(struct parser *p, struct reader *r, struct error *e)
{
	uint32_t count = rd_le32(r, "number of algorithms");

	if (!rd_ok(r, e))
		return false;
	if (!count || count > EVENTLOG_ALGS_MAX)
		return err_set(e, ERR_LIMIT, "number of algorithms %u: not 1 to %d", count, EVENTLOG_ALGS_MAX);
	for (unsigned i = 0; i < count; i++) {
		uint16_t id = rd_le16(r, "algorithm");
		uint16_t size = rd_le16(r, "digest size");
		enum bank bank;

		if (!rd_ok(r, e))
			return false;
		for (unsigned j = 0; j < i; j++)
			if (p->alg[j].id == id)
				return err_set(e, ERR_FORMAT, "algorithm 0x%04x: there twice", id);
		if (bank_of_alg(id, &bank)) {
			if (size != bank_size(bank))
				return err_set(e, ERR_FORMAT, "digest size %u: not that of %s", size, bank_word(bank));
			p->log->banks |= (uint8_t)(1u << bank);
		} else if (!size)
			return err_set(e, ERR_FORMAT, "algorithm 0x%04x: digest size 0", id);
		p->alg[i].id = id;
		p->alg[i].size = size;
	}
	p->nalgs = count;
	return p->log->banks || err_set(e, ERR_FORMAT, "no bank of a hash that this program knows");
}

/* TCG_EfiSpecIdEvent */
static bool
header_spec(struct parser *p, struct reader r, struct error *e)
{
	uint8_t vendor;

	(void)rd_bytes(&r, SIGNATURE_SIZE, "signature");
	(void)rd_le32(&r, "platform class");
	(void)rd_bytes(&r, 4, "version");       /* minor, major, errata, size of UINTN */
	if (!header_algs(p, &r, e))
		return false;
	vendor = rd_u8(&r, "vendor info size");
	(void)rd_bytes(&r, vendor, "vendor info");
	return rd_end(&r, e);
}

/* A bank may be missing in an event (then it is not extended there), but never come twice. */
static bool
event_digests(struct parser *p, struct event *ev, struct error *e)
{
	uint32_t count = rd_le32(&p->in, "digest count");
	uint32_t seen = 0;

	if (!rd_ok(&p->in, e))
		return false;
	if (!count || count > p->nalgs)
		return err_set(e, ERR_FORMAT, "digest count %u: the header has %u", count, p->nalgs);
	for (uint32_t i = 0; i < count; i++) {
		uint16_t id = rd_le16(&p->in, "digest algorithm");
		const uint8_t *digest;
		enum bank bank;
		unsigned k = 0;

		if (!rd_ok(&p->in, e))
			return false;
		while (k < p->nalgs && p->alg[k].id != id)
			k++;
		if (k == p->nalgs)
			return err_set(e, ERR_FORMAT, "digest algorithm 0x%04x: not in the header", id);
		if (seen & 1u << k)
			return err_set(e, ERR_FORMAT, "digest algorithm 0x%04x: there twice", id);
		seen |= 1u << k;
		digest = rd_bytes(&p->in, p->alg[k].size, "digest");
		if (digest && bank_of_alg(id, &bank)) {
			memcpy(ev->digest[bank], digest, bank_size(bank));
			ev->banks |= (uint8_t)(1u << bank);
		}
	}
	return rd_ok(&p->in, e);
}

static void
old_digest(struct parser *p, struct event *ev)
{
	rd_copy(&p->in, ev->digest[BANK_SHA1], SHA1_SIZE, "digest");
	ev->banks = 1u << BANK_SHA1;
}

/* What EV_NO_ACTION says that matters: where PCR 0 starts, and that no second log begins here. */
static bool
no_action(struct parser *p, const struct event *ev, const uint8_t *data, struct error *e)
{
	uint8_t locality;

	if (p->log->form <= LOG_LEGACY && ev->data_len >= strlen(any_header) && !memcmp(data, any_header, strlen(any_header)))
		return err_set(e, ERR_FORMAT, "a second Spec ID event");
	if (ev->pcr != 0 || ev->data_len <= SIGNATURE_SIZE || memcmp(data, locality_mark, SIGNATURE_SIZE))
		return true;
	locality = data[SIGNATURE_SIZE];
	if (locality != 0 && locality != 3 && locality != 4)
		return err_set(e, ERR_FORMAT, "startup locality %u: not 0, 3 or 4", locality);
	if (p->hcrtm)                   /* H-CRTM means 4, whatever is said later */
		return true;
	if (p->measured0)
		return err_set(e, ERR_FORMAT, "startup locality after PCR 0 was extended");
	if (p->located && p->log->locality != locality)
		return err_set(e, ERR_FORMAT, "startup locality %u, but %d before", locality, p->log->locality);
	p->located = true;
	p->log->locality = locality;
	return true;
}

/* The start value of PCR 0, and no measurement without a register. */
static bool
measured(struct parser *p, const struct event *ev, struct error *e)
{
	if (p->log->registers == REGISTERS_RTMR)
		return (ev->pcr && ev->pcr <= RTMR_INDEX_MAX) ||
		    err_set(e, ERR_FORMAT, "register index %u: not 1 to %d", ev->pcr, RTMR_INDEX_MAX);
	if (ev->pcr >= PCR_COUNT)
		return err_set(e, ERR_FORMAT, "pcr index %u: no such PCR", ev->pcr);
	if (ev->pcr != 0)
		return true;
	if (ev->type == EV_EFI_HCRTM_EVENT) {
		if (p->measured0 && !p->hcrtm)
			return err_set(e, ERR_FORMAT, "H-CRTM event after PCR 0 was extended");
		p->hcrtm = true;
		p->log->locality = 4;
	}
	p->measured0 = true;
	return true;
}

bool
parser_end(struct parser *p, struct event *ev, const uint8_t *data, struct error *e)
{
	if (!(ev->type == EV_NO_ACTION ? no_action(p, ev, data, e) : measured(p, ev, e)))
		return false;
	event_describe(p, ev, data);
	p->log->count++;
	return true;
}

/* What the judge wants to hash and read itself: the keys of Secure Boot and who used them. */
static void
keep(struct parser *p, struct event *ev, const uint8_t *data)
{
	if (p->log->registers != REGISTERS_PCR || ev->pcr != PCR_SECURE_BOOT || ev->data_len > KEPT_EVENT_MAX ||
	    ev->data_len > KEPT_MAX - p->kept ||
	    (ev->type != EV_EFI_VARIABLE_DRIVER_CONFIG && ev->type != EV_EFI_VARIABLE_AUTHORITY))
		return;
	ev->kept = data;
	p->kept += ev->data_len;
}

/* TCG_PCR_EVENT2, or TCG_PCR_EVENT in a legacy log */
static bool
event_read(struct parser *p, struct error *e)
{
	struct event *ev;
	const uint8_t *data;

	if (!parser_add(p, &ev, e))
		return false;
	ev->pcr = rd_le32(&p->in, "pcr index");
	ev->type = rd_le32(&p->in, "event type");
	if (p->log->form == LOG_LEGACY)
		old_digest(p, ev);
	else if (!event_digests(p, ev, e))
		return false;
	ev->data_len = rd_le32(&p->in, "event size");
	if (rd_ok(&p->in, e) && ev->data_len > EVENT_DATA_MAX)
		return err_set(e, ERR_LIMIT, "event size %u: over %d", ev->data_len, EVENT_DATA_MAX);
	data = rd_bytes(&p->in, ev->data_len, "event data");
	if (!rd_ok(&p->in, e))
		return false;
	keep(p, ev, data);
	return parser_end(p, ev, data, e);
}

/*
 * ACPI's log area has a fixed size; what was not used is 00 or ff up to the end. A record cannot
 * begin so: it would have no digest. Anything else behind padding would be hidden from others.
 */
static bool
padding(struct parser *p, bool *ends, struct error *e)
{
	const uint8_t *at = p->in.pos;
	size_t n = p->in.left, probe = n < RECORD_MIN ? n : RECORD_MIN;

	*ends = false;
	if ((at[0] != 0x00 && at[0] != 0xff) || memcmp(at, at + 1, probe - 1))
		return true;
	if (memcmp(at, at + 1, n - 1))
		return err_set(e, ERR_FORMAT, "something stands after padding");
	*ends = true;
	return true;
}

/*
 * A record that opens a log: EV_NO_ACTION with a Spec ID, laid out as in the old logs, even in
 * front of a crypto-agile one. In the middle of either kind it could not be read as an event.
 */
static bool
opens(const struct parser *p, struct reader *spec)
{
	struct reader r = p->in;
	uint32_t type, size;

	(void)rd_le32(&r, "pcr index");
	type = rd_le32(&r, "event type");
	(void)rd_bytes(&r, SHA1_SIZE, "digest");
	size = rd_le32(&r, "event size");
	*spec = rd_sub(&r, size, "event data");
	return !r.bad && type == EV_NO_ACTION && size >= strlen(any_header) &&
	    !memcmp(spec->pos, any_header, strlen(any_header));
}

bool
parser_start(struct parser *p, enum log_form form, struct error *e)
{
	struct eventlog *log = p->log;

	if (log->logs == LOGS_MAX)
		return err_set(e, ERR_LIMIT, "more than %d logs", LOGS_MAX);
	log->form = form;
	log->registers = REGISTERS_PCR;
	log->banks = form == LOG_LEGACY ? 1u << BANK_SHA1 : 0;
	log->locality = 0;
	log->count = 0;
	log->words_len = 1;
	log->logs++;
	p->nalgs = 0;
	p->kept = 0;
	p->located = p->hcrtm = p->measured0 = false;
	return true;
}

/* The old kind may begin without a header. Those that it has say nothing that matters. */
static bool
old_header(struct reader spec, struct error *e)
{
	const uint8_t *sign = rd_bytes(&spec, SIGNATURE_SIZE, "signature");

	for (unsigned i = 0; sign && i < COUNT(old); i++)
		if (!memcmp(sign, old[i], SIGNATURE_SIZE))
			return true;
	return err_set(e, ERR_FORMAT, "a Spec ID event that is none of 00, 02 and 03");
}

static bool
header_read(struct parser *p, struct reader spec, struct error *e)
{
	bool is_agile = spec.left >= SIGNATURE_SIZE && !memcmp(spec.pos, agile, SIGNATURE_SIZE);
	struct event *ev;

	if (!parser_start(p, is_agile ? LOG_AGILE : LOG_LEGACY, e) ||
	    !(is_agile ? header_spec(p, spec, e) : old_header(spec, e)) || !parser_add(p, &ev, e))
		return false;
	ev->pcr = rd_le32(&p->in, "pcr index");
	ev->type = EV_NO_ACTION;
	ev->data_len = (uint32_t)spec.left;
	(void)rd_bytes(&p->in, OLD_RECORD - 4 + spec.left, "header");
	if (ev->pcr > 1)
		return err_set(e, ERR_FORMAT, "pcr index %u: neither a TPM's log nor a CCEL", ev->pcr);
	p->log->registers = ev->pcr == 1 ? REGISTERS_RTMR : REGISTERS_PCR;
	event_describe(p, ev, spec.pos);
	p->log->count++;
	return true;
}

static bool
record_read(struct parser *p, struct error *e)
{
	struct reader spec;

	if (opens(p, &spec))
		return header_read(p, spec, e);
	if (!p->log->logs && !parser_start(p, LOG_LEGACY, e))
		return false;
	return event_read(p, e);
}

/* Firmware's logs, and behind them what userspace measured later. */
static bool
tcg_read(struct parser *p, struct error *e)
{
	bool ends = false;

	while (rd_more(&p->in)) {
		parser_here(p);
		if (p->log->count && is_userspace(&p->in))
			return userspace_read(p, e);
		if (!padding(p, &ends, e))
			return false;
		if (ends)
			break;
		if (!record_read(p, e))
			return false;
	}
	return true;
}

static bool
events_read(struct parser *p, struct error *e)
{
	bool ok = is_cel_tlv(&p->in) ? cel_tlv_read(p, e) : is_cel_cbor(&p->in) ? cel_cbor_read(p, e) :
	    is_cel_json(&p->in) ? cel_json_read(p, e) :
	    is_userspace(&p->in) ? parser_start(p, LOG_SYSTEMD, e) && userspace_read(p, e) : tcg_read(p, e);

	p->log->consumed = (uint32_t)p->in.at;
	if (ok && !p->log->count)
		return err_set(e, ERR_FORMAT, "nothing but padding");
	return ok && (p->log->banks || err_set(e, ERR_FORMAT, "no bank of a hash that this program knows"));
}

bool
eventlog_parse_until(const void *buf, size_t len, struct eventlog *out, struct log_fault *fault,
    struct error *e)
{
	own(eventlog) struct eventlog log = { 0 };
	struct parser p = { .log = &log };
	bool ok;

	*fault = p.fault;
	*out = log;
	if (!len)
		return err_set(e, ERR_FORMAT, "the log is empty");
	if (len > EVENTLOG_LEN_MAX)
		return err_set(e, ERR_LIMIT, "the log has %zu bytes: over %d", len, EVENTLOG_LEN_MAX);
	p.in = rd_open(buf, len);
	ok = words_room(&p, len, e) && events_read(&p, e);
	hashers_free(&p.hashers);
	if (!ok)
		err_in(e, "event %u at offset %u", p.fault.number, p.fault.offset);
	*fault = p.fault;
	*out = log;
	log = (struct eventlog){ 0 };
	return ok;
}

bool
eventlog_parse(const void *buf, size_t len, struct eventlog *out, struct error *e)
{
	own(eventlog) struct eventlog log = { 0 };
	struct log_fault fault;

	if (!eventlog_parse_until(buf, len, &log, &fault, e))
		return false;
	*out = log;
	log = (struct eventlog){ 0 };
	return true;
}
