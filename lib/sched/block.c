/* SPDX-License-Identifier: MIT */
/* Blocking in the kernel, announced: Go's entersyscall, exitsyscall, entersyscallblock
 * and handoffp (proc.go).
 *
 * goad_block_begin leaves the P but does not give it away: m->p is NULL, and the P
 * stays attached to the M by p->blocked_m.  Whoever sets that back to NULL has the P:
 * the M itself when it comes back soon, which is all that a short call costs; or
 * sysmon, when the call lasts and somebody waits for a P (sysmon/blocked.c).  A
 * coroutine that comes back and finds its P gone takes an idle one, or goes into the
 * global queue like one that was woken, and its M to sleep.  One that is bound to its
 * M waits together with it, in the queue where bound ones wait.
 *
 *	begin     P attached, G SYSCALL
 *	  end       the M takes it back                              RUNNING
 *	  retake    another takes it, and hands it over
 *	    end       an idle P                                      RUNNING
 *	              none: g0 queues G, and the M goes idle         RUNNABLE
 *
 * A call into goad in between needs a P, and gets one in the same way (goad__need_p);
 * the end that follows finds nothing to do.
 *
 * A thread that blocks without a word loses its P as well, later and with more effort
 * (sched/retake.c).  It comes back in the same ways, by a call into goad or by a signal
 * when sysmon sees it run (goad__block_rejoin).
 *
 * sched.nblocked counts the coroutines in SYSCALL whose P is gone: they can come back
 * at any time, so while there is one nothing is a deadlock.  It changes under the lock,
 * before the P becomes idle and together with the return, so that it is right whenever
 * all Ps are idle; in between it may be below zero.
 */
#include "sched/account.h"
#include "sched/sched.h"

/* m's P stays attached; from the last line on it may be another's. */
static void attach (struct m *m, struct g *g)
{
	struct p *p = m->p;
	uint64_t t = goad__p_time_exact (p);

	goad__trace_0 (go_syscall, t);
	goad__pay (p); /* it may be long */
	goad__p_leave (p, g, t);
	goad__g_set (&g->ready_at, t); /* since when it blocks: for dumps */
	goad__g_transit (g, G_RUNNING, G_SYSCALL);
	m->oldp = p;
	m->p = NULL;
	atomic_store_explicit (&m->slow, goad__slow (M_NO_P), memory_order_relaxed);
	atomic_store_explicit (&p->blocked_at, t, memory_order_relaxed);
	atomic_store_explicit (&p->state, P_SYSCALL, memory_order_relaxed);
	atomic_store_explicit (&p->blocked_m, m, memory_order_release); /* [ord:block] */
}

static bool detach (struct p *p, struct m *m)
{
	return atomic_compare_exchange_strong_explicit (&p->blocked_m, &m, NULL, memory_order_acquire,
	                                                memory_order_relaxed); /* [ord:block] */
}

/* Nobody has taken the P: m goes on with it, in the same slice, which does not count
 * what was spent in the kernel. */
static bool take_back (struct m *m, struct g *g)
{
	struct p *p = m->oldp;
	uint64_t t;

	m->oldp = NULL;
	if (!p || !detach (p, m))
		return false;
	atomic_store_explicit (&p->state, P_RUNNING, memory_order_relaxed);
	m->p = p;
	atomic_store_explicit (&m->slow, goad__slow (M_HAS_P), memory_order_relaxed);
	t = goad__p_time_exact (p);
	/* The tick is the same: whoever reads the old start sees an older slice, until the
	 * next look. */
	atomic_store_explicit (&p->slice_start,
	                       atomic_load_explicit (&p->slice_start, memory_order_relaxed) +
	                           (t - atomic_load_explicit (&p->blocked_at, memory_order_relaxed)),
	                       memory_order_relaxed);
	goad__g_set (&p->run_since, t);
	if (unlikely (g->hog))
		goad__hog_enters (p, g, t); /* a short call is no reason to take it for fresh */
	goad__trace_go (go_sysexit, t, g);
	goad__g_transit (g, G_SYSCALL, G_RUNNING);
	if (unlikely (goad__p_expired (p)))
		goad__set_pending (); /* asked to end before it blocked */
	return true;
}

/* m has a P again, for g, which was not in a queue. */
static void go_on (struct m *m, struct g *g)
{
	uint64_t t = m->p->stamp;

	goad__g_set (&g->ready_at, t);
	goad__g_transit (g, G_SYSCALL, G_RUNNING);
	goad__p_enter (m->p, g, t, false);
}

/* Under lock: an idle P for one that comes back, or its way into a queue. */
static struct p *arrive (struct g *g)
{
	struct sched *s = &goad__sched;
	struct p *p = goad__pidle_get ();

	s->nblocked--;
	g->hog = 0;
	if (!p) {
		goad__g_set (&g->ready_at, goad__now ());
		goad__g_transit (g, G_SYSCALL, G_RUNNABLE);
	}
	return p;
}

static bool take_idle (struct m *m, struct g *g)
{
	struct sched *s = &goad__sched;
	struct p *p;

	if (atomic_load_explicit (&s->npidle, memory_order_relaxed) == 0)
		return false;
	goad__spin_lock (&s->lock);
	p = s->pidle ? arrive (g) : NULL;
	goad__spin_unlock (&s->lock);
	if (!p)
		return false;
	goad__acquire_p (m, p);
	go_on (m, g);
	return true;
}

/* [ord:idle-recheck] somebody was queued by a thread that has no P. */
static void queued (void)
{
	atomic_thread_fence (memory_order_seq_cst);
	goad__sched_wake ();
}

