/* Packed forms and frames. Both sides of a socketpair are played here. */
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include "ipc.h"
#include "unit.h"

enum { BUF = 256 << 10 };

static void
fill(void *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		((uint8_t *)p)[i] = (uint8_t)(i * 7 + 1);
}

static void
set_blob(uint8_t *p, size_t size, size_t *len)
{
	fill(p, size);
	*len = size;
}

/* Fields at their largest, or near it where every prefix of them would take minutes. */
static struct challenge_request *
a_challenge_request(void)
{
	static struct challenge_request q;

	q.ak.size = sizeof(q.ak.bytes);
	fill(q.ak.bytes, sizeof(q.ak.bytes));
	memset(q.boot_id, 'b', sizeof(q.boot_id) - 1);
	fill(q.boot_log, sizeof(q.boot_log));
	q.boot_log_len = 1ull << 40;
	q.ima_count = 3;
	q.purpose = PURPOSE_PASSPORT;
	return &q;
}

static struct enroll_request *
an_enroll_request(void)
{
	static struct enroll_request q;

	memset(q.name, 'n', sizeof(q.name) - 1);
	set_blob(q.ek_public, sizeof(q.ek_public), &q.ek_public_len);
	set_blob(q.ek_cert, sizeof(q.ek_cert), &q.ek_cert_len);
	q.chain_count = EK_CHAIN_MAX;
	for (unsigned i = 0; i < EK_CHAIN_MAX; i++)
		set_blob(q.chain[i], i ? 50 : sizeof(q.chain[i]), &q.chain_len[i]);
	set_blob(q.ak_public, sizeof(q.ak_public), &q.ak_public_len);
	q.banks = 6;
	memset(q.token, 't', sizeof(q.token) - 1);
	return &q;
}

static struct incidents *
some_incidents(void)
{
	static struct incidents all = { .count = 2, .modes = 2 };

	fill(all.batch, sizeof(all.batch));
	for (unsigned i = 0; i < 2; i++) {
		memset(all.list[i].service, 's', sizeof(all.list[i].service) - 1);
		all.list[i].kind = INCIDENT_COUNT - 1;
		all.list[i].count = UINT32_MAX;
		all.list[i].last = INT64_MAX;
		all.mode[i].mode = MODE_ENFORCE;
	}
	strcpy(all.list[0].ref, "L-7F3K-21QX");
	return &all;
}

static struct admin_request *
an_admin_request(void)
{
	static struct admin_request q = { .op = ADMIN_AUDIT, .host = "w\xc3\xa4'%\"", .report = "7F3K-21QX",
		.set = "debian12/14", .other = "x", .digest = "d", .ek = "e", .reason = "because", .dry_run = true };

	return &q;
}

static struct enroll_facts *
some_enroll_facts(void)
{
	static struct enroll_facts q = { .reason = REASON_OK, .why = "w", .ek_fingerprint = "f", .ek_subject = "s",
		.ek_not_after = -5, .ak_scheme_hash = 0x000b };

	q.ek = (struct tpm_public){ .type = TPM_ALG_RSA, .name_alg = 0x000b, .attributes = 0x300b2, .exponent = 65537 };
	set_blob(q.ek.policy, sizeof(q.ek.policy), &q.ek.policy_len);
	set_blob(q.ek.modulus, sizeof(q.ek.modulus), &q.ek.modulus_len);
	set_blob(q.ek.x, sizeof(q.ek.x), &q.ek.xy_len);
	q.ak.size = 34;
	q.signer.size = 34;
	set_blob(q.ak_spki, sizeof(q.ak_spki), &q.ak_spki_len);
	return &q;
}

static struct host_facts *
some_host_facts(void)
{
	static struct host_facts q = { .known = true, .active = true, .seen = true, .last_boot_id = "boot",
		.last_reset = 7, .last_restart = 8, .last_clock = 9, .gave_log = true, .gave_ima = true,
		.ek_subject = "IFX SLB9670 id:00070055" };

	set_blob(q.spki, sizeof(q.spki), &q.spki_len);
	q.signer.size = 34;
	return &q;
}

static struct expectation *
an_expectation(void)
{
	static struct expectation q = { .boot_id = "boot", .selection = { .count = 2,
		.bank = { { 0x000b, 0x95 }, { 0x000c, 1 } } } };

	fill(q.extra, sizeof(q.extra));
	return &q;
}

