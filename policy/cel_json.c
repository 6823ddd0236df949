/*
 * TCG Canonical Event Log 1.0 as JSON (section 5.3: one array of records), and systemd's userspace
 * log (a JSON text sequence of such records). Each record is cut out of the text and parsed alone, so
 * the work and memory that one of them takes is bounded by its own length.
 */
#include <stdlib.h>
#include <string.h>
#include "hex.h"
#include "json.h"
#include "log_parser.h"
#include "scope.h"
#include "words.h"

enum { RECORD_SEPARATOR = 0x1e, RECORD_TEXT_MAX = 256 << 10, WORD_MAX = 64, DIGEST_LIST_MAX = 16 };

static bool
is_space(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* The next character that is no space, or -1 at the end; it stays where it is. */
static int
next_char(struct reader *in)
{
	while (in->left && is_space(*in->pos))
		(void)rd_u8(in, "space");
	return in->left ? *in->pos : -1;
}

bool
is_cel_json(const struct reader *in)
{
	struct reader r = *in;

	return next_char(&r) == '[';
}

bool
is_userspace(const struct reader *in)
{
	return in->left > 1 && in->pos[0] == RECORD_SEPARATOR && in->pos[1] == '{';
}

/* How long is the object that begins here? 0: it does not end. What is in it json_parse() judges. */
static size_t
object_length(const uint8_t *p, size_t n)
{
	bool quoted = false;
	unsigned open = 0;

	for (size_t i = 0; i < n; i++) {
		if (quoted && p[i] == '\\')
			i++;
		else if (p[i] == '"')
			quoted = !quoted;
		else if (!quoted && p[i] == '{')
			open++;
		else if (!quoted && p[i] == '}' && !--open)
			return i + 1;
	}
	return 0;
}

/* "sha256", or a TPM_ALG_ID as "0x000B". */
static bool
hash_of(const char *word, uint64_t *alg)
{
	uint8_t id[2];
	enum bank bank;

	if (bank_of_word(word, &bank))
		*alg = bank_alg(bank);
	else if (!strncmp(word, "0x", 2) && strlen(word) == 6 && hex_bytes(word + 2, id, sizeof(id)))
		*alg = (uint64_t)(id[0] << 8 | id[1]);
	else
		return false;
	return true;
}

/* A hash with a name that this project does not know is stepped over, as by number. */
static bool
read_digest(struct parser *p, struct event *ev, const struct json *item, struct error *e)
{
	char word[WORD_MAX], text[2 * DIGEST_MAX + 1];
	uint8_t digest[DIGEST_MAX];
	uint64_t alg;

	if (!json_text(item, "hashAlg", word, sizeof(word), e) || !json_text(item, "digest", text, sizeof(text), e))
		return false;
	if (!hash_of(word, &alg))
		return true;
	if (!hex_bytes(text, digest, strlen(text) / 2))
		return err_set(e, ERR_FORMAT, "digest: not hexadecimal");
	return cel_digest(p, ev, alg, digest, strlen(text) / 2, e);
}

static bool
read_digests(struct parser *p, struct event *ev, const struct json *record, struct error *e)
{
	unsigned count;

	if (!json_list(record, "digests", DIGEST_LIST_MAX, &count, e))
		return false;
	for (unsigned i = 0; i < count; i++)
		if (!read_digest(p, ev, json_item(record, "digests", i), e))
			return err_in(e, "digests: %u", i);
	return true;
}

/* systemd counts its NV indices as nv_index; neither it nor CEL has a word for RTMRs. */
static bool
read_register(struct parser *p, struct event *ev, const struct json *record, struct error *e)
{
	bool nv = !json_has(record, "pcr");
	int64_t index;

	return json_int(record, nv ? "nv_index" : "pcr", 0, UINT32_MAX, &index, e) &&
	    cel_register(p, ev, nv ? CEL_NV_INDEX : CEL_PCR, (uint64_t)index, e);
}

/* Event types are numbers or names. Data is hexadecimal. */
static bool
read_pcclient(struct parser *p, struct event *ev, const struct json *content, char *text, size_t size, struct error *e)
{
	char name[WORD_MAX];
	int64_t number;
	uint32_t type;
	size_t n;

	if (json_text(content, "event_type", name, sizeof(name), e)) {
		if (!event_type_of(name, &type))
			return err_set(e, ERR_FORMAT, "event_type: %s: unknown", name);
	} else {
		if (!json_int(content, "event_type", 0, UINT32_MAX, &number, e))
			return false;
		type = (uint32_t)number;
	}
	if (!json_text(content, "event_data", text, size, e))
		return false;
	n = strlen(text) / 2;
	if (!hex_bytes(text, (uint8_t *)text, n))
		return err_set(e, ERR_FORMAT, "event_data: not hexadecimal");
	return cel_content(p, ev, type, (uint8_t *)text, n, e);
}

/* Of contents other than TCG events and systemd's strings only the digests are read. */
static bool
read_content(struct parser *p, struct event *ev, const struct json *record, size_t size, struct error *e)
{
	static const struct { const char *word; uint32_t type; } kinds[] = {
		{ "cel", CEL_MANAGEMENT }, { "ima_template", CEL_IMA_TEMPLATE }, { "ima_tlv", CEL_IMA_TLV }, { "systemd", CEL_SYSTEMD },
	};
	own(mem) char *text = malloc(size);
	const struct json *content;
	char word[WORD_MAX];
	uint32_t kind = 0;

	if (!text)
		return err_set(e, ERR_MEMORY, "record");
	if (!json_text(record, "content_type", word, sizeof(word), e) || !json_sub(record, "content", &content, e))
		return false;
	if (!strcmp(word, "pcclient_std"))
		return read_pcclient(p, ev, content, text, size, e);
	for (unsigned i = 0; i < COUNT(kinds); i++)
		if (!strcmp(word, kinds[i].word))
			kind = kinds[i].type;
	if (kind != CEL_SYSTEMD || !json_has(content, "string"))
		return cel_content(p, ev, EV_CEL(kind), NULL, 0, e);
	return json_text(content, "string", text, size, e) && cel_content(p, ev, EV_CEL(kind), (uint8_t *)text, strlen(text), e);
}

/* One record, with its number where the log has numbers. */
static bool
record_read(struct parser *p, bool numbered, struct error *e)
{
	size_t len = object_length(p->in.pos, p->in.left < RECORD_TEXT_MAX ? p->in.left : RECORD_TEXT_MAX);
	own(json) struct json *record = NULL;
	struct event *ev;
	int64_t number;

	if (!len)
		return err_set(e, ERR_FORMAT, "a record without an end in %d bytes", RECORD_TEXT_MAX);
	if (!json_parse((const char *)p->in.pos, len, &record, e) || !parser_add(p, &ev, e))
		return false;
	(void)rd_bytes(&p->in, len, "record");
	if (numbered && !(json_int(record, "recnum", 0, INT64_MAX - 1, &number, e) && cel_number(p, (uint64_t)number, e)))
		return false;
	return read_register(p, ev, record, e) && read_digests(p, ev, record, e) && read_content(p, ev, record, len, e);
}

bool
cel_json_read(struct parser *p, struct error *e)
{
	int c;

	if (!parser_start(p, LOG_CEL_JSON, e))
		return false;
	(void)next_char(&p->in);
	(void)rd_u8(&p->in, "[");
	do {
		c = next_char(&p->in);
		parser_here(p);
		if (c != '{')
			return err_set(e, ERR_FORMAT, "no record");
		if (!record_read(p, true, e))
			return false;
		c = next_char(&p->in);
		(void)rd_u8(&p->in, "end of the array");
	} while (c == ',');
	if (c != ']')
		return err_set(e, ERR_FORMAT, "neither ',' nor ']' after a record");
	(void)next_char(&p->in);
	return rd_end(&p->in, e);
}

bool
userspace_read(struct parser *p, struct error *e)
{
	while (next_char(&p->in) >= 0) {
		parser_here(p);
		if (!is_userspace(&p->in))
			return err_set(e, ERR_FORMAT, "no record separator before a record");
		(void)rd_u8(&p->in, "record separator");
		if (!record_read(p, false, e))
			return false;
	}
	return rd_ok(&p->in, e);
}
