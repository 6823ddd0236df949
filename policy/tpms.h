/*
 * tpms.h - TPM makers and firmware: what the EK certificate says, and which versions are known to be weak.
 *
 * The maker comes from the certificate that was checked at enrollment; the firmware version from the
 * signed quote. The table has a source for each row (FACTS section 12).
 */
#ifndef TPMS_H
#define TPMS_H
#include "policy.h"

/* TPM_PT_FIRMWARE_VERSION_1 and _2, as four numbers: 7.85.4555.0 */
enum { FIRMWARE_TEXT = 24 };
void firmware_text(uint64_t version, char out[static FIRMWARE_TEXT]);
bool firmware_read(const char *text, uint64_t *version);          /* one to four numbers up to 65535 */

/* The first word of what was stored of the EK certificate: "IFX SLB9670 id:00070055" is "IFX"; "" if there is none. */
void tpm_vendor_of(const char *ek_subject, char out[static POLICY_VENDOR_TEXT]);
bool tpm_is_simulator(const char *ek_subject);

/* A known flaw of this maker's firmware, or NULL. source is static text. */
struct known_flaw { enum tpm_flaw flaw; const char *what, *source; };
const struct known_flaw *tpm_flaw_of(const char *vendor, uint64_t firmware);
#endif
