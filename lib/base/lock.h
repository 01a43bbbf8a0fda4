/* SPDX-License-Identifier: MIT */
/* base/lock.h - the runtime's own lock: spin a little, then sleep on a futex
 *
 * Only runtime code takes it, with preemption of its thread held off (see
 * core/self.h), so that a holder is never parked or handed off; the kernel may
 * still deschedule it, hence the futex.  Usable in the signal handler for the same
 * reason: the handler backs out when the interrupted thread is in the runtime.
 *
 * The word: 0 free, 1 held, 2 held and perhaps somebody sleeps (Drepper, "Futexes
 * Are Tricky", mutex 2).  It may be 2 with nobody asleep; it is never 1 while
 * somebody sleeps without a wake-up under way.
 * [ord:lock] the release in unlock pairs with the acquire in lock.
 */
#ifndef GOAD_BASE_LOCK_H
#define GOAD_BASE_LOCK_H

#include "base/base.h"

/* Locks are taken in rising order of rank; the debug build checks it. */
enum goad__rank {
	GOAD__RANK_TIMERS = 1,
	GOAD__RANK_SCHED = 2,
	GOAD__RANK_WAIT = 3, /* channels, by address; nothing is taken below them */
	GOAD__RANK_STACK = 4,
	GOAD__RANK_LEAF = 5
};

struct goad__spinlock {
	_Atomic uint32_t word;
	uint32_t rank; /* 0: not checked */
};

#define GOAD__SPINLOCK_INIT(r) \
	{                          \
		0, (r)                 \
	}

void goad__spin_lock_slow (struct goad__spinlock *l);
void goad__spin_unlock_slow (struct goad__spinlock *l);
/* Debug build: asked by whoever takes a lock, whether it may. */
extern void (*goad__lock_hook) (void);
void goad__rank_push (uint32_t rank);
void goad__rank_note (uint32_t rank);
void goad__rank_pop (uint32_t rank);

static inline bool goad__spin_trylock (struct goad__spinlock *l)
{
	uint32_t free_ = 0;
	bool ok = atomic_compare_exchange_strong_explicit (&l->word, &free_, 1, memory_order_acquire,
	                                                   memory_order_relaxed);
#ifdef GOAD_DEBUG_BUILD
	if (ok)
		goad__rank_note (l->rank);
#endif
	return ok;
}

/* more: locks of the same rank are held, of lower addresses. */
static inline void goad__spin_lock_more (struct goad__spinlock *l, bool more)
{
	uint32_t free_ = 0;

#ifdef GOAD_DEBUG_BUILD
	if (!more)
		goad__rank_push (l->rank);
#endif
	(void) more;
	if (unlikely (!atomic_compare_exchange_strong_explicit (&l->word, &free_, 1,
	                                                        memory_order_acquire,
	                                                        memory_order_relaxed)))
		goad__spin_lock_slow (l);
}

static inline void goad__spin_lock (struct goad__spinlock *l)
{
	goad__spin_lock_more (l, false);
}

static inline void goad__spin_unlock (struct goad__spinlock *l)
{
#ifdef GOAD_DEBUG_BUILD
	goad__rank_pop (l->rank);
#endif
	if (unlikely (atomic_exchange_explicit (&l->word, 0, memory_order_release) == 2))
		goad__spin_unlock_slow (l);
}

#endif
