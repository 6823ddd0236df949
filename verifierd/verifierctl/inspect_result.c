#include <stdio.h>
#include <string.h>
#include "clock.h"
#include "file.h"
#include "inspect.h"
#include "result.h"
#include "scope.h"

static const char *const claims[] = {
#define X(name, word) [CLAIM_##name] = word,
	TRUST_CLAIMS(X)
#undef X
};

static void
put_fields(struct json *j, const struct result *r)
{
	struct json *vector = json_new(), *reasons = json_new_list();

	json_put_text(j, "host", r->host);
	json_put_text(j, "host_id", r->host_id);
	json_put_text(j, "state", state_word(r->state));
	for (unsigned i = 0; i < CLAIM_COUNT; i++)
		json_put_int(vector, claims[i], r->claim[i]);
	json_put(j, "trustworthiness_vector", vector);
	for (unsigned i = 0; i < r->nreasons; i++)
		json_add_text(reasons, reason_code(r->reason[i]));
	json_put(j, "reasons", reasons);
	json_put_text(j, "ref", r->ref);
	json_put_hex(j, "ak", r->ak.bytes, r->ak.size);
	json_put_text(j, "boot_id", r->boot_id);
	json_put_int(j, "reset_count", r->reset_count);
	json_put_int(j, "restart_count", r->restart_count);
	json_put_hex(j, "nonce", r->nonce, sizeof(r->nonce));
	json_put_hex(j, "pcr_digest", r->pcr_digest, r->pcr_digest_len);
	json_put_text(j, "policy", r->policy);
	json_put_text(j, "references", r->references);
	json_put_text(j, "ceiling", mode_word(r->ceiling));
	json_put_time(j, "issued", r->issued_wall);
	json_put_time(j, "expires", r->expires_wall);
}

/* A token in a file of its own may end in a newline; nothing else may stand around it. */
static size_t
token_length(const char *text, size_t len)
{
	return len && text[len - 1] == '\n' ? len - 1 : len;
}

int
inspect_result(const struct ctl *ctl, const char *file, const char *jwks)
{
	own(json) struct json *j = json_new();
	own(mem) uint8_t *token = NULL;
	own(mem) uint8_t *keys_text = NULL;
	struct keyset keys;
	struct result r = { 0 };
	struct checks c;
	struct error e = { .code = ERR_NONE };
	size_t len, keys_len;
	bool have_keys;

	if (!file_load(file, JWS_MAX, &token, &len, &e) || !file_load(jwks, 64 << 10, &keys_text, &keys_len, &e)) {
		fprintf(stderr, "verifierctl: %s\n", e.why);
		return EXIT_REFUSED;
	}
	checks_open(&c);
	have_keys = jwks_read((const char *)keys_text, keys_len, &keys, &e);
	checks_add(&c, "keys", have_keys, e.why);
	if (have_keys) {
		bool holds = result_verify((const char *)token, token_length((const char *)token, len), &keys,
		    clock_now().wall, &r, &e);

		checks_add(&c, "result", holds, e.why);
		if (holds)
			put_fields(j, &r);
	}
	json_put_int(j, "schema", 1);
	return inspect_print(ctl, j, checks_close(&c, j));
}
