#include "file.h"
#include "publish.h"
#include "scope.h"

/* How long a refusal counts before it is written again; a gate that finds it expired asks. */
/* Orders give spans: so near to each other, two ends are one. */
enum { NEGATIVE_LIFE_MS = 15 * 60 * 1000, CEILING_SLACK_MS = 60 * 1000 };

/* Does the record that gates read now refuse this host? */
static bool
refuses(const char *path)
{
	own(mem) uint8_t *text = NULL;
	struct error e;
	struct record r;
	size_t len;

	return file_load(path, RECORD_MAX, &text, &len, &e) && record_parse((const char *)text, len, &r, &e) &&
	    r.state == STATE_CONTRAINDICATED;
}

/* An old permit must not outlive the news that could not be written; an old refusal is better than none. */
static void
withdraw_permit(const struct agent *a)
{
	char path[PATH_TEXT + 32];

	snprintf(path, sizeof(path), "%s/verdict", a->opt->run_dir);
	if (!refuses(path))
		unlink(path);
}

static bool
write_record(struct agent *a, struct error *e)
{
	char path[PATH_TEXT + 32], text[RECORD_MAX];
	size_t len;

	snprintf(path, sizeof(path), "%s/verdict", a->opt->run_dir);
	if (record_format(&a->record, text, sizeof(text), &len, e) && file_replace(path, text, len, 0644, false, e))
		return true;
	withdraw_permit(a);
	return false;
}

static void
add_upstream(struct agent *a, bool out)
{
	struct record *r = &a->record;

	if (out && !r->upstream_out)
		r->upstream_since_wall = clock_now().wall;
	if (!out)
		r->upstream_since_wall = 0;
	r->upstream_out = out;
}

/* Is the last permit of this boot, or was its digest seen again in it? */
static bool
is_this_boot(const struct agent *a)
{
	return a->boot_id[0] && (!strcmp(a->good.record.boot_id, a->boot_id) || !strcmp(a->good.seen.boot_id, a->boot_id));
}

/* Gates go by the wall clock, which can be set back. The boot's own cannot: what has run out by that is over. */
static bool
grace_is_over(const struct agent *a)
{
	const struct kept *k = &a->good;
	int64_t now = clock_now().boot;

	if (!strcmp(k->record.boot_id, a->boot_id))
		return now - k->record.issued_boot >= k->record.grace_max;
	return k->seen.age + (now - k->seen.at) >= k->record.grace_max;
}

static void
add_good(struct agent *a)
{
	struct record *r = &a->record;

	if (!a->good.there || a->good.record.state != STATE_AFFIRMING)
		return;
	r->good_issued_wall = a->good.record.issued_wall;
	r->good_expires_wall = a->good.record.expires_wall;
	r->grace_max = a->good.record.grace_max;
	r->good_this_boot = is_this_boot(a) && !grace_is_over(a);
}

static void
set_life(struct record *r, const struct clock *from, int64_t life_ms)
{
	r->issued_boot = from->boot;
	r->expires_boot = from->boot + life_ms;
	r->issued_wall = from->wall;
	r->expires_wall = from->wall + life_ms;
	r->asleep = from->boot > from->mono ? from->boot - from->mono : 0;
}

static struct record
record_of(const struct agent *a, const struct result *res, const struct clock *asked)
{
	struct record r = {
		.state = res->state,
		.reason = res->reason[0],
		.ceiling = res->ceiling,
		.reset_count = res->reset_count,
		.restart_count = res->restart_count,
		.grace_max = res->grace_max,
	};
	int64_t life = res->expires_wall - res->issued_wall;

	strcpy(r.boot_id, a->boot_id);
	strcpy(r.ref, res->ref);
	strcpy(r.host, res->host);
	strcpy(r.policy, res->policy);
	strcpy(r.references, res->references);
	/* Counted from when the challenge was asked for, and never past what was signed. */
	set_life(&r, asked, life < RECORD_LIFETIME_MAX_MS ? life : RECORD_LIFETIME_MAX_MS);
	if (r.expires_wall > res->expires_wall && res->expires_wall > r.issued_wall)
		r.expires_wall = res->expires_wall;
	return r;
}

static bool
keep(struct agent *a, const struct result *res, const struct selection *s, struct error *e)
{
	const char *dir = a->opt->state_dir;
	struct kept k = { .there = true, .record = a->record, .selection = *s, .pcr_digest_len = res->pcr_digest_len,
		.tpm_clock = res->clock, .ceiling_then = res->ceiling_then };

	/* By this host's clock. */
	if (res->ceiling_until)
		k.ceiling_until = a->record.issued_wall + (res->ceiling_until > res->issued_wall ? res->ceiling_until - res->issued_wall : 1);

	memcpy(k.pcr_digest, res->pcr_digest, res->pcr_digest_len);
	if (res->state == STATE_CONTRAINDICATED) {
		a->negative = k;
		return kept_save(dir, KEPT_NEGATIVE, &k, e);
	}
	/* A newer signed permit, in this order: a kill in between leaves the refusal, not a gap. */
	if (!kept_save(dir, KEPT_GOOD, &k, e) || (res->state == STATE_AFFIRMING && !state_arm(dir, e)))
		return false;
	a->good = k;
	if (!kept_drop(dir, KEPT_NEGATIVE, e))
		return false;
	a->negative = (struct kept){ 0 };
	return true;
}

