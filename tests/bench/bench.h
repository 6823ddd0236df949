/*
 * bench.h - figures as they are taken here: CPU time against a floor of the same run.
 *
 * The machine may be shared: what is measured and its floor take turns, round by round, and the
 * median of the rounds counts. The one argument of every program is the number of rounds.
 */
#ifndef BENCH_H
#define BENCH_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { ROUNDS_MAX = 99 };

/* Of the command line; ROUNDS_MAX at most. Exits when it is no number. */
unsigned bench_rounds(int argc, char **argv, unsigned otherwise);

/* CPU time so far in microseconds: of this process, and of another. -1 when there is none such. */
double bench_cpu(void);
double bench_cpu_of(pid_t);

/* Sorts. */
double bench_median(double *, unsigned n);

/* One line of the table. Aims of 0 are none; better is what is below. */
struct figure { const char *name, *unit; double value, floor, aim, aim_ratio; };
void bench_title(const char *);
void bench_say(const struct figure *);

/* A file of the source tree; free it. */
uint8_t *bench_file(const char *path, size_t *len);

/* Ends with a line on stderr: a figure of something that does not work is none. */
#define need(held) ((held) ? (void)0 : bench_broken(#held, __FILE__, __LINE__))
void bench_broken(const char *what, const char *file, int line) __attribute__((noreturn));
#endif
