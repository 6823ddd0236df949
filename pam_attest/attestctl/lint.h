/* lint.h - what attestctl lint finds, and who looks where. */
#ifndef LINT_H
#define LINT_H
#include "attestctl.h"
#include "stack.h"

enum { FINDINGS_MAX = 128, SERVICES_MAX = 128, FINDING_TEXT = 512 };

struct findings {
	unsigned n, errors;
	struct { bool error; char text[FINDING_TEXT]; } item[FINDINGS_MAX];
	unsigned services;                               /* that sections of gate.conf name */
	char     service[SERVICES_MAX][GATE_NAME_MAX];
};

/* Says each thing once. */
void lint_note(struct findings *, bool error, const char *text);

/* The lines that call pam_attest.so in the PAM stacks of a folder, and what stands before them. */
void lint_stacks(const struct ctl *, const char *folder, struct findings *);

/* The same of one service, as if one file had another text; NULL: none has. */
void lint_service(const struct ctl *, const char *folder, const char *service, const struct stack_text *, struct findings *);

/* What gate.conf and its drop-ins say that is wrong or dangerous. */
void lint_conf(const struct ctl *, struct findings *);
#endif
