/* SPDX-License-Identifier: MIT */
/* core/gate.h - foreign threads inside the runtime, and its end
 *
 * A coroutine keeps the runtime alive by being alive.  A thread that goad did not make
 * does not: the last coroutine may end, and with it the Ps and the stacks go, while
 * such a thread is in the middle of a call.  So each call from outside passes a gate
 * that counts who is inside; the end closes it and waits for them.
 *
 *	if (!goad__gate_enter ())
 *		return -EPERM;         // no runtime
 *	...                        // Ps, stacks and queues stay
 *	goad__gate_leave ();
 *
 * Nobody may wait inside for what can come after the last coroutine's end: goad_join
 * may, since its coroutine ends before that; who waits for an object of the program
 * goes in for each look, and waits outside.
 *
 * The word: 1 when the gate is open, and 2 for each thread inside.
 * [ord:gate] Who enters and who closes change the same word, so one comes first: the
 * end counts the other, or the other finds the gate closed and touches nothing.  Entry
 * by compare-and-swap (acquire) sees the runtime that opened the gate (release) whole;
 * leaving is a release, and the closer's look that finds nobody inside an acquire: what
 * was done inside is over before the memory goes.  A flag, and a count beside it, would
 * be wrong without full fences at both ends: each would store its own and then load the
 * other's.  An addition that is taken back when the gate turns out to be closed would
 * show the closer callers who are not inside, without end under a flood of calls.
 */
#ifndef GOAD_CORE_GATE_H
#define GOAD_CORE_GATE_H

#include "core/self.h"

bool goad__gate_enter_foreign (void);
void goad__gate_leave_foreign (void);

static inline bool goad__gate_enter (void)
{
	return likely (goad__g () != NULL) || goad__gate_enter_foreign ();
}

static inline void goad__gate_leave (void)
{
	if (unlikely (!goad__g ()))
		goad__gate_leave_foreign ();
}

void goad__gate_open (void);
void goad__gate_close (void);  /* waits until nobody is inside */
void goad__gate_forget (void); /* in a child of fork: closed, and nobody is left inside */

#endif
