/* attestctl enroll, unenroll: make this host known to a verifier, and end that. */
#include "ask.h"
#include "file.h"
#include "scope.h"

enum { ENROLL_MS = 34000, OWNER_AUTH_FILE_MAX = 64, CA_FILE_MAX = 64 << 10 };

/* A copy in run_dir: what lies in a home or in /tmp is not there for attestd. Gives an exit code. */
static int
offer_ca(const struct ctl *ctl, const char *file, char path[static GATE_PATH_MAX + 16], struct error *e)
{
	own(mem) uint8_t *pem = NULL;
	struct gate_conf conf;
	size_t len;

	ctl_conf(ctl, "", &conf);
	snprintf(path, GATE_PATH_MAX + 16, "%s/ca.offered", conf.run_dir);
	if (!file_load(file, CA_FILE_MAX, &pem, &len, e))
		return EXIT_USAGE;
	if (access(conf.run_dir, W_OK) < 0 && errno != ENOENT)
		return err_set(e, ERR_SYSTEM, "permission denied"), EXIT_PERMISSION;
	/* Without the folder there is no attestd either, and the question says so. */
	if (!file_replace(path, pem, len, 0644, false, e) && !access(conf.run_dir, F_OK))
		return EXIT_CONTRAINDICATED;
	return EXIT_GOOD;
}

/* The secret goes by the socket, never by the command line, which everybody may read. */
static bool
put_owner_auth(struct local_out *o, const char *file, struct error *e)
{
	uint8_t *text;
	size_t len;

	if (!file_load(file, OWNER_AUTH_FILE_MAX, &text, &len, e))
		return false;
	text[strcspn((const char *)text, "\n")] = '\0';
	local_put(o, "owner_auth", (const char *)text);
	explicit_bzero(text, len);
	free(text);
	return true;
}

static int
finish(const struct ctl *ctl, const struct told *t)
{
	if (!t->ok)
		return ctl_refused(ctl, t, EXIT_CONTRAINDICATED);
	if (ctl->json && !ctl->quiet)
		printf("{\"schema\":1,\"host\":\"%s\",\"enrollment\":\"%s\"}\n", t->ref, t->reason == REASON_OK ? "active" : "pending");
	else if (!ctl->quiet && t->reason == REASON_OK)
		printf("%s is enrolled\n", t->ref);
	else if (!ctl->quiet)
		printf("%s waits for an administrator: verifierctl approve %s\n"
		    "attestd goes on by itself once it is approved\n", t->ref, t->ref);
	return EXIT_GOOD;
}

int
cmd_enroll(const struct ctl *ctl, int argc, char **argv)
{
	const char *url = NULL, *ca = NULL, *sha256 = NULL, *token = NULL, *name = NULL, *owner = NULL;
	const struct ctl_option options[] = {
		{ "--url",        &url,    "URL",   "the verifier, https://HOST:PORT" },
		{ "--ca",         &ca,     "FILE",  "its CA" },
		{ "--ca-sha256",  &sha256, "HEX",   "or the SHA-256 of its CA's certificate" },
		{ "--token",      &token,  "TOKEN", "admits the host without an administrator's approval" },
		{ "--name",       &name,   "NAME",  "instead of the host's own name" },
		{ "--owner-auth", &owner,  "FILE",  "the TPM's owner password is its first line" },
	};
	own(told) struct told told = { 0 };
	struct error e = { .code = ERR_NONE };
	struct local_out o;
	char offered[GATE_PATH_MAX + 16];
	int code;

	if (!ctl_options(ctl, argc, argv, options, COUNT(options), NULL))
		return EXIT_USAGE;
	if (!url || !ca == !sha256)
		return ctl_wrong(ctl, EXIT_USAGE, "wants --url and one of --ca FILE, --ca-sha256 HEX");
	local_open(&o);
	local_put(&o, "verb", "enroll");
	local_put_number(&o, "wait_ms", ENROLL_MS);
	local_put(&o, "url", url);
	if (sha256)
		local_put(&o, "ca_sha256", sha256);
	if (token)
		local_put(&o, "token", token);
	if (name)
		local_put(&o, "name", name);
	if (owner && !put_owner_auth(&o, owner, &e))
		return ctl_wrong(ctl, EXIT_USAGE, "%s", e.why);
	if (ca) {
		code = offer_ca(ctl, ca, offered, &e);
		if (code != EXIT_GOOD)
			return ctl_wrong(ctl, code, "%s", e.why);
		local_put(&o, "ca", offered);
	}
	code = ctl_ask(ctl, &o, ENROLL_MS + 1000, &told);
	explicit_bzero(&o, sizeof(o));
	if (ca)
		unlink(offered);
	return code == EXIT_GOOD ? finish(ctl, &told) : code;
}

/* --- unenroll */

struct enforced { const struct ctl *ctl; char list[256]; };

static void
take_service(void *arg, const char *service)
{
	struct enforced *f = arg;
	struct gate_conf c;

	ctl_conf(f->ctl, service, &c);
	if (c.mode == MODE_ENFORCE && !gate_list_has(f->list, service) && strlen(f->list) + strlen(service) + 2 < sizeof(f->list))
		snprintf(f->list + strlen(f->list), sizeof(f->list) - strlen(f->list), "%s%s", f->list[0] ? " " : "", service);
}

int
cmd_unenroll(const struct ctl *ctl, int argc, char **argv)
{
	const char *owner = NULL, *yes = NULL;
	const struct ctl_option options[] = {
		{ "--owner-auth", &owner, "FILE", "the TPM's owner password is its first line" },
		{ "--yes",        &yes,   NULL,   "though services are enforced, and will refuse everybody" },
	};
	own(told) struct told told = { 0 };
	struct enforced f = { .ctl = ctl };
	struct error e = { .code = ERR_NONE };
	struct local_out o;
	int code;

	if (!ctl_options(ctl, argc, argv, options, COUNT(options), NULL))
		return EXIT_USAGE;
	if (!yes && gate_conf_services(ctl->conf, take_service, &f, &e) && f.list[0])
		return ctl_wrong(ctl, EXIT_USAGE, "%s: enforced, and would refuse everybody. Next: attestctl audit %.*s; or --yes", f.list,
		    (int)strcspn(f.list, " "), f.list);
	local_open(&o);
	local_put(&o, "verb", "unenroll");
	local_put_number(&o, "wait_ms", ENROLL_MS);
	if (owner && !put_owner_auth(&o, owner, &e))
		return ctl_wrong(ctl, EXIT_USAGE, "%s", e.why);
	code = ctl_ask(ctl, &o, ENROLL_MS + 1000, &told);
	explicit_bzero(&o, sizeof(o));
	if (code != EXIT_GOOD)
		return code;
	if (!told.ok)
		return ctl_refused(ctl, &told, EXIT_CONTRAINDICATED);
	if (ctl->json && !ctl->quiet)
		puts("{\"schema\":1,\"enrollment\":\"none\"}");
	else if (!ctl->quiet)
		puts("this host has forgotten its verifier and its key. Where the verifier runs: verifierctl remove HOST --reason TEXT");
	return EXIT_GOOD;
}