static struct ima_ask *
an_ima_ask(void)
{
	static struct ima_ask q = { .wanted = true, .sent = true, .last = true, .at = 1, .hint = 2, .boot_id = "boot",
		.policy_version = 3 };

	q.ak.size = 34;
	fill(q.rules, sizeof(q.rules));
	return &q;
}

static struct ima_said *
an_ima_said(void)
{
	static struct ima_said q = { .step = IMA_STEP_DONE, .next = 1, .entries = 2, .violations = 3, .pending = 4, .refused = true };

	fill(q.key, sizeof(q.key));
	return &q;
}

static struct quote *
a_quote(void)
{
	static struct quote q = { .magic = TPM_GENERATED, .type = TPM_ST_ATTEST_QUOTE, .clock = 1, .reset_count = 2,
		.restart_count = 3, .safe = true, .firmware = 4, .selection = { .count = 1, .bank = { { 0x000b, 0x95 } } } };

	q.signer.size = 34;
	set_blob(q.extra, sizeof(q.extra), &q.extra_len);
	set_blob(q.pcr_digest, sizeof(q.pcr_digest), &q.pcr_digest_len);
	return &q;
}

static struct proof *
a_proof(void)
{
	static struct proof q = { .id = "01234567-89ab-cdef-0123-456789abcdef" };

	fill(q.secret, sizeof(q.secret));
	return &q;
}

static struct newest *
a_newest(void)
{
	static struct newest q = { .host = "h", .token = "t" };

	return &q;
}

static struct redeem *
a_redeem(void)
{
	static struct redeem q = { .code = "C", .audience = "vpn.example", .user = "kim", .token = "t" };

	return &q;
}

static struct orders_ask *
an_orders_ask(void)
{
	static struct orders_ask q = { .host = "h", .token = "t" };

	fill(q.nonce, sizeof(q.nonce));
	return &q;
}

/* One row a structure: pack, unpack, pack again; same bytes. Every prefix and one byte more fail. */
#define FORMS(X) X(challenge_request, a_challenge_request) X(enroll_request, an_enroll_request) \
	X(admin_request, an_admin_request) X(enroll_facts, some_enroll_facts) X(host_facts, some_host_facts) \
	X(expectation, an_expectation) X(ima_ask, an_ima_ask) X(ima_said, an_ima_said) X(quote, a_quote) X(incidents, some_incidents) X(proof, a_proof) X(newest, a_newest) \
	X(redeem, a_redeem) X(orders_ask, an_orders_ask)

