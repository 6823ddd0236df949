/* efi.h - UEFI structures inside events: a variable, and the lists of signatures in one (UEFI, "Signature Database"). */
#ifndef EFI_H
#define EFI_H
#include "reader.h"

enum { EFI_GUID_SIZE = 16, EFI_NAME_UNITS_MAX = 256, EFI_LISTS_MAX = 4096 };

/* UEFI_VARIABLE_DATA; all of it borrowed. */
struct efi_variable {
	const uint8_t *guid;
	const uint8_t *name;            /* UTF-16LE without NUL */
	size_t         units;
	const uint8_t *data;
	size_t         len;
};
/* What stands behind the variable is not looked at: some firmware leaves a byte there. */
bool efi_variable_read(const void *, size_t, struct efi_variable *);
bool efi_name_is(const struct efi_variable *, const char *ascii);

/* GUIDs as they stand in memory. */
extern const uint8_t efi_guid_global[EFI_GUID_SIZE];    /* SecureBoot, PK, KEK */
extern const uint8_t efi_guid_security[EFI_GUID_SIZE];  /* db, dbx, dbt, dbr */
extern const uint8_t efi_guid_shim[EFI_GUID_SIZE];      /* Mok..., SbatLevel, Shim */
extern const uint8_t efi_cert_sha256[EFI_GUID_SIZE], efi_cert_x509[EFI_GUID_SIZE];
bool efi_guid_is(const uint8_t *, const uint8_t guid[static EFI_GUID_SIZE]);

/* One entry of an EFI_SIGNATURE_LIST; type and owner are GUIDs. */
struct efi_signature {
	const uint8_t *type, *owner, *data;
	size_t         len;
};
struct efi_signatures { struct reader in, list; const uint8_t *type; size_t each; unsigned lists; };
struct efi_signatures efi_signatures_open(const void *, size_t);
/* False after the last, or where the lists are malformed: efi_signatures_whole() tells which. */
bool efi_signature_next(struct efi_signatures *, struct efi_signature *);
bool efi_signatures_whole(const struct efi_signatures *);
#endif