/* g stays on m, which waits with it. */
static void wait_bound (struct m *m, struct g *g)
{
	struct sched *s = &goad__sched;
	struct p *p;

	goad__spin_lock (&s->lock);
	p = arrive (g);
	if (!p) {
		g->bound = m;
		goad__fair_put (g);
	}
	goad__spin_unlock (&s->lock);
	if (p) {
		goad__acquire_p (m, p);
		go_on (m, g);
		return;
	}
	queued ();
	goad__m_wait (m);
	goad__handoff_resumed (m, g);
}

/* On g0: no P was idle a moment ago. */
bool goad__block_return (struct m *m, struct g *g)
{
	struct sched *s = &goad__sched;
	struct gbatch b = { 0 };
	struct p *p;

	goad__spin_lock (&s->lock);
	p = arrive (g);
	if (!p) {
		gbatch_add (&b, g);
		goad__globq_append_locked (&b);
	}
	goad__spin_unlock (&s->lock);
	if (p) {
		goad__acquire_p (m, p);
		go_on (m, g);
		return true;
	}
	queued ();
	return false;
}

void goad__need_p (void)
{
	struct m *m = goad__m ();
	struct g *g = m->curg;

	if (goad__own_p (m)) /* sysmon asked, and was refused */
		return;
	atomic_store_explicit (&m->loose, false, memory_order_relaxed);
	if (take_back (m, g) || take_idle (m, g))
		return;
	if (g->bound) {
		g->place = AT_THREAD;
		wait_bound (m, g);
		g->place = AT_SP;
	} else {
		goad__sched_return (m, g);
	}
}

/* In the handler, or on the way out of the runtime, at any instruction of user code: so
 * the thread stays the coroutine's. */
void goad__block_rejoin (struct m *m, struct g *g)
{
	if (!atomic_load_explicit (&m->wanted, memory_order_relaxed))
		return; /* a signal for a slice that is over */
	if (g->nopreempt) {
		g->preempt_held = 1;
		return;
	}
	atomic_store_explicit (&m->wanted, false, memory_order_relaxed);
	if (!atomic_load_explicit (&m->loose, memory_order_relaxed))
		return;
	atomic_store_explicit (&m->loose, false, memory_order_relaxed);
	wait_bound (m, g);
}

/* p was detached: nothing of the block is left in it. */
static void forsake (struct p *p)
{
	atomic_store_explicit (&p->curg_id, 0, memory_order_relaxed);
	atomic_store_explicit (&p->m, NULL, memory_order_relaxed);
	goad__p_new_slice (p, goad__p_time_exact (p)); /* a request for the last slice is void */
	goad__trace_n (proc_taken, p->stamp, (uint64_t) p->id + 1, GOAD__TAKEN_ANNOUNCED);
	atomic_fetch_add_explicit (&goad__sched.n_blocked_announced, 1, memory_order_relaxed);
}

bool goad__block_retake (struct p *p, struct m *m)
{
	if (!detach (p, m))
		return false;
	forsake (p);
	goad__hand_over (p);
	return true;
}

/* Under lock, by whoever stops the world: p, if it is left in an announced block.  What is
 * queued there, into the global queue. */
void goad__block_seize (struct p *p)
{
	struct m *m = atomic_load_explicit (&p->blocked_m, memory_order_acquire); /* [ord:block] */
	struct gbatch own = { 0 };

	if (!m || !detach (p, m))
		return;
	forsake (p);
	goad__sched.nblocked++;
	goad__runq_drain (p, &own);
	goad__globq_append_locked (&own);
	goad__stack_cache_flush (&p->stacks);
	goad__pidle_put (p);
}

void goad__hand_over (struct p *p)
{
	struct sched *s = &goad__sched;
	struct gbatch own = { 0 };
	struct m *m = NULL;

	goad__spin_lock (&s->lock);
	s->nblocked++;
	if (goad__p_own_waits (p) && !goad__stopping ())
		m = goad__m_for_p ();
	goad__spin_unlock (&s->lock);
	if (m) {
		goad__m_give (m, p);
		return;
	}
	/* It goes on the idle list, where queues are empty.  With no thread for it whoever
	 * waits in its own is better off in the global one. */
	goad__runq_drain (p, &own);
	if (own.n)
		goad__globq_append (&own);
	goad__spin_lock (&s->lock);
	goad__stack_cache_flush (&p->stacks);
	goad__pidle_put (p);
	goad__spin_unlock (&s->lock);
	/* As who goes to sleep: whoever queued something before the P was idle woke nobody. */
	if (goad__work_somewhere ())
		queued ();
}

void goad__block_begin (void)
{
	struct m *m;

	goad__pin ();
	m = goad__m ();
	if (m->curg->blocking++ == 0) {
		if (goad__own_p (m))
			attach (m, m->curg);
		else
			atomic_store_explicit (&m->loose, false, memory_order_relaxed);
	}
	goad__unpin ();
}

void goad__block_begin_now (void)
{
	struct m *m;

	goad__pin ();
	m = goad__m ();
	m->curg->blocking++;
	atomic_store_explicit (&m->loose, false, memory_order_relaxed);
	if (goad__own_p (m))
		attach (m, m->curg);
	if (m->oldp) {
		goad__block_retake (m->oldp, m);
		m->oldp = NULL;
	}
	goad__unpin ();
}

void goad__block_end (void)
{
	struct m *m;
	struct g *g;

	goad__pin ();
	m = goad__m ();
	g = m->curg;
	if (g->blocking > 0 && --g->blocking == 0 && !goad__own_p (m))
		goad__need_p ();
	goad__unpin ();
}
