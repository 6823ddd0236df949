/* call.h - a system call of a process under ptrace(2): not made, made shorter, answered otherwise. */
#ifndef CALL_H
#define CALL_H
#include <stdbool.h>
#include <sys/types.h>

#if defined(__x86_64__) || defined(__aarch64__)
#define CALL_KNOWN 1
#else
#define CALL_KNOWN 0
#endif

/* At its entry: it will not be made; its third argument, a count, is n. */
void call_skip(pid_t);
void call_count(pid_t, long n);
/* At its exit. */
void call_result(pid_t, long value);

/* Those that end a process or return from a signal are never failed. */
bool call_spared(long nr);
#endif