#define X(name, make)                                                                        \
static void name##_write(struct writer *w) { name##_pack(make(), w); }                       \
static bool name##_again(const void *p, size_t n, struct writer *w, struct error *e)         \
{                                                                                            \
	static struct name s;                                                                \
	struct reader r = rd_open(p, n);                                                     \
                                                                                             \
	if (!name##_unpack(&r, &s, e))                                                       \
		return false;                                                                \
	if (w)                                                                               \
		name##_pack(&s, w);                                                          \
	return true;                                                                         \
}
FORMS(X)
#undef X

static const struct {
	const char *label;
	void (*write)(struct writer *);
	bool (*again)(const void *, size_t, struct writer *, struct error *);
} forms[] = {
#define X(name, make) { #name, name##_write, name##_again },
	FORMS(X)
#undef X
};

static uint8_t buf[BUF], back[BUF];

static void
refuses(const uint8_t *p, size_t n, void *row)
{
	struct error e = { .code = ERR_NONE };
	unsigned i = *(unsigned *)row;

	ck_assert_msg(!forms[i].again(p, n, NULL, &e) && e.code == ERR_FORMAT, "%s: a prefix of %zu passed",
	    forms[i].label, n);
}

START_TEST(packs_and_unpacks)
{
	struct error e = { .code = ERR_NONE };
	struct writer w = wr_open(buf, sizeof(buf)), v = wr_open(back, sizeof(back));
	unsigned row = (unsigned)_i;

	forms[_i].write(&w);
	ck_assert_msg(wr_ok(&w, &e), "%s: %s", forms[_i].label, e.why);
	ck_assert_msg(forms[_i].again(buf, w.used, &v, &e), "%s: %s", forms[_i].label, e.why);
	ck_assert_uint_eq(v.used, w.used);
	ck_assert_mem_eq(buf, back, w.used);
	unit_prefixes(buf, w.used, refuses, &row);
	refuses(buf, w.used + 1, &row);
}
END_TEST

START_TEST(values_out_of_range)
{
	static const struct { const char *label, *hex; unsigned row; const char *why; } cases[] = {
		{ "no operation", "ff" "0000" "0000" "0000" "0000" "0000" "0000" "0000" "00", 2, "admin_request: op" },
		{ "dry_run 2",    "00" "0000" "0000" "0000" "0000" "0000" "0000" "0000" "02", 2, "admin_request: dry_run" },
		{ "host with NUL", "00" "0002 6100" "0000" "0000" "0000" "0000" "0000" "0000" "00", 2, "admin_request: host" },
		{ "host too long", "00" "0040" "0000", 2, "admin_request: host" },
		{ "five banks",   "0000000000000000000000000000000000000000000000000000000000000000" "05", 5,
		    "expectation: selection" },
		{ "known 255",    "ff", 4, "host_facts: known" },
	};

	for (unsigned i = 0; i < COUNT(cases); i++) {
		struct error e = { .code = ERR_NONE };
		size_t n = unhex(cases[i].hex, buf, sizeof(buf));

		ck_assert_msg(!forms[cases[i].row].again(buf, n, NULL, &e) && e.code == ERR_FORMAT, "%s", cases[i].label);
		ck_assert_msg(!strncmp(e.why, cases[i].why, strlen(cases[i].why)), "%s: %s", cases[i].label, e.why);
	}
}
END_TEST

/* What a parser says of events goes into journals: a subverted one writes no lines of its own there. */
START_TEST(words_of_events_stay_words)
{
	static const char *const bad[] = { "k m", "k\nverifierd: all is well", "\033[2J", "\x7f", "k\xc3\xa4" };
	struct error e = { .code = ERR_NONE };

	for (unsigned i = 0; i < 4 * COUNT(bad); i++) {
		static struct incidents all, back_again;
		struct writer w = wr_open(buf, sizeof(buf));
		struct reader in;

		all = *some_incidents();
		snprintf(i % 4 == 0 ? all.list[1].user : i % 4 == 1 ? all.list[0].service : i % 4 == 2 ? all.list[0].ref :
		    all.mode[1].service, i % 4 == 2 ? REF_TEXT : INCIDENT_WORD, "%s", bad[i / 4]);
		incidents_pack(&all, &w);
		ck_assert(wr_ok(&w, &e));
		in = rd_open(buf, w.used);
		ck_assert_msg(!incidents_unpack(&in, &back_again, &e) && e.code == ERR_FORMAT, "%u", i);
	}
}
END_TEST

/* --- frames --- */

static int pair[2];

static void
open_pair(void)
{
	ck_assert(!socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair));
}

static void
close_pair(void)
{
	close(pair[0]);
	close(pair[1]);
}

START_TEST(carries_every_size)
{
	static const size_t sizes[] = { 0, 1, 4096, IPC_INLINE_MAX, IPC_INLINE_MAX + 1, EVIDENCE_MAX };
	size_t n = sizes[_i];
	own(mem) uint8_t *p = malloc(n + 1);
	own(frame) struct frame f = { .peer_fd = -1 };
	struct error e = { .code = ERR_NONE };
	bool got = true;

	ck_assert_ptr_nonnull(p);
	fill(p, n);
	ck_assert(ipc_receive(pair[1], ROLE_CORE, &f, &got, &e) && !got);
	ck_assert_msg(ipc_send(pair[0], ROLE_HOSTS, MSG_EVIDENCE, 77 + (1ull << 40), p, n, -1, &e), "%s", e.why);
	ck_assert_msg(ipc_receive(pair[1], ROLE_CORE, &f, &got, &e) && got, "%s", e.why);
	ck_assert_int_eq(f.type, MSG_EVIDENCE);
	ck_assert(f.job == 77 + (1ull << 40) && f.payload.left == n && f.peer_fd == -1);
	ck_assert(!memcmp(f.payload.pos, p, n));
	ck_assert_int_eq(f.mapped != NULL, n > IPC_INLINE_MAX);
}
END_TEST

START_TEST(carries_a_peer)
{
	struct error e = { .code = ERR_NONE };
	own(frame) struct frame f = { .peer_fd = -1 };
	own(fd) int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	bool got = false;

	ck_assert(ipc_send(pair[0], ROLE_ADMIN, MSG_ADMIN, 1, "x", 1, fd, &e));
	ck_assert(ipc_receive(pair[1], ROLE_CORE, &f, &got, &e) && got);
	ck_assert_int_ge(f.peer_fd, 0);
	ck_assert(fcntl(f.peer_fd, F_GETFD) & FD_CLOEXEC);
}
END_TEST

