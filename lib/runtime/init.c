/* SPDX-License-Identifier: MIT */
/* The life of the runtime: goad_main, goad_start, goad_stop. */
#include <errno.h>
#include <string.h>

#include "arch.h"
#include "base/fatal.h"
#include "base/futex.h"
#include "base/membarrier.h"
#include "base/os.h"
#include "base/rng.h"
#include "core/gate.h"
#include "preempt/preempt.h"
#include "preempt/safepoint.h"
#include "runtime/check.h"
#include "runtime/fault.h"
#include "runtime/io.h"
#include "runtime/runtime.h"
#include "runtime/starve.h"
#include "runtime/top.h"
#include "runtime/tracer.h"
#include "sched/account.h"
#include "sched/source.h"
#include "wait/netpoll.h"
#include "wait/timer.h"

_Atomic int goad__life;

/* Fields of the last run that would be wrong in this one. */
static void reset (void)
{
	struct sched *s = &goad__sched;

	s->lock = (struct goad__spinlock) GOAD__SPINLOCK_INIT (GOAD__RANK_SCHED);
	s->fences = !goad__membarrier_init ();
	s->slow = s->chaos != 0;
	s->stop = s->rescuing = 0;
	s->stop_left = 0;
	s->world_busy = false;
	s->turn_first = s->turn_last = NULL;
	s->npidle = s->nmspinning = s->nglobal = 0;
	s->owing = s->owing_wanted = 0;
	s->globq = (struct gbatch){ 0 };
	memset (&s->spilled, 0, sizeof s->spilled);
	memset (&s->fairq, 0, sizeof s->fairq);
	s->pidle = NULL;
	s->midle = NULL;
	s->allm = s->mended = s->mfree = NULL;
	s->next_m = 0;
	s->nmidle = s->nm = s->nm_starting = 0;
	s->nm_max = s->nm_locked = 0; /* apart: clang 14 gives no atomic's value to what is none */
	s->top_asleep = 0;
	s->limit_told = s->refused = s->deadlocked = false;
	s->foreign_spawned = s->foreign_ended = 0;
	s->nblocked = 0;
	s->n_blocked_announced = s->n_blocked_detected = 0;
	s->next_id = s->embedded ? 1 : 2; /* 1 is for goad_main's own */
	s->done = s->drained = 0;
	s->sysmon_armed = s->own_modes = 0;
	s->hogs_since = 0;
	goad__signals_sent = goad__requests = 0;
	goad__sources_reset ();
}

static void release (void)
{
	struct sched *s = &goad__sched;

	goad__quit_fini ();
	goad__fault_fini ();
	goad__signal_fini ();
	goad__netpoll_fini ();
	goad__timers_fini ();
	goad__stack_fini ();
	goad__modules_fini ();
	goad__pages_put (s->p, sizeof *s->p * GOAD__MAX_PROCS);
	s->p = NULL;
}

static bool current_stack (struct goad__fault_subject *out)
{
	struct m *m = goad__m ();
	struct g *g = m ? m->curg : NULL;

	if (!g)
		return false;
	out->lo = (uintptr_t) g->stack->lo;
	out->hi = (uintptr_t) g->stack->hi;
	out->guard_lo = out->lo - GOAD__PAGE;
	out->id = g->id;
	out->name = g->name;
	out->size = (size_t) (g->stack->hi - g->stack->lo);
	return true;
}

static int walk_fault (const void *uc, const struct goad__fault_subject *on, uintptr_t *pc, int max)
{
	struct goad__regs regs;

	goad__arch_ucontext_regs (uc, regs.r);
	return goad__safepoint_backtrace (&regs, on->lo, on->hi, (void **) pc, max);
}

