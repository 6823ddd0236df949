#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include "bench.h"
#include "file.h"

enum { FILE_MAX = 1 << 20 };

void
bench_broken(const char *what, const char *file, int line)
{
	fprintf(stderr, "%s:%d: %s\n", file, line, what);
	exit(1);
}

unsigned
bench_rounds(int argc, char **argv, unsigned otherwise)
{
	char *end;
	unsigned long n;

	if (argc < 2)
		return otherwise;
	n = strtoul(argv[1], &end, 10);
	if (argc > 2 || *end || !n || n > ROUNDS_MAX) {
		fprintf(stderr, "usage: %s [rounds, 1 to %d]\n", argv[0], ROUNDS_MAX);
		exit(2);
	}
	return (unsigned)n;
}

static double
clock_us(clockid_t which)
{
	struct timespec t;

	return clock_gettime(which, &t) < 0 ? -1 : (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

double
bench_cpu(void)
{
	return clock_us(CLOCK_PROCESS_CPUTIME_ID);
}

double
bench_cpu_of(pid_t pid)
{
	clockid_t which;

	return clock_getcpuclockid(pid, &which) ? -1 : clock_us(which);
}

static int
rising(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

double
bench_median(double *v, unsigned n)
{
	qsort(v, n, sizeof(*v), rising);
	return n % 2 ? v[n / 2] : (v[n / 2 - 1] + v[n / 2]) / 2;
}

void
bench_title(const char *what)
{
	printf("\n%s\n%-44s %10s %10s %7s  %-14s\n", what, "", "figure", "floor", "ratio", "aim");
}

void
bench_say(const struct figure *f)
{
	double ratio = f->floor > 0 ? f->value / f->floor : 0;
	bool met = (f->aim <= 0 || f->value <= f->aim) && (f->aim_ratio <= 0 || ratio <= f->aim_ratio);
	char aim[40] = "";
	int n = 0;

	printf("%-44s %7.1f %-3s", f->name, f->value, f->unit);
	if (f->floor > 0)
		printf("%7.1f %-3s %6.2f  ", f->floor, f->unit, ratio);
	else
		printf("%20s", "");
	if (f->aim_ratio > 0)
		n = snprintf(aim, sizeof(aim), "%.1f x", f->aim_ratio);
	if (f->aim > 0)
		snprintf(aim + n, sizeof(aim) - (size_t)n, "%s%.0f %s", n ? ", " : "", f->aim, f->unit);
	printf("%-14s %s\n", aim, !aim[0] ? "" : met ? "met" : "NOT MET");
	fflush(stdout);
}

uint8_t *
bench_file(const char *path, size_t *len)
{
	const char *top = getenv("top_srcdir");
	char full[4096];
	struct error e;
	uint8_t *p;

	snprintf(full, sizeof(full), "%s/%s", top ? top : ".", path);
	need(file_load(full, FILE_MAX, &p, len, &e));
	return p;
}
