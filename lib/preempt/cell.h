/* SPDX-License-Identifier: MIT */
/* preempt/cell.h - a cache's cell: words that are read whole or not at all
 *
 * Word 0 counts: odd while somebody writes.  Any thread writes, if nobody else does
 * at the moment; nobody waits.  A reader whose words changed meanwhile has a miss.
 *
 * [ord:cell] A data word is stored with release after the count became odd, and
 * loaded with acquire before the count is loaded again: a reader that got one new word
 * sees the odd count, or a later one, and gives up.  The count's own last store is a
 * release that the reader's first load acquires, so an even count comes with all of
 * its words.
 */
#ifndef GOAD_PREEMPT_CELL_H
#define GOAD_PREEMPT_CELL_H

#include "base/base.h"

/* The n words after the count. */
static inline bool goad__cell_read (const _Atomic uint64_t *cell, uint64_t *to, unsigned n)
{
	uint64_t before = atomic_load_explicit (cell, memory_order_acquire); /* [ord:cell] */

	if (before & 1)
		return false;
	for (unsigned i = 0; i < n; i++)
		to[i] = atomic_load_explicit (&cell[i + 1], memory_order_acquire); /* [ord:cell] */
	return atomic_load_explicit (cell, memory_order_relaxed) == before;
}

static inline void goad__cell_write (_Atomic uint64_t *cell, const uint64_t *from, unsigned n)
{
	uint64_t before = atomic_load_explicit (cell, memory_order_relaxed);

	if ((before & 1) ||
	    !atomic_compare_exchange_strong_explicit (cell, &before, before + 1, memory_order_acq_rel,
	                                              memory_order_relaxed))
		return;
	for (unsigned i = 0; i < n; i++)
		atomic_store_explicit (&cell[i + 1], from[i], memory_order_release); /* [ord:cell] */
	atomic_store_explicit (cell, before + 2, memory_order_release);          /* [ord:cell] */
}

static inline size_t goad__cell_hash (uint64_t key, unsigned bits)
{
	return (size_t) ((key * 0x9e3779b97f4a7c15u) >> (64 - bits));
}

#endif
