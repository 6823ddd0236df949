/* confine.h - what no daemon of ours needs, given up for good and for all it starts. */
#ifndef CONFINE_H
#define CONFINE_H
#include "error.h"

/* No new privileges, no core dumps (they would hold keys), no tracing by others of our uid. */
bool confine_process(struct error *) MUST_CHECK;
#endif