static int set_up (const goad_config_t *user)
{
	struct sched *s = &goad__sched;
	goad_config_t cfg = GOAD_CONFIG_INIT;
	int err;

	err = goad_config_init (&cfg);
	if (err == 0 && user) {
		if (user->size == 0)
			return -EINVAL;
		cfg = (goad_config_t) GOAD_CONFIG_INIT;
		memcpy (&cfg, user, user->size < sizeof cfg ? user->size : sizeof cfg);
	}
	if (err == 0)
		err = goad__config_check (&cfg);
	if (err == 0)
		err = goad__tracer_config ();
	if (err)
		return err;
	err = goad__fork_init ();
	if (err)
		return err;
	reset ();
	s->p = goad__pages_get (sizeof *s->p * GOAD__MAX_PROCS); /* touched as far as it is used */
	if (!s->p)
		return -ENOMEM;
	goad__arch_init ();
	goad__decide_init ();
	goad__timers_init ();
	goad__netpoll_init ();
	goad__io_init ();
	goad__deadlock_init ();
	goad__starve_set_up ();
	err = goad__modules_init ();
	if (err == 0)
		err = goad__stack_init ();
	if (err == 0)
		err = goad__signal_init (s->signo);
	if (err == 0)
		err = goad__fault_init (current_stack, walk_fault);
	if (err == 0)
		err = goad__quit_init ();
	goad__dump_init ();
	goad__check_init ();
	goad__procs_init (s->nprocs, cfg.seed);
	if (err)
		release ();
	return err;
}

static void tear_down (void)
{
	atomic_store_explicit (&goad__life, LIFE_ENDING, memory_order_release);
	goad__gate_close ();
	goad__top_end ();
	goad__monitor_stop ();
	goad__stats_keep ();
	goad__threads_end ();
	goad__tracer_end ();
	goad__check_ended ();
	release ();
	atomic_store_explicit (&goad__life, LIFE_NONE, memory_order_release);
}

static int start (const goad_config_t *cfg, bool embedded)
{
	int none = LIFE_NONE;
	int err;

	if (!atomic_compare_exchange_strong (&goad__life, &none, LIFE_STARTING))
		return none == LIFE_FORKED ? -EPERM : -EBUSY;
	goad__sched.embedded = embedded;
	err = set_up (cfg);
	if (err) {
		atomic_store_explicit (&goad__life, LIFE_NONE, memory_order_release);
		return err;
	}
	err = goad__threads_start (!embedded);
	if (err == 0)
		err = goad__monitor_start ();
	if (err == 0)
		err = goad__tracer_begin ();
	if (err == 0)
		err = goad__top_begin ();
	if (err)
		tear_down ();
	return err;
}

/* From here on threads from outside may come in. */
static void open_to_all (enum goad__life how)
{
	atomic_store_explicit (&goad__life, how, memory_order_release);
	goad__gate_open ();
}

GOAD__API int goad_main (goad_fn fn, void *arg, const goad_config_t *cfg)
{
	int saved = errno;
	int err;

	if (!fn)
		return -EINVAL;
	err = start (cfg, false);
	if (err)
		return err;
	/* Before fn runs: it may make threads that call in at once. */
	open_to_all (LIFE_MAIN);
	err = goad__spawn_first (fn, arg);
	goad__sched_loop (); /* if that failed, what came from outside meanwhile still runs */
	if (err == 0 && goad__sched.deadlocked)
		err = -EDEADLK;
	tear_down ();
	errno = saved;
	return err;
}

GOAD__API int goad_start (const goad_config_t *cfg)
{
	int saved = errno;
	int err = start (cfg, true);

	if (err == 0)
		open_to_all (LIFE_EMBEDDED);
	errno = saved;
	return err;
}

GOAD__API int goad_stop (void)
{
	struct sched *s = &goad__sched;
	int life = LIFE_EMBEDDED;
	int saved = errno;

	if (goad__g ())
		return -EDEADLK;
	if (!atomic_compare_exchange_strong (&goad__life, &life, LIFE_STOPPING))
		return life == LIFE_STOPPING ? -EBUSY : -EPERM;
	/* Decided under the lock with all Ps idle: only then are the counters of one moment. */
	for (;;) {
		atomic_store_explicit (&s->drained, 0, memory_order_relaxed);
		if (goad__end_if_drained ())
			break;
		goad__futex_wait (&s->drained, 0, UINT64_MAX);
	}
	tear_down ();
	errno = saved;
	return 0;
}
