/*
 * say_attestd SOCKET DIR: an attestd that says what it was told to. To a question with verb=V it answers with the reason in
 * DIR/reason (ok, if there is none) and the JSON in DIR/V.json. For tests of what attestctl makes of an answer.
 */
#include <sys/socket.h>
#include <sys/un.h>
#include "file.h"
#include "local.h"
#include "reason.h"
#include "scope.h"

static bool
take_verb(void *arg, const char *key, const char *value, struct error *e)
{
	char *verb = arg;

	(void)e;
	if (!strcmp(key, "verb"))
		snprintf(verb, 32, "%.31s", value);
	return true;
}

static void
answer(int fd, const char *dir)
{
	char ask[LOCAL_MAX], path[512], verb[32] = "";
	own(mem) uint8_t *json = NULL, *word = NULL;
	size_t have = 0, used = 0, len = 0, n;
	enum reason reason = REASON_OK;
	struct local_out out;
	struct error e;
	ssize_t got;

	while (!used && (got = recv(fd, ask + have, sizeof(ask) - have, 0)) > 0) {
		have += (size_t)got;
		if (!local_whole(ask, have, &used, &e))
			return;
	}
	if (!used || !local_walk(ask, used, take_verb, verb, &e))
		return;
	snprintf(path, sizeof(path), "%s/reason", dir);
	if (file_load(path, 64, &word, &n, &e)) {
		word[strcspn((char *)word, "\n")] = '\0';
		if (!reason_find((char *)word, &reason))
			reason = REASON_INTERNAL_ERROR;
	}
	snprintf(path, sizeof(path), "%s/%s.json", dir, verb);
	if (!file_load(path, 1 << 16, &json, &len, &e))
		len = 0;
	local_open(&out);
	local_put(&out, "ok", "yes");
	local_put(&out, "state", state_word(reason_state(reason)));
	local_put(&out, "reason", reason_code(reason));
	local_put(&out, "ref", "");
	local_put_number(&out, "length", (int64_t)len);
	if (local_end(&out, &e) && send(fd, out.buf, out.used, MSG_NOSIGNAL) == (ssize_t)out.used && len)
		len -= (size_t)send(fd, json, len, MSG_NOSIGNAL);
}

int
main(int argc, char **argv)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	own(fd) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (argc != 3 || strlen(argv[1]) >= sizeof(at.sun_path))
		return 2;
	strcpy(at.sun_path, argv[1]);
	if (fd < 0 || bind(fd, (const struct sockaddr *)&at, sizeof(at)) < 0 || listen(fd, 8) < 0)
		return 1;
	for (;;) {
		own(fd) int peer = accept4(fd, NULL, NULL, SOCK_CLOEXEC);

		if (peer >= 0)
			answer(peer, argv[2]);
	}
}
