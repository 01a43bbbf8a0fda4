/* SPDX-License-Identifier: MIT */
/* core/runq.h - a P's own run queue: a ring of 256 that others may steal from
 *
 * After Go's runqput, runqget, runqgrab (proc.go).  Who may do what:
 *
 *	                put   get   pull   grab
 *	the owner P     yes   yes   yes    no
 *	another P       no    no    no     yes (any number at once)
 *
 * head is advanced by whoever takes (CAS; the owner by a plain store while it is the
 * only P: goad__runq_get_alone, goad__runq_turn_alone), tail by the owner alone.
 * [ord:runq-tail] put: store slot, then tail (release); get and grab: load tail
 *	(acquire), then the slot: the slot is there.
 * [ord:runq-head] grab: read the slots, then advance head (CAS, release); put: load
 *	head (acquire) before a slot is written again: nobody still reads it.
 * A plain store to head by the owner would be wrong: a thief between its load of head
 * and its CAS would take the same coroutines again.
 *
 * pull takes one out wherever it is, and leaves a hole (NULL), which who takes passes
 * over.  *Not Go's.*  head's place alone would not tell a thief that a slot which it has
 * read is not what it was; so beside the place head holds a count of pulls.  It is odd
 * while one is under way: thieves find nothing then.  A thief that read head before has
 * another count, and its CAS fails; one that reads it after (acquire; pull: release) sees
 * the slots and the tail as pull left them.  [ord:runq-pull]  Holes at the end are cut
 * off: so the tail may go back, but never before head, and head is read first: the
 * difference is never negative.  To take all out and put back the rest would need no
 * count, but in between the queue would look empty to who decides whether to go idle.
 * The count is the same again after 2^31 pulls; for a thief to be wrong by that it
 * would have to stand still for that long, a minute, and head's place with it.
 *
 * So the length may count holes.  Who acts on it looks, finds nobody, and by looking has
 * removed them.
 */
#ifndef GOAD_CORE_RUNQ_H
#define GOAD_CORE_RUNQ_H

#include "base/base.h"
#include "core/g.h"

#define RUNQ_SIZE 256u /* a power of two */

struct runq {
	_Atomic uint64_t head GOAD__ALIGNED; /* the place, and below it the count of pulls */
	_Atomic uint32_t tail GOAD__ALIGNED;
	_Atomic (struct g *) slot[RUNQ_SIZE];
};

#define RUNQ_ONE (UINT64_C (1) << 32)
#define RUNQ_COUNT 0xffffffffu

static inline uint32_t goad__runq_place (uint64_t head)
{
	return (uint32_t) (head >> 32);
}

/* A batch on its way between queues: a list by g->next. */
struct gbatch {
	struct g *first, *last;
	uint32_t n;
};

static inline void gbatch_add (struct gbatch *b, struct g *g)
{
	g->next = NULL;
	if (b->last)
		b->last->next = g;
	else
		b->first = g;
	b->last = g;
	b->n++;
}

static inline struct g *gbatch_take (struct gbatch *b)
{
	struct g *g = b->first;
	if (g) {
		b->first = g->next;
		if (!b->first)
			b->last = NULL;
		b->n--;
	}
	return g;
}

/* Approximate unless called by the owner with no thief about. */
static inline uint32_t goad__runq_len (const struct runq *q)
{
	uint64_t h = atomic_load_explicit (&q->head, memory_order_relaxed);
	uint32_t t = atomic_load_explicit (&q->tail, memory_order_acquire);
	return t - goad__runq_place (h);
}

/* Who comes next is soon needed: its descriptor, and below it what a new one's stack
 * begins with.  Of a hundred thousand that wait none is in a cache. */
static inline void goad__runq_expect (const struct runq *q)
{
	uint32_t at = goad__runq_place (atomic_load_explicit (&q->head, memory_order_relaxed));
	/* It may be none, and that is no pointer to reckon with. */
	uintptr_t g = (uintptr_t) atomic_load_explicit (&q->slot[at % RUNQ_SIZE], memory_order_relaxed);

	__builtin_prefetch ((const void *) (g - 64), 1);
	__builtin_prefetch ((const void *) g, 1);
	__builtin_prefetch ((const void *) (g + 64), 1);
}

