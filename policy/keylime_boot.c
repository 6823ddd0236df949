/*
 * Keylime's measured-boot reference state: what a log must contain, not what it consists of. Of its boot chains the images
 * in PCR 4 can be put in order, with the two constants that firmware measures before them; the rest says less than a
 * component needs.
 */
#include <stdio.h>
#include <string.h>
#include "hex.h"
#include "json.h"
#include "scope.h"
#include "set_import.h"

enum { CHAINS_MAX = IMPORT_SETS_MAX / 2, IMAGES_MAX = 3, PCR_IMAGES = 4, PCR_SECTIONS = 11, EV_EFI_ACTION_TYPE = 0x80000007 };

/* What a member says, and why it stays behind. */
static const struct { const char *key, *why; } left_behind[] = {
	{ "scrtm_and_bios", "some events of PCR 0, not all, and nothing of PCR 2: capture a machine" },
	{ "pk", "keys without the variable that is measured: capture a machine" },
	{ "kek", "keys without the variable that is measured: capture a machine" },
	{ "db", "keys without the variable that is measured: capture a machine" },
	{ "dbx", "hashes without the variable that is measured: capture a machine; secure_boot.min_dbx of a policy" },
	{ "vendor_db", "keys of shim: secure_boot.keys of a policy" },
	{ "mokdig", "PCR 14 has more than MokList: capture a machine" },
	{ "mokxdig", "PCR 14 has more than MokListX: capture a machine" },
	{ "has_secureboot", "a rule: secure_boot.required of a policy" },
};

static const char *const chain_keys[] = { "shim_authcode_sha256", "grub_authcode_sha256", "kernel_authcode_sha256",
	"initrd_plain_sha256", "vmlinuz_plain_sha256", "kernel_cmdline" };

struct chain { unsigned count; uint8_t digest[IMAGES_MAX][SHA256_SIZE]; };

/* "0x…" */
static bool
read_hash(const struct json *o, const char *key, uint8_t out[static SHA256_SIZE], struct error *e)
{
	char text[2 * SHA256_SIZE + 3];

	if (!json_text(o, key, text, sizeof(text), e))
		return false;
	return (!strncmp(text, "0x", 2) && strlen(text) == 2 + 2 * SHA256_SIZE && hex_bytes(text + 2, out, SHA256_SIZE)) ||
	    err_set(e, ERR_FORMAT, "%s: not 0x and 32 bytes in hex", key);
}

static bool
read_chain(const struct json *o, struct chain *c, struct imported *out, struct error *e)
{
	const struct json *value;
	const char *key;

	*c = (struct chain){ .count = 0 };
	for (unsigned i = 0; json_member(o, i, &key, &value); i++) {
		unsigned k = 0;

		while (k < COUNT(chain_keys) && strcmp(chain_keys[k], key))
			k++;
		if (k == COUNT(chain_keys))
			return err_set(e, ERR_FORMAT, "%.40s: no such member", key);
	}
	for (unsigned k = 0; k < IMAGES_MAX; k++)
		if (json_has(o, chain_keys[k]) && !read_hash(o, chain_keys[k], c->digest[c->count++], e))
			return false;
	if (c->count < 2)
		return err_set(e, ERR_MISSING, "two of shim, GRUB and kernel are needed at least");
	if (!json_has(o, chain_keys[2]))
		import_remark(out, "a chain without a kernel's Authenticode digest: its kernel is in PCR 9, which serves one host alone");
	return true;
}

/*
 * One chain as PCR 4 has it: the boot manager's word, the separator, the images. GRUB measures a kernel twice where shim
 * checks it, once else.
 */
static bool
chain_set(const struct chain *c, unsigned times, struct imported *out, struct error *e)
{
	static const char action[] = "Calling EFI Application from Boot Option";
	static const char *const names[] = { "shim", "GRUB", "kernel" };
	struct reference_set *set = import_set(out, 2 + c->count - 1 + times, e);
	uint8_t digest[SHA256_SIZE];

	if (!set)
		return false;
	set->parts = 1u << COMPONENT_LOADER | 1u << COMPONENT_BOOT_ENTRY;
	set->pcrs = 1u << PCR_IMAGES | 1u << PCR_SECTIONS;      /* nothing of a UKI */
	if (!digest_sha256(action, strlen(action), digest))
		return err_set(e, ERR_CRYPTO, "no hash");
	import_entry(set, COMPONENT_LOADER, PCR_IMAGES, EV_EFI_ACTION_TYPE, digest, action);
	if (!digest_sha256("\0\0\0\0", 4, digest))
		return err_set(e, ERR_CRYPTO, "no hash");
	import_entry(set, COMPONENT_LOADER, PCR_IMAGES, EV_SEPARATOR, digest, "00000000");
	for (unsigned i = 0; i + 1 < c->count; i++)
		import_entry(set, COMPONENT_LOADER, PCR_IMAGES, EV_EFI_BOOT_SERVICES_APPLICATION, c->digest[i], names[i]);
	for (unsigned i = 0; i < times; i++)
		import_entry(set, COMPONENT_BOOT_ENTRY, PCR_IMAGES, EV_EFI_BOOT_SERVICES_APPLICATION, c->digest[c->count - 1],
		    names[c->count - 1]);
	return true;
}

static bool
know_members(const struct json *o, struct imported *out, struct error *e)
{
	const struct json *value;
	const char *key;

	for (unsigned i = 0; json_member(o, i, &key, &value); i++) {
		unsigned k = 0;

		while (k < COUNT(left_behind) && strcmp(left_behind[k].key, key))
			k++;
		if (k < COUNT(left_behind))
			import_remark(out, "%s: %s", key, left_behind[k].why);
		else if (strcmp(key, "kernels"))
			return err_set(e, ERR_FORMAT, "%.40s: no such member", key);
	}
	return true;
}

bool
keylime_boot_read(const struct json *o, struct imported *out, struct error *e)
{
	struct chain c;
	unsigned count;

	if (!know_members(o, out, e) || !json_list(o, "kernels", CHAINS_MAX, &count, e))
		return false;
	if (!count)
		return err_set(e, ERR_MISSING, "kernels: none, and nothing else of it makes a set");
	for (unsigned i = 0; i < count; i++) {
		if (!read_chain(json_item(o, "kernels", i), &c, out, e))
			return err_in(e, "kernels[%u]", i);
		/* A kernel may be measured twice; GRUB, where it is the last image, is not. */
		for (unsigned times = json_has(json_item(o, "kernels", i), chain_keys[2]) ? 2 : 1; times; times--)
			if (!chain_set(&c, times, out, e))
				return false;
	}
	import_remark(out, "kernel_cmdline: a rule: cmdline.allow of a policy");
	import_remark(out, "initrd_plain_sha256: PCR 9 serves one host alone, and has more than the initrd");
	snprintf(out->origin, sizeof(out->origin), "Keylime measured-boot reference state, %u boot chains", count);
	return true;
}
