/* SPDX-License-Identifier: MIT */
/* The public calls on coroutines: arguments are looked at here, work is done below. */
#include <errno.h>
#include <sched.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/fatal.h"
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
	if (unlikely (!fn))
		return -EINVAL;
	if (unlikely (!goad__running ()))
		return -EPERM;
	return goad__spawn (NULL, NULL, fn, arg);
}

GOAD__API int goad_spawn (goad_task_t **task, const goad_attr_t *attr, goad_fn fn, void *arg)
{
	goad_attr_t full;
	struct g *g;
	int err;

	if (unlikely (!task || !fn))
		return -EINVAL;
	if (unlikely (!goad__running ()))
		return -EPERM;
	if (attr) {
		err = check_attr (attr, &full);
		if (err)
			return err;
		if (full.preempt)
			goad__own_modes_seen ();
	}
	err = goad__spawn (&g, attr ? &full : NULL, fn, arg);
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
	err = goad__join (g_of (task), deadline);
	if (likely (err == 0))
		release (g_of (task));
	return err;
}

GOAD__API int goad_join (goad_task_t *task)
{
	return goad_join_until (task, UINT64_MAX);
}

GOAD__API int goad_detach (goad_task_t *task)
{
	uintptr_t none = JOIN_NONE;

	if (!task)
		return -EINVAL;
	if (atomic_compare_exchange_strong_explicit (&g_of (task)->join, &none, JOIN_DETACHED,
	                                             memory_order_acq_rel, memory_order_acquire))
		return 0;
	if (none != JOIN_DONE)
		return none == JOIN_DETACHED ? -EINVAL : -EBUSY;
	release (g_of (task));
	return 0;
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
	else
		thread_sleep_until (deadline);
	return 0;
}

GOAD__API int goad_sleep (uint64_t ns)
{
	return goad_sleep_until (goad_after (ns));
}

GOAD__API int goad_timer_start (goad_timer_t **timer, uint64_t first, uint64_t period, goad_fn fn,
                                void *arg)
{
	if (!timer || !fn)
		return -EINVAL;
	if (!goad__running ())
		return -EPERM;
	return goad__timer_start (timer, first, period, fn, arg);
}

GOAD__API int goad_timer_reset (goad_timer_t *timer, uint64_t first, uint64_t period)
{
	if (!timer)
		return -EINVAL;
	if (!goad__running ())
		return -EPERM;
	return goad__timer_reset (timer, first, period);
}

GOAD__API int goad_timer_stop (goad_timer_t *timer)
{
	if (!timer)
		return -EINVAL;
	if (!goad__running ())
		return -EPERM;
	return goad__timer_stop (timer);
}

GOAD__API int goad_procs (void)
{
	return goad__running () ? goad__sched.nprocs : 0;
}

GOAD__API size_t goad_count (void)
{
	return goad__running () ? goad__alive () : 0;
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
