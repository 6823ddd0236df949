/*
 * What an attestation costs the verifier: CPU time of all processes of a verifierd, against a bare
 * server that the same client sends the same bytes to. Each attestation is a connection of its own
 * with a full handshake, a challenge asked for and evidence sent; CLIENTS of them at a time.
 */
#include <arpa/inet.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include "bare_server.h"
#include "bench.h"
#include "client.h"
#include "crew.h"
#include "large_log.h"
#include "scope.h"
#include "soft_host.h"

enum { CLIENTS = 8, HOSTS_A_CLIENT = 4, HOSTS = CLIENTS * HOSTS_A_CLIENT, CONNECTIONS = 1000, LOOK_US = 200 };

static char dir[64], conf[96];
static uint16_t port;
static pid_t verifierd;
static SSL_CTX *tls;
static struct soft_host host[HOSTS];
static unsigned each = 24;                  /* attestations of a client in a round */
static unsigned logs;                       /* that were numbered */
static struct crew all;

/* --- a verifierd in a folder of its own --- */

static uint16_t
free_port(void)
{
	struct sockaddr_in here = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(here);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	need(fd >= 0 && !bind(fd, (struct sockaddr *)&here, sizeof(here)) && !getsockname(fd, (struct sockaddr *)&here, &len));
	close(fd);
	return ntohs(here.sin_port);
}

static const char *
built(const char *name)
{
	static char path[4096];
	const char *top = getenv("top_builddir");

	snprintf(path, sizeof(path), "%s/verifierd/%s", top ? top : ".", name);
	return path;
}

static void
write_conf(void)
{
	const char *tmp = getenv("TMPDIR");
	FILE *f;

	need(snprintf(dir, sizeof(dir), "%s/pam-attest-bench.XXXXXX", tmp ? tmp : "/tmp") < (int)sizeof(dir));
	need(mkdtemp(dir));
	snprintf(conf, sizeof(conf), "%s/verifierd.conf", dir);
	f = fopen(conf, "w");
	port = free_port();
	need(f);
	fprintf(f, "[listen]\nhosts = 127.0.0.1:%u\nadmin = %s/admin.sock\n[paths]\nstate_dir = %s\nrun_dir = %s\n"
	    "[enroll]\nek_roots = %s\nsimulator = yes\n[process]\nuser =\n", (unsigned)port, dir, dir, dir, dir);
	need(!fclose(f));
}

/* True when it succeeds. */
static bool
verifierctl(const char *words)
{
	char command[4096 + 256];

	snprintf(command, sizeof(command), "%s --socket %s/admin.sock %s >/dev/null 2>&1", built("verifierctl/verifierctl"), dir, words);
	return !system(command);
}

static void
start_verifierd(void)
{
	char log[96];

	write_conf();
	snprintf(log, sizeof(log), "%s/log", dir);
	verifierd = fork();
	need(verifierd >= 0);
	if (!verifierd) {
		prctl(PR_SET_PDEATHSIG, SIGTERM);
		if (freopen(log, "w", stderr))
			execl(built("verifierd"), "verifierd", "-c", conf, "-f", (char *)NULL);
		_exit(127);
	}
	for (unsigned tries = 0; !verifierctl("hosts"); tries++) {
		need(tries < 200 && waitpid(verifierd, NULL, WNOHANG) == 0);
		usleep(100000);
	}
	all.main = verifierd;
}

static void
end_verifierd(void)
{
	char command[128];

	kill(verifierd, SIGTERM);
	waitpid(verifierd, NULL, 0);
	snprintf(command, sizeof(command), "rm -rf '%s'", dir);
	need(!system(command));
}

static void
enroll_hosts(void)
{
	struct error e = { .code = ERR_NONE };
	struct store *s;
	struct host_row row;
	char url[128], name[32];

	snprintf(url, sizeof(url), "sqlite:%s/store.db", dir);
	need(store_open(url, &s, &e) && store_begin(s, &e));
	for (unsigned i = 0; i < HOSTS; i++) {
		snprintf(name, sizeof(name), "host-%u", i);
		soft_host_new(&host[i], name, i + 1, &row);
		host[i].log = large_log(&host[i].log_len);
		need(store_host_put(s, &row, &e));
	}
	need(store_commit(s, &e));
	store_close(s);
}

