#include <sqlite3.h>
#include <stdarg.h>
#include <sys/stat.h>
#include "scope.h"
#include "store.h"
#include "store_sql.h"

_Static_assert(COUNT(migrations) == STORE_SCHEMA, "one migration a schema version");

enum statement {
#define X(name, sql) SQL_##name,
	STATEMENTS(X)
#undef X
	SQL_COUNT
};

static const char *const statements[] = {
#define X(name, sql) [SQL_##name] = sql,
	STATEMENTS(X)
#undef X
};

enum { BUSY_MS = 5000, BLOB_MAX = IPC_PAYLOAD_MAX };

struct store {
	sqlite3      *db;
	sqlite3_stmt *st[SQL_COUNT];
	bool          open;              /* a transaction is under way */
	bool          looking;           /* one that only reads */
};

/* --- words of the schema --- */

static const char *const enrollments[] = {
#define X(name, word) [ENROLLMENT_##name] = word,
	ENROLLMENTS(X)
#undef X
};

static const char *const set_states[] = {
#define X(name, word) [SET_##name] = word,
	SET_STATES(X)
#undef X
};

const char *
enrollment_word(enum enrollment v)
{
	return (unsigned)v < ENROLLMENT_COUNT ? enrollments[v] : "unknown";
}

const char *
set_state_word(enum set_state v)
{
	return (unsigned)v < SET_STATE_COUNT ? set_states[v] : "unknown";
}

static unsigned
word_index(const char *word, const char *const *words, unsigned n, unsigned otherwise)
{
	for (unsigned i = 0; i < n; i++)
		if (!strcmp(words[i], word))
			return i;
	return otherwise;
}

/* --- one statement --- */

static bool
db_error(struct store *s, int rc, struct error *e)
{
	enum err code = (rc & 0xff) == SQLITE_CONSTRAINT ? ERR_CONFLICT : ERR_SYSTEM;

	return err_set(e, code, "store: %s", s->db ? sqlite3_errmsg(s->db) : sqlite3_errstr(rc));
}

/* Ends a statement, so that it holds no lock and none of the caller's memory. */
static void
drop_ask(sqlite3_stmt **st)
{
	if (*st) {
		sqlite3_reset(*st);
		sqlite3_clear_bindings(*st);
	}
}

/*
 * A statement with its values: t text, i int64_t, b blob (pointer, size_t), n (a condition as int:
 * zero makes the value behind it NULL). The memory stays the caller's until the statement ends.
 */
static sqlite3_stmt *
ask(struct store *s, enum statement which, const char *kinds, ...)
{
	sqlite3_stmt *st = s->st[which];
	bool there = true;
	int at = 0, rc = SQLITE_OK;
	va_list ap;

	va_start(ap, kinds);
	for (; *kinds && rc == SQLITE_OK; kinds++) {
		if (*kinds == 'n') {
			there = va_arg(ap, int);
			continue;
		}
		at++;
		if (*kinds == 't') {
			rc = sqlite3_bind_text(st, at, va_arg(ap, const char *), -1, SQLITE_STATIC);
		} else if (*kinds == 'i') {
			rc = sqlite3_bind_int64(st, at, va_arg(ap, int64_t));
		} else {
			const void *p = va_arg(ap, const void *);
			size_t n = va_arg(ap, size_t);

			rc = n > BLOB_MAX ? SQLITE_TOOBIG : !there ? sqlite3_bind_null(st, at) :
			    sqlite3_bind_blob(st, at, n ? p : "", (int)n, SQLITE_STATIC);
			there = true;
		}
	}
	va_end(ap);
	if (rc == SQLITE_OK)
		return st;
	drop_ask(&st);
	return NULL;
}

static bool
next(struct store *s, sqlite3_stmt *st, bool *row, struct error *e)
{
	int rc = st ? sqlite3_step(st) : SQLITE_TOOBIG;

	*row = rc == SQLITE_ROW;
	return rc == SQLITE_ROW || rc == SQLITE_DONE || db_error(s, rc, e);
}

/* For what gives no rows. */
#define DO(s, e, ...) run((s), ask((s), __VA_ARGS__), (e))
static bool
run(struct store *s, sqlite3_stmt *st, struct error *e)
{
	bool row, good = next(s, st, &row, e);

	drop_ask(&st);
	return good;
}

/* For the one row that is looked for. */
static bool
first(struct store *s, sqlite3_stmt *st, const char *what, struct error *e)
{
	bool row;

	return next(s, st, &row, e) && (row || err_set(e, ERR_MISSING, "no such %s", what));
}

/* Is there such a row? */
static bool
any(struct store *s, sqlite3_stmt *st, bool *found, struct error *e)
{
	bool good = next(s, st, found, e);

	drop_ask(&st);
	return good;
}

static int64_t  col_int(sqlite3_stmt *st, int c) { return sqlite3_column_int64(st, c); }
static uint32_t col_u32(sqlite3_stmt *st, int c) { return (uint32_t)sqlite3_column_int64(st, c); }

static void
col_text(sqlite3_stmt *st, int c, char *out, size_t size)
{
	const char *text = (const char *)sqlite3_column_text(st, c);
	size_t n = text ? strnlen(text, size - 1) : 0;

	if (n)
		memcpy(out, text, n);
	out[n] = '\0';
}

/* Bytes of a blob, at most size of them; their number. */
static size_t
col_bytes(sqlite3_stmt *st, int c, uint8_t *out, size_t size)
{
	const void *p = sqlite3_column_blob(st, c);
	size_t n = (size_t)sqlite3_column_bytes(st, c);

	if (!p || n > size)
		return 0;
	memcpy(out, p, n);
	return n;
}

static void
col_name(sqlite3_stmt *st, int c, struct tpm_name *out)
{
	out->size = (uint16_t)col_bytes(st, c, out->bytes, sizeof(out->bytes));
}

static bool
col_copy(sqlite3_stmt *st, int c, uint8_t **out, size_t *len, struct error *e)
{
	const void *p = sqlite3_column_blob(st, c);
	size_t n = (size_t)sqlite3_column_bytes(st, c);
	uint8_t *copy = malloc(n ? n : 1);

	if (!copy)
		return err_set(e, ERR_MEMORY, "a row of %zu bytes", n);
	if (n)
		memcpy(copy, p, n);
	*out = copy;
	*len = n;
	return true;
}

static enum state
col_state(sqlite3_stmt *st, int c)
{
	const char *word = (const char *)sqlite3_column_text(st, c);
	enum state v = STATE_NONE;

	if (word)
		(void)state_find(word, &v);
	return v;
}

static enum reason
col_reason(sqlite3_stmt *st, int c)
{
	const char *word = (const char *)sqlite3_column_text(st, c);
	enum reason v = REASON_INTERNAL_ERROR;

	if (word)
		(void)reason_find(word, &v);
	return v;
}

/* --- opening --- */

static bool
run_text(struct store *s, const char *sql, struct error *e)
{
	int rc = sqlite3_exec(s->db, sql, NULL, NULL, NULL);

	return rc == SQLITE_OK || db_error(s, rc, e);
}

