/* SPDX-License-Identifier: MIT */
/* Whose turn it is on a P, fresh work's or the hogs': see feedback.h. */
#include "sched/feedback.h"

#define FRESH_MOST UINT64_C (2000000)

void goad__feedback_init (uint64_t granularity)
{
	struct sched *s = &goad__sched;

	s->granularity = granularity;
	s->fresh_most = s->quantum / 5 < FRESH_MOST ? s->quantum / 5 : FRESH_MOST;
}

/* It was asked to go, and came by itself before the signal, or in a mode without one. */
static bool used_up (const struct p *p)
{
	return atomic_load_explicit (&p->request, memory_order_relaxed) ==
	       atomic_load_explicit (&p->tick, memory_order_relaxed);
}

static bool only_hogs_wait (const struct p *p)
{
	return atomic_load_explicit (&goad__sched.fairq.n, memory_order_relaxed) > 0 &&
	       !goad__fresh_waits (p);
}

/* p could take fresh work without looking at other Ps. */
static bool fresh_is_near (const struct p *p)
{
	return atomic_load_explicit (&goad__sched.nglobal, memory_order_relaxed) > 0 ||
	       goad__runq_len (&p->runq) > 0;
}

/* Who yields while nothing waits but hogs takes its place among them.  One that was
 * preempted and now yields soon is taken for one that the host kept from running, or that
 * waits for what fresh work is to do: it goes back to the queue that costs less.  As a hog
 * it would have its turn again at once, and yield in vain until that is over. */
void goad__hog_or_not (const struct p *p, struct g *g, uint64_t t, bool yields, bool next)
{
	struct sched *s = &goad__sched;
	bool was = g->hog;

	g->mild = (t - p->run_since) * GOAD__GLOBAL_EVERY < s->granularity;
	if (!yields)
		g->hog = 0;
	else if (t - p->run_since < s->granularity && (next || fresh_is_near (p)))
		g->hog = 0;
	else if (!next && s->granularity && (used_up (p) || only_hogs_wait (p)))
		g->hog = 1;
	if (was != g->hog)
		goad__trace (go_hog, t, g->hog);
}

uint64_t goad__hog_enters (struct p *p, struct g *g, uint64_t t)
{
	struct sched *s = &goad__sched;
	uint64_t at = atomic_load_explicit (&p->hog_turn_at, memory_order_relaxed);
	uint64_t spare = t + s->granularity;
	int64_t enough = (int64_t) (s->fresh_most / 4);
	int64_t left = (int64_t) (at - t);
	uint64_t start = t - g->unfinished;

	/* Nobody else ran since the last hog left: the time in between is not fresh work's.
	 * Were it taken for that, a hog that only yields would owe fresh work nothing for
	 * ever: it spends more time between its runs than in them. */
	if (atomic_load_explicit (&p->n_switches, memory_order_relaxed) - p->hog_runs <= 1)
		left = p->fresh_left + (int64_t) ((t - p->hog_left) * 2 / 3);

	if (left > (int64_t) s->fresh_most)
		left = (int64_t) s->fresh_most;
	if (left < -(int64_t) s->quantum)
		left = -(int64_t) s->quantum;
	p->fresh_left = left;
	if (left < enough)
		spare = goad__max64 (spare, t + (uint64_t) (enough - left) * 3 / 2);
	atomic_store_explicit (&p->spare_at, spare, memory_order_relaxed);
	g->vruntime += goad__fair_cost (g, g->unfinished);
	g->unfinished = 0;
	return start;
}

void goad__hog_leaves (struct p *p, const struct g *g, uint64_t t)
{
	int64_t left = p->fresh_left + (int64_t) ((t - p->run_since) * 2 / 3);
	uint64_t at;

	if (left > (int64_t) goad__sched.fresh_most)
		left = (int64_t) goad__sched.fresh_most;
	at = t + (uint64_t) left;
	p->fresh_left = left;
	p->hog_left = t;
	p->hog_runs = atomic_load_explicit (&p->n_switches, memory_order_relaxed);
	atomic_store_explicit (&p->hog_turn_at, at, memory_order_relaxed);
	atomic_store_explicit (&p->spare_at, 0, memory_order_relaxed);
	if (at < p->look_at)
		p->look_at = at;
	p->hog = g;
}

void goad__hog_broken_off (struct p *p, struct g *g, uint64_t t)
{
	uint64_t used = t - atomic_load_explicit (&p->slice_start, memory_order_relaxed);

	if (used + goad__sched.granularity >= goad__sched.quantum)
		return; /* as good as whole */
	g->unfinished = used;
	g->vruntime -= goad__fair_cost (g, used);
}

bool goad__hogs_turn (struct p *p, uint64_t t)
{
	struct sched *s = &goad__sched;
	uint64_t since;

	if (atomic_load_explicit (&s->fairq.n, memory_order_relaxed) == 0)
		return false;
	since = atomic_load_explicit (&s->hogs_since, memory_order_relaxed);
	if (p->hogs_seen != since) {
		p->hogs_seen = since;
		atomic_store_explicit (&p->hog_turn_at, goad__max64 (p->hog_turn_at, since + s->fresh_most),
		                       memory_order_relaxed);
	}
	/* Nobody has run since the hog left, as in goad__hog_enters: it took the P to another
	 * thread.  With a quantum of 100 us that can take longer than fresh work may run for. */
	if (p->fresh_left > 0 &&
	    atomic_load_explicit (&p->n_switches, memory_order_relaxed) == p->hog_runs)
		atomic_store_explicit (&p->hog_turn_at,
		                       goad__max64 (p->hog_turn_at, t + (uint64_t) p->fresh_left),
		                       memory_order_relaxed);
	return t >= atomic_load_explicit (&p->hog_turn_at, memory_order_relaxed);
}

uint64_t goad__hog_turn_at (const struct p *p)
{
	uint64_t since = atomic_load_explicit (&goad__sched.hogs_since, memory_order_relaxed);

	return goad__max64 (atomic_load_explicit (&p->hog_turn_at, memory_order_relaxed),
	                    since + goad__sched.fresh_most);
}

bool goad__fresh_waits (const struct p *p)
{
	struct sched *s = &goad__sched;

	if (atomic_load_explicit (&s->nglobal, memory_order_relaxed) > 0 ||
	    goad__runq_len (&p->runq) > 0 || atomic_load_explicit (&p->runnext, memory_order_relaxed))
		return true;
	for (int i = 0; i < s->nprocs; i++)
		if (goad__runq_len (&s->p[i].runq) > 0 ||
		    atomic_load_explicit (&s->p[i].runnext, memory_order_relaxed))
			return true;
	return false;
}
