/* SPDX-License-Identifier: MIT */
/* Who runs a timer in time?  The P whose heap it is in, if it picks a coroutine after
 * the deadline; a P that is about to go idle, for all; else sysmon, which never sleeps
 * beyond the earliest deadline of all by more than NEAR:
 *
 *	who brings a new earliest          sysmon
 *	p->next_timer = when               sysmon_until = until (0 while it is awake)
 *	full fence                         full fence                   [ord:timer-until]
 *	reads sysmon_until; if that is     reads every next_timer, and sleeps until the
 *	beyond when, wakes it              earliest of them, if that is before
 *
 * One of the two sees the other, as in [ord:idle-recheck].  A deadline that becomes the
 * first of its heap because an earlier one went needs none of this: sysmon sleeps no
 * longer than until the earlier one, and looks again then.  So a timer costs a wake-up
 * of sysmon only if sysmon would sleep past it; while coroutines run, or other timers
 * are armed, it mostly would not.  Model: tests/model/timer.pml.
 *
 * NEAR is 5 us.  Where all Ps are busy, and fresh work is to go before hogs, who arms wakes it
 * neither if it is to look within the granularity and a quarter, or SOON if that is less.
 * Whom the timer readies would have to wait for a P until one has run for the granularity;
 * sysmon looks then, and it does not help if it looks before: a P that runs short ones sees to
 * its timers itself, between two of them.  Wrong: to wake sysmon for each.  One that sleeps
 * for some 20 us, time and again beside hogs, costs a third of a CPU so, and the hogs, which
 * sysmon finds something to do about each time, get the less.  If a P falls idle meanwhile, a
 * timer of another P may be late by as much.
 */
#include "wait/timer.h"

#include "base/clock.h"
#include "base/fatal.h"
#include "base/rng.h"
#include "base/syscall.h"
#include "sched/sched.h"
#include "wait/ticker.h"

#define BATCH 64u              /* timers run without giving others the lock                      */
#define NEAR 5000u             /* ns */
#define SOON UINT64_C (250000) /* ns, however long the granularity is */

static struct timers all[GOAD__MAX_PROCS];

static struct timers *of (const struct p *p)
{
	return &all[p->id];
}

static struct p *p_of (const struct timers *h)
{
	return &goad__sched.p[h - all];
}

/* Under the lock: what others see without it.  The earliest if it is earlier than what
 * they saw, else UINT64_MAX. */
static uint64_t publish (struct timers *h)
{
	struct p *p = p_of (h);
	const struct sleeper *top = goad__heap_top (&h->heap);
	uint64_t next = top ? top->when : UINT64_MAX;
	uint64_t was = atomic_load_explicit (&p->next_timer, memory_order_relaxed);

	atomic_store_explicit (&h->live, h->heap.n - h->heap.dead, memory_order_relaxed);
	if (next != was)
		atomic_store_explicit (&p->next_timer, next, memory_order_relaxed);
	goad__timers_reap (h);
	return next < was ? next : UINT64_MAX;
}

/* sysmon looks so soon that it may as well find the timer then. */
static bool looks_soon (uint64_t until)
{
	const struct sched *s = &goad__sched;

	return s->granularity && atomic_load_explicit (&s->npidle, memory_order_relaxed) == 0 &&
	       until <= goad__now () + goad__min64 (s->granularity + s->granularity / 4, SOON);
}

static void tell_sysmon (uint64_t when)
{
	uint64_t until;

	/* [ord:timer-until] */
	atomic_thread_fence (memory_order_seq_cst);
	until = atomic_load_explicit (&goad__sched.sysmon_until, memory_order_relaxed);
	if (until > goad__add_time (when, NEAR) && !looks_soon (until))
		goad__sysmon_wake ();
}

void goad__timers_unlock (struct timers *h)
{
	uint64_t when = publish (h);

	goad__spin_unlock (&h->lock);
	if (when != UINT64_MAX)
		tell_sysmon (when);
}

/* sysmon looks at as many heaps as were ever used, so that one of a P that is gone is
 * not forgotten. */
static void note_used (uint32_t i)
{
	_Atomic uint32_t *n = &goad__sched.ntimers;
	uint32_t was = atomic_load_explicit (n, memory_order_relaxed);

	while (was <= i && !atomic_compare_exchange_weak_explicit (n, &was, i + 1, memory_order_relaxed,
	                                                           memory_order_relaxed))
		;
}

struct timers *goad__timers_lock (void)
{
	struct p *p = goad__own_p (goad__m ());
	struct timers *h;

	if (likely (p != NULL)) {
		h = of (p);
	} else { /* where this stack lies is as good as random */
		uint64_t r = goad__mix ((uintptr_t) __builtin_frame_address (0) >> 12);
		h = &all[r % (uint64_t) goad__sched.nprocs];
	}
	note_used ((uint32_t) (h - all));
	goad__spin_lock (&h->lock);
	return h;
}

struct timers *goad__timers_lock_of (const struct sleeper *s)
{
	for (;;) {
		uint32_t home = atomic_load_explicit (&s->home, memory_order_relaxed);
		struct timers *h;

		if (home == 0)
			return NULL;
		h = &all[home - 1];
		goad__spin_lock (&h->lock);
		if (likely (atomic_load_explicit (&s->home, memory_order_relaxed) == home))
			return h;
		goad__spin_unlock (&h->lock); /* it was moved meanwhile */
	}
}

