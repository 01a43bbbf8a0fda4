/* SPDX-License-Identifier: MIT */
/* Handing off the thread: an M stops, coroutine and all, and its P goes to another.
 *
 * The coroutine is RUNNABLE, bound to its M, and in the queue of the preempted like
 * any other.  Who takes it out cannot run it; it gives its P to that M and goes to
 * sleep itself (Go's startlockedm).  To the code that was interrupted it looks like
 * being descheduled by the kernel.
 *
 *	handler or g0 of M1                    whoever schedules, M2
 *	bound = M1, RUNNABLE, into the queue
 *	P to M2 ------------------------------> runs others
 *	waits for m->park                      takes it out of the queue
 *	                                       bound is M1: nextp = P, park = 1
 *	has P, RUNNING, returns <-------------- sleeps
 *
 * M2 may take it out before M1 waits: park is a word, not an event, so the wait is
 * over at once.  Only one can take it out, so park is set once per wait.
 * If the next in the queue is itself bound and nothing else waits, P goes from M1 to
 * that M directly, which saves two wake-ups; and if there is no idle M at all, to
 * some bound one: while anybody is handed off there is a thread for the P, so
 * hand-offs cannot deadlock for want of threads.
 * Model: tests/model/handoff.pml.
 */
#include "base/fatal.h"
#include "sched/account.h"
#include "sched/feedback.h"
#include "sched/sched.h"

struct m *goad__handoff_choose (struct p *p, struct g **g)
{
	struct sched *s = &goad__sched;
	struct m *m;

	*g = NULL;
	if (s->fairq.root && s->fairq.root->bound && s->globq.n + s->spilled.n == 0 &&
	    goad__runq_len (&p->runq) == 0 && !atomic_load_explicit (&p->runnext, memory_order_relaxed))
		*g = goad__fairq_take (&s->fairq);
	else if (s->fairq.nbound < GOAD__MAX_HELD && (m = goad__midle_get ()))
		return m;
	else
		*g = goad__fairq_take_bound (&s->fairq);
	return *g ? (*g)->bound : NULL;
}

/* Puts g into the queue and gives P away. */
static enum handoff give (struct m *m, struct g *g)
{
	struct sched *s = &goad__sched;
	struct p *p = m->p;
	uint64_t t = goad__p_time_exact (p);
	struct g *next;
	struct m *to;
	bool tell;

	if (!goad__preempt_wanted (p))
		return HANDOFF_NOBODY_WAITS;
	goad__note_preempted (p, g, t);
	goad__spin_lock (&s->lock);
	to = goad__handoff_choose (p, &next);
	if (!to) {
		tell = s->nm < (uint32_t) s->max_threads || !s->limit_told;
		goad__spin_unlock (&s->lock);
		if (tell) /* the maker says so if there can be no more */
			goad__want_thread (1);
		return HANDOFF_NO_THREAD;
	}
	goad__p_preempted (p, g, t);
	goad__count (&p->n_handed, 1);
	goad__count (&p->n_handoffs, 1);
	goad__g_add (&g->n_handed, 1);
	goad__g_set (&g->ready_at, t);
	g->bound = m;
	goad__trace_leaves (EV_go_handoff, t, g, NULL);
	goad__g_transit (g, G_RUNNING, G_RUNNABLE);
	goad__fair_put (g);
	goad__release_p (m);
	goad__spin_unlock (&s->lock);
	goad__tell_sysmon (NEWS_WORK); /* g waits now */
	goad__m_give (to, p);
	return HANDOFF_DONE;
}

/* m has been given a P, to go on with g. */
void goad__handoff_resumed (struct m *m, struct g *g)
{
	goad__check (m->p != NULL, "coroutine %lu was abandoned while handed off",
	             (unsigned long) g->id);
	if (!g->locked)
		g->bound = NULL;
	goad__g_transit (g, G_RUNNABLE, G_RUNNING);
	goad__p_enter (m->p, g, m->p->stamp, false);
}

/* Both in the handler, on the signal stack, and on g0; the coroutine's registers
 * stay where they are. */
enum handoff goad__handoff_in_handler (struct m *m, struct g *g)
{
	enum handoff how = give (m, g);

	if (how == HANDOFF_DONE) {
		goad__m_wait (m);
		goad__handoff_resumed (m, g);
	}
	return how;
}

void goad__handoff_resume (struct m *m, struct g *g)
{
	struct p *p = goad__release_p (m);

	goad__count (&p->n_handoffs, 1);
	goad__m_give (g->bound, p);
}
