#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include "clock.h"
#include "core_lab.h"
#include "roles.h"
#include "unit.h"

/* --- folder and processes --- */

void
lab_open(struct lab *l)
{
	struct error e = { .code = ERR_NONE };
	char path[128];
	FILE *f;

	*l = (struct lab){ .to_core = -1, .hosts = -1, .admin = -1 };
	snprintf(l->dir, sizeof(l->dir), "/tmp/check_core.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(l->dir));
	snprintf(path, sizeof(path), "%s/roots", l->dir);
	ck_assert(!mkdir(path, 0700));
	snprintf(path, sizeof(path), "%s/logs", l->dir);
	ck_assert(!mkdir(path, 0700));
	snprintf(l->conf, sizeof(l->conf), "%s/verifierd.conf", l->dir);
	f = fopen(l->conf, "w");
	ck_assert_ptr_nonnull(f);
	fprintf(f, "[paths]\nstate_dir = %s\nrun_dir = %s\n[enroll]\nek_roots = %s/roots\n", l->dir, l->dir, l->dir);
	fclose(f);
	ck_assert_msg(keys_make(l->dir, &e), "%s", e.why);
	store_close(lab_store(l));
}

struct store *
lab_store(struct lab *l)
{
	struct error e = { .code = ERR_NONE };
	struct store *s = NULL;
	char url[128];

	snprintf(url, sizeof(url), "sqlite:%s/store.db", l->dir);
	ck_assert_msg(store_open(url, &s, &e), "%s", e.why);
	return s;
}

static void
move_fd(int from, int to)
{
	if (from != to && dup2(from, to) < 0)
		_exit(126);
	(void)fcntl(to, F_SETFD, 0);
}

/* As main starts a role; returns when it says that it is ready. */
static pid_t
run_role(const struct lab *l, const char *role, int channel)
{
	const char *build = getenv("top_builddir");
	int ready[2], high[2];
	char path[4096], byte;
	pid_t pid;

	snprintf(path, sizeof(path), "%s/verifierd/verifierd-%s", build ? build : ".", role);
	ck_assert(!pipe2(ready, O_CLOEXEC));
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (!pid) {
		high[0] = fcntl(ready[1], F_DUPFD, 100);
		high[1] = fcntl(channel, F_DUPFD, 100);
		move_fd(high[0], FD_READY);
		move_fd(high[1], FD_CHANNEL);
		close_range(FD_LISTEN, ~0u, 0);
		execl(path, path, "-c", l->conf, "-f", (char *)NULL);
		_exit(127);
	}
	close(ready[1]);
	ck_assert_msg(read(ready[0], &byte, 1) == 1, "%s does not start", path);
	close(ready[0]);
	return pid;
}

int
lab_channel(struct lab *l, enum role role, uint8_t index)
{
	struct error e = { .code = ERR_NONE };
	uint8_t which[6] = { (uint8_t)role, index };
	int ends[2];

	which[5] = (uint8_t)++l->generation;
	ck_assert(!socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends));
	ck_assert_msg(ipc_send(l->to_core, ROLE_MAIN, MSG_CHANNEL, 0, which, sizeof(which), ends[0], &e), "%s", e.why);
	close(ends[0]);
	return ends[1];
}

static void
add_worker(struct lab *l, unsigned at, enum role role, uint8_t index)
{
	int end = lab_channel(l, role, index);

	l->worker[at] = run_role(l, role_word(role), end);
	close(end);
}

void
lab_start(struct lab *l, unsigned parsers, unsigned judges)
{
	int ends[2];

	ck_assert(!socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends));
	l->to_core = ends[0];
	l->core = run_role(l, "core", ends[1]);
	close(ends[1]);
	l->hosts = lab_channel(l, ROLE_HOSTS, 0);
	l->admin = lab_channel(l, ROLE_ADMIN, 0);
	for (unsigned i = 0; i < parsers; i++)
		add_worker(l, i, ROLE_PARSE, (uint8_t)i);
	for (unsigned i = 0; i < judges; i++)
		add_worker(l, parsers + i, ROLE_JUDGE, (uint8_t)i);
}

void
lab_kill_core(struct lab *l)
{
	if (!l->core)
		return;
	kill(l->core, SIGKILL);
	waitpid(l->core, NULL, 0);
	l->core = 0;
	close(l->to_core);
	close(l->hosts);
	close(l->admin);
	for (unsigned i = 0; i < LAB_WORKERS; i++)
		if (l->worker[i]) {
			waitpid(l->worker[i], NULL, 0);      /* the end of its channel is its end */
			l->worker[i] = 0;
		}
}

void
lab_close(struct lab *l)
{
	char command[96];

	lab_kill_core(l);
	snprintf(command, sizeof(command), "rm -rf '%s'", l->dir);
	ck_assert_int_eq(system(command), 0);
}

/* --- messages --- */

