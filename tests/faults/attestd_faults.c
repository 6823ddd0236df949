/*
 * Row 21 on attestd's side: what lies between a verdict and what gates are told, with every system call and every
 * allocation failed in turn, those of json-c and OpenSSL too. For a host whose verdict is negative no fault makes an
 * answer or a record that is affirming; no record is ever half written; attestd may end, which gates take for `none`.
 */
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include "inject.h"
#include "publish.h"
#include "result.h"
#include "serve.h"
#include "status.h"
#include "unit.h"

#define BOOT_A "a0000000-0000-4000-8000-000000000000"
#define BOOT_B "b0000000-0000-4000-8000-000000000000"

static char dir[64];
static struct options opt;
static struct sign_key *signer, *stranger;
static char keyset[JWS_MAX];

/* What a child ends with: the state that it would tell gates, or one of these. */
enum { ENDED = 40, TOLD_NOTHING, WRONG };

/* --- the folder */

static void
path_of(const char *name, char out[static 160])
{
	snprintf(out, 160, "%s/%s", dir, name);
}

static void
forget(const char *name)
{
	char path[160];

	path_of(name, path);
	unlink(path);
}

static bool
there(const char *name)
{
	char path[160];

	path_of(name, path);
	return !access(path, F_OK);
}

/* false: there is no record. One that is there is whole. */
static bool
recorded(const char *what, struct record *r)
{
	struct error e = { .code = ERR_NONE };
	own(mem) uint8_t *text = NULL;
	char path[160];
	size_t len;

	path_of("verdict", path);
	text = unit_file(path, &len);
	if (text)
		ck_assert_msg(record_parse((const char *)text, len, r, &e), "%s: %s", what, e.why);
	return text != NULL;
}

static void
boot(struct agent *a, const char *boot_id)
{
	*a = (struct agent){ .opt = &opt, .id.active = true };
	strcpy(a->boot_id, boot_id);
	strcpy(a->id.name, "host-a");
}

static bool
publish(struct agent *a, enum reason why)
{
	static const struct selection pcrs = { .count = 1, .bank[0] = { .alg = 0x000b, .pcrs = 0x91 } };
	struct clock now = clock_now();
	struct error e;
	struct result r = { .state = reason_state(why), .reason[0] = why, .ceiling = MODE_ENFORCE,
		.issued_wall = now.wall, .expires_wall = now.wall + 600000, .pcr_digest_len = 32, .grace_max = 3600 * 1000 };

	strcpy(r.ref, "7F3K-21QX");
	strcpy(r.host, "host-a");
	return publish_result(a, &r, "a.b.c", &pcrs, &now, &e);
}

/* --- the stages: what is on disk before */

static void
nothing(void)
{
	static const char *const names[] = { "verdict", "result.jwt", "armed", KEPT_GOOD, KEPT_NEGATIVE };

	for (unsigned i = 0; i < COUNT(names); i++)
		forget(names[i]);
}

static void
good_in(struct agent *a, const char *boot_id)
{
	struct error e;

	boot(a, boot_id);
	ck_assert(publish_start(a, &e) && publish(a, REASON_OK));
}

static void
good(void *arg)
{
	struct agent a;

	(void)arg;
	nothing();
	good_in(&a, BOOT_A);
}

static void
refused(void *arg)
{
	struct agent a;

	(void)arg;
	nothing();
	good_in(&a, BOOT_A);
	ck_assert(publish(&a, REASON_CMDLINE_CHANGED));
}

static void
refused_then_rebooted(void *arg)
{
	refused(arg);
	forget("verdict");
}

/* Killed between the two: the refusal is kept, and the record still says what it said before. */
static void
refused_and_killed(void *arg)
{
	char was[160], away[160];

	good(arg);
	path_of("verdict", was);
	path_of("verdict.away", away);
	ck_assert(!rename(was, away));
	refused(arg);
	ck_assert(!rename(away, was));
}

/* --- what attestd does: each gives the state that it tells gates from then on */

static int
told(const struct agent *a, enum reason why)
{
	struct outcome o;

	agent_outcome(a, why, &(struct error){ .code = ERR_NONE }, 0, &o);
	return (int)reason_state(status_reason_now(&o, a->boot_id));
}

static int
hears(void *arg, enum reason why, bool signed_result)
{
	struct agent a;
	struct error e;
	bool ok;

	boot(&a, arg ? arg : BOOT_A);
	if (!publish_start(&a, &e))
		return ENDED;
	ok = signed_result ? publish(&a, why) : publish_failure(&a, why, &e);
	(void)ok;                       /* a line in the log */
	return told(&a, why);
}

