/*
 * What integration tests need of IMA: a list that a kernel could have written after a recorded boot, and what knows it.
 *
 *	ima_lab list BOOT-LOG FROM TO       bytes of entries FROM up to TO; 0 is boot_aggregate, N the file "known N"
 *	ima_lab extends BOOT-LOG FROM TO    what extends them into a TPM, a line each, as tpm2_pcrextend takes it
 *	ima_lab allow FROM TO               an allow list of these files
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "hex.h"
#include "file.h"
#include "soft_ima.h"
#include "scope.h"
#include "evidence.h"

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

static int
allow(unsigned from, unsigned to)
{
	char hex[2 * SHA256_SIZE + 1], content[32];
	uint8_t is[SHA256_SIZE];

	printf("attest-allow-list 1\n");
	for (unsigned i = from; i < to; i++) {
		snprintf(content, sizeof(content), "known %u", i);
		soft_ima_digest(content, is);
		hex_text(is, sizeof(is), hex);
		printf("sha256:%s /usr/bin/tool-%u\n", hex, i);
	}
	return fflush(stdout) != 0;
}

int
main(int argc, char **argv)
{
	unsigned from = argc > 3 ? (unsigned)strtoul(argv[argc - 2], NULL, 10) : 0;
	unsigned to = argc > 3 ? (unsigned)strtoul(argv[argc - 1], NULL, 10) : 0;

	if (argc == 4 && !strcmp(argv[1], "allow"))
		return allow(from, to);
	if (argc == 5 && (!strcmp(argv[1], "list") || !strcmp(argv[1], "extends")))
		return list(argv[1], argv[2], from, to);
	return 2;
}
