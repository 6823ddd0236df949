/* What one boot log costs: read for the first time, and as records that are kept. One CPU, one thread. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "appraise.h"
#include "bench.h"
#include "large_log.h"
#include "scope.h"
#include "verdict.h"

enum { PCRS = 0x53bf, TURNS = 40 };     /* 0 to 5, 7, 8, 9, 12, 14 */

static struct work {
	uint8_t          *log, *packed;
	size_t            len, size;
	struct quote      quote;
	struct known_set  set;
	struct host_facts host;
	struct policy     policy;
	struct verify_key *key;
	struct tpm_signature signature;
	uint8_t          *attest;
	size_t            attest_len;
	struct verdict    verdict;
} w;

static size_t
parse_and_pack(uint8_t *out, size_t size)
{
	own(eventlog) struct eventlog log = { .event = NULL };
	struct writer to = wr_open(out, size);
	struct error e;

	need(eventlog_parse(w.log, w.len, &log, &e));
	eventlog_pack(&log, &to);
	need(wr_ok(&to, &e));
	return to.used;
}

static void
appraise(const uint8_t *packed, size_t len)
{
	own(eventlog) struct eventlog log = { .event = NULL };
	struct boot_evidence boot = { .log_sent = true, .log_len = w.len, .log = &log };
	struct reader from = rd_open(packed, len);
	struct error e;

	need(eventlog_unpack(&from, &log, &e) && rd_end(&from, &e));
	verdict_start(&w.verdict);
	w.verdict.claim[CLAIM_INSTANCE_IDENTITY] = TRUST_GENUINE;       /* as if the quote's rows had held */
	appraise_boot(&boot, &w.quote, BANK_SHA256, &w.host, &w.policy, &w.set, 1, &w.verdict);
	need(w.verdict.reason == REASON_OK && w.verdict.replayed);
}

static void
hash(void)
{
	uint8_t is[SHA256_SIZE];

	need(digest_sha256(w.log, w.len, is));
}

static void cold(void) { appraise(w.packed, parse_and_pack(w.packed, w.size)); }
static void parse(void) { (void)parse_and_pack(w.packed, w.size); }
static void warm(void) { appraise(w.packed, w.size); }

static void
verify(void)
{
	struct error e;

	need(verify_key_check(w.key, &w.signature, w.attest, w.attest_len, &e));
}

static void
prepare(void)
{
	static const char dir[] = "tests/data/vm/sb-shimgrub-a/q/";
	own(eventlog) struct eventlog log = { .event = NULL };
	own(mem) uint8_t *pem = NULL;
	own(mem) uint8_t *sig = NULL;
	char path[128];
	struct replay r;
	struct error e;
	size_t n;

	w.log = large_log(&w.len);
	need(eventlog_parse(w.log, w.len, &log, &e) && eventlog_replay(&log, &r, &e));
	w.size = eventlog_packed_size(&log);
	w.packed = malloc(w.size);
	need(w.packed);
	w.quote.selection = (struct selection){ 1, { { 0x000b, PCRS } } };
	need(replay_digest(&r, &w.quote.selection, BANK_SHA256, w.quote.pcr_digest, &w.quote.pcr_digest_len, &e));
	policy_default(&w.policy);
	for (unsigned i = 0; i < PCR_COUNT; i++)
		w.policy.pcr[i].mode = PCRS & 1u << i ? PCR_MODE_EVENTS : PCR_MODE_NONE;
	w.set = (struct known_set){ .label = "good/1", .active = true, .own_host = true };
	need(set_capture(&log, BANK_SHA256, PCRS, &w.set.set, &e));
	snprintf(path, sizeof(path), "%sak-ecc.pem", dir);
	pem = bench_file(path, &n);
	need(verify_key_open_pem((char *)pem, n, &w.key, &e));
	snprintf(path, sizeof(path), "%squote-ecc.sig", dir);
	sig = bench_file(path, &n);
	need(signature_read(sig, n, &w.signature, &e));
	snprintf(path, sizeof(path), "%squote-ecc.attest", dir);
	w.attest = bench_file(path, &w.attest_len);
	need(parse_and_pack(w.packed, w.size) == w.size);
}

static double
us_of(void (*what)(void))
{
	double from = bench_cpu();

	for (unsigned i = 0; i < TURNS; i++)
		what();
	return (bench_cpu() - from) / TURNS;
}

int
main(int argc, char **argv)
{
	enum { HASH, COLD, PARSE, WARM, VERIFY, KINDS };
	static void (*const what[KINDS])(void) = { hash, cold, parse, warm, verify };
	static double us[KINDS][ROUNDS_MAX];
	unsigned rounds = bench_rounds(argc, argv, 25);

	prepare();
	for (unsigned i = 0; i < rounds; i++)
		for (unsigned k = 0; k < KINDS; k++)
			us[k][i] = us_of(what[k]);
	for (unsigned k = 0; k < KINDS; k++)
		us[k][0] = bench_median(us[k], rounds);
	bench_title("A boot log of 75 KB; floors: SHA-256 of its bytes, one P-256 verification");
	bench_say(&(struct figure){ "read for the first time and appraised", "us", us[COLD][0], us[HASH][0], 0, 3 });
	bench_say(&(struct figure){ "  of it reading and packing", "us", us[PARSE][0], us[HASH][0], 0, 0 });
	bench_say(&(struct figure){ "records kept, appraised", "us", us[WARM][0], us[VERIFY][0], 0, 1 });
	verify_key_free(w.key);
	set_free(&w.set.set);
	free(w.log);
	free(w.packed);
	free(w.attest);
	return 0;
}
