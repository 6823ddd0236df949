#include <fcntl.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/un.h>
#include "file.h"
#include "gate.h"
#include "local.h"
#include "scope.h"
#include "sources.h"

static const char *const outcomes[] = {
#define X(name, word) [OUTCOME_##name] = word,
	OUTCOMES(X)
#undef X
};
static const char *const codes[] = {
#define X(name) [CODE_##name] = "PAM_" #name,
	GATE_CODES(X)
#undef X
};

const char *
outcome_word(enum outcome o)
{
	return (unsigned)o < OUTCOME_COUNT ? outcomes[o] : outcomes[OUTCOME_DENY];
}

const char *
code_word(enum gate_code c)
{
	return (unsigned)c < CODE_COUNT ? codes[c] : codes[CODE_AUTHINFO_UNAVAIL];
}

static enum gate_mode
lower(enum gate_mode a, enum gate_mode b)
{
	return a < b ? a : b;
}

static bool
is_verdict(enum state s)
{
	return s == STATE_AFFIRMING || s == STATE_WARNING;
}

/* Strangers must not drive the TPM: they have what is on file. A configuration that cannot be used asks nobody. */
static bool
may_ask(const struct facts *f, enum source s)
{
	static const bool on_file[SOURCE_COUNT] = { [SOURCE_CACHE] = true, [SOURCE_GRACE] = true, [SOURCE_LEASE] = true };

	if (s == SOURCE_EXEMPT)
		return true;
	return !f->conf->bad && (f->request->phase != PHASE_AUTH || ((unsigned)s < SOURCE_COUNT && on_file[s]));
}

static void
settle(struct gate_decision *d, enum outcome o, enum source s, const struct answer *a)
{
	d->judged = o;
	d->source = s;
	d->state = a->state;
	d->reason = a->reason;
	d->age = a->age;
	memcpy(d->ref, a->ref, sizeof(d->ref));
	memcpy(d->peer, a->peer, sizeof(d->peer));
}

/* A lease beats a refusal only where it was signed to, and never that of a host which was revoked. */
static bool
lease_counts(const struct facts *f, const struct answer *lease, const struct answer *refusal)
{
	if (!lease->leased || facts_unread(f))
		return false;
	return !refusal || (lease->overrules && refusal->reason != REASON_HOST_REVOKED);
}

static void
note(struct gate_decision *d, enum source s, const struct answer *a)
{
	if (d->nsaid == GATE_SOURCES_MAX)
		return;
	d->said[d->nsaid].source = s;
	d->said[d->nsaid].heard = a->heard || a->exempt || a->leased;
	d->said[d->nsaid].state = a->state;
	d->said[d->nsaid].reason = a->reason;
	d->nsaid++;
}

/*
 * Asks the sources in order. A refusal that is on record, or that a source gives, stands against
 * everything but a newer verdict, and a lease that was signed to overrule it: no outage and no bracket forgets it.
 */
static void
judge(struct facts *f, struct gate_decision *d)
{
	const struct gate_conf *c = f->conf;
	struct answer last = { .reason = c->bad ? REASON_CONFIG_ERROR : REASON_NOT_ATTESTED, .age = -1 };
	struct answer refusal = { .age = -1 };
	bool refused = !c->bad && facts_negative(f);

	/* Whatever the list of sources leaves out, a refusal on record is heard. */
	if (refused)
		source_ask(SOURCE_CACHE, f, &refusal);
	for (unsigned i = 0; i < c->nsources; i++) {
		const struct source_rule *rule = &c->sources[i];
		enum action action;
		struct answer a;

		if (!may_ask(f, rule->source))
			continue;
		source_ask(rule->source, f, &a);
		note(d, rule->source, &a);
		if (a.exempt) {
			settle(d, OUTCOME_EXEMPT, rule->source, &a);
			return;
		}
		if (lease_counts(f, &a, refused ? &refusal : NULL)) {
			settle(d, OUTCOME_LEASE, rule->source, &a);
			return;
		}
		/* Nothing to add: its bracket still says what no verdict is worth here. */
		if (a.heard && !a.leased) {
			last = a;
		} else {
			a = last;
			a.state = last.state == STATE_BROKEN ? STATE_BROKEN : STATE_NONE;
		}
		action = (unsigned)a.state < STATE_COUNT ? rule->action[a.state] : ACTION_DENY;
		if (a.state == STATE_CONTRAINDICATED) {
			refused = true;
			refusal = a;
		} else if (rule->source == SOURCE_QUOTE && is_verdict(a.state)) {
			refused = false;
		}
		/* A bracket opens for want of a verdict, not for want of the means to read one. */
		if (action == ACTION_PERMIT && !is_verdict(a.state) && (facts_negative(f) || facts_unread(f)))
			action = ACTION_CONTINUE;
		if (action == ACTION_PERMIT && !refused && a.state != STATE_CONTRAINDICATED) {
			settle(d, is_verdict(a.state) ? OUTCOME_PERMIT : OUTCOME_OPEN, rule->source, &a);
			return;
		}
		if (action == ACTION_DENY)
			break;
	}
	settle(d, OUTCOME_DENY, SOURCE_COUNT, refused ? &refusal : &last);
}

