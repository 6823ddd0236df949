/*
 * attestctl hook, unhook: the gate's line in and out of /etc/pam.d. No backup is kept: in that folder it would be a service of
 * its own, and taking the line out gives back what was there.
 */
#include <fcntl.h>
#include <stdarg.h>
#include <sys/stat.h>
#include "file.h"
#include "json.h"
#include "lint.h"
#include "pam_edit.h"
#include "scope.h"
#include "show.h"

struct job {
	const struct ctl *ctl;
	const char       *folder, *dry_run;
	struct json      *files;               /* one object for each file that was looked at; NULL without --json */
};

/* A file of the folder, as it was when it was read. */
struct pam_file {
	int         fd;
	struct stat st;
	char        path[512];
	uint8_t    *text;
	size_t      len;
};
static inline void
drop_pam_file(const struct pam_file *f)
{
	free(f->text);
	if (f->fd >= 0)
		close(f->fd);
}

/* No link is followed: what it points at belongs to something else (authselect, a vendor's folder). */
static bool
open_file(const char *folder, const char *name, struct pam_file *f, struct error *e)
{
	char target[256];
	ssize_t n;

	if ((size_t)snprintf(f->path, sizeof(f->path), "%s/%s", folder, name) >= sizeof(f->path))
		return err_set(e, ERR_LIMIT, "%.80s: path too long", name);
	f->fd = open(f->path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK);
	if (f->fd < 0 && errno == ENOENT) {
		snprintf(target, sizeof(target), PAM_VENDOR_DIR "/%.64s", name);
		if (access(target, F_OK) == 0)
			return err_set(e, ERR_MISSING, "%.80s: no such file; copy %s there first, which PAM reads now", f->path, target);
		return err_set(e, ERR_MISSING, "%s: no such file", f->path);
	}
	if (f->fd < 0 && errno == ELOOP) {
		n = readlink(f->path, target, sizeof(target) - 1);
		target[n > 0 ? n : 0] = '\0';
		return err_set(e, ERR_CONFLICT, "%.60s is a link to %.80s: change that, or put a copy in its place", f->path, target);
	}
	if (f->fd < 0 || fstat(f->fd, &f->st) < 0)
		return err_errno(e, "open %s", f->path);
	if (!S_ISREG(f->st.st_mode))
		return err_set(e, ERR_CONFLICT, "%s: not a plain file", f->path);
	return file_load_fd(f->fd, f->path, STACK_FILE_MAX, &f->text, &f->len, e);
}

/* Has somebody written it since, or does another name see the old file for ever? Then it stays as it is. */
static bool
write_file(const struct pam_file *f, const char *text, size_t len, struct error *e)
{
	struct stat now;

	if (f->st.st_nlink > 1)
		return err_set(e, ERR_CONFLICT, "%s has another name as well (hard link), which would keep the old text", f->path);
	if (lstat(f->path, &now) < 0)
		return err_errno(e, "stat %s", f->path);
	if (now.st_dev != f->st.st_dev || now.st_ino != f->st.st_ino || now.st_size != f->st.st_size ||
	    now.st_mtim.tv_sec != f->st.st_mtim.tv_sec || now.st_mtim.tv_nsec != f->st.st_mtim.tv_nsec)
		return err_set(e, ERR_CONFLICT, "%s was changed just now", f->path);
	file_sweep_of(f->path);         /* what a hook that was killed has left */
	return file_replace_as(f->path, f->fd, text, len, e);
}

static int
code_of(const struct job *j, const struct error *e)
{
	return e->code == ERR_SYSTEM && access(j->folder, W_OK) < 0 ? EXIT_PERMISSION : EXIT_USAGE;
}

/* One file's result, for --json; the first words say which way it went. */
static void
put_result(const struct job *j, const char *file, unsigned lines, unsigned at, const char *error)
{
	struct json *o;

	if (!j->files)
		return;
	o = json_new();
	json_put_text(o, "file", file);
	json_put_bool(o, "changed", lines && !error[0] && !j->dry_run);
	json_put_int(o, "lines", lines);
	json_put_int(o, "line", at);
	json_put_text(o, "error", error);
	json_add(j->files, o);
}

static int
failed(const struct job *j, const char *file, const struct error *e)
{
	put_result(j, file, 0, 0, e->why);
	return ctl_wrong(j->ctl, code_of(j, e), "%s", e->why);
}

static int __attribute__((format(printf, 3, 4)))
refused(const struct job *j, const char *file, const char *fmt, ...)
{
	struct error e = { .code = ERR_REFUSED };
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(e.why, sizeof(e.why), fmt, ap);
	va_end(ap);
	return failed(j, file, &e);
}

