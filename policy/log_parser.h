/* log_parser.h - what the readers of the log's forms share: one event after another goes into a struct eventlog. */
#ifndef LOG_PARSER_H
#define LOG_PARSER_H
#include "eventlog.h"

struct parser {
	struct reader    in;
	struct eventlog *log;
	size_t           room;          /* of log->event */
	size_t           words_size;
	size_t           kept;          /* bytes of data that events point to */
	struct log_fault fault;
	unsigned         nalgs;         /* the header's table, of a crypto-agile log */
	struct { uint16_t id, size; } alg[EVENTLOG_ALGS_MAX];
	struct hashers   hashers;
	bool             located, hcrtm, measured0;   /* what has been said and done about PCR 0 */
	uint64_t         number;        /* of the last CEL record, plus one */
};

/* A log begins here. What stood before in this evidence was another one, which no longer counts. */
bool parser_start(struct parser *, enum log_form, struct error *) MUST_CHECK;

/* What fails from now on fails in the event that begins here. */
static inline void parser_here(struct parser *p) { p->fault = (struct log_fault){ p->log->count, (uint32_t)p->in.at }; }

/* A place for one more event, to be filled in; it counts after parser_end(), which judges register and type and finds its words. */
bool parser_add(struct parser *, struct event **, struct error *) MUST_CHECK;
bool parser_end(struct parser *, struct event *, const uint8_t *data, struct error *) MUST_CHECK;

/* cel.c, cel_json.c: TCG Canonical Event Log 1.0, from p->in to its end. */
bool is_cel_tlv(const struct reader *);
bool cel_tlv_read(struct parser *, struct error *) MUST_CHECK;
bool is_cel_cbor(const struct reader *);
bool cel_cbor_read(struct parser *, struct error *) MUST_CHECK;
bool is_cel_json(const struct reader *);
bool cel_json_read(struct parser *, struct error *) MUST_CHECK;
/* systemd's tpm2-measure.log: a JSON text sequence (RFC 7464) of CEL records without numbers. */
bool is_userspace(const struct reader *);
bool userspace_read(struct parser *, struct error *) MUST_CHECK;

/* What every encoding of a CEL record comes to; `where` says what kind of register `index` is one of. */
enum cel_register { CEL_PCR = 1, CEL_NV_INDEX = 2, CEL_CC_REGISTER = 108 };
bool cel_number(struct parser *, uint64_t number, struct error *) MUST_CHECK;
bool cel_register(struct parser *, struct event *, uint64_t where, uint64_t index, struct error *) MUST_CHECK;
bool cel_digest(struct parser *, struct event *, uint64_t alg, const uint8_t *, size_t n, struct error *) MUST_CHECK;
/* Data of that type; the register has been set. */
bool cel_content(struct parser *, struct event *, uint64_t type, const uint8_t *data, size_t n, struct error *) MUST_CHECK;
#endif
