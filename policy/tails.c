#include <string.h>
#include "scope.h"
#include "tails.h"

#define INVOCATION "Exit Boot Services Invocation"
#define SUCCESS    "Exit Boot Services Returned with Success"
#define FAILURE    "Exit Boot Services Returned with Failure"

enum { PCR_EXIT_BOOT = 5, PCR_PHASES = 11 };

/* FACTS 4.12: the kernel loses the last record; firmware writes both too late, once or with a first call that failed. */
static const struct tail exit_boot[] = {
	{ PCR_EXIT_BOOT, { SUCCESS }, "the last record of ExitBootServices", 0 },
	{ PCR_EXIT_BOOT, { INVOCATION, SUCCESS }, "ExitBootServices", 0 },
	{ PCR_EXIT_BOOT, { INVOCATION, FAILURE }, "ExitBootServices, which failed", 0 },
	{ PCR_EXIT_BOOT, { INVOCATION, FAILURE, SUCCESS }, "ExitBootServices, which failed at first", 0 },
	{ PCR_EXIT_BOOT, { FAILURE, INVOCATION, SUCCESS }, "ExitBootServices, called a second time", 0 },
};

/*
 * systemd-pcrphase on 252 extends these words and logs them nowhere (FACTS 6.2). Later ones log them, but a quote may be
 * younger than the copy of the log: then what follows the last phase that it records.
 */
#define INITRD "enter-initrd"
#define SWITCH "leave-initrd"
#define SYSTEM "sysinit"
#define READY  "ready"
static const char *const phase_words[] = { INITRD, SWITCH, SYSTEM, READY };
static const struct tail phases[] = {
	{ PCR_PHASES, { INITRD }, "the boot phase enter-initrd", 0 },
	{ PCR_PHASES, { INITRD, SWITCH }, "the boot phases up to leave-initrd", 0 },
	{ PCR_PHASES, { INITRD, SWITCH, SYSTEM }, "the boot phases up to sysinit", 0 },
	{ PCR_PHASES, { INITRD, SWITCH, SYSTEM, READY }, "the boot phases up to ready", 0 },
	{ PCR_PHASES, { SWITCH }, "the boot phase leave-initrd", 1 },
	{ PCR_PHASES, { SWITCH, SYSTEM }, "the boot phases up to sysinit", 1 },
	{ PCR_PHASES, { SWITCH, SYSTEM, READY }, "the boot phases up to ready", 1 },
	{ PCR_PHASES, { SYSTEM }, "the boot phase sysinit", 2 },
	{ PCR_PHASES, { SYSTEM, READY }, "the boot phases up to ready", 2 },
	{ PCR_PHASES, { READY }, "the boot phase ready", 3 },
};

static bool
measures(const struct event *ev, const char *word)
{
	uint8_t is[DIGEST_MAX];

	for (enum bank b = 0; b < BANK_COUNT; b++)
		if (ev->banks & 1u << b && (!digest(b, word, strlen(word), is) || !same_bytes(is, ev->digest[b], bank_size(b))))
			return false;
	return ev->banks != 0;
}

unsigned
tails_phase(const struct event *ev)
{
	for (unsigned i = 0; ev->pcr == PCR_PHASES && ev->type == EV_CEL(CEL_SYSTEMD) && i < COUNT(phase_words); i++)
		if (measures(ev, phase_words[i]))
			return i + 1;
	return 0;
}

_Static_assert(TAILS_SETS_MAX >= 2 * (1 + COUNT(exit_boot)) * (1 + COUNT(phases)), "every set of tails has a place");

/* Windows extends zeros once in all PCRs up to 13 of a bank that it does not use; PCR 11 then gets more. */
#define CAPPED_PCRS (0x3fffu & ~(1u << PCR_PHASES))

const char *
pcr_state_word(enum pcr_state state)
{
	static const char *const words[] = {
#define X(name, word) word,
		PCR_STATES(X)
#undef X
	};

	return (unsigned)state < PCR_STATE_COUNT ? words[state] : "unknown";
}

static bool
extend_words(enum bank b, uint8_t *value, const struct tail *t)
{
	uint8_t with[DIGEST_MAX];

	for (unsigned i = 0; i < TAIL_EXTENDS_MAX && t->extends[i]; i++)
		if (!digest(b, t->extends[i], strlen(t->extends[i]), with) || !digest_extend(b, value, with))
			return false;
	return true;
}

