/* SPDX-License-Identifier: MIT */
/* sched/expect.h - what a coroutine touches first when it runs again, fetched all at once
 *
 * Of a hundred thousand that wait nothing is in a cache: each return from a frame to the
 * one that called it would wait for the next line, one after the other.  Where few are
 * alive all is in the caches, and to ask for it costs a nanosecond or two for nothing; so
 * it is done only in a crowd (p->crowd, looked at now and then).
 */
#ifndef GOAD_SCHED_EXPECT_H
#define GOAD_SCHED_EXPECT_H

#include "core/p.h"
#include "sched/sched.h"

enum {
	CROWD = 500,    /* coroutines, whose first lines fill a cache of the second level   */
	FRAME_LINES = 8 /* from the context of one that waits on a channel to its function */
};

/* sp: of a saved context. */
static inline void goad__expect_frames (const void *sp)
{
	for (int i = 0; i < FRAME_LINES; i++)
		__builtin_prefetch ((const char *) sp + i * GOAD__LINE, 1);
}

/* It is taken out of a queue with many others, and its turn comes later: into the second
 * level.  With the lines of the descriptor that each switch and the end touch, and the
 * record of its stack. */
static inline void goad__expect_late (const struct g *g)
{
	const char *sp = g->sp, *at = (const char *) g;

	for (int i = 0; i < FRAME_LINES; i++)
		__builtin_prefetch (sp + i * GOAD__LINE, 1, 2);
	__builtin_prefetch (at + GOAD__LINE, 1, 2);
	__builtin_prefetch (at + 2 * GOAD__LINE, 1, 2);
	__builtin_prefetch (at + GOAD__G_ROOM, 1, 2);
}

/* next is about to run: if somebody waits for its end, that will touch where he waits. */
static inline void goad__expect_joiner (const struct g *next)
{
	uintptr_t j = atomic_load_explicit (&next->join, memory_order_relaxed);

	if (j > JOIN_DETACHED)
		__builtin_prefetch ((const void *) j, 1);
}

#endif
