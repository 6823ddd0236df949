/* What a gateway believes of an answer about another machine. NEGATIVE-TESTS rows 22 and 35. */
#include <sys/stat.h>
#include "clock.h"
#include "relying.h"
#include "state.h"
#include "unit.h"

enum { MINUTE = 60 * 1000 };

static char dir[64];
static struct sign_key *root, *key, *next_key, *foreign_root, *foreign;

static void
open_folder(void)
{
	struct error e;

	strcpy(dir, "/tmp/check_relying.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	ck_assert(sign_key_make(&root, &e) && sign_key_make(&key, &e) && sign_key_make(&next_key, &e) &&
	    sign_key_make(&foreign_root, &e) && sign_key_make(&foreign, &e));
}

static void
close_folder(void)
{
	char command[96];

	snprintf(command, sizeof(command), "rm -rf '%s'", dir);
	ck_assert_int_eq(system(command), 0);
	sign_key_free(root);
	sign_key_free(key);
	sign_key_free(next_key);
	sign_key_free(foreign_root);
	sign_key_free(foreign);
}

/* What an answer is made of; all that is not set is good. */
struct row {
	const char *label;
	enum reason said;                       /* REASON_NOT_ATTESTED, which is 0: ok */
	const char *host, *audience, *user;
	int64_t     issued, expires;            /* ms from now; 0, 0: a minute ago, for 15 */
	bool        by_foreign, by_next, foreign_keys, foreign_both, old_serial;
	/* the question */
	bool        redeem;
	int64_t     max_age;
	/* and what is to come of it */
	enum reason want;
};

static void
keyset(const struct sign_key *by, const struct sign_key *of, uint64_t serial, char out[static JWS_MAX])
{
	struct keyset set = { .serial = serial, .count = 1 };
	struct error e;
	size_t len;

	ck_assert(sign_key_public(of, &set.key[0], &e));
	ck_assert_msg(keyset_sign(by, &set, out, JWS_MAX, &len, &e), "%s", e.why);
}

static void
answer(const struct row *r, char **text, size_t *len)
{
	static struct told_result t;
	int64_t now = clock_now().wall;
	struct result res = {
		.boot_id = "b", .host_id = "h", .nreasons = 1, .policy = "default/1", .ref = "7F3K-21QX", .ceiling = MODE_ENFORCE,
		.claim = { 2, 2, 2, 2 }, .issued_wall = now - MINUTE, .expires_wall = now + 14 * MINUTE,
	};
	struct error e = { .code = ERR_NONE };
	size_t n;

	res.reason[0] = r->said ? r->said : REASON_OK;
	res.state = reason_state(res.reason[0]);
	if (res.state == STATE_WARNING)
		res.claim[0] = 32;
	if (res.state == STATE_CONTRAINDICATED)
		res.claim[0] = 96;
	if (r->expires) {
		res.issued_wall = now + r->issued;
		res.expires_wall = now + r->expires;
	}
	snprintf(res.host, sizeof(res.host), "%s", r->host ? r->host : "laptop7");
	snprintf(res.audience, sizeof(res.audience), "%s", r->audience ? r->audience : "");
	snprintf(res.user, sizeof(res.user), "%s", r->user ? r->user : "");
	ck_assert_msg(result_sign(&res, r->by_foreign || r->foreign_both ? foreign : r->by_next ? next_key : key, t.result,
	    sizeof(t.result), &n, &e), "%s", e.why);
	keyset(r->foreign_keys || r->foreign_both ? foreign_root : root, r->by_next ? next_key : r->by_foreign || r->foreign_both ? foreign : key,
	    r->by_next ? r->old_serial ? 1 : 3 : 2, t.keyset);
	ck_assert(sign_key_public(r->foreign_both ? foreign_root : root, &t.root, &e));
	ck_assert_msg(told_result_json(&t, text, len, &e), "%s", e.why);
}

static enum reason
read_row(const struct row *r, struct relying_said *said)
{
	struct relying_ask q = { .redeem = r->redeem, .max_age = r->max_age, .peer = "laptop7", .audience = "vpn.example", .user = "kim" };
	own(mem) char *text = NULL;
	struct error e = { .code = ERR_NONE };
	size_t len;

	answer(r, &text, &len);
	*said = (struct relying_said){ 0 };
	return relying_read(dir, &q, text, len, said, &e);
}

/* The first answer pins root and keys. */
static void
pin(void)
{
	const struct row good = { .label = "first" };
	struct relying_said said;

	ck_assert_int_eq(read_row(&good, &said), REASON_OK);
}