uint64_t
lab_send(struct lab *l, enum message type, const void *p, size_t len)
{
	struct error e = { .code = ERR_NONE };

	ck_assert_msg(ipc_send(l->hosts, ROLE_HOSTS, type, ++l->job, p, len, -1, &e), "%s", e.why);
	return l->job;
}

void
lab_receive(int channel, struct reply *r)
{
	own(frame) struct frame f = { .peer_fd = -1 };
	struct error e = { .code = ERR_NONE };
	struct pollfd ready = { .fd = channel, .events = POLLIN };
	bool got = false;

	ck_assert_msg(poll(&ready, 1, 20000) == 1, "core does not answer");
	ck_assert_msg(ipc_receive(channel, ROLE_HOSTS, &f, &got, &e) || ipc_receive(channel, ROLE_ADMIN, &f, &got, &e),
	    "%s", e.why);
	ck_assert(got);
	r->status = rd_be16(&f.payload, "status");
	r->job = f.job;
	ck_assert_uint_lt(f.payload.left, sizeof(r->body));
	memcpy(r->body, f.payload.pos, f.payload.left);
	r->body[f.payload.left] = '\0';
}

void
lab_ask(struct lab *l, enum message type, const void *p, size_t len, struct reply *r)
{
	uint64_t job = lab_send(l, type, p, len);

	lab_receive(l->hosts, r);
	ck_assert_uint_eq(r->job, job);
}

void
lab_admin_send(struct lab *l, const struct admin_request *q)
{
	struct error e = { .code = ERR_NONE };
	size_t size = (8 << 10) + q->text.len;
	own(mem) uint8_t *buf = malloc(size);
	struct writer w = wr_open(buf, size);
	int peer[2];

	admin_request_pack(q, &w);
	ck_assert(!socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, peer));
	ck_assert(ipc_send(l->admin, ROLE_ADMIN, MSG_ADMIN, ++l->job, buf, w.used, peer[0], &e));
	close(peer[0]);
	close(peer[1]);
}

void
lab_admin_receive(struct lab *l, struct reply *r)
{
	own(frame) struct frame f = { .peer_fd = -1 };
	struct pollfd ready = { .fd = l->admin, .events = POLLIN };
	struct error e = { .code = ERR_NONE };
	bool got = false;

	ck_assert_msg(poll(&ready, 1, 20000) == 1, "core does not answer");
	ck_assert_msg(ipc_receive(l->admin, ROLE_ADMIN, &f, &got, &e) && got, "%s", e.why);
	r->status = rd_be16(&f.payload, "status");
	r->job = f.job;
	ck_assert_uint_lt(f.payload.left, sizeof(r->body));
	memcpy(r->body, f.payload.pos, f.payload.left);
	r->body[f.payload.left] = '\0';
}

void
lab_admin(struct lab *l, const struct admin_request *q, struct reply *r)
{
	lab_admin_send(l, q);
	lab_admin_receive(l, r);
}

const char *
reply_reason(const struct reply *r)
{
	static char text[64];
	own(json) struct json *j = NULL;
	const struct json *list;
	struct error e;
	unsigned n;

	snprintf(text, sizeof(text), "nothing");
	if (!json_parse(r->body, strlen(r->body), &j, &e))
		return text;
	if (json_text(j, "reason", text, sizeof(text), &e))
		return text;
	if (json_list(j, "reasons", 32, &n, &e) && n && (list = json_item(j, "reasons", 0)))
		ck_assert(json_item_text(list, text, sizeof(text), &e));
	return text;
}

/* --- a host --- */

void
soft_host(struct lab *l, struct soft_host *h, const char *name, const char *boot)
{
	static unsigned count;
	struct host_row row;
	struct error e = { .code = ERR_NONE };
	struct store *s = lab_store(l);
	char path[256];

	soft_host_new(h, name, ++count, &row);
	ck_assert_msg(store_begin(s, &e) && store_host_put(s, &row, &e) && store_commit(s, &e), "%s", e.why);
	store_close(s);
	snprintf(path, sizeof(path), "tests/data/vm/%s/binary_bios_measurements", boot);
	h->log = unit_file(path, &h->log_len);
	ck_assert_msg(h->log, "no %s", path);
}

bool
soft_challenge(struct lab *l, struct soft_host *h, struct soft_quote *q, struct reply *r)
{
	struct challenge_request ask;
	struct challenge_answer a;
	struct error e = { .code = ERR_NONE };
	uint8_t buf[4096];
	struct writer w = wr_open(buf, sizeof(buf));

	soft_ask(h, &ask);
	challenge_request_pack(&ask, &w);
	lab_ask(l, MSG_CHALLENGE, buf, w.used, r);
	if (r->status != 200)
		return false;
	ck_assert_msg(challenge_answer_read(r->body, strlen(r->body), &a, &e), "%s", e.why);
	soft_quote(h, &a, q);
	return true;
}

void
soft_attest(struct lab *l, const struct soft_quote *q, struct reply *r)
{
	own(mem) uint8_t *body = NULL;
	size_t len;

	body = soft_evidence(q, &len);
	lab_ask(l, MSG_EVIDENCE, body, len, r);
}
