/*
 * prompt.h - the one prompt that `attestctl passport --prompt` answers, and for which audiences. attest-vpn(7).
 *
 * The words come from a server that may be anybody's; what stands before them, in brackets, is ssh's own: whom it
 * is talking to. A passport goes to no host but those that the user has named for its audience.
 */
#ifndef PROMPT_H
#define PROMPT_H
#include "challenge.h"

enum { PROMPT_MAX = 512, AUDIENCES_FILE_MAX = 16 << 10 };

struct prompt {
	char host[AUDIENCE_TEXT * 4];          /* that ssh is connected to */
	char audience[AUDIENCE_TEXT], user[PASSPORT_USER_TEXT];
};
/* "(kim@gw.example) attest-passport vpn.example for kim: "; false for anything else, and for a user whom ssh does not log in as. */
bool prompt_read(const char *text, struct prompt *) MUST_CHECK;

/*
 * A file of lines "AUDIENCE [HOST...]": a passport for it may be given to these hosts; without any, to the one that
 * has the audience's name. '#' begins a comment.
 */
bool prompt_allowed(const char *file, size_t len, const struct prompt *);
#endif
