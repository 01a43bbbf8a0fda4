/* SPDX-License-Identifier: MIT */
/* core/fairq.h - the queue of preempted coroutines, ordered by virtual runtime
 *
 * A coroutine's virtual runtime is its CPU time divided by its weight; who has least
 * goes first, equals in order of arrival.  So CPU among hogs goes by weight, and with
 * equal weights nobody is ever more than a slice behind, whatever the slices were.
 * A pairing heap (Fredman, Sedgewick, Sleator, Tarjan 1986), links in the G: insert is
 * O(1), take O(log n) amortised.  The caller holds the scheduler's lock.
 */
#ifndef GOAD_CORE_FAIRQ_H
#define GOAD_CORE_FAIRQ_H

#include "core/g.h"

struct fairq {
	struct g *root;
	uint64_t seq;
	uint64_t floor; /* virtual runtime of the last one taken: never falls */
	_Atomic uint32_t n;
	_Atomic uint32_t nbound; /* of them bound to an M; sysmon reads it without the lock */
	uint32_t nmild;          /* ... that left by themselves, after a moment             */
};

#define FAIR_UNIT 100u /* weight of a coroutine that asked for none */

/* What ns of CPU are in g's virtual runtime. */
static inline uint64_t goad__fair_cost (const struct g *g, uint64_t ns)
{
	return g->weight == FAIR_UNIT ? ns : ns * FAIR_UNIT / g->weight;
}

/* Charges ns of CPU to g. */
static inline void goad__fair_charge (struct g *g, uint64_t ns)
{
	g->vruntime += goad__fair_cost (g, ns);
}

/* lag: how far behind the floor a coroutine may be when it comes (ns). */
void goad__fairq_put (struct fairq *q, struct g *g, uint64_t lag);
struct g *goad__fairq_take (struct fairq *q);

/* There are some, and none of them computes, or is bound. */
static inline bool goad__fairq_all_mild (const struct fairq *q)
{
	return q->nmild > 0 && q->nmild == q->n && q->nbound == 0;
}

/* Takes out some coroutine that is bound to an M; NULL if none is in the queue. */
struct g *goad__fairq_take_bound (struct fairq *q);

#endif
