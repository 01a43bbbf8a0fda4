/* SPDX-License-Identifier: MIT */
#include "preempt/sample.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/futex.h"
#include "base/os.h"
#include "preempt/preempt.h"
#include "preempt/safepoint.h"

#define REPEATS UINT64_C (10000000) /* ns until the signal is sent once more          */
#define WRITES UINT64_C (50000000)  /* ns that are added for a handler which has begun */

_Static_assert(sizeof (void *) == sizeof (uintptr_t), "pc is an array of either");

/* [ord:sample] release: the sample goes with it; acquire: and comes.  Of a handler that
 * interrupted a call which blocks ThreadSanitizer does not see what it does to atomics. */
static bool change (struct sample *s, enum sample_state from, enum sample_state to)
{
	uint32_t was = from;

	goad__tsan_release (s);
	if (!atomic_compare_exchange_strong_explicit (&s->state, &was, to, memory_order_acq_rel,
	                                              memory_order_relaxed))
		return false;
	goad__tsan_acquire (s);
	return true;
}

static void give_back (struct sample *s)
{
	goad__tsan_release (s);
	atomic_store_explicit (&s->state, SAMPLE_FREE, memory_order_release); /* [ord:sample] */
}

static bool send (const struct m *m)
{
	int tid = atomic_load_explicit (&m->tid, memory_order_relaxed);

	if (tid == 0 || goad__thread_signal (tid, goad__sched.signo, goad__signal_cookie) != 0)
		return false;
	atomic_fetch_add_explicit (&goad__signals_sent, 1, memory_order_relaxed);
	return true;
}

/* A signal that somebody else sent may be answering by now. */
bool goad__sample_ask (struct m *m, enum sample_asker by)
{
	return change (&m->sample[by], SAMPLE_FREE, SAMPLE_ASKED) && /* [ord:sample] */
	       (send (m) || !goad__sample_take_back (m, by));
}

void goad__sample_again (const struct m *m)
{
	send (m);
}

bool goad__sample_take_back (struct m *m, enum sample_asker by)
{
	return change (&m->sample[by], SAMPLE_ASKED, SAMPLE_FREE);
}

bool goad__sample_there (const struct m *m, enum sample_asker by)
{
	const struct sample *s = &m->sample[by];

	if (atomic_load_explicit (&s->state, memory_order_acquire) != SAMPLE_DONE) /* [ord:sample] */
		return false;
	goad__tsan_acquire ((void *) s);
	return true;
}

bool goad__sample_wait (struct m *m, enum sample_asker by, uint64_t deadline)
{
	struct sample *s = &m->sample[by];
	uint64_t again = goad__now () + REPEATS;
	bool begun = false;
	uint32_t now;

	while (!goad__sample_there (m, by)) {
		now = atomic_load_explicit (&s->state, memory_order_relaxed);
		if (goad__now () < deadline) {
			goad__futex_wait (&s->state, now, goad__min64 (again, deadline));
			if (now == SAMPLE_ASKED && goad__now () >= again) {
				send (m);
				again = goad__now () + REPEATS;
			}
		} else if (now == SAMPLE_ASKED) {
			if (goad__sample_take_back (m, by))
				return false;
		} else if (!begun) {
			begun = true;
			deadline = goad__now () + WRITES;
		} else if (change (s, SAMPLE_WRITING, SAMPLE_GIVEN_UP)) {
			return false;
		}
	}
	return true;
}

void goad__sample_done (struct m *m, enum sample_asker by)
{
	give_back (&m->sample[by]);
}

static bool on_stack_of (const struct g *g, uintptr_t sp)
{
	return sp >= (uintptr_t) g->stack->lo && sp <= (uintptr_t) g->stack->hi;
}

/* On the way from one coroutine to another curg and the stack are not of the same.  And who
 * walks a stack, his own or another's, does not begin to walk another one within that. */
static bool may_walk (const struct m *m, const struct g *g, const ucontext_t *uc)
{
	if (atomic_load_explicit (&m->walking, memory_order_relaxed))
		return false;
	return !goad__pinned () || on_stack_of (g, goad__arch_sp (uc));
}

static void look (const struct m *m, struct sample *s, const ucontext_t *uc)
{
	const struct g *g = m->curg;
	struct goad__regs regs;

	s->n = 0;
	s->id = g ? g->id : 0;
	if (!g)
		return;
	memcpy (s->name, g->name, sizeof s->name);
	if (!may_walk (m, g, uc))
		return;
	goad__arch_ucontext_regs (uc, regs.r);
	s->n = goad__safepoint_backtrace (&regs, (uintptr_t) g->stack->lo, (uintptr_t) g->stack->hi,
	                                  (void **) s->pc, GOAD__SAMPLE_FRAMES);
}

void goad__sample_write (struct m *m, enum sample_asker by, const ucontext_t *uc)
{
	struct sample *s = &m->sample[by];
	int e = errno; /* the walk is not ours alone */

	if (!change (s, SAMPLE_ASKED, SAMPLE_WRITING)) /* [ord:sample] */
		return;
	look (m, s, uc);
	if (!change (s, SAMPLE_WRITING, SAMPLE_DONE)) { /* [ord:sample] */
		give_back (s);
	} else {
		goad__futex_wake (&s->state, 1);
		if (by == ASKER_WATCH)
			goad__sysmon_wake ();
	}
	errno = e;
}
