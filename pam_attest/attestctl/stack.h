/*
 * stack.h - a service's PAM stack, as pam.d(5) writes it and Linux-PAM reads it: which modules, and what each answer of
 * theirs does. For attestctl lint, which looks at what stands around pam_attest.so.
 */
#ifndef STACK_H
#define STACK_H
#include <stddef.h>
#include "error.h"

enum {
	STACK_FILE_MAX  = 64 << 10,
	STACK_TEXT_MAX  = 1024,      /* a line, with those that a backslash joins to it */
	STACK_LINES_MAX = 128,
	STACK_DEPTH_MAX = 8,         /* files that include each other */
	STACK_NAME_MAX  = 64,
	STACK_ARGS_MAX  = 256,
	STACK_FILES_MAX = 128,
};

#define STACK_TYPES(X) X(AUTH, "auth") X(ACCOUNT, "account") X(PASSWORD, "password") X(SESSION, "session")
enum stack_type {
#define X(name, word) STACK_##name,
	STACK_TYPES(X)
#undef X
	STACK_EVERY                  /* @include */
};
const char *stack_type_word(enum stack_type);

/* The answers of modules that lint asks about. */
#define STACK_ANSWERS(X) \
	X(SUCCESS,     "success")          X(NEW_PASSWORD, "new_authtok_reqd") X(IGNORE,  "ignore") \
	X(PERM_DENIED, "perm_denied")      X(NO_INFO,      "authinfo_unavail") X(UNKNOWN, "module_unknown")
enum stack_answer {
#define X(name, word) ANSWER_##name,
	STACK_ANSWERS(X)
#undef X
	ANSWER_COUNT
};

enum stack_act { ACT_IGNORE, ACT_OK, ACT_DONE, ACT_BAD, ACT_DIE, ACT_RESET, ACT_JUMP };
enum stack_kind { KIND_MODULE, KIND_INCLUDE, KIND_SUBSTACK, KIND_BAD };

struct stack_line {
	char            file[STACK_NAME_MAX];   /* where it stands: a name in the folder */
	unsigned        number, last;           /* its first line there, and the last of those that a backslash joins to it */
	enum stack_kind kind;
	enum stack_type type;
	char            name[STACK_NAME_MAX];   /* the module, without its folder; or the file to be read here */
	enum stack_act  on[ANSWER_COUNT];
	unsigned        jump;                   /* the longest jump that any answer makes; 0: none */
	unsigned        level;                  /* substacks around it */
	char            args[STACK_ARGS_MAX];   /* of the module, as they stand there; cut */
};

/*
 * Calls fn for each line of a file's text, included files not opened; file, level are left empty. KIND_BAD: a line that
 * Linux-PAM would not understand either.
 */
typedef void stack_fn(void *arg, const struct stack_line *);
void stack_walk(const char *text, size_t len, stack_fn *fn, void *arg);

struct stack {
	unsigned          n;
	struct stack_line line[STACK_LINES_MAX];  /* KIND_MODULE and KIND_BAD alone */
	bool              cut;                    /* more than the limits above allow */
	char              missing[STACK_NAME_MAX];/* an included file that cannot be read; "" if none */
};

/* The lines of one type for a service of that folder, with what they include in its place. */
bool stack_read(const char *folder, const char *service, enum stack_type type, struct stack *, struct error *) MUST_CHECK;

/* The same as if one file of the folder had another text; NULL: none has. */
struct stack_text { const char *file, *text; size_t len; };
bool stack_read_as(const char *folder, const char *service, enum stack_type type, const struct stack_text *,
    struct stack *, struct error *) MUST_CHECK;

/* The files of a folder of stacks, in order; none of those that packages (x.dpkg-old) and editors (x~) leave behind. */
struct stack_files { unsigned n; char name[STACK_FILES_MAX][STACK_NAME_MAX]; };
void stack_list(const char *folder, struct stack_files *);

/* Is it a setuid program's? Whoever calls one sets the limits that the loading of a module meets. */
bool stack_setuid(const char *service);
#endif
