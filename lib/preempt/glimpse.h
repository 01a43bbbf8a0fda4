/* SPDX-License-Identifier: MIT */
/* preempt/glimpse.h - where a coroutine stands that runs
 *
 * sysmon asks a thread by the preemption signal; the handler walks the stack.  Nobody is
 * preempted for it, so the mode does not matter.
 *
 *	FREE    sysmon's
 *	ASKED   the handler's, on the thread that was asked
 *	BUSY    it writes
 *	DONE    sysmon's: the answer
 *	MISSED  sysmon's: the thread was in the runtime, or on no coroutine
 *
 * The signal says nothing of the question: one that is pending on a thread already
 * swallows the next, so whichever arrives serves for both.
 */
#ifndef GOAD_PREEMPT_GLIMPSE_H
#define GOAD_PREEMPT_GLIMPSE_H

#include <ucontext.h>

#include "base/base.h"

#define GOAD__GLIMPSES 16
#define GOAD__GLIMPSE_MAX 32

enum glimpse_state { GLIMPSE_FREE, GLIMPSE_ASKED, GLIMPSE_BUSY, GLIMPSE_DONE, GLIMPSE_MISSED };

struct goad__glimpse {
	_Atomic uint32_t state; /* [ord:glimpse] */
	_Atomic int tid;        /* who was asked */
	uint64_t id;            /* of the coroutine there */
	char name[32];
	void *pc[GOAD__GLIMPSE_MAX];
	int depth;
};

extern struct goad__glimpse goad__glimpses[GOAD__GLIMPSES];
extern _Atomic uint32_t goad__glimpses_mask; /* a bit for each question; a hint */

/* sysmon's: asks the thread, again if it was asked before.  False: there is the answer, or
 * the signal cannot be sent. */
bool goad__glimpse_ask (struct goad__glimpse *s, int tid);

/* Gives the question up, if it is not answered; true: it is. */
bool goad__glimpse_end (struct goad__glimpse *s);

/* The handler's. */
static inline bool goad__glimpses_asked (void)
{
	return atomic_load_explicit (&goad__glimpses_mask, memory_order_relaxed) != 0;
}

void goad__glimpse_answer (const ucontext_t *uc);

#endif
