/* verifierd-setup: runs once before the other roles, as the daemon's user, and makes what is not there yet. */
#include <sys/stat.h>
#include "clock.h"
#include "file.h"
#include "keys.h"
#include "log.h"
#include "pki.h"
#include "roles.h"
#include "sandbox.h"
#include "scope.h"

static bool
folder(const char *path, struct error *e)
{
	return mkdir(path, 0700) == 0 || errno == EEXIST || err_errno(e, "%.150s", path);
}

static bool
folders(const char *state_dir, struct error *e)
{
	static const char *const below[] = { "tls", "keys", "logs" };
	char path[OPTION_PATH + 16];

	if (!folder(state_dir, e))
		return false;
	for (unsigned i = 0; i < COUNT(below); i++) {
		snprintf(path, sizeof(path), "%s/%s", state_dir, below[i]);
		if (!folder(path, e))
			return false;
		file_sweep(path);
	}
	return true;
}

static bool
tls(const struct options *o, struct error *e)
{
	char dir[OPTION_PATH + 8], secret[OPTION_PATH + 8];

	if (!options_own_tls(o))
		return true;
	snprintf(dir, sizeof(dir), "%s/tls", o->state_dir);
	snprintf(secret, sizeof(secret), "%s/keys", o->state_dir);
	return pki_prepare(dir, secret, o->names, clock_now().wall, e);
}

/*
 * Opening makes the schema, or brings it up to date, before anybody serves. A backup that was put back does
 * not know which challenges were used after it was made: those of an earlier start are void. Hosts that held
 * one ask again by themselves.
 */
static bool
store(const struct options *o, struct error *e)
{
	own(store) struct store *s = NULL;

	return store_open(o->store, &s, e) && store_challenge_keys_void(s, e);
}

int
main(int argc, char **argv)
{
	struct error e = { .code = ERR_NONE };
	struct role_start s;
	struct options o;

	role_begin(argc, argv, "verifierd-setup", false, &s);
	umask(077);
	if (options_read(s.conf, &o, &e) && folders(o.state_dir, &e) && sandbox_enter(ROLE_SETUP, &s, &o, &e) &&
	    tls(&o, &e) && keys_make(o.state_dir, &e) &&
	    store(&o, &e)) {
		role_ready();
		return 0;
	}
	log_say(LOG_ERR, "%s", e.why);
	return 1;
}