START_TEST(sender_keeps_the_table)
{
	struct error e = { .code = ERR_NONE };

	ck_assert(!ipc_send(pair[0], ROLE_HOSTS, MSG_ADMIN, 1, "x", 1, -1, &e) && e.code == ERR_FORMAT);
	ck_assert_str_eq(e.why, "net-hosts does not send ADMIN");
	ck_assert(!ipc_send(pair[0], ROLE_HOSTS, MSG_KEYS, 1, "x", 1, -1, &e) && e.code == ERR_FORMAT);
	ck_assert_str_eq(e.why, "KEYS of 1 bytes: over 0");
}
END_TEST

START_TEST(a_full_queue_is_said_at_once)
{
	static uint8_t big[IPC_INLINE_MAX];
	struct error e = { .code = ERR_NONE };
	unsigned sent = 0;

	while (ipc_send(pair[0], ROLE_HOSTS, MSG_EVIDENCE, sent, big, sizeof(big), -1, &e))
		ck_assert_uint_lt(++sent, 1000);
	ck_assert_uint_gt(sent, 0);
	ck_assert_int_eq(e.code, ERR_LIMIT);
}
END_TEST

START_TEST(the_end_is_told_from_an_error)
{
	own(frame) struct frame f = { .peer_fd = -1 };
	struct error e = { .code = ERR_NONE };
	bool got;

	shutdown(pair[0], SHUT_RDWR);
	ck_assert(!ipc_receive(pair[1], ROLE_CORE, &f, &got, &e) && e.code == ERR_MISSING);
	ck_assert(!ipc_send(pair[0], ROLE_HOSTS, MSG_KEYS, 1, NULL, 0, -1, &e) && e.code == ERR_SYSTEM);
}
END_TEST

/* A liar on the channel: header bytes, payload bytes beside them, descriptors. */
enum { FD_NONE, FD_PLAIN, FD_UNSEALED, FD_SHORT, FD_SEALED };

static int
memory(int kind)
{
	int fd = memfd_create("liar", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	off_t len = kind == FD_SHORT ? IPC_INLINE_MAX : IPC_INLINE_MAX + 1;

	ck_assert(fd >= 0 && !ftruncate(fd, len));
	if (kind == FD_SHORT || kind == FD_SEALED)
		ck_assert(!fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL));
	if (kind == FD_UNSEALED)
		ck_assert(!fcntl(fd, F_ADD_SEALS, F_SEAL_GROW | F_SEAL_SHRINK));
	return fd;
}

static void
send_raw(const void *p, size_t n, int kind)
{
	struct iovec iov = { .iov_base = (void *)(uintptr_t)p, .iov_len = n };
	union { struct cmsghdr align; char room[CMSG_SPACE(sizeof(int))]; } a = { 0 };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1 };
	own(fd) int fd = -1;

	if (kind != FD_NONE) {
		struct cmsghdr *c;

		fd = kind == FD_PLAIN ? open("/dev/null", O_RDONLY | O_CLOEXEC) : memory(kind);
		m.msg_control = a.room;
		m.msg_controllen = sizeof(a.room);
		c = CMSG_FIRSTHDR(&m);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(c), &fd, sizeof(fd));
	}
	ck_assert_int_eq(sendmsg(pair[0], &m, MSG_NOSIGNAL), (ssize_t)n);
}

