/* SPDX-License-Identifier: MIT */
/* core/p.h - P: a processor, the right to run coroutines
 *
 * A P is owned by the M that has it in m->p, or is on the idle list, or is attached to
 * an M in an announced block (blocked_m); then it is his who sets that back to NULL.
 * All fields are the owner's unless said otherwise.
 */
#ifndef GOAD_CORE_P_H
#define GOAD_CORE_P_H

#include "core/runq.h"
#include "core/stack.h"

struct m;

enum p_state { P_IDLE, P_RUNNING, P_SYSCALL, P_STOPPED /* the world is stopped: sched/world.c */ };

struct p {
	int id;
	uint32_t picks;               /* picks from the queues: each 61st looks at the global one */
	bool crowd;                   /* many are alive: sched/expect.h                       */
	_Atomic (struct g *) runnext; /* readied by the running one; goes next, in its slice */
	struct runq runq;

	_Atomic uint64_t
	    owed;        /* sched/owed.c: the wake-up owed for runnext, or 0; sysmon may clear it */
	uint64_t n_owed; /* and how many there have been */
	_Atomic uint64_t owe_since; /* when the count of those that could have been owed began */
	_Atomic uint32_t owe_missed;
	_Atomic bool readied; /* somebody, by who runs now */

	/* the slice: written by the owner, read by sysmon (and the owner's handler) */
	_Atomic uint64_t tick GOAD__ALIGNED; /* its number */
	_Atomic uint64_t slice_start;        /* [ord:slice] stored before tick */
	_Atomic (struct g *) curg;           /* for observers: never dereferenced by them */
	_Atomic uint64_t curg_id;
	_Atomic uint64_t request;       /* written by sysmon: the tick that should end */
	_Atomic uint64_t request_fresh; /* ... for fresh work, not because it is over  */
	_Atomic uint64_t spare_at;      /* a hog runs, and fresh work may have the P from then */
	                                /* on; 0: it is no hog                         */
	_Atomic uint64_t hog_turn_at;   /* fresh work has the P until then, if hogs wait */
	_Atomic uint64_t next_timer;    /* earliest of its timers; under their lock (wait/timer.h) */
	_Atomic uint32_t state;         /* enum p_state */
	_Atomic int tid;                /* of the M that has it */
	_Atomic (struct m *) m;         /* others read it by goad__p_m */

	/* [ord:block] an announced block: that M's coroutine may be in the kernel, and anybody
	 * may have the P who makes this NULL by compare-and-swap.  It names the M and not only
	 * a state: else an M that comes back late could take the P out of another's block. */
	_Atomic (struct m *) blocked_m;
	_Atomic uint64_t blocked_at; /* when the block began */

	/* the clock, read seldom: see sched/account.h */
	uint64_t stamp, switched_at, by_at;
	uint32_t stamp_skips, stamp_run, calm;
	uint32_t by_skips, by_run, by_calm; /* for what is done by the way */
	uint64_t run_since;                 /* when the coroutine on it was put there */
	uint64_t fair_at;                   /* when the global queues were last looked at */
	uint64_t look_at;                   /* no queue but the own one has its turn before */
	int64_t fresh_left; /* sched/feedback.h: what fresh work had left when the hog came, or left */
	uint64_t hog_left, hog_runs; /* when that was, and n_switches then                       */
	uint64_t hogs_seen;          /* the sched.hogs_since that hog_turn_at has to do with         */

	const struct g *just; /* preempted here last; only compared */
	const struct g *hog;  /* the last hog that left; only compared */
	bool global_due;      /* its 61st pick */
	bool global_last;     /* the last pick on g0 was from the global queues */
	uint32_t spill_turn;  /* what spilled last or the global queue: who fills the own one next */
	uint32_t global_turn; /* preempted or others: who goes next from the global ones */
	uint64_t rng;
	struct stack_cache stacks;
	struct p *idle_next;
	struct m *halted; /* while the world is stopped: waits to go on here; under lock */

	/* counters, summed by goad_stats; single writer, so plain loads and stores of atomics */
	_Atomic uint64_t n_switches, n_steals, n_spawned, n_ended, n_yielded, n_handed, n_deferred,
	    n_expired, n_slices, slice_ns, overshoot_max, wait_max, n_handoffs, n_fresh;
	_Atomic uint32_t overshoot[256]; /* log histogram: base/hist.h */
};

/* The M that has it; NULL: none. */
static inline struct m *goad__p_m (const struct p *p)
{
	return atomic_load_explicit (&p->m, memory_order_acquire); /* [ord:p-m] */
}

static inline void goad__count (_Atomic uint64_t *c, uint64_t n)
{
	atomic_store_explicit (c, atomic_load_explicit (c, memory_order_relaxed) + n,
	                       memory_order_relaxed);
}

/* [ord:alive] For n_ended: who sees it sees what came before the end. */
static inline void goad__count_release (_Atomic uint64_t *c, uint64_t n)
{
	atomic_store_explicit (c, atomic_load_explicit (c, memory_order_relaxed) + n,
	                       memory_order_release);
}

static inline void goad__count_max (_Atomic uint64_t *c, uint64_t v)
{
	if (v > atomic_load_explicit (c, memory_order_relaxed))
		atomic_store_explicit (c, v, memory_order_relaxed);
}

#endif
