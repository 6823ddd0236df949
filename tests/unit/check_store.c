#include <sqlite3.h>
#include "store.h"
#include "store_sql.h"
#include "unit.h"

static char dir[64], url[128];
static struct store *s;
static struct error e;

static void
open_store(void)
{
	strcpy(dir, "/tmp/check-store-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(url, sizeof(url), "sqlite:%s/store.db", dir);
	ck_assert_msg(store_open(url, &s, &e), "%s", e.why);
}

static void
close_store(void)
{
	char command[128];

	store_close(s);
	snprintf(command, sizeof(command), "rm -rf '%s'", dir);
	ck_assert_int_eq(system(command), 0);
}

static struct host_row
host(unsigned n, const char *name)
{
	struct host_row h = { .state = ENROLLMENT_ACTIVE, .group = "default", .enrolled = 1,
		.key = { .hash = 0x000b, .banks = 2, .ak = { .size = 34 }, .spki_len = 4 } };

	snprintf(h.id, sizeof(h.id), "00000000-0000-4000-8000-%012u", n);
	snprintf(h.name, sizeof(h.name), "%s", name);
	snprintf(h.key.ek, sizeof(h.key.ek), "%064u", n);
	h.key.ak.bytes[1] = 0x0b;
	h.key.ak.bytes[33] = (uint8_t)n;
	return h;
}

static bool
put(const struct host_row *h)
{
	ck_assert(store_begin(s, &e));
	if (store_host_put(s, h, &e))
		return store_commit(s, &e);
	store_rollback(s);
	return false;
}

/* Row 13: names are values; nothing in them is ever a piece of SQL. */
static const char *const names[] = {
	"web7", "x'; DROP TABLE hosts;--", "%", "_", "a\"b", "\\", "\xf0\x9f\x92\xa9", "NULL", "'", "''",
};

START_TEST(row_13_names_are_values)
{
	struct host_row back;

	for (unsigned i = 0; i < COUNT(names); i++) {
		struct host_row h = host(i + 1, names[i]);

		ck_assert_msg(put(&h), "%s: %s", names[i], e.why);
	}
	for (unsigned i = 0; i < COUNT(names); i++) {
		ck_assert_msg(store_host_by_name(s, names[i], &back, &e), "%s: %s", names[i], e.why);
		ck_assert_str_eq(back.name, names[i]);
	}
	ck_assert(!store_host_by_name(s, "web%", &back, &e) && e.code == ERR_MISSING);
	ck_assert(!store_host_by_name(s, "' OR '1'='1", &back, &e) && e.code == ERR_MISSING);
}
END_TEST

START_TEST(a_challenge_is_used_once)
{
	uint8_t id[CHALLENGE_ID_SIZE] = { 1, 2, 3 };
	bool first = false;

	ck_assert(store_begin(s, &e) && store_challenge_use(s, id, 1000, &first, &e) && first);
	ck_assert(store_challenge_use(s, id, 1000, &first, &e) && !first);
	ck_assert(store_commit(s, &e));
	store_close(s);
	ck_assert_msg(store_open(url, &s, &e), "%s", e.why);
	ck_assert(store_begin(s, &e) && store_challenge_use(s, id, 1000, &first, &e) && !first);
	store_rollback(s);
}
END_TEST

START_TEST(what_was_not_committed_is_not_there)
{
	struct host_row h = host(1, "web7"), back;
	uint8_t id[CHALLENGE_ID_SIZE] = { 9 };
	bool first = false;

	ck_assert(store_begin(s, &e) && store_host_put(s, &h, &e) && store_challenge_use(s, id, 1, &first, &e));
	store_close(s);                 /* as a kill does: without commit */
	ck_assert(store_open(url, &s, &e));
	ck_assert(!store_host_by_name(s, "web7", &back, &e) && e.code == ERR_MISSING);
	ck_assert(store_begin(s, &e) && store_challenge_use(s, id, 1, &first, &e) && first);
	store_rollback(s);
}
END_TEST

START_TEST(a_reference_is_given_once)
{
	struct host_row h = host(1, "web7");
	struct report_row r = { .ref = "7F3K-21QX", .at = 1, .state = STATE_CONTRAINDICATED, .reason = REASON_NO_REFERENCE,
		.verdict = (uint8_t *)"x", .verdict_len = 1 };

	ck_assert(put(&h));
	memcpy(r.host_id, h.id, sizeof(r.host_id));
	ck_assert(store_begin(s, &e));
	ck_assert_msg(store_report_add(s, &r, &e), "%s", e.why);
	ck_assert(!store_report_add(s, &r, &e) && e.code == ERR_CONFLICT);
	strcpy(r.ref, "7F3K-21QY");
	ck_assert_msg(store_report_add(s, &r, &e), "the transaction goes on: %s", e.why);
	ck_assert(store_commit(s, &e));
}
END_TEST

static void
put_ima(const char *id, uint8_t key, uint64_t entries, const char *state)
{
	struct ima_row r = { .key = { key }, .entries = entries, .violations = 2, .pending = 3, .state_len = strlen(state) };
	own(mem) char *copy = strdup(state);

	r.state = (uint8_t *)copy;
	ck_assert(store_begin(s, &e));
	ck_assert_msg(store_ima_put(s, id, &r, &e) && store_commit(s, &e), "%s", e.why);
}

static void
is_ima(const char *id, uint8_t key, uint64_t entries, const char *state)
{
	own(ima_row) struct ima_row r = { .state = NULL };

	ck_assert_msg(store_ima(s, id, &r, &e), "%s", e.why);
	ck_assert(r.key[0] == key && r.entries == entries && r.violations == 2 && r.pending == 3 && !r.refused);
	ck_assert(r.state_len == strlen(state) && !memcmp(r.state, state, r.state_len));
}

/* One boot's position only moves on; another boot begins where it begins. */
START_TEST(an_ima_position_never_moves_back)
{
	struct host_row h = host(1, "web1");
	struct ima_row none;

	ck_assert(put(&h));
	ck_assert(!store_ima(s, h.id, &none, &e) && e.code == ERR_MISSING);
	put_ima(h.id, 1, 10, "ten");
	is_ima(h.id, 1, 10, "ten");
	put_ima(h.id, 1, 10, "another ten");
	is_ima(h.id, 1, 10, "another ten");
	put_ima(h.id, 1, 12, "");
	put_ima(h.id, 1, 11, "eleven");
	is_ima(h.id, 1, 12, "");
	put_ima(h.id, 2, 1, "next boot");
	is_ima(h.id, 2, 1, "next boot");
}
END_TEST

static void
add_report(const char *host_id, unsigned n, int64_t at, bool replayed)
{
	struct report_row r = { .at = at, .state = STATE_AFFIRMING, .replayed = replayed, .vouched = true };

	memcpy(r.host_id, host_id, BOOT_ID_TEXT);
	snprintf(r.ref, sizeof(r.ref), "0000-%04u", n);
	ck_assert_msg(store_report_add(s, &r, &e), "%s", e.why);
}

/* The numbers of a host's reports, the newest first. */
static bool
note_ref(void *text, const struct report_row *r, struct error *err)
{
	(void)err;
	strcat(strcat(text, r->ref + 8), " ");
	return true;
}

static const char *
reports_of(const struct host_row *h)
{
	static char text[64];

	text[0] = '\0';
	ck_assert(store_reports(s, h->id, 20, note_ref, text, &e));
	return text;
}

/* Old ones go; what a host is known by stays: its newest, and the newest that can be a reference. */
START_TEST(old_reports_are_dropped)
{
	struct host_row a = host(1, "web7"), gone = host(2, "gone");

	ck_assert(put(&a) && put(&gone));
	ck_assert(store_begin(s, &e));
	add_report(a.id, 1, 10, true);
	add_report(gone.id, 2, 10, true);
	add_report(gone.id, 3, 20, true);
	add_report(gone.id, 4, 30, false);
	add_report(gone.id, 5, 40, false);
	add_report(a.id, 6, 50, false);
	add_report(a.id, 7, 150, true);
	strcpy(gone.ref, "0000-0005");
	ck_assert(store_host_report(s, &gone, "jws", &e) && store_commit(s, &e));
	ck_assert(store_begin(s, &e) && store_reports_purge(s, 100, 2, &e) && store_commit(s, &e));
	ck_assert_str_eq(reports_of(&gone), "5 4 3 ");
	ck_assert_str_eq(reports_of(&a), "7 6 ");
	ck_assert(store_begin(s, &e) && store_reports_purge(s, 100, 100, &e) && store_commit(s, &e));
	ck_assert_str_eq(reports_of(&gone), "5 3 ");
	ck_assert_str_eq(reports_of(&a), "7 ");
	ck_assert(store_begin(s, &e) && store_reports_purge(s, 1000, 100, &e) && store_commit(s, &e));
	ck_assert_str_eq(reports_of(&gone), "5 3 ");
	ck_assert_str_eq(reports_of(&a), "7 ");
}
END_TEST

START_TEST(a_newer_schema_is_refused)
{
	char path[128];
	sqlite3 *db;

	store_close(s);
	snprintf(path, sizeof(path), "%s/store.db", dir);
	ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
	ck_assert_int_eq(sqlite3_exec(db, "PRAGMA user_version = 9999", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
	s = NULL;
	ck_assert(!store_open(url, &s, &e));
	ck_assert_int_ne(e.code, ERR_NONE);
}
END_TEST

/* Of the second schema, from before tables were put in the place of others. */
START_TEST(an_older_store_is_taken_along)
{
	static const char rows[] = "PRAGMA user_version = 2;"
	    "INSERT INTO hosts (id, name, grp, enrollment, ek, ek_subject, ek_not_after, ak, signer, spki, hash, banks, enrolled)"
	    " VALUES ('h', 'web7', 'default', 'active', 'e', '', 0, x'01', x'02', x'03', 11, 2, 1);"
	    "INSERT INTO reports (ref, host, at, state, reason, vouched, replayed, bank, pcrs, boot_id, verdict)"
	    " VALUES ('R1', 'h', 5, 'affirming', 'ok', 1, 1, 1, 1, 'b', x'00');"
	    "INSERT INTO challenges (id, expires) VALUES (x'01020300000000000000000000000000', 1000);";
	uint8_t id[CHALLENGE_ID_SIZE] = { 1, 2, 3 };
	struct report_row r = { 0 };
	struct host_row h;
	char path[128];
	sqlite3 *db;
	bool first;

	_Static_assert(CHALLENGE_ID_SIZE == 16, "as in rows");
	store_close(s);
	snprintf(path, sizeof(path), "%s/store.db", dir);
	ck_assert(!unlink(path));
	ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
	for (unsigned i = 0; i < 2; i++)
		ck_assert_int_eq(sqlite3_exec(db, migrations[i], NULL, NULL, NULL), SQLITE_OK);
	ck_assert_msg(sqlite3_exec(db, rows, NULL, NULL, NULL) == SQLITE_OK, "%s", sqlite3_errmsg(db));
	sqlite3_close(db);
	s = NULL;
	ck_assert_msg(store_open(url, &s, &e), "%s", e.why);
	ck_assert(store_host_by_name(s, "web7", &h, &e) && !strcmp(h.id, "h") && h.key.banks == 2);
	ck_assert(store_report(s, "R1", &r, &e) && r.at == 5);
	report_row_free(&r);
	r = (struct report_row){ 0 };
	ck_assert(store_begin(s, &e) && store_challenge_use(s, id, 1000, &first, &e) && !first);
	strcpy(r.ref, "R2");
	strcpy(r.host_id, "none");
	ck_assert(!store_report_add(s, &r, &e) && e.code == ERR_CONFLICT);
	strcpy(r.host_id, "h");
	ck_assert_msg(store_report_add(s, &r, &e) && store_commit(s, &e), "%s", e.why);
}
END_TEST

START_TEST(the_audit_trail_cannot_be_changed)
{
	struct audit_row a = { .number = 1, .at = 1, .who = "uid 0", .action = "revoke", .subject = "web7", .why = "stolen" };
	char path[128];
	sqlite3 *db;

	ck_assert(store_begin(s, &e));
	ck_assert_msg(store_audit_add(s, &a, &e), "%s", e.why);
	ck_assert(store_commit(s, &e));
	snprintf(path, sizeof(path), "%s/store.db", dir);
	ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
	ck_assert_int_ne(sqlite3_exec(db, "UPDATE audit SET why = 'lost'", NULL, NULL, NULL), SQLITE_OK);
	ck_assert_int_ne(sqlite3_exec(db, "DELETE FROM audit", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
}
END_TEST

static bool
count(void *arg, const struct group_row *g, struct error *err)
{
	(void)g;
	(void)err;
	++*(unsigned *)arg;
	return true;
}

/* The newest version of a group's policy counts; a group that is not there has none. */
START_TEST(policies_and_groups)
{
	struct policy_row p = { .name = "web", .body = (uint8_t *)"one", .body_len = 3, .digest = { 1 }, .author = "uid 0" };
	struct group_row g = { .name = "lab", .policy = "web", .ceiling = MODE_AUDIT, .ceiling_until = 7 }, back;
	own(policy_row) struct policy_row got = { 0 };
	struct host_row h = host(1, "web7");
	uint32_t version = 0;
	unsigned groups = 0;

	ck_assert(store_group(s, "default", &back, &e) && !strcmp(back.policy, "default") && !back.ceiling_until);
	ck_assert(!store_policy_of(s, "default", &back, &got, &e) && e.code == ERR_MISSING);
	ck_assert(put(&h));
	ck_assert(store_begin(s, &e) && store_policy_add(s, &p, &version, &e) && version == 1);
	p.digest[0] = 2;
	ck_assert(store_policy_add(s, &p, &version, &e) && version == 2);
	ck_assert(store_group_put(s, &g, &e) && store_host_group(s, h.id, "lab", &e) && store_commit(s, &e));
	ck_assert_msg(store_policy_of(s, "lab", &back, &got, &e), "%s", e.why);
	ck_assert(got.version == 2 && got.digest[0] == 2 && back.ceiling == MODE_AUDIT && back.ceiling_until == 7);
	ck_assert(store_group(s, "lab", &back, &e) && back.hosts == 1);
	ck_assert(store_policy(s, "web", 1, &got, &e) && got.digest[0] == 1 && got.body_len == 3 && got.ima_len == 0);
	policy_row_free(&got);
	ck_assert(!store_policy(s, "web", 3, &got, &e) && e.code == ERR_MISSING);
	ck_assert(store_groups(s, count, &groups, &e) && groups == 2);
	ck_assert(!store_policy_of(s, "nowhere", &back, &got, &e) && e.code == ERR_MISSING);
}
END_TEST

/* --- sets that a judgement of one host looks at --- */

static void
put_set(const char *name, const char *group, unsigned host_number, enum set_state state, bool own, int64_t created, int64_t expires)
{
	uint8_t body = 7;
	struct set_row r = { .state = state, .own = own, .entries = 1, .created = created, .expires = expires, .body = &body, .body_len = 1 };
	uint32_t version;

	snprintf(r.name, sizeof(r.name), "%s", name);
	snprintf(r.group, sizeof(r.group), "%s", group);
	snprintf(r.host_id, sizeof(r.host_id), "00000000-0000-4000-8000-%012u", host_number);
	ck_assert_msg(store_begin(s, &e) && store_set_add(s, &r, &version, &e) && store_commit(s, &e), "%s", e.why);
}

static bool
add_name(void *arg, const struct set_row *r, struct error *err)
{
	char *list = arg;

	(void)err;
	ck_assert(r->body_len == 1 && *r->body == 7);
	strcat(strcat(list, r->name), " ");
	return true;
}

/* The parts of a thousand hosts crowd nobody out, and what is revoked comes before all. */
START_TEST(sets_of_a_host)
{
	static const char host_a[] = "00000000-0000-4000-8000-000000000001";
	char list[2048] = "";

	put_set("candidate", "g", 1, SET_CANDIDATE, false, 9, 0);
	put_set("fleet-old", "g", 2, SET_ACTIVE, false, 1, 0);
	put_set("fleet-new", "g", 2, SET_ACTIVE, false, 2, 1000);
	put_set("own", "left", 1, SET_ACTIVE, true, 1, 0);
	put_set("over", "g", 1, SET_ACTIVE, false, 9, 500);
	put_set("other-group", "h", 1, SET_ACTIVE, false, 9, 0);
	put_set("retired", "g", 1, SET_RETIRED, false, 9, 0);
	put_set("revoked", "g", 2, SET_REVOKED, false, 1, 500);
	for (unsigned i = 0; i < 2 * SETS_MAX; i++)
		put_set("part", "g", 100 + i, SET_ACTIVE, true, 9, 0);
	ck_assert(store_sets_of(s, "g", host_a, 600, add_name, list, &e));
	ck_assert_str_eq(list, "revoked own fleet-new fleet-old candidate ");
}
END_TEST

START_TEST(revoked_sets_mark_their_hosts)
{
	struct host_row a = host(1, "a"), b = host(2, "b"), back;

	ck_assert(put(&a) && put(&b));
	strcpy(a.references, "base/1 own/2");
	strcpy(b.references, "base/11");
	a.verdict = b.verdict = STATE_AFFIRMING;
	a.reason = b.reason = REASON_OK;
	ck_assert(store_begin(s, &e) && store_host_report(s, &a, "jws", &e) && store_host_report(s, &b, "jws", &e) &&
	    store_set_mark(s, "base/1", REASON_REFERENCE_REVOKED, &e) && store_commit(s, &e));
	ck_assert(store_host_by_id(s, a.id, &back, &e) && back.verdict == STATE_CONTRAINDICATED && back.reason == REASON_REFERENCE_REVOKED);
	ck_assert(store_host_by_id(s, b.id, &back, &e) && back.verdict == STATE_AFFIRMING && back.class == CLASS_LOG);
	ck_assert(store_begin(s, &e) && store_host_class(s, b.id, CLASS_NO_REPLAY, &e) && store_commit(s, &e));
	ck_assert(store_host_by_id(s, b.id, &back, &e) && back.class == CLASS_NO_REPLAY);
}
END_TEST

/* One row of each kind for this host. */
static void
fill_host(const struct host_row *h)
{
	uint8_t digest[SHA256_SIZE] = { 7 };
	static struct incidents told = { .batch = { 1 }, .count = 1, .modes = 1, .mode = { { .service = "sshd", .mode = MODE_ENFORCE } } };
	struct report_row report = { .ref = "7F3K-21QX", .at = 1, .verdict = (uint8_t *)"x", .verdict_len = 1 };
	struct enrollment_row enrollment = { .state = ENROLLMENT_ACTIVE, .key = h->key, .created = 1 };
	struct gateway_row gateway = { .name = "vpn", .token = { 1 }, .audiences = "", .created = 1 };
	static struct passport_row passport = { .code = { 1 }, .audience = "vpn.example", .user = "kim", .expires = 1 };
	struct lease_row lease = { .id = "7F3K-21QY", .expires = 9, .seconds = 1, .who = "uid 0", .why = "test" };

	memcpy(report.host_id, h->id, sizeof(report.host_id));
	memcpy(enrollment.id, h->id, sizeof(enrollment.id));
	memcpy(enrollment.host_id, h->id, sizeof(enrollment.host_id));
	memcpy(gateway.host_id, h->id, sizeof(gateway.host_id));
	memcpy(passport.host_id, h->id, sizeof(passport.host_id));
	memcpy(lease.host_id, h->id, sizeof(lease.host_id));
	put_ima(h->id, 1, 1, "state");
	put_set("own", "default", 1, SET_ACTIVE, true, 1, 0);
	ck_assert(store_begin(s, &e));
	ck_assert_msg(store_report_add(s, &report, &e) && store_log_note(s, h->id, digest, 1, &e) &&
	    store_enrollment_add(s, &enrollment, &e) && store_gateway_add(s, &gateway, &e) && store_passport_add(s, &passport, &e) &&
	    store_lease_add(s, &lease, &e) && store_batch_add(s, h->id, &told, 1, 9, &e) && store_commit(s, &e), "%s", e.why);
}

/* Whatever table has a column of hosts: how many of them have that one. */
static unsigned
tables_with(const struct host_row *h, unsigned *all)
{
	char path[128], sql[512];
	sqlite3_stmt *tables, *st;
	unsigned with = 0;
	sqlite3 *db;

	snprintf(path, sizeof(path), "%s/store.db", dir);
	ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
	ck_assert_int_eq(sqlite3_prepare_v2(db, "SELECT m.name FROM sqlite_master m, pragma_table_info(m.name) c"
	    " WHERE m.type = 'table' AND c.name = 'host'", -1, &tables, NULL), SQLITE_OK);
	for (*all = 0; sqlite3_step(tables) == SQLITE_ROW; ++*all) {
		const char *name = (const char *)sqlite3_column_text(tables, 0);

		snprintf(sql, sizeof(sql), "SELECT 1 FROM %s WHERE host = '%s'%s", name, h->id, strcmp(name, "sets") ? "" : " AND state = 'active'");
		ck_assert_int_eq(sqlite3_prepare_v2(db, sql, -1, &st, NULL), SQLITE_OK);
		with += sqlite3_step(st) == SQLITE_ROW;
		sqlite3_finalize(st);
	}
	sqlite3_finalize(tables);
	sqlite3_close(db);
	return with;
}

START_TEST(a_host_that_is_dropped_leaves_nothing)
{
	struct host_row a = host(1, "a"), b = host(2, "b"), back;
	uint8_t digest[SHA256_SIZE];
	bool orphan = false;
	unsigned all;

	ck_assert(put(&a) && put(&b));
	fill_host(&a);
	ck_assert_uint_eq(tables_with(&a, &all), all);   /* a new table: give it a row above */
	ck_assert_uint_gt(all, 8);
	ck_assert(store_begin(s, &e) && !store_host_drop(s, a.id, &e));   /* its log is there */
	store_rollback(s);
	ck_assert_uint_eq(tables_with(&a, &all), all);
	ck_assert(store_begin(s, &e) && store_log_drop(s, a.id, 0, digest, &orphan, &e) && orphan && digest[0] == 7);
	ck_assert_msg(store_host_drop(s, a.id, &e) && store_commit(s, &e), "%s", e.why);
	ck_assert_uint_eq(tables_with(&a, &all), 0);
	ck_assert(!store_host_by_id(s, a.id, &back, &e) && e.code == ERR_MISSING && store_host_by_id(s, b.id, &back, &e));
	ck_assert_msg(put(&a), "again: %s", e.why);
	ck_assert(store_begin(s, &e) && !store_host_name(s, a.id, "b", &e) && e.code == ERR_CONFLICT && store_host_name(s, a.id, "c", &e) &&
	    store_commit(s, &e) && store_host_by_name(s, "c", &back, &e));
}
END_TEST

static void
add(TCase *tc)
{
	tcase_add_checked_fixture(tc, open_store, close_store);
	tcase_add_test(tc, sets_of_a_host);
	tcase_add_test(tc, revoked_sets_mark_their_hosts);
	tcase_add_test(tc, row_13_names_are_values);
	tcase_add_test(tc, a_challenge_is_used_once);
	tcase_add_test(tc, what_was_not_committed_is_not_there);
	tcase_add_test(tc, a_reference_is_given_once);
	tcase_add_test(tc, an_ima_position_never_moves_back);
	tcase_add_test(tc, old_reports_are_dropped);
	tcase_add_test(tc, a_newer_schema_is_refused);
	tcase_add_test(tc, an_older_store_is_taken_along);
	tcase_add_test(tc, the_audit_trail_cannot_be_changed);
	tcase_add_test(tc, policies_and_groups);
	tcase_add_test(tc, a_host_that_is_dropped_leaves_nothing);
}

int main(void) { return unit_run("store", add); }
