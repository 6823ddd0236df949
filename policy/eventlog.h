/*
 * eventlog.h - a measurement log of any form as flat, bounded records.
 *
 * Forms: TCG crypto-agile (PFP, TCG_PCR_EVENT2) and legacy SHA-1 (TCG_PCR_EVENT), TCG CEL 1.0 in TLV,
 * JSON and CBOR, systemd's userspace log. Several firmware logs may stand behind each other, as
 * after a resume from hibernation: each begins with a Spec ID record of its own, and the last one
 * counts. systemd's log may follow a firmware log: its events come after the firmware's.
 *
 * The parser runs in the parse worker. Its records travel to the judge in packed form; the judge
 * reads them as untrusted bytes again and believes only what replays to the signed digest.
 */
#ifndef EVENTLOG_H
#define EVENTLOG_H
#include "digest.h"
#include "reader.h"
#include "tpm_types.h"
#include "writer.h"

enum {
	EVENTS_MAX      = 16384,
	EVENT_DATA_MAX  = 1 << 20,
	EVENT_TEXT_MAX  = 16384,        /* bytes of an event's words, with NUL; a menu of GRUB's is an event */
	EVENTLOG_LEN_MAX = 4 << 20,
	LOGS_MAX        = 16,           /* behind each other in one evidence */
	EVENTLOG_ALGS_MAX = 16,         /* in the header's table, known or not */
	KEPT_EVENT_MAX  = 64 << 10,     /* bytes of one event's data that go on to the judge */
	KEPT_MAX        = 256 << 10,    /* of a whole log's */
};

/* EV_ types that the project's own code asks for; their names are in words.c. */
enum { EV_NO_ACTION = 3, EV_SEPARATOR = 4, EV_IPL = 13 };
#define EV_EFI_VARIABLE_DRIVER_CONFIG    0x80000001u
#define EV_EFI_BOOT_SERVICES_APPLICATION 0x80000003u
#define EV_EFI_BOOT_SERVICES_DRIVER      0x80000004u
#define EV_EFI_RUNTIME_SERVICES_DRIVER   0x80000005u
#define EV_EFI_HCRTM_EVENT               0x80000010u
#define EV_EFI_VARIABLE_AUTHORITY        0x800000e0u
/* What a CEL record holds instead of a TCG event: "CEL" and its content type. No TCG type has such a number. */
#define EV_CEL(content) (0x43454c00u | (content))
enum { CEL_MANAGEMENT = 4, CEL_PCCLIENT = 5, CEL_IMA_TEMPLATE = 7, CEL_IMA_TLV = 8, CEL_SYSTEMD = 9, CEL_COS = 80 };

/* What ties an event's words to its digest. Only words that are bound may be judged (FACTS 4.14). */
enum binding { BOUND_NOT, BOUND_DIGEST };

struct event {
	uint32_t     number;                    /* 0 is the header record */
	uint32_t     offset;                    /* of the record in the log */
	uint32_t     pcr, type;
	uint8_t      banks;                     /* bit = enum bank: which digests are there */
	uint8_t      digest[BANK_COUNT][DIGEST_MAX];
	enum binding binding;                   /* of text */
	const char  *text;                      /* printable words: "kernel_cmdline: …", "SecureBoot", a path; "" if none */
	uint32_t     data_len;
	/*
	 * The data, of Secure Boot's variables alone (facts.h reads them); else NULL. Borrowed from what
	 * was parsed or unpacked, which must outlive the log for those who look at it.
	 */
	const uint8_t *kept;
};

/* X(NAME, word): what a log is written in. */
#define LOG_FORMS(X) \
	X(AGILE,  "crypto-agile") \
	X(LEGACY, "legacy-sha1") \
	X(CEL_TLV, "cel-tlv") \
	X(CEL_JSON, "cel-json") \
	X(CEL_CBOR, "cel-cbor") \
	X(SYSTEMD, "systemd")
enum log_form {
#define X(name, word) LOG_##name,
	LOG_FORMS(X)
#undef X
	LOG_FORM_COUNT
};
const char *log_form_word(enum log_form);

/*
 * What the indices of a log mean. A confidential VM's log (ACPI table CCEL) has the same records,
 * but index 1 is RTMR 0, index 4 is RTMR 3, and no TPM quotes them.
 */
enum registers { REGISTERS_PCR, REGISTERS_RTMR };
enum { RTMR_INDEX_MAX = 4 };

struct eventlog {
	enum log_form  form;
	enum registers registers;
	unsigned      logs;                     /* that stood behind each other; the last is this one */
	uint8_t       banks;                    /* of the header's table that this project knows */
	int           locality;                 /* start value of PCR 0: 0, 3 or 4 (H-CRTM counts as 4) */
	unsigned      count;
	struct event *event;
	char         *words;                    /* what event[].text points into */
	size_t        words_len;
	uint32_t      consumed;                 /* bytes; the rest was padding */
};

/* ERR_FORMAT/ERR_LIMIT: "event 12 at offset 7485: digest count 65535: …". */
bool eventlog_parse(const void *buf, size_t len, struct eventlog *, struct error *) MUST_CHECK;

/*
 * For `inspect`: as eventlog_parse(), but on failure too the log holds what stands before the bad
 * event (free it), and *fault says which that is. Nothing may be judged by a log that failed.
 */
struct log_fault { uint32_t number, offset; };
bool eventlog_parse_until(const void *buf, size_t len, struct eventlog *, struct log_fault *,
    struct error *) MUST_CHECK;
void eventlog_free(struct eventlog *);
static inline void drop_eventlog(struct eventlog *l) { eventlog_free(l); }  /* own(eventlog) struct eventlog l = { 0 }; */

size_t eventlog_packed_size(const struct eventlog *);
void   eventlog_pack(const struct eventlog *, struct writer *);
bool   eventlog_unpack(struct reader *, struct eventlog *, struct error *) MUST_CHECK;

const char *event_type_name(uint32_t type);  /* "EV_SEPARATOR"; "unknown type" */

/* PCR values that the log gives, start values included, and which PCRs it extends. */
struct replay {
	enum registers registers;
	uint8_t  phase;                          /* the last boot phase that the log records, see tails.h; 0: none */
	uint8_t  dropped;                        /* bit = bank that some measurements lack */
	uint32_t extended[BANK_COUNT];           /* bit = PCR */
	uint8_t  value[BANK_COUNT][PCR_COUNT][DIGEST_MAX];
};
bool eventlog_replay(const struct eventlog *, struct replay *, struct error *) MUST_CHECK;

/*
 * pcrDigest of a selection over replayed values (TPM-1: concatenation in selection order, hashed
 * with the signing scheme's hash). PCRs that nothing extended have their start value.
 */
bool replay_digest(const struct replay *, const struct selection *, enum bank scheme,
    uint8_t out[static DIGEST_MAX], size_t *len, struct error *) MUST_CHECK;
#endif
