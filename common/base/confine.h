/* confine.h - what no daemon of ours needs, given up for good and for all it starts. */
#ifndef CONFINE_H
#define CONFINE_H
#include "error.h"

/* Sanitizers trace the process at its end, and want memory without end: what cannot be had together with them asks for this. */
#if defined(__SANITIZE_ADDRESS__)
enum { SANITIZED = 1 };
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
enum { SANITIZED = 1 };
#else
enum { SANITIZED = 0 };
#endif
#else
enum { SANITIZED = 0 };
#endif

/* No new privileges, no core dumps (they would hold keys), no tracing by others of our uid. */
bool confine_process(struct error *) MUST_CHECK;

/*
 * Those that systemd gave a user who is not root, to open files or ports with; who stays root was told to. Once all is
 * open, before the first thread, and before system calls are filtered. One of them may be kept, if it is there, for this
 * process and none that it starts; CONFINE_ALL: none is.
 */
enum { CONFINE_ALL = -1 };
bool confine_capabilities(int keep, struct error *) MUST_CHECK;
bool confine_has(int capability);              /* in effect */
#endif