bool
publish_result(struct agent *a, const struct result *res, const char *jws, const struct selection *s,
    const struct clock *asked, struct error *e)
{
	char path[PATH_TEXT + 32];
	struct error second = { .code = ERR_NONE };
	bool kept;

	a->record = record_of(a, res, asked);
	/* The news is told even where it cannot be kept: a full disk must not leave an older permit standing. */
	kept = keep(a, res, s, e);
	add_good(a);
	snprintf(path, sizeof(path), "%s/result.jwt", a->opt->run_dir);
	if (write_record(a, kept ? e : &second) && file_replace(path, jws, strlen(jws), 0644, false, kept ? e : &second))
		return kept;
	return false;
}

/* A ceiling that was set for a while ends with it, also where no verifier can be asked: it is nobody's way to keep gates open. */
static void
end_ceiling(struct kept *k)
{
	if (!k->ceiling_until || clock_now().wall < k->ceiling_until)
		return;
	k->record.ceiling = k->ceiling_then;
	k->ceiling_until = 0;
}

/* The refusal that was kept, under this boot and with a new life. */
static void
republish_negative(struct agent *a)
{
	struct record was = a->record, r;
	struct clock now = clock_now();

	end_ceiling(&a->negative);
	r = a->negative.record;
	strcpy(r.boot_id, a->boot_id);
	set_life(&r, &now, NEGATIVE_LIFE_MS);
	r.upstream_out = was.upstream_out;
	r.upstream_since_wall = was.upstream_since_wall;
	a->record = r;
}

static void
no_verdict(struct agent *a, enum reason why)
{
	struct record r = { .state = reason_state(why), .reason = why, .ceiling = MODE_ENFORCE,
		.upstream_out = a->record.upstream_out, .upstream_since_wall = a->record.upstream_since_wall };

	end_ceiling(&a->good);
	if (a->good.there)
		r.ceiling = a->good.record.ceiling;
	strcpy(r.boot_id, a->boot_id);
	strcpy(r.host, a->id.name);
	a->record = r;
}

/* The verifier itself said no, without a signed result: kept like one. */
static bool
keep_refusal(struct agent *a, enum reason why, struct error *e)
{
	struct clock now = clock_now();

	no_verdict(a, why);
	set_life(&a->record, &now, NEGATIVE_LIFE_MS);
	a->negative = (struct kept){ .there = true, .record = a->record, .ceiling_until = a->good.ceiling_until,
		.ceiling_then = a->good.ceiling_then };
	return kept_save(a->opt->state_dir, KEPT_NEGATIVE, &a->negative, e);
}

bool
publish_failure(struct agent *a, enum reason why, struct error *e)
{
	struct clock now = clock_now();
	bool good_boot = a->good.there && !strcmp(a->good.record.boot_id, a->boot_id);
	bool out = why == REASON_BOOT_UNCONFIRMED || (reason_outage(why) && (reason_state(why) != STATE_BROKEN || good_boot));
	struct error second = { .code = ERR_NONE };
	bool kept = reason_state(why) != STATE_CONTRAINDICATED || keep_refusal(a, why, e);

	add_upstream(a, out);
	if (a->negative.there)
		republish_negative(a);
	else if (record_usable(&a->record, a->boot_id, &now) != REASON_OK)
		no_verdict(a, why);     /* a verdict that was signed for this boot counts until it expires */
	add_good(a);
	return write_record(a, kept ? e : &second) && kept;
}

static bool
same_end(int64_t a, int64_t b)
{
	return (!a && !b) || (a && b && (a < b ? b - a : a - b) < CEILING_SLACK_MS);
}

bool
publish_ceiling(struct agent *a, enum gate_mode ceiling, int64_t until, enum gate_mode then, struct error *e)
{
	bool same = a->record.ceiling == ceiling && same_end(a->good.ceiling_until, until);

	if (same && (!a->negative.there || (a->negative.record.ceiling == ceiling && same_end(a->negative.ceiling_until, until))))
		return true;
	a->record.ceiling = ceiling;
	/* What is published after an outage is made of these. */
	a->good.record.ceiling = a->negative.record.ceiling = ceiling;
	a->good.ceiling_until = a->negative.ceiling_until = until;
	a->good.ceiling_then = a->negative.ceiling_then = then;
	if (a->negative.there && !kept_save(a->opt->state_dir, KEPT_NEGATIVE, &a->negative, e))
		return false;
	return write_record(a, e);
}

bool
publish_start(struct agent *a, struct error *e)
{
	const char *dir = a->opt->state_dir;
	struct clock now = clock_now();

	if (!kept_load(dir, KEPT_GOOD, &a->good, e) || !kept_load(dir, KEPT_NEGATIVE, &a->negative, e)) {
		withdraw_permit(a);     /* this host may have been refused since: nobody can tell */
		return false;
	}
	no_verdict(a, a->id.active ? REASON_NOT_ATTESTED : a->id.pending ? REASON_ENROLLMENT_PENDING : REASON_NOT_ENROLLED);
	if (a->negative.there)
		republish_negative(a);
	else if (a->id.active && a->good.there && record_usable(&a->good.record, a->boot_id, &now) == REASON_OK)
		a->record = a->good.record;     /* a restart costs no login */
	add_good(a);
	return write_record(a, e);
}
