/* A log beside what a TPM quoted or a person read from it: which PCRs does the log account for? */
#include <stdio.h>
#include <string.h>
#include "file.h"
#include "inspect.h"
#include "scope.h"
#include "tails.h"
#include "verdict.h"

enum { PCR_FILE_MAX = 64 << 10, PCR_RAW_MAX = TPM_SELECTIONS_MAX * PCR_COUNT * DIGEST_MAX };

/* What the log is held against: a quote, and perhaps the values behind its digest. */
struct quoted {
	struct quote quote;
	enum bank    scheme;
	uint8_t      raw[PCR_RAW_MAX];          /* values in the order of the selection */
	size_t       raw_len;
	bool         values;
};

static bool
load_quote(const char *path, struct quoted *q, struct error *e)
{
	own(mem) uint8_t *bytes = NULL;
	size_t len;

	if (!file_load(path, TPM_ATTEST_MAX, &bytes, &len, e))
		return false;
	if (!quote_read(bytes, len, &q->quote, e))
		return err_in(e, "%s", path);
	if (q->quote.magic != TPM_GENERATED || q->quote.type != TPM_ST_ATTEST_QUOTE)
		return err_set(e, ERR_FORMAT, "%s: not a quote that a TPM made", path);
	for (q->scheme = BANK_SHA1; q->scheme < BANK_COUNT; q->scheme++)
		if (q->quote.pcr_digest_len == bank_size(q->scheme))
			return true;
	return err_set(e, ERR_FORMAT, "%s: a PCR digest of %zu bytes", path, q->quote.pcr_digest_len);
}

/* {"sha256": {"0": "hex", …}, …}: the selection is what stands there. */
static bool
select_all(const struct json *values, struct selection *out, struct error *e)
{
	struct selection s = { .count = 0 };

	for (enum bank b = 0; b < BANK_COUNT; b++) {
		const struct json *of = NULL;
		uint32_t pcrs = 0;

		if (!json_has(values, bank_word(b)))
			continue;
		if (!json_sub(values, bank_word(b), &of, e))
			return false;
		for (unsigned pcr = 0; pcr < PCR_COUNT; pcr++) {
			char key[4];

			snprintf(key, sizeof(key), "%u", pcr);
			pcrs |= json_has(of, key) ? 1u << pcr : 0;
		}
		if (!pcrs)
			continue;
		if (s.count == TPM_SELECTIONS_MAX)
			return err_set(e, ERR_LIMIT, "more than %d banks", TPM_SELECTIONS_MAX);
		s.bank[s.count].alg = bank_alg(b);
		s.bank[s.count++].pcrs = pcrs;
	}
	*out = s;
	return s.count || err_set(e, ERR_MISSING, "no PCR values");
}

static bool
take_values(const struct json *values, struct quoted *q, struct error *e)
{
	const struct selection *s = &q->quote.selection;
	struct writer w = wr_open(q->raw, sizeof(q->raw));

	for (unsigned i = 0; i < s->count; i++) {
		const struct json *of = NULL;
		enum bank b;

		if (!bank_of_alg(s->bank[i].alg, &b))
			return err_set(e, ERR_FORMAT, "algorithm 0x%04x: unknown bank", s->bank[i].alg);
		if (!json_sub(values, bank_word(b), &of, e))
			return false;
		for (unsigned pcr = 0; pcr < PCR_COUNT; pcr++) {
			uint8_t value[DIGEST_MAX];
			char key[4];

			snprintf(key, sizeof(key), "%u", pcr);
			if (!(s->bank[i].pcrs & 1u << pcr))
				continue;
			if (!json_hex(of, key, value, bank_size(b), e))
				return err_in(e, "%s", bank_word(b));
			wr_bytes(&w, value, bank_size(b), "PCR value");
		}
	}
	q->raw_len = w.used;
	return wr_ok(&w, e);
}

