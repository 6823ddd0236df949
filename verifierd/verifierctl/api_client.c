#include <curl/curl.h>
#include <stdio.h>
#include "api_client.h"
#include "scope.h"
#include "show.h"

enum { ANSWER_MAX = 8 << 20, CALL_S = 30 };

struct text { char *p; size_t len; };

static size_t
collect(char *p, size_t one, size_t n, void *arg)
{
	struct text *t = arg;
	char *grown;

	n *= one;
	if (n > ANSWER_MAX - t->len || !(grown = realloc(t->p, t->len + n + 1)))
		return 0;
	memcpy(grown + t->len, p, n);
	t->p = grown;
	t->len += n;
	t->p[t->len] = '\0';
	return n;
}

static bool
url_of(CURL *c, const char *const *path, char *out, size_t size)
{
	size_t used = (size_t)snprintf(out, size, "http://verifierd/v1/admin");

	for (; *path; path++) {
		char *escaped = curl_easy_escape(c, *path, 0);
		int n = escaped ? snprintf(out + used, size - used, "/%s", escaped) : -1;

		curl_free(escaped);
		if (n < 0 || (size_t)n >= size - used)
			return false;
		used += (size_t)n;
	}
	return true;
}

/* What verifierd's refusal says, for a person. */
static int
refused(const struct ctl *ctl, long status, const struct text *t)
{
	own(json) struct json *j = NULL;
	struct error e;
	char detail[300] = "", reason[64] = "";

	if (t->p && json_parse(t->p, t->len, &j, &e)) {
		if (!json_text(j, "detail", detail, sizeof(detail), &e))
			detail[0] = '\0';
		if (!json_text(j, "reason", reason, sizeof(reason), &e))
			reason[0] = '\0';
	}
	show_plain(detail);
	show_plain(reason);
	if (ctl->json && j)
		api_print(j);
	fprintf(stderr, "verifierctl: %s%s%s%s\n", detail[0] ? detail : "verifierd refused", reason[0] ? " (" : "", reason,
	    reason[0] ? ")" : "");
	return status == 401 || status == 403 ? EXIT_PERMISSION : EXIT_REFUSED;
}

/* The change needs more than this administrator. A time that was reckoned from now is not the same for the next one. */
static int
waits(const struct ctl *ctl, const struct text *t)
{
	own(json) struct json *j = NULL;
	char expires[32], until[32];
	int64_t count, needed;
	struct error e;

	if (!t->p || !json_parse(t->p, t->len, &j, &e) || !json_int(j, "approvals", 0, INT32_MAX, &count, &e) ||
	    !json_int(j, "needed", 0, INT32_MAX, &needed, &e) || !json_text(j, "expires", expires, sizeof(expires), &e) ||
	    !json_text(j, "until", until, sizeof(until), &e)) {
		fprintf(stderr, "verifierctl: the answer cannot be read\n");
		return EXIT_REFUSED;
	}
	if (ctl->json)
		api_print(j);
	fprintf(stderr, "%lld of %lld approvals, and nothing is changed yet; another administrator runs the same command%s%s until %s\n",
	    (long long)count, (long long)needed, *expires ? " with --expires " : "", expires, until);
	return EXIT_WAITS;
}

static CURLcode
perform(CURL *c, const struct ctl *ctl, const char *url, const char *body, size_t len, struct text *t, long *status)
{
	struct curl_slist *list = curl_slist_append(NULL, "Content-Type: application/json");
	CURLcode rc;

	curl_easy_setopt(c, CURLOPT_UNIX_SOCKET_PATH, ctl->socket);
	curl_easy_setopt(c, CURLOPT_URL, url);
	curl_easy_setopt(c, CURLOPT_PROXY, "");
	curl_easy_setopt(c, CURLOPT_TIMEOUT, ctl->wait_s ? (long)ctl->wait_s : (long)CALL_S);
	curl_easy_setopt(c, CURLOPT_HTTPHEADER, list);
	curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, collect);
	curl_easy_setopt(c, CURLOPT_WRITEDATA, t);
	if (body) {
		curl_easy_setopt(c, CURLOPT_POSTFIELDS, body);
		curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)len);
	}
	rc = curl_easy_perform(c);
	curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, status);
	curl_slist_free_all(list);
	return rc;
}

/* curl says "could not connect" for both: may we not, or is nobody there? */
static int
no_answer(const struct ctl *ctl, CURLcode rc)
{
	if (rc == CURLE_COULDNT_CONNECT && !access(ctl->socket, F_OK) && access(ctl->socket, R_OK | W_OK)) {
		fprintf(stderr, "verifierctl: no permission to use %s\n", ctl->socket);
		return EXIT_PERMISSION;
	}
	fprintf(stderr, "verifierctl: verifierd does not answer on %s: %s. Next: systemctl start verifierd\n", ctl->socket, curl_easy_strerror(rc));
	return EXIT_DOWN;
}

/* The answer's text. */
static int
call(const struct ctl *ctl, const char *const *path, struct json *request, struct text *t)
{
	own(json) struct json *body = request;
	own(mem) char *text = NULL;
	struct error e = { .code = ERR_NONE };
	char url[512];
	size_t len = 0;
	long status = 0;
	int exit_code = EXIT_DONE;
	CURL *c = curl_easy_init();
	CURLcode rc;

	if (!c || !url_of(c, path, url, sizeof(url)) || (body && !json_print(body, false, &text, &len, &e))) {
		fprintf(stderr, "verifierctl: the request cannot be made\n");
		curl_easy_cleanup(c);
		return EXIT_REFUSED;
	}
	rc = perform(c, ctl, url, text, len, t, &status);
	if (rc)
		exit_code = no_answer(ctl, rc);
	else if (status == 202)
		exit_code = waits(ctl, t);
	else if (status != 200)
		exit_code = refused(ctl, status, t);
	curl_easy_cleanup(c);
	return exit_code;
}

int
api_call(const struct ctl *ctl, const char *const *path, struct json *request, struct json **answer)
{
	struct text t = { 0 };
	struct error e = { .code = ERR_NONE };
	int exit_code = call(ctl, path, request, &t);

	if (exit_code == EXIT_DONE && (!t.p || !json_parse(t.p, t.len, answer, &e))) {
		fprintf(stderr, "verifierctl: the answer cannot be read: %s\n", t.p ? e.why : "empty");
		exit_code = EXIT_REFUSED;
	}
	free(t.p);
	return exit_code;
}

int
api_text(const struct ctl *ctl, const char *const *path, char **text, size_t *len)
{
	struct text t = { 0 };
	int exit_code = call(ctl, path, NULL, &t);

	if (exit_code == EXIT_DONE && t.p) {
		*text = t.p;
		*len = t.len;
		return exit_code;
	}
	free(t.p);
	return exit_code == EXIT_DONE ? EXIT_REFUSED : exit_code;
}

int
api_print(const struct json *j)
{
	struct error e = { .code = ERR_NONE };
	own(mem) char *text = NULL;
	size_t len;

	if (!json_print(j, true, &text, &len, &e))
		return EXIT_REFUSED;
	printf("%s\n", text);
	return EXIT_DONE;
}

int
show_answer(const struct ctl *ctl, int rc, const struct json *j, void (*show)(const struct json *))
{
	if (rc || ctl->quiet)
		return rc;
	if (ctl->json)
		return api_print(j);
	show(j);
	return EXIT_DONE;
}
