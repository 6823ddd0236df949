#include "file.h"
#include "leases.h"
#include "scope.h"

enum { LEASES_FILE_MAX = 2 * LEASE_FILE_MAX, HOUR_MS = 3600 * 1000 };

static void
path_of(const char *dir, const char *name, char out[static PATH_TEXT + 16])
{
	snprintf(out, PATH_TEXT + 16, "%.*s/%s", PATH_TEXT - 1, dir, name);
}

/* For a start of attestd in this boot: the same text, and which of them a code gave. */
static bool
keep(const struct book *b, const char *text, struct error *e)
{
	own(json) struct json *j = json_new();
	own(mem) char *out = NULL;
	char path[PATH_TEXT + 16];
	size_t len;

	path_of(b->opt->state_dir, "leases", path);
	json_put_text(j, "leases", text);
	json_put_text(j, "code", b->code);
	json_put_int(j, "sequence", b->sequence);
	return json_print(j, true, &out, &len, e) && file_replace(path, out, len, 0600, false, e);
}

/*
 * Gates hear of it, or of nothing: a file that cannot be written must not leave an older one standing. Where it can only not be
 * kept, people are let in: a disk that anybody can fill is no way to shut them out, and a restart then forgets it until
 * it is ordered again.
 */
static bool
write_files(struct book *b, bool *kept, struct error *e)
{
	char path[PATH_TEXT + 16], beside[PATH_TEXT + 16], text[LEASE_FILE_MAX];
	bool told;
	size_t len;

	path_of(b->opt->run_dir, "lease", path);
	path_of(b->opt->state_dir, "leases", beside);
	told = b->all.count && leases_format(&b->all, text, sizeof(text), &len, e) && file_replace(path, text, len, 0644, false, e);
	*kept = told && keep(b, text, e);
	if (!*kept)
		unlink(beside);
	if (told)
		return true;
	*kept = true;
	if (unlink(path) < 0 && errno != ENOENT)
		return err_errno(e, "unlink %s", path);
	return !b->all.count;
}

static bool
publish(struct book *b, struct error *e)
{
	bool kept, told = write_files(b, &kept, e);

	b->unwritten = !told || !kept;
	return told;
}

static void
drop(struct book *b, unsigned i)
{
	if (!strcmp(b->all.lease[i].id, b->code))
		b->code[0] = '\0';
	b->all.count--;
	memmove(&b->all.lease[i], &b->all.lease[i + 1], (b->all.count - i) * sizeof(b->all.lease[0]));
}

static bool
drop_dead(struct book *b, const struct clock *now)
{
	unsigned before = b->all.count;

	for (unsigned i = b->all.count; i--; )
		if (!lease_lives(&b->all.lease[i], now))
			drop(b, i);
	return b->all.count != before;
}

static bool
load(struct book *b, struct error *e)
{
	own(json) struct json *j = NULL;
	own(mem) uint8_t *file = NULL;
	char path[PATH_TEXT + 16], text[LEASE_FILE_MAX];
	struct leases all;
	int64_t sequence;
	size_t len;

	path_of(b->opt->state_dir, "leases", path);
	if (!file_load(path, LEASES_FILE_MAX, &file, &len, e) || !json_parse((const char *)file, len, &j, e) ||
	    !json_text(j, "leases", text, sizeof(text), e) || !leases_parse(text, strlen(text), &all, e) ||
	    !json_text(j, "code", b->code, sizeof(b->code), e) ||
	    !json_int(j, "sequence", 0, RECOVERY_SEQUENCE_MAX, &sequence, e))
		return false;
	if (strcmp(all.boot_id, b->all.boot_id) != 0)
		return err_set(e, ERR_MISSING, "of another boot");
	b->sequence = (uint32_t)sequence;
	b->all = all;
	return true;
}

bool
book_open(struct book *b, const struct options *o, const char *boot_id, struct error *e)
{
	struct clock now = clock_now();
	struct error ignored;

	*b = (struct book){ .opt = o };
	snprintf(b->all.boot_id, sizeof(b->all.boot_id), "%s", boot_id);
	/* What cannot be read is no lease. */
	if (!load(b, &ignored)) {
		b->all.count = 0;
		b->code[0] = '\0';
	}
	drop_dead(b, &now);
	return publish(b, e);
}

static const struct lease *
find(const struct book *b, const char *id)
{
	for (unsigned i = 0; i < b->all.count; i++)
		if (!strcmp(b->all.lease[i].id, id))
			return &b->all.lease[i];
	return NULL;
}

