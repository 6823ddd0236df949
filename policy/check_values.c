/* A host without a usable log: judged by raw values of PCRs, where an approver and the policy let it. */
#include <stdio.h>
#include <string.h>
#include "hex.h"
#include "rules.h"
#include "scope.h"
#include "tails.h"
#include "verdict.h"

const char *
evidence_class_word(enum evidence_class c)
{
	static const char *const words[] = {
#define X(name, word) word,
		EVIDENCE_CLASSES(X)
#undef X
	};

	return (unsigned)c < CLASS_COUNT ? words[c] : "unknown";
}

struct value_case {
	const struct known_set *sets;
	unsigned                nsets;
	struct pcr_values       values;
	enum bank               bank;
	uint32_t                pcrs;           /* that are judged */
	struct verdict         *verdict;
};

bool
verdict_values(struct verdict *v, const struct boot_evidence *ev, const struct quote *q, enum bank scheme, struct pcr_values *out,
    struct error *e)
{
	if (!ev->pcr_values.there || !ev->pcr_values.len)
		return err_set(e, ERR_MISSING, "no values came");
	if (!pcr_values_read(ev->pcr_values.p, ev->pcr_values.len, &q->selection, scheme, q->pcr_digest, q->pcr_digest_len, out, e))
		return false;
	if (q->selection.count == 1 && ev->pcr_values.len <= sizeof(v->values)) {
		v->values_len = (uint16_t)ev->pcr_values.len;
		memcpy(v->values, ev->pcr_values.p, ev->pcr_values.len);
	}
	return true;
}

bool
values_as_boot(const struct boot_evidence *ev, const struct quote *q, enum bank scheme, uint32_t ima_pcrs, struct replay *out)
{
	struct pcr_values values;
	struct error e;

	if (!ev->pcr_values.there || !ev->pcr_values.len || !pcr_values_read(ev->pcr_values.p, ev->pcr_values.len, &q->selection,
	    scheme, q->pcr_digest, q->pcr_digest_len, &values, &e))
		return false;
	*out = (struct replay){ .registers = REGISTERS_PCR };
	for (enum bank b = 0; b < BANK_COUNT; b++) {
		out->extended[b] = values.there[b] & ~ima_pcrs;
		for (unsigned pcr = 0; pcr < PCR_COUNT; pcr++)
			if (out->extended[b] & 1u << pcr)
				memcpy(out->value[b][pcr], values.value[b][pcr], bank_size(b));
	}
	return true;
}

/* PCRs of this component that are judged. */
static uint32_t
judged_pcrs(const struct value_case *c, unsigned component)
{
	return component_pcrs((enum component)component) & c->pcrs;
}

/* How many of the values of this component differ from the set's; its first PCR that does. */
static unsigned
differing(const struct value_case *c, const struct reference_set *set, unsigned component, const struct set_entry **first)
{
	uint32_t left = judged_pcrs(c, component);
	unsigned differs = 0;

	for (unsigned i = 0; i < set->count; i++) {
		const struct set_entry *x = &set->entry[i];

		if (!(left & 1u << x->pcr))
			continue;
		left &= ~(1u << x->pcr);
		if (!memcmp(x->digest, c->values.value[c->bank][x->pcr], bank_size(c->bank)))
			continue;
		if (!differs++ && first)
			*first = x;
	}
	for (; left; left &= left - 1)          /* of what the set does not know */
		differs++;
	return differs;
}

static bool
counts(const struct value_case *c, const struct known_set *s, unsigned component)
{
	return s->set.values && s->set.bank == c->bank && s->set.parts & 1u << component && (!s->set.host_only || s->own_host);
}

/* Which active set has all of this component's values, or NULL. */
static const struct known_set *
known_in(const struct value_case *c, unsigned component)
{
	for (unsigned i = 0; i < c->nsets; i++)
		if (c->sets[i].active && counts(c, &c->sets[i], component) && !differing(c, &c->sets[i].set, component, NULL))
			return &c->sets[i];
	return NULL;
}

