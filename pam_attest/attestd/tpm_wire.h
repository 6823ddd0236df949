/*
 * tpm_wire.h - what attestd and its TPM child say to each other.
 *
 * The child is an executable of its own, so that the TSS and a TPM that never answers stay out of
 * attestd's address space and can be killed. One SOCK_SEQPACKET pair, the child's end on descriptor
 * 3; one request, one reply, integers big-endian, byte strings behind a u16 length.
 *
 *   request  op u8, then the fields below
 *   reply    reason u16 (enum reason; REASON_OK or why not), TPM code u32, commands u64, fields
 */
#ifndef TPM_WIRE_H
#define TPM_WIRE_H

enum { TPM_WIRE_FD = 3, TPM_WIRE_MAX = 96 << 10, AK_BLOB_MAX = 2048, OWNER_AUTH_MAX = 64, PCRS_READ_MAX = 4096 };

/* The child's arguments: the TCTI, and this behind it when it shall make no sandbox for itself. */
#define TPM_NO_SANDBOX "-n"

/* X(NAME, request fields, reply fields) */
#define TPM_OPS(X)                                                                      \
	X(BANKS,     "",                                   "banks u32: bit = enum bank") \
	X(READ_EK,   "",                                   "public, cert, count u8, chain certs") \
	X(CREATE_AK, "unique[32], handle u32, owner auth", "blob, public, handle u32")  \
	X(USE_AK,    "blob",                               "")                          \
	X(EVICT,     "blob, owner auth",                   "")                          \
	X(ACTIVATE,  "credential, secret",                 "secret")                    \
	X(QUOTE,     "nonce[32], count u8, {alg u16, pcrs u32}…", "attest, signature") \
	X(PCRS,      "count u8, {alg u16, pcrs u32}…",         "values, as a quote hashes them") \
	X(LOCKOUT,   "",                                   "counter u32, max u32, interval u32, recovery u32")
enum tpm_op {
#define X(name, request, reply) TPM_OP_##name,
	TPM_OPS(X)
#undef X
	TPM_OP_COUNT
};
#endif
