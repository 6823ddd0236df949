/* PCR 7 and 14: Secure Boot by the published rules (FACTS "Deriving the Secure Boot state"), and what shim measures. */
#include <stdlib.h>
#include <string.h>
#include "cert_name.h"
#include "efi.h"
#include "facts_read.h"
#include "scope.h"

enum { PCR_SECURE_BOOT = 7, PCR_MOK = 14, OWNER = EFI_GUID_SIZE };

struct reading7 {
	struct facts_reading *r;
	struct secure_boot   *s;
	unsigned separators;
	bool     error, twice, late, unread, unproved;
	bool     shim_ran;                      /* something, by a certificate that is not the firmware's */
};

static const struct { const char *variable; bool security; } stores[] = {
	[STORE_PK] = { "PK", false }, [STORE_KEK] = { "KEK", false }, [STORE_DB] = { "db", true },
	[STORE_DBX] = { "dbx", true }, [STORE_DBT] = { "dbt", true }, [STORE_DBR] = { "dbr", true },
};

/* --- key stores --- */

static int
by_hash(const void *a, const void *b)
{
	return memcmp(a, b, SHA256_SIZE);
}

static bool
cert_read(struct facts_reading *r, const uint8_t *der, size_t len, struct fact_cert *out)
{
	cert_name(der, len, out->name, sizeof(out->name));
	return hashers_digest(&r->hashers, BANK_SHA256, der, len, out->sha256);
}

/* One entry of a list goes into its pool; false if there is no room. */
static bool
entry_keep(struct facts_reading *r, struct key_store *s, const struct efi_signature *one)
{
	struct boot_facts *f = r->f;

	if (efi_guid_is(one->type, efi_cert_sha256) && one->len == SHA256_SIZE) {
		if (f->nhashes == FACT_HASHES_MAX)
			return false;
		memcpy(f->hash[f->nhashes++], one->data, SHA256_SIZE);
		s->hashes++;
	} else if (efi_guid_is(one->type, efi_cert_x509)) {
		if (f->ncerts == FACT_CERTS_MAX || !cert_read(r, one->data, one->len, &f->cert[f->ncerts]))
			return false;
		f->ncerts++;
		s->certs++;
	}
	return true;
}

static void
store_read(struct facts_reading *r, const struct efi_variable *v, struct key_store *s)
{
	struct boot_facts *f = r->f;
	struct efi_signatures all = efi_signatures_open(v->data, v->len);
	struct efi_signature one;
	bool kept = true;

	s->first_hash = f->nhashes;
	s->first_cert = f->ncerts;
	while (efi_signature_next(&all, &one)) {
		s->count++;
		kept = entry_keep(r, s, &one) && kept;
	}
	s->whole = kept && efi_signatures_whole(&all);
	if (s->hashes)
		qsort(f->hash[s->first_hash], s->hashes, SHA256_SIZE, by_hash);
}

/* --- one event --- */

/* Rules 4: each of these once, before the separator. Said twice, it is told by its second place in the walk. */
static bool
config_once(struct reading7 *w, const struct fact *had)
{
	if (had->binding != FACT_ABSENT)
		w->twice = true;
	if (w->separators)
		w->late = true;
	return had->binding == FACT_ABSENT && !w->separators;
}

static void
flag_read(struct reading7 *w, const struct efi_variable *v, const struct fact *at, struct fact_flag *out)
{
	if (!config_once(w, &out->at))
		return;
	out->at = *at;
	out->set = v->len == 1 && v->data[0] == 1;
}

/* Firmware's own variables. db also names who verified something: then its data is one entry, not a list. */
static bool
config_read(struct reading7 *w, const struct efi_variable *v, const struct fact *at)
{
	struct { const char *name; struct fact_flag *flag; } flags[] = {
		{ "SecureBoot", &w->s->variable }, { "SetupMode", &w->s->setup_mode },
		{ "AuditMode", &w->s->audit_mode }, { "DeployedMode", &w->s->deployed_mode },
	};

	for (unsigned i = 0; efi_guid_is(v->guid, efi_guid_global) && i < COUNT(flags); i++)
		if (efi_name_is(v, flags[i].name)) {
			flag_read(w, v, at, flags[i].flag);
			return true;
		}
	for (unsigned i = 0; i < STORE_COUNT; i++) {
		struct efi_signatures all = efi_signatures_open(v->data, v->len);
		struct efi_signature one;

		if (!efi_name_is(v, stores[i].variable) ||
		    !efi_guid_is(v->guid, stores[i].security ? efi_guid_security : efi_guid_global))
			continue;
		while (efi_signature_next(&all, &one))
			continue;
		if (!efi_signatures_whole(&all))
			return false;
		if (config_once(w, &w->s->store[i].at)) {
			w->s->store[i].at = *at;
			store_read(w->r, v, &w->s->store[i]);
		}
		return true;
	}
	return false;
}

