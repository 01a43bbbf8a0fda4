/* SPDX-License-Identifier: MIT */
/* A coroutine and an M that belong to each other: Go's LockOSThread (proc.go).
 *
 * g->locked counts, g->bound is the M, m->locked_g the coroutine; all three are changed
 * by the coroutine itself, while it runs, under the scheduler's lock.  To the rest of
 * the scheduler it is bound, like one that was handed off: it waits in the queue of the
 * preempted and in no other, where whoever takes it gives its P to that M.
 *
 *	leaves          its M goes to g0 (nothing else may run there), gives its P to
 *	                another M that has work for it, or idles it, and sleeps:
 *	                goad__locked_next, Go's stoplockedm
 *	is readied      gets an idle P if there is one, straight to its M; else into the
 *	                queue: goad__ready_bound
 *	is taken out    the M that took it gives its P away: goad__handoff_resume, Go's
 *	                startlockedm
 *	ends            its M ends too; who knows what was done to the thread.  M0 is its
 *	                caller's and cannot: it waits for the end of the runtime
 *
 * The M may be given a P before it sleeps, or while it still has one: from the commit of
 * its park on its coroutine can be readied.  park is a word, so it does not sleep then;
 * its own P has gone by that time.
 *
 * One thread is left that belongs to nobody, or coroutines bound to none would wait for
 * ever: who would take the last of max_threads gets -EAGAIN.
 */
#include <errno.h>

#include "sched/account.h"
#include "sched/sched.h"

/* Under lock: 0, -EAGAIN, or -EBUSY: the other thread is not there yet. */
static int may_lock (const struct sched *s)
{
	if (s->nm_locked + 2 > (uint32_t) s->max_threads)
		return -EAGAIN;
	if (s->nm - s->nm_starting - s->nm_locked < 2)
		return s->refused ? -EAGAIN : -EBUSY;
	return 0;
}

int goad__lock_thread (void)
{
	struct sched *s = &goad__sched;
	struct g *g = goad__g ();
	int err;

	if (!g)
		return -EPERM;
	if (g->locked == UINT32_MAX)
		return -EAGAIN;
	if (g->locked) {
		g->locked++;
		return 0;
	}
	goad__pin ();
	goad__spin_lock (&s->lock);
	err = may_lock (s);
	if (err == 0) {
		struct m *m = goad__m ();
		s->nm_locked++;
		m->locked_g = g;
		g->bound = m;
		g->locked = 1;
	}
	goad__spin_unlock (&s->lock);
	goad__unpin ();
	return err;
}

/* m belongs to nobody again.  Under lock. */
static void let_go (struct m *m)
{
	m->locked_g = NULL;
	goad__sched.nm_locked--;
}

int goad__unlock_thread (void)
{
	struct g *g = goad__g ();

	if (!g || !g->locked)
		return -EPERM;
	if (g->locked > 1) {
		g->locked--;
		return 0;
	}
	goad__pin ();
	goad__spin_lock (&goad__sched.lock);
	let_go (goad__m ());
	g->locked = 0;
	g->bound = NULL;
	goad__idle_review ();
	goad__spin_unlock (&goad__sched.lock);
	goad__unpin ();
	return 0;
}

/* Its M still counts as taken until it has ended. */
void goad__locked_exited (struct m *m)
{
	goad__spin_lock (&goad__sched.lock);
	m->locked_g = NULL;
	m->leaving = true;
	goad__spin_unlock (&goad__sched.lock);
}

void goad__ready_bound (struct g *g)
{
	struct sched *s = &goad__sched;
	struct m *m = g->bound;
	struct p *p;

	goad__spin_lock (&s->lock);
	p = goad__pidle_get ();
	if (!p)
		goad__fair_put (g);
	goad__spin_unlock (&s->lock);
	if (p) {
		goad__tell_sysmon (NEWS_WORK | NEWS_FRESH);
		goad__m_give (m, p);
		return;
	}
	/* [ord:idle-recheck] */
	atomic_thread_fence (memory_order_seq_cst);
	goad__sched_wake ();
}

/* Whoever looks for work already will find what is in the global queue; to wake a third
 * M for it would make a pair that readies each other pay for two wake-ups a turn. */
static bool wants_thread (const struct p *p)
{
	return goad__someone_waits (p) &&
	       (goad__runq_len (&p->runq) > 0 ||
	        atomic_load_explicit (&goad__sched.nmspinning, memory_order_relaxed) == 0);
}

/* m stops: its P goes on without it. */
static void stop (struct m *m)
{
	struct sched *s = &goad__sched;
	struct p *p = m->p;
	struct m *to = NULL;
	struct g *with;

	goad__spin_lock (&s->lock);
	if (wants_thread (p))
		to = goad__handoff_choose (p, &with);
	if (to) {
		goad__count (&p->n_handoffs, 1);
		goad__release_p (m);
	} else {
		goad__idle_p (m);
	}
	goad__spin_unlock (&s->lock);
	if (to) {
		goad__m_give (to, p);
	} else if (goad__global_waits ()) {
		/* [ord:idle-recheck] */
		atomic_thread_fence (memory_order_seq_cst);
		goad__sched_wake ();
	}
}

static struct g *enter (struct m *m, struct g *g, bool inherit)
{
	goad__g_transit (g, G_RUNNABLE, G_RUNNING);
	goad__p_enter (m->p, g, m->p->stamp, inherit);
	return g;
}

struct g *goad__locked_stays (struct m *m, struct g *g)
{
	return enter (m, g, true);
}

struct g *goad__locked_next (struct m *m)
{
	stop (m);
	if (m->leaving && m->g0_stack)
		return NULL;
	goad__m_wait (m);
	return m->p ? enter (m, m->locked_g, false) : NULL;
}
