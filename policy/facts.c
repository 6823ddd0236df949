#include <string.h>
#include "facts_read.h"
#include "reference.h"
#include "scope.h"

enum { PCR_FIRMWARE = 0, PCR_OPTION_ROMS = 2, PCR_LAST_SEPARATED = 7 };

#define X(name, word) word,
#define WORDS(function, type, table)                                                          \
	const char *                                                                          \
	function(enum type value)                                                             \
	{                                                                                     \
		static const char *const words[] = { table(X) };                              \
											      \
		return (unsigned)value < COUNT(words) ? words[value] : "unknown";             \
	}
WORDS(fact_binding_word, fact_binding, FACT_BINDINGS)
WORDS(key_store_word, key_store_name, KEY_STORES)
WORDS(secure_boot_word, secure_boot_state, SECURE_BOOT_STATES)
WORDS(cmdline_source_word, cmdline_source, CMDLINE_SOURCES)
WORDS(boot_kind_word, boot_kind, BOOT_KINDS)
#undef X

bool
facts_counts(const struct facts_reading *r, const struct event *ev, unsigned pcr)
{
	return ev->pcr == pcr && event_counts(ev, r->f->bank, 1u << pcr);
}

bool
facts_known(const struct facts_reading *r, const struct event *ev, enum known_measurement k)
{
	return !memcmp(ev->digest[r->f->bank], r->known[k], bank_size(r->f->bank));
}

bool
facts_separator(const struct facts_reading *r, const struct event *ev)
{
	return facts_known(r, ev, KNOWN_SEPARATOR) || facts_known(r, ev, KNOWN_SEPARATOR_FF);
}

bool
facts_hashes(struct facts_reading *r, const struct event *ev, const void *p, size_t n)
{
	uint8_t is[DIGEST_MAX];

	return hashers_digest(&r->hashers, r->f->bank, p, n, is) && !memcmp(is, ev->digest[r->f->bank], bank_size(r->f->bank));
}

struct fact
facts_at(const struct facts_reading *r, const struct event *ev, bool proved)
{
	struct fact at = { .binding = proved && r->f->pcrs & 1u << ev->pcr ? FACT_BOUND : FACT_CLAIMED,
		.pcr = (uint8_t)ev->pcr, .event = ev->number };

	memcpy(at.digest, ev->digest[r->f->bank], bank_size(r->f->bank));
	return at;
}

void
facts_text(char *out, size_t size, const char *text, struct fact *at)
{
	size_t n = strlen(text);

	if (n >= size) {
		n = size - 1;
		at->binding = FACT_CLAIMED;
	}
	memcpy(out, text, n);
	out[n] = '\0';
}

/* Which PCRs have the separator that ends the firmware's part: one, and a good one. */
static void
separators(struct facts_reading *r)
{
	uint32_t once = 0, more = 0;

	for (unsigned i = 0; i < r->log->count; i++) {
		const struct event *ev = &r->log->event[i];

		if (ev->pcr > PCR_LAST_SEPARATED || !facts_counts(r, ev, ev->pcr))
			continue;
		if (facts_known(r, ev, KNOWN_ERROR))
			r->f->error_separator |= 1u << ev->pcr;
		if (facts_separator(r, ev)) {
			more |= once & 1u << ev->pcr;
			once |= 1u << ev->pcr;
		}
	}
	r->f->separated = once & ~more;
}

static bool
is_driver_type(uint32_t type)
{
	return type == EV_EFI_BOOT_SERVICES_DRIVER || type == EV_EFI_RUNTIME_SERVICES_DRIVER;
}

