/*
 * syslogd SOCKET: takes what syslog(3) sends there and prints a line a message, "facility.priority name: text",
 * without time and process id, in the order of arrival.
 */
#define SYSLOG_NAMES
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <syslog.h>

enum { MESSAGE_MAX = 8192, TIME_WIDTH = 16 };   /* "Nov 24 02:36:50 " */

static const char *
name_of(const CODE *codes, int value)
{
	for (; codes->c_name; codes++)
		if (codes->c_val == value)
			return codes->c_name;
	return "?";
}

/* <86>Nov 24 02:36:50 sshd[123]: text */
static void
print(char *text)
{
	char *end, *bracket, *colon;
	long code = text[0] == '<' ? strtol(text + 1, &end, 10) : -1;

	if (code < 0 || *end != '>') {
		printf("? %s\n", text);
		return;
	}
	text = end + 1;
	if (strlen(text) > TIME_WIDTH && text[TIME_WIDTH - 1] == ' ' && text[3] == ' ')
		text += TIME_WIDTH;
	colon = strstr(text, ": ");
	bracket = strchr(text, '[');
	if (colon && bracket && bracket < colon)
		memmove(bracket, colon, strlen(colon) + 1);
	printf("%s.%s %s\n", name_of(facilitynames, LOG_FAC((int)code) << 3), name_of(prioritynames, LOG_PRI((int)code)), text);
}

int
main(int argc, char **argv)
{
	struct sockaddr_un me = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	char text[MESSAGE_MAX + 1];
	ssize_t n;

	if (argc != 2 || strlen(argv[1]) >= sizeof(me.sun_path)) {
		fprintf(stderr, "usage: syslogd SOCKET\n");
		return 2;
	}
	strcpy(me.sun_path, argv[1]);
	(void)umask(0);
	if (fd < 0 || bind(fd, (const struct sockaddr *)&me, sizeof(me)) < 0) {
		perror(argv[1]);
		return 1;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	while ((n = recv(fd, text, MESSAGE_MAX, 0)) >= 0) {
		text[n] = '\0';
		print(text);
	}
	perror("recv");
	return 1;
}
