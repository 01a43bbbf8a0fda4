/* SPDX-License-Identifier: MIT */
/* core/m.h - M: a kernel thread that carries a P
 *
 * An M runs its g0 (its own stack: the scheduler) or a coroutine, curg.  M0 is the
 * caller of goad_main.  Ms are never freed while the runtime runs: a pointer to one
 * stays good.
 */
#ifndef GOAD_CORE_M_H
#define GOAD_CORE_M_H

#include <pthread.h>
#include <signal.h>

#include "core/g.h"
#include "core/p.h"

/* What is to be done with the coroutine that was switched away from, by whoever
 * runs next on this M: it may be seen by others only when its registers are saved. */
enum after { AFTER_NOTHING, AFTER_YIELD, AFTER_PARK, AFTER_EXIT, AFTER_PREEMPT };

/* Decides on the next stack whether the park stands; false: it runs again. */
typedef bool goad__commit_fn (struct g *g, void *arg);

struct m {
	struct p *p;    /* NULL: none; only this M writes it */
	struct g *curg; /* NULL: on g0 */
	void *g0_sp;    /* g0's context while a coroutine runs */
	enum after after;
	struct g *after_g;
	goad__commit_fn *commit;
	void *commit_arg;
	bool spinning; /* looks for work, counted in sched.nmspinning */

	/* Parking.  [ord:m-park] nextp is stored before park becomes 1 (release) and read
	 * after it was seen (acquire).  park: 0 nothing, 1 go on; set by whoever took this M
	 * off the idle list or took its bound coroutine out of a queue: exactly one. */
	_Atomic uint32_t park GOAD__ALIGNED;
	_Atomic (struct p *) nextp;
	struct m *idle_next; /* under sched.lock */

	_Atomic int tid;
	int id;
	bool held;                 /* waits with a bound coroutine; under sched.lock */
	bool asleep;               /* its coroutine gives up the P in a lock's wait              */
	void *frame;               /* goad__frame of a coroutine that is being judged */
	const ucontext_t *stopped; /* where g->in_handler says that it was handed off    */
	void *g0_stack;            /* NULL: M0, whose g0 is its caller's */
	void *altstack;
	size_t altstack_size;
	stack_t old_altstack;
	sigset_t old_mask;
	pthread_t thread;
	uint64_t rng;
	struct goad__san san;
	struct m *all_next;
	void *cxa; /* this thread's C++ handler state, or NULL */
};

#endif