/* As it was measured: the log's own words for it may be others. */
static void
sbat_text(const struct efi_variable *v, struct fact_text *t)
{
	size_t n = v->len, used = 0;

	while (n && !v->data[n - 1])
		n--;
	for (size_t i = 0; i < n; i++) {
		bool ends = v->data[i] == '\n';

		if ((!ends && (v->data[i] < 0x20 || v->data[i] > 0x7e || v->data[i] == '\\')) || used + 3 > sizeof(t->text)) {
			t->at.binding = FACT_CLAIMED;
			break;
		}
		if (ends)
			t->text[used++] = '\\';
		t->text[used++] = ends ? 'n' : (char)v->data[i];
	}
	t->text[used] = '\0';
}

/*
 * Shim measures it before it lets anything run, and whoever runs later can extend another one: the first counts,
 * and only if no certificate that shim brought stands before it.
 */
static void
sbat_read(struct reading7 *w, const struct efi_variable *v, const struct fact *at)
{
	if (w->s->sbat.at.binding != FACT_ABSENT)
		return;
	w->s->sbat.at = *at;
	if (w->shim_ran)
		w->s->sbat.at.binding = FACT_CLAIMED;
	sbat_text(v, &w->s->sbat);
}

/* What shim says of itself under its own GUID. */
static bool
shim_read(struct reading7 *w, const struct efi_variable *v, const struct fact *at)
{
	if (!efi_guid_is(v->guid, efi_guid_shim))
		return false;
	if (efi_name_is(v, "MokSBState")) {
		w->s->mok_sb_state.at = *at;
		w->s->mok_sb_state.set = w->s->mok_sb_state.set || v->len != 1 || v->data[0] != 0;
		return true;
	}
	if (efi_name_is(v, "MokListTrusted"))
		return true;
	if (efi_name_is(v, "SbatLevel")) {
		sbat_read(w, v, at);
		return true;
	}
	return false;
}

/* One EFI_SIGNATURE_DATA: owner and certificate, or a hash; shim leaves the owner out at times. */
static void
authority_read(struct reading7 *w, const struct efi_variable *v, const struct fact *at)
{
	struct authority *a = &w->s->authority[w->s->nauthorities];
	const uint8_t *entry = v->data;
	size_t len = v->len;

	if (w->s->nauthorities == FACT_AUTHORITIES_MAX) {
		w->s->more_authorities++;
		return;
	}
	w->s->nauthorities++;
	*a = (struct authority){ .at = *at, .early = !w->separators };
	for (size_t i = 0; i < v->units && i + 1 < sizeof(a->variable); i++)
		a->variable[i] = v->name[2 * i] > 0x20 && v->name[2 * i] < 0x7f && !v->name[2 * i + 1] ? (char)v->name[2 * i] : '?';
	if (!der_is_sequence(entry, len) && len > OWNER) {
		entry += OWNER;
		len -= OWNER;
	}
	a->is_cert = der_is_sequence(entry, len) && cert_read(w->r, entry, len, &a->cert);
	if (!efi_name_is(v, "db") || !efi_guid_is(v->guid, efi_guid_security)) {
		a->known = a->is_cert;          /* "Shim", "vendor_db", "MokList": shim brought it */
		w->shim_ran = true;
	} else if (a->is_cert)
		a->known = key_store_has_cert(w->r->f, STORE_DB, a->cert.sha256);
	else
		a->known = len == SHA256_SIZE && key_store_has_hash(w->r->f, STORE_DB, entry);
}

/* A variable of any kind. What its digest does not cover is read all the same, as a claim. */
static void
variable_read(struct reading7 *w, const struct event *ev)
{
	struct efi_variable v;
	struct fact at;
	bool proved;

	if (!ev->kept || !efi_variable_read(ev->kept, ev->data_len, &v)) {
		w->unread = true;
		return;
	}
	/* An old shim appended bytes to the variable, and did not hash the last of them. */
	proved = facts_hashes(w->r, ev, ev->kept, ev->data_len) ||
	    (v.data + v.len < ev->kept + ev->data_len && facts_hashes(w->r, ev, ev->kept, ev->data_len - 1u));
	w->unproved = w->unproved || !proved;
	at = facts_at(w->r, ev, proved);
	if (config_read(w, &v, &at) || shim_read(w, &v, &at))
		return;
	if (w->separators || ev->type == EV_EFI_VARIABLE_AUTHORITY || efi_guid_is(v.guid, efi_guid_security))
		authority_read(w, &v, &at);
}

