/* SPDX-License-Identifier: MIT */
/* preempt/sample.h - asking a thread where its coroutine stands
 *
 *	if (goad__sample_ask (m)) {
 *		if (goad__sample_wait (m, deadline)) {
 *			... m->sample.id, n, pc ...
 *			goad__sample_done (m);
 *		}
 *	}
 *
 * The preemption signal asks, and its handler answers before it looks at anything else:
 * in the runtime, with preemption disabled, in every mode.  One asks a thread at a time,
 * another is refused.
 *
 * m->sample.state, and who may change it:
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
bool goad__sample_ask (struct m *m);

/* Until the thread has answered; false: it did not by then, and is asked no more. */
bool goad__sample_wait (struct m *m, uint64_t deadline);
void goad__sample_done (struct m *m);

/* The handler's side, on m, interrupted at uc. */
void goad__sample_write (struct m *m, const ucontext_t *uc);

static inline void goad__sample_answer (struct m *m, const ucontext_t *uc)
{
	if (unlikely (atomic_load_explicit (&m->sample.state, memory_order_relaxed) == SAMPLE_ASKED))
		goad__sample_write (m, uc);
}

#endif