/* All of PCR 2 is code that did not come with the firmware, by whatever name; of PCR 0 what is called a driver. */
static void
drivers(struct facts_reading *r)
{
	struct boot_facts *f = r->f;

	for (unsigned i = 0; i < r->log->count; i++) {
		const struct event *ev = &r->log->event[i];
		struct boot_file *d;

		if (!(facts_counts(r, ev, PCR_OPTION_ROMS) && !facts_separator(r, ev) && !facts_known(r, ev, KNOWN_ERROR)) &&
		    !(facts_counts(r, ev, PCR_FIRMWARE) && is_driver_type(ev->type)))
			continue;
		if (f->ndrivers == FACT_IMAGES_MAX) {
			f->more_drivers++;
			continue;
		}
		d = &f->driver[f->ndrivers++];
		*d = (struct boot_file){ .at = facts_at(r, ev, true), .named = FACT_CLAIMED, .type = ev->type };
		facts_text(d->name, sizeof(d->name), ev->text, &(struct fact){ .pcr = 0 });
	}
}

static void
start(struct boot_facts *f, enum bank bank, uint32_t pcrs)
{
	f->bank = bank;
	f->pcrs = pcrs;
	f->secure_boot = (struct secure_boot){ .why = "" };
	f->mok = (struct mok){ .list = { .binding = FACT_ABSENT } };
	f->separated = f->error_separator = 0;
	f->kind = BOOT_UNKNOWN;
	f->nimages = f->more_images = f->ndrivers = f->more_drivers = 0;
	f->kernel = (struct boot_file){ .named = FACT_ABSENT };
	f->kernel_version[0] = '\0';
	f->ninitrds = f->more_initrds = f->ncmdlines = f->more_cmdlines = 0;
	f->boot_order = (struct fact_text){ .at = { .binding = FACT_ABSENT } };
	f->ncerts = f->nhashes = 0;
}

void
boot_facts_read(const struct eventlog *log, enum bank bank, uint32_t pcrs, struct boot_facts *f)
{
	static const struct { const char *bytes; size_t len; } known[] = {
#define X(name, bytes) { bytes, sizeof(bytes) - 1 },
		KNOWN_MEASUREMENTS(X)
#undef X
	};
	struct facts_reading r = { .log = log, .f = f };
	bool ok = true;

	start(f, bank, pcrs);
	for (unsigned i = 0; i < KNOWN_COUNT; i++)
		ok = hashers_digest(&r.hashers, bank, known[i].bytes, known[i].len, r.known[i]) && ok;
	if (ok && log->registers == REGISTERS_PCR) {
		separators(&r);
		drivers(&r);
		facts_chain(&r);
		facts_secure_boot(&r);
	} else
		f->secure_boot.why = ok ? "the log is of a confidential VM's registers" : "hashing failed";
	hashers_free(&r.hashers);
}

static int
by_hash(const void *a, const void *b)
{
	return memcmp(a, b, SHA256_SIZE);
}

bool
key_store_has_hash(const struct boot_facts *f, enum key_store_name name, const uint8_t sha256[static SHA256_SIZE])
{
	const struct key_store *s = &f->secure_boot.store[name];

	return s->hashes && bsearch(sha256, f->hash[s->first_hash], s->hashes, SHA256_SIZE, by_hash);
}

bool
key_store_has_cert(const struct boot_facts *f, enum key_store_name name, const uint8_t sha256[static SHA256_SIZE])
{
	const struct key_store *s = &f->secure_boot.store[name];

	for (unsigned i = 0; i < s->certs; i++)
		if (!memcmp(f->cert[s->first_cert + i].sha256, sha256, SHA256_SIZE))
			return true;
	return false;
}

/* Lines are parted by the escape "\n". */
unsigned
sbat_generation(const struct fact_text *sbat, const char *component)
{
	size_t n = strlen(component);

	for (const char *line = sbat->text; line; line = strstr(line, "\\n")) {
		unsigned long generation;

		line += !strncmp(line, "\\n", 2) ? 2 : 0;
		if (strncmp(line, component, n) || line[n] != ',')
			continue;
		generation = strtoul(line + n + 1, NULL, 10);
		return generation > UINT32_MAX ? 0 : (unsigned)generation;
	}
	return 0;
}
