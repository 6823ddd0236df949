/* cert_name.h - the subject of an X.509 certificate as people know it. Reads DER by hand: only a name for people comes of it. */
#ifndef CERT_NAME_H
#define CERT_NAME_H
#include "reader.h"

enum { CERT_RDNS_MAX = 32 };            /* parts of a subject that are looked at */

/* Its common name, else its organisation, printable ASCII; "" if it has neither or is no certificate. */
void cert_name(const uint8_t *der, size_t len, char *out, size_t size);

/* Is this one DER sequence, from the first byte to the last? */
bool der_is_sequence(const uint8_t *der, size_t len);
#endif
