/*
 * endorsement.h - is this EK the one a trusted TPM vendor certified? FACTS section 1.8.
 */
#ifndef ENDORSEMENT_H
#define ENDORSEMENT_H
#include "api.h"
#include "ipc.h"

/*
 * All checks of an enrollment request that need no store: EK certificate read tolerantly (cut at
 * its DER length), chain to roots (path, validity, basic constraints, EKU if present; the chain the
 * host sent is untrusted help), certified key equals the EK public area, EK public area is that of a
 * restricted decryption key, AK attributes exact (0x00050472, or 0x00050432 with a policy), AK
 * scheme and size. roots is a PEM bundle. simulator lets certificates through whose SAN or issuer
 * says that the TPM is a simulator. The first check that fails gives facts->reason and why.
 */
void endorsement_check(const struct enroll_request *, const char *roots_pem, size_t roots_len,
    bool simulator, int64_t now_wall, struct enroll_facts *);
#endif
