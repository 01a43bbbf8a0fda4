/* SPDX-License-Identifier: MIT */
/* sched/feedback.h - fresh work goes before hogs, and hogs keep their share
 *
 * A coroutine is fresh when it is new or was woken; it is a hog from when it is
 * preempted until it blocks.  Fresh ones wait in the own and the global queue, hogs in
 * the fair queue (core/fairq.h), where one also waits that yields while only hogs wait.
 * Fresh work goes first, as long as it has something left: each P keeps an allowance,
 * that runs out one to one while fresh work runs and hogs wait, and that grows by 2/3
 * of the time that hogs run there, up to sched.fresh_most, M.  When it is gone it is the
 * hogs' turn, until a quarter of M has been saved again.  What counts is who was
 * waiting: one that always blocks just before its quantum ends comes as fresh each
 * time, and all that it runs is taken from the allowance.
 *
 * What it guarantees.  In W ns in which both wait all the time, let fresh work run for F
 * and hogs for H = W - F on this P.  The allowance is M at most in the beginning, and
 * when it is gone fresh work gets nothing but o, what it runs on until sysmon breaks it
 * off, which it does after 1 ms (sysmon/fresh.c): F <= M + 2/3 H + o, so
 * F <= 3/5 (M + o) + 2/5 W.  With M a fifth of the quantum of 10 ms, and W two of them,
 * 20 ms: F <= 9.2 ms + 3/5 o.  So hogs have half of any 20 ms, for o up to 1.3 ms.  And
 * fresh work is not starved: H <= (M + D) + 3/2 F, D what it owes, which is a quantum at
 * most.
 *
 * It costs nothing where no hog runs: the allowance is kept as the time at which it
 * will be gone (p->hog_turn_at), which does not change while fresh work runs.  It runs
 * on while no hog waits; so the first look at hogs that began to wait since the last
 * (p->hogs_seen, sched.hogs_since) puts it to M from that time on, which is no more than
 * the guarantee reckons with.
 *
 * Who yields while nobody but hogs waits stands among them, or it would be the next again.
 * So one hog draws others in: of two that do nothing but yield, one is preempted, for the
 * host had stopped the process; and the other joins it.  Both then pass the lock and the
 * heap at each switch, and there is no hog.  So one is mild, if it left by itself after
 * 1/61 of the granularity, 3 us; and if one that is finds nobody but mild ones in the fair
 * queue, all of them are let out, into the own queue (goad__yield_fair).  Hogs lose nothing
 * by it, for none waits; who does compute is preempted and a hog again, and from when there
 * is one, what the others run is charged to the allowance.  Fresh work loses its turn before
 * them, and comes as one of many in the own queue, or in the global one, whose turn is each
 * 61st pick: so no later than by the granularity, which it may have to wait anyhow.  With
 * longer runs it would be later, and what is saved would be little.  Beside a true hog they
 * stay where they are, for there yielding means to let it go first.
 *
 * A hog whose slice fresh work broke off has its turn back first: what it ran in it is
 * taken from its virtual runtime while it waits, and the slice goes on when it is back.
 */
#ifndef GOAD_SCHED_FEEDBACK_H
#define GOAD_SCHED_FEEDBACK_H

#include "sched/sched.h"

static inline bool goad__hog_runs (const struct p *p)
{
	return atomic_load_explicit (&p->spare_at, memory_order_relaxed) != 0;
}

/* The slice was asked to end for fresh work. */
static inline bool goad__p_asked_for_fresh (const struct p *p)
{
	return atomic_load_explicit (&p->request_fresh, memory_order_relaxed) ==
	       atomic_load_explicit (&p->tick, memory_order_relaxed);
}

/* g leaves p by itself at t: is it still a hog?  next: fresh work waits in p's queue. */
void goad__hog_or_not (const struct p *p, struct g *g, uint64_t t, bool yields, bool next);

uint64_t goad__hog_enters (struct p *p, struct g *g, uint64_t t); /* when its slice began */
void goad__hog_leaves (struct p *p, const struct g *g, uint64_t t);
void goad__hog_broken_off (struct p *p, struct g *g, uint64_t t);

bool goad__hogs_turn (struct p *p, uint64_t t);

/* Fresh work waits where p could take it; approximate, any thread. */
bool goad__fresh_waits (const struct p *p);

/* There is still reason to end the slice that was asked to end. */
static inline bool goad__preempt_wanted (const struct p *p)
{
	if (goad__p_asked_for_fresh (p) && goad__hog_runs (p))
		return goad__fresh_waits (p);
	return goad__someone_waits (p);
}

/* When the hogs have their turn on p; approximate, any thread. */
uint64_t goad__hog_turn_at (const struct p *p);

/* Out of the configuration; granularity 0: no feedback. */
void goad__feedback_init (uint64_t granularity);

#endif