static bool
add_tail(struct replay *r, const struct tail *t)
{
	for (enum bank b = 0; t && b < BANK_COUNT; b++)
		if (r->extended[b] & 1u << t->pcr && !extend_words(b, r->value[b][t->pcr], t))
			return false;
	return true;
}

static bool
cap(struct replay *r, uint8_t banks)
{
	static const uint8_t zeros[DIGEST_MAX];

	for (enum bank b = 0; b < BANK_COUNT; b++)
		for (unsigned pcr = 0; banks & 1u << b && pcr < PCR_COUNT; pcr++)
			if (CAPPED_PCRS & 1u << pcr && !digest_extend(b, r->value[b][pcr], zeros))
				return false;
	return true;
}

bool
tails_apply(struct replay *r, const struct tails *t)
{
	return add_tail(r, t->exit_boot) && add_tail(r, t->phases) && cap(r, t->capped);
}

/* Does the log with these tails give that digest? e says why not. */
static bool
fits(const struct replay *r, const struct tails *t, const struct selection *sel, enum bank scheme,
    const uint8_t *want, size_t want_len, struct error *e)
{
	struct replay with = *r;
	uint8_t is[DIGEST_MAX];
	size_t len;

	if (!tails_apply(&with, t))
		return err_set(e, ERR_CRYPTO, "constant tails");
	if (!replay_digest(&with, sel, scheme, is, &len, e))
		return false;
	return (len == want_len && same_bytes(is, want, len)) ||
	    err_set(e, ERR_MISMATCH, "its PCRs have another digest than the quoted one");
}

/* Is this PCR selected in a bank in which the log extends it? Else its tail changes nothing. */
static bool
matters(const struct replay *r, const struct selection *sel, unsigned pcr)
{
	enum bank b;

	for (unsigned i = 0; i < sel->count; i++)
		if (bank_of_alg(sel->bank[i].alg, &b) && sel->bank[i].pcrs & r->extended[b] & 1u << pcr)
			return true;
	return false;
}

static uint8_t
banks_of(const struct selection *sel)
{
	uint8_t banks = 0;
	enum bank b;

	for (unsigned i = 0; i < sel->count; i++)
		if (bank_of_alg(sel->bank[i].alg, &b))
			banks |= (uint8_t)(1u << b);
	return banks;
}

unsigned
tails_sets(const struct replay *r, const struct selection *sel, struct tails out[static TAILS_SETS_MAX])
{
	size_t exits = matters(r, sel, PCR_EXIT_BOOT) ? COUNT(exit_boot) : 0;
	size_t words = matters(r, sel, PCR_PHASES) ? COUNT(phases) : 0;
	uint8_t capped = r->dropped & banks_of(sel);
	unsigned n = 0;

	for (unsigned c = 0; c <= (capped ? 1u : 0u); c++)
		for (size_t x = 0; x <= exits; x++)
			for (size_t w = 0; w <= words; w++)
				if (!w || phases[w - 1].from == r->phase)
					out[n++] = (struct tails){ x ? &exit_boot[x - 1] : NULL, w ? &phases[w - 1] : NULL, c ? capped : 0 };
	return n;
}

bool
tails_find(const struct replay *r, const struct selection *sel, enum bank scheme, const uint8_t *pcr_digest,
    size_t len, struct tails *out, struct error *e)
{
	struct tails sets[TAILS_SETS_MAX];
	unsigned n = tails_sets(r, sel, sets);

	*out = (struct tails){ .capped = 0 };
	for (unsigned i = 0; i < n; i++) {
		if (fits(r, &sets[i], sel, scheme, pcr_digest, len, e)) {
			*out = sets[i];
			return true;
		}
		if (e->code != ERR_MISMATCH)
			return false;
	}
	return false;
}