static int is_refused(void *arg) { return hears(arg, REASON_CMDLINE_CHANGED, true); }
static int is_revoked(void *arg) { return hears(arg, REASON_HOST_REVOKED, false); }
static int hears_nobody(void *arg) { return hears(arg, REASON_VERIFIER_UNREACHABLE, false); }
static int is_permitted(void *arg) { return hears(arg, REASON_OK, true); }

static int
starts(void *arg)
{
	struct agent a;
	struct error e;

	boot(&a, arg ? arg : BOOT_A);
	return publish_start(&a, &e) ? told(&a, a.record.reason) : ENDED;
}

/* --- what must hold after */

/*
 * json-c 0.16 does not look at every allocation of its own while it parses, and dies of the missing one. That is the
 * end of attestd, not a verdict; ours would be a defect.
 */
static int
ending(const struct run *r, const char *what)
{
	if (r->alloc && r->signal == SIGSEGV)
		return ENDED;
	ck_assert_msg(!r->signal, "%s: signal %d", what, r->signal);
	return r->result;
}

static bool
negative_or_none(void *arg, const struct run *r, const char *what)
{
	struct record on_disk;
	int end = ending(r, what);

	(void)arg;
	ck_assert_msg(end == STATE_CONTRAINDICATED || end == ENDED, "%s: tells gates %d", what, end);
	/* Once everything fails for good, what was written before cannot be taken back. */
	if (recorded(what, &on_disk) && end != ENDED && !r->stays)
		ck_assert_msg(on_disk.state == STATE_CONTRAINDICATED, "%s: the record says %s", what, state_word(on_disk.state));
	return true;
}

/* The refusal was there before: it is never lost, and a record that contradicts it goes even when attestd ends. */
static bool
still_negative(void *arg, const struct run *r, const char *what)
{
	struct record on_disk;

	negative_or_none(arg, r, what);
	ck_assert_msg(there(KEPT_NEGATIVE), "%s: the refusal is forgotten", what);
	if (recorded(what, &on_disk) && !r->stays && !r->signal)
		ck_assert_msg(on_disk.state == STATE_CONTRAINDICATED, "%s: the record says %s", what, state_word(on_disk.state));
	return true;
}

/* A permit: told or not, but the refusal goes only for a permit that is kept. */
static bool
whole(void *arg, const struct run *r, const char *what)
{
	struct record on_disk;

	(void)arg;
	ck_assert_msg(ending(r, what) != WRONG, "%s", what);
	(void)recorded(what, &on_disk);
	ck_assert_msg(there(KEPT_NEGATIVE) || there(KEPT_GOOD), "%s: nothing is kept", what);
	return true;
}

/* --- results, answers, files */

static struct result
a_result(enum reason why)
{
	struct clock now = clock_now();
	bool ok = why == REASON_OK;

	return (struct result){
		.host = "web-1", .host_id = "0b7e1c5e-6f0a-4e6a-9d55-2f6f6ad2a111", .ak = { .size = 34, .bytes = { 0, 0xb, 1 } },
		.boot_id = BOOT_A, .pcr_digest_len = 32, .state = reason_state(why), .claim = { 2, 2, ok ? 3 : 97, 2 },
		.policy = "default/3", .references = "web/1", .nreasons = 1, .reason = { why }, .ref = "7F3K-21QX",
		.ceiling = MODE_ENFORCE, .grace_max = 3600000, .issued_wall = now.wall, .expires_wall = now.wall + 300000,
	};
}

/* A result as it arrives, and the key set that is believed. */
struct arrival { char jws[RESULT_MAX]; size_t len; struct keyset keys; enum state right; };

static int
verifies(void *arg)
{
	const struct arrival *in = arg;
	struct result r;
	struct error e;

	if (!result_verify(in->jws, in->len, &in->keys, clock_now().wall, &r, &e))
		return TOLD_NOTHING;
	return r.state == in->right ? (int)r.state : WRONG;
}

static bool
never_better(void *arg, const struct run *r, const char *what)
{
	const struct arrival *in = arg;

	int end = ending(r, what);

	ck_assert_msg(end == TOLD_NOTHING || end == ENDED || end == (int)in->right, "%s: %d", what, end);
	ck_assert_msg(r->last[0] || end == (in->right == STATE_COUNT ? TOLD_NOTHING : (int)in->right), "%s: %d", what, end);
	return true;
}

