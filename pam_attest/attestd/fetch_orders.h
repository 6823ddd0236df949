/* fetch_orders.h - what the verifier tells this host to let in, asked for while the host is refused. attest-protocol(7). */
#ifndef FETCH_ORDERS_H
#define FETCH_ORDERS_H
#include "agent.h"
#include "orders.h"

enum { ORDERS_MS = 3000 };

struct fetched {
	enum reason   reason;              /* REASON_OK: orders are there, signed, for this host and this question */
	char          why[200];
	struct clock  asked;
	struct orders orders;
};

/*
 * In the worker. The ceiling in them goes into the record; a verifier that says that this host was revoked makes it a
 * refused one at once. The outcome is the agent's as it is then.
 */
void fetch_orders(struct agent *, struct fetched *, struct outcome *);
#endif
