/* SPDX-License-Identifier: MIT */
/* Taking the P of a thread that sleeps in the kernel and has not said so.
 *
 * The thread cannot help: a signal would break off its call (EINTR), and may free no CPU.
 * So sysmon takes the P behind its back.  What must not happen is that the thread wakes
 * up, enters the runtime and uses its P at the same moment.
 *
 *	sysmon                                     a thread that enters the runtime
 *	slow: HAS_P -> ASKED   (CAS)               pins            (a plain add)
 *	membarrier                                 reads slow      (a plain load)
 *	reads its pins: none                         HAS_P: goes on
 *	slow: ASKED -> TAKEN   (CAS)                 ASKED: -> HAS_P (CAS), goes on
 *	takes the P                                  TAKEN: waits until it is not
 *	slow = NO_P, wakes it
 *
 * [ord:retake] The barrier falls somewhere into the thread's instructions.  If the pin
 * comes before it, sysmon sees the thread pinned, and draws back.  If the pin comes after
 * it, so does the load, which finds ASKED or later.  So a thread cannot both go
 * on by HAS_P and be seen unpinned; a plain load and a predicted branch are all that this
 * costs who enters.  That one of "ASKED, and I refuse" and "ASKED, and I take" wins is
 * the CAS.  With an ordinary fence on sysmon's side the pin may still be in the thread's
 * store buffer while its load has been done.  Where the kernel has no membarrier, slow is
 * never 0 (M_FENCED), and who enters fences after its pin.
 *
 * What sysmon read before TAKEN may be old, so it looks again in it: the thread, out of
 * the runtime and kept out, changes nothing then.
 *
 * The call may return at any instant.  The thread then runs user code without a P, and
 * more coroutines run than there are Ps; that lasts until it calls something of goad that
 * needs a P, or until sysmon sees it run (runtime/watch.c) and sends the signal, at
 * most a tick.  Its coroutine is SYSCALL all that time.
 * Model: tests/model/retake.pml.
 */
#include <errno.h>

#include "base/futex.h"
#include "base/membarrier.h"
#include "sched/account.h"
#include "sched/sched.h"

static bool pinned (const struct m *m)
{
	/* Its M may be another thread's later, which changes it; not while it is TAKEN. */
	const struct goad__self *self = __atomic_load_n (&m->self, __ATOMIC_RELAXED);
	/* Acquire: what the thread did before it left the runtime is there. */
	bool is = __atomic_load_n (&self->word, __ATOMIC_ACQUIRE) > 1;

	goad__tsan_acquire (self); /* which does not see the one instruction that unpins */
	return is;
}

static bool change (struct m *m, enum m_slow from, enum m_slow to)
{
	uint32_t was = goad__slow (from);

	return atomic_compare_exchange_strong_explicit (&m->slow, &was, goad__slow (to),
	                                                memory_order_seq_cst, memory_order_relaxed);
}

/* TAKEN is over; the thread may sleep on it. */
static void publish (struct m *m, enum m_slow w)
{
	atomic_store_explicit (&m->slow, goad__slow (w), memory_order_release); /* [ord:retake] */
	goad__futex_wake (&m->slow, 1);
}

void goad__settle_slow (struct m *m)
{
	if (unlikely (goad__sched.fences)) /* [ord:retake] */
		atomic_thread_fence (memory_order_seq_cst);
	for (;;) {
		uint32_t w = atomic_load_explicit (&m->slow, memory_order_acquire);

		if ((w & M_SLOW) == M_TAKEN)
			goad__futex_wait (&m->slow, w, UINT64_MAX);
		else if ((w & M_SLOW) != M_ASKED || change (m, M_ASKED, M_HAS_P))
			return;
	}
}

/* In TAKEN: m's coroutine goes on without p. */
static void take (struct m *m, struct p *p)
{
	struct g *g = m->curg;

	goad__p_leave (p, g, goad__p_time_exact (p));
	goad__g_set (&g->ready_at, p->stamp); /* about since when it blocks: for dumps */
	goad__trace_go (go_sysblock, p->stamp, g);
	goad__trace_n (proc_taken, p->stamp, (uint64_t) p->id + 1, GOAD__TAKEN_DETECTED);
	goad__g_transit (g, G_RUNNING, G_SYSCALL);
	m->p = NULL;
	atomic_store_explicit (&m->wanted, false, memory_order_relaxed);
	atomic_store_explicit (&m->loose, true, memory_order_relaxed);
	atomic_store_explicit (&p->curg_id, 0, memory_order_relaxed);
	atomic_store_explicit (&p->m, NULL, memory_order_relaxed);
	goad__p_new_slice (p, p->stamp); /* a request for the last slice is void */
}

int goad__retake (struct p *p, uint64_t tick)
{
	struct m *m = goad__p_m (p);

	if (!m || pinned (m) || !change (m, M_HAS_P, M_ASKED))
		return -ESTALE;
	goad__fence_all_threads (); /* [ord:retake] */
	if (pinned (m)) {
		change (m, M_ASKED, M_HAS_P); /* or it has refused already */
		return -ESTALE;
	}
	if (!change (m, M_ASKED, M_TAKEN))
		return -ESTALE;
	if (m->p != p || !m->curg || atomic_load_explicit (&p->tick, memory_order_relaxed) != tick) {
		publish (m, M_HAS_P);
		return -ESTALE;
	}
	take (m, p);
	publish (m, M_NO_P);
	atomic_fetch_add_explicit (&goad__sched.n_blocked_detected, 1, memory_order_relaxed);
	goad__hand_over (p);
	return 0;
}
