/* SPDX-License-Identifier: MIT */
/* sched/account.h - time on a P
 *
 * The clock costs 27 ns, a switch 8.  So where a P switches very often, it reads the
 * clock only now and then: after 32 runs in a row that each took less than 2 us, up
 * to 47 of the next ones share the stamp of the one before; and up to 159 after such a
 * row whose runs took less than 0.25 us each, which is no longer a time.  One run that
 * takes longer ends that at the next reading, and the 32 begin anew.  What is lost: a
 * coroutine that runs long after having been short may have at most one such run
 * charged to another (the one on the P when the clock is next read); nothing is lost
 * from the sum.  A random length keeps a fixed pattern of coroutines from always
 * charging the same one.  GOAD_F_EXACT_TIME reads the clock each time.
 *
 * What a run does by the way, to spawn and to ready, is stamped in the same manner and
 * counted apart.  A loop that spawns a hundred says nothing of how long they will run:
 * were it counted among the runs, those would share its stamp, and the last of them be
 * taken for one that has computed all the time since.  A reading that finds runs to be
 * long ends the skips of both.
 */
#ifndef GOAD_SCHED_ACCOUNT_H
#define GOAD_SCHED_ACCOUNT_H

#include "base/clock.h"
#include "base/hist.h"
#include "base/rng.h"
#include "core/fairq.h"
#include "core/p.h"
#include "sched/feedback.h"
#include "sched/sched.h"

#define SHORT_RUN 2000u
#define TINY_RUN 250u
#define CALM_RUNS 32u
#define CALM_BY 8u /* less, since a mistake only dates a wait back a little */

static inline uint64_t goad__p_time_exact (struct p *p)
{
	uint64_t t = goad__now ();

	if (t - p->switched_at > (p->stamp_run + 1u) * (uint64_t) SHORT_RUN)
		p->calm = 0;
	p->stamp_skips = p->stamp_run = p->by_skips = 0;
	if (goad__tracing ())
		goad__trace_pause ();
	return p->stamp = p->switched_at = t;
}

/* How many may share a stamp, after so many that took so long. */
static inline uint32_t goad__p_time_skips (struct p *p, uint32_t n, uint64_t took)
{
	bool tiny = n > 1 && took <= n * (uint64_t) TINY_RUN;

	return (tiny ? 128 : 16) + (uint32_t) (goad__random (&p->rng) & 31);
}

GOAD__NOINLINE static uint64_t goad__p_time_slow (struct p *p)
{
	uint64_t t = goad__now ();
	uint64_t took = t - p->switched_at;
	uint32_t runs = p->stamp_run + 1u;

	p->stamp_run = 0;
	if (took > runs * (uint64_t) SHORT_RUN || (goad__sched.flags & GOAD_F_EXACT_TIME))
		p->calm = p->by_skips = 0;
	else if (p->calm < CALM_RUNS)
		p->calm++;
	else
		p->stamp_skips = p->stamp_run = goad__p_time_skips (p, runs, took);
	if (goad__tracing ())
		goad__trace_pause ();
	return p->stamp = p->switched_at = t;
}

/* One leaves, and another comes: now, or up to 47 short runs ago, or 159 very short ones. */
static inline uint64_t goad__p_time (struct p *p)
{
	if (likely (p->stamp_skips > 0)) {
		p->stamp_skips--;
		return p->stamp;
	}
	return goad__p_time_slow (p);
}

GOAD__NOINLINE static uint64_t goad__p_time_by_slow (struct p *p)
{
	uint64_t t = goad__now ();
	uint64_t took = t - p->by_at;
	uint32_t n = p->by_run + 1u;

	p->by_run = 0;
	if (took > n * (uint64_t) SHORT_RUN || (goad__sched.flags & GOAD_F_EXACT_TIME))
		p->by_calm = 0;
	else if (p->by_calm < CALM_BY)
		p->by_calm++;
	else
		p->by_skips = p->by_run = goad__p_time_skips (p, n, took);
	if (goad__tracing ())
		goad__trace_pause ();
	return p->stamp = p->by_at = t;
}

/* The one on p spawns or readies somebody: now, or as many such things ago. */
static inline uint64_t goad__p_time_by (struct p *p)
{
	if (likely (p->by_skips > 0)) {
		p->by_skips--;
		return p->stamp;
	}
	return goad__p_time_by_slow (p);
}

/* The one on p came on a shared stamp, and may have begun long after it. */
static inline bool goad__p_began_later (const struct p *p)
{
	return p->stamp_run > 0 && p->stamp_skips < p->stamp_run;
}

static inline bool goad__p_expired (const struct p *p)
{
	return atomic_load_explicit (&p->request, memory_order_relaxed) ==
	       atomic_load_explicit (&p->tick, memory_order_relaxed);
}

