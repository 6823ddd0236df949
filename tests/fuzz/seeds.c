/* Runs a fuzz target over its seeds, as they are and cut at every length, in `make check`. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

enum { SEED_MAX = 1 << 20, EVERY_CUT_BELOW = 4096 };

static void
cut_at(const uint8_t *buf, size_t len)
{
	uint8_t *copy = malloc(len ? len : 1);   /* exact size: ASan sees one byte too far */

	if (!copy)
		abort();
	memcpy(copy, buf, len);
	LLVMFuzzerTestOneInput(copy, len);
	free(copy);
}

static unsigned
seed(const char *dir, const char *name)
{
	char path[4096];
	uint8_t *buf = malloc(SEED_MAX);
	unsigned runs = 0;
	FILE *f;
	size_t len;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "rb");
	if (!f || !buf) {
		perror(path);
		exit(1);
	}
	len = fread(buf, 1, SEED_MAX, f);
	fclose(f);
	for (size_t cut = 0; cut <= len; cut += cut < EVERY_CUT_BELOW ? 1 : 97, runs++)
		cut_at(buf, cut);
	cut_at(buf, len);
	free(buf);
	return runs + 1;
}

int
main(int argc, char **argv)
{
	unsigned seeds = 0, runs = 0;
	struct dirent *d;
	DIR *dir;

	if (argc != 2 || !(dir = opendir(argv[1]))) {
		fprintf(stderr, "usage: %s SEEDS\n", argv[0]);
		return 1;
	}
	while ((d = readdir(dir)))
		if (d->d_name[0] != '.') {
			runs += seed(argv[1], d->d_name);
			seeds++;
		}
	closedir(dir);
	printf("%s: %u seeds, %u inputs\n", argv[1], seeds, runs);
	return seeds == 0;
}