static void
set_life(struct lease *l, const struct clock *from, int64_t ms)
{
	l->issued_boot = from->boot;
	l->expires_boot = from->boot + ms;
	l->issued_wall = from->wall;
	l->expires_wall = from->wall + ms;
}

/* As it was first heard of; anew where a clock that was set has ended it here. */
static struct lease
lease_of(const struct book *b, const struct order *o, const struct clock *asked)
{
	const struct lease *had = find(b, o->id);
	struct clock now = clock_now();
	struct lease l = { .overrules = o->overrules };

	if (had && lease_lives(had, &now))
		return *had;
	memcpy(l.id, o->id, sizeof(l.id));
	memcpy(l.user, o->user, sizeof(l.user));
	memcpy(l.services, o->services, sizeof(l.services));
	set_life(&l, asked, o->remaining);
	return l;
}

bool
book_order(struct book *b, const struct orders *q, const struct clock *asked, bool *changed, struct error *e)
{
	struct leases fresh = { .count = 0 };
	const struct lease *code = b->code[0] && b->sequence > q->codes_void ? find(b, b->code) : NULL;

	memcpy(fresh.boot_id, b->all.boot_id, sizeof(fresh.boot_id));
	if (code)
		fresh.lease[fresh.count++] = *code;
	else
		b->code[0] = '\0';
	for (unsigned i = 0; i < q->count && fresh.count < LEASES_MAX; i++)
		fresh.lease[fresh.count++] = lease_of(b, &q->order[i], asked);
	*changed = fresh.count != b->all.count ||
	    memcmp(fresh.lease, b->all.lease, fresh.count * sizeof(fresh.lease[0])) != 0;
	if (!*changed && !b->unwritten)
		return true;
	b->all = fresh;
	return publish(b, e);
}

bool
book_code(struct book *b, const struct recovery *q, const struct clock *now, struct error *e)
{
	struct lease l = { .overrules = q->overrules };

	for (unsigned i = b->all.count; i-- && b->code[0]; )
		if (!strcmp(b->all.lease[i].id, b->code))
			drop(b, i);
	if (b->all.count == LEASES_MAX)
		drop(b, LEASES_MAX - 1);
	memcpy(l.id, q->id, sizeof(l.id));
	set_life(&l, now, (int64_t)q->hours * HOUR_MS);
	memmove(&b->all.lease[1], &b->all.lease[0], b->all.count * sizeof(b->all.lease[0]));
	b->all.lease[0] = l;
	b->all.count++;
	memcpy(b->code, q->id, sizeof(b->code));
	b->sequence = q->sequence;
	return publish(b, e);
}

void
book_void(struct book *b)
{
	struct error ignored;

	b->all.count = 0;
	b->code[0] = '\0';
	(void)!publish(b, &ignored);
}

int
book_expire(struct book *b, const struct clock *now)
{
	struct error ignored;
	int64_t next = INT64_MAX;

	if (drop_dead(b, now))
		(void)!publish(b, &ignored);
	for (unsigned i = 0; i < b->all.count; i++) {
		int64_t left = b->all.lease[i].expires_boot - now->boot, wall = b->all.lease[i].expires_wall - now->wall;

		left = wall < left ? wall : left;
		next = left < next ? left : next;
	}
	return b->all.count ? (int)next : -1;
}

struct json *
book_json(const struct book *b, const struct clock *now)
{
	struct json *list = json_new_list();

	for (unsigned i = 0; i < b->all.count; i++) {
		const struct lease *l = &b->all.lease[i];
		struct json *j;

		if (!lease_lives(l, now))
			continue;
		j = json_new();
		json_put_text(j, "id", l->id);
		json_put_text(j, "by", strcmp(l->id, b->code) ? "order" : "code");
		json_put_time(j, "issued", l->issued_wall);
		json_put_time(j, "expires", l->expires_wall);
		json_put_bool(j, "overrules_refusal", l->overrules);
		json_put_text(j, "user", l->user);
		json_put_words(j, "services", l->services);
		json_add(list, j);
	}
	return list;
}

bool
book_counts(const struct book *b, const struct clock *now, bool refused)
{
	for (unsigned i = 0; i < b->all.count; i++)
		if (lease_lives(&b->all.lease[i], now) && (!refused || b->all.lease[i].overrules))
			return true;
	return false;
}
