#include "tpm_count.h"

/* Any value of our own: it only says whose context this is. */
static const uint64_t count_magic = 0x70612d636f756e74;

static struct tpm_count *
self(TSS2_TCTI_CONTEXT *t)
{
	return (struct tpm_count *)(void *)t;
}

static TSS2_RC
transmit(TSS2_TCTI_CONTEXT *t, size_t size, const uint8_t *command)
{
	self(t)->commands++;
	return Tss2_Tcti_Transmit(self(t)->inner, size, command);
}

static TSS2_RC
receive(TSS2_TCTI_CONTEXT *t, size_t *size, uint8_t *response, int32_t timeout)
{
	return Tss2_Tcti_Receive(self(t)->inner, size, response, timeout);
}

static TSS2_RC
cancel(TSS2_TCTI_CONTEXT *t)
{
	return Tss2_Tcti_Cancel(self(t)->inner);
}

static TSS2_RC
poll_handles(TSS2_TCTI_CONTEXT *t, TSS2_TCTI_POLL_HANDLE *handles, size_t *count)
{
	return Tss2_Tcti_GetPollHandles(self(t)->inner, handles, count);
}

static TSS2_RC
locality(TSS2_TCTI_CONTEXT *t, uint8_t to)
{
	return Tss2_Tcti_SetLocality(self(t)->inner, to);
}

static void
finalize(TSS2_TCTI_CONTEXT *t)
{
	Tss2_Tcti_Finalize(self(t)->inner);
}

TSS2_TCTI_CONTEXT *
tpm_count_wrap(struct tpm_count *c, TSS2_TCTI_CONTEXT *inner)
{
	*c = (struct tpm_count){ .inner = inner };
	c->common.v1 = (TSS2_TCTI_CONTEXT_COMMON_V1){
		.magic = count_magic,
		.version = 1,           /* no makeSticky: nothing here needs it */
		.transmit = transmit,
		.receive = receive,
		.finalize = finalize,
		.cancel = cancel,
		.getPollHandles = poll_handles,
		.setLocality = locality,
	};
	return (TSS2_TCTI_CONTEXT *)(void *)c;
}
