#include <fcntl.h>
#include <sys/stat.h>
#include "file.h"
#include "json.h"
#include "scope.h"
#include "state.h"

enum { STATE_FILE_MAX = 64 << 10 };

static bool
path_of(const char *dir, const char *name, char out[static PATH_TEXT + 32], struct error *e)
{
	int n = snprintf(out, PATH_TEXT + 32, "%s/%s", dir, name);

	return (n > 0 && n < PATH_TEXT + 32) || err_set(e, ERR_LIMIT, "%s/%s: path too long", dir, name);
}

/* *j is NULL when the file is not there. */
static bool
load(const char *dir, const char *name, struct json **j, struct error *e)
{
	char path[PATH_TEXT + 32];
	own(mem) uint8_t *text = NULL;
	size_t len;

	*j = NULL;
	if (!path_of(dir, name, path, e))
		return false;
	if (!file_load(path, STATE_FILE_MAX, &text, &len, e))
		return e->code == ERR_MISSING;
	return json_parse((const char *)text, len, j, e) || err_in(e, "%s", path);
}

static bool
save(const char *dir, const char *name, struct json *j, struct error *e)
{
	char path[PATH_TEXT + 32];
	own(mem) char *text = NULL;
	size_t len;

	return path_of(dir, name, path, e) && json_print(j, true, &text, &len, e) &&
	    file_replace(path, text, len, 0600, true, e);
}

static bool
set_ak(struct identity *id, const struct tpm_ak *ak, struct error *e)
{
	struct tpm_name name, signer;

	if (!public_name(ak->public, ak->public_len, &name, e))
		return false;
	if (!name_qualify(&name, TPM_RH_ENDORSEMENT, &signer))
		return err_set(e, ERR_FORMAT, "AK has no name");
	id->ak = *ak;
	id->ak_name = name;
	id->signer = signer;
	id->has_ak = true;
	return true;
}

static bool
load_ak(const char *dir, struct identity *id, struct error *e)
{
	own(json) struct json *j = NULL;
	struct tpm_ak ak = { 0 };
	int64_t handle = 0;

	if (!load(dir, "ak", &j, e))
		return false;
	if (!j)
		return true;
	return (json_bytes(j, "handle", ak.blob, sizeof(ak.blob), &ak.blob_len, e) &&
	    json_bytes(j, "public", ak.public, sizeof(ak.public), &ak.public_len, e) &&
	    json_int(j, "persistent", 0, UINT32_MAX, &handle, e) &&
	    (ak.handle = (uint32_t)handle, set_ak(id, &ak, e))) || err_in(e, "%s/ak", dir);
}

static bool
load_enrollment(const char *dir, struct identity *id, struct error *e)
{
	own(json) struct json *j = NULL;
	size_t len;

	if (!load(dir, "enrollment", &j, e))
		return false;
	if (!j)
		return true;
	if (!json_text(j, "id", id->enrollment, sizeof(id->enrollment), e))
		return err_in(e, "%s/enrollment", dir);
	id->pending = true;
	id->proved = json_has(j, "secret") && json_bytes(j, "secret", id->secret, sizeof(id->secret), &len, e) &&
	    len == SECRET_SIZE;
	return true;
}

static bool
load_identity(const char *dir, struct identity *id, struct error *e)
{
	own(json) struct json *j = NULL;
	own(mem) char *keyset = NULL;
	char root[512];

	if (!load(dir, "identity", &j, e))
		return false;
	if (!j)
		return true;
	keyset = calloc(1, JWS_MAX);
	if (!keyset)
		return err_set(e, ERR_MEMORY, "identity");
	if (!json_text(j, "host_id", id->host_id, sizeof(id->host_id), e) ||
	    !json_text(j, "name", id->name, sizeof(id->name), e) ||
	    !json_text(j, "token", id->token, sizeof(id->token), e) ||
	    !json_text(j, "root", root, sizeof(root), e) || !public_key_read(root, strlen(root), &id->root, e) ||
	    !json_text(j, "keys", keyset, JWS_MAX, e) ||
	    !keyset_verify(keyset, strlen(keyset), &id->root, 0, &id->keys, e))
		return err_in(e, "%s/identity", dir);
	id->active = true;
	return true;
}

bool
state_load(const char *dir, struct identity *out, struct error *e)
{
	struct identity id = { 0 };
	own(json) struct json *verifier = NULL;

	if (!load(dir, "verifier", &verifier, e))
		return false;
	if (verifier && !json_text(verifier, "url", id.url, sizeof(id.url), e))
		return err_in(e, "%s/verifier", dir);
	if (!load_ak(dir, &id, e) || !load_enrollment(dir, &id, e) || !load_identity(dir, &id, e))
		return false;
	id.pending = id.pending && !id.active;
	*out = id;
	return true;
}

bool
state_save_verifier(const char *dir, const char *url, const char *ca_pem, struct error *e)
{
	own(json) struct json *j = json_new();
	char path[PATH_TEXT + 32];

	json_put_text(j, "url", url);
	return path_of(dir, "ca.pem", path, e) && file_replace(path, ca_pem, strlen(ca_pem), 0644, true, e) &&
	    save(dir, "verifier", j, e);
}

