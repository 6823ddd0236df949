#include <stdio.h>
#include <string.h>
#include "file.h"
#include "hex.h"
#include "inspect.h"
#include "scope.h"
#include "tpm_types.h"

static bool
load(const char *path, size_t max, uint8_t **buf, size_t *len)
{
	struct error e = { .code = ERR_NONE };

	if (file_load(path, max, buf, len, &e))
		return true;
	fprintf(stderr, "verifierctl: %s\n", e.why);
	return false;
}

static void
put_fields(struct json *j, const struct quote *q)
{
	char hex[16], text[256];

	snprintf(hex, sizeof(hex), "0x%08x", q->magic);
	json_put_text(j, "magic", hex);
	snprintf(hex, sizeof(hex), "0x%04x", q->type);
	json_put_text(j, "type", hex);
	json_put_hex(j, "qualified_signer", q->signer.bytes, q->signer.size);
	json_put_hex(j, "extra_data", q->extra, q->extra_len);
	snprintf(text, sizeof(text), "%llu", (unsigned long long)q->clock);
	json_put_text(j, "clock", text);
	json_put_int(j, "reset_count", q->reset_count);
	json_put_int(j, "restart_count", q->restart_count);
	json_put_bool(j, "safe", q->safe);
	snprintf(text, sizeof(text), "0x%016llx", (unsigned long long)q->firmware);
	json_put_text(j, "firmware_version", text);
	if (selection_text(&q->selection, text, sizeof(text)))
		json_put_text(j, "selection", text);
	json_put_hex(j, "pcr_digest", q->pcr_digest, q->pcr_digest_len);
}

static void
check_signature(struct checks *c, const struct inspect_quote *in, const uint8_t *attest, size_t attest_len)
{
	own(mem) uint8_t *raw = NULL;
	own(mem) uint8_t *pem = NULL;
	struct verify_key *key = NULL;
	struct tpm_signature s;
	struct error e = { .code = ERR_NONE };
	size_t raw_len, pem_len;
	bool holds;

	if (!load(in->signature, TPM_SIGNATURE_MAX, &raw, &raw_len) || !load(in->ak, 64 << 10, &pem, &pem_len)) {
		checks_add(c, "signature", false, "a file cannot be read");
		return;
	}
	holds = signature_read(raw, raw_len, &s, &e) && verify_key_open_pem((const char *)pem, pem_len, &key, &e) &&
	    verify_key_check(key, &s, attest, attest_len, &e);
	checks_add(c, "signature", holds, e.why);
	verify_key_free(key);
}

static void
check_nonce(struct checks *c, const char *hex, const struct quote *q)
{
	uint8_t nonce[sizeof(q->extra)];
	size_t len = strlen(hex) / 2;
	bool good = len && len <= sizeof(nonce) && hex_bytes(hex, nonce, len);

	checks_add(c, "nonce", good && q->extra_len == len && same_bytes(nonce, q->extra, len),
	    good ? "extraData is something else" : "the nonce is not hex of 1 to 64 bytes");
}

static void
check_selection(struct checks *c, const char *text, const struct quote *q)
{
	struct selection want;
	struct error e = { .code = ERR_NONE };
	char why[300], have[256] = "";

	if (!selection_parse(text, &want, &e)) {
		checks_add(c, "selection", false, e.why);
		return;
	}
	selection_text(&q->selection, have, sizeof(have));
	snprintf(why, sizeof(why), "the quote covers %s", have[0] ? have : "nothing");
	checks_add(c, "selection", selection_same(&want, &q->selection), why);
}

int
inspect_quote(const struct ctl *ctl, const struct inspect_quote *in)
{
	own(json) struct json *j = json_new();
	own(mem) uint8_t *attest = NULL;
	struct quote q = { 0 };
	struct checks c;
	struct error e = { .code = ERR_NONE };
	size_t len;
	bool read;

	if (!load(in->attest, TPM_ATTEST_MAX, &attest, &len))
		return EXIT_REFUSED;
	checks_open(&c);
	read = quote_read(attest, len, &q, &e);
	checks_add(&c, "structure", read, e.why);
	if (read) {
		checks_add(&c, "magic", q.magic == TPM_GENERATED, "not made by a TPM");
		checks_add(&c, "type", q.type == TPM_ST_ATTEST_QUOTE, "not a quote");
		checks_add(&c, "pcrs", q.selection.count && q.pcr_digest_len, "covers no PCR");
	}
	check_signature(&c, in, attest, len);
	if (in->nonce)
		check_nonce(&c, in->nonce, &q);
	if (in->selection)
		check_selection(&c, in->selection, &q);
	json_put_int(j, "schema", 1);
	put_fields(j, &q);
	return inspect_print(ctl, j, checks_close(&c, j));
}