/* Without a quote the values stand for one: they are what the log has to give. */
static bool
load_values(const char *path, bool quoted, struct quoted *q, struct error *e)
{
	own(json) struct json *values = NULL;
	own(mem) uint8_t *bytes = NULL;
	size_t len;

	if (!file_load(path, PCR_FILE_MAX, &bytes, &len, e))
		return false;
	q->values = true;
	if (quoted && len <= sizeof(q->raw) && (!len || bytes[0] != '{')) {
		memcpy(q->raw, bytes, len);
		q->raw_len = len;
		return true;
	}
	if (!json_parse((char *)bytes, len, &values, e) || (!quoted && !select_all(values, &q->quote.selection, e)) ||
	    !take_values(values, q, e))
		return err_in(e, "%s", path);
	if (quoted)
		return true;
	q->scheme = BANK_SHA256;
	q->quote.pcr_digest_len = SHA256_SIZE;
	return digest_sha256(q->raw, q->raw_len, q->quote.pcr_digest) || err_set(e, ERR_CRYPTO, "sha256");
}

/* Every PCR that is quoted or that the log extends, by bank. */
static struct json *
states_json(const struct replay_states *s, const struct replay *r, uint8_t banks)
{
	struct json *all = json_new();

	for (unsigned b = 0; b < BANK_COUNT; b++) {
		struct json *bank = json_new();
		bool any = false;

		for (unsigned pcr = 0; pcr < PCR_COUNT; pcr++) {
			char key[4];

			if (s->state[b][pcr] == PCR_NOT_QUOTED && !(r->extended[b] & 1u << pcr))
				continue;
			snprintf(key, sizeof(key), "%u", pcr);
			json_put_text(bank, key, pcr_state_word(s->state[b][pcr]));
			any = true;
		}
		if (any || banks & 1u << b)
			json_put(all, bank_word((enum bank)b), bank);
		else
			json_free(bank);
	}
	return all;
}

static bool
states_agree(const struct replay_states *s)
{
	bool any = false;

	for (unsigned b = 0; b < BANK_COUNT; b++)
		for (unsigned pcr = 0; pcr < PCR_COUNT; pcr++) {
			if (s->state[b][pcr] == PCR_MISMATCH)
				return false;
			any = any || s->state[b][pcr] == PCR_VERIFIED;
		}
	return any;
}

/* With the values at hand *replays says whether the log is right in all that it speaks of. */
static bool
put_states(const struct replay *r, const struct quoted *q, bool *replays, uint8_t banks, struct json *j, struct error *e)
{
	own(mem) struct replay_states *states = calloc(1, sizeof(*states));
	own(mem) struct pcr_values *values = calloc(1, sizeof(*values));

	if (!states || !values)
		return err_set(e, ERR_MEMORY, "states");
	if (q->values) {
		if (!pcr_values_read(q->raw, q->raw_len, &q->quote.selection, q->scheme, q->quote.pcr_digest,
		    q->quote.pcr_digest_len, values, e) || !replay_states_compare(r, values, states, e))
			return false;
		*replays = states_agree(states);
	} else if (*replays) {
		replay_states_held(r, &q->quote.selection, states);
	} else {
		return true;            /* a digest alone does not say which */
	}
	json_put(j, "states", states_json(states, r, banks));
	return true;
}

static void
put_findings(const struct verdict *v, struct json *findings)
{
	for (unsigned i = 0; i < v->findings.count; i++)
		json_add(findings, inspect_finding(&v->findings.list[i], 0));
}

bool
inspect_replay(const struct eventlog *log, const struct replay *r, const char *quote, const char *pcrs, struct json *j,
    struct json *findings, bool *replays, struct error *e)
{
	own(mem) struct quoted *q = calloc(1, sizeof(*q));
	own(mem) struct verdict *v = calloc(1, sizeof(*v));
	struct boot_evidence ev = { .log_sent = true, .log = log };
	struct error why = { .code = ERR_NONE };
	bool all;

	if (!q || !v)
		return err_set(e, ERR_MEMORY, "quote");
	if ((quote && !load_quote(quote, q, e)) || (pcrs && !load_values(pcrs, quote, q, e)))
		return false;
	ev.pcr_values = (struct part){ q->raw, q->raw_len, q->values };
	verdict_start(v);
	all = *replays = check_replay(&ev, &q->quote, q->scheme, v, &why);
	if (!put_states(r, q, replays, log->banks, j, e))
		return false;
	if (!all)
		finding_say(finding_add(&v->findings, REASON_EVENTLOG_MISMATCH, *replays ? SEVERITY_UNKNOWN : SEVERITY_ALARMING,
		    CLAIM_EXECUTABLES)->text, "%s", why.why);
	put_findings(v, findings);
	json_put_bool(j, "replays", *replays);
	return true;
}