static void
event7(struct reading7 *w, const struct event *ev)
{
	struct fact at = facts_at(w->r, ev, true);

	if (facts_separator(w->r, ev))
		w->separators++;
	else if (facts_known(w->r, ev, KNOWN_ERROR))
		w->error = true;
	else if (facts_known(w->r, ev, KNOWN_DEBUG))
		w->s->debug_mode = at;
	else if (facts_known(w->r, ev, KNOWN_DMA_OFF) || facts_known(w->r, ev, KNOWN_DMA_LOWERED))
		w->s->dma_off = at;
	else if (!(w->separators && facts_known(w->r, ev, KNOWN_OS_SEPARATOR)))
		variable_read(w, ev);
}

/* --- the rules --- */

static bool
authorities_known(const struct secure_boot *s)
{
	for (unsigned i = 0; i < s->nauthorities; i++)
		if (!s->authority[i].known)
			return false;
	return !s->more_authorities;
}

static bool
has_keys(const struct secure_boot *s, enum key_store_name name)
{
	return s->store[name].whole && s->store[name].count > 0;
}

static bool
all_there(const struct secure_boot *s)
{
	for (unsigned i = STORE_PK; i <= STORE_DBX; i++)
		if (s->store[i].at.binding == FACT_ABSENT)
			return false;
	return true;
}

/* The first rule that does not hold; NULL if all do. */
static const char *
broken_rule(const struct reading7 *w)
{
	const struct secure_boot *s = w->s;
	const struct { bool broken; const char *why; } rules[] = {
		{ !(w->r->f->pcrs & 1u << PCR_SECURE_BOOT), "PCR 7 is not quoted" },
		{ w->error, "the firmware measured an error instead of a separator" },
		{ s->debug_mode.binding != FACT_ABSENT, "the firmware is in debug mode" },
		{ w->unread, "something in PCR 7 is of no known kind" },
		{ w->unproved, "the log gives something in PCR 7 another content than was measured" },
		{ w->separators != 1, "PCR 7 has not exactly one separator" },
		{ w->twice, "a variable of Secure Boot was measured twice" },
		{ w->late, "a variable of Secure Boot was measured after the separator" },
		{ !all_there(s), "PK, KEK, db and dbx were not all measured" },
		{ !has_keys(s, STORE_PK) || !has_keys(s, STORE_KEK) || !has_keys(s, STORE_DB), "there is no PK, KEK or db" },
		{ s->setup_mode.set || s->audit_mode.set, "the firmware is in setup or audit mode" },
		{ !authorities_known(s), "something ran by a key that is not in db" },
		{ !s->nauthorities && w->r->f->nimages, "nothing says which key let the boot loader run" },
	};

	for (unsigned i = 0; i < COUNT(rules); i++)
		if (rules[i].broken)
			return rules[i].why;
	return NULL;
}

static void
decide(struct reading7 *w)
{
	struct secure_boot *s = w->s;
	const char *broken = broken_rule(w);

	s->binding = s->variable.at.binding;
	s->shim_off = s->mok_sb_state.at.binding != FACT_ABSENT && s->mok_sb_state.set;
	if (s->variable.at.binding == FACT_ABSENT)
		s->why = "the log has no SecureBoot variable";
	else if (!s->variable.set) {
		s->state = SECURE_BOOT_OFF;
		s->why = "the firmware's SecureBoot variable says so";
	} else if (s->shim_off) {
		s->state = SECURE_BOOT_OFF;
		s->why = "shim's verification is turned off (MokSBState)";
	} else if (broken)
		s->why = broken;
	else
		s->state = SECURE_BOOT_ON;
}

/* --- shim's own lists, of which the log has the names alone --- */

static void
event14(struct facts_reading *r, const struct event *ev)
{
	struct { const char *name; struct fact *fact; } names[] = {
		{ "MokList", &r->f->mok.list }, { "MokListX", &r->f->mok.list_x }, { "MokListTrusted", &r->f->mok.trusted },
	};
	static const uint8_t on[] = { 1 };

	for (unsigned i = 0; i < COUNT(names); i++)
		if (!strcmp(ev->text, names[i].name))
			*names[i].fact = facts_at(r, ev, false);
	/* One byte is soon guessed: whatever the log calls it, a MokSBState that is set shows by its digest beside its name. */
	if (!strcmp(ev->text, "MokSBState") && r->f->secure_boot.mok_sb_state.at.binding == FACT_ABSENT) {
		bool set = facts_hashes(r, ev, on, sizeof(on));

		r->f->secure_boot.mok_sb_state = (struct fact_flag){ .at = facts_at(r, ev, set), .set = set };
	}
}

void
facts_secure_boot(struct facts_reading *r)
{
	struct reading7 w = { .r = r, .s = &r->f->secure_boot };

	for (unsigned i = 0; i < r->log->count; i++)
		if (facts_counts(r, &r->log->event[i], PCR_SECURE_BOOT))
			event7(&w, &r->log->event[i]);
	for (unsigned i = 0; i < r->log->count; i++)
		if (facts_counts(r, &r->log->event[i], PCR_MOK))
			event14(r, &r->log->event[i]);
	decide(&w);
}