/* Does this section ask anything of this host? Where it judges the machine that connects, this one need not be armed. */
static bool
judges_this_host(const struct gate_conf *c)
{
	for (unsigned i = 0; i < c->nsources; i++)
		if (c->sources[i].source == SOURCE_CACHE || c->sources[i].source == SOURCE_QUOTE || c->sources[i].source == SOURCE_GRACE)
			return true;
	return false;
}

/* Has this host ever been affirming? What cannot be looked at counts as yes: only absence is absence. */
static bool
armed(const struct facts *f)
{
	char path[GATE_PATH_MAX + 16], byte[64];
	struct error e;
	size_t len;

	snprintf(path, sizeof(path), "%s/armed", f->conf->state_dir);
	return file_read_trusted(path, f->owner, byte, sizeof(byte), &len, &e) || e.code != ERR_MISSING;
}

/* "attest=audit" as a word of the kernel's own part of the command line. */
static bool
audit_on_cmdline(const char *path)
{
	char text[4096], *save = NULL;
	own(fd) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

	/* A word that was cut may have been a longer one. */
	while (n > 0 && text[n - 1] != '\n' && text[n - 1] != ' ')
		n--;
	if (n <= 0)
		return false;
	text[n] = '\0';
	for (char *w = strtok_r(text, " \t\n", &save); w && strcmp(w, "--") != 0; w = strtok_r(NULL, " \t\n", &save))
		if (!strcmp(w, "attest=audit"))
			return true;
	return false;
}

static bool
kill_switch(const struct facts *f)
{
	char path[GATE_PATH_MAX + 16], text[256];
	struct error e;
	size_t len;

	if (facts_negative(f) || facts_unread(f) || !(f->conf->kill_all || facts_console(f)))
		return false;
	if (audit_on_cmdline(f->conf->cmdline))
		return true;
	return gate_conf_beside(f->conf, "DISABLED", path, sizeof(path)) &&
	    (file_read_trusted(path, geteuid(), text, sizeof(text), &len, &e) || e.code == ERR_LIMIT);
}

/* The mode in force: the section's, until its trial ends, under the verifier's ceiling, once armed. */
static void
set_mode(const struct facts *f, struct gate_decision *d)
{
	const struct gate_conf *c = f->conf;

	d->mode = c->mode;
	if (c->until && f->now.wall >= c->until)
		d->mode = lower(d->mode, MODE_AUDIT);
	/* Signed for this host and boot; it outlives the verdict beside it, as a panic button must. */
	if (f->recorded && f->boot_id[0] && !strcmp(f->record.boot_id, f->boot_id))
		d->mode = lower(d->mode, f->record.ceiling);
	if (d->mode != MODE_ENFORCE)
		return;
	d->not_armed = !c->arm_always && !c->unreadable && judges_this_host(c) && !armed(f);
	d->killed = d->judged != OUTCOME_EXEMPT && d->state != STATE_CONTRAINDICATED && kill_switch(f);
	if (d->not_armed || d->killed)
		d->mode = MODE_AUDIT;
}

/*
 * An alert: enforce refuses nobody, or somebody came in past it. Root's own sudo, a service that is never gated, are
 * neither: on a host that is not armed yet cron would ring the bell every minute.
 */
static bool
worth_a_look(const struct gate_decision *d)
{
	if (d->judged != OUTCOME_EXEMPT)
		return d->not_armed || d->killed;
	return (d->mode == MODE_ENFORCE || d->not_armed) &&
	    (d->reason == REASON_BREAK_GLASS || d->reason == REASON_EXEMPT_CONSOLE);
}

void
gate_decide(const struct gate_conf *c, const struct gate_request *q, struct gate_decision *d)
{
	struct facts f;
	uint64_t random = 0;

	*d = (struct gate_decision){ .source = SOURCE_COUNT, .reason = REASON_MODE_OFF, .age = -1, .mode = c->mode,
		.judged = OUTCOME_PASS };
	facts_read(c, q, &f);
	if (c->mode != MODE_OFF) {
		int64_t start = f.now.mono;

		judge(&f, d);
		set_mode(&f, d);
		d->took = clock_mono() - start;
	}
	d->outcome = d->mode == MODE_ENFORCE || d->judged == OUTCOME_EXEMPT ? d->judged : OUTCOME_PASS;
	d->alert = worth_a_look(d);
	if (d->judged == OUTCOME_DENY && !d->ref[0] &&
	    getrandom(&random, sizeof(random), GRND_NONBLOCK) == (ssize_t)sizeof(random))
		ref_make(random, true, d->ref);
	d->recorded = f.recorded;
	d->record = f.record;
	d->detail = c->bad ? c->error : f.detail;
}

