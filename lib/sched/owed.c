/* SPDX-License-Identifier: MIT */
/* A wake-up that is owed.
 *
 * Who readies a coroutine while a P is idle must wake somebody for it, in case that it goes
 * on itself.  Most often it does not: it sends, and then waits for the answer; and the
 * coroutine, in runnext, would have been the next here.  Then the other M has been woken
 * for nothing, which costs microseconds at both ends, or, worse, it has taken the
 * coroutine, and what was a switch is now a conversation between two CPUs.  Go wakes it,
 * and has it wait for 3 us before it takes from runnext.
 *
 * Here one that was seen to leave its P soon after it had readied another may *owe* the
 * wake-up (goad__owe): p->owed is the number of the debt.  While it is not 0, who looks for
 * work passes over this runnext, and so does who is about to go idle.  The debt is paid
 *
 *	by the owner, when the coroutine is taken out of runnext to be run here: nothing is
 *		left to be woken for; or when it is put anywhere else, or the P may stay
 *		without a thread for a while: by waking;
 *	by sysmon, which looks at all debts each 200 us, and wakes for one that it has seen
 *		at a look before: then who made it has not left soon, and after that it owes
 *		no more until it has twice been seen to leave soon.
 *
 * So the coroutine waits 0.4 ms for another P at most, and only for the first time.
 *
 * No debt is forgotten.  [ord:owed] sysmon must know that there are any; else it would have
 * to look for ever.  Who owes: stores p->owed, then reads sched.owing.  sysmon, to stop:
 * clears sched.owing, a fence in all threads, looks at each p->owed once more.  Either sysmon
 * sees the debt, or who made it that it may not, and then it wakes at once.  Whoever passed
 * over it meanwhile, and went idle, is found by that wake-up: the debt is 0 again before it.
 * To read sched.owing first and store then would be wrong: sysmon may stop in between.
 * sysmon cancels by compare-and-swap against the number that it saw, so that it never
 * cancels a younger debt.  Model: tests/model/owed.pml.
 */
#include "sched/account.h"
#include "sched/sched.h"

#define SOON 20000u /* ns from ready to leave */
#define TRUSTED 2u  /* times in a row         */
#define MOST 8u
#define WORTHWHILE 32u /* debts that could have been made within ... */
#define LATELY 1000000u

/* sysmon sleeps, or has stopped looking: it is to begin if there will be many. */
static void ask_for_it (struct p *p)
{
	struct sched *s = &goad__sched;

	uint32_t missed = atomic_load_explicit (&p->owe_missed, memory_order_relaxed) + 1;

	if (p->stamp - atomic_load_explicit (&p->owe_since, memory_order_relaxed) > LATELY) {
		atomic_store_explicit (&p->owe_since, p->stamp, memory_order_relaxed);
		missed = 1;
	}
	atomic_store_explicit (&p->owe_missed, missed < WORTHWHILE ? missed : 0, memory_order_relaxed);
	if (missed < WORTHWHILE)
		return;
	if (!atomic_exchange_explicit (&s->owing_wanted, 1, memory_order_relaxed))
		goad__sysmon_wake ();
}

static uint64_t next_number (struct p *p)
{
	goad__g_add (&p->n_owed, 1); /* sysmon reads it */
	return p->n_owed;
}

bool goad__owe (struct m *m, struct p *p)
{
	struct sched *s = &goad__sched;
	const struct g *g = m->curg;

	atomic_store_explicit (&p->readied, true, memory_order_relaxed);
	if (likely (atomic_load_explicit (&s->npidle, memory_order_relaxed) == 0) || !g ||
	    g->leaves_soon < TRUSTED || goad__runq_len (&p->runq) > 0)
		return false;
	if (!atomic_load_explicit (&s->owing, memory_order_relaxed)) {
		ask_for_it (p);
		return false;
	}
	/* [ord:owed] */
	atomic_store_explicit (&p->owed, next_number (p), memory_order_release);
	goad__compiler_barrier ();
	if (unlikely (s->fences))
		atomic_thread_fence (memory_order_seq_cst);
	if (likely (atomic_load_explicit (&s->owing, memory_order_relaxed)))
		return true;
	atomic_store_explicit (&p->owed, 0, memory_order_relaxed);
	return false;
}

void goad__owe_learn (struct p *p, struct g *g, const struct g *next, uint64_t t)
{
	atomic_store_explicit (&p->readied, false, memory_order_relaxed);
	if (!next || t - next->ready_at > SOON)
		g->leaves_soon = 0;
	else if (g->leaves_soon < MOST)
		g->leaves_soon++;
}

void goad__pay (struct p *p)
{
	if (likely (!atomic_load_explicit (&p->owed, memory_order_relaxed)))
		return;
	atomic_store_explicit (&p->owed, 0, memory_order_relaxed);
	/* [ord:idle-recheck] */
	atomic_thread_fence (memory_order_seq_cst);
	goad__sched_wake ();
}

void goad__collect (struct p *p, uint64_t debt)
{
	/* [ord:idle-recheck] */
	if (atomic_compare_exchange_strong_explicit (&p->owed, &debt, 0, memory_order_seq_cst,
	                                             memory_order_relaxed))
		goad__sched_wake ();
}
