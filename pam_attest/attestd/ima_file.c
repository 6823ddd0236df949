#include <fcntl.h>
#include "ima_file.h"
#include "scope.h"

/* HEAD_MAX: a record up to the end of its template's name. */
enum { WINDOW = 64 << 10, HEAD_MAX = 4 + IMA_DIGEST_MAX + 4 + IMA_TEMPLATE_MAX };

void
ima_open(const char *path, struct ima_file *l, struct error *e)
{
	*l = (struct ima_file){ .fd = -1, .absent = !*path };
	if (!*path)
		return;
	l->fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	l->absent = l->fd < 0 && (errno == ENOENT || errno == ENOTDIR);
	if (l->fd < 0 && !l->absent)
		(void)err_errno(e, "open %s", path);
}

void
ima_release(struct ima_file *l)
{
	free(l->buf);
	l->buf = NULL;
	l->room = l->have = l->at = 0;
}

void
ima_close(struct ima_file *l)
{
	ima_release(l);
	if (l->fd >= 0)
		close(l->fd);
	l->fd = -1;
}

/* After an error nothing that was remembered is relied upon. */
static enum reason
unreadable(struct ima_file *l)
{
	ima_release(l);
	l->start = l->end = (struct ima_mark){ 0, 0 };
	l->formed = false;
	l->pos = UINT64_MAX;
	return REASON_IMA_UNREADABLE;
}

static bool
make_room(struct ima_file *l, size_t want, struct error *e)
{
	size_t room = l->room ? l->room : WINDOW;
	uint8_t *grown;

	if (l->at) {
		memmove(l->buf, l->buf + l->at, l->have - l->at);
		l->have -= l->at;
		l->at = 0;
	}
	while (room < want)
		room *= 2;
	if (room == l->room)
		return true;
	grown = realloc(l->buf, room);
	if (!grown)
		return err_set(e, ERR_MEMORY, "IMA list");
	l->buf = grown;
	l->room = room;
	return true;
}

/* Reads until `want` bytes wait, or until the end of what there is today. */
static bool
fill(struct ima_file *l, size_t want, struct error *e)
{
	if (l->have - l->at >= want)
		return true;
	if (l->room - l->at < want && !make_room(l, want, e))
		return false;
	while (l->have - l->at < want) {
		ssize_t n = read(l->fd, l->buf + l->have, l->room - l->have);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_errno(e, "IMA list");
		if (!n)
			return true;
		l->have += (size_t)n;
		l->pos += (uint64_t)n;
	}
	return true;
}

/* The size of the whole record that stands `skip` bytes ahead; 0 when there is none yet. */
static bool
peek(struct ima_file *l, size_t skip, size_t *size, struct error *e)
{
	for (size_t want = 1;;) {
		struct error why = { .code = ERR_NONE };
		struct ima_record rec;
		struct reader r;
		size_t have;

		if (!fill(l, skip + want, e))
			return false;
		have = l->have - l->at - skip;
		*size = 0;
		if (have < want)
			return true;             /* the end, or a record that is still being written */
		r = rd_open(l->buf + l->at + skip, have);
		if (ima_record_read(&r, &l->form, &rec, &why)) {
			*size = r.at;
			return true;
		}
		if (!r.bad) {
			*e = why;
			return false;
		}
		want = have + 1;
	}
}

/* In which form the list is; nothing is known while it is empty. */
static bool
find_form(struct ima_file *l, struct error *e)
{
	if (!fill(l, HEAD_MAX, e))
		return false;
	l->formed = ima_form_find(l->buf + l->at, l->have - l->at, &l->form);
	return l->formed || l->have - l->at < HEAD_MAX || err_set(e, ERR_FORMAT, "not a binary IMA list");
}

static bool
go_to(struct ima_file *l, const struct ima_mark *m, struct error *e)
{
	if (l->pos >= m->offset && l->pos - m->offset <= l->have) {
		l->at = l->have - (size_t)(l->pos - m->offset);
		return true;
	}
	l->have = l->at = 0;
	if (lseek(l->fd, (off_t)m->offset, SEEK_SET) < 0)
		return err_errno(e, "IMA list: seek");
	l->pos = m->offset;
	return true;
}

/* Walks on from a mark to entry `to`, or to the end. The mark moves along. */
static bool
walk(struct ima_file *l, struct ima_mark *m, uint64_t to, struct error *e)
{
	size_t size;

	if (!go_to(l, m, e))
		return false;
	if (!l->formed && !find_form(l, e))
		return false;
	while (l->formed && m->entry < to) {
		if (!peek(l, 0, &size, e))
			return err_in(e, "IMA entry %llu at offset %llu", (unsigned long long)m->entry, (unsigned long long)m->offset);
		if (!size)
			return true;
		l->at += size;
		m->entry++;
		m->offset += size;
	}
	return true;
}

static bool
gather(struct ima_file *l, uint64_t from, size_t max, struct ima_part *out, struct error *e)
{
	struct ima_part part = { .entries = 0 };
	size_t size;

	for (;;) {
		if (!peek(l, part.len, &size, e))
			return err_in(e, "IMA entry %llu", (unsigned long long)(from + part.entries));
		if (!size || (part.len && part.len + size > max))
			break;
		part.len += size;
		part.entries++;
	}
	part.p = l->buf + l->at;
	*out = part;
	return true;
}

enum reason
ima_count(struct ima_file *l, uint64_t *count, struct error *e)
{
	struct ima_mark end = l->end;

	*count = 0;
	if (l->absent)
		return REASON_OK;
	if (l->fd < 0)
		return err_set(e, ERR_SYSTEM, "the IMA list could not be opened"), REASON_IMA_UNREADABLE;
	if (!walk(l, &end, UINT64_MAX, e))
		return unreadable(l);
	l->end = end;
	*count = end.entry;
	return REASON_OK;
}

enum reason
ima_read(struct ima_file *l, uint64_t from, size_t max, struct ima_part *out, struct error *e)
{
	struct ima_mark at = { 0, 0 };
	struct ima_part part = { .entries = 0 };

	*out = part;
	if (l->absent)
		return REASON_OK;
	if (l->fd < 0)
		return err_set(e, ERR_SYSTEM, "the IMA list could not be opened"), REASON_IMA_UNREADABLE;
	if (l->start.entry <= from)
		at = l->start;
	if (l->end.entry <= from && l->end.entry > at.entry)
		at = l->end;
	if (!walk(l, &at, from, e))
		return unreadable(l);
	l->start = at;
	if (!l->formed || at.entry < from)   /* the list is empty, or shorter: there is nothing to send */
		return REASON_OK;
	if (!gather(l, from, max, &part, e))
		return unreadable(l);
	l->at += part.len;
	if (at.entry + part.entries > l->end.entry)
		l->end = (struct ima_mark){ at.entry + part.entries, at.offset + part.len };
	*out = part;
	return REASON_OK;
}
