#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include "accounts.h"
#include "conf.h"
#include "file.h"
#include "scope.h"

/* Fields of a colon-separated file, read as they come: a group of ten thousand is one long line. */
struct fields {
	int    fd;
	size_t at, len;
	off_t  left;            /* what the file's size promises beyond buf */
	bool   cut;             /* it ended before that, or could not be read on: the last field is no field */
	char   buf[1024];
};

enum { END = -1, FIELD_MAX = 64 };

static bool
open_fields(const char *path, struct fields *f)
{
	struct stat st;

	f->at = f->len = 0;
	f->cut = false;
	f->fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (f->fd < 0)
		return false;
	if (!fstat(f->fd, &st) && S_ISREG(st.st_mode) && owner_trusted(st.st_uid, geteuid()) &&
	    !(st.st_mode & (S_IWGRP | S_IWOTH))) {
		f->left = st.st_size;
		return true;
	}
	close(f->fd);
	f->fd = -1;
	return false;
}

static int
next(struct fields *f)
{
	if (f->at == f->len) {
		ssize_t n;

		do
			n = read(f->fd, f->buf, sizeof(f->buf));
		while (n < 0 && errno == EINTR);
		if (n <= 0) {
			f->cut = n < 0 || f->left > 0;
			return END;
		}
		f->left -= n;
		f->at = 0;
		f->len = (size_t)n;
	}
	return (unsigned char)f->buf[f->at++];
}

/* One field and what ended it (':', ',' where it is asked for, '\n', END). Too long, or with a NUL: "", which nobody is called. */
static int
field(struct fields *f, bool commas, char out[static FIELD_MAX])
{
	size_t n = 0;
	int c;

	while ((c = next(f)) != END && c != ':' && c != '\n' && !(commas && c == ',')) {
		if (!c)
			n = FIELD_MAX;
		if (n < FIELD_MAX)
			out[n++] = (char)c;
	}
	out[n < FIELD_MAX ? n : 0] = '\0';
	return c;
}

static int
rest_of_line(struct fields *f)
{
	int c;

	while ((c = next(f)) != END && c != '\n')
		;
	return c;
}

static bool
number(const char *text, unsigned *out)
{
	struct error e;

	return conf_number(text, 0, UINT32_MAX - 1, out, &e);
}

/* The rest of a passwd line, behind the name. */
static bool
read_ids(struct fields *f, struct account *out)
{
	char skip[FIELD_MAX], uid[FIELD_MAX], gid[FIELD_MAX];
	unsigned u, g;

	if (field(f, false, skip) != ':' || field(f, false, uid) != ':' || field(f, false, gid) != ':' ||
	    !number(uid, &u) || !number(gid, &g))
		return false;
	*out = (struct account){ u, g };
	return true;
}

bool
account_find(const char *passwd, const char *user, struct account *out)
{
	own(fd) int fd = -1;
	struct fields f;
	char name[FIELD_MAX];
	int c;

	if (!user[0] || !open_fields(passwd, &f))
		return false;
	fd = f.fd;
	do {
		c = field(&f, false, name);
		if (c == ':' && !strcmp(name, user))
			return read_ids(&f, out);
		if (c == ':')
			c = rest_of_line(&f);
	} while (c != END);
	return false;
}

/* The members of the group whose line f stands in, behind its gid. */
static bool
is_member(struct fields *f, const char *user)
{
	char name[FIELD_MAX];
	int c;

	do {
		c = field(f, true, name);
		if (!strcmp(name, user))
			return c != END || !f->cut;     /* "glen" may be what was read of "glenda" */
	} while (c == ',');
	return false;
}

bool
account_in_group(const char *passwd, const char *group_file, const char *user, const char *group)
{
	own(fd) int fd = -1;
	struct fields f;
	struct account who;
	char name[FIELD_MAX], skip[FIELD_MAX], gid[FIELD_MAX];
	unsigned g;
	int c;

	if (!user[0] || !group[0] || !open_fields(group_file, &f))
		return false;
	fd = f.fd;
	do {
		c = field(&f, false, name);
		if (c == ':' && !strcmp(name, group)) {
			if (field(&f, false, skip) != ':' || field(&f, false, gid) != ':' || !number(gid, &g))
				return false;
			return (account_find(passwd, user, &who) && who.gid == g) || is_member(&f, user);
		}
		if (c == ':')
			c = rest_of_line(&f);
	} while (c != END);
	return false;
}

bool
account_group_fits(const char *group_file, const char *group, gid_t wanted)
{
	own(fd) int fd = -1;
	struct fields f;
	char name[FIELD_MAX], skip[FIELD_MAX], gid[FIELD_MAX];
	unsigned g;
	int c;

	if (!open_fields(group_file, &f))
		return false;
	fd = f.fd;
	do {
		bool same, known;

		c = field(&f, false, name);
		if (c == ':')
			c = field(&f, false, skip);
		if (c != ':')
			continue;
		c = field(&f, false, gid);
		same = !strcmp(name + strspn(name, " \t"), group);
		known = number(gid, &g);
		/* "+:::" of nsswitch's compat has no gid at all. */
		if (same ? !known || g != wanted : gid[0] && (!known || g == wanted))
			return false;
		if (c == ':')
			c = rest_of_line(&f);
	} while (c != END);
	return !f.cut;
}
