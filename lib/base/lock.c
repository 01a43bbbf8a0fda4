/* SPDX-License-Identifier: MIT */
#include "base/lock.h"

#include "base/fatal.h"
#include "base/futex.h"

#define SPINS 100 /* about 1 us: the longest section under these locks is shorter */

/* [ord:lock] */
void goad__spin_lock_slow (struct goad__spinlock *l)
{
	for (int i = 0; i < SPINS; i++) {
		uint32_t free_ = 0;
		goad__cpu_relax ();
		if (atomic_load_explicit (&l->word, memory_order_relaxed) == 0 &&
		    atomic_compare_exchange_weak_explicit (&l->word, &free_, 1, memory_order_acquire,
		                                           memory_order_relaxed))
			return;
	}
	while (atomic_exchange_explicit (&l->word, 2, memory_order_acquire) != 0)
		goad__futex_wait (&l->word, 2, UINT64_MAX);
}

void goad__spin_unlock_slow (struct goad__spinlock *l)
{
	goad__futex_wake (&l->word, 1);
}

/* One bit per rank that this thread holds.  Locks are never held across a
 * switch, so a thread-local is right. */
static __thread uint32_t held;

static void may (void)
{
}

void (*goad__lock_hook) (void) = may;

/* Who only tries waits for nobody: the order does not matter. */
void goad__rank_note (uint32_t rank)
{
	goad__lock_hook ();
	if (rank)
		held |= 1u << rank;
}

void goad__rank_push (uint32_t rank)
{
	goad__lock_hook ();
	goad__check (rank == 0 || held >> rank == 0, "lock of rank %u taken while holding ranks %x",
	             rank, held);
	if (rank)
		held |= 1u << rank;
}

void goad__rank_pop (uint32_t rank)
{
	held &= ~(1u << rank);
}