static void
show_change(const struct job *j, const struct pam_file *f, const struct pam_edit *x)
{
	if (!j->files && !j->ctl->quiet)
		pam_edit_diff(stdout, f->path, x, (const char *)f->text, f->len);
}

static int
finish(struct job *j, int code)
{
	own(json) struct json *all = json_new();

	if (!j->files)
		return code;
	json_put_int(all, "schema", 1);
	json_put_bool(all, "dry_run", j->dry_run != NULL);
	json_put(all, "files", j->files);
	return show_json(j->ctl, all) == EXIT_GOOD ? code : EXIT_BROKEN;
}

/* --- hook */

/* The services whose account stacks take this file in. */
struct includers {
	const char        *service;
	bool               includes;            /* the file that is being walked does */
	struct stack_files all;
	unsigned           n, at[STACK_FILES_MAX];
	bool               setuid;              /* one of them is a setuid program's */
	const char        *never;               /* one that is never gated; NULL: none */
};

static void
take_include(void *arg, const struct stack_line *l)
{
	struct includers *i = arg;

	i->includes |= (l->kind == KIND_INCLUDE || l->kind == KIND_SUBSTACK) &&
	    (l->type == STACK_ACCOUNT || l->type == STACK_EVERY) && !strcmp(l->name, i->service);
}

static void
find_includers(const char *folder, const char *service, struct includers *out)
{
	*out = (struct includers){ .service = service };
	stack_list(folder, &out->all);
	for (unsigned i = 0; i < out->all.n; i++) {
		own(mem) uint8_t *text = NULL;
		const char *name = out->all.name[i];
		char path[512];
		struct error e;
		size_t len;

		snprintf(path, sizeof(path), "%s/%s", folder, name);
		out->includes = false;
		if (!strcmp(name, service) || !file_load(path, STACK_FILE_MAX, &text, &len, &e))
			continue;
		stack_walk((const char *)text, len, take_include, out);
		if (!out->includes)
			continue;
		out->at[out->n++] = i;
		out->setuid |= stack_setuid(name);
		if (gate_never_gates(name))
			out->never = name;
	}
}

/* Files that are no service, but what services share: a line there gates cron and every other one. */
static bool
is_shared(const char *name)
{
	static const char *const starts[] = { "common-", "system-", "password-auth", "fingerprint-auth", "smartcard-auth", "postlogin" };

	for (size_t i = 0; i < COUNT(starts); i++)
		if (!strncmp(name, starts[i], strlen(starts[i])))
			return true;
	return false;
}

static bool
may_hook(const struct job *j, const char *service, const struct includers *in, struct error *e)
{
	struct gate_conf c;

	if (is_shared(service))
		return err_set(e, ERR_REFUSED, "%s is shared by services that must not be gated (cron, systemd-user): hook each service by its name", service);
	if (gate_never_gates(service))
		return err_set(e, ERR_REFUSED, "%s is never gated: it runs on its own, or cannot refuse well", service);
	if (in->never)
		return err_set(e, ERR_REFUSED, "%s is included by %s, which is never gated", service, in->never);
	ctl_conf(j->ctl, service, &c);
	if (c.bad)
		return err_set(e, ERR_REFUSED, "%.120s: nobody would have a verdict. See: attestctl lint", c.error.why);
	/* Another folder's stacks are for another system, or for a look. */
	if (!strcmp(j->folder, PAM_DIR) && access(PAM_MODULE_DIR "/" PAM_GATE_MODULE, F_OK) < 0)
		return err_set(e, ERR_REFUSED, PAM_MODULE_DIR "/" PAM_GATE_MODULE " is not there: install the module first (libpam-attest)");
	return true;
}

/* Is the gate asked already, by this file or by what it includes? *out: where. */
static bool
is_hooked(const struct job *j, const char *service, struct stack_line *out)
{
	own(mem) struct stack *s = malloc(sizeof(*s));
	struct error e;

	if (!s || !stack_read(j->folder, service, STACK_ACCOUNT, s, &e))
		return false;
	for (unsigned i = 0; i < s->n; i++)
		if (s->line[i].kind == KIND_MODULE && !strcmp(s->line[i].name, PAM_GATE_MODULE)) {
			*out = s->line[i];
			return true;
		}
	return false;
}