static const struct known_set *
nearest_in(const struct value_case *c, unsigned component)
{
	const struct known_set *best = NULL;
	unsigned least = 0;

	for (unsigned i = 0; i < c->nsets; i++) {
		unsigned far;

		if (c->sets[i].revoked || !counts(c, &c->sets[i], component))
			continue;
		far = differing(c, &c->sets[i].set, component, NULL);
		if (!best || (c->sets[i].active && !best->active) || (c->sets[i].active == best->active && far < least)) {
			best = &c->sets[i];
			least = far;
		}
	}
	return best;
}

/* As with events: a set that is revoked as a whole stands when all of it does, else each of the revoked components. */
static const struct known_set *
revoked_in(const struct value_case *c)
{
	for (unsigned i = 0; i < c->nsets; i++) {
		const struct known_set *s = &c->sets[i];
		unsigned standing = 0, parts = 0;

		for (unsigned k = 0; s->revoked && k < COMPONENT_COUNT; k++)
			if (judged_pcrs(c, k) && counts(c, s, k)) {
				parts |= 1u << k;
				if (!differing(c, &s->set, k, NULL))
					standing |= 1u << k;
			}
		if (s->revoked_parts ? standing & s->revoked_parts : parts && standing == parts)
			return s;
	}
	return NULL;
}

static void
list_pcrs(uint32_t pcrs, char out[static 64])
{
	size_t at = 0;

	*out = '\0';
	for (unsigned pcr = 0; pcr < PCR_COUNT; pcr++)
		if (pcrs & 1u << pcr)
			at += (size_t)snprintf(out + at, 64 - at, "%s%u", at ? ", " : "", pcr);
}

static void
let_in(struct value_case *c, const struct known_set *const *from, enum reason why)
{
	struct verdict *v = c->verdict;
	char pcrs[64];

	list_pcrs(c->pcrs, pcrs);
	finding_say(finding_add(&v->findings, REASON_OK, SEVERITY_INFO, CLAIM_EXECUTABLES)->text,
	    "judged by the values of PCR %s alone (%s): boot loader, kernel and command line are not appraised", pcrs, reason_code(why));
	v->claim[CLAIM_HARDWARE] = v->claim[CLAIM_CONFIGURATION] = TRUST_GENUINE;
	v->claim[CLAIM_EXECUTABLES] = TRUST_WAIVED;
	v->reason = REASON_OK;
	for (unsigned i = 0; i < v->findings.count; i++)
		if (v->findings.list[i].code == REASON_KEXEC)
			v->reason = REASON_KEXEC;
	v->state = reason_state(v->reason);
	for (unsigned k = 0; k < COMPONENT_COUNT; k++) {
		size_t at = strlen(v->references);
		bool said = !from[k];

		for (unsigned before = 0; before < k; before++)
			said = said || from[before] == from[k];
		if (!said)
			snprintf(v->references + at, sizeof(v->references) - at, "%s%s", at ? " " : "", from[k]->label);
	}
	findings_lead(&v->findings, v->reason);
}

/* One component that no active set knows: what was expected, and what there is. */
static void
refuse_component(struct value_case *c, unsigned component)
{
	static const enum reason reasons[COMPONENT_COUNT] = { REASON_FIRMWARE_CHANGED, REASON_SECUREBOOT_CHANGED,
		REASON_BOOTLOADER_CHANGED, REASON_BOOT_CHANGED };
	const struct known_set *near = nearest_in(c, component);
	const struct set_entry *x = NULL;
	struct verdict *v = c->verdict;
	enum reason reason = near ? near->active ? reasons[component] : REASON_PENDING_APPROVAL : REASON_NO_REFERENCE;
	struct finding *f;

	if (near && !differing(c, &near->set, component, &x) && near->active)
		return;
	if (near && !near->active && differing(c, &near->set, component, &x))
		reason = REASON_NO_REFERENCE;
	f = verdict_refuse(v, reason, component == COMPONENT_FIRMWARE ? CLAIM_HARDWARE : CLAIM_CONFIGURATION);
	f->severity = SEVERITY_UNKNOWN;
	if (near)
		snprintf(v->nearest, sizeof(v->nearest), "%s", near->label);
	if (!near || !x)
		return;
	f->pcr = x->pcr;
	hex_text(x->digest, bank_size(c->bank), f->expected);
	hex_text(c->values.value[c->bank][x->pcr], bank_size(c->bank), f->seen);
	finding_say(f->text, "%s: PCR %u has another value than in %s", reason_text(reason), x->pcr, near->label);
}

