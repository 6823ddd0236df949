#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include "log.h"
#include "roles.h"
#include "scope.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ADDRESS_SANITIZER 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#define ADDRESS_SANITIZER 1
#endif

static void
arguments(int argc, char **argv, struct role_start *s)
{
	int c;

	*s = (struct role_start){ 0 };
	while ((c = getopt(argc, argv, "c:f")) != -1) {
		if (c == 'c')
			s->conf = optarg;
		else if (c == 'f')
			s->foreground = true;
		else
			_exit(2);
	}
	if (optind < argc)
		s->word = argv[optind];
}

/* For good, and inherited by whatever would be started from here. */
static bool
give_up_privileges(void)
{
	const struct rlimit none = { 0, 0 };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || setrlimit(RLIMIT_CORE, &none) < 0)
		return false;
#ifdef ADDRESS_SANITIZER
	return true;       /* its leak check traces the process */
#else
	return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0;
#endif
}

void
role_begin(int argc, char **argv, const char *program, bool listens, struct role_start *s)
{
	arguments(argc, argv, s);
	log_open(program, s->foreground);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGINT, SIG_IGN);
	if (fcntl(FD_READY, F_GETFD) < 0) {
		fprintf(stderr, "%s is started by verifierd(8), not by hand\n", program);
		exit(2);
	}
	if (close_range(listens ? FD_ROLE_END : FD_LISTEN, ~0u, 0) < 0 || !give_up_privileges()) {
		log_say(LOG_ERR, "cannot give up privileges: %s", strerror(errno));
		exit(1);
	}
	for (int fd = FD_READY; fd < FD_ROLE_END; fd++)
		(void)fcntl(fd, F_SETFD, FD_CLOEXEC);
}

void
role_ready(void)
{
	ssize_t n;

	do
		n = write(FD_READY, "+", 1);
	while (n < 0 && errno == EINTR);
	close(FD_READY);
}