/* --- one attestation --- */

static void
attest(struct soft_host *h, uint16_t to, struct heard *challenge, struct heard *verdict)
{
	SSL *s = client_connect(tls, to, 0);
	struct challenge_request ask;
	struct challenge_answer a;
	struct soft_quote q;
	struct error e;
	own(mem) char *text = NULL;
	own(mem) uint8_t *body = NULL;
	size_t len;

	soft_ask(h, &ask);
	need(challenge_request_json(&ask, &text, &len, &e));
	client_post(s, "/v1/challenges", "application/json", text, len, challenge);
	need(challenge->status == 200 && challenge_answer_read(challenge->body, challenge->body_len, &a, &e));
	soft_quote(h, &a, &q);
	body = soft_evidence(&q, &len);
	client_post(s, "/v1/evidence", "application/vnd.pam-attest.evidence", body, len, verdict);
	need(verdict->status == 200);
	client_end(s);
}

/* The first host is what all others are compared with; each other one adds its own part. What is measured is to be let in. */
static void
teach(struct heard *challenge, struct heard *verdict)
{
	char words[128];

	for (unsigned i = 0; i < HOSTS; i++) {
		struct soft_host *h = &host[i];

		attest(h, port, challenge, verdict);
		snprintf(words, sizeof(words), "references capture host-%u --name host-%u --reason bench", i, i);
		need(verifierctl(words));
		snprintf(words, sizeof(words), "references activate host-%u --yes --reason bench", i);
		need(verifierctl(words));
		large_log_number(h->log, h->log_len, ++logs);
		attest(h, port, challenge, verdict);
		need(strstr(verdict->body, "affirming"));
	}
}

/* --- rounds --- */

enum kind { BARE_LOG, BARE_KNOWN, FULL, KNOWN, KINDS };
struct work { unsigned client; uint16_t to; bool fresh; };
static atomic_uint done;

static void *
client(void *arg)
{
	const struct work *w = arg;
	struct heard *h = malloc(2 * sizeof(*h));

	need(h);
	for (unsigned i = 0; i < each; i++) {
		struct soft_host *from = &host[w->client * HOSTS_A_CLIENT + i % HOSTS_A_CLIENT];

		if (w->fresh)
			large_log_number(from->log, from->log_len, logs + w->client * each + i);
		attest(from, w->to, &h[0], &h[1]);
	}
	free(h);
	atomic_fetch_add(&done, 1);
	return NULL;
}

/* For one attestation, in microseconds. */
static const char *const parts[] = { "verifierd-net", "verifierd-core", "verifierd-parse", "verifierd-judge", "verifierd" };
struct cost { double all, part[COUNT(parts)]; };

static void
cost_of(const struct crew *c, double sign, struct cost *out)
{
	out->all += sign * crew_cpu(c, NULL) / (CLIENTS * each);
	for (unsigned i = 0; i < COUNT(parts); i++)
		out->part[i] += sign * crew_cpu(c, parts[i]) / (CLIENTS * each);
}

static void
one_round(struct crew *of, uint16_t to, bool fresh, struct cost *out)
{
	struct work w[CLIENTS];
	pthread_t thread[CLIENTS];

	*out = (struct cost){ .all = 0 };
	atomic_store(&done, 0);
	crew_look(of);
	cost_of(of, -1, out);
	for (unsigned i = 0; i < CLIENTS; i++) {
		w[i] = (struct work){ i, to, fresh };
		need(!pthread_create(&thread[i], NULL, client, &w[i]));
	}
	while (atomic_load(&done) < CLIENTS) {
		usleep(LOOK_US);
		crew_look(of);
	}
	for (unsigned i = 0; i < CLIENTS; i++)
		pthread_join(thread[i], NULL);
	logs += fresh ? CLIENTS * each : 0;
	usleep(20000);
	crew_look(of);
	cost_of(of, 1, out);
}