#define HEAD(type, flags, len) "70616970" type flags "0000000000000005" len "00000000"
#define EVIDENCE_IS "0001"
#define KEYS_IS     "0009"
#define REPLY_IS    "000b"
_Static_assert(MSG_EVIDENCE == 1 && MSG_KEYS == 9 && MSG_REPLY_HOST == 11, "as they are written here");
static const struct { const char *label, *hex; int kind; const char *why; } lies[] = {
	{ "a byte",           "00", FD_NONE, "not a frame" },
	{ "another magic",    "70616971" "0001" "0000" "0000000000000005" "00000000" "00000000", FD_NONE, "not a frame" },
	{ "unknown flag",     HEAD(EVIDENCE_IS, "0004", "00000000"), FD_NONE, "not a frame" },
	{ "last word set",    "70616970" "0001" "0000" "0000000000000005" "00000000" "00000001", FD_NONE, "not a frame" },
	{ "unknown type",     HEAD("00ff", "0000", "00000000"), FD_NONE, "unknown message is not for core" },
	{ "wrong direction",  HEAD(REPLY_IS, "0000", "00000000"), FD_NONE, "REPLY_HOST is not for core" },
	{ "too large",        HEAD(KEYS_IS, "0000", "00000001") "00", FD_NONE, "KEYS of 1 bytes: over 0" },
	{ "largest length",   HEAD(EVIDENCE_IS, "0001", "ffffffff"), FD_SEALED, "EVIDENCE of 4294967295 bytes" },
	{ "length lies down", HEAD(EVIDENCE_IS, "0000", "00000001") "0000", FD_NONE, "EVIDENCE: 2 bytes where 1 were" },
	{ "length lies up",   HEAD(EVIDENCE_IS, "0000", "00000003") "0000", FD_NONE, "EVIDENCE: 2 bytes where 3 were" },
	{ "unsealed",         HEAD(EVIDENCE_IS, "0001", "00020001"), FD_UNSEALED, "payload memory is not sealed" },
	{ "no memory at all", HEAD(EVIDENCE_IS, "0001", "00020001"), FD_PLAIN, "payload memory is not sealed" },
	{ "short memory",     HEAD(EVIDENCE_IS, "0001", "00020001"), FD_SHORT, "payload memory is not of" },
	{ "memory missing",   HEAD(EVIDENCE_IS, "0001", "00020001"), FD_NONE, "EVIDENCE with 0 descriptors" },
	{ "two places",       HEAD(EVIDENCE_IS, "0001", "00020001") "00", FD_SEALED, "EVIDENCE with a payload in two" },
	{ "small in memory",  HEAD(EVIDENCE_IS, "0001", "00000001"), FD_SEALED, "EVIDENCE with a payload in two" },
	{ "stray descriptor", HEAD(EVIDENCE_IS, "0000", "00000000"), FD_PLAIN, "EVIDENCE with 1 descriptors" },
	{ "peer not allowed", HEAD(EVIDENCE_IS, "0002", "00000000"), FD_PLAIN, "EVIDENCE with 1 descriptors" },
};

START_TEST(every_rule_is_kept)
{
	own(frame) struct frame f = { .peer_fd = -1 };
	struct error e = { .code = ERR_NONE };
	bool got = false;
	size_t n = unhex(lies[_i].hex, buf, sizeof(buf));
	int before = dup(0), after;

	close(before);
	send_raw(buf, n, lies[_i].kind);
	ck_assert_msg(!ipc_receive(pair[1], ROLE_CORE, &f, &got, &e) && !got, "%s passed", lies[_i].label);
	ck_assert_msg(e.code == ERR_UNTRUSTED, "%s: %s", lies[_i].label, err_name(e.code));
	ck_assert_msg(!strncmp(e.why, lies[_i].why, strlen(lies[_i].why)), "%s: %s", lies[_i].label, e.why);
	after = dup(0);
	ck_assert_msg(before == after, "%s: a descriptor stayed open", lies[_i].label);
	close(after);
}
END_TEST

START_TEST(oversized_packet)
{
	static uint8_t big[IPC_HEADER + IPC_INLINE_MAX + 1];
	own(frame) struct frame f = { .peer_fd = -1 };
	struct error e = { .code = ERR_NONE };
	bool got = false;

	send_raw(big, sizeof(big), FD_NONE);
	ck_assert(!ipc_receive(pair[1], ROLE_CORE, &f, &got, &e) && e.code == ERR_UNTRUSTED);
}
END_TEST

START_TEST(table_names_its_senders)
{
	ck_assert_int_eq(message_from(MSG_ADMIN), ROLE_ADMIN);
	ck_assert_int_eq(message_from(MSG_EVIDENCE), ROLE_HOSTS);
	ck_assert_int_eq(message_from((enum message)MSG_COUNT), ROLE_COUNT);
	ck_assert_str_eq(role_word(ROLE_ADMIN), "net-admin");
}
END_TEST

static void
add(TCase *tc)
{
	tcase_add_checked_fixture(tc, open_pair, close_pair);
	tcase_add_loop_test(tc, packs_and_unpacks, 0, COUNT(forms));
	tcase_add_test(tc, values_out_of_range);
	tcase_add_test(tc, words_of_events_stay_words);
	tcase_add_loop_test(tc, carries_every_size, 0, 6);
	tcase_add_test(tc, carries_a_peer);
	tcase_add_test(tc, sender_keeps_the_table);
	tcase_add_test(tc, a_full_queue_is_said_at_once);
	tcase_add_test(tc, the_end_is_told_from_an_error);
	tcase_add_loop_test(tc, every_rule_is_kept, 0, COUNT(lies));
	tcase_add_test(tc, oversized_packet);
	tcase_add_test(tc, table_names_its_senders);
}

int main(void) { return unit_run("ipc", add); }
