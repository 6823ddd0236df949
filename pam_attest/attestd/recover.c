#include <string.h>
#include "recover.h"

static int64_t
pause_of(unsigned failures)
{
	int64_t ms = GUESS_FIRST_MS;

	if (failures <= GUESSES_FREE)
		return 0;
	for (failures -= GUESSES_FREE + 1; failures && ms < GUESS_LAST_MS; failures--)
		ms *= 2;
	return ms < GUESS_LAST_MS ? ms : GUESS_LAST_MS;
}

static bool
load(const char *dir, struct recovery_kept *k, struct error *e)
{
	if (state_load_recovery(dir, k, e))
		return true;
	return e->code != ERR_MISSING ? false : err_set(e, ERR_MISSING,
	    "this host has no key for recovery codes yet: attestd fetches it when it next reaches the verifier");
}

/* Kept before it is told: to end attestd is no way to more guesses. */
static void
wrong(const char *dir, struct guesses *g, struct recovery_kept *k, int64_t now)
{
	struct error ignored;

	k->failures += k->failures < UINT16_MAX;
	(void)!state_save_recovery(dir, k, &ignored);
	g->not_before = now + pause_of(k->failures);
}

static bool
take(const char *dir, struct guesses *g, bool root, const char *typed, int64_t now, struct recovery_kept *k,
    struct recovery *out, struct error *e)
{
	struct recovery q;

	if (!g->counted && k->failures)
		g->not_before = now + pause_of(k->failures);
	g->counted = true;
	if (!root && now < g->not_before)
		return err_set(e, ERR_TIMEOUT, "too many wrong codes: try again in %lld s, or as root",
		    (long long)(g->not_before - now + 999) / 1000);
	if (!recovery_read(k->key, k->host_id, typed, &q, e)) {
		if (e->code == ERR_REFUSED && !root)
			wrong(dir, g, k, now);
		return false;
	}
	if (q.sequence <= k->sequence) {
		if (!root)
			wrong(dir, g, k, now);
		return err_set(e, ERR_REFUSED, "this code, or one that was made after it, has been used or ended");
	}
	k->sequence = q.sequence;
	k->failures = 0;
	if (!state_save_recovery(dir, k, e))
		return false;
	g->not_before = 0;
	*out = q;
	return true;
}

bool
recover_take(const char *dir, struct guesses *g, bool root, const char *typed, int64_t now, struct recovery *out, struct error *e)
{
	struct recovery_kept k;
	bool good;

	if (!load(dir, &k, e))
		return false;
	good = take(dir, g, root, typed, now, &k, out, e);
	explicit_bzero(&k, sizeof(k));
	return good;
}

bool
recover_void(const char *dir, uint32_t sequence, struct error *e)
{
	struct recovery_kept k;
	bool good;

	if (!sequence)
		return true;
	if (!state_load_recovery(dir, &k, e))
		return e->code == ERR_MISSING;
	good = sequence <= k.sequence;
	if (!good) {
		k.sequence = sequence;
		good = state_save_recovery(dir, &k, e);
	}
	explicit_bzero(&k, sizeof(k));
	return good;
}