/* What lint says of the service, and of those that include it, with the file's text given; NULL: as it is. */
static struct findings *
judge(const struct job *j, const char *service, const struct includers *in, const struct stack_text *as)
{
	struct findings *all = calloc(1, sizeof(*all));

	if (!all)
		return NULL;
	lint_service(j->ctl, j->folder, service, as, all);
	for (unsigned i = 0; i < in->n; i++)
		lint_service(j->ctl, j->folder, in->all.name[in->at[i]], as, all);
	return all;
}

/* Says each error; true: there is none. */
static bool
passes_lint(const struct job *j, const char *service, const struct includers *in, const struct stack_text *as)
{
	own(mem) struct findings *all = judge(j, service, in, as);

	for (unsigned i = 0; all && i < all->n; i++)
		if (finding_severity(all->item[i].code) == SEVERITY_ERROR)
			ctl_wrong(j->ctl, 0, "error: %s", all->item[i].text);
	return all && !all->errors;
}

/* Is there something that lint says this command repairs? */
static bool
wants_repair(const struct job *j, const char *service, const struct includers *in)
{
	own(mem) struct findings *all = judge(j, service, in, NULL);

	for (unsigned i = 0; all && i < all->n; i++)
		if (!strncmp(all->item[i].fix, "attestctl hook ", strlen("attestctl hook ")))
			return true;
	return !all;
}

static void
say_hooked(const struct job *j, const char *service, const struct includers *in)
{
	struct gate_conf c;

	if (j->files || j->ctl->quiet)
		return;
	for (unsigned i = 0; i < in->n; i++)
		printf("%s includes %s, and is gated too\n", in->all.name[in->at[i]], service);
	ctl_conf(j->ctl, service, &c);
	if (j->dry_run)
		printf("%s: this would be written; nothing was\n", service);
	else if (c.mode == MODE_ENFORCE)
		printf("%s asks the gate from the next login on, and gate.conf says mode = enforce: keep a root shell open\n", service);
	else
		printf("%s asks the gate from the next login on, in mode %s. Next, after some days: attestctl report --service %s\n", service,
		    mode_word(c.mode), service);
}

/* Its line is there already, here or in what the file includes: does it do? */
static int
hooked_already(struct job *j, const char *service, const struct stack_line *there, const struct includers *in)
{
	if (strcmp(there->file, service) != 0 && wants_repair(j, service, in))
		return refused(j, service, "line %u of %s, which %s includes, calls the gate, and not so that it counts: %s%s", there->number,
		    there->file, service, is_shared(there->file) ? "take it out there" : "attestctl hook ",
		    is_shared(there->file) ? "" : there->file);
	if (!passes_lint(j, service, in, NULL))
		return refused(j, service, "%s calls the gate already; what lint says has to be put right by hand", service);
	put_result(j, there->file, 0, there->number, "");
	if (!j->files && !j->ctl->quiet)
		printf("%s: line %u of %s asks the gate already\n", service, there->number, there->file);
	return EXIT_GOOD;
}

/* Nothing is ever in place that lint has an error about: the new text is judged before it is written. */
static int
hook(struct job *j, const char *service)
{
	own(mem) struct pam_edit *x = calloc(1, sizeof(*x));
	own(pam_file) struct pam_file f = { .fd = -1 };
	own(mem) char *text = NULL;
	struct stack_line there;
	struct stack_text as;
	struct includers in;
	struct error e = { .code = ERR_MEMORY, .why = "out of memory" };
	bool hooked;
	size_t len;

	find_includers(j->folder, service, &in);
	if (!x || !may_hook(j, service, &in, &e) || !open_file(j->folder, service, &f, &e))
		return failed(j, service, &e);
	hooked = is_hooked(j, service, &there);
	if (hooked && (strcmp(there.file, service) != 0 || !wants_repair(j, service, &in)))
		return hooked_already(j, service, &there, &in);
	if (!pam_edit_hook(j->folder, (const char *)f.text, f.len,
	    in.setuid || stack_setuid(service) ? PAM_GATE_LINE_SETUID : PAM_GATE_LINE, x, &e) ||
	    !pam_edit_apply(x, (const char *)f.text, f.len, &text, &len, &e)) {
		err_in(&e, "%s", f.path);
		return failed(j, service, &e);
	}
	if (hooked && len == f.len && !memcmp(text, f.text, len))
		return hooked_already(j, service, &there, &in);
	show_change(j, &f, x);
	as = (struct stack_text){ service, text, len };
	if (!passes_lint(j, service, &in, &as))
		return refused(j, service, "%s was not changed: with the line in place lint finds this", f.path);
	if (!j->dry_run && !write_file(&f, text, len, &e))
		return failed(j, service, &e);
	put_result(j, f.path, 1, x->at, "");
	say_hooked(j, service, &in);
	return EXIT_GOOD;
}

