/* SPDX-License-Identifier: MIT */
#include <errno.h>

#include "base/os.h"
#include "preempt/preempt.h"

_Atomic uint64_t goad__signals_sent, goad__requests;

/* The slice goes on although it was asked to end: who waits in its P's own queue must
 * not wait for it.  As a thief would, but for everybody; and under the lock, since a thief
 * has a P, and sysmon has none: with all Ps idle, who is in no queue would not be seen by
 * the search for a deadlock. */
static void take_out (struct p *p, struct gbatch *b)
{
	struct g *g;

	/* No other P could take them, and nobody else may touch the queue. */
	if (__atomic_load_n (&goad__sched.alone, __ATOMIC_RELAXED))
		return;
	while (b->n < RUNQ_SIZE && goad__runq_grab (&p->runq, b, RUNQ_SIZE))
		;
	g = goad__runnext_take (p);
	if (g)
		gbatch_add (b, g);
}

/* [ord:alone] who makes one P of several sets `alone` and then waits until nobody is here:
 * either that is seen here, or it waits. */
static void rescue (struct p *p)
{
	struct sched *s = &goad__sched;
	struct gbatch b = { 0 };

	goad__spin_lock (&s->lock);
	atomic_store_explicit (&s->rescuing, 1, memory_order_seq_cst);
	take_out (p, &b);
	atomic_store_explicit (&s->rescuing, 0, memory_order_release);
	goad__globq_append_locked (&b);
	goad__spin_unlock (&s->lock);
	if (!b.n)
		return;
	/* [ord:idle-recheck] */
	atomic_thread_fence (memory_order_seq_cst);
	goad__sched_wake ();
}

static int send (int tid)
{
	if (goad__thread_signal (tid, goad__sched.signo, goad__signal_cookie))
		return -EAGAIN;
	atomic_fetch_add_explicit (&goad__signals_sent, 1, memory_order_relaxed);
	return 0;
}

/* The request is about a slice, not about a coroutine: a slice can pass from one to
 * the next by runnext, and whoever has it when the signal comes is preempted.
 * [ord:request] p->request is stored before the signal is sent; the kernel orders it
 * before the handler runs.  A slice that ends meanwhile has another tick, and the
 * handler drops what is stale.  The thread may have given the P away between the load
 * of tid and the signal: then it is another slice there, and stale too. */
int goad__preempt_request (struct p *p, uint64_t tick, bool fresh)
{
	int tid = atomic_load_explicit (&p->tid, memory_order_relaxed);
	struct m *m = goad__p_m (p);
	uint64_t now = goad__now ();
	bool again;

	if (atomic_load_explicit (&p->tick, memory_order_acquire) != tick ||
	    atomic_load_explicit (&p->state, memory_order_relaxed) != P_RUNNING || tid == 0)
		return -ESTALE;
	atomic_store_explicit (&p->request_fresh, fresh ? tick : UINT64_MAX, memory_order_relaxed);
	again = atomic_exchange_explicit (&p->request, tick, memory_order_seq_cst) == tick;
	goad__trace_n (request, now, (uint64_t) p->id + 1, tick,
	               (fresh ? GOAD__ASK_FRESH : 0) | (again ? GOAD__ASK_AGAIN : 0),
	               atomic_load_explicit (&p->curg_id, memory_order_relaxed));
	if (!again)
		atomic_fetch_add_explicit (&goad__requests, 1, memory_order_relaxed);
	else
		rescue (p);
	if (goad__sched.preempt == GOAD_PREEMPT_COOP &&
	    !atomic_load_explicit (&goad__sched.own_modes, memory_order_relaxed))
		return 0; /* calls into goad look at p->request */
	if (m)
		atomic_store_explicit (&m->signalled_at, now, memory_order_relaxed);
	return send (tid);
}

/* No slice is asked to end: the handler sees that the world is to stop.  Who asks repeats
 * it, so a signal that comes to a thread which has just given its P away does no harm. */
void goad__stop_request (struct p *p)
{
	int tid = atomic_load_explicit (&p->tid, memory_order_relaxed);

	if (atomic_load_explicit (&p->state, memory_order_relaxed) == P_RUNNING && tid != 0)
		(void) send (tid);
}
