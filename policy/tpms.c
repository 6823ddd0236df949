#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "scope.h"
#include "tpms.h"

#define V(a, b, c) ((uint64_t)(a) << 48 | (uint64_t)(b) << 32 | (uint64_t)(c) << 16)

#define ROCA      FLAW_ROCA, "CVE-2017-15361 (ROCA): its RSA keys can be factored"
#define TPM_FAIL  FLAW_TPM_FAIL, "CVE-2019-16863 (TPM-FAIL): signing time gives ECDSA keys away"
#define PTT_FAIL  FLAW_TPM_FAIL, "CVE-2019-11090 (TPM-FAIL): signing time gives ECDSA keys away"
#define IFX_NOTE  "Infineon advisory of October 2017, Microsoft ADV170012"
#define STM_NOTE  "STMicroelectronics, TPM firmware update, ECDSA signature generation"
#define PTT_NOTE  "Intel INTEL-SA-00241"

/* From this version on, below that one. Versions that an advisory names one by one have a row each. */
static const struct {
	const char *vendor;
	uint64_t    from, below;
	struct known_flaw flaw;
} table[] = {
	{ "IFX",  V(4, 0, 0),    V(4, 34, 0),   { ROCA, IFX_NOTE } },
	{ "IFX",  V(4, 40, 0),   V(4, 43, 0),   { ROCA, IFX_NOTE } },
	{ "IFX",  V(5, 0, 0),    V(5, 62, 0),   { ROCA, IFX_NOTE } },
	{ "IFX",  V(6, 0, 0),    V(6, 43, 0),   { ROCA, IFX_NOTE } },
	{ "IFX",  V(7, 0, 0),    V(7, 62, 0),   { ROCA, IFX_NOTE } },
	{ "IFX",  V(133, 0, 0),  V(133, 33, 0), { ROCA, IFX_NOTE } },
	{ "STM",  V(71, 0, 0),   V(71, 16, 0),  { TPM_FAIL, STM_NOTE } },
	{ "STM",  V(73, 0, 0),   V(73, 10, 0),  { TPM_FAIL, STM_NOTE } },
	{ "STM",  V(74, 0, 0),   V(74, 10, 0),  { TPM_FAIL, STM_NOTE } },
	{ "STM",  V(74, 16, 0),  V(74, 17, 0),  { TPM_FAIL, STM_NOTE } },
	{ "INTC", V(3, 0, 0),    V(3, 1, 70),   { PTT_FAIL, PTT_NOTE } },
	{ "INTC", V(4, 0, 0),    V(4, 0, 20),   { PTT_FAIL, PTT_NOTE } },
	{ "INTC", V(11, 0, 0),   V(11, 8, 70),  { PTT_FAIL, PTT_NOTE } },
	{ "INTC", V(11, 10, 0),  V(11, 11, 70), { PTT_FAIL, PTT_NOTE } },
	{ "INTC", V(11, 20, 0),  V(11, 22, 70), { PTT_FAIL, PTT_NOTE } },
	{ "INTC", V(12, 0, 0),   V(12, 0, 45),  { PTT_FAIL, PTT_NOTE } },
	{ "INTC", V(14, 0, 0),   V(14, 0, 10),  { PTT_FAIL, PTT_NOTE } },
	/* No firmware ends it: whoever has the machine on a bench gets at the secrets of its TPM. */
	{ "AMD",  0,             UINT64_MAX,    { FLAW_FAULTPM, "faulTPM: a voltage glitch gives its secrets away", "arXiv 2304.14717" } },
};

const struct known_flaw *
tpm_flaw_of(const char *vendor, uint64_t firmware)
{
	for (unsigned i = 0; i < COUNT(table); i++)
		if (!strcmp(table[i].vendor, vendor) && firmware >= table[i].from && firmware < table[i].below)
			return &table[i].flaw;
	return NULL;
}

void
tpm_vendor_of(const char *ek_subject, char out[static POLICY_VENDOR_TEXT])
{
	size_t n = strcspn(ek_subject, " ");

	n = n < POLICY_VENDOR_TEXT ? n : 0;             /* no maker's code is that long */
	memcpy(out, ek_subject, n);
	out[n] = '\0';
}

/* swtpm's certificates; others would have to be in ek_roots, where an administrator put them. */
bool
tpm_is_simulator(const char *ek_subject)
{
	return !strncmp(ek_subject, "id:00001014", strlen("id:00001014")) || strstr(ek_subject, "swtpm");
}

void
firmware_text(uint64_t v, char out[static FIRMWARE_TEXT])
{
	snprintf(out, FIRMWARE_TEXT, "%u.%u.%u.%u", (unsigned)(v >> 48) & 0xffff, (unsigned)(v >> 32) & 0xffff,
	    (unsigned)(v >> 16) & 0xffff, (unsigned)v & 0xffff);
}

bool
firmware_read(const char *text, uint64_t *out)
{
	uint64_t v = 0;

	for (unsigned i = 0; i < 4; i++) {
		unsigned n = 0;
		size_t digits = strspn(text, "0123456789");

		if (i && !digits && !*text) {           /* "7.85": the rest is 0 */
			v <<= 16;
			continue;
		}
		if (!digits || digits > 5 || sscanf(text, "%5u", &n) != 1 || n > UINT16_MAX)
			return false;
		v = v << 16 | n;
		text += digits;
		if (*text == '.' && text[1] && i < 3)
			text++;
		else if (*text)
			return false;
	}
	*out = v;
	return true;
}