/* Owner.  False when it is full; then take half out with goad__runq_shed. */
static inline bool goad__runq_put (struct runq *q, struct g *g)
{
	uint32_t t = atomic_load_explicit (&q->tail, memory_order_relaxed);
	uint64_t h = atomic_load_explicit (&q->head, memory_order_acquire); /* [ord:runq-head] */

	if (unlikely (t - goad__runq_place (h) >= RUNQ_SIZE))
		return false;
	__atomic_store_n (&g->queued_at, t, __ATOMIC_RELAXED); /* who joins it may look */
	atomic_store_explicit (&q->slot[t % RUNQ_SIZE], g, memory_order_relaxed);
	atomic_store_explicit (&q->tail, t + 1, memory_order_release); /* [ord:runq-tail] */
	return true;
}

/* Owner. */
static inline struct g *goad__runq_get (struct runq *q)
{
	uint64_t h = atomic_load_explicit (&q->head, memory_order_relaxed);
	uint32_t t = atomic_load_explicit (&q->tail, memory_order_relaxed);

	while (goad__runq_place (h) != t) {
		struct g *g = atomic_load_explicit (&q->slot[goad__runq_place (h) % RUNQ_SIZE],
		                                    memory_order_relaxed);
		if (unlikely (!atomic_compare_exchange_weak_explicit (&q->head, &h, h + RUNQ_ONE,
		                                                      memory_order_acq_rel,
		                                                      memory_order_relaxed)))
			continue;
		if (likely (g != NULL))
			return g;
		h += RUNQ_ONE;
	}
	return NULL;
}

/* Owner, while nobody else takes: one P has no thieves.  Saves the locked instruction. */
static inline struct g *goad__runq_get_alone (struct runq *q)
{
	uint64_t h = atomic_load_explicit (&q->head, memory_order_relaxed);
	uint32_t t = atomic_load_explicit (&q->tail, memory_order_relaxed);
	struct g *g = NULL;

	while (!g && goad__runq_place (h) != t) {
		g = atomic_load_explicit (&q->slot[goad__runq_place (h) % RUNQ_SIZE], memory_order_relaxed);
		h += RUNQ_ONE;
		atomic_store_explicit (&q->head, h, memory_order_relaxed);
	}
	return g;
}

/* Owner, while nobody else takes: the oldest, which stays where it is, and *head is for
 * goad__runq_turn_alone.  NULL: it is empty, or begins with a hole. */
static inline struct g *goad__runq_first_alone (const struct runq *q, uint64_t *head)
{
	uint64_t h = atomic_load_explicit (&q->head, memory_order_relaxed);
	uint32_t t = atomic_load_explicit (&q->tail, memory_order_relaxed);

	*head = h;
	if (unlikely (goad__runq_place (h) == t))
		return NULL;
	return atomic_load_explicit (&q->slot[goad__runq_place (h) % RUNQ_SIZE], memory_order_relaxed);
}

/* After that: the oldest out and g in. */
static inline void goad__runq_turn_alone (struct runq *q, uint64_t head, struct g *g)
{
	uint32_t t = atomic_load_explicit (&q->tail, memory_order_relaxed);

	atomic_store_explicit (&q->slot[t % RUNQ_SIZE], g, memory_order_relaxed);
	atomic_store_explicit (&q->head, head + RUNQ_ONE, memory_order_relaxed);
	atomic_store_explicit (&q->tail, t + 1, memory_order_relaxed);
}

/* Owner: takes g out.  alone: nobody else takes.  False: it is not there, or somebody
 * was faster. */
bool goad__runq_pull (struct runq *q, const struct g *g, bool alone);

/* Owner: takes half of a full queue out, oldest first.  False if thieves were faster. */
bool goad__runq_shed (struct runq *q, struct gbatch *out);

/* Any thread: takes half (rounded up) out of another's queue, at most max. */
uint32_t goad__runq_grab (struct runq *q, struct gbatch *out, uint32_t max);

#endif
