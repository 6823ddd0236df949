/*
 * pam_edit.h - the gate's line put into the text of a file of pam.d, or every line of the gate taken out.
 *
 * All else stays byte for byte, so that taking out undoes putting in, whatever was edited in between. attestctl(8), hook.
 */
#ifndef PAM_EDIT_H
#define PAM_EDIT_H
#include <stdio.h>
#include "stack.h"

#define PAM_DIR         "/etc/pam.d"
#define PAM_VENDOR_DIR  "/usr/lib/pam.d"     /* read where PAM_DIR has no file of that name */
#define PAM_GATE_MODULE "pam_attest.so"

/* GATE section 3: without the module's file root's services let in; a setuid program, whose caller can hide it, does not. */
#define PAM_GATE_LINE        "account [success=ok ignore=ignore module_unknown=ignore default=die] " PAM_GATE_MODULE
#define PAM_GATE_LINE_SETUID "account [success=ok ignore=ignore default=die] " PAM_GATE_MODULE

/* What is to be done to a text: lines of it go, one comes in. Lines count from 1. */
struct pam_edit {
	unsigned n;                                              /* how many calls of the gate go */
	struct { unsigned first, last; } gone[STACK_LINES_MAX];
	unsigned at;                                             /* the line comes in before this one; 0: none does */
	char     line[sizeof(PAM_GATE_LINE) + STACK_ARGS_MAX];
};

/*
 * Plans `line` before the first account line that could let people in, behind pam_nologin. Account lines that call the gate
 * go, and the first one's options are kept. The folder is for what the file includes. ERR_MISSING: no account line, PAM asks
 * `other`; ERR_FORMAT: a line that PAM does not understand; ERR_CONFLICT: as below.
 */
bool pam_edit_hook(const char *folder, const char *text, size_t len, const char *line, struct pam_edit *, struct error *) MUST_CHECK;

/* Plans each line that calls the gate out, of whatever type. ERR_CONFLICT: one before it jumps over it, and would jump too far. */
bool pam_edit_unhook(const char *text, size_t len, struct pam_edit *, struct error *) MUST_CHECK;

/* The text after it, NUL-terminated; free *out. */
bool pam_edit_apply(const struct pam_edit *, const char *text, size_t len, char **out, size_t *out_len, struct error *) MUST_CHECK;

/* What it changes, as diff -u prints it; nothing where it changes nothing. */
void pam_edit_diff(FILE *to, const char *path, const struct pam_edit *, const char *text, size_t len);
#endif
