/* SPDX-License-Identifier: MIT */
/* preempt/sample.h - where a coroutine stands that runs
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
#ifndef GOAD_PREEMPT_SAMPLE_H
#define GOAD_PREEMPT_SAMPLE_H

#include <ucontext.h>

#include "base/base.h"

#define GOAD__SAMPLES 16
#define GOAD__SAMPLE_MAX 32

enum sample_state { SAMPLE_FREE, SAMPLE_ASKED, SAMPLE_BUSY, SAMPLE_DONE, SAMPLE_MISSED };

struct goad__sample {
	_Atomic uint32_t state; /* [ord:sample] */
	_Atomic int tid;        /* who was asked */
	uint64_t id;            /* of the coroutine there */
	char name[32];
	void *pc[GOAD__SAMPLE_MAX];
	int depth;
};

extern struct goad__sample goad__samples[GOAD__SAMPLES];
extern _Atomic uint32_t goad__samples_mask; /* a bit for each question; a hint */

/* sysmon's: asks the thread, again if it was asked before.  False: there is the answer, or
 * the signal cannot be sent. */
bool goad__sample_ask (struct goad__sample *s, int tid);

/* Gives the question up, if it is not answered; true: it is. */
bool goad__sample_end (struct goad__sample *s);

/* The handler's. */
static inline bool goad__samples_asked (void)
{
	return atomic_load_explicit (&goad__samples_mask, memory_order_relaxed) != 0;
}

void goad__sample_answer (const ucontext_t *uc);

#endif
