/* SPDX-License-Identifier: MIT */
/* preempt/sample.h - asking a thread where its coroutine stands
 *
 *	if (goad__sample_ask (m, by)) {
 *		... until goad__sample_wait (m, by, deadline), or while !goad__sample_there (m, by):
 *		    goad__sample_again (m), or goad__sample_take_back (m, by) and no more of it ...
 *		... m->sample[by].id, name, n, pc ...
 *		goad__sample_done (m, by);
 *	}
 *
 * The preemption signal asks, and its handler answers before it looks at anything else:
 * in the runtime, with preemption disabled, in every mode; nobody is preempted for it.  The
 * signal says nothing of the question: one that is pending on a thread already swallows the
 * next, so whichever arrives serves for all.
 *
 * Who takes a dump waits for the answer.  The watch for who starves is sysmon's, which does
 * not wait: it is woken, and looks.  Each kind of asker has a sample of its own at each
 * thread; one of a kind asks a thread at a time, another is refused.
 *
 * The state of a sample, and who may change it:
 *	FREE    -> ASKED    who asks; what lies in the sample is nobody's
 *	ASKED   -> WRITING  the handler, whose the sample is then
 *	ASKED   -> FREE     who asked, and is tired of it: the handler finds nothing to do
 *	WRITING -> DONE     the handler: the sample is the asker's
 *	WRITING -> GIVEN_UP who asked; the handler frees it when it has written
 *	DONE    -> FREE     who asked
 * All but the last by compare-and-swap, so an answer that comes late meets nobody who
 * has begun to read, and nobody who has asked anew.
 * Model: tests/model/sample.pml.
 */
#ifndef GOAD_PREEMPT_SAMPLE_H
#define GOAD_PREEMPT_SAMPLE_H

#include <ucontext.h>

#include "core/m.h"

enum sample_state { SAMPLE_FREE, SAMPLE_ASKED, SAMPLE_WRITING, SAMPLE_DONE, SAMPLE_GIVEN_UP };

/* False: somebody else does, or the signal cannot be sent. */
bool goad__sample_ask (struct m *m, enum sample_asker by);

/* The rest is for who asked.  Once more: the signal may have come where nobody could see to
 * it. */
void goad__sample_again (const struct m *m);

/* True: it is asked no more.  False: it has begun to answer, or has answered. */
bool goad__sample_take_back (struct m *m, enum sample_asker by);

/* Whether the answer is there. */
bool goad__sample_there (const struct m *m, enum sample_asker by);

/* Until the answer is there; false: it was not begun by then, or takes too long, and is asked
 * for no more.  Sends the signal again now and then. */
bool goad__sample_wait (struct m *m, enum sample_asker by, uint64_t deadline);

/* The answer was read. */
void goad__sample_done (struct m *m, enum sample_asker by);

/* The handler's side, on m, interrupted at uc. */
void goad__sample_write (struct m *m, enum sample_asker by, const ucontext_t *uc);

static inline void goad__sample_answer (struct m *m, const ucontext_t *uc)
{
	for (int by = 0; by < SAMPLE_ASKERS; by++)
		if (unlikely (atomic_load_explicit (&m->sample[by].state, memory_order_relaxed) ==
		              SAMPLE_ASKED))
			goad__sample_write (m, (enum sample_asker) by, uc);
}

#endif
