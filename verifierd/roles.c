#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include "confine.h"
#include "log.h"
#include "roles.h"
#include "scope.h"

static void
arguments(int argc, char **argv, struct role_start *s)
{
	int c;

	*s = (struct role_start){ 0 };
	while ((c = getopt(argc, argv, "c:fn")) != -1) {
		if (c == 'c')
			s->conf = optarg;
		else if (c == 'f')
			s->foreground = true;
		else if (c == 'n')
			s->no_sandbox = true;
		else
			_exit(2);
	}
	if (optind < argc)
		s->word = argv[optind];
}

/* Messages come and go by the hundred KiB: their memory is not given back and faulted in again each time. */
enum { HEAP_KEPT = 4 << 20 };

void
role_begin(int argc, char **argv, const char *program, bool listens, struct role_start *s)
{
	struct error e = { .code = ERR_NONE };
	bool closed;

	arguments(argc, argv, s);
	mallopt(M_MMAP_THRESHOLD, HEAP_KEPT);
	mallopt(M_TRIM_THRESHOLD, HEAP_KEPT);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGINT, SIG_IGN);
	if (fcntl(FD_READY, F_GETFD) < 0) {
		fprintf(stderr, "%s is started by verifierd(8), not by hand\n", program);
		exit(2);
	}
	closed = close_range(listens ? FD_ROLE_END : FD_LISTEN, ~0u, 0) == 0 || err_errno(&e, "close_range");
	/* Not before: syslog(3) would take the number of its socket for its own still, whoever has it by then. */
	log_open(program, s->foreground);
	if (!closed || !confine_process(&e)) {
		log_say(LOG_ERR, "%s", e.why);
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
