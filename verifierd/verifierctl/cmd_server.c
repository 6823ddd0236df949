/* enroll-line, tokens, audit, config, lint */
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <string.h>
#include "api_client.h"
#include "args.h"
#include "hex.h"
#include "options.h"
#include "scope.h"
#include "show.h"

static inline void drop_x509(X509 **x) { X509_free(*x); }

static bool
load(const struct ctl *ctl, struct options *o)
{
	struct error e = { .code = ERR_NONE };

	if (options_read(ctl->conf, o, &e))
		return true;
	fprintf(stderr, "%s\n", e.why);
	return false;
}

/* What a host pins: SHA-256 over the CA certificate's DER. */
static bool
ca_digest(const char *path, char out[static 65])
{
	own(file) FILE *f = fopen(path, "r");
	own(x509) X509 *x = f ? PEM_read_X509(f, NULL, NULL, NULL) : NULL;
	uint8_t digest[32];
	unsigned len = sizeof(digest);

	if (!x || X509_digest(x, EVP_sha256(), digest, &len) != 1)
		return false;
	hex_text(digest, sizeof(digest), out);
	return true;
}

static int
new_token(const struct ctl *ctl, const char *why, struct json **j)
{
	struct json *body = json_new();

	if (why)
		json_put_text(body, "reason", why);
	return api_call(ctl, (const char *const[]){ "tokens", NULL }, body, j);
}

int
enroll_line_main(const struct ctl *ctl, int argc, char **argv)
{
	const char *url = NULL;
	const struct arg args[] = { { "url", &url, NULL } };
	own(json) struct json *j = NULL;
	struct options o;
	char host[256] = "VERIFIER", digest[65], token[CELL_TEXT];
	const char *port;
	struct words w;
	int rc;

	if (!args_read(argc, argv, args, COUNT(args), &w) || w.count)
		return usage_of("enroll-line");
	if (!load(ctl, &o))
		return EXIT_USAGE;
	if (!ca_digest(o.ca_file, digest)) {
		fprintf(stderr, "%s: no CA certificate; has verifierd been started once?\n", o.ca_file);
		return EXIT_REFUSED;
	}
	rc = new_token(ctl, "enroll-line", &j);
	if (rc)
		return rc;
	gethostname(host, sizeof(host) - 1);
	port = strrchr(o.hosts, ':');
	if (url)
		printf("attestctl enroll --url %s", url);
	else
		printf("attestctl enroll --url https://%s%s", host, port ? port : ":8451");
	printf(" --ca-sha256 %s --token %s\n", digest, show_member(j, "token", token));
	return EXIT_DONE;
}

int
tokens_main(const struct ctl *ctl, int argc, char **argv)
{
	const char *why = NULL;
	const struct arg args[] = { { "reason", &why, NULL } };
	own(json) struct json *j = NULL;
	char cell[CELL_TEXT];
	struct words w;
	int rc;

	if (!args_read(argc, argv, args, COUNT(args), &w) || w.count != 1 || strcmp(w.word[0], "create"))
		return usage_of("tokens");
	rc = new_token(ctl, why, &j);
	if (rc || ctl->json)
		return rc ? rc : api_print(j);
	printf("%s\n", show_member(j, "token", cell));
	show_line("valid until", show_member(j, "expires", cell));
	return EXIT_DONE;
}

int
audit_main(const struct ctl *ctl, int argc, char **argv)
{
	static const char *const columns[] = { "number", "at", "who", "action", "subject", "why" };
	own(json) struct json *j = NULL;
	struct words w;
	struct error e;
	bool intact = false;
	int rc;

	if (!args_read(argc, argv, NULL, 0, &w) || w.count != 1 || strcmp(w.word[0], "list"))
		return usage_of("audit");
	rc = api_call(ctl, (const char *const[]){ "audit", NULL }, NULL, &j);
	if (rc || ctl->json)
		return rc ? rc : api_print(j);
	show_table(j, "entries", columns, COUNT(columns), "nothing was changed yet");
	if (json_flag(j, "intact", &intact, &e) && !intact) {
		fprintf(stderr, "THE CHAIN IS BROKEN: an entry was altered or removed\n");
		return EXIT_REFUSED;
	}
	return EXIT_DONE;
}

int
config_main(const struct ctl *ctl, int argc, char **argv)
{
	struct options o;
	struct words w;

	if (!args_read(argc, argv, NULL, 0, &w) || w.count)
		return usage_of("config");
	if (!load(ctl, &o))
		return EXIT_USAGE;
	printf("[listen]\nhosts = %s\nadmin = %s\nweb = %s\nmetrics = %s\n", o.hosts, o.admin, o.web, o.metrics);
	printf("[tls]\ncert_file = %s\nkey_file = %s\nca_file = %s\nnames = %s\n", o.cert_file, o.key_file, o.ca_file, o.names);
	printf("[store]\nurl = %s\n[paths]\nstate_dir = %s\nrun_dir = %s\n", o.store, o.state_dir, o.run_dir);
	printf("[enroll]\nmode = %s\nek_roots = %s\nsimulator = %s\n", enroll_mode_word(o.mode), o.ek_roots,
	    o.simulator ? "yes" : "no");
	printf("[result]\nlifetime = %llds\ngrace_max = %llds\n", (long long)o.lifetime / 1000, (long long)o.grace_max / 1000);
	printf("[process]\nuser = %s\nworkers = %u\nsandbox = %s\n", o.user, o.workers, o.sandbox ? "yes" : "no");
	return EXIT_DONE;
}

int
lint_main(const struct ctl *ctl, int argc, char **argv)
{
	struct options o;
	struct words w;

	if (!args_read(argc, argv, NULL, 0, &w) || w.count)
		return usage_of("lint");
	if (!load(ctl, &o))
		return EXIT_USAGE;
	if (o.simulator)
		fprintf(stderr, "warning: [enroll] simulator = yes lets software TPMs in\n");
	if (access(o.ek_roots, R_OK))
		fprintf(stderr, "warning: [enroll] ek_roots = %s: cannot be read, so that no TPM can enroll\n", o.ek_roots);
	return EXIT_DONE;
}
