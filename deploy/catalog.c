/* Prints pam-attest.catalog: what journalctl -x says beside a line, from the table of message ids. */
#include <stdio.h>
#include "message_id.h"

int
main(void)
{
#define X(name, id, subject, text) \
	printf("-- %s\nSubject: %s\nDefined-By: pam-attest\nDocumentation: man:pam_attest(8)\nDocumentation: man:attest-reasons(7)\n\n%s\n", \
	    id, subject, text);
	MESSAGE_IDS(X)
#undef X
	return ferror(stdout) || fflush(stdout) ? 1 : 0;
}
