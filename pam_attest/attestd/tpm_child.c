/*
 * attestd-tpm: the only process that talks to the TPM. Started by attestd with its channel on
 * descriptor 3 and the TCTI as its one argument; ends when the channel does, or is killed.
 */
#include <sys/socket.h>
#include <tss2/tss2_mu.h>
#include "confine.h"
#include "reader.h"
#include "scope.h"
#include "tpm_esys.h"
#include "tpm_sandbox.h"
#include "tpm_wire.h"
#include "writer.h"

static struct tpm_esys tpm = { .ak = ESYS_TR_NONE };
static struct tpm_ek ek;

static inline void drop_esys(void *slot) { drop_mem(slot); }      /* Esys_Free is free */

static const uint8_t *
take(struct reader *r, size_t *len, const char *field)
{
	*len = rd_be16(r, field);
	return rd_bytes(r, *len, field);
}

static void
put(struct writer *w, const void *p, size_t len, const char *field)
{
	wr_be16(w, (uint16_t)len, field);
	wr_bytes(w, p, len, field);
}

static void
put_public(struct writer *w, const TPM2B_PUBLIC *public)
{
	uint8_t raw[sizeof(TPMT_PUBLIC)];
	size_t len = 0;

	if (Tss2_MU_TPMT_PUBLIC_Marshal(&public->publicArea, raw, sizeof(raw), &len))
		len = 0;
	put(w, raw, len, "public area");
}

static bool
take_owner(struct reader *r, TPM2B_AUTH *owner)
{
	size_t len;
	const uint8_t *p = take(r, &len, "owner auth");

	if (!p || len > OWNER_AUTH_MAX)
		return false;
	owner->size = (uint16_t)len;
	memcpy(owner->buffer, p, len);
	return true;
}

static enum reason
do_banks(struct reader *r, struct writer *w)
{
	uint32_t banks;
	enum reason why = tpm_banks(&tpm, &banks);

	(void)r;
	if (why == REASON_OK)
		wr_be32(w, banks, "banks");
	return why;
}

/* Splits the run of DER by the length each certificate states. */
static void
put_chain(struct writer *w, const uint8_t *p, size_t left)
{
	uint8_t count = 0;
	size_t at = w->used;

	wr_u8(w, 0, "chain count");
	while (left > 4 && p[0] == 0x30 && p[1] == 0x82 && count < 8) {
		size_t len = 4u + ((size_t)p[2] << 8 | p[3]);

		if (len > left)
			break;
		put(w, p, len, "chain");
		p += len;
		left -= len;
		count++;
	}
	if (!w->bad)
		w->buf[at] = count;
}

static enum reason
do_read_ek(struct reader *r, struct writer *w)
{
	enum reason why = tpm_read_ek(&tpm, &ek);

	(void)r;
	if (why != REASON_OK)
		return why;
	put_public(w, &ek.public);
	put(w, ek.cert, ek.cert_len, "certificate");
	put_chain(w, ek.chain, ek.chain_len);
	return REASON_OK;
}

static enum reason
do_create_ak(struct reader *r, struct writer *w)
{
	const uint8_t *unique = rd_bytes(r, 32, "unique");
	TPM2_HANDLE wanted = rd_be32(r, "handle"), at = 0;
	TPM2B_AUTH owner = { 0 };
	TPM2B_PUBLIC public;
	own(esys) uint8_t *blob = NULL;
	size_t len;
	enum reason why;

	if (!unique || !take_owner(r, &owner))
		return REASON_INTERNAL_ERROR;
	why = tpm_create_ak(&tpm, unique, wanted, &owner, &public, &at);
	if (why == REASON_OK)
		why = tpm_ak_blob(&tpm, &blob, &len);
	if (why != REASON_OK)
		return why;
	put(w, blob, len, "AK handle");
	put_public(w, &public);
	wr_be32(w, at, "handle");
	return REASON_OK;
}

static enum reason
do_use_ak(struct reader *r, struct writer *w)
{
	size_t len;
	const uint8_t *blob = take(r, &len, "AK handle");

	(void)w;
	return blob ? tpm_use_ak(&tpm, blob, len) : REASON_INTERNAL_ERROR;
}

static enum reason
do_evict(struct reader *r, struct writer *w)
{
	size_t len;
	const uint8_t *blob = take(r, &len, "AK handle");
	TPM2B_AUTH owner = { 0 };
	enum reason why;

	(void)w;
	if (!blob || !take_owner(r, &owner))
		return REASON_INTERNAL_ERROR;
	why = tpm_use_ak(&tpm, blob, len);
	return why == REASON_OK ? tpm_evict(&tpm, &owner) : why;
}

static enum reason
do_activate(struct reader *r, struct writer *w)
{
	size_t credential_len, secret_len;
	const uint8_t *credential = take(r, &credential_len, "credential");
	const uint8_t *secret = take(r, &secret_len, "secret");
	TPM2B_DIGEST found;
	enum reason why;

	if (!secret)
		return REASON_INTERNAL_ERROR;
	why = tpm_activate(&tpm, credential, credential_len, secret, secret_len, &found);
	if (why == REASON_OK)
		put(w, found.buffer, found.size, "secret");
	return why;
}