/* A name that is a file of the folder, and that gate.conf can hold. */
static bool
is_service(const char *name)
{
	return name[0] && name[0] != '.' && strlen(name) < STACK_NAME_MAX && !strpbrk(name, "/ \t\n[]~");
}

int
cmd_hook(const struct ctl *ctl, int argc, char **argv)
{
	const char *service = NULL;
	struct job j = { .ctl = ctl, .folder = PAM_DIR };
	const struct ctl_option options[] = {
		{ "--dry-run", &j.dry_run, NULL,  "show the change, and make none" },
		{ "--pam-dir", &j.folder,  "DIR", "the folder of PAM stacks [" PAM_DIR "]" },
	};

	if (!ctl_options(ctl, argc, argv, options, COUNT(options), &service))
		return EXIT_USAGE;
	if (!service || !is_service(service))
		return ctl_wrong(ctl, EXIT_USAGE, "the name of a service is wanted: attestctl hook sshd");
	if (ctl->json)
		j.files = json_new_list();
	return finish(&j, hook(&j, service));
}

/* --- unhook */

/* Quiet about files that have nothing to do with it, when all are looked at. */
static int
unhook(struct job *j, const char *name, bool all)
{
	own(mem) struct pam_edit *x = calloc(1, sizeof(*x));
	own(pam_file) struct pam_file f = { .fd = -1 };
	own(mem) char *text = NULL;
	struct stack_line there;
	struct error e = { .code = ERR_MEMORY, .why = "out of memory" };
	size_t len;

	if (!x || !open_file(j->folder, name, &f, &e))
		/* A link says what another file says; that one is looked at, if it is here. */
		return all && !is_hooked(j, name, &there) ? EXIT_GOOD : failed(j, name, &e);
	if (!pam_edit_unhook((const char *)f.text, f.len, x, &e) ||
	    !pam_edit_apply(x, (const char *)f.text, f.len, &text, &len, &e)) {
		err_in(&e, "%s", f.path);
		return failed(j, name, &e);
	}
	if (!x->n && all)
		return EXIT_GOOD;
	show_change(j, &f, x);
	if (x->n && !j->dry_run && !write_file(&f, text, len, &e))
		return failed(j, name, &e);
	put_result(j, f.path, x->n, x->n ? x->gone[0].first : 0, "");
	if (j->files || j->ctl->quiet)
		return EXIT_GOOD;
	if (x->n)
		printf("%s: %u line%s %s\n", f.path, x->n, x->n == 1 ? "" : "s", j->dry_run ? "would go" : "taken out");
	else
		printf("%s has no line that calls " PAM_GATE_MODULE "\n", f.path);
	if (!all && is_hooked(j, name, &there) && strcmp(there.file, name) != 0)
		printf("%s is still gated, through line %u of %s\n", name, there.number, there.file);
	return EXIT_GOOD;
}

static int
unhook_all(struct job *j)
{
	own(mem) struct stack_files *files = malloc(sizeof(*files));
	int code = EXIT_GOOD;

	if (!files)
		return ctl_wrong(j->ctl, EXIT_BROKEN, "out of memory");
	if (access(j->folder, R_OK | X_OK) < 0)
		return ctl_wrong(j->ctl, EXIT_USAGE, "%s: %s", j->folder, strerror(errno));
	stack_list(j->folder, files);
	for (unsigned i = 0; i < files->n; i++) {
		int one = unhook(j, files->name[i], true);

		code = one ? one : code;
	}
	return code;
}

int
cmd_unhook(const struct ctl *ctl, int argc, char **argv)
{
	const char *service = NULL, *all = NULL;
	struct job j = { .ctl = ctl, .folder = PAM_DIR };
	const struct ctl_option options[] = {
		{ "--all",     &all,       NULL,  "every file of the folder" },
		{ "--dry-run", &j.dry_run, NULL,  "show the change, and make none" },
		{ "--pam-dir", &j.folder,  "DIR", "the folder of PAM stacks [" PAM_DIR "]" },
	};

	if (!ctl_options(ctl, argc, argv, options, COUNT(options), &service))
		return EXIT_USAGE;
	if (!service == !all || (service && !is_service(service)))
		return ctl_wrong(ctl, EXIT_USAGE, "wants the name of a service, or --all");
	if (ctl->json)
		j.files = json_new_list();
	return finish(&j, all ? unhook_all(&j) : unhook(&j, service, false));
}
