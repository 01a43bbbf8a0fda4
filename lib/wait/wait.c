/* SPDX-License-Identifier: MIT */
#include "wait/wait.h"

#include <errno.h>

#include "base/clock.h"
#include "base/futex.h"
#include "core/gate.h"
#include "sched/account.h"
#include "sched/sched.h"

/* A thread from outside readies a coroutine, which may be the last one, and end before
 * that thread has come out of the scheduler: it passes the gate (core/gate.h), and before it
 * says that the wait is done.  Until then the coroutine is alive, and the gate open; it is
 * closed only if the coroutine was abandoned in a deadlock. */
GOAD__NOINLINE static void done_from_outside (struct wait *w, struct g *g)
{
	if (!goad__gate_enter ())
		return;
	/* [ord:wait-done] */
	if (atomic_fetch_add_explicit (&w->word, WAIT_DONE, memory_order_acq_rel) & WAIT_PARKED)
		goad__ready (g);
	goad__gate_leave ();
}

/* [ord:wait-done] release: what was written for the waiter is there when it goes on;
 * acquire: it is parked whole, with its registers saved. */
void goad__wait_done (struct wait *w)
{
	struct g *g = w->g; /* once it is done it may be gone */

	if (unlikely (g && !goad__g ())) {
		done_from_outside (w, g);
		return;
	}
	if (!(atomic_fetch_add_explicit (&w->word, WAIT_DONE, memory_order_acq_rel) & WAIT_PARKED))
		return;
	if (g)
		goad__ready (g);
	else
		goad__futex_wake (&w->word, 1); /* harmless where no futex is any more */
}

/* The deadline came; under the lock of the sleepers. */
static bool fire (struct sleeper *s)
{
	struct wait *w = s->arg;

	if (!goad__wait_claim (w))
		return false;
	w->err = -ETIMEDOUT;
	/* [ord:wait-done] not parked yet: its commit sees this */
	return (atomic_fetch_add_explicit (&w->word, WAIT_DONE, memory_order_acq_rel) & WAIT_PARKED) !=
	       0;
}

/* On the next stack.  The deadline is set before the coroutine counts as parked, for
 * afterwards it may be anywhere, and *w gone. */
static bool commit (struct g *g, void *arg)
{
	struct wait *w = arg;

	if (w->deadline != UINT64_MAX) {
		w->sleeper = (struct sleeper){ .when = w->deadline, .g = g, .fire = fire, .arg = w };
		if (goad__sleep_add (&w->sleeper, NULL) != 0 && goad__wait_claim (w)) {
			w->err = -ENOMEM;
			atomic_fetch_add_explicit (&w->word, WAIT_DONE, memory_order_relaxed);
			return false;
		}
	}
	/* [ord:wait-done] */
	return !(atomic_fetch_add_explicit (&w->word, WAIT_PARKED, memory_order_acq_rel) & WAIT_DONE);
}

static void park (struct wait *w, const char *kind, const void *on)
{
	goad__g_waits (w->g, kind, on);
	goad__sched_park (commit, w);
	if (w->deadline != UINT64_MAX)
		goad__sleep_cancel (&w->sleeper);
}

static void block (struct wait *w)
{
	uint64_t deadline = w->deadline;
	uint32_t seen = atomic_fetch_add_explicit (&w->word, WAIT_PARKED, memory_order_acq_rel);

	while (!(seen & WAIT_DONE)) {
		goad__futex_wait (&w->word, WAIT_PARKED, deadline);
		seen = atomic_load_explicit (&w->word, memory_order_acquire); /* [ord:wait-done] */
		if ((seen & WAIT_DONE) || deadline == UINT64_MAX || goad__now () < deadline)
			continue;
		if (goad__wait_claim (w)) {
			w->err = -ETIMEDOUT;
			return;
		}
		deadline = UINT64_MAX; /* somebody is about to say that it is done */
	}
}

int goad__wait (struct wait *w, const char *kind, const void *on)
{
	if (unlikely (!w->g))
		block (w);
	else if (likely (!goad__wait_is_done (w)))
		park (w, kind, on);
	return w->err;
}

void goad__wait_coop (void)
{
	struct p *p = goad__own_p (goad__m ());

	if (p && goad__p_expired (p))
		goad__set_pending ();
}