static bool
take_selection(struct reader *r, TPML_PCR_SELECTION *s)
{
	s->count = rd_u8(r, "selection count");
	if (r->bad || s->count > 4)
		return false;
	for (uint32_t i = 0; i < s->count; i++) {
		uint16_t alg = rd_be16(r, "bank");
		uint32_t pcrs = rd_be32(r, "PCRs");

		s->pcrSelections[i] = (TPMS_PCR_SELECTION){ .hash = alg, .sizeofSelect = 3,
			.pcrSelect = { (uint8_t)pcrs, (uint8_t)(pcrs >> 8), (uint8_t)(pcrs >> 16) } };
	}
	return !r->bad;
}

static enum reason
do_quote(struct reader *r, struct writer *w)
{
	const uint8_t *nonce = rd_bytes(r, 32, "nonce");
	TPML_PCR_SELECTION pcrs = { 0 };
	own(esys) TPM2B_ATTEST *attest = NULL;
	own(esys) TPMT_SIGNATURE *signature = NULL;
	uint8_t raw[sizeof(TPMT_SIGNATURE)];
	size_t len = 0;
	enum reason why;

	if (!nonce || !take_selection(r, &pcrs))
		return REASON_INTERNAL_ERROR;
	why = tpm_quote(&tpm, nonce, &pcrs, &attest, &signature);
	if (why != REASON_OK)
		return why;
	if (Tss2_MU_TPMT_SIGNATURE_Marshal(signature, raw, sizeof(raw), &len))
		return REASON_TPM_ERROR;
	put(w, attest->attestationData, attest->size, "attest");
	put(w, raw, len, "signature");
	return REASON_OK;
}

static enum reason
do_pcrs(struct reader *r, struct writer *w)
{
	uint8_t values[PCRS_READ_MAX];
	TPML_PCR_SELECTION pcrs = { 0 };
	size_t len;
	enum reason why;

	if (!take_selection(r, &pcrs))
		return REASON_INTERNAL_ERROR;
	why = tpm_pcrs(&tpm, &pcrs, values, sizeof(values), &len);
	if (why == REASON_OK)
		put(w, values, len, "PCR values");
	return why;
}

static enum reason
do_lockout(struct reader *r, struct writer *w)
{
	struct tpm_lockout l;
	enum reason why = tpm_lockout(&tpm, &l);

	(void)r;
	if (why != REASON_OK)
		return why;
	wr_be32(w, l.counter, "counter");
	wr_be32(w, l.max, "max");
	wr_be32(w, l.interval, "interval");
	wr_be32(w, l.recovery, "recovery");
	return REASON_OK;
}

static enum reason (*const operations[])(struct reader *, struct writer *) = {
	[TPM_OP_BANKS] = do_banks, [TPM_OP_READ_EK] = do_read_ek, [TPM_OP_CREATE_AK] = do_create_ak,
	[TPM_OP_USE_AK] = do_use_ak, [TPM_OP_EVICT] = do_evict, [TPM_OP_ACTIVATE] = do_activate,
	[TPM_OP_QUOTE] = do_quote, [TPM_OP_PCRS] = do_pcrs,
	[TPM_OP_LOCKOUT] = do_lockout,
};
_Static_assert(COUNT(operations) == TPM_OP_COUNT, "one function an operation");

/* Reply head: reason, TPM code, commands so far; then the fields of a success. */
static bool
answer(uint8_t *request, size_t len, uint8_t *out, size_t size)
{
	struct reader r = rd_open(request, len);
	struct writer head = wr_open(out, 14), body = wr_open(out + 14, size - 14);
	uint8_t op = rd_u8(&r, "operation");
	enum reason why = op < TPM_OP_COUNT ? operations[op](&r, &body) : REASON_INTERNAL_ERROR;
	struct error e = { .code = ERR_NONE };

	if (why == REASON_OK && !wr_ok(&body, &e))
		why = REASON_INTERNAL_ERROR;
	wr_be16(&head, (uint16_t)why, "reason");
	wr_be32(&head, tpm.rc, "code");
	wr_be64(&head, tpm_commands(&tpm), "commands");
	return send(TPM_WIRE_FD, out, 14 + (why == REASON_OK ? body.used : 0), MSG_NOSIGNAL) > 0;
}

int
main(int argc, char **argv)
{
	static uint8_t request[TPM_WIRE_MAX], reply[TPM_WIRE_MAX];
	struct error e = { .code = ERR_NONE };
	ssize_t n;

	if (argc < 2 || argc > 3 || !argv[1][0] || (argc == 3 && strcmp(argv[2], TPM_NO_SANDBOX) != 0)) {
		fprintf(stderr, "attestd-tpm is started by attestd(8)\n");
		return 2;
	}
	if (!confine_process(&e) || (argc == 2 && !tpm_sandbox_enter(argv[1], &e))) {
		fprintf(stderr, "attestd-tpm: %s\n", e.why);
		return 1;
	}
	/* The TSS writes its complaints to a file that its environment names. */
	unsetenv("TSS2_LOGFILE");
	setenv("TSS2_LOG", "all+none", 1);
	tpm.tcti = argv[1];
	while ((n = recv(TPM_WIRE_FD, request, sizeof(request), 0)) > 0)
		if (!answer(request, (size_t)n, reply, sizeof(reply)))
			return 1;
	return n < 0;
}