/* One question through gate.sock, both ends here; nobody waits. */
static int
answers(void *arg)
{
	static struct clients all;
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	static const char ask[] = "version=1\nverb=ask\n\n";
	struct outcome o = { .reason = REASON_CMDLINE_CHANGED, .record = { .state = STATE_CONTRAINDICATED, .reason = REASON_CMDLINE_CHANGED } };
	const int *listener = arg;
	char got[LOCAL_MAX + 1];
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	ssize_t n;

	snprintf(at.sun_path, sizeof(at.sun_path), "%s/gate.sock", dir);
	clients_open(&all);
	if (fd < 0 || connect(fd, (struct sockaddr *)&at, sizeof(at)) < 0 || send(fd, ask, sizeof(ask) - 1, MSG_NOSIGNAL) < 0)
		return ENDED;
	clients_accept(&all, *listener);
	for (unsigned i = 0; i < CLIENTS_MAX; i++)
		if (all.list[i].fd >= 0 && client_read(&all.list[i]))
			client_answer(&all.list[i], status_reason_now(&o, BOOT_A), "", NULL, 0);
	n = recv(fd, got, sizeof(got) - 1, MSG_DONTWAIT);
	if (n <= 0)
		return ENDED;
	got[n] = '\0';
	if (strstr(got, "affirming") || strstr(got, "warning"))
		return WRONG;
	return strstr(got, "state=contraindicated") ? STATE_CONTRAINDICATED : TOLD_NOTHING;
}

static int
prints(void *arg)
{
	struct outcome o = { .reason = REASON_CMDLINE_CHANGED, .record = { .state = STATE_CONTRAINDICATED, .reason = REASON_CMDLINE_CHANGED } };
	struct decision d = { .time = 1, .service = "sshd", .user = "kim", .access = ACCESS_REFUSED };
	struct counters c = { .asks = 1 };
	struct book leases = { .all.count = 1, .all.lease[0] = { .id = "7F3K-21QX", .user = "kim" } };
	own(mem) char *json = NULL;
	struct error e;
	size_t len;

	(void)arg;
	if (!status_json(&o, &c, BOOT_A, &d, true, &leases, &json, &len, &e))
		return TOLD_NOTHING;
	return strstr(json, "\"state\":\"contraindicated\"") && strstr(json, "\"user\":\"kim\"") && json[len - 1] == '}' ?
	    STATE_CONTRAINDICATED : WRONG;
}

static bool
negative_or_silent(void *arg, const struct run *r, const char *what)
{
	int end = ending(r, what);

	(void)arg;
	ck_assert_msg(end == STATE_CONTRAINDICATED || (r->last[0] && (end == ENDED || end == TOLD_NOTHING)), "%s: %d", what, end);
	return true;
}

/* Who this host is: as it was saved, or an error. */
static int
loads(void *arg)
{
	struct identity id;
	struct error e;

	(void)arg;
	if (!state_load(dir, &id, &e))
		return ENDED;
	return id.active && !id.pending && !strcmp(id.name, "host-a") && !strcmp(id.token, "token") && id.keys.count == 1 ?
	    STATE_CONTRAINDICATED : WRONG;
}

static int
saves_keys(void *arg)
{
	struct identity id;
	struct error e;

	(void)arg;
	if (!state_load(dir, &id, &e) || !state_save_keys(dir, keyset, &id, &e))
		return ENDED;
	return STATE_CONTRAINDICATED;
}

static bool
identity_is_whole(void *arg, const struct run *r, const char *what)
{
	negative_or_silent(arg, r, what);
	ck_assert_msg(loads(NULL) == STATE_CONTRAINDICATED, "%s: the identity is damaged", what);
	return true;
}

/* --- the tests */

enum { LIMIT_MS = 5000 };

static const struct sweep deeds[] = {
	{ "a good host is refused", is_refused, NULL, good, negative_or_none, LIMIT_MS },
	{ "a good host is revoked", is_revoked, NULL, good, negative_or_none, LIMIT_MS },
	{ "a refused host is refused again", is_refused, NULL, refused, still_negative, LIMIT_MS },
	{ "a refused host, and nobody answers", hears_nobody, NULL, refused, still_negative, LIMIT_MS },
	{ "a refused host is revoked", is_revoked, NULL, refused, still_negative, LIMIT_MS },
	{ "a refused host, attestd starts again", starts, NULL, refused, still_negative, LIMIT_MS },
	{ "a refused host after a reboot", starts, BOOT_B, refused_then_rebooted, still_negative, LIMIT_MS },
	{ "a refused host after a kill before its record was written", starts, NULL, refused_and_killed, still_negative, LIMIT_MS },
	{ "a refused host is permitted", is_permitted, NULL, refused, whole, LIMIT_MS },
	{ "a good host is permitted again", is_permitted, NULL, good, whole, LIMIT_MS },
	{ "an answer to a gate", answers, NULL, NULL, negative_or_silent, LIMIT_MS },
	{ "the status of a refused host", prints, NULL, NULL, negative_or_silent, LIMIT_MS },
	{ "the identity is read", loads, NULL, NULL, identity_is_whole, LIMIT_MS },
	{ "new keys are kept", saves_keys, NULL, NULL, identity_is_whole, LIMIT_MS },
};

