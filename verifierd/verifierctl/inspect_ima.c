/* inspect ima: what an IMA list holds, and the PCRs that it leads to. */
#include <stdio.h>
#include <string.h>
#include "boot_aggregate.h"
#include "file.h"
#include "finding.h"
#include "hex.h"
#include "inspect.h"
#include "scope.h"
#include "show.h"

enum { TEMPLATES_MAX = 64 };

struct template_count { char name[IMA_TEMPLATE_MAX + 1]; uint64_t count; };

struct listed {
	uint64_t entries, violations, mismatches, first_mismatch;
	unsigned ntemplates;            /* those beyond TEMPLATES_MAX are counted in the last place */
	struct template_count templates[TEMPLATES_MAX];
	uint32_t pcrs;
	uint8_t  value[2][BANK_COUNT][PCR_COUNT][DIGEST_MAX];   /* by own hash, and padded */
	struct hashers hashers;
	struct json *aggregate;         /* NULL: the first entry is none */
};

static void
drop_listed(struct listed **slot)
{
	if (*slot) {
		hashers_free(&(*slot)->hashers);
		json_free((*slot)->aggregate);
	}
	free(*slot);
}

static void
count_template(struct listed *l, const char *name)
{
	unsigned i = 0;

	while (i < l->ntemplates && strcmp(l->templates[i].name, name) != 0)
		i++;
	if (i == TEMPLATES_MAX)
		i--;
	if (i == l->ntemplates)
		snprintf(l->templates[l->ntemplates++].name, sizeof(l->templates[0].name), "%s", name);
	l->templates[i].count++;
}

static enum bank
bank_of_size(unsigned size)
{
	return size == 20 ? BANK_SHA1 : size == 48 ? BANK_SHA384 : size == 64 ? BANK_SHA512 : BANK_SHA256;
}

/* false when the data cannot be hashed: the old template's with a field that does not fit. */
static bool
add_entry(struct listed *l, const struct imalog *log, const struct ima_entry *x, struct error *e)
{
	enum bank own = bank_of_size(log->form.digest_len);
	uint8_t hash[DIGEST_MAX];

	if (!x->violation) {
		if (!ima_template_hash(&l->hashers, own, x, log->form.big_endian, hash))
			return err_set(e, ERR_FORMAT, "entry %llu at offset %zu: file name: not one string of at most 255 bytes",
			    (unsigned long long)x->number, x->offset);
		if (memcmp(hash, x->logged, bank_size(own)) != 0 && !l->mismatches++)
			l->first_mismatch = x->number;
	}
	for (enum bank b = 0; b < BANK_COUNT; b++)
		if (!ima_extend(&l->hashers, b, IMA_WAY_REAL, x, log->form.big_endian, l->value[0][b][x->pcr]) ||
		    !ima_extend(&l->hashers, b, IMA_WAY_PADDED, x, log->form.big_endian, l->value[1][b][x->pcr]))
			return err_set(e, ERR_CRYPTO, "%s", bank_word(b));
	l->entries++;
	l->violations += x->violation;
	l->pcrs |= 1u << x->pcr;
	count_template(l, x->name);
	return true;
}

static struct json *
finding_json(enum reason code, enum severity severity, uint64_t entry, size_t offset, const char *text)
{
	struct finding f = { .code = code, .severity = severity, .event = (uint32_t)entry, .pcr = FINDING_NO_PCR };

	finding_say(f.text, "%s", text);
	return inspect_finding(&f, (uint32_t)offset);
}

/* The first entry, and whether the boot log beside it gives the same. */
static bool
aggregate(struct listed *l, const struct ima_entry *x, bool big_endian, const struct eventlog *log, struct json *findings)
{
	char hex[2 * DIGEST_MAX + 1] = "", pcrs[16];
	struct boot_aggregate is;
	struct ima_fields f;
	struct error e = { .code = ERR_NONE };
	bool same;

	if (!ima_fields_read(x, big_endian, &f, &e) || !f.digest || f.path_len != 14 || memcmp(f.path, "boot_aggregate", 14) != 0)
		return !log;
	l->aggregate = json_new();
	hex_text(f.digest, ima_alg_size(f.alg), hex);
	json_put_text(l->aggregate, "algorithm", ima_alg_word(f.alg));
	json_put_text(l->aggregate, "digest", hex);
	if (!log)
		return true;
	same = boot_aggregate_check(&f, log, &is, &e);
	json_put_bool(l->aggregate, "matches", same);
	if (!same) {
		json_add(findings, finding_json(REASON_BOOT_AGGREGATE, SEVERITY_ALARMING, 0, x->offset, e.why));
		return false;
	}
	snprintf(pcrs, sizeof(pcrs), "%s:0-%u", bank_word(is.bank), is.last_pcr);
	json_put_text(l->aggregate, "pcrs", pcrs);
	return true;
}

static struct json *
banks_json(const struct listed *l, unsigned way)
{
	struct json *all = json_new();

	for (enum bank b = way ? BANK_SHA256 : BANK_SHA1; b < BANK_COUNT; b++) {
		struct json *bank = json_new();

		for (unsigned pcr = 0; pcr < PCR_COUNT; pcr++) {
			char key[4];

			snprintf(key, sizeof(key), "%u", pcr);
			if (l->pcrs & 1u << pcr)
				json_put_hex(bank, key, l->value[way][b][pcr], bank_size(b));
		}
		json_put(all, bank_word(b), bank);
	}
	return all;
}

