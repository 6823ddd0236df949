#include <string.h>
#include "efi.h"

enum { LIST_HEADER = EFI_GUID_SIZE + 12 };

const uint8_t efi_guid_global[EFI_GUID_SIZE] = { 0x61, 0xdf, 0xe4, 0x8b, 0xca, 0x93, 0xd2, 0x11, 0xaa, 0x0d, 0x00, 0xe0, 0x98, 0x03, 0x2b, 0x8c };
const uint8_t efi_guid_security[EFI_GUID_SIZE] = { 0xcb, 0xb2, 0x19, 0xd7, 0x3a, 0x3d, 0x96, 0x45, 0xa3, 0xbc, 0xda, 0xd0, 0x0e, 0x67, 0x65, 0x6f };
const uint8_t efi_guid_shim[EFI_GUID_SIZE] = { 0x50, 0xab, 0x5d, 0x60, 0x46, 0xe0, 0x00, 0x43, 0xab, 0xb6, 0x3d, 0xd8, 0x10, 0xdd, 0x8b, 0x23 };
const uint8_t efi_cert_sha256[EFI_GUID_SIZE] = { 0x26, 0x16, 0xc4, 0xc1, 0x4c, 0x50, 0x92, 0x40, 0xac, 0xa9, 0x41, 0xf9, 0x36, 0x93, 0x43, 0x28 };
const uint8_t efi_cert_x509[EFI_GUID_SIZE] = { 0xa1, 0x59, 0xc0, 0xa5, 0xe4, 0x94, 0xa7, 0x4a, 0x87, 0xb5, 0xab, 0x15, 0x5c, 0x2b, 0xf0, 0x72 };

bool
efi_guid_is(const uint8_t *p, const uint8_t guid[static EFI_GUID_SIZE])
{
	return !memcmp(p, guid, EFI_GUID_SIZE);
}

bool
efi_variable_read(const void *p, size_t n, struct efi_variable *out)
{
	struct reader r = rd_open(p, n);
	struct efi_variable v = { .guid = rd_bytes(&r, EFI_GUID_SIZE, "guid") };
	uint64_t units = rd_le64(&r, "name length"), len = rd_le64(&r, "data length");

	if (r.bad || units > EFI_NAME_UNITS_MAX || len > r.left)
		return false;
	v.units = (size_t)units;
	v.len = (size_t)len;
	v.name = rd_bytes(&r, 2 * v.units, "name");
	v.data = rd_bytes(&r, v.len, "data");
	if (r.bad)
		return false;
	*out = v;
	return true;
}

bool
efi_name_is(const struct efi_variable *v, const char *ascii)
{
	size_t i;

	for (i = 0; i < v->units && ascii[i]; i++)
		if (v->name[2 * i] != (uint8_t)ascii[i] || v->name[2 * i + 1])
			return false;
	return i == v->units && !ascii[i];
}

struct efi_signatures
efi_signatures_open(const void *p, size_t n)
{
	return (struct efi_signatures){ .in = rd_open(p, n) };
}

/* EFI_SIGNATURE_LIST: its header, and that what follows is a whole number of entries. */
static bool
list_open(struct efi_signatures *s)
{
	uint32_t size, header, each;

	if (s->lists++ == EFI_LISTS_MAX) {
		s->in.bad = "too many lists";
		return false;
	}
	s->type = rd_bytes(&s->in, EFI_GUID_SIZE, "type");
	size = rd_le32(&s->in, "list size");
	header = rd_le32(&s->in, "header size");
	each = rd_le32(&s->in, "signature size");
	if (s->in.bad)
		return false;
	if (size < LIST_HEADER || header > size - LIST_HEADER || each < EFI_GUID_SIZE || (size - LIST_HEADER - header) % each) {
		s->in.bad = "list size";
		return false;
	}
	(void)rd_bytes(&s->in, header, "list header");
	s->list = rd_sub(&s->in, size - LIST_HEADER - header, "signatures");
	s->each = each;
	return !s->in.bad;
}

bool
efi_signature_next(struct efi_signatures *s, struct efi_signature *out)
{
	while (!s->list.left)
		if (!rd_more(&s->in) || !list_open(s))
			return false;
	*out = (struct efi_signature){ .type = s->type, .owner = rd_bytes(&s->list, EFI_GUID_SIZE, "owner"),
		.data = s->list.pos, .len = s->each - EFI_GUID_SIZE };
	(void)rd_bytes(&s->list, out->len, "signature");
	return true;
}

bool
efi_signatures_whole(const struct efi_signatures *s)
{
	return !s->in.bad && !s->in.left && !s->list.left;
}
