/*
 * make_credential EK NAME OUT: a credential for credential.sh.
 *
 * EK is a file with a TPM2B_PUBLIC, NAME one with the AK's Name. OUT becomes what tpm2_activatecredential
 * reads; the secret is printed in hex.
 */
#include <stdio.h>
#include "credential.h"
#include "hex.h"
#include "scope.h"
#include "writer.h"

/* tpm2-tools' credential file: this and its version, then the two structures. */
enum { FILE_VERSION = 1 };
static const uint32_t file_magic = 0xbadcc0deu;

static bool
slurp(const char *path, uint8_t *buf, size_t size, size_t *len)
{
	own(file) FILE *f = fopen(path, "re");

	if (f)
		*len = fread(buf, 1, size, f);
	return f && feof(f);
}

static bool
spill(const char *path, const struct enroll_answer *a)
{
	own(file) FILE *f = fopen(path, "we");
	uint8_t head[8];
	struct writer w = wr_open(head, sizeof(head));

	wr_be32(&w, file_magic, "magic");
	wr_be32(&w, FILE_VERSION, "version");
	return f && fwrite(head, sizeof(head), 1, f) == 1 && fwrite(a->credential, a->credential_len, 1, f) == 1 &&
	    fwrite(a->secret, a->secret_len, 1, f) == 1 && !fflush(f);
}

int
main(int argc, char **argv)
{
	static const size_t tpm2b = 2;        /* the size before a TPMT_PUBLIC */
	struct error e = { .code = ERR_NONE };
	struct enroll_answer answer = { 0 };
	struct tpm_public ek;
	struct tpm_name ak = { 0 };
	uint8_t pub[TPM_PUBLIC_MAX], secret[SECRET_SIZE];
	char text[2 * SECRET_SIZE + 1];
	size_t len, name;

	if (argc != 4 || !slurp(argv[1], pub, sizeof(pub), &len) || len < tpm2b ||
	    !slurp(argv[2], ak.bytes, sizeof(ak.bytes), &name) || !random_bytes(secret, sizeof(secret))) {
		fprintf(stderr, "usage: make_credential EK NAME OUT\n");
		return 2;
	}
	ak.size = (uint16_t)name;
	if (!public_read(pub + tpm2b, len - tpm2b, &ek, &e) || !credential_make(&ek, &ak, secret, &answer, &e)) {
		fprintf(stderr, "make_credential: %s\n", e.why);
		return 1;
	}
	if (!spill(argv[3], &answer)) {
		perror(argv[3]);
		return 1;
	}
	hex_text(secret, sizeof(secret), text);
	puts(text);
	return 0;
}
