/* SPDX-License-Identifier: MIT */
/* The watch: waits that pass the bound, and telling of them.
 *
 * A wait is noticed once, by sysmon while it lasts (starve_scan.c), or, if it ended before
 * sysmon looked, by the M that runs the coroutine at last, which leaves it here under a
 * lock (noticed_late).  Which of the two is settled by g->starve_told, [ord:starve]:
 * the M exchanges it for ready_at, and does nothing if it finds that there already.
 *
 * All is told by sysmon, in the order in which it was noticed, but that those go ahead who
 * need not wait for where their hog stands.
 */
#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/fatal.h"
#include "base/futex.h"
#include "base/os.h"
#include "core/gate.h"
#include "goad/starve.h"
#include "runtime/backtrace.h"
#include "runtime/runtime.h"
#include "runtime/starve.h"

#define BOUND UINT64_C (100000000)
#define PENDING 256u
#define LATE 1024u
#define LINES 20u

static struct {
	struct goad__spinlock lock;
	enum { OFF, ON, ENDING } state; /* under lock */
	goad_starve_opts_t opts;        /* changes in OFF, when sysmon does not look at it */
	_Atomic uint64_t events;
	_Atomic uint32_t ending; /* futex: stop waits until sysmon makes it 0 */
	_Atomic uint32_t number; /* of the watch; what another noticed is not told */
	_Atomic int tid;         /* sysmon's, while it runs */

	/* under lock */
	struct goad__starved late[LATE]; /* noticed by Ms */
	_Atomic unsigned nlate;

	/* sysmon's */
	struct goad__starved pending[PENDING];
	unsigned n;
} watch = { .lock = GOAD__SPINLOCK_INIT (GOAD__RANK_LEAF) };

static void count (uint64_t n)
{
	atomic_fetch_add_explicit (&watch.events, n, memory_order_relaxed);
}

static uint32_t number (void)
{
	return atomic_load_explicit (&watch.number, memory_order_relaxed);
}

/* Under lock, while the watch is on.  True: sysmon is to be woken. */
static bool put_late (const struct p *p, const struct g *g, uint64_t waited)
{
	struct goad__starved *v = &watch.late[watch.nlate];

	count (1);
	if (watch.nlate == LATE)
		return false;
	*v = (struct goad__starved){ .id = g->id, .waited = waited, .watch = number () };
	memcpy (v->name, g->name, sizeof v->name);
	v->hog = atomic_load_explicit (&p->curg_id, memory_order_relaxed);
	if (v->hog == g->id)
		v->hog = 0;
	return watch.nlate++ == 0;
}

/* Pinned.  g, which nobody noticed while it waited, comes to p.  It may have looked at the
 * bound of a watch that has ended since. */
static void noticed_late (struct p *p, struct g *g, uint64_t waited)
{
	uint64_t since = g->ready_at;
	bool wake;

	/* [ord:starve] */
	if (atomic_exchange_explicit (&g->starve_told, since, memory_order_relaxed) == since)
		return;
	goad__spin_lock (&watch.lock);
	wake = watch.state == ON && put_late (p, g, waited);
	goad__spin_unlock (&watch.lock);
	if (wake)
		goad__sysmon_wake ();
}

/* ---- telling -------------------------------------------------------------------------------- */

/* s: where the hog stood, or NULL. */
static void fill (goad_starve_event_t *e, const struct goad__starved *v, const struct sample *s)
{
	*e = (goad_starve_event_t){ .id = v->id,
		                        .name = v->name,
		                        .waited_ns = v->waited,
		                        .hog_id = v->hog,
		                        .hog_name = v->hog_name };
	if (!s || s->id == v->id)
		return; /* it runs itself by now */
	e->hog_id = s->id;
	e->hog_name = s->name;
	e->hog_depth = s->n;
	memcpy (e->hog_pc, s->pc, (size_t) s->n * sizeof *s->pc);
}

static void ms (char buf[24], uint64_t ns)
{
	goad__format (buf, 24, "%lu.%lu ms", (unsigned long) (ns / 1000000),
	              (unsigned long) (ns / 100000 % 10));
}

static struct goad__namer namer; /* sysmon's */

