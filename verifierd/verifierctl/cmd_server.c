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
	fprintf(stderr, "verifierctl: %s\n", e.why);
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
	char host[256] = "VERIFIER", digest[65], token[CELL_TEXT], line[2560];
	const char *port;
	struct words w;
	int rc;

	if (!args_read(argc, argv, args, COUNT(args), &w) || w.count)
		return usage_of("enroll-line");
	if (!load(ctl, &o))
		return EXIT_USAGE;
	if (!ca_digest(o.ca_file, digest)) {
		fprintf(stderr, "verifierctl: %s: no CA certificate; has verifierd been started once?\n", o.ca_file);
		return EXIT_REFUSED;
	}
	rc = new_token(ctl, "enroll-line", &j);
	if (rc)
		return rc;
	gethostname(host, sizeof(host) - 1);
	port = strrchr(o.hosts, ':');
	snprintf(line, sizeof(line), "attestctl enroll --url %.1500s%.255s%.16s --ca-sha256 %s --token %.255s", url ? url : "https://", url ? "" : host,
	    url ? "" : port ? port : ":8451", digest, show_member(j, "token", token));
	if (ctl->json) {
		json_put_text(j, "command", line);
		return api_print(j);
	}
	puts(line);
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
approvals_main(const struct ctl *ctl, int argc, char **argv)
{
	static const char *const columns[] = { "approvals", "needed", "until", "who", "change" };
	own(json) struct json *j = NULL;
	struct words w;
	int rc;

	if (!args_read(argc, argv, NULL, 0, &w) || w.count)
		return usage_of("approvals");
	rc = api_call(ctl, (const char *const[]){ "approvals", NULL }, NULL, &j);
	if (rc || ctl->quiet)
		return rc;
	if (ctl->json)
		return api_print(j);
	show_table(j, "changes", columns, COUNT(columns), "nothing waits");
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

/* Prints a tree that was made here, and gives it back. */
static int
print_own(struct json *j)
{
	own(json) struct json *mine = j;

	return api_print(mine);
}

/* The configuration in force, row by row. */
struct sections { struct json *all, *one; const char *last; };

static void
show_value(void *arg, const char *section, const char *key, const char *value)
{
	struct sections *s = arg;

	if (!s->last || strcmp(s->last, section) != 0) {
		s->last = section;
		if (!s->all)
			printf("[%s]\n", section);
		else
			json_put(s->all, section, s->one = json_new());
	}
	if (s->all)
		json_put_text(s->one, key, value ? value : "");
	else if (value)
		printf("%s =%s%s\n", key, *value ? " " : "", value);
	else
		printf("# %s is not set\n", key);
}

int
config_main(const struct ctl *ctl, int argc, char **argv)
{
	struct sections s = { 0 };
	struct options o;
	struct words w;

	if (!args_read(argc, argv, NULL, 0, &w) || w.count)
		return usage_of("config");
	if (!load(ctl, &o))
		return EXIT_USAGE;
	if (ctl->json) {
		s.all = json_new();
		json_put_int(s.all, "schema", 1);
	}
	options_each(&o, show_value, &s);
	return s.all ? print_own(s.all) : EXIT_DONE;
}

int
lint_main(const struct ctl *ctl, int argc, char **argv)
{
	struct json *j, *warnings = json_new_list();
	char text[CELL_TEXT];
	struct options o;
	struct words w = { 0 };

	if (!args_read(argc, argv, NULL, 0, &w) || w.count || !load(ctl, &o)) {
		json_free(warnings);
		return w.count ? usage_of("lint") : EXIT_USAGE;
	}
	if (o.simulator)
		json_add_text(warnings, "[enroll] simulator = yes lets software TPMs in");
	if (o.web[0] || o.metrics[0])
		json_add_text(warnings, "[listen] web, metrics: nothing listens there in this version");
	if (access(o.ek_roots, R_OK)) {
		snprintf(text, sizeof(text), "[enroll] ek_roots = %s: cannot be read, so that no TPM can enroll", o.ek_roots);
		json_add_text(warnings, text);
	}
	j = json_new();
	json_put_int(j, "schema", 1);
	json_put(j, "warnings", warnings);
	if (ctl->json)
		return print_own(j);
	for (unsigned i = 0; show_item(json_item(j, "warnings", i), text); i++)
		fprintf(stderr, "warning: %s\n", text);
	json_free(j);
	return EXIT_DONE;
}
