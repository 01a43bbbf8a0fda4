/* SPDX-License-Identifier: MIT */
/* Making coroutines runnable, and the queues they go into. */
#include "base/futex.h"
#include "sched/account.h"
#include "sched/sched.h"

void goad__runq_put_or_spill (struct p *p, struct g *g)
{
	while (unlikely (!goad__runq_put (&p->runq, g)))
		if (goad__spill (p, g))
			return;
	goad__tell_sysmon (NEWS_WORK | NEWS_FRESH);
}

/* [ord:runnext] release: who takes it sees the coroutine whole.  On more than one P
 * the exchange is also the full fence of [ord:idle-recheck]; on one P nobody else
 * looks at it but by way of sysmon, which does not take. */
void goad__runnext_put (struct p *p, struct g *g)
{
	struct g *old;

	if (goad__sched.alone) {
		old = atomic_load_explicit (&p->runnext, memory_order_relaxed);
		atomic_store_explicit (&p->runnext, g, memory_order_release);
	} else {
		goad__owe_nothing (p);
		old = atomic_exchange_explicit (&p->runnext, g, memory_order_seq_cst);
	}
	if (old)
		goad__runq_put_or_spill (p, old);
}

/* The slice is over: who was readied in it may not begin the next one, or a chain of
 * them would keep the P for ever. */
void goad__runnext_kick (struct p *p)
{
	struct g *g = goad__runnext_take (p);

	if (g)
		goad__runq_put_or_spill (p, g);
	goad__pay (p);
}

void goad__globq_append_locked (struct gbatch *b)
{
	struct sched *s = &goad__sched;

	if (b->n == 0)
		return;
	if (s->globq.last)
		s->globq.last->next = b->first;
	else
		s->globq.first = b->first;
	s->globq.last = b->last;
	s->globq.n += b->n;
	atomic_store_explicit (&s->nglobal, s->globq.n + s->spilled.n, memory_order_relaxed);
}

void goad__globq_append (struct gbatch *b)
{
	goad__spin_lock (&goad__sched.lock);
	goad__globq_append_locked (b);
	goad__spin_unlock (&goad__sched.lock);
}

/* The count and the queue change under one lock, and the end of the runtime is decided
 * under it: a coroutine that a timer starts keeps it going, or is never there. */
void goad__globq_append_made (struct gbatch *b, uint32_t made)
{
	struct sched *s = &goad__sched;
	bool over;

	goad__spin_lock (&s->lock);
	over = made && atomic_load_explicit (&s->done, memory_order_relaxed);
	if (!over) {
		atomic_fetch_add_explicit (&s->foreign_spawned, made, memory_order_relaxed);
		goad__globq_append_locked (b);
	}
	goad__spin_unlock (&s->lock);
	if (over) /* nobody is alive, so there are no others in it */
		for (struct g *g; (g = gbatch_take (b));) {
			goad__san_free (&g->san);
			goad__g_free (g);
		}
}

void goad__runq_drain (struct p *p, struct gbatch *b)
{
	struct g *g;

	while ((g = goad__runnext_take (p)) || (g = goad__runq_get (&p->runq)))
		gbatch_add (b, g);
	goad__owe_nothing (p); /* the caller puts them where all can see them */
}

void goad__globq_put (struct gbatch *b)
{
	goad__globq_append (b);
	/* [ord:idle-recheck] */
	atomic_thread_fence (memory_order_seq_cst);
	goad__sched_wake ();
}

void goad__fair_put (struct g *g)
{
	struct sched *s = &goad__sched;
	struct m *m = goad__m ();

	if (!s->fairq.root) {
		atomic_store_explicit (&s->hogs_since, g->ready_at, memory_order_relaxed);
		if (m && m->p && m->p->hog == g) /* its turn goes on from the last */
			m->p->hogs_seen = g->ready_at;
	}
	goad__fairq_put (&s->fairq, g, 4 * s->quantum);
}

void goad__ready_fair (struct g *g)
{
	struct sched *s = &goad__sched;

	goad__spin_lock (&s->lock);
	goad__fair_put (g);
	goad__spin_unlock (&s->lock);
	/* [ord:idle-recheck] */
	atomic_thread_fence (memory_order_seq_cst);
	goad__sched_wake_old ();
}

/* All that wait among the hogs have left by themselves of late, after short runs, and so
 * does g: as many as fit, oldest first, go where they were before. */
static void let_out (struct p *p, struct gbatch *b, struct g *g)
{
	struct g *h;

	while ((h = gbatch_take (b)))
		goad__runq_put_or_spill (p, h);
	goad__runq_put_or_spill (p, g);
	/* [ord:idle-recheck] */
	atomic_thread_fence (memory_order_seq_cst);
	goad__sched_wake_old ();
}

/* Who yields while only hogs wait goes behind one of them, or its yielding would be in
 * vain: it has had less CPU than they, and would be the next again.  If they are all like
 * him there is no hog among them (sched/feedback.h). */
void goad__yield_fair (struct p *p, struct g *g)
{
	struct sched *s = &goad__sched;
	struct gbatch b = { 0 };

	goad__spin_lock (&s->lock);
	if (g->mild && goad__fairq_all_mild (&s->fairq))
		while (b.n < RUNQ_SIZE / 2 && s->fairq.root)
			gbatch_add (&b, goad__fairq_take (&s->fairq));
	else if (s->fairq.root)
		g->vruntime = goad__max64 (g->vruntime, s->fairq.root->vruntime + 1);
	goad__spin_unlock (&s->lock);
	if (b.n)
		let_out (p, &b, g);
	else
		goad__ready_fair (g);
}

void goad__yield_global (struct g *g)
{
	struct gbatch b = { 0 };

	gbatch_add (&b, g);
	goad__globq_append (&b);
	/* [ord:idle-recheck] */
	atomic_thread_fence (memory_order_seq_cst);
	goad__sched_wake_old ();
}

void goad__ready (struct g *g)
{
	struct m *m = goad__m ();
	struct p *p = goad__own_p (m);

	if (likely (p != NULL)) {
		goad__g_set (&g->ready_at, goad__p_time_by (p));
		goad__g_readied (g);
	} else {
		goad__g_set (&g->ready_at, goad__now ());
		goad__g_transit (g, G_WAITING, G_RUNNABLE);
	}
	if (unlikely (g->bound)) {
		goad__ready_bound (g);
	} else if (likely (p != NULL)) {
		goad__runnext_put (p, g);
		if (!goad__sched.alone && goad__owe (m, p))
			goad__tell_sysmon (NEWS_WORK | NEWS_FRESH);
		else
			goad__sched_wake ();
	} else {
		struct gbatch b = { 0 };
		gbatch_add (&b, g);
		goad__globq_put (&b);
	}
}

void goad__wake_foreign (struct waiter *w)
{
	goad__futex_wake (&w->word, 1);
}