/* g leaves p at t. */
static inline void goad__p_leave (struct p *p, struct g *g, uint64_t t)
{
	uint64_t ran = t - p->run_since;

	goad__g_add (&g->cpu, ran);
	goad__fair_charge (g, ran);
	if (unlikely (goad__hog_runs (p)))
		goad__hog_leaves (p, g, t);
}

/* The number of the next slice: a request for the one before is void. */
static inline void goad__p_new_slice (struct p *p, uint64_t t)
{
	/* [ord:slice] start before tick: whoever sees the new number sees the new start;
	 * the other way round sysmon would take a fresh slice for an old one. */
	atomic_store_explicit (&p->slice_start, t, memory_order_relaxed);
	atomic_store_explicit (&p->tick, atomic_load_explicit (&p->tick, memory_order_relaxed) + 1,
	                       memory_order_release);
}

/* g has been runnable for longer, until t, than somebody wants to know. */
static inline bool goad__p_starves (const struct g *g, uint64_t t)
{
	return unlikely (t - g->ready_at >
	                 atomic_load_explicit (&goad__sched.starve_bound, memory_order_relaxed));
}

static inline void goad__p_waited_well (struct p *p, struct g *g, uint64_t t)
{
	uint64_t waited = t - g->ready_at;

	goad__g_add (&g->wait, waited);
	if (waited > g->wait_max) {
		goad__g_set (&g->wait_max, waited);
		goad__count_max (&p->wait_max, waited);
	}
}

/* g was runnable until t. */
static inline void goad__p_waited (struct p *p, struct g *g, uint64_t t)
{
	if (goad__p_starves (g, t)) {
		if (t - g->ready_at > GOAD__NO_BOUND)
			return;
		goad__starve_hook (p, g, t - g->ready_at);
	}
	goad__p_waited_well (p, g, t);
}

/* g comes to p at t; inherit: it goes on with the slice of who readied it. */
static inline void goad__p_put (struct p *p, struct g *g, uint64_t t, bool inherit)
{
	goad__assert (goad__m ()->p == p && p->m == goad__m () && p->state == P_RUNNING);
	GOAD__PROBE (go_start, g->id);
	goad__g_set (&p->run_since, t); /* goad_task_stats reads it */
	goad__p_waited (p, g, t);
	goad__g_add (&g->slices, 1);
	goad__count (&p->n_switches, 1);
	atomic_store_explicit (&p->curg_id, g->id, memory_order_relaxed);
	if (unlikely (g->hog))
		goad__p_new_slice (p, goad__hog_enters (p, g, t));
	else if (!inherit || goad__without (GOAD_F_NO_INHERIT_SLICE))
		goad__p_new_slice (p, t);
}

static inline void goad__p_enter (struct p *p, struct g *g, uint64_t t, bool inherit)
{
	if (goad__tracing ())
		goad__trace_put_go (EV_go_start, t, g);
	goad__p_put (p, g, t, inherit);
}

/* A slice that sysmon asked to end was over before: the coroutine went by itself. */
static inline void goad__p_expire (struct p *p, struct g *g)
{
	goad__count (&p->n_expired, 1);
	goad__g_add (&g->n_expired, 1);
}

/* A slice ends at t by preemption. */
static inline void goad__p_slice_done (struct p *p, uint64_t t)
{
	uint64_t len = t - atomic_load_explicit (&p->slice_start, memory_order_relaxed);
	uint64_t over = len > goad__sched.quantum ? len - goad__sched.quantum : 0;
	_Atomic uint32_t *slot = &p->overshoot[goad__hist_slot (over)];

	goad__count (&p->n_slices, 1);
	goad__count (&p->slice_ns, len);
	goad__count_max (&p->overshoot_max, over);
	atomic_store_explicit (slot, atomic_load_explicit (slot, memory_order_relaxed) + 1,
	                       memory_order_relaxed);
}

/* g, preempted at t, leaves p: its slice is over, or broken off for fresh work. */
static inline void goad__p_preempted (struct p *p, struct g *g, uint64_t t)
{
	bool broken_off = goad__sched.granularity && goad__p_asked_for_fresh (p);
	bool resumes = goad__hog_runs (p);

	if (broken_off)
		goad__count (&p->n_fresh, 1);
	else
		goad__p_slice_done (p, t);
	g->leaves_soon = 0;
	g->mild = 0;
	goad__p_leave (p, g, t);
	if (!g->hog && goad__sched.granularity)
		goad__trace (go_hog, t, 1);
	g->hog = goad__sched.granularity != 0;
	if (broken_off && resumes)
		goad__hog_broken_off (p, g, t);
}

#endif
