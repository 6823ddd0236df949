#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>
#include "file.h"
#include "pki.h"
#include "unit.h"

#define NOW 1795500000000LL     /* ms; 2026-11-24 */
#define DAY 86400000LL

static char dir[64];
static void make_dir(void) { strcpy(dir, "/tmp/check-pki-XXXXXX"); ck_assert_ptr_nonnull(mkdtemp(dir)); }
static const char *const files[] = { "ca-key.pem", "ca.pem", "server-key.pem", "server.pem" };

static char *
path(const char *name)
{
	static char p[128];

	snprintf(p, sizeof(p), "%s/%s", dir, name);
	return p;
}

static void
remove_dir(void)
{
	for (size_t i = 0; i < COUNT(files); i++)
		unlink(path(files[i]));
	rmdir(dir);
}

static uint8_t *
content(const char *name, size_t *len)
{
	struct error e;
	uint8_t *buf;

	ck_assert(file_load(path(name), 65536, &buf, len, &e));
	return buf;
}

static X509 *
cert(const char *name, int n)
{
	FILE *f = fopen(path(name), "r");
	X509 *x = NULL;

	ck_assert_ptr_nonnull(f);
	do {
		X509_free(x);
		x = PEM_read_X509(f, NULL, NULL, NULL);
	} while (n-- > 0);
	fclose(f);
	return x;
}

START_TEST(makes_a_chain_that_verifies)
{
	struct error e = { .code = ERR_NONE };
	struct stat st;
	X509 *ca, *leaf, *second;
	EVP_PKEY *key;

	ck_assert_msg(pki_prepare(dir, dir, "verifier.example.net, 192.0.2.7", NOW, &e), "%s", e.why);
	ca = cert("ca.pem", 0);
	leaf = cert("server.pem", 0);
	second = cert("server.pem", 1);
	key = X509_get0_pubkey(ca);
	ck_assert_int_eq(X509_verify(leaf, key), 1);
	ck_assert_int_eq(X509_cmp(second, ca), 0);
	ck_assert_int_eq(X509_check_host(leaf, "verifier.example.net", 0, 0, NULL), 1);
	ck_assert_int_eq(X509_check_ip_asc(leaf, "192.0.2.7", 0), 1);
	ck_assert_int_eq(X509_check_host(leaf, "localhost", 0, 0, NULL), 0);
	ck_assert_int_eq(X509_check_ca(ca) > 0 && X509_check_ca(leaf) == 0, 1);
	ck_assert_int_eq(stat(path("ca-key.pem"), &st), 0);
	ck_assert_uint_eq(st.st_mode & 0777, 0600);
	ck_assert_int_eq(stat(path("server-key.pem"), &st), 0);
	ck_assert_uint_eq(st.st_mode & 0777, 0600);
	X509_free(ca);
	X509_free(leaf);
	X509_free(second);
}
END_TEST

START_TEST(a_second_start_changes_nothing)
{
	struct error e = { .code = ERR_NONE };

	ck_assert(pki_prepare(dir, dir, "", NOW, &e));
	for (size_t i = 0; i < COUNT(files); i++) {
		size_t n, m;
		uint8_t *before = content(files[i], &n), *after;

		ck_assert_msg(pki_prepare(dir, dir, "", NOW + DAY, &e), "%s", e.why);
		after = content(files[i], &m);
		ck_assert_msg(n == m && !memcmp(before, after, n), "%s changed", files[i]);
		free(before);
		free(after);
	}
}
END_TEST

/* Killed after any of the four files: the next start makes the rest, and the CA stays the one that hosts pinned. */
START_TEST(a_missing_file_is_made_again)
{
	struct error e = { .code = ERR_NONE };
	EVP_PKEY *was, *is;
	X509 *x;

	ck_assert(pki_prepare(dir, dir, "", NOW, &e));
	x = cert("ca.pem", 0);
	was = X509_get_pubkey(x);
	X509_free(x);
	for (size_t i = (size_t)_i; i < COUNT(files); i++)
		unlink(path(files[i]));
	ck_assert_msg(pki_prepare(dir, dir, "", NOW, &e), "%s", e.why);
	x = cert("ca.pem", 0);
	is = X509_get_pubkey(x);
	ck_assert_int_eq(EVP_PKEY_eq(was, is), _i > 0);
	X509_free(x);
	x = cert("server.pem", 0);
	ck_assert_int_eq(X509_verify(x, is), 1);
	X509_free(x);
	EVP_PKEY_free(was);
	EVP_PKEY_free(is);
}
END_TEST