/* Those who have the same hog are told together, with one backtrace. */
static void report (const goad_starve_event_t *e, const goad_starve_event_t *last, unsigned nth)
{
	char waited[24], bound[24];

	if (nth >= LINES)
		return;
	ms (waited, e->waited_ns);
	ms (bound, watch.opts.bound_ns);
	goad__line ("starvation: coroutine %lu '%s' has been runnable for %s, more than %s",
	            (unsigned long) e->id, e->name, waited, bound);
	if (last->id && last->hog_id == e->hog_id && last->hog_depth == e->hog_depth &&
	    memcmp (last->hog_pc, e->hog_pc, sizeof e->hog_pc) == 0)
		return;
	if (!e->hog_id) {
		goad__line ("  no coroutine ran in its way");
		return;
	}
	goad__line ("  while coroutine %lu '%s' ran%s", (unsigned long) e->hog_id, e->hog_name,
	            e->hog_depth ? ":" : "");
	goad__backtrace_print (2,
	                       goad__backtrace_name (&namer, (const uintptr_t *) e->hog_pc,
	                                             e->hog_depth, true),
	                       e->hog_depth);
	goad__backtrace_done (&namer);
}

static void tell (const struct goad__starved *v, goad_starve_event_t *last, unsigned *nth)
{
	const struct sample *s = v->question ? goad__starve_answer (v->question) : NULL;
	goad_starve_event_t e;

	if (v->watch == number ()) {
		fill (&e, v, s);
		if (watch.opts.on_starve)
			watch.opts.on_starve (&e, watch.opts.arg);
		else
			report (&e, last, *nth);
		*last = e;
		++*nth;
	}
	if (v->question)
		goad__starve_drop (v->question);
}

static void tell_late (goad_starve_event_t *last, unsigned *nth)
{
	static struct goad__starved late[LATE];
	unsigned n;

	goad__spin_lock (&watch.lock);
	n = watch.nlate;
	memcpy (late, watch.late, n * sizeof *late);
	watch.nlate = 0;
	goad__spin_unlock (&watch.lock);
	for (unsigned i = 0; i < n; i++)
		tell (&late[i], last, nth);
}

/* Those whose hog's place is known, or will not be known; now UINT64_MAX: all. */
static uint64_t tell_pending (uint64_t now, goad_starve_event_t *last, unsigned *nth)
{
	uint64_t until = UINT64_MAX;
	unsigned kept = 0;

	for (unsigned i = 0; i < watch.n; i++) {
		struct goad__starved *v = &watch.pending[i];

		if (v->question && now != UINT64_MAX && goad__starve_wait_for (v->question, now, &until))
			watch.pending[kept++] = *v;
		else
			tell (v, last, nth);
	}
	watch.n = kept;
	return until;
}

static uint64_t tell_all (uint64_t now)
{
	goad_starve_event_t last = { .id = 0 };
	unsigned nth = 0;
	uint64_t until;

	if (watch.n == 0 && watch.nlate == 0) /* the waker's news made sysmon look */
		return UINT64_MAX;
	tell_late (&last, &nth);
	until = tell_pending (now, &last, &nth);
	if (nth > LINES && !watch.opts.on_starve)
		goad__line ("starvation: and %u coroutines more", nth - LINES);
	return until;
}

/* ---- sysmon's side -------------------------------------------------------------------------- */

uint64_t goad__starve_bound (void)
{
	uint64_t bound = atomic_load_explicit (&goad__sched.starve_bound, memory_order_acquire);

	return bound == GOAD__NO_BOUND ? 0 : bound;
}

uint64_t goad__starve_look (uint64_t now)
{
	uint64_t due;
	unsigned n = goad__starve_scan (now, goad__starve_bound (), watch.pending + watch.n,
	                                PENDING - watch.n, &due);

	count (n);
	for (unsigned i = 0; i < n; i++)
		watch.pending[watch.n++].watch = number ();
	return due;
}

/* Somebody ends the watch, and waits for that. */
static void end (uint64_t now)
{
	if (!atomic_load_explicit (&watch.ending, memory_order_acquire)) /* [ord:starve-end] */
		return;
	goad__starve_look (now);
	tell_all (UINT64_MAX);
	atomic_store_explicit (&goad__sched.starve_bound, GOAD__NO_BOUND, memory_order_relaxed);
	atomic_store_explicit (&watch.ending, 0, memory_order_release); /* [ord:starve-end] */
	goad__futex_wake (&watch.ending, INT32_MAX);
}