static bool
schema_version(struct store *s, int *version, struct error *e)
{
	sqlite3_stmt *st = NULL;
	int rc = sqlite3_prepare_v2(s->db, "PRAGMA user_version", -1, &st, NULL);

	if (rc == SQLITE_OK)
		rc = sqlite3_step(st);
	if (rc == SQLITE_ROW)
		*version = sqlite3_column_int(st, 0);
	sqlite3_finalize(st);
	return rc == SQLITE_ROW || db_error(s, rc, e);
}

/* Each step is a transaction of its own: a start that was killed goes on where it was. */
static bool
migrate_step(struct store *s, int version, struct error *e)
{
	char stamp[64];

	snprintf(stamp, sizeof(stamp), "PRAGMA user_version = %d", version + 1);
	if (!run_text(s, "BEGIN IMMEDIATE", e))
		return false;
	if (run_text(s, migrations[version], e) && run_text(s, stamp, e) && run_text(s, "COMMIT", e))
		return true;
	sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
	return err_in(e, "schema version %d", version + 1);
}

static bool
migrate(struct store *s, struct error *e)
{
	int version = 0;

	if (!schema_version(s, &version, e))
		return false;
	if (version < 0 || version > STORE_SCHEMA)
		return err_set(e, ERR_CONFIG, "store has schema %d, this verifierd knows %d: install the newer one",
		    version, STORE_SCHEMA);
	for (; version < STORE_SCHEMA; version++)
		if (!migrate_step(s, version, e))
			return false;
	return true;
}

static bool
prepare(struct store *s, struct error *e)
{
	for (unsigned i = 0; i < SQL_COUNT; i++) {
		int rc = sqlite3_prepare_v3(s->db, statements[i], -1, SQLITE_PREPARE_PERSISTENT, &s->st[i], NULL);

		if (rc != SQLITE_OK)
			return db_error(s, rc, e);
	}
	return true;
}

void
store_close(struct store *s)
{
	if (!s)
		return;
	store_rollback(s);
	store_looked(s);
	for (unsigned i = 0; i < SQL_COUNT; i++)
		sqlite3_finalize(s->st[i]);
	sqlite3_close(s->db);
	free(s);
}

