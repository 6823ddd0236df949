#include <stdlib.h>
#include <string.h>
#include "composite.h"
#include "scope.h"

void
composite_free(struct composite *c)
{
	free(c->values);
	*c = (struct composite){ .nsets = 0 };
}

/* Sizes and slots: banks in the order of the selection, their PCRs rising. */
static bool
lay_out(struct composite *c, uint32_t pcrs, struct error *e)
{
	const struct selection *s = &c->quote->selection;

	if (!s->count || s->count > TPM_SELECTIONS_MAX)
		return err_set(e, ERR_FORMAT, "a selection of %u banks", s->count);
	for (unsigned i = 0; i < s->count; i++) {
		unsigned index = 0;
		enum bank b;

		if (!bank_of_alg(s->bank[i].alg, &b))
			return err_set(e, ERR_FORMAT, "algorithm 0x%04x: unknown bank", s->bank[i].alg);
		for (unsigned pcr = 0; pcr < PCR_COUNT; pcr++) {
			bool ours = pcrs & 1u << pcr;

			if (s->bank[i].pcrs & 1u << pcr) {
				if (ours) {
					c->banks |= (uint8_t)(1u << b);
					c->slot[c->nslots].bank = b;
					c->slot[c->nslots].index = index;
					c->slot[c->nslots++].at = c->size;
				}
				c->size += bank_size(b);
			}
			index += ours;
		}
	}
	return c->nslots || err_set(e, ERR_MISSING, "the quote covers no PCR that IMA extends");
}

static void
put_values(const struct replay *r, const struct selection *s, uint8_t *at)
{
	for (unsigned i = 0; i < s->count; i++) {
		enum bank b;

		if (!bank_of_alg(s->bank[i].alg, &b))
			continue;
		for (unsigned pcr = 0; pcr < PCR_COUNT; pcr++)
			if (s->bank[i].pcrs & 1u << pcr) {
				memcpy(at, r->value[b][pcr], bank_size(b));
				at += bank_size(b);
			}
	}
}

bool
composite_open(struct composite *c, const struct replay *boot, const struct quote *quote, enum bank scheme, uint32_t pcrs,
    struct error *e)
{
	unsigned all;

	c->boot = *boot;
	c->quote = quote;
	c->scheme = scheme;
	if (boot->registers != REGISTERS_PCR)
		return err_set(e, ERR_MISMATCH, "a confidential VM's log (CCEL): its registers are not a TPM's");
	if (!lay_out(c, pcrs, e))
		return false;
	all = tails_sets(boot, &quote->selection, c->set);
	for (unsigned i = 0; i < all; i++)      /* a bank that Windows capped has no list of Linux's */
		if (!c->set[i].capped)
			c->set[c->nsets++] = c->set[i];
	c->values = malloc(c->nsets * c->size);
	if (!c->values)
		return err_set(e, ERR_MEMORY, "PCR values");
	for (unsigned i = 0; i < c->nsets; i++) {
		struct replay with = *boot;

		if (!tails_apply(&with, &c->set[i]))
			return err_set(e, ERR_CRYPTO, "constant tails");
		put_values(&with, &quote->selection, c->values + i * c->size);
	}
	return true;
}

/* One way for each bank. */
struct choice { unsigned way[BANK_COUNT]; };

/* Two ways that give the same values are one. */
static bool
same_way(const struct ima_position *p, enum bank b, unsigned one, unsigned two)
{
	for (unsigned k = 0; k < p->npcrs; k++)
		if (memcmp(p->value[b][k][one], p->value[b][k][two], bank_size(b)) != 0)
			return false;
	return true;
}

/* Is it possible, and unlike all before it? */
static bool
worth(const struct ima_position *p, enum bank b, unsigned way)
{
	if (!(p->ways[b] & 1u << way))
		return false;
	for (unsigned before = 0; before < way; before++)
		if (p->ways[b] & 1u << before && same_way(p, b, before, way))
			return false;
	return true;
}

static bool
first_from(const struct ima_position *p, enum bank b, unsigned from, unsigned *way)
{
	for (*way = from; *way < IMA_WAY_COUNT; ++*way)
		if (worth(p, b, *way))
			return true;
	return false;
}

/* False: the quote covers a bank in which the position has no value. */
static bool
first_choice(const struct ima_position *p, uint8_t banks, struct choice *c)
{
	for (enum bank b = 0; b < BANK_COUNT; b++)
		if (banks & 1u << b && !first_from(p, b, 0, &c->way[b]))
			return false;
	return true;
}

/* As one counts: false behind the last. */
static bool
next_choice(const struct ima_position *p, uint8_t banks, struct choice *c)
{
	for (enum bank b = 0; b < BANK_COUNT; b++) {
		if (!(banks & 1u << b))
			continue;
		if (first_from(p, b, c->way[b] + 1, &c->way[b]))
			return true;
		(void)first_from(p, b, 0, &c->way[b]);
	}
	return false;
}

static void
narrow(struct ima_position *p, uint8_t banks, const struct choice *c)
{
	for (enum bank b = 0; b < BANK_COUNT; b++)
		for (unsigned way = 0; way < IMA_WAY_COUNT; way++)
			if (banks & 1u << b && p->ways[b] & 1u << way && !same_way(p, b, c->way[b], way))
				p->ways[b] &= (uint8_t)~(1u << way);
}

bool
composite_matches(struct composite *c, struct hashers *h, struct ima_position *p, struct tails *tails, bool *yes, uint64_t *work,
    struct error *e)
{
	const struct quote *q = c->quote;
	struct choice choice;
	uint8_t is[DIGEST_MAX];

	*yes = false;
	if (!first_choice(p, c->banks, &choice))
		return true;
	do
		for (unsigned i = 0; i < c->nsets; i++) {
			uint8_t *values = c->values + i * c->size;

			for (unsigned k = 0; k < c->nslots; k++)
				memcpy(values + c->slot[k].at, p->value[c->slot[k].bank][c->slot[k].index][choice.way[c->slot[k].bank]],
				    bank_size(c->slot[k].bank));
			*work += 1 + c->size / 1024;
			if (!hashers_digest(h, c->scheme, values, c->size, is))
				return err_set(e, ERR_CRYPTO, "%s", bank_word(c->scheme));
			if (q->pcr_digest_len != bank_size(c->scheme) || memcmp(is, q->pcr_digest, q->pcr_digest_len) != 0)
				continue;
			*yes = true;
			*tails = c->set[i];
			narrow(p, c->banks, &choice);
			return true;
		}
	while (next_choice(p, c->banks, &choice));
	return true;
}

bool
composite_values(const struct composite *c, uint32_t pcrs, const struct ima_position *p, const struct tails *t, struct replay *out)
{
	*out = c->boot;
	if (!tails_apply(out, t))
		return false;
	for (enum bank b = 0; b < BANK_COUNT; b++) {
		unsigned way = 0, k = 0;

		while (way < IMA_WAY_COUNT && !(p->ways[b] & 1u << way))
			way++;
		for (unsigned pcr = 0; way < IMA_WAY_COUNT && pcr < PCR_COUNT; pcr++)
			if (pcrs & 1u << pcr) {
				memcpy(out->value[b][pcr], p->value[b][k++][way], DIGEST_MAX);
				out->extended[b] |= 1u << pcr;
			}
	}
	return true;
}