uint64_t goad__starve_tell (uint64_t now)
{
	uint64_t until = tell_all (now);

	end (now);
	return until;
}

void goad__starve_last (void)
{
	tell_all (UINT64_MAX);
	end (goad__now ());
	atomic_store_explicit (&watch.tid, 0, memory_order_release); /* [ord:starve-end] */
	goad__futex_wake (&watch.ending, INT32_MAX);
}

void goad__starve_init (int tid)
{
	watch.n = 0;
	atomic_store_explicit (&watch.tid, tid, memory_order_seq_cst); /* [ord:starve-end] */
}

void goad__starve_set_up (void)
{
	goad__starve_hook = noticed_late;
}

/* ---- the calls ------------------------------------------------------------------------------ */

static int check (const goad_starve_opts_t *user, goad_starve_opts_t *o)
{
	if (!user || user->size == 0)
		return -EINVAL;
	*o = (goad_starve_opts_t) GOAD_STARVE_OPTS_INIT;
	memcpy (o, user, user->size < sizeof *o ? user->size : sizeof *o);
	if (o->flags)
		return -EINVAL;
	if (!o->bound_ns)
		o->bound_ns = BOUND;
	if (o->bound_ns >= GOAD__NO_BOUND)
		o->bound_ns = GOAD__NO_BOUND - 1;
	return goad__forked () ? -EPERM : 0;
}

/* From one state to another. */
static bool change (int from, int to)
{
	bool ok;

	goad__pin ();
	goad__spin_lock (&watch.lock);
	ok = (int) watch.state == from;
	if (ok)
		watch.state = to;
	goad__spin_unlock (&watch.lock);
	goad__unpin ();
	return ok;
}

GOAD__API int goad_starve_watch (const goad_starve_opts_t *opts)
{
	goad_starve_opts_t o;
	int err = check (opts, &o);

	if (err)
		return err;
	if (!change (OFF, ENDING)) /* not on yet */
		return -EBUSY;
	watch.opts = o;
	watch.nlate = 0;
	atomic_store_explicit (&watch.events, 0, memory_order_relaxed);
	/* Release: who sees the bound sees the rest.  [ord:starve-end] */
	atomic_store_explicit (&goad__sched.starve_bound, o.bound_ns, memory_order_release);
	change (ENDING, ON);
	if (goad__gate_enter ()) {
		goad__sysmon_wake ();
		goad__gate_leave ();
	}
	return 0;
}

/* sysmon tells what there is to be told, and looks at the watch no more.  Where there is no
 * runtime any more, or not yet, it may be there still, or already: tid says so.  False: it is
 * not there. */
static bool end_by_sysmon (void)
{
	bool there;

	atomic_store_explicit (&watch.ending, 1, memory_order_release); /* [ord:starve-end] */
	/* [ord:starve-end] */
	while ((there = atomic_load_explicit (&watch.tid, memory_order_seq_cst) != 0) &&
	       atomic_load_explicit (&watch.ending, memory_order_acquire)) {
		if (goad__gate_enter ()) {
			goad__sysmon_wake ();
			goad__gate_leave ();
		}
		goad__futex_wait (&watch.ending, 1, goad__now () + 1000000);
	}
	atomic_store_explicit (&watch.ending, 0, memory_order_relaxed);
	return there;
}

GOAD__API int goad_starve_stop (uint64_t *events)
{
	bool there, mine = atomic_load_explicit (&watch.tid, memory_order_relaxed) == goad__gettid ();

	if (goad__forked () || !change (ON, ENDING))
		return -EPERM;
	there = mine || end_by_sysmon ();
	atomic_store_explicit (&goad__sched.starve_bound, GOAD__NO_BOUND, memory_order_relaxed);
	/* [ord:starve-end] a sysmon that starts just now either finds no watch, or is seen here. */
	atomic_fetch_add_explicit (&watch.number, 1, memory_order_seq_cst);
	if (!there)
		end_by_sysmon ();
	if (events)
		*events = atomic_load_explicit (&watch.events, memory_order_relaxed);
	change (ENDING, OFF);
	return 0;
}