bool
store_open(const char *url, struct store **out, struct error *e)
{
	static const char settings[] = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
	    /* 1 MiB of pages: what an attestation touches, and a size that core reaches soon and keeps. */
	    "PRAGMA trusted_schema = OFF; PRAGMA temp_store = MEMORY; PRAGMA cache_size = -1024";
	own(store) struct store *s = NULL;
	mode_t before;
	int rc;

	if (strncmp(url, "sqlite:/", 8) != 0)
		return err_set(e, ERR_CONFIG, "store url '%.60s': sqlite:/PATH is wanted", url);
	s = calloc(1, sizeof(*s));
	if (!s)
		return err_set(e, ERR_MEMORY, "store");
	before = umask(077);
	rc = sqlite3_open_v2(url + 7, &s->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX |
	    SQLITE_OPEN_EXRESCODE | SQLITE_OPEN_NOFOLLOW, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_busy_timeout(s->db, BUSY_MS);
	if (rc != SQLITE_OK) {
		umask(before);
		return db_error(s, rc, e) || err_in(e, "%.100s", url);
	}
	/* Foreign keys hold from then on: a step may put a table in the place of another. */
	if (!run_text(s, settings, e) || !migrate(s, e) || !run_text(s, "PRAGMA foreign_keys = ON", e) || !prepare(s, e)) {
		umask(before);
		return err_in(e, "%.100s", url);
	}
	umask(before);
	*out = give(s);
	return true;
}

void
store_look(struct store *s)
{
	struct error e;

	if (!s->open && !s->looking)
		s->looking = DO(s, &e, SQL_LOOK, "");
}

void
store_looked(struct store *s)
{
	struct error e;

	if (s->looking)
		(void)DO(s, &e, SQL_COMMIT, "");
	s->looking = false;
}

bool
store_begin(struct store *s, struct error *e)
{
	store_looked(s);
	s->open = DO(s, e, SQL_BEGIN, "");
	return s->open;
}

bool
store_commit(struct store *s, struct error *e)
{
	if (DO(s, e, SQL_COMMIT, "")) {
		s->open = false;
		return true;
	}
	store_rollback(s);
	return false;
}

void
store_rollback(struct store *s)
{
	struct error e;

	if (s->open)
		(void)DO(s, &e, SQL_ROLLBACK, "");
	s->open = false;
}

/* --- secrets --- */

bool
store_secret(struct store *s, const char *name, uint8_t out[static 32], struct error *e)
{
	uint8_t value[32];
	own(ask) sqlite3_stmt *st = NULL;

	if (!random_bytes(value, sizeof(value)))
		return err_set(e, ERR_CRYPTO, "no random bytes");
	if (!DO(s, e, SQL_SECRET_MAKE, "tb", name, value, sizeof(value)))
		return false;
	st = ask(s, SQL_SECRET, "t", name);
	if (!first(s, st, "secret", e))
		return false;
	return col_bytes(st, 0, out, 32) == 32 || err_set(e, ERR_FORMAT, "store: secret %s is damaged", name);
}

static bool
challenge_key_make(struct store *s, int64_t now, int64_t life, struct error *e)
{
	uint8_t key[32];
	bool fresh;

	if (!any(s, ask(s, SQL_CKEY_NEWEST, "i", now - life), &fresh, e) || fresh)
		return fresh;
	if (!random_bytes(key, sizeof(key)))
		return err_set(e, ERR_CRYPTO, "no random bytes");
	return DO(s, e, SQL_CKEY_MAKE, "bi", key, sizeof(key), now) && DO(s, e, SQL_CKEY_FORGET, "i", now - 2 * life);
}

bool
store_challenge_keys_void(struct store *s, struct error *e)
{
	if (!store_begin(s, e))
		return false;
	if (DO(s, e, SQL_CKEY_FORGET_ALL, ""))
		return store_commit(s, e);
	store_rollback(s);
	return false;
}

bool
store_challenge_keys(struct store *s, int64_t now, int64_t life, struct challenge_keys *out, struct error *e)
{
	struct challenge_keys all = { 0 };
	own(ask) sqlite3_stmt *st = NULL;
	bool row;

	if (!challenge_key_make(s, now, life, e))
		return false;
	st = ask(s, SQL_CKEYS, "i", (int64_t)CHALLENGE_KEYS);
	while (all.count < CHALLENGE_KEYS) {
		if (!next(s, st, &row, e))
			return false;
		if (!row)
			break;
		all.key[all.count].id = col_u32(st, 0);
		all.key[all.count].made = col_int(st, 2);
		if (col_bytes(st, 1, all.key[all.count].key, 32) != 32)
			return err_set(e, ERR_FORMAT, "store: challenge key %u is damaged", all.key[all.count].id);
		all.count++;
	}
	*out = all;
	return true;
}

/* --- hosts --- */

static void
read_identity(sqlite3_stmt *st, int c, struct identity *k)
{
	col_text(st, c, k->ek, sizeof(k->ek));
	col_text(st, c + 1, k->ek_subject, sizeof(k->ek_subject));
	k->ek_not_after = col_int(st, c + 2);
	col_name(st, c + 3, &k->ak);
	col_name(st, c + 4, &k->signer);
	k->spki_len = col_bytes(st, c + 5, k->spki, sizeof(k->spki));
	k->hash = (uint16_t)col_int(st, c + 6);
	k->banks = col_u32(st, c + 7);
}

static const char *const classes[] = {
#define X(name, word) word,
	EVIDENCE_CLASSES(X)
#undef X
};

static void
read_host(sqlite3_stmt *st, struct host_row *h)
{
	char word[16];

	*h = (struct host_row){ 0 };
	col_text(st, 0, h->id, sizeof(h->id));
	col_text(st, 1, h->name, sizeof(h->name));
	col_text(st, 2, h->group, sizeof(h->group));
	col_text(st, 3, word, sizeof(word));
	h->state = (enum enrollment)word_index(word, enrollments, COUNT(enrollments), ENROLLMENT_REVOKED);
	read_identity(st, 4, &h->key);
	h->enrolled = col_int(st, 12);
	h->gave_log = col_int(st, 13);
	h->at = col_int(st, 14);
	h->verdict = col_state(st, 15);
	h->reason = col_reason(st, 16);
	col_text(st, 17, h->ref, sizeof(h->ref));
	col_text(st, 18, h->references, sizeof(h->references));
	h->seen = col_int(st, 19);
	col_text(st, 20, h->boot_id, sizeof(h->boot_id));
	h->reset_count = col_u32(st, 21);
	h->restart_count = col_u32(st, 22);
	h->clock = (uint64_t)col_int(st, 23);
	col_text(st, 24, word, sizeof(word));
	h->class = (enum evidence_class)word_index(word, classes, COUNT(classes), CLASS_LOG);
}

static bool
one_host(struct store *s, sqlite3_stmt *asked, struct host_row *out, struct error *e)
{
	own(ask) sqlite3_stmt *st = asked;

	if (!first(s, st, "host", e))
		return false;
	read_host(st, out);
	return true;
}

bool
store_host_by_ak(struct store *s, const struct tpm_name *ak, struct host_row *out, struct error *e)
{
	return one_host(s, ask(s, SQL_HOST_BY_AK, "b", ak->bytes, (size_t)ak->size), out, e);
}

bool
store_host_by_id(struct store *s, const char *id, struct host_row *out, struct error *e)
{
	return one_host(s, ask(s, SQL_HOST_BY_ID, "t", id), out, e);
}

bool
store_host_by_name(struct store *s, const char *name, struct host_row *out, struct error *e)
{
	return one_host(s, ask(s, SQL_HOST_BY_NAME, "t", name), out, e);
}

bool
store_host_by_ek(struct store *s, const char *ek, struct host_row *out, struct error *e)
{
	return one_host(s, ask(s, SQL_HOST_BY_EK, "t", ek), out, e);
}

bool
store_hosts(struct store *s, host_fn *fn, void *arg, struct error *e)
{
	own(ask) sqlite3_stmt *st = ask(s, SQL_HOSTS, "");
	struct host_row h;
	bool row;

	while (next(s, st, &row, e)) {
		if (!row)
			return true;
		read_host(st, &h);
		if (!fn(arg, &h, e))
			return false;
	}
	return false;
}

#define KEY_KINDS "ttibbbii"
#define KEY_VALUES(k) (k)->ek, (k)->ek_subject, (k)->ek_not_after, (k)->ak.bytes, (size_t)(k)->ak.size, \
	(k)->signer.bytes, (size_t)(k)->signer.size, (k)->spki, (k)->spki_len, (int64_t)(k)->hash, (int64_t)(k)->banks

bool
store_host_put(struct store *s, const struct host_row *h, struct error *e)
{
	return DO(s, e, SQL_HOST_PUT, "tttt" KEY_KINDS "i", h->id, h->name, h->group, enrollment_word(h->state),
	    KEY_VALUES(&h->key), h->enrolled);
}

bool
store_host_class(struct store *s, const char *id, enum evidence_class class, struct error *e)
{
	return DO(s, e, SQL_HOST_CLASS, "tt", id, classes[class]);
}

bool
store_host_state(struct store *s, const char *id, enum enrollment state, struct error *e)
{
	return DO(s, e, SQL_HOST_STATE, "tt", id, enrollment_word(state));
}

bool
store_host_group(struct store *s, const char *id, const char *group, struct error *e)
{
	return DO(s, e, SQL_HOST_GROUP, "tt", id, group);
}

bool
store_host_name(struct store *s, const char *id, const char *name, struct error *e)
{
	return DO(s, e, SQL_HOST_NAME, "tt", id, name);
}

/* The host last: the others refer to it. */
bool
store_host_drop(struct store *s, const char *id, struct error *e)
{
	return DO(s, e, SQL_DROP_REPORTS, "t", id) && DO(s, e, SQL_DROP_IMA, "t", id) && DO(s, e, SQL_DROP_BATCHES, "t", id) &&
	    DO(s, e, SQL_DROP_EVENTS, "t", id) && DO(s, e, SQL_MODES_DROP, "t", id) && DO(s, e, SQL_DROP_LEASES, "t", id) &&
	    DO(s, e, SQL_DROP_PASSPORTS, "t", id) && DO(s, e, SQL_DROP_GATEWAYS, "t", id) &&
	    DO(s, e, SQL_DROP_ENROLLS, "t", id) && DO(s, e, SQL_DROP_OWN_SETS, "t", id) && DO(s, e, SQL_HOST_DROP, "t", id);
}

bool
store_host_report(struct store *s, const struct host_row *h, const char *jws, struct error *e)
{
	return DO(s, e, SQL_HOST_REPORT, "tiittttitiiit", h->id, (int64_t)h->gave_log, h->at, state_word(h->verdict),
	    reason_code(h->reason), h->ref, h->references, (int64_t)h->seen, h->boot_id, (int64_t)h->reset_count,
	    (int64_t)h->restart_count, (int64_t)h->clock, jws);
}

bool
store_newest(struct store *s, const char *id, char *jws, size_t size, struct error *e)
{
	own(ask) sqlite3_stmt *st = ask(s, SQL_NEWEST, "t", id);

	if (!first(s, st, "result", e))
		return false;
	col_text(st, 0, jws, size);
	return true;
}

/* --- enrollments --- */

static void
read_enrollment(sqlite3_stmt *st, struct enrollment_row *r)
{
	char word[16];

	*r = (struct enrollment_row){ 0 };
	col_text(st, 0, r->id, sizeof(r->id));
	col_text(st, 1, r->name, sizeof(r->name));
	col_text(st, 2, r->host_id, sizeof(r->host_id));
	col_text(st, 3, word, sizeof(word));
	r->state = (enum enrollment)word_index(word, enrollments, COUNT(enrollments), ENROLLMENT_REJECTED);
	(void)col_bytes(st, 4, r->secret, sizeof(r->secret));
	r->has_token = col_bytes(st, 5, r->token, sizeof(r->token)) == sizeof(r->token);
	read_identity(st, 6, &r->key);
	r->created = col_int(st, 14);
}

static bool
one_enrollment(struct store *s, sqlite3_stmt *asked, struct enrollment_row *out, struct error *e)
{
	own(ask) sqlite3_stmt *st = asked;

	if (!first(s, st, "enrollment", e))
		return false;
	read_enrollment(st, out);
	return true;
}

bool
store_enrollment_add(struct store *s, const struct enrollment_row *r, struct error *e)
{
	return DO(s, e, SQL_ENROLL_ADD, "ttttbnb" KEY_KINDS "i", r->id, r->name, r->host_id, enrollment_word(r->state),
	    r->secret, sizeof(r->secret), (int)r->has_token, r->token, sizeof(r->token), KEY_VALUES(&r->key), r->created);
}

bool
store_enrollment(struct store *s, const char *id, struct enrollment_row *out, struct error *e)
{
	return one_enrollment(s, ask(s, SQL_ENROLL, "t", id), out, e);
}

bool
store_enrollment_pending(struct store *s, const char *name, struct enrollment_row *out, struct error *e)
{
	return one_enrollment(s, ask(s, SQL_ENROLL_PENDING, "t", name), out, e);
}

bool
store_enrollment_by_ak(struct store *s, const struct tpm_name *ak, struct enrollment_row *out, struct error *e)
{
	return one_enrollment(s, ask(s, SQL_ENROLL_BY_AK, "b", ak->bytes, (size_t)ak->size), out, e);
}

bool
store_enrollment_state(struct store *s, const char *id, enum enrollment state, struct error *e)
{
	return DO(s, e, SQL_ENROLL_STATE, "tt", id, enrollment_word(state));
}

bool
store_enrollments_pending(struct store *s, enrollment_fn *fn, void *arg, struct error *e)
{
	own(ask) sqlite3_stmt *st = ask(s, SQL_ENROLLS_PENDING, "");
	struct enrollment_row r;
	bool row;

	while (next(s, st, &row, e)) {
		if (!row)
			return true;
		read_enrollment(st, &r);
		if (!fn(arg, &r, e))
			return false;
	}
	return false;
}

bool
store_enrollments_purge(struct store *s, int64_t before, struct error *e)
{
	return DO(s, e, SQL_ENROLLS_PURGE, "i", before);
}

bool
store_token_add(struct store *s, const uint8_t hash[static SHA256_SIZE], int64_t expires, struct error *e)
{
	return DO(s, e, SQL_TOKEN_ADD, "bi", hash, (size_t)SHA256_SIZE, expires);
}

bool
store_token_good(struct store *s, const uint8_t hash[static SHA256_SIZE], int64_t now, bool *good, struct error *e)
{
	return any(s, ask(s, SQL_TOKEN_GOOD, "bi", hash, (size_t)SHA256_SIZE, now), good, e);
}

bool
store_token_use(struct store *s, const uint8_t hash[static SHA256_SIZE], int64_t now, const char *by, bool *used,
    struct error *e)
{
	if (!DO(s, e, SQL_TOKEN_USE, "bit", hash, (size_t)SHA256_SIZE, now, by))
		return false;
	*used = sqlite3_changes(s->db) == 1;
	return true;
}

/* --- evidence --- */

bool
store_challenge_use(struct store *s, const uint8_t id[static CHALLENGE_ID_SIZE], int64_t expires, bool *fresh,
    struct error *e)
{
	if (!DO(s, e, SQL_CHALLENGE_USE, "bi", id, (size_t)CHALLENGE_ID_SIZE, expires))
		return false;
	*fresh = sqlite3_changes(s->db) == 1;
	return true;
}

bool
store_challenges_purge(struct store *s, int64_t expired_before, struct error *e)
{
	return DO(s, e, SQL_CHALLENGES_PURGE, "i", expired_before);
}

void
report_row_free(struct report_row *r)
{
	free(r->verdict);
	free(r->quote);
	r->verdict = r->quote = NULL;
}

static void
read_report(sqlite3_stmt *st, struct report_row *r)
{
	*r = (struct report_row){ 0 };
	col_text(st, 0, r->ref, sizeof(r->ref));
	col_text(st, 1, r->host_id, sizeof(r->host_id));
	r->at = col_int(st, 2);
	r->state = col_state(st, 3);
	r->reason = col_reason(st, 4);
	r->vouched = col_int(st, 5);
	r->replayed = col_int(st, 6);
	r->has_log = col_bytes(st, 7, r->log, sizeof(r->log)) == sizeof(r->log);
	r->bank = (enum bank)(col_int(st, 8) % BANK_COUNT);
	r->pcrs = col_u32(st, 9);
	col_text(st, 10, r->boot_id, sizeof(r->boot_id));
}

static bool
one_report(struct store *s, sqlite3_stmt *asked, struct report_row *out, struct error *e)
{
	own(ask) sqlite3_stmt *st = asked;
	own(report) struct report_row r = { 0 };

	if (!first(s, st, "report", e))
		return false;
	read_report(st, &r);
	if (!col_copy(st, 11, &r.verdict, &r.verdict_len, e) || !col_copy(st, 12, &r.quote, &r.quote_len, e))
		return false;
	*out = r;
	r.verdict = r.quote = NULL;
	return true;
}

bool
store_report_add(struct store *s, const struct report_row *r, struct error *e)
{
	return DO(s, e, SQL_REPORT_ADD, "ttittiinbiitbb", r->ref, r->host_id, r->at, state_word(r->state),
	    reason_code(r->reason), (int64_t)r->vouched, (int64_t)r->replayed, (int)r->has_log, r->log, sizeof(r->log),
	    (int64_t)r->bank, (int64_t)r->pcrs, r->boot_id, r->verdict, r->verdict_len, r->quote, r->quote_len);
}

bool
store_report(struct store *s, const char *ref, struct report_row *out, struct error *e)
{
	return one_report(s, ask(s, SQL_REPORT, "t", ref), out, e);
}

bool
store_report_replayed(struct store *s, const char *host_id, struct report_row *out, struct error *e)
{
	return one_report(s, ask(s, SQL_REPORT_REPLAYED, "t", host_id), out, e);
}

bool
store_reports(struct store *s, const char *host_id, unsigned limit, report_fn *fn, void *arg, struct error *e)
{
	own(ask) sqlite3_stmt *st = ask(s, SQL_REPORTS, "ti", host_id, (int64_t)limit);
	struct report_row r;
	bool row;

	while (next(s, st, &row, e)) {
		if (!row)
			return true;
		read_report(st, &r);
		if (!fn(arg, &r, e))
			return false;
	}
	return false;
}

bool
store_reports_purge(struct store *s, int64_t before, unsigned most, struct error *e)
{
	return DO(s, e, SQL_REPORTS_PURGE, "ii", before, (int64_t)most);
}

bool
store_reports_trim(struct store *s, const char *host_id, unsigned keep, struct error *e)
{
	return DO(s, e, SQL_REPORTS_TRIM, "ti", host_id, (int64_t)keep);
}

bool
store_log_known(struct store *s, const char *host_id, const uint8_t digest[static SHA256_SIZE], bool *known,
    struct error *e)
{
	return any(s, ask(s, SQL_LOG_KNOWN, "tb", host_id, digest, (size_t)SHA256_SIZE), known, e);
}

bool
store_log_note(struct store *s, const char *host_id, const uint8_t digest[static SHA256_SIZE], int64_t now,
    struct error *e)
{
	return DO(s, e, SQL_LOG_NOTE, "tbi", host_id, digest, (size_t)SHA256_SIZE, now);
}

static bool
log_oldest(struct store *s, const char *host_id, unsigned keep, uint8_t *digest, struct error *e)
{
	own(ask) sqlite3_stmt *st = ask(s, SQL_LOG_OLDEST, "ti", host_id, (int64_t)keep);

	if (!first(s, st, "log", e))
		return false;
	return col_bytes(st, 0, digest, SHA256_SIZE) == SHA256_SIZE || err_set(e, ERR_FORMAT, "store: a log row is damaged");
}

bool
store_log_drop(struct store *s, const char *host_id, unsigned keep, uint8_t digest[static SHA256_SIZE], bool *orphan,
    struct error *e)
{
	bool held;

	if (!log_oldest(s, host_id, keep, digest, e) ||
	    !DO(s, e, SQL_LOG_DROP, "tb", host_id, digest, (size_t)SHA256_SIZE) ||
	    !any(s, ask(s, SQL_LOG_HELD, "b", digest, (size_t)SHA256_SIZE), &held, e))
		return false;
	*orphan = !held;
	return true;
}

/* --- IMA --- */

void
ima_row_free(struct ima_row *r)
{
	free(r->state);
	r->state = NULL;
}

bool
store_ima(struct store *s, const char *host_id, struct ima_row *out, struct error *e)
{
	own(ask) sqlite3_stmt *st = ask(s, SQL_IMA, "t", host_id);
	struct ima_row r = { .entries = 0 };

	if (!first(s, st, "IMA state", e))
		return false;
	if (col_bytes(st, 0, r.key, sizeof(r.key)) != sizeof(r.key))
		return err_set(e, ERR_FORMAT, "store: IMA state of %s is damaged", host_id);
	r.entries = (uint64_t)col_int(st, 1);
	r.violations = (uint64_t)col_int(st, 2);
	r.pending = (uint64_t)col_int(st, 3);
	r.refused = col_int(st, 4);
	if (!col_copy(st, 5, &r.state, &r.state_len, e))
		return false;
	*out = r;
	return true;
}

bool
store_ima_put(struct store *s, const char *host_id, const struct ima_row *r, struct error *e)
{
	return DO(s, e, SQL_IMA_PUT, "tbiiiib", host_id, r->key, sizeof(r->key), (int64_t)r->entries, (int64_t)r->violations,
	    (int64_t)r->pending, (int64_t)r->refused, r->state, r->state_len);
}

/* --- references --- */

void
set_row_free(struct set_row *r)
{
	free(r->body);
	r->body = NULL;
}

void
set_label(const struct set_row *r, char out[static LABEL_TEXT])
{
	snprintf(out, LABEL_TEXT, "%s/%u", r->name, r->version);
}

enum { SET_BODY = 13 };                 /* column, after SET_COLS */

static void
read_set(sqlite3_stmt *st, struct set_row *r)
{
	char word[16];

	*r = (struct set_row){ 0 };
	col_text(st, 0, r->name, sizeof(r->name));
	r->version = col_u32(st, 1);
	col_text(st, 2, word, sizeof(word));
	r->state = (enum set_state)word_index(word, set_states, COUNT(set_states), SET_CANDIDATE);
	(void)col_bytes(st, 3, r->digest, sizeof(r->digest));
	col_text(st, 4, r->group, sizeof(r->group));
	col_text(st, 5, r->host_id, sizeof(r->host_id));
	col_text(st, 6, r->origin, sizeof(r->origin));
	col_text(st, 7, r->report, sizeof(r->report));
	r->entries = col_u32(st, 8);
	r->created = col_int(st, 9);
	r->expires = col_int(st, 10);
	r->own = col_int(st, 11);
	r->revoked = col_u32(st, 12);
}

bool
store_set_add(struct store *s, const struct set_row *r, uint32_t *version, struct error *e)
{
	own(ask) sqlite3_stmt *st = ask(s, SQL_SET_ADD, "ttbttttiiiib", r->name, set_state_word(r->state), r->digest,
	    sizeof(r->digest), r->group, r->host_id, r->origin, r->report, (int64_t)r->entries, r->created, r->expires,
	    (int64_t)r->own, r->body, r->body_len);
	bool row;
	uint32_t v;

	if (!first(s, st, "set", e))
		return false;
	v = col_u32(st, 0);
	if (!next(s, st, &row, e))           /* the insert is done when RETURNING has no more rows */
		return false;
	*version = v;
	return true;
}

bool
store_set(struct store *s, const char *name, uint32_t version, struct set_row *out, struct error *e)
{
	own(ask) sqlite3_stmt *st = ask(s, SQL_SET, "ti", name, (int64_t)version);
	struct set_row r;

	if (!first(s, st, "reference set", e))
		return false;
	read_set(st, &r);
	if (!col_copy(st, SET_BODY, &r.body, &r.body_len, e))
		return false;
	*out = r;
	return true;
}

bool
store_set_state(struct store *s, const char *name, uint32_t version, enum set_state state, uint32_t revoked, struct error *e)
{
	return DO(s, e, SQL_SET_STATE, "titi", name, (int64_t)version, set_state_word(state), (int64_t)revoked);
}

bool
store_set_expires(struct store *s, const char *name, uint32_t version, int64_t expires, struct error *e)
{
	return DO(s, e, SQL_SET_EXPIRES, "tii", name, (int64_t)version, expires);
}

bool
store_set_mark(struct store *s, const char *label, enum reason reason, struct error *e)
{
	return DO(s, e, SQL_SET_MARK, "tt", label, reason_code(reason));
}

static bool
each_set(struct store *s, sqlite3_stmt *asked, bool with_body, set_fn *fn, void *arg, struct error *e)
{
	own(ask) sqlite3_stmt *st = asked;
	bool row;

	while (next(s, st, &row, e)) {
		struct set_row r;

		if (!row)
			return true;
		read_set(st, &r);
		if (with_body) {
			r.body = (uint8_t *)(uintptr_t)sqlite3_column_blob(st, SET_BODY);
			r.body_len = (size_t)sqlite3_column_bytes(st, SET_BODY);
		}
		if (!fn(arg, &r, e))
			return false;
	}
	return false;
}

bool
store_sets(struct store *s, set_fn *fn, void *arg, struct error *e)
{
	return each_set(s, ask(s, SQL_SETS, ""), false, fn, arg, e);
}

bool
store_sets_of(struct store *s, const char *group, const char *host_id, int64_t now, set_fn *fn, void *arg, struct error *e)
{
	return each_set(s, ask(s, SQL_SETS_OF, "tiit", group, now, (int64_t)SETS_MAX, host_id), true, fn, arg, e);
}

bool
store_set_hosts(struct store *s, const char *label, uint32_t *count, struct error *e)
{
	own(ask) sqlite3_stmt *st = ask(s, SQL_SET_HOSTS, "t", label);

	if (!first(s, st, "count", e))
		return false;
	*count = col_u32(st, 0);
	return true;
}

/* --- policies and groups --- */

void
policy_row_free(struct policy_row *r)
{
	free(r->body);
	free(r->ima);
	r->body = r->ima = NULL;
}

static void
read_policy(sqlite3_stmt *st, struct policy_row *r)
{
	*r = (struct policy_row){ 0 };
	col_text(st, 0, r->name, sizeof(r->name));
	r->version = col_u32(st, 1);
	(void)col_bytes(st, 2, r->digest, sizeof(r->digest));
	r->created = col_int(st, 3);
	col_text(st, 4, r->author, sizeof(r->author));
}

bool
store_policy_add(struct store *s, const struct policy_row *r, uint32_t *version, struct error *e)
{
	own(ask) sqlite3_stmt *st = ask(s, SQL_POLICY_ADD, "tbitbb", r->name, r->digest, sizeof(r->digest), r->created,
	    r->author, r->body, r->body_len, r->ima, r->ima_len);
	bool row;
	uint32_t v;

	if (!first(s, st, "policy", e))
		return false;
	v = col_u32(st, 0);
	if (!next(s, st, &row, e))
		return false;
	*version = v;
	return true;
}

bool
store_policy(struct store *s, const char *name, uint32_t version, struct policy_row *out, struct error *e)
{
	own(ask) sqlite3_stmt *st = ask(s, SQL_POLICY, "ti", name, (int64_t)version);
	own(policy_row) struct policy_row r = { 0 };

	if (!first(s, st, "policy", e))
		return false;
	read_policy(st, &r);
	if (!col_copy(st, 5, &r.body, &r.body_len, e) || !col_copy(st, 6, &r.ima, &r.ima_len, e))
		return false;
	*out = r;
	r.body = r.ima = NULL;
	return true;
}

bool
store_policies(struct store *s, policy_fn *fn, void *arg, struct error *e)
{
	own(ask) sqlite3_stmt *st = ask(s, SQL_POLICIES, "");
	struct policy_row r;
	bool row;

	while (next(s, st, &row, e)) {
		if (!row)
			return true;
		read_policy(st, &r);
		if (!fn(arg, &r, e))
			return false;
	}
	return false;
}

/* A word that is none is the strictest. */
static void
read_group(sqlite3_stmt *st, struct group_row *g)
{
	char word[16];

	*g = (struct group_row){ .ceiling = MODE_ENFORCE };
	col_text(st, 0, g->name, sizeof(g->name));
	col_text(st, 1, g->policy, sizeof(g->policy));
	col_text(st, 2, word, sizeof(word));
	(void)mode_find(word, &g->ceiling);
	g->ceiling_until = col_int(st, 3);
	g->hosts = col_u32(st, 4);
}

bool
store_group(struct store *s, const char *name, struct group_row *out, struct error *e)
{
	own(ask) sqlite3_stmt *st = ask(s, SQL_GROUP, "t", name);

	if (!first(s, st, "group", e))
		return false;
	read_group(st, out);
	return true;
}

bool
store_policy_of(struct store *s, const char *group, struct group_row *g, struct policy_row *p, struct error *e)
{
	own(ask) sqlite3_stmt *st = ask(s, SQL_POLICY_OF, "t", group);
	char word[16];

	if (!first(s, st, "policy", e))
		return false;
	read_policy(st, p);
	*g = (struct group_row){ .ceiling = MODE_ENFORCE };
	snprintf(g->name, sizeof(g->name), "%s", group);
	memcpy(g->policy, p->name, sizeof(g->policy));
	col_text(st, 5, word, sizeof(word));
	(void)mode_find(word, &g->ceiling);
	g->ceiling_until = col_int(st, 6);
	return true;
}

bool
store_group_put(struct store *s, const struct group_row *g, struct error *e)
{
	return DO(s, e, SQL_GROUP_PUT, "ttti", g->name, g->policy, mode_word(g->ceiling), g->ceiling_until);
}

bool
store_groups(struct store *s, group_fn *fn, void *arg, struct error *e)
{
	own(ask) sqlite3_stmt *st = ask(s, SQL_GROUPS, "");
	struct group_row g;
	bool row;

	while (next(s, st, &row, e)) {
		if (!row)
			return true;
		read_group(st, &g);
		if (!fn(arg, &g, e))
			return false;
	}
	return false;
}

/* --- allow lists --- */

void
allow_row_free(struct allow_row *r)
{
	free(r->body);
	r->body = NULL;
}

bool
store_allow_put(struct store *s, const struct allow_row *r, struct error *e)
{
	return DO(s, e, SQL_ALLOW_PUT, "tbiitb", r->name, r->digest, sizeof(r->digest), (int64_t)r->entries, r->created,
	    r->author, r->body, r->body_len);
}

bool
store_allow_drop(struct store *s, const char *name, struct error *e)
{
	if (!DO(s, e, SQL_ALLOW_DROP, "t", name))
		return false;
	return sqlite3_changes(s->db) == 1 || err_set(e, ERR_MISSING, "no allow list '%.60s'", name);
}

static void
read_allow(sqlite3_stmt *st, struct allow_row *r)
{
	*r = (struct allow_row){ 0 };
	col_text(st, 0, r->name, sizeof(r->name));
	(void)col_bytes(st, 1, r->digest, sizeof(r->digest));
	r->entries = col_u32(st, 2);
	r->created = col_int(st, 3);
	col_text(st, 4, r->author, sizeof(r->author));
}

bool
store_allow(struct store *s, const char *name, struct allow_row *out, struct error *e)
{
	own(ask) sqlite3_stmt *st = ask(s, SQL_ALLOW, "t", name);
	struct allow_row r;

	if (!first(s, st, "allow list", e))
		return false;
	read_allow(st, &r);
	if (!col_copy(st, 5, &r.body, &r.body_len, e))
		return false;
	*out = r;
	return true;
}

bool
store_allow_digest(struct store *s, const char *name, uint8_t digest[static SHA256_SIZE], struct error *e)
{
	own(ask) sqlite3_stmt *st = ask(s, SQL_ALLOW_DIGEST, "t", name);

	if (!first(s, st, "allow list", e))
		return false;
	return col_bytes(st, 0, digest, SHA256_SIZE) == SHA256_SIZE ||
	    err_set(e, ERR_FORMAT, "store: allow list %.60s is damaged", name);
}

bool
store_allows(struct store *s, allow_fn *fn, void *arg, struct error *e)
{
	own(ask) sqlite3_stmt *st = ask(s, SQL_ALLOWS, "");
	struct allow_row r;
	bool row;

	while (next(s, st, &row, e)) {
		if (!row)
			return true;
		read_allow(st, &r);
		if (!fn(arg, &r, e))
			return false;
	}
	return false;
}

/* --- leases --- */

bool
store_lease_add(struct store *s, const struct lease_row *r, struct error *e)
{
	return DO(s, e, SQL_LEASE_ADD, "ttiiiiitttti", r->id, r->host_id, r->created, r->expires, (int64_t)r->seconds,
	    (int64_t)r->sequence, (int64_t)r->overrules, r->user, r->services, r->who, r->why, r->ended);
}

static void
read_lease(sqlite3_stmt *st, struct lease_row *r)
{
	*r = (struct lease_row){ 0 };
	col_text(st, 0, r->id, sizeof(r->id));
	col_text(st, 1, r->host_id, sizeof(r->host_id));
	r->created = col_int(st, 2);
	r->expires = col_int(st, 3);
	r->seconds = col_u32(st, 4);
	r->sequence = col_u32(st, 5);
	r->overrules = col_int(st, 6) != 0;
	col_text(st, 7, r->user, sizeof(r->user));
	col_text(st, 8, r->services, sizeof(r->services));
	col_text(st, 9, r->who, sizeof(r->who));
	col_text(st, 10, r->why, sizeof(r->why));
	r->ended = col_int(st, 11);
}

static bool
each_lease(struct store *s, sqlite3_stmt *st, lease_fn *fn, void *arg, struct error *e)
{
	struct lease_row r;
	bool row;

	while (next(s, st, &row, e)) {
		if (!row)
			return true;
		read_lease(st, &r);
		if (!fn(arg, &r, e))
			return false;
	}
	return false;
}

bool
store_leases(struct store *s, const char *host_id, unsigned limit, lease_fn *fn, void *arg, struct error *e)
{
	own(ask) sqlite3_stmt *st = ask(s, SQL_LEASES, "ti", host_id, (int64_t)limit);

	return each_lease(s, st, fn, arg, e);
}

bool
store_leases_live(struct store *s, const char *host_id, int64_t now, lease_fn *fn, void *arg, struct error *e)
{
	own(ask) sqlite3_stmt *st = ask(s, SQL_LEASES_LIVE, "tii", host_id, now, (int64_t)LEASES_MAX);

	return each_lease(s, st, fn, arg, e);
}

bool
store_lease_end(struct store *s, const char *host_id, const char *id, int64_t now, unsigned *count, struct error *e)
{
	if (!DO(s, e, SQL_LEASE_END, "tti", host_id, id, now))
		return false;
	*count = (unsigned)sqlite3_changes(s->db);
	return true;
}

bool
store_lease_used(struct store *s, const char *host_id, const char *id, int64_t at, int64_t now, struct error *e)
{
	return DO(s, e, SQL_LEASE_USED, "ttii", host_id, id, at, now);
}

bool
store_lease_codes(struct store *s, const char *host_id, uint32_t *given, uint32_t *ended, struct error *e)
{
	own(ask) sqlite3_stmt *st = ask(s, SQL_LEASE_CODES, "t", host_id);

	if (!first(s, st, "lease", e))
		return false;
	*given = col_u32(st, 0);
	*ended = col_u32(st, 1);
	return true;
}

/* --- approvals --- */

bool
store_approval_put(struct store *s, const struct approval_row *r, struct error *e)
{
	return DO(s, e, SQL_APPROVAL_PUT, "ttii", r->change, r->who, r->at, (int64_t)r->needed);
}

bool
store_approvals_since(struct store *s, int64_t after, approval_fn *fn, void *arg, struct error *e)
{
	own(ask) sqlite3_stmt *st = ask(s, SQL_APPROVALS_SINCE, "i", after);
	struct approval_row r;
	bool row;

	while (next(s, st, &row, e)) {
		if (!row)
			return true;
		r = (struct approval_row){ .at = sqlite3_column_int64(st, 2), .needed = col_u32(st, 3) };
		col_text(st, 0, r.change, sizeof(r.change));
		col_text(st, 1, r.who, sizeof(r.who));
		if (!fn(arg, &r, e))
			return false;
	}
	return false;
}

bool
store_approvals(struct store *s, const char *change, unsigned *count, struct error *e)
{
	own(ask) sqlite3_stmt *st = ask(s, SQL_APPROVALS, "t", change);

	if (!first(s, st, "approval", e))
		return false;
	*count = col_u32(st, 0);
	return true;
}

bool
store_approvals_end(struct store *s, const char *change, struct error *e)
{
	return DO(s, e, SQL_APPROVALS_END, "t", change);
}

bool
store_approvals_purge(struct store *s, int64_t until, struct error *e)
{
	return DO(s, e, SQL_APPROVALS_PURGE, "i", until);
}

/* --- gateways and passports --- */

static void
read_gateway(sqlite3_stmt *st, struct gateway_row *r)
{
	*r = (struct gateway_row){ 0 };
	col_text(st, 0, r->name, sizeof(r->name));
	col_text(st, 1, r->host_id, sizeof(r->host_id));
	(void)col_bytes(st, 2, r->token, sizeof(r->token));
	col_text(st, 3, r->audiences, sizeof(r->audiences));
	r->created = col_int(st, 4);
}

bool
store_gateway_add(struct store *s, const struct gateway_row *r, struct error *e)
{
	return DO(s, e, SQL_GATEWAY_ADD, "ttbti", r->name, r->host_id, r->token, sizeof(r->token), r->audiences, r->created);
}

bool
store_gateway_drop(struct store *s, const char *name, struct error *e)
{
	if (!DO(s, e, SQL_GATEWAY_DROP, "t", name))
		return false;
	return sqlite3_changes(s->db) == 1 || err_set(e, ERR_MISSING, "no gateway '%.60s'", name);
}

bool
store_gateway_by_token(struct store *s, const uint8_t token[static SHA256_SIZE], struct gateway_row *out, struct error *e)
{
	own(ask) sqlite3_stmt *st = ask(s, SQL_GATEWAY, "b", token, (size_t)SHA256_SIZE);

	if (!first(s, st, "gateway", e))
		return false;
	read_gateway(st, out);
	return true;
}

bool
store_gateways(struct store *s, gateway_fn *fn, void *arg, struct error *e)
{
	own(ask) sqlite3_stmt *st = ask(s, SQL_GATEWAYS, "");
	struct gateway_row r;
	bool row;

	while (next(s, st, &row, e)) {
		if (!row)
			return true;
		read_gateway(st, &r);
		if (!fn(arg, &r, e))
			return false;
	}
	return false;
}

bool
store_passport_add(struct store *s, const struct passport_row *r, struct error *e)
{
	return DO(s, e, SQL_PASSPORT_ADD, "btttit", r->code, sizeof(r->code), r->host_id, r->audience, r->user, r->expires,
	    r->result);
}

bool
store_passport_take(struct store *s, const uint8_t code[static SHA256_SIZE], struct passport_row *out, struct error *e)
{
	own(ask) sqlite3_stmt *st = ask(s, SQL_PASSPORT_TAKE, "b", code, (size_t)SHA256_SIZE);

	if (!first(s, st, "passport", e))
		return false;
	*out = (struct passport_row){ 0 };
	(void)col_bytes(st, 0, out->code, sizeof(out->code));
	col_text(st, 1, out->host_id, sizeof(out->host_id));
	col_text(st, 2, out->audience, sizeof(out->audience));
	col_text(st, 3, out->user, sizeof(out->user));
	out->expires = col_int(st, 4);
	col_text(st, 5, out->result, sizeof(out->result));
	return true;
}

bool
store_passports_purge(struct store *s, int64_t expired_before, struct error *e)
{
	return DO(s, e, SQL_PASSPORTS_PURGE, "i", expired_before);
}

/* --- what hosts told afterwards --- */

bool
store_batch_known(struct store *s, const char *host_id, const uint8_t batch[static BATCH_SIZE], bool *known,
    struct error *e)
{
	return any(s, ask(s, SQL_BATCH_KNOWN, "tb", host_id, batch, (size_t)BATCH_SIZE), known, e);
}

bool
store_events_told(struct store *s, const char *host_id, int64_t from, int64_t to, unsigned *count, struct error *e)
{
	own(ask) sqlite3_stmt *st = ask(s, SQL_EVENTS_TOLD, "tii", host_id, from, to);

	if (!first(s, st, "events", e))
		return false;
	*count = col_u32(st, 0);
	return true;
}

bool
store_batch_add(struct store *s, const char *host_id, const struct incidents *all, int64_t told, unsigned keep,
    struct error *e)
{
	if (!DO(s, e, SQL_BATCH_PUT, "tbi", host_id, all->batch, (size_t)BATCH_SIZE, told) ||
	    !DO(s, e, SQL_MODES_DROP, "t", host_id))
		return false;
	for (unsigned i = 0; i < all->modes; i++)
		if (!DO(s, e, SQL_MODE_ADD, "ttti", host_id, all->mode[i].service, mode_word(all->mode[i].mode), told))
			return false;
	for (unsigned i = 0; i < all->count; i++) {
		const struct incident *v = &all->list[i];

		if (!DO(s, e, SQL_EVENT_ADD, "tbtttttiiii", host_id, all->batch, (size_t)BATCH_SIZE, incident_word(v->kind),
		    v->service, v->user, reason_code(v->reason), v->ref, (int64_t)v->count, v->first, v->last, told))
			return false;
	}
	return DO(s, e, SQL_EVENTS_TRIM, "ti", host_id, (int64_t)keep);
}

static void
read_incident(sqlite3_stmt *st, struct incident_row *r)
{
	char kind[24];

	*r = (struct incident_row){ .event.kind = INCIDENT_COUNT };
	col_text(st, 0, kind, sizeof(kind));
	(void)incident_find(kind, &r->event.kind);
	col_text(st, 1, r->event.service, sizeof(r->event.service));
	col_text(st, 2, r->event.user, sizeof(r->event.user));
	r->event.reason = col_reason(st, 3);
	col_text(st, 4, r->event.ref, sizeof(r->event.ref));
	r->event.count = col_u32(st, 5);
	r->event.first = col_int(st, 6);
	r->event.last = col_int(st, 7);
	r->told = col_int(st, 8);
}

static bool
each_incident(struct store *s, sqlite3_stmt *asked, incident_fn *fn, void *arg, struct error *e)
{
	own(ask) sqlite3_stmt *st = asked;
	struct incident_row r;
	bool row;

	while (next(s, st, &row, e)) {
		if (!row)
			return true;
		read_incident(st, &r);
		if (!fn(arg, &r, e))
			return false;
	}
	return false;
}

bool
store_incidents(struct store *s, const char *host_id, unsigned limit, incident_fn *fn, void *arg, struct error *e)
{
	return each_incident(s, ask(s, SQL_EVENTS, "ti", host_id, (int64_t)limit), fn, arg, e);
}

bool
store_incident_sums(struct store *s, const char *host_id, incident_fn *fn, void *arg, struct error *e)
{
	return each_incident(s, ask(s, SQL_EVENT_SUMS, "t", host_id), fn, arg, e);
}

bool
store_modes(struct store *s, const char *host_id, mode_fn *fn, void *arg, struct error *e)
{
	own(ask) sqlite3_stmt *st = ask(s, SQL_MODES, "t", host_id);
	struct service_mode m;
	char word[16];
	bool row;

	while (next(s, st, &row, e)) {
		if (!row)
			return true;
		m = (struct service_mode){ .mode = MODE_OFF };
		col_text(st, 0, m.service, sizeof(m.service));
		col_text(st, 1, word, sizeof(word));
		(void)mode_find(word, &m.mode);
		if (!fn(arg, &m, col_int(st, 2), e))
			return false;
	}
	return false;
}

/* --- audit --- */

static void
read_audit(sqlite3_stmt *st, struct audit_row *r)
{
	*r = (struct audit_row){ 0 };
	r->number = col_int(st, 0);
	r->at = col_int(st, 1);
	col_text(st, 2, r->who, sizeof(r->who));
	col_text(st, 3, r->action, sizeof(r->action));
	col_text(st, 4, r->subject, sizeof(r->subject));
	col_text(st, 5, r->why, sizeof(r->why));
	col_text(st, 6, r->before, sizeof(r->before));
	col_text(st, 7, r->after, sizeof(r->after));
	(void)col_bytes(st, 8, r->previous, sizeof(r->previous));
	(void)col_bytes(st, 9, r->hash, sizeof(r->hash));
}

bool
store_audit_last(struct store *s, struct audit_row *out, struct error *e)
{
	own(ask) sqlite3_stmt *st = ask(s, SQL_AUDIT_LAST, "");

	if (!first(s, st, "audit entry", e))
		return false;
	read_audit(st, out);
	return true;
}

bool
store_audit_add(struct store *s, const struct audit_row *r, struct error *e)
{
	return DO(s, e, SQL_AUDIT_ADD, "iittttttbb", r->number, r->at, r->who, r->action, r->subject, r->why, r->before,
	    r->after, r->previous, sizeof(r->previous), r->hash, sizeof(r->hash));
}

bool
store_audit(struct store *s, audit_fn *fn, void *arg, struct error *e)
{
	own(ask) sqlite3_stmt *st = ask(s, SQL_AUDIT, "");
	struct audit_row r;
	bool row;

	while (next(s, st, &row, e)) {
		if (!row)
			return true;
		read_audit(st, &r);
		if (!fn(arg, &r, e))
			return false;
	}
	return false;
}