#define PASSPORT .redeem = true, .audience = "vpn.example", .user = "kim"
static const struct row rows[] = {
	{ "good", .want = REASON_OK },
	{ "with a warning", .said = REASON_KEXEC, .want = REASON_KEXEC },
	{ "refused", .said = REASON_CMDLINE_CHANGED, .want = REASON_CMDLINE_CHANGED },
	{ "refused, and long expired", .said = REASON_CMDLINE_CHANGED, .issued = -90 * MINUTE, .expires = -60 * MINUTE, .want = REASON_CMDLINE_CHANGED },
	{ "of another machine", .host = "laptop8", .want = REASON_RESULT_INVALID },
	{ "expired", .issued = -20 * MINUTE, .expires = -1, .want = REASON_PEER_STALE },
	{ "older than max_age", .max_age = MINUTE / 2, .want = REASON_PEER_STALE },
	{ "younger than max_age", .max_age = 2 * MINUTE, .want = REASON_OK },
	{ "of a clock that is ahead a little", .issued = MINUTE, .expires = 16 * MINUTE, .want = REASON_OK },
	{ "of a time to come", .issued = 10 * MINUTE, .expires = 20 * MINUTE, .want = REASON_RESULT_INVALID },
	{ "22: signed by another key", .by_foreign = true, .foreign_keys = true, .want = REASON_RESULT_INVALID },
	{ "22: by another verifier altogether", .foreign_both = true, .want = REASON_RESULT_INVALID },
	{ "a new key, which the root signed", .by_next = true, .want = REASON_OK },
	{ "an old key put back", .by_next = true, .old_serial = true, .want = REASON_RESULT_INVALID },
	{ "35: a passport as a result", .audience = "vpn.example", .user = "kim", .want = REASON_RESULT_INVALID },
	{ "35: a passport", PASSPORT, .want = REASON_OK },
	{ "35: a passport of any machine", PASSPORT, .host = "laptop8", .want = REASON_OK },
	{ "35: a result as a passport", .redeem = true, .want = REASON_RESULT_INVALID },
	{ "35: a passport for another user", .redeem = true, .audience = "vpn.example", .user = "lee", .want = REASON_RESULT_INVALID },
	{ "35: for another audience", .redeem = true, .audience = "ssh.example", .user = "kim", .want = REASON_RESULT_INVALID },
	{ "35: an expired one", PASSPORT, .issued = -20 * MINUTE, .expires = -1, .want = REASON_PASSPORT_INVALID },
	{ "35: of a machine that is refused", PASSPORT, .said = REASON_CMDLINE_CHANGED, .want = REASON_CMDLINE_CHANGED },
};

START_TEST(answers_are_judged)
{
	const struct row *r = &rows[_i];
	struct relying_said said;
	enum reason why;

	pin();
	why = read_row(r, &said);
	ck_assert_msg(why == r->want, "%s: %s, wanted %s", r->label, reason_code(why), reason_code(r->want));
	if (why != REASON_RESULT_INVALID || r->expires)
		ck_assert_msg(!strcmp(said.ref, "7F3K-21QX") && !strcmp(said.peer, r->host ? r->host : "laptop7"), "%s", r->label);
}
END_TEST

/* A newer key set stays: an older one is refused from then on, also by another process. */
START_TEST(keys_are_kept)
{
	const struct row newer = { "newer", .by_next = true }, older = { "older", .by_foreign = true };
	struct relying_said said;
	struct identity id = { 0 };
	struct error e;
	bool there = false;

	ck_assert(gateway_load(dir, &id, &there, &e) && !there);
	pin();
	ck_assert_int_eq(read_row(&newer, &said), REASON_OK);
	ck_assert(gateway_load(dir, &id, &there, &e) && there);
	ck_assert_uint_eq(id.keys.serial, 3);
	ck_assert_int_eq(read_row(&older, &said), REASON_RESULT_INVALID);
}
END_TEST

/* Nobody else's root is pinned by an answer that does not hold under it. */
START_TEST(nothing_is_pinned_for_nothing)
{
	const struct row forged = { "forged", .by_foreign = true, .foreign_keys = true };
	struct relying_said said;
	struct identity id = { 0 };
	struct error e;
	bool there = true;

	ck_assert_int_eq(read_row(&forged, &said), REASON_RESULT_INVALID);
	ck_assert(gateway_load(dir, &id, &there, &e) && !there);
	pin();
}
END_TEST

static void
try_prefix(const uint8_t *p, size_t n, void *arg)
{
	const struct relying_ask q = { .peer = "laptop7" };
	struct relying_said said = { 0 };
	struct error e;

	(void)arg;
	if (n % 61 == 0)                        /* each takes a signature check at the most */
		ck_assert_int_eq(relying_read(dir, &q, (const char *)p, n, &said, &e), REASON_RESULT_INVALID);
}

START_TEST(no_part_of_one_is_believed)
{
	const struct row good = { .label = "good" };
	own(mem) char *text = NULL;
	size_t len;

	pin();
	answer(&good, &text, &len);
	unit_prefixes((const uint8_t *)text, len, try_prefix, NULL);
}
END_TEST

START_TEST(a_token_is_one_word_of_a_file)
{
	static const struct { const char *text, *want; } files[] = {
		{ "abc\n", "abc" }, { "abc", "abc" }, { "abc # of vpn7\n", "abc" }, { "\n", NULL }, { "", NULL },
		{ "0123456789012345678901234567890123456789012345678901234567890123456789\n", NULL },
	};
	static struct relying r;
	char path[96];
	struct error e;

	snprintf(path, sizeof(path), "%s/token", dir);
	for (unsigned i = 0; i < COUNT(files); i++) {
		FILE *f = fopen(path, "w");

		fputs(files[i].text, f);
		fclose(f);
		ck_assert_msg(relying_token(&r, path, &e) == !!files[i].want, "%s", files[i].text);
		ck_assert_str_eq(r.token, files[i].want ? files[i].want : "");
	}
	ck_assert(relying_token(&r, "", &e) && !r.token[0]);
	ck_assert(!relying_token(&r, "/nonexistent", &e));
}
END_TEST

static void
add(TCase *tc)
{
	tcase_add_checked_fixture(tc, open_folder, close_folder);
	tcase_add_loop_test(tc, answers_are_judged, 0, COUNT(rows));
	tcase_add_test(tc, keys_are_kept);
	tcase_add_test(tc, nothing_is_pinned_for_nothing);
	tcase_add_test(tc, no_part_of_one_is_believed);
	tcase_add_test(tc, a_token_is_one_word_of_a_file);
}

int main(void) { return unit_run("relying", add); }
