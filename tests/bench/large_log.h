/* large_log.h - the boot log that the benchmarks send: a recorded boot, grown to the 75 KB of a well-equipped machine. */
#ifndef LARGE_LOG_H
#define LARGE_LOG_H
#include <stddef.h>
#include <stdint.h>

enum { LARGE_LOG = 75 << 10 };

/* Two Secure Boot variables of 24 KiB and boot loader lines make up the size. Free it. */
uint8_t *large_log(size_t *len);

/* Another log of the same boot: its last event, in a PCR that nobody selects, has this number in it. */
void large_log_number(uint8_t *log, size_t len, unsigned number);
#endif
