#include "efi.h"
#include "made_log.h"

void
made_bytes(struct made_log *l, const void *p, size_t n)
{
	ck_assert_uint_le(n, MADE_MAX - l->len);
	if (n)
		memcpy(l->buf + l->len, p, n);
	l->len += n;
}

void
made_le16(struct made_log *l, uint16_t v)
{
	made_bytes(l, (uint8_t[]){ (uint8_t)v, (uint8_t)(v >> 8) }, 2);
}

void
made_le32(struct made_log *l, uint32_t v)
{
	made_le16(l, (uint16_t)v);
	made_le16(l, (uint16_t)(v >> 16));
}

void
made_open(struct made_log *l, uint8_t banks)
{
	static const uint8_t zero[20];

	*l = (struct made_log){ .buf = malloc(MADE_MAX) };
	ck_assert_ptr_nonnull(l->buf);
	for (enum bank b = 0; b < BANK_COUNT; b++)
		if (banks & 1u << b)
			l->alg[l->nalgs++] = bank_alg(b);
	made_le32(l, 0);
	made_le32(l, EV_NO_ACTION);
	made_bytes(l, zero, sizeof(zero));
	made_le32(l, 16 + 4 + 4 + 4 + 4 * l->nalgs + 1);
	made_bytes(l, "Spec ID Event03", 16);
	made_le32(l, 0);
	made_bytes(l, "\0\2\0\2", 4);
	made_le32(l, l->nalgs);
	for (unsigned i = 0; i < l->nalgs; i++) {
		enum bank b;

		ck_assert(bank_of_alg(l->alg[i], &b));
		made_le16(l, l->alg[i]);
		made_le16(l, (uint16_t)bank_size(b));
	}
	made_bytes(l, "", 1);
}

void
made_free(struct made_log *l)
{
	free(l->buf);
	l->buf = NULL;
}

void
made_measure(struct made_log *l, uint32_t pcr, uint32_t type, const void *hashed, size_t nhashed,
    const void *data, size_t n)
{
	made_le32(l, pcr);
	made_le32(l, type);
	made_le32(l, l->nalgs);
	for (unsigned i = 0; i < l->nalgs; i++) {
		uint8_t is[DIGEST_MAX];
		enum bank b;

		ck_assert(bank_of_alg(l->alg[i], &b) && digest(b, hashed, nhashed, is));
		made_le16(l, l->alg[i]);
		made_bytes(l, is, bank_size(b));
	}
	made_le32(l, (uint32_t)n);
	made_bytes(l, data, n);
}

void
made_event(struct made_log *l, uint32_t pcr, uint32_t type, const void *data, size_t n)
{
	made_measure(l, pcr, type, data, n, data, n);
}

void
made_text(struct made_log *l, uint32_t pcr, uint32_t type, const char *text)
{
	made_event(l, pcr, type, text, strlen(text));
}

void
made_grub(struct made_log *l, const char *label, const char *text)
{
	char data[4096];
	int n = snprintf(data, sizeof(data), "%s%s", label, text);

	made_measure(l, 8, EV_IPL, text, strlen(text), data, (size_t)n + 1);
}

size_t
made_variable(uint8_t *out, const uint8_t *guid, const char *name, const void *data, size_t len)
{
	size_t at = 32;

	memset(out, 0, MADE_VARIABLE_MAX);
	memcpy(out, guid, EFI_GUID_SIZE);
	out[16] = (uint8_t)strlen(name);
	out[24] = (uint8_t)len;
	out[25] = (uint8_t)(len >> 8);
	for (const char *p = name; *p; p++, at += 2)
		out[at] = (uint8_t)*p;
	if (len)
		memcpy(out + at, data, len);
	return at + len;
}

size_t
made_signatures(uint8_t *out, const uint8_t *type, const void *entries, size_t each, unsigned count)
{
	size_t len = 28 + count * (EFI_GUID_SIZE + each);

	memset(out, 0, len);
	memcpy(out, type, EFI_GUID_SIZE);
	out[16] = (uint8_t)len;
	out[17] = (uint8_t)(len >> 8);
	out[24] = (uint8_t)(EFI_GUID_SIZE + each);
	for (unsigned i = 0; i < count; i++)
		memcpy(out + 28 + i * (EFI_GUID_SIZE + each) + EFI_GUID_SIZE, (const uint8_t *)entries + i * each, each);
	return len;
}

/* Logs point into what they were read from. Their bytes stay until the test ends, and are no leak. */
static void
outlive(void *p)
{
	static struct kept { struct kept *next; void *p; } *all;
	struct kept *k = malloc(sizeof(*k));

	ck_assert_ptr_nonnull(k);
	*k = (struct kept){ all, p };
	all = k;
}

void
made_parse(const struct made_log *l, struct eventlog *log)
{
	struct error e = { .code = ERR_NONE };
	uint8_t *exact = malloc(l->len);

	ck_assert_ptr_nonnull(exact);
	memcpy(exact, l->buf, l->len);
	ck_assert_msg(eventlog_parse(exact, l->len, log, &e), "%s", e.why);
	outlive(exact);
}

uint8_t *
vm_file(const char *variant, const char *name, size_t *len)
{
	char path[512];
	uint8_t *buf;

	snprintf(path, sizeof(path), "tests/data/vm/%s/%s", variant, name);
	buf = unit_file(path, len);
	if (buf || !unit_corpus())
		return buf;
	snprintf(path, sizeof(path), "%s/vm/%s/%s", unit_corpus(), variant, name);
	return unit_file(path, len);
}

void
vm_log(const char *variant, struct eventlog *log)
{
	struct error e = { .code = ERR_NONE };
	size_t len = 0;
	uint8_t *buf = vm_file(variant, "binary_bios_measurements", &len);

	ck_assert_msg(buf != NULL, "no log of %s", variant);
	ck_assert_msg(eventlog_parse(buf, len, log, &e), "%s: %s", variant, e.why);
	outlive(buf);
}
