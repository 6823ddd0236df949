/*
 * A reply of the TPM child to attestd: the first byte picks the question, and a reason of 0 stands for REASON_OK, whatever
 * its number is. Whatever the child says, lengths fit into what holds them, and a reason is one that a TPM can be the cause of.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include "clock.h"
#include "scope.h"
#include "tpm.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
must(bool holds)
{
	if (!holds)
		abort();
}

static enum reason
ask(struct tpm *t, unsigned question, struct error *e)
{
	static const struct selection one = { .count = 1, .bank = { { 0x000b, 0x91 } } };
	static const uint8_t nonce[32];
	static struct enroll_request q;
	static struct enroll_answer answer;
	int64_t deadline = clock_mono() + 1000;
	uint8_t secret[SECRET_SIZE];
	struct tpm_quoted quoted = { .attest_len = 0 };
	struct tpm_ak ak = { .blob_len = 0 };
	enum reason why;
	uint32_t banks;

	switch (question % 6) {
	case 0:
		why = tpm_ask_quote(t, nonce, &one, deadline, &quoted, e);
		must(quoted.attest_len <= sizeof(quoted.attest) && quoted.signature_len <= sizeof(quoted.signature));
		return why;
	case 1: return tpm_ask_banks(t, deadline, &banks, e);
	case 2:
		q.chain_count = 0;
		why = tpm_ask_ek(t, deadline, &q, e);
		must(why != REASON_OK || q.chain_count <= EK_CHAIN_MAX);
		return why;
	case 3:
		why = tpm_ask_create_ak(t, 0, "", deadline, &ak, e);
		must(ak.blob_len <= sizeof(ak.blob) && ak.public_len <= sizeof(ak.public));
		return why;
	case 4: return tpm_ask_evict(t, "x", 1, "", deadline, e);
	default: return tpm_ask_activate(t, &answer, deadline, secret, e);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static struct tpm t;
	static uint8_t reply[TPM_WIRE_MAX];
	struct error e = { .code = ERR_NONE };
	enum reason why;
	int pair[2];

	if (n < 2 || n > TPM_WIRE_MAX / 2)
		return 0;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		abort();
	tpm_open(&t, "/nonexistent", "none", false);
	t.fd = pair[0];
	t.ak_given = true;
	memcpy(reply, p + 1, n - 1);
	if (n > 2 && !p[1] && !p[2]) {
		reply[0] = REASON_OK >> 8;
		reply[1] = REASON_OK & 0xff;
	}
	must(send(pair[1], reply, n - 1, MSG_NOSIGNAL) == (ssize_t)(n - 1));
	why = ask(&t, p[0], &e);
	must(why == REASON_PROOF_FAILED || why == REASON_OK || reason_state(why) == STATE_BROKEN || reason_state(why) == STATE_NONE);
	tpm_close(&t);
	close(pair[1]);
	return 0;
}
