/* SPDX-License-Identifier: MIT */
/* g->join is one word: who waits.  The joiner puts its waiter there by CAS, from
 * NONE only; the end exchanges DONE for whatever is there and wakes it; a deadline
 * takes the waiter out again by CAS.  So exactly one of end and deadline readies the
 * joiner.
 * Who runs the coroutine that it joins directly (goad__sched_run_child) has no deadline, so
 * its waiter stays there until the end.
 * [ord:join] exchange (release) at the end, and acquire here: what the coroutine wrote
 * is seen by who joined it. */
#include "wait/join.h"

#include <errno.h>

#include "base/clock.h"
#include "base/futex.h"
#include "sched/sched.h"
#include "wait/sleep.h"

struct join {
	struct waiter w;
	struct g *target;
	uint64_t deadline;
	struct sleeper sleeper;
	bool timed_out;
	int err;
};

static bool withdraw (struct join *j)
{
	uintptr_t mine = (uintptr_t) &j->w;
	return atomic_compare_exchange_strong_explicit (&j->target->join, &mine, JOIN_NONE,
	                                                memory_order_acq_rel, memory_order_acquire);
}

static bool fire (struct sleeper *s)
{
	struct join *j = s->arg;
	return j->timed_out = withdraw (j);
}

static bool announce (struct join *j)
{
	uintptr_t none = JOIN_NONE;

	if (atomic_compare_exchange_strong_explicit (&j->target->join, &none, (uintptr_t) &j->w,
	                                             memory_order_acq_rel, memory_order_acquire))
		return true;
	if (none != JOIN_DONE)
		j->err = none == JOIN_DETACHED ? -EINVAL : -EBUSY;
	return false;
}

static bool announce_sleeper (struct sleeper *s)
{
	return announce (s->arg);
}

/* On the next stack. */
static bool commit (struct g *g, void *arg)
{
	struct join *j = arg;
	int err;
	(void) g;

	if (j->deadline == UINT64_MAX)
		return announce (j);
	err = goad__sleep_add (&j->sleeper, announce_sleeper);
	if (err == 0) /* j may be gone by now */
		return true;
	if (err != -EAGAIN)
		j->err = err;
	return false;
}

static void join_parked (struct join *j)
{
	goad__pin ();
	j->w.g = goad__g ();
	j->sleeper = (struct sleeper){ .when = j->deadline, .g = j->w.g, .fire = fire, .arg = j };
	goad__g_waits (j->w.g, "join", j->target);
	goad__sched_park (commit, j);
	if (j->deadline != UINT64_MAX)
		goad__sleep_cancel (&j->sleeper);
	goad__unpin ();
}

static bool run_directly (struct join *j)
{
	bool ran;

	goad__pin ();
	ran = goad__sched_run_child (j->target, &j->w);
	goad__unpin ();
	return ran;
}

static void join_foreign (struct join *j)
{
	if (!announce (j))
		return;
	while (atomic_load_explicit (&j->w.word, memory_order_acquire) == 0) {
		goad__futex_wait (&j->w.word, 0, j->deadline);
		if (goad__now () >= j->deadline && withdraw (j)) {
			j->timed_out = true;
			return;
		}
	}
}

int goad__join (struct g *g, uint64_t deadline)
{
	struct join j = { .target = g, .deadline = deadline };

	if (g == goad__g ())
		return -EDEADLK;
	for (;;) {
		if (atomic_load_explicit (&g->join, memory_order_acquire) == JOIN_DONE) /* [ord:join] */
			return 0;
		if (deadline == 0)
			return -EAGAIN;
		if (deadline != UINT64_MAX && goad__now () >= deadline)
			return -ETIMEDOUT;
		if (goad__g () && deadline == UINT64_MAX && run_directly (&j))
			return 0;
		if (goad__g ())
			join_parked (&j);
		else
			join_foreign (&j);
		if (j.err)
			return j.err;
		if (j.timed_out)
			return -ETIMEDOUT;
	}
}