/* The floor gives back what verifierd gave for a log it knew, and for one it did not. */
static void
start_floor(struct heard h[2], bool with_log, struct crew *out, uint16_t *at)
{
	if (with_log)
		large_log_number(host[0].log, host[0].log_len, ++logs);
	attest(&host[0], port, &h[0], &h[1]);
	need(!strstr(h[0].body, "\"known\"") == with_log);
	out->main = bare_server(dir, (struct canned){ h[0].raw, h[0].len }, (struct canned){ h[1].raw, h[1].len }, at);
}

static double
middle(const struct cost *of, unsigned rounds, int part)
{
	double v[ROUNDS_MAX];

	for (unsigned i = 0; i < rounds; i++)
		v[i] = part < 0 ? of[i].all : of[i].part[part];
	return bench_median(v, rounds);
}

static void
say(struct cost us[KINDS][ROUNDS_MAX], unsigned rounds, bool known)
{
	struct figure f = { .name = known ? "attestation, log known before" : "attestation, 75 KB log", .unit = "us",
		.aim_ratio = known ? 1.8 : 2.2, .value = middle(us[known ? KNOWN : FULL], rounds, -1),
		.floor = middle(us[known ? BARE_KNOWN : BARE_LOG], rounds, -1) };
	char name[40];

	bench_say(&f);
	for (unsigned i = 0; i < COUNT(parts); i++) {
		snprintf(name, sizeof(name), "  of it %s", parts[i]);
		f = (struct figure){ .name = name, .unit = "us", .value = middle(us[known ? KNOWN : FULL], rounds, (int)i) };
		bench_say(&f);
	}
}

static void
figures(unsigned rounds)
{
	static struct cost us[KINDS][ROUNDS_MAX];
	static struct heard h[2];
	static struct crew bare[2];
	uint16_t to[2];

	start_floor(h, true, &bare[BARE_LOG], &to[BARE_LOG]);
	start_floor(h, false, &bare[BARE_KNOWN], &to[BARE_KNOWN]);
	for (unsigned i = 0; i < rounds; i++) {
		one_round(&all, port, true, &us[FULL][i]);
		one_round(&all, port, false, &us[KNOWN][i]);      /* of the logs that it has just been sent */
		one_round(&bare[BARE_LOG], to[BARE_LOG], true, &us[BARE_LOG][i]);
		one_round(&bare[BARE_KNOWN], to[BARE_KNOWN], false, &us[BARE_KNOWN][i]);
	}
	bench_title("verifierd, CPU of all its processes");
	say(us, rounds, false);
	say(us, rounds, true);
	for (unsigned i = 0; i < 2; i++) {
		kill(bare[i].main, SIGKILL);
		waitpid(bare[i].main, NULL, 0);
	}
}

/* --- memory --- */

static void
memory(unsigned connections)
{
	struct figure f = { .name = "private dirty, no connection", .unit = "MiB" };
	SSL **open_ = calloc(connections, sizeof(SSL *));
	char name[64];

	need(open_);
	crew_look(&all);
	f.value = crew_private_dirty(&all) / 1024;
	bench_say(&f);
	for (unsigned i = 0; i < connections; i++)
		open_[i] = client_connect(tls, port, i % 200);
	crew_look(&all);
	snprintf(name, sizeof(name), "private dirty, %u open connections", connections);
	f = (struct figure){ .name = name, .unit = "MiB", .aim = 64, .value = crew_private_dirty(&all) / 1024 };
	bench_say(&f);
	for (unsigned i = 0; i < connections; i++)
		client_end(open_[i]);
	free(open_);
}

int
main(int argc, char **argv)
{
	unsigned rounds = bench_rounds(argc, argv, 9);
	struct rlimit files = { 4096, 4096 };
	static struct heard h[2];
	char ca[96];

	if (rounds == 1)
		each = 4;
	signal(SIGPIPE, SIG_IGN);
	setrlimit(RLIMIT_NOFILE, &files);
	start_verifierd();
	snprintf(ca, sizeof(ca), "%s/tls/ca.pem", dir);
	tls = client_new(ca);
	enroll_hosts();
	teach(&h[0], &h[1]);
	figures(rounds);
	memory(rounds > 1 ? CONNECTIONS : 50);
	for (unsigned i = 0; i < HOSTS; i++)
		soft_host_free(&host[i]);
	SSL_CTX_free(tls);
	end_verifierd();
	return 0;
}