bool
state_save_ak(const char *dir, const struct tpm_ak *ak, struct identity *id, struct error *e)
{
	own(json) struct json *j = json_new();

	json_put_bytes(j, "handle", ak->blob, ak->blob_len);
	json_put_bytes(j, "public", ak->public, ak->public_len);
	json_put_int(j, "persistent", ak->handle);
	return save(dir, "ak", j, e) && set_ak(id, ak, e);
}

bool
state_save_enrollment(const char *dir, const struct identity *id, struct error *e)
{
	own(json) struct json *j = json_new();

	json_put_text(j, "id", id->enrollment);
	if (id->proved)
		json_put_bytes(j, "secret", id->secret, sizeof(id->secret));
	return save(dir, "enrollment", j, e);
}

static bool
write_identity(const char *dir, const struct identity *id, const char *keyset, struct error *e)
{
	own(json) struct json *j = json_new();
	char root[512];

	if (!public_key_json(&id->root, root, sizeof(root), e))
		return false;
	json_put_text(j, "host_id", id->host_id);
	json_put_text(j, "name", id->name);
	json_put_text(j, "token", id->token);
	json_put_text(j, "root", root);
	json_put_text(j, "keys", keyset);
	return save(dir, "identity", j, e);
}

bool
state_save_identity(const char *dir, const struct enrolled *en, struct identity *id, struct error *e)
{
	struct identity new = *id;

	new.root = en->root;
	if (!keyset_verify(en->keyset, strlen(en->keyset), &en->root, 0, &new.keys, e))
		return false;
	strcpy(new.host_id, en->host_id);
	strcpy(new.name, en->name);
	strcpy(new.token, en->token);
	if (!state_keep_recovery(dir, en, e) || !write_identity(dir, &new, en->keyset, e))
		return false;
	new.active = true;
	*id = new;
	return true;
}

bool
state_save_keys(const char *dir, const char *keyset, struct identity *id, struct error *e)
{
	struct keyset keys;

	if (!keyset_verify(keyset, strlen(keyset), &id->root, id->keys.serial, &keys, e) ||
	    !write_identity(dir, id, keyset, e))
		return false;
	id->keys = keys;
	return true;
}

static bool
load_ceiling(const struct json *j, struct kept *k, struct error *e)
{
	char then[12];

	if (!json_has(j, "ceiling_until"))
		return true;
	return json_int(j, "ceiling_until", 1, INT64_MAX, &k->ceiling_until, e) &&
	    json_text(j, "ceiling_then", then, sizeof(then), e) &&
	    (mode_find(then, &k->ceiling_then) || err_set(e, ERR_FORMAT, "ceiling_then: no such mode"));
}

static bool
load_seen(const struct json *j, struct kept *k, struct error *e)
{
	int64_t clock = 0, reset;

	/* One of an older version has none: all the time that the TPM has counted is then time gone by, which ends grace early. */
	if (json_has(j, "tpm_clock") && !json_int(j, "tpm_clock", 0, INT64_MAX, &clock, e))
		return false;
	k->tpm_clock = (uint64_t)clock;
	if (!json_has(j, "seen_boot"))
		return true;
	if (!json_text(j, "seen_boot", k->seen.boot_id, sizeof(k->seen.boot_id), e) ||
	    !json_int(j, "seen_reset", 0, UINT32_MAX, &reset, e) || !json_int(j, "seen_at", 0, INT64_MAX, &k->seen.at, e) ||
	    !json_int(j, "seen_age", 0, INT64_MAX, &k->seen.age, e))
		return false;
	k->seen.reset_count = (uint32_t)reset;
	return true;
}

bool
gateway_load(const char *dir, struct identity *id, bool *there, struct error *e)
{
	own(json) struct json *j = NULL;
	own(mem) char *keyset = calloc(1, JWS_MAX);
	char root[512];

	if (!keyset)
		return err_set(e, ERR_MEMORY, "gateway");
	if (!load(dir, "gateway", &j, e))
		return false;
	*there = j != NULL;
	if (!j)
		return true;
	return (json_text(j, "root", root, sizeof(root), e) && public_key_read(root, strlen(root), &id->root, e) &&
	    json_text(j, "keys", keyset, JWS_MAX, e) && keyset_verify(keyset, strlen(keyset), &id->root, 0, &id->keys, e)) ||
	    err_in(e, "%s/gateway", dir);
}

bool
gateway_save(const char *dir, const char *keyset, struct identity *id, struct error *e)
{
	own(json) struct json *j = json_new();
	struct keyset keys;
	char root[512];

	if (!keyset_verify(keyset, strlen(keyset), &id->root, id->keys.serial, &keys, e) ||
	    !public_key_json(&id->root, root, sizeof(root), e))
		return false;
	json_put_text(j, "root", root);
	json_put_text(j, "keys", keyset);
	if (!save(dir, "gateway", j, e))
		return false;
	id->keys = keys;
	return true;
}

