/* SPDX-License-Identifier: MIT */
/* The public calls on coroutines: arguments are looked at here, work is done below. */
#include <errno.h>
#include <sched.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/fatal.h"
#include "core/gate.h"
#include "goad/time.h"
#include "preempt/preempt.h"
#include "runtime/runtime.h"
#include "wait/join.h"
#include "wait/sleep.h"
#include "wait/ticker.h"

/* A handle is the descriptor itself. */
static struct g *g_of (goad_task_t *t)
{
	return (struct g *) t;
}

/* Fields that the caller's version of the struct does not have are zero. */
static int check_attr (const goad_attr_t *user, goad_attr_t *a)
{
	if (user->size == 0)
		return -EINVAL;
	*a = (goad_attr_t) GOAD_ATTR_INIT;
	memcpy (a, user, user->size < sizeof *a ? user->size : sizeof *a);
	if (a->stack_size && (a->stack_size < (size_t) 16 << 10 || a->stack_size > (size_t) 1 << 30))
		return -EINVAL;
	if (a->preempt < 0 || a->preempt > GOAD_PREEMPT_OFF || a->weight > 10000)
		return -EINVAL;
	return 0;
}

GOAD__API int goad_go (goad_fn fn, void *arg)
{
	int err;

	if (unlikely (!fn))
		return -EINVAL;
	if (unlikely (!goad__gate_enter ()))
		return -EPERM;
	err = goad__spawn (NULL, NULL, fn, arg);
	goad__gate_leave ();
	return err;
}

GOAD__API int goad_spawn (goad_task_t **task, const goad_attr_t *attr, goad_fn fn, void *arg)
{
	goad_attr_t full;
	struct g *g;
	int err;

	if (unlikely (!task || !fn))
		return -EINVAL;
	if (attr) {
		err = check_attr (attr, &full);
		if (err)
			return err;
	}
	if (unlikely (!goad__gate_enter ()))
		return -EPERM;
	if (attr && full.preempt)
		goad__own_modes_seen ();
	err = goad__spawn (&g, attr ? &full : NULL, fn, arg);
	goad__gate_leave ();
	if (likely (err == 0))
		*task = (goad_task_t *) g;
	return err;
}

static void release (struct g *g)
{
	goad__pin ();
	goad__g_free (g);
	goad__unpin ();
}

GOAD__API int goad_join_until (goad_task_t *task, uint64_t deadline)
{
	int err;

	if (unlikely (!task))
		return -EINVAL;
	if (unlikely (!goad__gate_enter ()))
		return -EPERM;
	err = goad__join (g_of (task), deadline);
	if (likely (err == 0))
		release (g_of (task));
	goad__gate_leave ();
	return err;
}

GOAD__API int goad_join (goad_task_t *task)
{
	return goad_join_until (task, UINT64_MAX);
}

static int detach (struct g *g)
{
	uintptr_t none = JOIN_NONE;

	if (atomic_compare_exchange_strong_explicit (&g->join, &none, JOIN_DETACHED,
	                                             memory_order_acq_rel, memory_order_acquire))
		return 0;
	if (none != JOIN_DONE)
		return none == JOIN_DETACHED ? -EINVAL : -EBUSY;
	release (g);
	return 0;
}

GOAD__API int goad_detach (goad_task_t *task)
{
	int err;

	if (!task)
		return -EINVAL;
	if (!goad__gate_enter ())
		return -EPERM;
	err = detach (g_of (task));
	goad__gate_leave ();
	return err;
}

GOAD__API void goad_yield (void)
{
	if (likely (goad__g () != NULL))
		goad__sched_yield ();
	else
		sched_yield ();
}

GOAD__API _Noreturn void goad_exit (void)
{
	if (!goad__g ())
		goad__fatal ("goad_exit was called outside a coroutine");
	goad__sched_exit ();
}

GOAD__API uint64_t goad_id (void)
{
	struct g *g = goad__g ();
	return g ? g->id : 0;
}

GOAD__API const char *goad_name (void)
{
	struct g *g = goad__g ();
	return g ? g->name : "";
}

