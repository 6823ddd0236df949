/* lint.h - who finds what in gate.conf and in the PAM stacks; for attestctl lint, and for doctor, which says it too. */
#ifndef LINT_H
#define LINT_H
#include "attestctl.h"
#include "found.h"
#include "stack.h"

/* The lines that call pam_attest.so in the PAM stacks of a folder, and what stands before them. */
void lint_stacks(const struct ctl *, const char *folder, struct findings *);

/* The same of one service, as if one file had another text; NULL: none has. */
void lint_service(const struct ctl *, const char *folder, const char *service, const struct stack_text *, struct findings *);

/* What gate.conf and its drop-ins say that is wrong or dangerous. Fills the list of services. */
void lint_conf(const struct ctl *, struct findings *);
#endif
