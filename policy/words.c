#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "cert_name.h"
#include "efi.h"
#include "words.h"

enum {
	PATH_NODES_MAX  = 64,
	GUID_SIZE       = EFI_GUID_SIZE,
	HEX_WORDS_MAX   = 16,           /* longer binary data is not shown */
	NAMES_MAX       = 3,            /* certificates of a list that are named */
	NAME_TEXT_MAX   = 64,
	SECTION_MAX     = 32,           /* longest name of a UKI section, with NUL */
};

struct text {
	char  *buf;
	size_t size, used;
	bool   cut;
	struct hashers *hashers;
};

/* All of s or nothing of it: an escape is never cut in half, and nothing follows a cut. */
static void
put(struct text *t, const char *s, size_t n)
{
	if (t->cut || n >= t->size - t->used) {
		t->cut = true;
		return;
	}
	memcpy(t->buf + t->used, s, n);
	t->used += n;
	t->buf[t->used] = '\0';
}

static void __attribute__((format(printf, 2, 3)))
say(struct text *t, const char *fmt, ...)
{
	char buf[128];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(buf, sizeof(buf), fmt, ap);
	va_end(ap);
	if (n > 0)
		put(t, buf, (size_t)n < sizeof(buf) ? (size_t)n : sizeof(buf) - 1);
}

static void
put_unit(struct text *t, unsigned c)
{
	char plain = (char)c;

	if (c == '\n')
		put(t, "\\n", 2);
	else if (c == '\t')
		put(t, "\\t", 2);
	else if (c == '\\')
		put(t, "\\\\", 2);
	else if (c >= 0x20 && c < 0x7f)
		put(t, &plain, 1);
	else
		say(t, c > 0xff ? "\\u%04x" : "\\x%02x", c);
}

/* Most of it stands as it is: put in runs. Where a run does not fit, single characters find the end. */
static void
put_ascii(struct text *t, const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n && !t->cut;) {
		size_t run = 0;

		while (i + run < n && p[i + run] >= 0x20 && p[i + run] < 0x7f && p[i + run] != '\\')
			run++;
		if (run > 1 && run < t->size - t->used) {
			put(t, (const char *)p + i, run);
			i += run;
		} else
			put_unit(t, p[i++]);
	}
}

static unsigned
unit(const uint8_t *p, size_t i)
{
	return (unsigned)(p[2 * i] | p[2 * i + 1] << 8);
}

static void
put_utf16(struct text *t, const uint8_t *p, size_t units)
{
	for (size_t i = 0; i < units && !t->cut; i++)
		put_unit(t, unit(p, i));
}

static size_t
without_nuls(const uint8_t *p, size_t n)
{
	while (n && !p[n - 1])
		n--;
	return n;
}

/* Could a person have written this? Line breaks, tabs and bytes of UTF-8 may be in it. */
static bool
is_ascii(const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if ((p[i] < 0x20 && p[i] != '\n' && p[i] != '\t') || p[i] == 0x7f)
			return false;
	return n > 0;
}

static bool
is_utf16(const uint8_t *p, size_t n)
{
	if (n < 2 || n % 2)
		return false;
	for (size_t i = 0; i < n / 2; i++)
		if (unit(p, i) < 0x20 || unit(p, i) > 0xff)
			return i > 0 && i == n / 2 - 1 && !unit(p, i);
	return true;
}

/* Is this the digest of these bytes, in every bank that the event has? */
static bool
hashes_to(struct text *t, const struct event *ev, const void *p, size_t n)
{
	uint8_t is[DIGEST_MAX];

	for (enum bank b = 0; b < BANK_COUNT; b++)
		if (ev->banks & 1u << b &&
		    (!hashers_digest(t->hashers, b, p, n, is) || memcmp(is, ev->digest[b], bank_size(b))))
			return false;
	return ev->banks != 0;
}

/* Strings: hashed as they stand, or without the NULs behind them. */
static bool
words_string(const struct event *ev, const uint8_t *p, size_t n, struct text *t)
{
	size_t trimmed = without_nuls(p, n);

	if (is_ascii(p, trimmed))
		put_ascii(t, p, trimmed);
	else if (is_utf16(p, n))
		put_utf16(t, p, unit(p, n / 2 - 1) ? n / 2 : n / 2 - 1);
	else
		for (size_t i = 0; n <= HEX_WORDS_MAX && i < n; i++)
			say(t, "%02x", p[i]);
	return hashes_to(t, ev, p, n) || hashes_to(t, ev, p, trimmed);
}

