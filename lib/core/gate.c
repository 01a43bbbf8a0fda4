/* SPDX-License-Identifier: MIT */
/* The gate of threads that goad did not make: see gate.h. */
#include "core/gate.h"

#include "base/futex.h"

#define OPEN 1u
#define INSIDE 2u

static _Atomic uint32_t gate;

bool goad__gate_enter_foreign (void)
{
	uint32_t now = atomic_load_explicit (&gate, memory_order_relaxed);

	while (now & OPEN)
		/* [ord:gate] */
		if (atomic_compare_exchange_weak_explicit (&gate, &now, now + INSIDE, memory_order_acquire,
		                                           memory_order_relaxed))
			return true;
	return false;
}

void goad__gate_leave_foreign (void)
{
	/* [ord:gate] */
	if (atomic_fetch_sub_explicit (&gate, INSIDE, memory_order_release) == INSIDE)
		goad__futex_wake (&gate, 1); /* closed, and this was the last */
}

void goad__gate_open (void)
{
	atomic_fetch_or_explicit (&gate, OPEN, memory_order_release); /* [ord:gate] */
}

void goad__gate_close (void)
{
	uint32_t now = atomic_fetch_and_explicit (&gate, ~OPEN, memory_order_acquire) & ~OPEN;

	while (now != 0) {
		goad__futex_wait (&gate, now, UINT64_MAX);
		now = atomic_load_explicit (&gate, memory_order_acquire); /* [ord:gate] */
	}
}

void goad__gate_forget (void)
{
	atomic_store_explicit (&gate, 0, memory_order_relaxed);
}
