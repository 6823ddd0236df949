/*
 * A parse worker that a host has taken over, in the place of verifierd-parse ([process] libexec). What it does is the
 * first word of the file "manner" beside it; "honest" becomes the program "honest-parse" beside it.
 */
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include "ipc.h"
#include "roles.h"
#include "scope.h"

static void
beside(const char *self, const char *name, char out[static 4096])
{
	const char *slash = strrchr(self, '/');

	snprintf(out, 4096, "%.*s/%s", slash ? (int)(slash - self) : 1, slash ? self : ".", name);
}

static void
manner_of(const char *self, char out[static 16])
{
	char path[4096];
	own(file) FILE *f = NULL;

	strcpy(out, "hangs");
	beside(self, "manner", path);
	f = fopen(path, "re");
	if (!f || fscanf(f, "%15s", out) != 1)
		strcpy(out, "hangs");
}

static void
answer(const struct frame *f, const char *manner)
{
	static uint8_t out[64 << 10];
	enum message type = f->type == MSG_PARSE_LOG ? MSG_PARSED_LOG : MSG_PARSED_ENROLL;
	bool right = strcmp(manner, "garbage") == 0;
	struct error e;

	if (!strcmp(manner, "dies"))
		_exit(1);
	if (!strcmp(manner, "hangs"))
		return;
	memset(out, 0xa5, sizeof(out));
	out[0] = 1;
	if (!strcmp(manner, "kind"))
		type = MSG_PARSED_ENROLL;
	if (!strcmp(manner, "judge"))
		type = MSG_JUDGED_BOOT;
	/* "raw": not even a frame. */
	if (!strcmp(manner, "raw"))
		(void)!send(FD_CHANNEL, out, 100, MSG_NOSIGNAL);
	else if (!ipc_send(FD_CHANNEL, ROLE_PARSE, type, f->job + !right, out, 4096, -1, &e) &&
	    /* What it is not even allowed to say is said with the frame written by hand. */
	    !ipc_send(FD_CHANNEL, ROLE_JUDGE, type, f->job, out, 4096, -1, &e))
		fprintf(stderr, "lying parser: %s\n", e.why);
}

int
main(int argc, char **argv)
{
	struct pollfd ready = { .fd = FD_CHANNEL, .events = POLLIN };
	char manner[16], path[4096];
	struct role_start s;

	manner_of(argv[0], manner);
	if (!strcmp(manner, "honest")) {
		beside(argv[0], "honest-parse", path);
		execv(path, argv);
		return 127;
	}
	role_begin(argc, argv, "verifierd-parse", false, &s);
	role_ready();
	for (;;) {
		own(frame) struct frame f = { .peer_fd = -1 };
		struct error e = { .code = ERR_NONE };
		bool got = false;

		if (!ipc_receive(FD_CHANNEL, ROLE_PARSE, &f, &got, &e))
			return e.code != ERR_MISSING;
		if (got)
			answer(&f, manner);
		else if (poll(&ready, 1, -1) < 0)
			return 1;
	}
}
