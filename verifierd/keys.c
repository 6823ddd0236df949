#include <sys/stat.h>
#include "file.h"
#include "keys.h"
#include "log.h"
#include "scope.h"

enum { PEM_MAX = 4096, PATH_TEXT = 512 };

static void drop_key(struct sign_key **k) { sign_key_free(*k); }

static bool
key_path(const char *state_dir, const char *name, char out[static PATH_TEXT], struct error *e)
{
	return snprintf(out, PATH_TEXT, "%s/keys/%s", state_dir, name) < PATH_TEXT ||
	    err_set(e, ERR_CONFIG, "state_dir: path too long");
}

static bool
load(const char *state_dir, const char *name, size_t max, uint8_t **text, size_t *len, struct error *e)
{
	char path[PATH_TEXT];

	return key_path(state_dir, name, path, e) && file_load(path, max, text, len, e);
}

static bool
load_key(const char *state_dir, const char *name, struct sign_key **out, struct error *e)
{
	own(mem) uint8_t *pem = NULL;
	size_t len;
	bool good;

	if (!load(state_dir, name, PEM_MAX, &pem, &len, e))
		return false;
	good = sign_key_read_pem((const char *)pem, len, out, e) || err_in(e, "keys/%s", name);
	explicit_bzero(pem, len);
	return good;
}

static bool
save(const char *state_dir, const char *name, const void *p, size_t len, struct error *e)
{
	char path[PATH_TEXT];

	return key_path(state_dir, name, path, e) && file_replace(path, p, len, 0600, true, e);
}

/* The key of this name, made when there is none. */
static bool
key_or_new(const char *state_dir, const char *name, struct sign_key **out, struct error *e)
{
	own(key) struct sign_key *key = NULL;
	char pem[PEM_MAX];
	size_t len;
	bool good;

	if (load_key(state_dir, name, out, e))
		return true;
	if (e->code != ERR_MISSING || !sign_key_make(&key, e) || !sign_key_pem(key, pem, sizeof(pem), &len, e))
		return false;
	good = save(state_dir, name, pem, len, e);
	explicit_bzero(pem, sizeof(pem));
	if (good)
		*out = give(key);
	return good;
}

/* Is the signed set there, by this root, and does it hold this result key? */
static bool
set_is_good(const char *state_dir, const struct public_key *root, const struct public_key *result, struct keyset *set)
{
	own(mem) uint8_t *jws = NULL;
	struct error e;
	size_t len;

	if (!load(state_dir, "keyset.jws", JWS_MAX, &jws, &len, &e) ||
	    !keyset_verify((const char *)jws, len, root, 0, set, &e))
		return false;
	for (unsigned i = 0; i < set->count; i++)
		if (!strcmp(set->key[i].kid, result->kid))
			return true;
	return false;
}

static bool
make_set(const char *state_dir, const struct sign_key *root, const struct public_key *root_public,
    const struct public_key *result, struct error *e)
{
	struct keyset set = { 0 };
	char jws[JWS_MAX];
	size_t len;

	if (set_is_good(state_dir, root_public, result, &set))
		return true;
	/* The serial only rises, also past a set that is there and lacks the key. */
	set.serial++;
	if (set.count == KEYSET_KEYS_MAX)
		set.count--;
	memmove(&set.key[1], &set.key[0], set.count * sizeof(set.key[0]));
	set.key[0] = *result;
	set.count++;
	return keyset_sign(root, &set, jws, sizeof(jws), &len, e) && save(state_dir, "keyset.jws", jws, len, e);
}

static bool
make_root_public(const char *state_dir, const struct public_key *root, struct error *e)
{
	char jwk[1024];

	return public_key_json(root, jwk, sizeof(jwk), e) && save(state_dir, "root.jwk", jwk, strlen(jwk), e);
}