GOAD__API uint64_t goad_now (void)
{
	return goad__now ();
}

GOAD__API uint64_t goad_after (uint64_t ns)
{
	return goad__add_time (goad__now (), ns);
}

static void thread_sleep_until (uint64_t deadline)
{
	struct timespec ts = { (time_t) (deadline / 1000000000u), (long) (deadline % 1000000000u) };

	while (clock_nanosleep (CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL) == EINTR)
		;
}

GOAD__API int goad_sleep_until (uint64_t deadline)
{
	if (goad__g ())
		goad__sleep_until (deadline);
	else if (!goad__forked ())
		thread_sleep_until (deadline);
	else
		return -EPERM;
	return 0;
}

GOAD__API int goad_sleep (uint64_t ns)
{
	return goad_sleep_until (goad_after (ns));
}

GOAD__API int goad_timer_start (goad_timer_t **timer, uint64_t first, uint64_t period, goad_fn fn,
                                void *arg)
{
	int err;

	if (!timer || !fn)
		return -EINVAL;
	if (!goad__gate_enter ())
		return -EPERM;
	err = goad__timer_start (timer, first, period, fn, arg);
	goad__gate_leave ();
	return err;
}

GOAD__API int goad_timer_reset (goad_timer_t *timer, uint64_t first, uint64_t period)
{
	int err;

	if (!timer)
		return -EINVAL;
	if (!goad__gate_enter ())
		return -EPERM;
	err = goad__timer_reset (timer, first, period);
	goad__gate_leave ();
	return err;
}

GOAD__API int goad_timer_stop (goad_timer_t *timer)
{
	int err;

	if (!timer)
		return -EINVAL;
	if (!goad__gate_enter ())
		return -EPERM;
	err = goad__timer_stop (timer);
	goad__gate_leave ();
	return err;
}

GOAD__API int goad_procs (void)
{
	int n = 0;

	if (goad__gate_enter ()) {
		n = goad__sched.nprocs;
		goad__gate_leave ();
	}
	return n;
}

GOAD__API size_t goad_count (void)
{
	size_t n = 0;

	if (goad__gate_enter ()) {
		n = goad__alive ();
		goad__gate_leave ();
	}
	return n;
}

GOAD__API void goad_block_begin (void)
{
	if (goad__g ())
		goad__block_begin ();
}

GOAD__API void goad_block_end (void)
{
	if (goad__g ())
		goad__block_end ();
}

GOAD__API int goad_block (void (*fn) (void *), void *arg)
{
	if (!fn)
		return -EINVAL;
	if (!goad__g ()) {
		fn (arg);
		return 0;
	}
	goad__block_begin_now ();
	fn (arg);
	goad__block_end ();
	return 0;
}

/* Outside a coroutine nothing is preempted; it is only counted, to find an enable
 * without its disable. */
static __thread unsigned outside;

void goad__preempt_outside (unsigned n)
{
	outside = n;
}

/* The count is the coroutine's own; the handler reads it on the same thread, so no
 * atomics.  The barrier keeps the caller's code on its side. */
GOAD__API void goad_preempt_disable (void)
{
	struct g *g = goad__g ();

	if (g)
		g->nopreempt++;
	else
		outside++;
	goad__compiler_barrier ();
}

GOAD__API void goad_preempt_enable (void)
{
	struct g *g = goad__g ();

	goad__compiler_barrier ();
	if (!g) {
		if (outside-- > 0)
			return;
		goad__fatal ("goad_preempt_enable without goad_preempt_disable, outside a coroutine");
	}
	if (g->nopreempt == 0)
		goad__fatal ("goad_preempt_enable without goad_preempt_disable, in coroutine %lu '%s'",
		             (unsigned long) g->id, g->name);
	g->nopreempt--;
	goad__compiler_barrier (); /* a request that comes after this line needs no note */
	if (g->nopreempt == 0 && g->preempt_held) {
		g->preempt_held = 0;
		goad__preempt_poll ();
	}
}
