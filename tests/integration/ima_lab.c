/*
 * What integration tests need of IMA: a list that a kernel could have written after a recorded boot, and a policy.
 *
 *	ima_lab list BOOT-LOG FROM TO       bytes of entries FROM up to TO; 0 is boot_aggregate, N the file "known N"
 *	ima_lab extends BOOT-LOG FROM TO    what extends them into a TPM, a line each, as tpm2_pcrextend takes it
 *	ima_lab policy STORE MODE FILES     a new version of the policy default in a store that nobody has open: so many
 *	                                    of these files are known
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "hex.h"
#include "file.h"
#include "ima_rules.h"
#include "soft_ima.h"
#include "policy.h"
#include "scope.h"
#include "store.h"

enum { LINE = 160 };

static void
make(struct soft_ima *m, const char *boot_log, unsigned to)
{
	own(mem) uint8_t *log = NULL;
	struct error e;
	size_t len;

	if (!file_load(boot_log, BOOT_LOG_MAX, &log, &len, &e)) {
		fprintf(stderr, "ima_lab: %s\n", e.why);
		exit(1);
	}
	soft_ima_aggregate(m, log, len);
	while (m->entries < to) {
		char path[64], content[32];

		snprintf(path, sizeof(path), "/usr/bin/tool-%u", m->entries);
		snprintf(content, sizeof(content), "known %u", m->entries);
		soft_ima_file(m, path, content);
	}
}

static int
list(const char *what, const char *boot_log, unsigned from, unsigned to)
{
	struct soft_ima m = { .buf = NULL };
	char hex[2 * SHA256_SIZE + 1];

	make(&m, boot_log, to);
	if (!strcmp(what, "list") && fwrite(m.buf + m.offset[from], 1, m.offset[to] - m.offset[from], stdout) !=
	    m.offset[to] - m.offset[from])
		return 1;
	for (unsigned i = from; strcmp(what, "list") && i < to; i++) {
		hex_text(m.hash[i], SHA256_SIZE, hex);
		printf("10:sha256=%s\n", hex);
	}
	soft_ima_free(&m);
	return fflush(stdout) != 0;
}

/* The mode, and an allow list of so many files. */
static bool
rules_of(const char *mode, unsigned files, struct ima_rules *out, struct error *e)
{
	own(json) struct json *tree = NULL;
	own(allow_list) struct allow_list known = { .packed = NULL };
	own(mem) char *text = malloc(200 + LINE * (size_t)files);
	char hex[2 * SHA256_SIZE + 1], content[32];
	uint8_t is[SHA256_SIZE];
	size_t at;

	if (!text)
		return err_set(e, ERR_MEMORY, "rules");
	at = (size_t)sprintf(text, "attest-allow-list 1\n");
	for (unsigned i = 0; i < files; i++) {
		snprintf(content, sizeof(content), "known %u", i);
		soft_ima_digest(content, is);
		hex_text(is, sizeof(is), hex);
		at += (size_t)sprintf(text + at, "sha256:%s /usr/bin/tool-%u\n", hex, i);
	}
	if (!allow_list_read(text, at, &known, e))
		return false;
	sprintf(text, "{\"mode\":\"%s\",\"allow_lists\":[\"lab\"]}", mode);
	return json_parse(text, strlen(text), &tree, e) && ima_rules_read(tree, out, e) && ima_rules_join(out, &known, e);
}

static bool
policy(const char *url, const char *mode, unsigned files, struct error *e)
{
	own(ima_rules) struct ima_rules rules = { .mode = IMA_MODE_OFF };
	own(mem) struct policy *p = calloc(1, sizeof(*p));
	own(mem) uint8_t *body = malloc(POLICY_PACKED_MAX), *ima = malloc(IMA_RULES_PACKED_MAX);
	own(store) struct store *s = NULL;
	struct policy_row row = { .name = "default", .created = 1, .author = "ima_lab", .body = body, .ima = ima };
	struct writer w = wr_open(ima, IMA_RULES_PACKED_MAX);

	if (!p || !body || !ima || !rules_of(mode, files, &rules, e))
		return false;
	ima_rules_pack(&rules, &w);
	row.ima_len = w.used;
	policy_default(p);
	p->tpm.allow_simulator = true;
	return wr_ok(&w, e) && policy_seal(p, body, &row.body_len, row.digest, e) && store_open(url, &s, e) &&
	    store_begin(s, e) && store_policy_add(s, &row, &row.version, e) && store_commit(s, e);
}

int
main(int argc, char **argv)
{
	struct error e = { .code = ERR_NONE };

	if (argc == 5 && !strcmp(argv[1], "policy")) {
		if (policy(argv[2], argv[3], (unsigned)strtoul(argv[4], NULL, 10), &e))
			return 0;
		fprintf(stderr, "ima_lab: %s\n", e.why);
		return 1;
	}
	if (argc == 5 && (!strcmp(argv[1], "list") || !strcmp(argv[1], "extends")))
		return list(argv[1], argv[2], (unsigned)strtoul(argv[3], NULL, 10), (unsigned)strtoul(argv[4], NULL, 10));
	return 2;
}