void goad__timers_adopt (const struct timers *h, struct sleeper *s)
{
	atomic_store_explicit (&s->home, (uint16_t) (h - all + 1), memory_order_relaxed);
}

bool goad__timers_put (struct timers *h, struct sleeper *s)
{
	if (!goad__heap_put (&h->heap, s))
		return false;
	goad__timers_adopt (h, s);
	return true;
}

/* After fire has said true s may be gone as soon as its coroutine runs, which is not
 * before the lock is released. */
static void wake_sleeper (struct timers *h, struct sleeper *s, uint64_t now, struct gbatch *due)
{
	struct g *g = s->g;

	goad__heap_take (&h->heap, s);
	if (!s->fire (s))
		return;
	goad__g_set (&g->ready_at, now);
	goad__g_transit (g, G_WAITING, G_RUNNABLE);
	if (unlikely (g->bound))
		goad__ready_bound (g);
	else
		gbatch_add (due, g);
}

/* Under the lock still: who runs timers at the same time comes behind, so deadlines are
 * kept in order; and before the heap is published as empty, so that at no instant
 * neither heap nor queue shows somebody (the search for a deadlock). */
static uint32_t run_some (struct timers *h, uint64_t now)
{
	struct gbatch due = { 0 };
	struct sleeper *s;
	uint32_t made = 0, n;

	for (n = 0; n < BATCH && (s = goad__heap_top (&h->heap)) && s->when <= now; n++) {
		if (s->g)
			wake_sleeper (h, s, now, &due);
		else
			made += goad__timer_due (h, s, now, &due);
	}
	n = due.n;
	if (n)
		goad__globq_append_made (&due, made);
	return n;
}

uint32_t goad__timers_run (struct p *p, uint64_t now)
{
	struct timers *h = of (p);
	uint32_t n = 0;

	do {
		goad__spin_lock (&h->lock);
		n += run_some (h, now);
		goad__timers_unlock (h);
	} while (atomic_load_explicit (&p->next_timer, memory_order_relaxed) <= now);
	if (n)
		goad__trace_n (timers, now, (uint64_t) p->id + 1, n);
	return n;
}

void goad__timers_run_all (uint64_t now)
{
	uint32_t used = atomic_load_explicit (&goad__sched.ntimers, memory_order_relaxed);
	uint32_t n = 0;

	for (uint32_t i = 0; i < used; i++) {
		struct p *p = &goad__sched.p[i];
		if (atomic_load_explicit (&p->next_timer, memory_order_relaxed) <= now)
			n += goad__timers_run (p, now);
	}
	if (n == 0)
		return;
	/* [ord:idle-recheck] */
	atomic_thread_fence (memory_order_seq_cst);
	goad__sched_wake ();
}

uint64_t goad__timers_live (void)
{
	uint32_t used = atomic_load_explicit (&goad__sched.ntimers, memory_order_relaxed);
	uint64_t n = 0;

	for (uint32_t i = 0; i < used; i++)
		n += atomic_load_explicit (&all[i].live, memory_order_relaxed);
	return n;
}

/* Two locks of one rank: the second is only tried, and whoever else holds it waits for
 * none. */
static void lock_second (struct timers *h)
{
	while (!goad__spin_trylock (&h->lock))
		goad__syscall3 (SYS_sched_yield, 0, 0, 0);
}

void goad__timers_move (struct p *from)
{
	uint32_t n = (uint32_t) goad__sched.nprocs;
	uint32_t target = (uint32_t) from->id % n;
	struct timers *h = of (from), *to;
	struct sleeper *s;

	if (target == (uint32_t) from->id)
		target = (target + 1) % n;
	to = &all[target];
	if (to == h)
		return;
	note_used (target);
	goad__spin_lock (&h->lock);
	lock_second (to);
	while ((s = goad__heap_take_last (&h->heap))) {
		if (!goad__timers_put (to, s)) {
			goad__heap_put (&h->heap, s); /* its place is still there */
			break;
		}
	}
	publish (h);
	goad__timers_unlock (to);
	goad__spin_unlock (&h->lock);
}

/* [ord:timer-until] */
uint64_t goad__timers_sleeps (uint64_t until)
{
	struct sched *s = &goad__sched;
	uint64_t next;

	atomic_store_explicit (&s->sysmon_until, until, memory_order_seq_cst);
	atomic_thread_fence (memory_order_seq_cst);
	next = goad__next_timer ();
	if (next >= until)
		return until;
	atomic_store_explicit (&s->sysmon_until, next, memory_order_relaxed);
	return next;
}

void goad__timers_woke (void)
{
	atomic_store_explicit (&goad__sched.sysmon_until, 0, memory_order_relaxed);
}

static uint32_t hook (struct p *p, uint64_t now)
{
	return goad__timers_run (p, now);
}

void goad__timers_init (void)
{
	struct sched *s = &goad__sched;

	for (int i = 0; i < s->nprocs; i++) /* those of later Ps go unchecked */
		all[i].lock.rank = GOAD__RANK_TIMERS;
	s->ntimers = (uint32_t) s->nprocs;
	s->sysmon_until = 0;
	goad__timers_hook = hook;
	goad__retire_hook = goad__timers_move;
}

void goad__timers_fini (void)
{
	for (uint32_t i = 0; i < goad__sched.ntimers; i++) {
		goad__timers_free_all (&all[i]);
		goad__heap_free (&all[i].heap);
		all[i] = (struct timers){ 0 };
	}
}