bool
keys_make(const char *state_dir, struct error *e)
{
	own(key) struct sign_key *root = NULL, *result = NULL;
	struct public_key root_public, result_public;
	char dir[PATH_TEXT];

	if (!key_path(state_dir, "", dir, e))
		return false;
	if (mkdir(dir, 0700) < 0 && errno != EEXIST)
		return err_errno(e, "%.100s", dir);
	return key_or_new(state_dir, "root.pem", &root, e) && key_or_new(state_dir, "result.pem", &result, e) &&
	    sign_key_public(root, &root_public, e) && sign_key_public(result, &result_public, e) &&
	    make_root_public(state_dir, &root_public, e) && make_set(state_dir, root, &root_public, &result_public, e);
}

static bool
open_set(const char *state_dir, struct keys *k, struct error *e)
{
	own(mem) uint8_t *jwk = NULL, *jws = NULL;
	size_t jwk_len, jws_len;
	struct keyset set;

	if (!load(state_dir, "root.jwk", PEM_MAX, &jwk, &jwk_len, e) ||
	    !public_key_read((const char *)jwk, jwk_len, &k->root, e) ||
	    !load(state_dir, "keyset.jws", sizeof(k->keyset) - 1, &jws, &jws_len, e) ||
	    !keyset_verify((const char *)jws, jws_len, &k->root, 0, &set, e) ||
	    !jwks_json(&set, k->jwks, sizeof(k->jwks), e))
		return err_in(e, "%.100s/keys", state_dir);
	memcpy(k->keyset, jws, jws_len);
	k->keyset[jws_len] = '\0';
	return true;
}

static bool
open_shared(struct store *s, int64_t now, struct keys *k, struct error *e)
{
	if (!store_begin(s, e))
		return false;
	if (store_secret(s, "host-token", k->token_key, e) && store_secret(s, "recovery", k->recovery_key, e) &&
	    store_challenge_keys(s, now, CHALLENGE_KEY_LIFE_MS, &k->challenge, e))
		return store_commit(s, e);
	store_rollback(s);
	return false;
}

bool
keys_open(const char *state_dir, struct store *s, const struct clock *now, struct keys *k, struct error *e)
{
	*k = (struct keys){ .wall_offset = now->wall - now->boot };
	return load_key(state_dir, "result.pem", &k->result, e) && open_set(state_dir, k, e) && open_shared(s, now->wall, k, e);
}

void
keys_close(struct keys *k)
{
	sign_key_free(k->result);
	explicit_bzero(k, sizeof(*k));
}

bool
keys_rotate(struct keys *k, struct store *s, const struct clock *now, struct error *e)
{
	int64_t offset = now->wall - now->boot, step = offset - k->wall_offset;

	if (step > CLOCK_STEP_MS || step < -CLOCK_STEP_MS) {
		if (!store_challenge_keys_void(s, e))
			return false;
		k->challenge.count = 0;
		log_say(LOG_WARNING, "the clock was set by %lld s: challenges given out before are void", (long long)step / 1000);
	}
	k->wall_offset = offset;
	if (k->challenge.count && now->wall - k->challenge.key[0].made < CHALLENGE_KEY_LIFE_MS)
		return true;
	return open_shared(s, now->wall, k, e);
}

const uint8_t *
keys_challenge(const struct keys *k, uint32_t id)
{
	for (unsigned i = 0; i < k->challenge.count; i++)
		if (k->challenge.key[i].id == id)
			return k->challenge.key[i].key;
	return NULL;
}

bool
keys_host_token(const struct keys *k, const char *host_id, char out[static HOST_TOKEN_TEXT])
{
	uint8_t mac[SHA256_SIZE];

	return hmac_sha256(k->token_key, host_id, strlen(host_id), mac) &&
	    base64url_text(mac, sizeof(mac), out, HOST_TOKEN_TEXT) > 0;
}

bool
keys_recovery(const struct keys *k, const char *host_id, const struct tpm_name *ak, uint8_t out[static RECOVERY_KEY_SIZE])
{
	uint8_t input[BOOT_ID_TEXT + TPM_NAME_MAX];
	struct writer w = wr_open(input, sizeof(input));
	struct error e;

	wr_bytes(&w, host_id, strlen(host_id) + 1, "host");
	wr_bytes(&w, ak->bytes, ak->size, "ak");
	return wr_ok(&w, &e) && hmac_sha256(k->recovery_key, input, w.used, out);
}
