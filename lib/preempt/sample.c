/* SPDX-License-Identifier: MIT */
#include "preempt/sample.h"

#include <errno.h>

#include "base/clock.h"
#include "base/futex.h"
#include "base/os.h"
#include "preempt/preempt.h"
#include "preempt/safepoint.h"

#define REPEATS UINT64_C (10000000) /* ns until the signal is sent once more          */
#define WRITES UINT64_C (50000000)  /* ns that are added for a handler which has begun */

_Static_assert(sizeof (void *) == sizeof (uintptr_t), "pc is an array of either");

/* [ord:sample] release: the sample goes with it; acquire: and comes. */
static bool change (struct sample *s, enum sample_state from, enum sample_state to)
{
	uint32_t was = from;

	return atomic_compare_exchange_strong_explicit (&s->state, &was, to, memory_order_acq_rel,
	                                                memory_order_relaxed);
}

static bool send (const struct m *m)
{
	int tid = atomic_load_explicit (&m->tid, memory_order_relaxed);

	if (tid == 0 || goad__thread_signal (tid, goad__sched.signo, goad__signal_cookie) != 0)
		return false;
	atomic_fetch_add_explicit (&goad__signals_sent, 1, memory_order_relaxed);
	return true;
}

bool goad__sample_ask (struct m *m)
{
	if (!change (&m->sample, SAMPLE_FREE, SAMPLE_ASKED)) /* [ord:sample] */
		return false;
	if (send (m))
		return true;
	change (&m->sample, SAMPLE_ASKED, SAMPLE_FREE);
	return false;
}

bool goad__sample_wait (struct m *m, uint64_t deadline)
{
	struct sample *s = &m->sample;
	uint64_t again = goad__now () + REPEATS;
	uint32_t now;

	for (;;) {
		now = atomic_load_explicit (&s->state, memory_order_acquire); /* [ord:sample] */
		if (now == SAMPLE_DONE)
			return true;
		if (goad__now () < deadline) {
			goad__futex_wait (&s->state, now, goad__min64 (again, deadline));
			if (now == SAMPLE_ASKED && goad__now () >= again) {
				send (m); /* the first may have come where nobody could see to it */
				again = goad__now () + REPEATS;
			}
		} else if (now == SAMPLE_ASKED) {
			if (change (s, SAMPLE_ASKED, SAMPLE_FREE))
				return false;
			deadline = goad__now () + WRITES;
		} else if (change (s, SAMPLE_WRITING, SAMPLE_GIVEN_UP)) {
			return false;
		}
	}
}

void goad__sample_done (struct m *m)
{
	atomic_store_explicit (&m->sample.state, SAMPLE_FREE, memory_order_release); /* [ord:sample] */
}

static bool on_stack_of (const struct g *g, uintptr_t sp)
{
	return sp >= (uintptr_t) g->stack->lo && sp <= (uintptr_t) g->stack->hi;
}

/* On the way from one coroutine to another curg and the stack are not of the same. */
static void look (struct m *m, const ucontext_t *uc)
{
	struct sample *s = &m->sample;
	const struct g *g = m->curg;
	struct goad__regs regs;

	s->n = 0;
	s->id = g ? g->id : 0;
	if (!g)
		return;
	s->slices = goad__g_get (&g->slices);
	if (!on_stack_of (g, goad__arch_sp (uc)) && g->place == AT_SIGNAL)
		uc = m->stopped;
	if (!on_stack_of (g, goad__arch_sp (uc)))
		return;
	goad__arch_ucontext_regs (uc, regs.r);
	s->n = goad__safepoint_backtrace (&regs, (uintptr_t) g->stack->lo, (uintptr_t) g->stack->hi,
	                                  (void **) s->pc, GOAD__SAMPLE_FRAMES);
}

void goad__sample_write (struct m *m, const ucontext_t *uc)
{
	int e = errno; /* the walk is not ours alone */

	if (!change (&m->sample, SAMPLE_ASKED, SAMPLE_WRITING)) /* [ord:sample] */
		return;
	look (m, uc);
	if (change (&m->sample, SAMPLE_WRITING, SAMPLE_DONE)) /* [ord:sample] */
		goad__futex_wake (&m->sample.state, 1);
	else
		atomic_store_explicit (&m->sample.state, SAMPLE_FREE, memory_order_release);
	errno = e;
}
