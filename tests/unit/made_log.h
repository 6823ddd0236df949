/* made_log.h - event logs and quotes that a test makes, and the recorded ones. */
#ifndef MADE_LOG_H
#define MADE_LOG_H
#include "eventlog.h"
#include "unit.h"

enum { MADE_MAX = 1 << 20 };

struct made_log {
	uint8_t  *buf;                  /* MADE_MAX bytes; free it */
	size_t    len;
	unsigned  nalgs;
	uint16_t  alg[4];
};

/* Bytes as they stand, and integers as the log has them. */
void made_bytes(struct made_log *, const void *p, size_t n);
void made_le16(struct made_log *, uint16_t);
void made_le32(struct made_log *, uint32_t);

/* A log with nothing but its header: the banks of this mask. */
void made_open(struct made_log *, uint8_t banks);
void made_free(struct made_log *);
static inline void drop_made_log(struct made_log *l) { made_free(l); }

/* An event whose digests are those of `hashed`; made_event() hashes its data, made_text() a string. */
void made_measure(struct made_log *, uint32_t pcr, uint32_t type, const void *hashed, size_t nhashed,
    const void *data, size_t n);
void made_event(struct made_log *, uint32_t pcr, uint32_t type, const void *data, size_t n);
void made_text(struct made_log *, uint32_t pcr, uint32_t type, const char *text);
/* As GRUB does: the label is not hashed, nor the NUL. */
void made_grub(struct made_log *, const char *label, const char *text);

/* UEFI_VARIABLE_DATA into MADE_VARIABLE_MAX bytes, and one EFI_SIGNATURE_LIST whose entries have an owner of zeros; their lengths. */
enum { MADE_VARIABLE_MAX = 4096 };
size_t made_variable(uint8_t *out, const uint8_t *guid, const char *name, const void *data, size_t len);
size_t made_signatures(uint8_t *out, const uint8_t *type, const void *entries, size_t each, unsigned count);

/* Parses it; the test fails if it does not parse. */
void made_parse(const struct made_log *, struct eventlog *);

/* A file of tests/data/vm/<variant>, or of the corpus; NULL if it is in neither. */
uint8_t *vm_file(const char *variant, const char *name, size_t *len);
/* The log of a variant of tests/data/vm; the test fails without it. */
void vm_log(const char *variant, struct eventlog *);
#endif
