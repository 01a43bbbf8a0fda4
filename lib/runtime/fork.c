/* SPDX-License-Identifier: MIT */
/* A child of fork while the runtime runs.
 *
 * It has one thread, the copy of the one that called fork: perhaps an M in the middle of
 * a coroutine, with all other Ms, sysmon and every queue's owner gone, and any lock of
 * the runtime held for ever.  So nothing of the runtime is used again there: the thread
 * becomes one from outside, on the coroutine's stack, the gate is closed, and each call
 * finds no runtime.  The child may exec or _exit.
 *
 * The signal mask of an M that was made here is its own (all but ours blocked), and no
 * program is to be started with it: the child gets the mask of whoever started the
 * runtime.  What a coroutine has changed in it meanwhile is lost with that, but for M0,
 * whose mask is the program's: it only has the preemption signal blocked again if it
 * was.  posix_spawn, system and popen run no handlers and take the thread's mask.
 *
 * In a child of vfork, which borrows the parent's memory, no handler runs either, and
 * none may: the parent's coroutine goes on with it.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>

#include "core/gate.h"
#include "runtime/runtime.h"
#include "runtime/top.h"
#include "runtime/tracer.h"

static sigset_t program_mask; /* of who started the runtime */

static void restore_mask (const struct m *m)
{
	sigset_t ours;

	if (m->g0_stack) {
		pthread_sigmask (SIG_SETMASK, &program_mask, NULL);
	} else if (sigismember (&m->old_mask, goad__sched.signo)) {
		sigemptyset (&ours);
		sigaddset (&ours, goad__sched.signo);
		pthread_sigmask (SIG_BLOCK, &ours, NULL);
	}
}

static void in_child (void)
{
	struct m *m = goad__m ();
	struct g *g = goad__g ();

	goad__stats_forked ();
	goad__tracer_forked ();
	goad__top_forked ();
	if (atomic_load_explicit (&goad__life, memory_order_relaxed) == LIFE_NONE)
		return; /* it may start one of its own */
	atomic_store_explicit (&goad__life, LIFE_FORKED, memory_order_relaxed);
	goad__gate_forget ();
	if (g)
		goad__preempt_outside (g->nopreempt);
	if (!m)
		return;
	goad__set_g (NULL);
	goad__set_m (NULL);
	goad__set_pins (0);
	restore_mask (m);
}

int goad__fork_init (void)
{
	static bool done;
	int err;

	pthread_sigmask (SIG_SETMASK, NULL, &program_mask);
	if (done)
		return 0;
	err = pthread_atfork (NULL, NULL, in_child);
	done = err == 0;
	return -err;
}