bool
state_load_recovery(const char *dir, struct recovery_kept *out, struct error *e)
{
	own(json) struct json *j = NULL;
	struct recovery_kept k;
	int64_t sequence, failures;
	size_t len;

	if (!load(dir, "recovery.key", &j, e))
		return false;
	if (!j)
		return err_set(e, ERR_MISSING, "no recovery key");
	if (!json_text(j, "host_id", k.host_id, sizeof(k.host_id), e) || !json_bytes(j, "key", k.key, sizeof(k.key), &len, e) ||
	    !json_int(j, "sequence", 0, RECOVERY_SEQUENCE_MAX, &sequence, e) || !json_int(j, "failures", 0, UINT16_MAX, &failures, e))
		return err_in(e, "%s/recovery.key", dir);
	if (len != sizeof(k.key))
		return err_set(e, ERR_FORMAT, "%s/recovery.key: key of %zu bytes", dir, len);
	k.sequence = (uint32_t)sequence;
	k.failures = (unsigned)failures;
	*out = k;
	return true;
}

bool
state_save_recovery(const char *dir, const struct recovery_kept *k, struct error *e)
{
	own(json) struct json *j = json_new();

	json_put_text(j, "host_id", k->host_id);
	json_put_bytes(j, "key", k->key, sizeof(k->key));
	json_put_int(j, "sequence", k->sequence);
	json_put_int(j, "failures", k->failures);
	return save(dir, "recovery.key", j, e);
}

bool
state_keep_recovery(const char *dir, const struct enrolled *en, struct error *e)
{
	struct recovery_kept k, had;
	struct error none;      /* that there is none yet is no news to whoever enrolls */

	if (!en->has_recovery)
		return true;
	if (state_load_recovery(dir, &had, &none) && !strcmp(had.host_id, en->host_id) &&
	    same_bytes(had.key, en->recovery, sizeof(had.key)))
		return true;
	k = (struct recovery_kept){ .sequence = 0 };
	memcpy(k.host_id, en->host_id, sizeof(k.host_id));
	memcpy(k.key, en->recovery, sizeof(k.key));
	return state_save_recovery(dir, &k, e);
}

bool
kept_load(const char *dir, const char *which, struct kept *out, struct error *e)
{
	own(json) struct json *j = NULL;
	struct kept k = { .there = true };
	char text[RECORD_MAX], selection[256];

	if (!load(dir, which, &j, e))
		return false;
	if (!j) {
		*out = (struct kept){ 0 };
		return true;
	}
	if (!json_text(j, "record", text, sizeof(text), e) || !record_parse(text, strlen(text), &k.record, e) ||
	    !json_text(j, "selection", selection, sizeof(selection), e) ||
	    !json_bytes(j, "pcr_digest", k.pcr_digest, sizeof(k.pcr_digest), &k.pcr_digest_len, e) || !load_seen(j, &k, e) ||
	    !load_ceiling(j, &k, e))
		return err_in(e, "%s/%s", dir, which);
	if (selection[0] && !selection_parse(selection, &k.selection, e))
		return err_in(e, "%s/%s", dir, which);
	*out = k;
	return true;
}

bool
kept_save(const char *dir, const char *which, const struct kept *k, struct error *e)
{
	own(json) struct json *j = json_new();
	char text[RECORD_MAX], selection[256] = "";
	size_t len;

	if (!record_format(&k->record, text, sizeof(text) - 1, &len, e))
		return false;
	text[len] = '\0';
	if (k->selection.count && !selection_text(&k->selection, selection, sizeof(selection)))
		return err_set(e, ERR_LIMIT, "selection");
	json_put_text(j, "record", text);
	json_put_text(j, "selection", selection);
	json_put_bytes(j, "pcr_digest", k->pcr_digest, k->pcr_digest_len);
	json_put_int(j, "tpm_clock", (int64_t)k->tpm_clock);
	if (k->ceiling_until) {
		json_put_int(j, "ceiling_until", k->ceiling_until);
		json_put_text(j, "ceiling_then", mode_word(k->ceiling_then));
	}
	if (k->seen.boot_id[0]) {
		json_put_text(j, "seen_boot", k->seen.boot_id);
		json_put_int(j, "seen_reset", k->seen.reset_count);
		json_put_int(j, "seen_at", k->seen.at);
		json_put_int(j, "seen_age", k->seen.age);
	}
	return save(dir, which, j, e);
}

bool
kept_drop(const char *dir, const char *which, struct error *e)
{
	char path[PATH_TEXT + 32];

	if (!path_of(dir, which, path, e))
		return false;
	return !unlink(path) || errno == ENOENT || err_errno(e, "unlink %s", path);
}

bool
state_arm(const char *dir, struct error *e)
{
	char path[PATH_TEXT + 32];

	if (!path_of(dir, "armed", path, e))
		return false;
	return !access(path, F_OK) || file_replace(path, "", 0, 0644, true, e);
}
