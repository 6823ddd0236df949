#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "eventlog.h"
#include "soft_ima.h"
#include "scope.h"

enum { SHA1_SIZE = 20, ENTRY_ROOM = 1024, PCR = 10 };

#define must(held) ((held) ? (void)0 : broken(#held, __LINE__))
static void __attribute__((noreturn))
broken(const char *what, int line)
{
	fprintf(stderr, "soft_ima.c:%d: %s\n", line, what);
	abort();
}

void
soft_ima_free(struct soft_ima *m)
{
	free(m->buf);
	free(m->offset);
	free(m->hash);
	*m = (struct soft_ima){ .buf = NULL };
}

/* Room for one more entry in every array; they double. */
static void
make_room(struct soft_ima *m)
{
	if (m->len + ENTRY_ROOM > m->size) {
		m->size = m->size ? 2 * m->size : 64 << 10;
		m->buf = realloc(m->buf, m->size);
		must(m->buf);
	}
	if (!(m->entries & (m->entries + 1))) {         /* one less than a power of two */
		size_t n = 2 * ((size_t)m->entries + 1);

		m->offset = realloc(m->offset, (n + 1) * sizeof(*m->offset));
		m->hash = realloc(m->hash, n * sizeof(*m->hash));
		must(m->offset && m->hash);
	}
	m->offset[m->entries] = m->len;
}

static void
put(struct soft_ima *m, const void *p, size_t n)
{
	memcpy(m->buf + m->len, p, n);
	m->len += n;
}

static void
put_le32(struct soft_ima *m, size_t v)
{
	for (unsigned i = 0; i < 4; i++)
		m->buf[m->len++] = (uint8_t)(v >> 8 * i);
}

/* d-ng and n-ng; SHA-1 of it stands in front, as kernels write it into this list. */
static void
add(struct soft_ima *m, const uint8_t *file, const char *path, bool violation)
{
	static const char template[] = "ima-ng", alg[] = "sha256:";
	size_t head, data, path_len = strlen(path) + 1;
	uint8_t sha1[DIGEST_MAX] = { 0 };

	must(path_len < ENTRY_ROOM / 2);
	make_room(m);
	put_le32(m, PCR);
	head = m->len;
	m->len += SHA1_SIZE;
	put_le32(m, strlen(template));
	put(m, template, strlen(template));
	put_le32(m, 4 + sizeof(alg) + SHA256_SIZE + 4 + path_len);
	data = m->len;
	put_le32(m, sizeof(alg) + SHA256_SIZE);
	put(m, alg, sizeof(alg));
	put(m, file, SHA256_SIZE);
	put_le32(m, path_len);
	put(m, path, path_len);
	must(violation || digest(BANK_SHA1, m->buf + data, m->len - data, sha1));
	memcpy(m->buf + head, sha1, SHA1_SIZE);
	must(digest_sha256(m->buf + data, m->len - data, m->hash[m->entries]));
	if (violation)
		memset(m->hash[m->entries], 0xff, SHA256_SIZE);
	m->offset[++m->entries] = m->len;
}

void
soft_ima_aggregate(struct soft_ima *m, const uint8_t *boot_log, size_t len)
{
	own(eventlog) struct eventlog log = { .event = NULL };
	struct hasher *h = hasher_new(BANK_SHA256);
	struct error e = { .code = ERR_NONE };
	uint8_t is[SHA256_SIZE];
	struct replay r;

	must(h && eventlog_parse(boot_log, len, &log, &e) && eventlog_replay(&log, &r, &e));
	for (unsigned pcr = 0; pcr <= 9; pcr++)
		must(hasher_add(h, r.value[BANK_SHA256][pcr], SHA256_SIZE));
	must(hasher_end(h, is));
	hasher_free(h);
	add(m, is, "boot_aggregate", false);
}

void
soft_ima_digest(const char *content, uint8_t out[static SHA256_SIZE])
{
	must(digest_sha256(content, strlen(content), out));
}

void
soft_ima_file(struct soft_ima *m, const char *path, const char *content)
{
	uint8_t is[SHA256_SIZE];

	soft_ima_digest(content, is);
	add(m, is, path, false);
}

void
soft_ima_violation(struct soft_ima *m, const char *path)
{
	static const uint8_t zeros[SHA256_SIZE];

	add(m, zeros, path, true);
}

void
soft_ima_value(const struct soft_ima *m, unsigned n, uint8_t out[static SHA256_SIZE])
{
	memset(out, 0, SHA256_SIZE);
	for (unsigned i = 0; i < n; i++)
		must(digest_extend(BANK_SHA256, out, m->hash[i]));
}
