#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "bench.h"
#include "eventlog.h"
#include "large_log.h"
#include "scope.h"

enum { NUMBER_TEXT = 8, VARIABLE = 24 << 10 };

struct growing { uint8_t *p; size_t len; };

static void
le(struct growing *g, uint64_t v, unsigned bytes)
{
	for (unsigned i = 0; i < bytes; i++)
		g->p[g->len++] = (uint8_t)(v >> 8 * i);
}

/* The digest is that of data from `hashed` on. */
static void
event(struct growing *g, uint32_t pcr, uint32_t type, size_t hashed, const char *data, size_t len)
{
	le(g, pcr, 4);
	le(g, type, 4);
	le(g, 1, 4);
	le(g, 0x000b, 2);
	need(digest_sha256(data + hashed, len - hashed, g->p + g->len));
	g->len += SHA256_SIZE;
	le(g, len, 4);
	memcpy(g->p + g->len, data, len);
	g->len += len;
}

/* UEFI_VARIABLE_DATA: GUID, lengths, name in UTF-16, data. */
static void
variable(struct growing *g, const char *name, uint8_t fill)
{
	uint8_t data[VARIABLE] = { 0xcb, 0xb2, 0x19, 0xd7, 0x3a, 0x3d, 0x96, 0x45, 0xa3, 0xbc, 0xda, 0xd0, 0x0e, 0x67, 0x65, 0x6f };
	size_t n = strlen(name), rest = sizeof(data) - 32 - 2 * n;

	data[16] = (uint8_t)n;
	for (unsigned i = 0; i < 8; i++)
		data[24 + i] = (uint8_t)((uint64_t)rest >> 8 * i);
	for (size_t i = 0; i < n; i++)
		data[32 + 2 * i] = (uint8_t)name[i];
	memset(data + 32 + 2 * n, fill, rest);
	event(g, 7, EV_EFI_VARIABLE_DRIVER_CONFIG, 0, (const char *)data, sizeof(data));
}

/* Where the firmware's own variables end: before the first separator of PCR 7. */
static size_t
before_separator(const uint8_t *p, size_t len)
{
	own(eventlog) struct eventlog log = { .event = NULL };
	struct error e;

	need(eventlog_parse(p, len, &log, &e));
	for (unsigned i = 0; i < log.count; i++)
		if (log.event[i].pcr == 7 && log.event[i].type == EV_SEPARATOR)
			return log.event[i].offset;
	bench_broken("no separator in the recorded log", __FILE__, __LINE__);
}

uint8_t *
large_log(size_t *len)
{
	size_t n = 0, cut;
	own(mem) uint8_t *from = bench_file("tests/data/vm/sb-shimgrub-a/binary_bios_measurements", &n);
	struct growing g = { .p = malloc(2 * LARGE_LOG) };
	char line[160];

	need(g.p);
	cut = before_separator(from, n);
	memcpy(g.p, from, cut);
	g.len = cut;
	variable(&g, "dbr", 0x5a);
	variable(&g, "dbt", 0xa5);
	memcpy(g.p + g.len, from + cut, n - cut);
	g.len += n - cut;
	for (unsigned i = 0; g.len < LARGE_LOG - 2 * sizeof(line); i++) {
		snprintf(line, sizeof(line), "grub_cmd: menuentry Debian GNU/Linux, with Linux 6.1.0-%u-amd64 --class debian --class gnu-linux", i);
		event(&g, 8, EV_IPL, strlen("grub_cmd: "), line, strlen(line));     /* GRUB hashes no label */
	}
	event(&g, 1, EV_IPL, 0, "00000000", NUMBER_TEXT);
	*len = g.len;
	return g.p;
}

void
large_log_number(uint8_t *log, size_t len, unsigned number)
{
	uint8_t *at = log + len - NUMBER_TEXT;
	char text[NUMBER_TEXT + 1];

	snprintf(text, sizeof(text), "%0*u", NUMBER_TEXT, number % 100000000);
	memcpy(at, text, NUMBER_TEXT);
	need(digest_sha256(at, NUMBER_TEXT, at - 4 - SHA256_SIZE));
}