static struct json *
templates_json(const struct listed *l)
{
	struct json *j = json_new();

	for (unsigned i = 0; i < l->ntemplates; i++)
		json_put_int(j, l->templates[i].name, (int64_t)l->templates[i].count);
	return j;
}

static void
notable(const struct listed *l, struct json *findings)
{
	char text[160];

	if (!l->entries)
		json_add(findings, finding_json(REASON_IMA_MISSING, SEVERITY_UNKNOWN, 0, 0, "nothing is measured"));
	else if (!l->aggregate)
		json_add(findings, finding_json(REASON_BOOT_AGGREGATE, SEVERITY_UNKNOWN, 0, 0, "the list does not begin with boot_aggregate"));
	if (l->mismatches) {
		snprintf(text, sizeof(text), "the template hash of %llu entries is not that of their data; the PCRs here are by the data",
		    (unsigned long long)l->mismatches);
		json_add(findings, finding_json(REASON_IMA_MISMATCH, SEVERITY_UNKNOWN, l->first_mismatch, 0, text));
	}
}

/* Entry by entry to the end. *holds: the boot log, if there is one, gives boot_aggregate. */
static bool
read_list(struct imalog *log, struct listed *l, const struct eventlog *boot, struct json *findings, bool *holds, struct error *e)
{
	struct ima_entry x;
	bool more = true;

	for (;;) {
		if (!imalog_next(log, &x, &more, e))
			return false;
		if (!more)
			return true;
		if (!x.number)
			*holds = aggregate(l, &x, log->form.big_endian, boot, findings);
		if (!add_entry(l, log, &x, e))
			return false;
	}
}

static void
put_members(struct json *j, struct listed *l, const struct imalog *log, bool good)
{
	json_put_int(j, "schema", 1);
	json_put_text(j, "format", !l->entries ? "unknown" : log->ascii ? "ascii" : "binary");
	json_put_int(j, "entries", (int64_t)l->entries);
	json_put_int(j, "violations", (int64_t)l->violations);
	json_put(j, "templates", templates_json(l));
	/* What a list that was cut leads to would look like a machine's state: it is left out. */
	json_put(j, "banks", good ? banks_json(l, 0) : json_new());
	json_put(j, "padded", good ? banks_json(l, 1) : json_new());
	json_put(j, "boot_aggregate", l->aggregate ? l->aggregate : json_new());
	l->aggregate = NULL;
}

/* The lines that only a list has; the rest is as for all. */
static void
show_head(const struct json *j)
{
	const struct json *templates, *value;
	char cell[CELL_TEXT];
	const char *name;
	struct error e;

	show_line("entries", show_member(j, "entries", cell));
	show_line("violations", show_member(j, "violations", cell));
	if (json_sub(j, "templates", &templates, &e))
		for (unsigned i = 0; json_member(templates, i, &name, &value); i++)
			show_line(name, show_member(templates, name, cell));
	show_line("aggregate", show_sub(j, "boot_aggregate", "digest", cell));
	show_line("is that of", show_sub(j, "boot_aggregate", "pcrs", cell));
}

static bool
load_boot(const char *path, struct eventlog *log, struct error *e)
{
	own(mem) uint8_t *bytes = NULL;
	size_t len;

	if (!path)
		return true;
	if (!file_load(path, EVENTLOG_LEN_MAX, &bytes, &len, e))
		return false;
	return eventlog_parse(bytes, len, log, e) || err_in(e, "%s", path);
}

int
inspect_ima(const struct ctl *ctl, const char *file, const char *boot_path)
{
	own(json) struct json *j = json_new();
	own(listed) struct listed *l = calloc(1, sizeof(*l));
	own(imalog) struct imalog log = { .ascii = false };
	own(eventlog) struct eventlog boot = { 0 };
	own(mem) uint8_t *bytes = NULL;
	struct json *findings = json_new_list();
	struct error e = { .code = ERR_NONE };
	bool good, holds = !boot_path;
	size_t len;

	json_put(j, "findings", findings);
	if (!l || !file_load(file, IMA_FILE_MAX, &bytes, &len, &e) || !load_boot(boot_path, &boot, &e)) {
		fprintf(stderr, "verifierctl: %s\n", l ? e.why : "out of memory");
		return EXIT_REFUSED;
	}
	good = imalog_open(bytes, len, 0, &log, &e) && read_list(&log, l, boot_path ? &boot : NULL, findings, &holds, &e);
	if (good)
		notable(l, findings);
	else
		json_add(findings, finding_json(REASON_IMA_MALFORMED, SEVERITY_ALARMING, l->entries, log.whole, e.why));
	good = good && l->entries;
	put_members(j, l, &log, good);
	if (!good && *e.why && !ctl->json)
		fprintf(stderr, "verifierctl: %s: %s\n", file, e.why);
	if (!ctl->json && !ctl->quiet)
		show_head(j);
	return inspect_print(ctl, j, good && holds ? EXIT_DONE : EXIT_REFUSED);
}
