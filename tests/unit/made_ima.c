#include "made_ima.h"
#include "unit.h"

void
made_ima_free(struct made_ima *m)
{
	free(m->buf);
	hashers_free(&m->hashers);
	*m = (struct made_ima){ .buf = NULL };
}

static void
put(struct made_ima *m, const void *p, size_t len)
{
	if (m->len + len > m->size) {
		m->size = 2 * m->size + len + 4096;
		m->buf = realloc(m->buf, m->size);
		ck_assert_ptr_nonnull(m->buf);
	}
	memcpy(m->buf + m->len, p, len);
	m->len += len;
}

static void
put_le32(struct made_ima *m, size_t v)
{
	const uint8_t le[4] = { (uint8_t)v, (uint8_t)(v >> 8), (uint8_t)(v >> 16), (uint8_t)(v >> 24) };

	put(m, le, sizeof(le));
}

void
made_ima_entry(struct made_ima *m, unsigned pcr, const char *name, const void *data, size_t len, bool violation)
{
	struct ima_entry x = { .pcr = (uint8_t)pcr, .violation = violation, .data = data, .data_len = (uint32_t)len };
	uint8_t hash[DIGEST_MAX] = { 0 };

	strcpy(x.name, name);
	if (!violation)
		ck_assert(ima_template_hash(&m->hashers, BANK_SHA1, &x, false, hash));
	put_le32(m, pcr);
	put(m, hash, 20);
	put_le32(m, strlen(name));
	put(m, name, strlen(name));
	if (strcmp(name, "ima") != 0)
		put_le32(m, len);
	put(m, data, len);
	m->count++;
	for (enum bank b = 0; pcr == 10 && b < BANK_COUNT; b++)
		for (enum ima_way w = 0; w < IMA_WAY_COUNT; w++)
			ck_assert(ima_extend(&m->hashers, b, w, &x, false, m->value[b][w]));
}

void
made_field(struct made_data *d, const void *p, size_t len)
{
	ck_assert_uint_le(d->len + 4 + len, sizeof(d->p));
	for (unsigned i = 0; i < 4; i++)
		d->p[d->len++] = (uint8_t)(len >> 8 * i);
	memcpy(d->p + d->len, p, len);
	d->len += len;
}

void
made_digest_field(struct made_data *d, const char *tag, const void *digest, size_t len)
{
	uint8_t field[128];
	size_t n = strlen(tag) + 1;

	memcpy(field, tag, n);
	memcpy(field + n, digest, len);
	made_field(d, field, n + len);
}

static void
file_fields(struct made_data *d, const char *path, const char *content)
{
	uint8_t is[SHA256_SIZE];

	ck_assert(digest_sha256(content, strlen(content), is));
	made_digest_field(d, "sha256:", is, sizeof(is));
	made_field(d, path, strlen(path) + 1);
}

void
made_ima_file(struct made_ima *m, const char *path, const char *content)
{
	struct made_data d = { .len = 0 };

	file_fields(&d, path, content);
	made_ima_entry(m, 10, "ima-ng", d.p, d.len, false);
}

void
made_ima_signed(struct made_ima *m, const char *path, const char *content, const void *sig, size_t len)
{
	struct made_data d = { .len = 0 };

	file_fields(&d, path, content);
	made_field(&d, sig, len);
	made_ima_entry(m, 10, "ima-sig", d.p, d.len, false);
}

void
made_ima_violation(struct made_ima *m, const char *path)
{
	static const uint8_t zeros[20];
	struct made_data d = { .len = 0 };

	made_digest_field(&d, "sha256:", zeros, sizeof(zeros));
	made_field(&d, path, strlen(path) + 1);
	made_ima_entry(m, 10, "ima-ng", d.p, d.len, true);
}

void
made_ima_aggregate(struct made_ima *m, const struct eventlog *log)
{
	uint8_t values[10 * SHA256_SIZE], is[SHA256_SIZE];
	struct made_data d = { .len = 0 };
	struct replay r;
	struct error e;

	ck_assert(eventlog_replay(log, &r, &e));
	for (unsigned pcr = 0; pcr < 10; pcr++)
		memcpy(values + pcr * SHA256_SIZE, r.value[BANK_SHA256][pcr], SHA256_SIZE);
	ck_assert(digest_sha256(values, sizeof(values), is));
	made_digest_field(&d, "sha256:", is, sizeof(is));
	made_field(&d, "boot_aggregate", 15);
	made_ima_entry(m, 10, "ima-ng", d.p, d.len, false);
}

void
made_ima_quote(const struct eventlog *log, const struct made_ima *m, enum ima_way way, const struct selection *sel, struct quote *q)
{
	struct replay r;
	struct error e;

	ck_assert(eventlog_replay(log, &r, &e));
	for (enum bank b = 0; b < BANK_COUNT; b++) {
		memcpy(r.value[b][10], m->value[b][b == BANK_SHA1 ? IMA_WAY_REAL : way], DIGEST_MAX);
		r.extended[b] |= 1u << 10;
	}
	*q = (struct quote){ .magic = TPM_GENERATED, .type = TPM_ST_ATTEST_QUOTE, .extra_len = 32, .selection = *sel };
	ck_assert(random_bytes(q->extra, q->extra_len));
	ck_assert_msg(replay_digest(&r, sel, BANK_SHA256, q->pcr_digest, &q->pcr_digest_len, &e), "%s", e.why);
}

/* Where entry n begins. */
static size_t
entry_at(const struct made_ima *m, uint64_t n)
{
	struct ima_chunk c;
	struct error e;

	ck_assert_msg(ima_chunk_find(m->buf, m->len, n, SIZE_MAX, &c, &e), "%s", e.why);
	return c.at;
}

struct ima_list
made_ima_packed(const struct made_ima *m, uint64_t from, uint64_t to, uint8_t **out)
{
	size_t at = entry_at(m, from), end = entry_at(m, to), size = ima_packed_max(end - at);
	struct ima_list list;
	struct reader r;
	struct writer w;
	struct error e;

	*out = malloc(size);
	ck_assert_ptr_nonnull(*out);
	w = wr_open(*out, size);
	ck_assert_msg(imalog_pack(m->buf + at, end - at, from, &w, &e), "%s", e.why);
	r = rd_open(*out, w.used);
	ck_assert(ima_list_open(&r, &list, &e) && rd_end(&r, &e));
	return list;
}