START_TEST(renewed_before_it_ends_or_when_names_change)
{
	struct error e = { .code = ERR_NONE };
	X509 *x;

	ck_assert(pki_prepare(dir, dir, "a.example", NOW, &e));
	ck_assert(pki_prepare(dir, dir, "a.example", NOW + 380 * DAY, &e));
	x = cert("server.pem", 0);
	ck_assert_int_eq(X509_cmp_time(X509_get0_notAfter(x), &(time_t){ NOW / 1000 + 700 * 86400 }), 1);
	X509_free(x);
	ck_assert(pki_prepare(dir, dir, "b.example", NOW + 381 * DAY, &e));
	x = cert("server.pem", 0);
	ck_assert_int_eq(X509_check_host(x, "b.example", 0, 0, NULL), 1);
	ck_assert_int_eq(X509_check_host(x, "a.example", 0, 0, NULL), 0);
	X509_free(x);
}
END_TEST

START_TEST(keeps_what_it_cannot_read)
{
	struct error e = { .code = ERR_NONE };
	FILE *f;

	ck_assert(pki_prepare(dir, dir, "", NOW, &e));
	f = fopen(path("ca-key.pem"), "w");
	fputs("damaged", f);
	fclose(f);
	ck_assert(!pki_prepare(dir, dir, "", NOW, &e));
	ck_assert_ptr_nonnull(strstr(e.why, "ca-key.pem: not a private key"));
}
END_TEST

/* Each name stands in the certificate, also one that another begins with; a repeated one once. */
START_TEST(every_name_is_in_it)
{
	struct error e = { .code = ERR_NONE };
	const struct { const char *name; int is; } hosts[] = {
		{ "a.example.net", 1 }, { "a.example", 1 }, { "example.net", 1 }, { "net", 0 }, { "a", 0 },
	};
	GENERAL_NAMES *all;
	X509 *x;

	ck_assert_msg(pki_prepare(dir, dir, "a.example.net a.example, example.net,a.example,192.0.2.70,192.0.2.7,2001:db8::1", NOW, &e),
	    "%s", e.why);
	x = cert("server.pem", 0);
	for (size_t i = 0; i < COUNT(hosts); i++)
		ck_assert_msg(X509_check_host(x, hosts[i].name, 0, 0, NULL) == hosts[i].is, "%s", hosts[i].name);
	ck_assert_int_eq(X509_check_ip_asc(x, "192.0.2.70", 0), 1);
	ck_assert_int_eq(X509_check_ip_asc(x, "192.0.2.7", 0), 1);
	ck_assert_int_eq(X509_check_ip_asc(x, "2001:db8::1", 0), 1);
	all = X509_get_ext_d2i(x, NID_subject_alt_name, NULL, NULL);
	ck_assert_int_eq(sk_GENERAL_NAME_num(all), 6);
	GENERAL_NAMES_free(all);
	X509_free(x);
}
END_TEST

START_TEST(bad_names_are_refused)
{
	struct error e = { .code = ERR_NONE };

	ck_assert(!pki_prepare(dir, dir, "a b;c", NOW, &e) && e.code == ERR_CONFIG);
	ck_assert(!pki_prepare(dir, dir, "x\ny", NOW, &e) && e.code == ERR_CONFIG);
	ck_assert(!pki_prepare(dir, dir, " , ", NOW, &e) && e.code == ERR_CONFIG);
}
END_TEST

static void
add(TCase *tc)
{
	tcase_add_checked_fixture(tc, make_dir, remove_dir);
	tcase_add_test(tc, makes_a_chain_that_verifies);
	tcase_add_test(tc, a_second_start_changes_nothing);
	tcase_add_loop_test(tc, a_missing_file_is_made_again, 0, 4);
	tcase_add_test(tc, renewed_before_it_ends_or_when_names_change);
	tcase_add_test(tc, keeps_what_it_cannot_read);
	tcase_add_test(tc, every_name_is_in_it);
	tcase_add_test(tc, bad_names_are_refused);
}

int main(void) { return unit_run("pki", add); }
