/*
 * pam_login CONFDIR SERVICE USER: one account phase through a private PAM folder, once standard input has ended; what
 * the user sees on standard output, exit 0 when permitted. Many may run at once, which pam_wrapper's are not made for.
 */
#include <security/pam_appl.h>
#include <stdio.h>
#include <stdlib.h>

static int
show(int n, const struct pam_message **m, struct pam_response **r, void *data)
{
	(void)data;
	*r = calloc((size_t)n, sizeof(**r));
	for (int i = 0; i < n; i++)
		printf("%s\n", m[i]->msg);
	return *r ? PAM_SUCCESS : PAM_CONV_ERR;
}

int
main(int argc, char **argv)
{
	const struct pam_conv conv = { show, NULL };
	pam_handle_t *pamh;
	int rc;

	if (argc != 4 || pam_start_confdir(argv[2], argv[3], &conv, argv[1], &pamh) != PAM_SUCCESS)
		return 2;
	puts("ready");
	fflush(stdout);
	while (getchar() != EOF)
		;
	rc = pam_acct_mgmt(pamh, 0);
	printf("%s\n", pam_strerror(pamh, rc));
	pam_end(pamh, rc);
	return rc != PAM_SUCCESS;
}
