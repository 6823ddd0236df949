/* attestctl doctor, on the group of libnss_attest(8): why it is not there, and who is in it without being asked. */
#include <glob.h>
#include <string.h>
#include <sys/stat.h>
#include "accounts.h"
#include "doctor.h"
#include "file.h"
#include "groups.h"
#include "lines.h"
#include "scope.h"

/* Does nsswitch.conf ask the module for groups? Who does not want the group has nothing to repair. */
static bool
asked(struct checkup *c)
{
	char path[UNDER_MAX], line[LINE_TEXT], *word[WORDS_MAX];
	own(mem) uint8_t *text = NULL;
	struct error e;
	struct lines l;
	unsigned number;
	bool cut;
	size_t len;

	if (!file_load(under(c, "/etc/nsswitch.conf", path), LINES_FILE_MAX, &text, &len, &e))
		return false;
	l = lines_open((const char *)text, len, false);
	while (lines_next(&l, line, &number, &cut)) {
		unsigned n;

		line[strcspn(line, "#")] = '\0';
		n = line_words(line, ":", word);
		if (n < 2 || (strcmp(word[0], "group") != 0 && strcmp(word[0], "initgroups") != 0))
			continue;
		for (unsigned i = 1; i < n; i++)
			if (!strcmp(word[i], "attest"))
				return true;
	}
	return false;
}

/* Programs of users and of daemons look the group up with their own rights. */
static void
judge_rights(struct checkup *c, const char *path, mode_t wanted)
{
	struct stat st;

	if (!stat(path, &st) && (st.st_mode & wanted) != wanted)
		found(c, FOUND_GROUP_UNSEEN, "", path, "%s: mode %04o, and not everybody may read it", path, (unsigned)st.st_mode & 07777);
}

static void
look_rights(struct checkup *c)
{
	char folder[UNDER_MAX], pattern[UNDER_MAX + 8];
	glob_t g;

	judge_rights(c, c->ctl.conf, S_IROTH);
	snprintf(folder, sizeof(folder), "%s.d", c->ctl.conf);
	judge_rights(c, folder, S_IROTH | S_IXOTH);
	snprintf(pattern, sizeof(pattern), "%s/*.conf", folder);
	if (glob(pattern, 0, NULL, &g))
		return;
	for (size_t i = 0; i < g.gl_pathc; i++)
		judge_rights(c, g.gl_pathv[i], S_IROTH);
	globfree(&g);
}

static void
look_members(struct checkup *c, const struct gate_conf *nss)
{
	struct group_facts g;

	if (!group_look(c->conf.group, c->conf.passwd, nss->nss_group, &g))
		found(c, FOUND_UNLOOKED, "", c->conf.group, "%s: the members of %s", c->conf.group, nss->nss_group);
	else if (g.members || g.ordinary)
		found(c, FOUND_GROUP_MEMBERS, "", nss->nss_group, "%s: %u members of %s are there by name, %u users have it as their own group",
		    c->conf.group, g.members, nss->nss_group, g.ordinary);
}

/* Who is not asked for a group lets nobody in by it. */
static void
look_unasked(struct checkup *c, const char *group)
{
	struct sshd_conf conf;

	read_sshd_conf(c, group, &conf);
	if (conf.group_at[0])
		found(c, FOUND_GROUP_UNASKED, "sshd", "/etc/nsswitch.conf", "%s: AllowGroups has %s", conf.group_at, group);
}

void
look_group(struct checkup *c)
{
	struct gate_conf nss;
	bool read = gate_conf_read_nss(&nss, c->ctl.conf);

	if (!asked(c)) {
		look_unasked(c, nss.nss_group);
		return;
	}
	if (!read)
		found(c, FOUND_GROUP_SILENT, "", c->ctl.conf, "%s: a line of [nss] or [paths] cannot be used, or a file not be read", c->ctl.conf);
	else if (!nss.nss_gid || !nss.nss_group[0])
		found(c, FOUND_GROUP_SILENT, "", c->ctl.conf, "%s: [nss] has no gid", c->ctl.conf);
	else if (!account_group_fits(c->conf.group, nss.nss_group, nss.nss_gid))
		found(c, FOUND_GROUP_SILENT, "", c->conf.group, "%s: has another name for gid %u, or another gid for %s, or a line that nobody can read",
		    c->conf.group, nss.nss_gid, nss.nss_group);
	else
		look_members(c, &nss);
	look_rights(c);
}