/* UTF-16 text of systemd's stub and boot loader: with or without its NUL; section names as ASCII with NUL. */
static bool
words_wide(const struct event *ev, const uint8_t *p, size_t n, struct text *t)
{
	size_t units = unit(p, n / 2 - 1) ? n / 2 : n / 2 - 1;
	uint8_t plain[EVENT_TEXT_MAX];

	put_utf16(t, p, units);
	if (hashes_to(t, ev, p, n) || hashes_to(t, ev, p, 2 * units))
		return true;
	if (2 * units + 2 > sizeof(plain))
		return false;
	memcpy(plain, p, 2 * units);
	memset(plain + 2 * units, 0, 2);
	if (hashes_to(t, ev, plain, 2 * units + 2))
		return true;
	for (size_t i = 0; i < units; i++)
		plain[i] = p[2 * i];
	plain[units] = '\0';
	return units < SECTION_MAX && hashes_to(t, ev, plain, units + 1);
}

/*
 * GRUB writes a label before what it hashes, and a NUL after it that some versions hash too. Red Hat's
 * 2.02 has labels of its own; they are shown as the others are.
 */
static bool
words_ipl(const struct event *ev, const uint8_t *p, size_t n, struct text *t)
{
	static const struct { const char *label, *shown; } labels[] = {
		{ "grub_cmd: ", "grub_cmd: " }, { "kernel_cmdline: ", "kernel_cmdline: " }, { "module_cmdline: ", "module_cmdline: " },
		{ "grub_cmd ", "grub_cmd: " }, { "grub_kernel_cmdline ", "kernel_cmdline: " },
	};
	size_t trimmed = without_nuls(p, n);

	for (unsigned i = 0; i < sizeof(labels) / sizeof(labels[0]); i++) {
		size_t skip = strlen(labels[i].label);

		if (trimmed <= skip || memcmp(p, labels[i].label, skip))
			continue;
		if (memchr(p, 0, trimmed))
			return false;
		put(t, labels[i].shown, strlen(labels[i].shown));
		put_ascii(t, p + skip, trimmed - skip);
		return hashes_to(t, ev, p + skip, trimmed - skip) ||
		    (trimmed < n && hashes_to(t, ev, p + skip, trimmed - skip + 1));
	}
	/* An old systemd-boot gives half of the NUL. */
	if (!is_ascii(p, trimmed) && is_utf16(p, n & ~(size_t)1) && (n % 2 == 0 || !p[n - 1]))
		return words_wide(ev, p, n & ~(size_t)1, t);
	return words_string(ev, p, n, t);
}

static bool
words_tag(const struct event *ev, const uint8_t *p, size_t n, struct text *t)
{
	struct reader r = rd_open(p, n);
	uint32_t id = rd_le32(&r, "id");
	uint32_t size = rd_le32(&r, "size");
	const uint8_t *data = rd_bytes(&r, size, "data");

	if (!data)
		return false;
	size = (uint32_t)without_nuls(data, size);
	if (is_ascii(data, size))
		put_ascii(t, data, size);
	else
		say(t, "tag 0x%08x", id);
	return hashes_to(t, ev, p, n);
}

static bool
words_separator(const struct event *ev, const uint8_t *p, size_t n, struct text *t)
{
	static const uint8_t failed[4] = { 1, 0, 0, 0 };

	if (hashes_to(t, ev, failed, sizeof(failed))) {
		say(t, "error separator");
		return true;
	}
	for (size_t i = 0; n <= HEX_WORDS_MAX && i < n; i++)
		say(t, "%02x", p[i]);
	return hashes_to(t, ev, p, n);
}

static bool
words_no_action(const struct event *ev, const uint8_t *p, size_t n, struct text *t)
{
	size_t sign = n < GUID_SIZE ? n : GUID_SIZE;

	(void)ev;
	sign = without_nuls(p, sign);
	if (!is_ascii(p, sign))
		return false;
	put_ascii(t, p, sign);
	if (n > GUID_SIZE && !memcmp(p, "StartupLocality", GUID_SIZE))
		say(t, ": %u", p[GUID_SIZE]);
	return false;
}

/* EFI_SIGNATURE_LISTs: how many entries are in them, or false if that is not what they are. */
static bool
count_signatures(const uint8_t *p, size_t n, size_t *count)
{
	struct efi_signatures all = efi_signatures_open(p, n);
	struct efi_signature one;

	*count = 0;
	while (efi_signature_next(&all, &one))
		++*count;
	return efi_signatures_whole(&all);
}