static void
judge(struct value_case *c, enum reason why)
{
	const struct known_set *from[COMPONENT_COUNT] = { NULL }, *revoked = revoked_in(c);
	struct finding *f;
	bool all = true;

	if (revoked) {
		f = verdict_refuse(c->verdict, REASON_REFERENCE_REVOKED, CLAIM_EXECUTABLES);
		finding_say(f->text, "%s: %s", reason_text(REASON_REFERENCE_REVOKED), revoked->label);
		snprintf(c->verdict->nearest, sizeof(c->verdict->nearest), "%s", revoked->label);
		return;
	}
	for (unsigned k = 0; k < COMPONENT_COUNT; k++)
		if (judged_pcrs(c, k) && !(from[k] = known_in(c, k)))
			all = false;
	if (all) {
		let_in(c, from, why);
		return;
	}
	for (unsigned k = COMPONENT_COUNT; k-- > 0;)    /* the last one said is the main one */
		if (judged_pcrs(c, k) && !from[k])
			refuse_component(c, k);
	findings_lead(&c->verdict->findings, c->verdict->reason);
}

/* Why nothing is judged by values: the log's own reason leads, and what would have to change follows. */
static void
refuse(struct verdict *v, enum reason reason, enum reason why, const char *words)
{
	struct finding *f = verdict_refuse(v, reason, CLAIM_EXECUTABLES);

	finding_say(f->text, "%s%s%s; %s", reason_text(reason), reason == why ? "" : ": ", reason == why ? "" : reason_text(why), words);
	findings_lead(&v->findings, reason);
}

/* The rule's own findings say what is wrong. */
static void
refuse_rule(struct verdict *v, enum reason rule)
{
	v->reason = rule;
	v->state = reason_state(rule);
	findings_lead(&v->findings, rule);
}

/* What the policy wants of a host that cannot be told without a log; NULL: nothing. */
static const char *
demands_log(const struct policy *p, const struct boot_evidence *ev, uint32_t pcrs)
{
	/* A list is judged beside the values, and whoever has not looked at it has not judged it. */
	if (p->ima_judged && !ev->ima)
		return "the policy of its group judges IMA";
	if (p->require_lockdown)
		return "the policy of its group wants lockdown, which cannot be told without a log";
	if (p->secure_boot.required && !(pcrs & component_pcrs(COMPONENT_SECUREBOOT)))
		return "the policy of its group wants Secure Boot, which cannot be told of the firmware alone";
	return NULL;
}

void
appraise_values(const struct boot_evidence *ev, const struct quote *q, enum bank scheme, const struct host_facts *host,
    const struct policy *policy, const struct known_set *sets, unsigned nsets, enum reason why, struct verdict *v)
{
	struct value_case c = { .sets = sets, .nsets = nsets < SETS_MAX ? nsets : SETS_MAX, .bank = BANK_SHA256, .verdict = v };
	struct rules_case rules = { .policy = policy, .quote = q, .host = host, .values = &c.values };
	struct error e = { .code = ERR_NONE };
	const char *demand;
	enum reason rule;
	bool quoted;

	for (unsigned i = q->selection.count; i-- > 0;)
		if (q->selection.bank[i].alg != bank_alg(BANK_SHA1))
			(void)bank_of_alg(q->selection.bank[i].alg, &c.bank);
	rules.bank = c.bank;
	quoted = verdict_values(v, ev, q, scheme, &c.values, &e);
	if (policy->no_log == NO_LOG_REFUSE) {
		refuse(v, why, why, "the policy of its group refuses such hosts (no_log)");
		return;
	}
	c.pcrs = policy->no_log == NO_LOG_PINS ? pinned_pcrs() : pinned_pcrs() & component_pcrs(COMPONENT_FIRMWARE);
	demand = demands_log(policy, ev, c.pcrs);
	if (demand)
		refuse(v, why, why, demand);
	else if (!quoted)
		refuse(v, REASON_PCRS_UNPROVEN, why, e.why);
	else if (c.pcrs & ~c.values.there[c.bank])
		refuse(v, why, why, "the policy does not ask for the PCRs that would be judged by value");
	else if (rules_judge_unlogged(&rules, v, &rule))
		judge(&c, why);
	else
		refuse_rule(v, rule);
}