enum gate_code
gate_code(const struct gate_conf *c, const struct gate_decision *d, enum phase phase)
{
	switch (d->outcome) {
	case OUTCOME_PERMIT:
		/* A verdict is about the machine: under `auth sufficient` it must not log anybody in. */
		return phase == PHASE_AUTH && !c->success_ok ? CODE_IGNORE : CODE_SUCCESS;
	case OUTCOME_LEASE:
	case OUTCOME_EXEMPT:
	case OUTCOME_OPEN:
	case OUTCOME_PASS:
		return CODE_IGNORE;
	case OUTCOME_DENY:
		return d->state == STATE_NONE || d->state == STATE_BROKEN ? CODE_AUTHINFO_UNAVAIL : CODE_PERM_DENIED;
	case OUTCOME_COUNT:
		break;
	}
	return CODE_PERM_DENIED;
}

/* Bytes of the character that begins at p, as UTF-8; 0 for what is none, and for what moves a terminal's cursor. */
static size_t
character(const unsigned char *p)
{
	size_t n = p[0] < 0x80 ? 1 : p[0] >= 0xc2 && p[0] < 0xe0 ? 2 : (p[0] & 0xf0) == 0xe0 ? 3 : p[0] >= 0xf0 && p[0] < 0xf5 ? 4 : 0;

	if (n == 1)
		return p[0] >= ' ' && p[0] != 0x7f;
	for (size_t i = 1; i < n; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	return n == 2 && p[0] == 0xc2 && p[1] < 0xa0 ? 0 : n;   /* U+0080 to U+009f */
}

/* For a terminal, whatever came in by gate.conf; also where the end was cut in the middle of a character. */
static void
make_printable(char *text)
{
	for (size_t n; *text; text += n ? n : 1) {
		n = character((const unsigned char *)text);
		if (!n)
			*text = '?';
	}
}

/* What strangers typed, fit to stand in a log line: no spaces, no '=', no control characters. */
const char *
gate_word(const char *text, char out[static GATE_WORD_MAX])
{
	size_t n = 0;

	for (; n < GATE_WORD_MAX - 1 && text[n]; n++)
		out[n] = text[n] > ' ' && text[n] <= '~' && text[n] != '=' ? text[n] : '?';
	out[n] = '\0';
	return out;
}

void
gate_user_text(const struct gate_conf *c, const struct gate_decision *d, char *out, size_t size)
{
	bool refused = d->outcome == OUTCOME_DENY;
	char next[REASON_ADVICE_TEXT] = "", peer[GATE_WORD_MAX];

	gate_word(d->peer, peer);       /* as a certificate has it, or a verifier */
	if (refused)
		reason_advice(d->reason, d->ref, peer[0] ? peer : d->recorded ? d->record.host : "", next);
	snprintf(out, size, "attest: %s: %s%s%s (%s).%s%s%s%s%s%s%s",
	    refused ? "refused" : d->outcome == OUTCOME_PERMIT || d->outcome == OUTCOME_LEASE ? "permitted" : "not gated",
	    peer, peer[0] ? ": " : "", reason_text(d->reason), reason_code(d->reason),
	    d->ref[0] ? " Ref " : "", d->ref, d->ref[0] ? "." : "",
	    refused ? " " : "", next,
	    refused && c->message[0] ? " " : "", refused ? c->message : "");
	make_printable(out);
}

static const char *
log_word(const struct gate_decision *d)
{
	switch (d->outcome) {
	case OUTCOME_DENY:   return "refused";
	case OUTCOME_PERMIT: return "permitted";
	case OUTCOME_LEASE:  return "permitted-by-lease";
	case OUTCOME_EXEMPT: return "exempted";
	case OUTCOME_OPEN:   return "permitted-without-verdict";
	case OUTCOME_PASS:
		if (d->mode == MODE_OFF)
			return "off";
		return d->judged == OUTCOME_DENY ? "would-refuse" : "would-permit";
	case OUTCOME_COUNT:
		break;
	}
	return "refused";
}

void
gate_log_text(const struct gate_conf *c, const struct gate_request *q, const struct gate_decision *d,
    char *out, size_t size)
{
	char user[GATE_WORD_MAX], rhost[GATE_WORD_MAX], service[GATE_WORD_MAX], peer[GATE_WORD_MAX], age[24] = "-";

	if (d->age >= 0)
		snprintf(age, sizeof(age), "%llds", (long long)(d->age / 1000));
	snprintf(out, size, "%s user=%s rhost=%s service=%s reason=%s ref=%s mode=%s age=%s ms=%lld state=%s source=%s%s%s%s%s%s%s",
	    log_word(d), gate_word(q->user, user), gate_word(q->rhost, rhost), gate_word(c->service, service),
	    reason_code(d->reason), d->ref, mode_word(d->mode), age, (long long)d->took, state_word(d->state),
	    source_word(d->source), d->peer[0] ? " peer=" : "", d->peer[0] ? gate_word(d->peer, peer) : "",
	    d->not_armed ? " not-armed" : "", d->killed ? " kill-switch" : "",
	    d->detail.code != ERR_NONE ? " detail: " : "", d->detail.code != ERR_NONE ? d->detail.why : "");
}

enum access
gate_access(const struct gate_decision *d)
{
	switch (d->judged) {
	case OUTCOME_PERMIT: return ACCESS_PERMITTED;
	case OUTCOME_LEASE:  return ACCESS_LEASED;
	case OUTCOME_EXEMPT: return ACCESS_EXEMPTED;
	case OUTCOME_OPEN:   return ACCESS_OPEN;
	case OUTCOME_PASS:   return ACCESS_OFF;
	case OUTCOME_DENY:
	case OUTCOME_COUNT:  break;
	}
	return d->outcome == OUTCOME_DENY ? ACCESS_REFUSED : ACCESS_WOULD_REFUSE;
}

static const char *const phases[] = { [PHASE_AUTH] = "auth", [PHASE_ACCOUNT] = "account", [PHASE_SESSION] = "session" };
_Static_assert(COUNT(phases) == PHASE_COUNT, "a word for each");

const char *
phase_word(enum phase p)
{
	return (unsigned)p < PHASE_COUNT ? phases[p] : "";
}

enum { DATAGRAM_MAX = 512, TELL_WAIT_US = 100 * 1000 };

/*
 * The kernel would name the real uid, which in sudo and su is the user's: attestd counts what was decided
 * with root's rights, and those are the effective ones. A process may always name its own.
 */
static void
send_as_effective(int fd, struct sockaddr_un *to, struct local_out *o)
{
	const struct ucred who = { .pid = getpid(), .uid = geteuid(), .gid = getegid() };
	union { struct cmsghdr align; char space[CMSG_SPACE(sizeof(who))]; } control = { 0 };
	struct iovec text = { o->buf, o->used };
	struct msghdr m = { .msg_name = to, .msg_namelen = sizeof(*to), .msg_iov = &text, .msg_iovlen = 1,
		.msg_control = &control, .msg_controllen = sizeof(control) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_CREDENTIALS;
	c->cmsg_len = CMSG_LEN(sizeof(who));
	memcpy(CMSG_DATA(c), &who, sizeof(who));
	(void)sendmsg(fd, &m, MSG_NOSIGNAL);
}

void
gate_tell(const struct gate_conf *c, const struct gate_request *q, const struct gate_decision *d)
{
	own(fd) int fd = -1;
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	char path[GATE_PATH_MAX + 32], user[GATE_WORD_MAX], service[GATE_WORD_MAX];
	struct local_out o;
	struct error e;

	snprintf(path, sizeof(path), "%s/decisions.sock", c->run_dir);
	if (strlen(path) >= sizeof(to.sun_path))
		return;
	strcpy(to.sun_path, path);
	local_open(&o);
	local_put_number(&o, "time", clock_now().wall);
	local_put(&o, "service", gate_word(c->service, service));
	local_put(&o, "user", gate_word(q->user, user));
	local_put(&o, "access", access_word(gate_access(d)));
	local_put(&o, "phase", phase_word(q->phase));
	local_put(&o, "source", source_word(d->source));
	local_put(&o, "state", state_word(d->state));
	local_put(&o, "reason", reason_code(d->reason));
	local_put(&o, "ref", d->ref);
	local_put(&o, "mode", mode_word(d->mode));
	if (d->not_armed)
		local_put(&o, "not_armed", "yes");
	if (d->killed)
		local_put(&o, "kill_switch", "yes");
	if (!local_end(&o, &e) || o.used > DATAGRAM_MAX)
		return;
	/* Where systemd did not raise it the kernel holds ten: a crowd that logs in at once waits a moment for its turn, no longer. */
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd >= 0 && !setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &(struct timeval){ .tv_usec = TELL_WAIT_US }, sizeof(struct timeval)))
		send_as_effective(fd, &to, &o);
}
