#include "options.h"
#include "unit.h"

static char path[64];

static void
put(const char *text)
{
	FILE *f = fopen(path, "we");

	ck_assert(f && fputs(text, f) >= 0);
	fclose(f);
}

/* words "": good. Else what the error says. */
static const struct row { const char *label, *text, *words; } rows[] = {
	{ "empty",            "", "" },
	{ "every key",        "[verifier]\nurl = https://a:8451, https://b:8451\nca_file = /ca.pem\ntimeout = 5s\n"
	                      "[tpm]\ntcti = swtpm:path=/t\nak = 0x81010a05\n[logs]\nboot_log = /l\nima_log = /i\n"
	                      "[paths]\nrun_dir = /r\nstate_dir = /s\nboot_id = /b\n[cache]\nrenew = 50%\n"
	                      "[process]\nuser =\nsandbox = no\n", "" },
	{ "no TPM",           "[tpm]\ntcti =\n", "" },
	{ "unknown section",  "[colour]\n", "no section [colour]" },
	{ "unknown key",      "[tpm]\n\ncolour = red\n", ":3: " },
	{ "no section",       "url = https://a\n", "no section []" },
	{ "key twice",        "[tpm]\nak = auto\nak = auto\n", "given twice" },
	{ "http",             "[verifier]\nurl = http://a\n", "not https://" },
	{ "trailing slash",   "[verifier]\nurl = https://a/\n", "not https://" },
	{ "no URL",           "[verifier]\nurl = ,\n", "no verifier" },
	{ "five URLs",        "[verifier]\nurl = https://a https://b https://c https://d https://e\n", "over 4" },
	{ "no time",          "[verifier]\ntimeout = 0\n", "timeout" },
	{ "relative path",    "[paths]\nrun_dir = run\n", "run_dir" },
	{ "empty path",       "[paths]\nstate_dir =\n", "state_dir" },
	{ "transient handle", "[tpm]\nak = 0x80000001\n", "neither auto nor" },
	{ "handle with tail", "[tpm]\nak = 0x81010a00x\n", "neither auto nor" },
	{ "platform handle",  "[tpm]\nak = 0x81800000\n", "neither auto nor" },
	{ "percent missing",  "[cache]\nrenew = 66\n", "percentage" },
	{ "percent over",     "[cache]\nrenew = 95%\n", "renew" },
	{ "percent huge",     "[cache]\nrenew = 4294967362%\n", "percentage" },
	{ "perhaps",          "[process]\nsandbox = perhaps\n", "sandbox" },
};

START_TEST(row)
{
	const struct row *r = &rows[_i];
	struct options o = { .timeout = 77 };
	struct error e = { .code = ERR_NONE };
	bool good;

	put(r->text);
	good = options_load(path, &o, &e);
	ck_assert_msg(good == !r->words[0], "%s: %s", r->label, e.why);
	if (good)
		return;
	ck_assert_msg(strstr(e.why, r->words) != NULL, "%s: '%s' in '%s'", r->label, r->words, e.why);
	ck_assert_msg(strstr(e.why, path) != NULL, "%s: no file in '%s'", r->label, e.why);
	ck_assert_msg(o.timeout == 77, "%s: changed although wrong", r->label);
}
END_TEST

START_TEST(defaults)
{
	struct options o;
	struct error e = { .code = ERR_NONE };

	ck_assert(options_load("/nonexistent/attestd.conf", &o, &e));
	ck_assert_uint_eq(o.urls, 0);
	ck_assert_uint_eq(o.timeout, 3);
	ck_assert_uint_eq(o.renew, 66);
	ck_assert_uint_eq(o.ak, 0);
	ck_assert_str_eq(o.tcti, "device:/dev/tpmrm0");
	ck_assert_str_eq(o.run_dir, "/run/attest");
	ck_assert_str_eq(o.user, "attest");
	ck_assert(o.sandbox);
}
END_TEST

START_TEST(values)
{
	struct options o;
	struct error e = { .code = ERR_NONE };

	put(rows[1].text);
	ck_assert(options_load(path, &o, &e));
	ck_assert_uint_eq(o.urls, 2);
	ck_assert_str_eq(o.url[1], "https://b:8451");
	ck_assert_uint_eq(o.ak, 0x81010a05);
	ck_assert_uint_eq(o.timeout, 5);
	ck_assert_uint_eq(o.renew, 50);
	ck_assert_str_eq(o.user, "");
	ck_assert(!o.sandbox);
}
END_TEST

static void
add(TCase *tc)
{
	tcase_add_loop_test(tc, row, 0, COUNT(rows));
	tcase_add_test(tc, defaults);
	tcase_add_test(tc, values);
}

int
main(void)
{
	int rc, fd;

	strcpy(path, "/tmp/check_options.XXXXXX");
	fd = mkstemp(path);
	if (fd < 0)
		return 99;
	close(fd);
	rc = unit_run("options", add);
	unlink(path);
	return rc;
}