bool
pcr_values_read(const void *p, size_t len, const struct selection *sel, enum bank scheme, const uint8_t *pcr_digest,
    size_t digest_len, struct pcr_values *out, struct error *e)
{
	struct reader r = rd_open(p, len);
	struct pcr_values all = { .there = { 0 } };
	uint8_t is[DIGEST_MAX];

	for (unsigned i = 0; i < sel->count; i++) {
		enum bank b;

		if (!bank_of_alg(sel->bank[i].alg, &b))
			return err_set(e, ERR_FORMAT, "PCR values: algorithm 0x%04x: unknown bank", sel->bank[i].alg);
		all.there[b] |= sel->bank[i].pcrs;
		for (unsigned pcr = 0; pcr < PCR_COUNT; pcr++)
			if (sel->bank[i].pcrs & 1u << pcr)
				rd_copy(&r, all.value[b][pcr], bank_size(b), "PCR value");
	}
	if (!rd_end(&r, e))
		return err_in(e, "PCR values");
	if (!digest(scheme, p, len, is))
		return err_set(e, ERR_CRYPTO, "%s", bank_word(scheme));
	if (digest_len != bank_size(scheme) || !same_bytes(is, pcr_digest, digest_len))
		return err_set(e, ERR_MISMATCH, "PCR values: not those that were quoted");
	*out = all;
	return true;
}

void
replay_states_held(const struct replay *r, const struct selection *sel, struct replay_states *out)
{
	*out = (struct replay_states){ .differs = { 0 } };
	for (unsigned i = 0; i < sel->count; i++) {
		enum bank b;

		if (!bank_of_alg(sel->bank[i].alg, &b))
			continue;
		for (unsigned pcr = 0; pcr < PCR_COUNT; pcr++)
			if (sel->bank[i].pcrs & 1u << pcr)
				out->state[b][pcr] = r->extended[b] & 1u << pcr ? PCR_VERIFIED : PCR_NOT_LOGGED;
	}
}

/* Which of these, extended after what the log gives, leads to the value? */
static bool
find_tail(const uint8_t *from, const uint8_t *want, enum bank b, unsigned phase, const struct tail *list, size_t n,
    const struct tail **found, struct error *e)
{
	for (size_t i = 0; i < n; i++) {
		uint8_t value[DIGEST_MAX];

		if (list[i].from != phase)
			continue;
		memcpy(value, from, sizeof(value));
		if (!extend_words(b, value, &list[i]))
			return err_set(e, ERR_CRYPTO, "constant tails");
		if (same_bytes(value, want, bank_size(b))) {
			*found = &list[i];
			break;
		}
	}
	return true;
}

static bool
is_capped(const uint8_t *from, const uint8_t *want, enum bank b)
{
	static const uint8_t zeros[DIGEST_MAX];
	uint8_t value[DIGEST_MAX];

	memcpy(value, from, sizeof(value));
	return digest_extend(b, value, zeros) && same_bytes(value, want, bank_size(b));
}

static bool
compare_one(const struct replay *r, enum bank b, unsigned pcr, const uint8_t *want, struct replay_states *s, struct error *e)
{
	const uint8_t *from = r->value[b][pcr];
	const struct tail *exits = NULL, *words = NULL;
	bool logged = r->extended[b] & 1u << pcr, same = same_bytes(from, want, bank_size(b));

	if (!same && r->dropped & 1u << b && CAPPED_PCRS & 1u << pcr && is_capped(from, want, b)) {
		s->tails.capped |= (uint8_t)(1u << b);
		same = true;
	}
	if (!same && logged && pcr == PCR_EXIT_BOOT && !find_tail(from, want, b, 0, exit_boot, COUNT(exit_boot), &exits, e))
		return false;
	if (!same && logged && pcr == PCR_PHASES && !find_tail(from, want, b, r->phase, phases, COUNT(phases), &words, e))
		return false;
	if (exits)
		s->tails.exit_boot = exits;
	if (words)
		s->tails.phases = words;
	same = same || exits || words;
	s->state[b][pcr] = !logged ? PCR_NOT_LOGGED : same ? PCR_VERIFIED : PCR_MISMATCH;
	if (!same)
		s->differs[b] |= 1u << pcr;
	return true;
}

bool
replay_states_compare(const struct replay *r, const struct pcr_values *v, struct replay_states *out, struct error *e)
{
	struct replay_states s = { .differs = { 0 } };

	for (enum bank b = 0; b < BANK_COUNT; b++)
		for (unsigned pcr = 0; pcr < PCR_COUNT; pcr++)
			if (v->there[b] & 1u << pcr && !compare_one(r, b, pcr, v->value[b][pcr], &s, e))
				return false;
	*out = s;
	return true;
}