START_TEST(deed)
{
	struct sweep s = deeds[_i];
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);

	snprintf(at.sun_path, sizeof(at.sun_path), "%s/gate.sock", dir);
	ck_assert(!bind(listener, (struct sockaddr *)&at, sizeof(at)) && !listen(listener, 64));
	if (s.fn == answers)
		s.arg = &listener;
	ck_assert_uint_gt(inject_sweep(&s), 20);
	close(listener);
}
END_TEST

static const struct { const char *label; enum reason why; bool strangers; char flip; } arrivals[] = {
	{ "a refusing result", REASON_CMDLINE_CHANGED, false, 0 },
	{ "a good result", REASON_OK, false, 0 },
	{ "a result of another key", REASON_OK, true, 0 },
	{ "a result whose signature is not its", REASON_OK, false, 1 },
};

START_TEST(arrives)
{
	struct arrival in = { .keys = { .count = 1 }, .right = reason_state(arrivals[_i].why) };
	const struct sweep s = { arrivals[_i].label, verifies, &in, NULL, never_better, LIMIT_MS };
	struct result r = a_result(arrivals[_i].why);
	unsigned made;
	struct error e;

	ck_assert(sign_key_public(signer, &in.keys.key[0], &e));
	/* Another key under our kid. */
	ck_assert_msg(result_sign(&r, signer, in.jws, sizeof(in.jws), &in.len, &e), "%s", e.why);
	if (arrivals[_i].strangers) {
		struct public_key other;

		ck_assert(sign_key_public(stranger, &other, &e));
		memcpy(in.keys.key[0].x, other.x, sizeof(other.x));
		memcpy(in.keys.key[0].y, other.y, sizeof(other.y));
		in.right = STATE_COUNT;
	}
	if (arrivals[_i].flip) {
		in.jws[in.len - 20] = (char)(in.jws[in.len - 20] == 'A' ? 'B' : 'A');
		in.right = STATE_COUNT;
	}
	made = inject_sweep(&s);
	/* Nothing but memory can fail there, and a sanitizer's cannot. */
	if (inject_allocs())
		ck_assert_uint_gt(made, 50);
}
END_TEST

static void
enrolled(void)
{
	struct enrolled en = { .host_id = "0b7e1c5e-6f0a-4e6a-9d55-2f6f6ad2a111", .name = "host-a", .token = "token" };
	struct keyset set = { .serial = 1, .count = 1 };
	struct identity id = { .active = false };
	struct error e;
	size_t len;

	ck_assert(sign_key_make(&signer, &e) && sign_key_make(&stranger, &e) && sign_key_public(signer, &set.key[0], &e) &&
	    sign_key_public(signer, &en.root, &e));
	ck_assert_msg(keyset_sign(signer, &set, en.keyset, sizeof(en.keyset), &len, &e), "%s", e.why);
	ck_assert_msg(state_save_identity(dir, &en, &id, &e), "%s", e.why);
	set.serial = 2;
	ck_assert_msg(keyset_sign(signer, &set, keyset, sizeof(keyset), &len, &e), "%s", e.why);
}

static void
before(void)
{
	/* Where fsync costs nothing: thousands of them are made. */
	snprintf(dir, sizeof(dir), "%s/pam-attest-faults.XXXXXX", access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	strcpy(opt.run_dir, dir);
	strcpy(opt.state_dir, dir);
	enrolled();
}

static void
after(void)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -rf '%s'", dir);
	(void)!system(command);
	sign_key_free(signer);
	sign_key_free(stranger);
}

static void
add(TCase *tc)
{
	tcase_set_timeout(tc, 300);
	tcase_add_checked_fixture(tc, before, after);
	tcase_add_loop_test(tc, deed, 0, COUNT(deeds));
	tcase_add_loop_test(tc, arrives, 0, COUNT(arrivals));
}

int
main(void)
{
	const char *why;

	if (!inject_possible(&why)) {
		printf("SKIP: %s\n", why);
		return 77;
	}
	return unit_run("attestd faults", add);
}