/* "dbx: 371 entries", "db: 2 entries (Microsoft ..., ...)": the first few certificates by name. */
static void
put_signatures(struct text *t, const uint8_t *p, size_t n, size_t count)
{
	struct efi_signatures all = efi_signatures_open(p, n);
	struct efi_signature one;
	unsigned named = 0;

	say(t, ": %zu %s", count, count == 1 ? "entry" : "entries");
	while (named <= NAMES_MAX && efi_signature_next(&all, &one)) {
		char name[NAME_TEXT_MAX];

		if (!efi_guid_is(one.type, efi_cert_x509))
			continue;
		cert_name(one.data, one.len, name, sizeof(name));
		if (*name)
			say(t, "%s%s", named ? ", " : " (", named < NAMES_MAX ? name : "...");
		named += *name != '\0';
	}
	if (named)
		say(t, ")");
}

static bool
is_key_list(const struct efi_variable *v)
{
	static const char *const lists[] = { "PK", "KEK", "db", "dbx", "dbt", "dbr" };

	for (unsigned i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
		if (efi_name_is(v, lists[i]))
			return true;
	return false;
}

/* Secure Boot and other configuration: the name, and what people look for in the value. */
static bool
words_config(const struct event *ev, const uint8_t *p, size_t n, struct text *t)
{
	struct efi_variable v;
	size_t count;

	if (!efi_variable_read(p, n, &v))
		return false;
	put_utf16(t, v.name, v.units);
	if (!v.len)
		say(t, ": empty");
	else if (v.len == 1)
		say(t, ": %u", v.data[0]);
	else if (is_key_list(&v) && count_signatures(v.data, v.len, &count))
		put_signatures(t, v.data, v.len, count);
	return hashes_to(t, ev, p, n);
}

/* Whose key it was: a certificate, behind its owner's GUID or bare. */
static void
put_signer(struct text *t, const struct efi_variable *v)
{
	size_t owner = der_is_sequence(v->data, v->len) || v->len < GUID_SIZE ? 0 : GUID_SIZE;
	char name[NAME_TEXT_MAX];

	cert_name(v->data + owner, v->len - owner, name, sizeof(name));
	if (*name)
		say(t, ": %s", name);
}

static bool
words_authority(const struct event *ev, const uint8_t *p, size_t n, struct text *t)
{
	struct efi_variable v;

	if (!efi_variable_read(p, n, &v))
		return false;
	put_utf16(t, v.name, v.units);
	if (v.len == 1)
		say(t, ": %u", v.data[0]);
	else if (efi_name_is(&v, "SbatLevel") && is_ascii(v.data, v.len)) {
		say(t, ": ");
		put_ascii(t, v.data, v.len);
	} else
		put_signer(t, &v);
	return hashes_to(t, ev, p, n);
}

/* "BootOrder: 0001,0000" */
static void
put_order(struct text *t, const struct efi_variable *v)
{
	for (size_t i = 0; i < v->len / 2; i++)
		say(t, "%s%04X", i ? "," : ": ", unit(v->data, i));
}

/* EFI_LOAD_OPTION: "Boot0001: debian". */
static void
put_option(struct text *t, const struct efi_variable *v)
{
	const uint8_t *name = v->data + 6;      /* behind attributes and length of the path */
	size_t units = 0, left = v->len > 6 ? (v->len - 6) / 2 : 0;

	while (units < left && unit(name, units))
		units++;
	if (!units || units == left)
		return;
	say(t, ": ");
	put_utf16(t, name, units);
}

/* Most firmware hashes the value alone here: then the name is not bound, and so nothing is. */
static bool
words_boot_variable(const struct event *ev, const uint8_t *p, size_t n, struct text *t)
{
	struct efi_variable v;

	if (!efi_variable_read(p, n, &v))
		return false;
	put_utf16(t, v.name, v.units);
	if (efi_name_is(&v, "BootOrder"))
		put_order(t, &v);
	else if (v.units == 8 && !strncmp(t->buf, "Boot", 4))
		put_option(t, &v);
	return hashes_to(t, ev, p, n);
}

/* The file path nodes of an EFI_DEVICE_PATH. */
static void
put_path(struct text *t, struct reader path)
{
	for (unsigned nodes = 0; rd_more(&path) && nodes < PATH_NODES_MAX; nodes++) {
		uint8_t type = rd_u8(&path, "type");
		uint8_t subtype = rd_u8(&path, "subtype");
		uint16_t size = rd_le16(&path, "length");
		const uint8_t *p;

		if (path.bad || size < 4)
			return;
		size = (uint16_t)(size - 4);
		p = rd_bytes(&path, size, "node");
		if (p && type == 4 && subtype == 4 && size >= 2 && is_utf16(p, size & ~1u))
			put_utf16(t, p, unit(p, size / 2u - 1) ? size / 2u : size / 2u - 1);
	}
}

static bool
words_image(const struct event *ev, const uint8_t *p, size_t n, struct text *t)
{
	struct reader r = rd_open(p, n);
	uint64_t len, path;

	(void)ev;
	(void)rd_le64(&r, "location");
	len = rd_le64(&r, "length");
	(void)rd_le64(&r, "link-time address");
	path = rd_le64(&r, "path length");
	if (r.bad || path > r.left)
		return false;
	put_path(t, rd_sub(&r, (size_t)path, "path"));
	if (!t->used)
		say(t, "image of %llu bytes", (unsigned long long)len);
	return false;
}

static bool
words_blob(const struct event *ev, const uint8_t *p, size_t n, struct text *t)
{
	struct reader r = rd_open(p, n);
	uint64_t base, len;

	(void)ev;
	base = rd_le64(&r, "base");
	len = rd_le64(&r, "length");
	if (!r.bad && !r.left)
		say(t, "%llu bytes at 0x%llx", (unsigned long long)len, (unsigned long long)base);
	return false;
}

static bool
words_blob2(const struct event *ev, const uint8_t *p, size_t n, struct text *t)
{
	struct reader r = rd_open(p, n);
	uint8_t size = rd_u8(&r, "description size");
	const uint8_t *name = rd_bytes(&r, size, "description");
	size_t len = name ? without_nuls(name, size) : 0;

	if (!name || !is_ascii(name, len))
		return false;
	put_ascii(t, name, len);
	say(t, ": ");
	return words_blob(ev, r.pos, r.left, t);
}

static bool
words_gpt(const struct event *ev, const uint8_t *p, size_t n, struct text *t)
{
	struct reader r = rd_open(p, n);
	const uint8_t *g;
	uint64_t count;

	(void)rd_bytes(&r, 56, "header");
	g = rd_bytes(&r, GUID_SIZE, "disk");
	(void)rd_bytes(&r, 20, "header");
	count = rd_le64(&r, "entries");
	if (g && !r.bad)
		say(t, "disk %02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x, %llu partitions",
		    g[3], g[2], g[1], g[0], g[5], g[4], g[7], g[6], g[8], g[9], g[10], g[11], g[12], g[13],
		    g[14], g[15], (unsigned long long)count);
	return hashes_to(t, ev, p, n);
}

/* A CEL content in its TLV form, which is what is hashed; within it another {type, length, text}. */
static bool
words_cel(const struct event *ev, const uint8_t *p, size_t n, struct text *t)
{
	struct reader r = rd_open(p, n);
	const uint8_t *text;
	uint32_t len;
	uint8_t type;

	(void)rd_bytes(&r, 1 + 4, "content");
	type = rd_u8(&r, "type");
	len = rd_be32(&r, "length");
	text = rd_bytes(&r, len, "text");
	if (!text || r.left)
		return false;
	say(t, "%u: ", type);
	if (is_ascii(text, len))
		put_ascii(t, text, len);
	return hashes_to(t, ev, p, n);
}

/*
 * X(value, name, words). What each type's digest covers: PFP "Event Types", and for the rows where
 * producers differ, what firmware, shim, GRUB and systemd really do.
 */
#define EVENT_TYPES(X) \
	X(0x00000000, EV_PREBOOT_CERT,                   words_string) \
	X(0x00000001, EV_POST_CODE,                      words_string) \
	X(0x00000002, EV_UNUSED,                         NULL) \
	X(0x00000003, EV_NO_ACTION,                      words_no_action) \
	X(0x00000004, EV_SEPARATOR,                      words_separator) \
	X(0x00000005, EV_ACTION,                         words_string) \
	X(0x00000006, EV_EVENT_TAG,                      words_tag) \
	X(0x00000007, EV_S_CRTM_CONTENTS,                words_string) \
	X(0x00000008, EV_S_CRTM_VERSION,                 words_string) \
	X(0x00000009, EV_CPU_MICROCODE,                  words_string) \
	X(0x0000000a, EV_PLATFORM_CONFIG_FLAGS,          words_string) \
	X(0x0000000b, EV_TABLE_OF_DEVICES,               words_string) \
	X(0x0000000c, EV_COMPACT_HASH,                   words_string) \
	X(0x0000000d, EV_IPL,                            words_ipl) \
	X(0x0000000e, EV_IPL_PARTITION_DATA,             NULL) \
	X(0x0000000f, EV_NONHOST_CODE,                   words_string) \
	X(0x00000010, EV_NONHOST_CONFIG,                 words_string) \
	X(0x00000011, EV_NONHOST_INFO,                   words_string) \
	X(0x00000012, EV_OMIT_BOOT_DEVICE_EVENTS,        words_string) \
	X(0x00000013, EV_POST_CODE2,                     words_blob2) \
	X(0x80000001, EV_EFI_VARIABLE_DRIVER_CONFIG,     words_config) \
	X(0x80000002, EV_EFI_VARIABLE_BOOT,              words_boot_variable) \
	X(0x80000003, EV_EFI_BOOT_SERVICES_APPLICATION,  words_image) \
	X(0x80000004, EV_EFI_BOOT_SERVICES_DRIVER,       words_image) \
	X(0x80000005, EV_EFI_RUNTIME_SERVICES_DRIVER,    words_image) \
	X(0x80000006, EV_EFI_GPT_EVENT,                  words_gpt) \
	X(0x80000007, EV_EFI_ACTION,                     words_string) \
	X(0x80000008, EV_EFI_PLATFORM_FIRMWARE_BLOB,     words_blob) \
	X(0x80000009, EV_EFI_HANDOFF_TABLES,             NULL) \
	X(0x8000000a, EV_EFI_PLATFORM_FIRMWARE_BLOB2,    words_blob2) \
	X(0x8000000b, EV_EFI_HANDOFF_TABLES2,            NULL) \
	X(0x8000000c, EV_EFI_VARIABLE_BOOT2,             words_boot_variable) \
	X(0x8000000d, EV_EFI_GPT_EVENT2,                 words_gpt) \
	X(0x80000010, EV_EFI_HCRTM_EVENT,                words_string) \
	X(0x800000e0, EV_EFI_VARIABLE_AUTHORITY,         words_authority) \
	X(0x800000e1, EV_EFI_SPDM_FIRMWARE_BLOB,         NULL) \
	X(0x800000e2, EV_EFI_SPDM_FIRMWARE_CONFIG,       NULL) \
	X(0x800000e3, EV_EFI_SPDM_DEVICE_POLICY,         words_config) \
	X(0x800000e4, EV_EFI_SPDM_DEVICE_AUTHORITY,      words_authority) \
	X(EV_CEL(CEL_MANAGEMENT),   CEL_MANAGEMENT,      words_cel) \
	X(EV_CEL(CEL_IMA_TEMPLATE), CEL_IMA_TEMPLATE,    NULL) \
	X(EV_CEL(CEL_IMA_TLV),      CEL_IMA_TLV,         NULL) \
	X(EV_CEL(CEL_SYSTEMD),      CEL_SYSTEMD,         words_string) \
	X(EV_CEL(CEL_COS),          CEL_COS,             words_cel)

static const struct event_type {
	uint32_t    value;
	const char *name;
	bool      (*words)(const struct event *, const uint8_t *, size_t, struct text *);
} types[] = {
#define X(value, name, words) { value, #name, words },
	EVENT_TYPES(X)
#undef X
};

static const struct event_type *
type_of(uint32_t value)
{
	for (unsigned i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (types[i].value == value)
			return &types[i];
	return NULL;
}

const char *
event_type_name(uint32_t value)
{
	const struct event_type *type = type_of(value);

	return type ? type->name : "unknown type";
}

bool
event_type_of(const char *name, uint32_t *type)
{
	for (unsigned i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (!strcmp(types[i].name, name)) {
			*type = types[i].value;
			return true;
		}
	return false;
}

size_t
event_words(const struct event *ev, const void *data, size_t len, char *out, size_t size,
    struct hashers *hashers, enum binding *binding)
{
	struct text t = { .buf = out, .size = size, .hashers = hashers };
	const struct event_type *type = type_of(ev->type);
	bool bound = false;

	*out = '\0';
	if (type && type->words)
		bound = type->words(ev, data, len, &t);
	*binding = bound && t.used && !t.cut ? BOUND_DIGEST : BOUND_NOT;
	return t.used;
}
