/* SPDX-License-Identifier: MIT */
/* How many Ps there are; the world is stopped while that changes.
 *
 * All Ps lie in one array for GOAD__MAX_PROCS, so that a pointer to one stays good.  One
 * that is retired keeps its counters, which still count, and is used again when the
 * number grows.  Its queue goes into the global one; who was stopped on it goes on with
 * a P that is free, or waits in the queue.
 */
#include "base/rng.h"
#include "sched/account.h"
#include "sched/sched.h"

static void no_heir (struct p *p)
{
	(void) p;
}

/* Timers of a P that is gone go to another. */
void (*goad__retire_hook) (struct p *p) = no_heir;

static uint64_t seed_of_ps;

/* Up to the nth: those that were never used. */
static void make (int n)
{
	struct sched *s = &goad__sched;

	for (int i = s->np_made; i < n; i++) {
		struct p *p = &s->p[i];
		p->id = i;
		p->picks = GOAD__GLOBAL_EVERY;
		p->rng = goad__mix (seed_of_ps + (uint64_t) i);
		atomic_store_explicit (&p->request, UINT64_MAX, memory_order_relaxed);
		atomic_store_explicit (&p->request_fresh, UINT64_MAX, memory_order_relaxed);
		atomic_store_explicit (&p->next_timer, UINT64_MAX, memory_order_relaxed);
		atomic_store_explicit (&p->state, P_STOPPED, memory_order_relaxed);
	}
	if (n > s->np_made)
		s->np_made = n;
}

/* On one P nobody steals, and its queue is used without locked instructions.  [ord:alone]
 * the flag, and then nobody may be under way in a queue with the one from before. */
static void set_alone (void)
{
	struct sched *s = &goad__sched;

	__atomic_store_n (&s->alone, s->nprocs == 1 && !s->fences, __ATOMIC_SEQ_CST);
	while (s->alone && atomic_load_explicit (&s->rescuing, memory_order_seq_cst))
		goad__cpu_relax ();
}

void goad__procs_init (int n, uint64_t seed)
{
	struct sched *s = &goad__sched;

	seed_of_ps = seed;
	s->np_made = 0;
	make (n);
	set_alone ();
	for (int i = n - 1; i >= 0; i--)
		goad__pidle_put (&s->p[i]);
}

/* One of the first n, best one where nobody halted.  Under lock. */
static struct p *free_p (int n, bool force)
{
	struct sched *s = &goad__sched;

	for (int i = 0; i < n; i++)
		if (!s->p[i].halted &&
		    atomic_load_explicit (&s->p[i].state, memory_order_relaxed) == P_STOPPED)
			return &s->p[i];
	if (!force)
		return NULL;
	goad__world_displace (&s->p[0]);
	return &s->p[0];
}

/* The caller's coroutine goes on with p.  Under lock. */
static void change_to (struct m *m, struct p *p)
{
	struct p *old = m->p;
	struct g *g = m->curg;
	uint64_t t = goad__p_time_exact (old);

	goad__trace_leaves (EV_go_move, t, g, NULL);
	goad__p_leave (old, g, t);
	goad__g_set (&g->ready_at, t);
	goad__release_p (m);
	atomic_store_explicit (&old->state, P_STOPPED, memory_order_relaxed);
	goad__acquire_p (m, p);
	goad__p_enter (p, g, p->stamp, true);
}

/* Under lock. */
static void retire (struct p *p, int n)
{
	struct gbatch b = { 0 };
	struct p *to;

	goad__runq_drain (p, &b);
	goad__globq_append_locked (&b);
	goad__stack_cache_flush (&p->stacks);
	if (!p->halted)
		return;
	to = free_p (n, false);
	if (to) {
		to->halted = p->halted;
		p->halted = NULL;
	} else {
		goad__world_displace (p);
	}
}

/* The world is stopped. */
static void change (int n)
{
	struct sched *s = &goad__sched;
	struct m *m = goad__m ();
	int old;

	goad__spin_lock (&s->lock);
	old = s->nprocs;
	make (n);
	if (m && m->p && m->p->id >= n)
		change_to (m, free_p (n, true));
	for (int i = n; i < old; i++)
		retire (&s->p[i], n);
	s->nprocs = n;
	goad__trace (procs, goad__now (), n);
	goad__idle_review ();
	goad__spin_unlock (&s->lock);
	for (int i = n; i < old; i++)
		goad__retire_hook (&s->p[i]);
	set_alone ();
}

int goad__resize (int n, uint64_t deadline)
{
	struct sched *s = &goad__sched;
	int old, err;

	goad__pin ();
	if (goad__g ())
		goad__need_p (); /* back from an announced block, maybe */
	err = goad__world_stop (deadline);
	old = err ? err : s->nprocs;
	if (err == 0) {
		if (n != old)
			change (n);
		goad__world_start ();
	}
	goad__unpin ();
	return old;
}
