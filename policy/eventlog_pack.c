#include <stdlib.h>
#include <string.h>
#include "eventlog.h"
#include "scope.h"

/*
 * The packed form, between parse and judge:
 *   header  version u8, form u8, registers u8, logs u8, banks u8, locality u8, consumed u32, count u32
 *   event   offset u32, pcr u32, type u32, data length u32, banks u8, digests, binding u8, text u16 + bytes,
 *           kept u8 and, if 1, the data
 */
enum { PACKED_VERSION = 3, HEADER_SIZE = 14, EVENT_MIN = 21 };

size_t
eventlog_packed_size(const struct eventlog *log)
{
	size_t n = HEADER_SIZE;

	for (unsigned i = 0; i < log->count; i++) {
		n += EVENT_MIN + strlen(log->event[i].text) + (log->event[i].kept ? log->event[i].data_len : 0);
		for (enum bank b = 0; b < BANK_COUNT; b++)
			n += log->event[i].banks & 1u << b ? bank_size(b) : 0;
	}
	return n;
}

static void
event_pack(const struct event *ev, struct writer *w)
{
	size_t len = strlen(ev->text);

	wr_be32(w, ev->offset, "offset");
	wr_be32(w, ev->pcr, "pcr");
	wr_be32(w, ev->type, "type");
	wr_be32(w, ev->data_len, "data length");
	wr_u8(w, ev->banks, "banks");
	for (enum bank b = 0; b < BANK_COUNT; b++)
		if (ev->banks & 1u << b)
			wr_bytes(w, ev->digest[b], bank_size(b), "digest");
	wr_u8(w, (uint8_t)ev->binding, "binding");
	wr_be16(w, (uint16_t)len, "text length");
	wr_bytes(w, ev->text, len, "text");
	wr_u8(w, ev->kept != NULL, "kept");
	if (ev->kept)
		wr_bytes(w, ev->kept, ev->data_len, "data");
}

void
eventlog_pack(const struct eventlog *log, struct writer *w)
{
	wr_u8(w, PACKED_VERSION, "version");
	wr_u8(w, (uint8_t)log->form, "form");
	wr_u8(w, (uint8_t)log->registers, "registers");
	wr_u8(w, (uint8_t)log->logs, "logs");
	wr_u8(w, log->banks, "banks");
	wr_u8(w, (uint8_t)log->locality, "locality");
	wr_be32(w, log->consumed, "consumed");
	wr_be32(w, log->count, "count");
	for (unsigned i = 0; i < log->count; i++)
		event_pack(&log->event[i], w);
}

static bool
text_unpack(struct reader *r, struct eventlog *log, struct event *ev, struct error *e)
{
	uint16_t len = rd_be16(r, "text length");
	char *text = log->words + log->words_len;

	if (len >= EVENT_TEXT_MAX)
		return err_set(e, ERR_LIMIT, "text of %u bytes", len);
	if (r->bad || len > r->left)
		r->bad = "text";
	else
		rd_copy(r, text, len, "text");
	if (!rd_ok(r, e))
		return false;
	for (unsigned i = 0; i < len; i++)
		if (text[i] < 0x20 || text[i] > 0x7e)
			return err_set(e, ERR_FORMAT, "text is not printable");
	text[len] = '\0';
	ev->text = text;
	log->words_len += len + 1u;
	return true;
}

static bool
kept_unpack(struct reader *r, struct event *ev, size_t *kept, struct error *e)
{
	uint8_t there = rd_u8(r, "kept");

	if (!rd_ok(r, e))
		return false;
	if (there > 1 || (there && (ev->data_len > KEPT_EVENT_MAX || ev->data_len > KEPT_MAX - *kept)))
		return err_set(e, ERR_LIMIT, "%u bytes kept", ev->data_len);
	if (!there)
		return true;
	ev->kept = rd_bytes(r, ev->data_len, "data");
	*kept += ev->data_len;
	return rd_ok(r, e);
}

static bool
event_unpack(struct reader *r, struct eventlog *log, struct event *ev, size_t *kept, struct error *e)
{
	uint8_t binding;

	ev->offset = rd_be32(r, "offset");
	ev->pcr = rd_be32(r, "pcr");
	ev->type = rd_be32(r, "type");
	ev->data_len = rd_be32(r, "data length");
	ev->banks = rd_u8(r, "banks");
	if (!rd_ok(r, e))
		return false;
	if (ev->banks & ~log->banks)
		return err_set(e, ERR_FORMAT, "banks 0x%02x: the log has 0x%02x", ev->banks, log->banks);
	if (ev->pcr >= PCR_COUNT && ev->type != EV_NO_ACTION)
		return err_set(e, ERR_FORMAT, "pcr index %u: no such PCR", ev->pcr);
	for (enum bank b = 0; b < BANK_COUNT; b++)
		if (ev->banks & 1u << b)
			rd_copy(r, ev->digest[b], bank_size(b), "digest");
	binding = rd_u8(r, "binding");
	if (binding > BOUND_DIGEST)
		return err_set(e, ERR_FORMAT, "binding %u", binding);
	ev->binding = (enum binding)binding;
	return text_unpack(r, log, ev, e) && kept_unpack(r, ev, kept, e);
}

static bool
header_unpack(struct reader *r, struct eventlog *log, uint32_t *count, struct error *e)
{
	uint8_t version = rd_u8(r, "version"), form = rd_u8(r, "form"), registers = rd_u8(r, "registers");

	log->logs = rd_u8(r, "logs");
	log->banks = rd_u8(r, "banks");
	log->locality = rd_u8(r, "locality");
	log->consumed = rd_be32(r, "consumed");
	*count = rd_be32(r, "count");
	if (!rd_ok(r, e))
		return false;
	if (version != PACKED_VERSION)
		return err_set(e, ERR_FORMAT, "version %u", version);
	if (form >= LOG_FORM_COUNT || registers > REGISTERS_RTMR || !log->logs)
		return err_set(e, ERR_FORMAT, "form %u, registers %u, %u logs", form, registers, log->logs);
	log->form = (enum log_form)form;
	log->registers = (enum registers)registers;
	if (!log->banks || log->banks >> BANK_COUNT)
		return err_set(e, ERR_FORMAT, "banks 0x%02x", log->banks);
	if (log->locality != 0 && log->locality != 3 && log->locality != 4)
		return err_set(e, ERR_FORMAT, "locality %d", log->locality);
	if (!*count || *count > EVENTS_MAX || *count > r->left / EVENT_MIN)
		return err_set(e, ERR_LIMIT, "%u events in %zu bytes", *count, r->left);
	return true;
}

bool
eventlog_unpack(struct reader *r, struct eventlog *out, struct error *e)
{
	own(eventlog) struct eventlog log = { 0 };
	size_t kept = 0;
	uint32_t count;

	if (!header_unpack(r, &log, &count, e))
		return err_in(e, "packed log");
	log.event = calloc(count, sizeof(*log.event));
	log.words = malloc(r->left + count);    /* each text and its NUL */
	if (!log.event || !log.words)
		return err_set(e, ERR_MEMORY, "packed log of %u events", count);
	for (; log.count < count; log.count++) {
		log.event[log.count].number = log.count;
		if (!event_unpack(r, &log, &log.event[log.count], &kept, e))
			return err_in(e, "packed log: event %u", log.count);
	}
	*out = log;
	log = (struct eventlog){ 0 };
	return true;
}
