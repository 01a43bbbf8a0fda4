/* SPDX-License-Identifier: MIT */
/* The two ends of a question: where do you stand?  See glimpse.h.
 *
 * [ord:glimpse] Who was asked is stored before ASKED (release), and read after it was changed
 * to BUSY (acquire); the answer is written before DONE (release), and read after it
 * (acquire).  Between these a sample is one's alone.  The kernel orders what came before the
 * signal before its handler, so that the hint is there.
 */
#include "preempt/glimpse.h"

#include <errno.h>
#include <string.h>

#include "base/os.h"
#include "core/m.h"
#include "core/self.h"
#include "core/stack.h"
#include "preempt/preempt.h"
#include "preempt/safepoint.h"

struct goad__glimpse goad__glimpses[GOAD__GLIMPSES];
_Atomic uint32_t goad__glimpses_mask;

static uint32_t bit (const struct goad__glimpse *s)
{
	return UINT32_C (1) << (s - goad__glimpses);
}

bool goad__glimpse_ask (struct goad__glimpse *s, int tid)
{
	uint32_t state = atomic_load_explicit (&s->state, memory_order_acquire);

	if (state == GLIMPSE_BUSY || state == GLIMPSE_DONE || tid == 0)
		return false;
	atomic_store_explicit (&s->tid, tid, memory_order_relaxed);
	atomic_store_explicit (&s->state, GLIMPSE_ASKED, memory_order_release); /* [ord:glimpse] */
	atomic_fetch_or_explicit (&goad__glimpses_mask, bit (s), memory_order_relaxed);
	return goad__thread_signal (tid, goad__sched.signo, goad__signal_cookie) == 0;
}

bool goad__glimpse_end (struct goad__glimpse *s)
{
	uint32_t state = GLIMPSE_ASKED;

	atomic_fetch_and_explicit (&goad__glimpses_mask, ~bit (s), memory_order_relaxed);
	if (atomic_compare_exchange_strong_explicit (&s->state, &state, GLIMPSE_FREE,
	                                             memory_order_acquire, memory_order_acquire))
		return false;
	while (state == GLIMPSE_BUSY) { /* it is at it: some 10 us, unless the host is busy */
		goad__cpu_relax ();
		state = atomic_load_explicit (&s->state, memory_order_acquire);
	}
	return state == GLIMPSE_DONE;
}

static void fill (struct goad__glimpse *s, const struct g *g, const ucontext_t *uc)
{
	struct goad__regs regs;

	goad__arch_ucontext_regs (uc, regs.r);
	s->id = g->id;
	memcpy (s->name, g->name, sizeof s->name);
	s->depth = goad__safepoint_backtrace (&regs, (uintptr_t) g->stack->lo, (uintptr_t) g->stack->hi,
	                                      s->pc, GOAD__GLIMPSE_MAX);
}

/* The walker is not to be entered twice on a thread, and in the runtime it may be in it. */
static void answer (struct goad__glimpse *s, const ucontext_t *uc)
{
	const struct g *g = goad__g ();
	uint32_t asked = GLIMPSE_ASKED;

	if (!atomic_compare_exchange_strong_explicit (&s->state, &asked, GLIMPSE_BUSY,
	                                              memory_order_acquire, memory_order_relaxed))
		return; /* [ord:glimpse] */
	if (goad__pinned () || !g) {
		atomic_store_explicit (&s->state, GLIMPSE_MISSED, memory_order_release);
		return;
	}
	goad__pin ();
	fill (s, g, uc);
	atomic_store_explicit (&s->state, GLIMPSE_DONE, memory_order_release); /* [ord:glimpse] */
	goad__sysmon_wake ();
	goad__unpin_quietly ();
}

void goad__glimpse_answer (const ucontext_t *uc)
{
	uint32_t mask = atomic_load_explicit (&goad__glimpses_mask, memory_order_relaxed);
	int saved = errno;

	for (int i = 0; i < GOAD__GLIMPSES; i++)
		if (mask >> i & 1 &&
		    atomic_load_explicit (&goad__glimpses[i].tid, memory_order_relaxed) == goad__gettid ())
			answer (&goad__glimpses[i], uc);
	errno = saved;
}
