/* SPDX-License-Identifier: MIT */
/* The switch from coroutine to coroutine, and g0's loop.
 *
 * Fast path: a coroutine that yields, parks or ends takes the next one from its P's
 * own queue and switches to it directly, without going through g0.  It cannot put
 * itself where others see it before its registers are saved; so it leaves a note
 * (m->after), and whoever runs next on this M carries it out first (finish).  Go goes
 * through g0 each time (mcall); Linux does as we do (finish_task_switch).
 *
 * Slow path: nothing in the own queue, the slice is over, a timer is due, or it is the
 * turn of the global queues: g0 decides (goad__find).
 */
#include "sched/sched.h"

#include "arch.h"
#include "base/fatal.h"
#include "sched/account.h"
#include "sched/cxa.h"
#include "sched/expect.h"

struct sched goad__sched = { .starve_bound = GOAD__NO_BOUND };

static void no_watch (struct p *p, struct g *g, uint64_t waited)
{
	(void) p, (void) g, (void) waited;
}

void (*goad__starve_hook) (struct p *p, struct g *g, uint64_t waited) = no_watch;

static bool no_judge (struct m *m, struct g *g)
{
	(void) m;
	goad__fatal ("coroutine %lu was preempted with nobody to judge it", (unsigned long) g->id);
}

bool (*goad__judge_hook) (struct m *m, struct g *g) = no_judge;

/* Nobody else can see g but by its handle. */
static void exited (struct m *m, struct g *g)
{
	goad__g_transit (g, G_RUNNING, G_DEAD);
	goad__san_free (&g->san);
	goad__count_release (&m->p->n_ended, 1); /* [ord:alive] */
	if (unlikely (g->bound))
		goad__locked_exited (m);
	/* [ord:join] release: what the coroutine wrote is there for who joins it; and its
	 * stack is free to go. */
	uintptr_t j = atomic_exchange_explicit (&g->join, JOIN_DONE, memory_order_acq_rel);
	if (j == JOIN_DETACHED) {
		goad__g_free (g);
	} else if (j != JOIN_NONE) {
		struct waiter *w = (struct waiter *) (j & ~JOIN_DIRECT);
		if (w->g) {
			if (w->g != m->curg) { /* else it was switched to: exit_to_joiner */
				const void *sp = w->g->sp;
				goad__ready (w->g);
				if (m->p->crowd) /* its turn comes soon */
					goad__expect_frames (sp);
			}
		} else {
			/* The foreign thread may be gone once it sees the 1; a futex wake for an
			 * address that is no longer a futex is harmless. */
			atomic_store_explicit (&w->word, 1, memory_order_release);
			goad__wake_foreign (w);
		}
	}
}

__attribute__ ((always_inline)) static inline void requeue (struct m *m, struct g *g)
{
	struct p *p = m->p;

	goad__g_transit (g, G_RUNNING, G_RUNNABLE);
	if (unlikely (g->bound)) {
		goad__ready_bound (g);
		return;
	}
	if (unlikely (g->hog)) {
		goad__yield_fair (p, g);
		return;
	}
	if (unlikely (atomic_load_explicit (&goad__sched.nglobal, memory_order_relaxed) > 0 &&
	              goad__runq_len (&p->runq) == 0)) {
		/* It would be the next again, and they would have each 61st turn. */
		goad__yield_global (g);
		return;
	}
	if (likely (goad__runq_put (&p->runq, g)))
		goad__tell_sysmon (NEWS_WORK);
	else
		goad__runq_put_or_spill (p, g);
	if (!goad__sched.alone) {
		/* [ord:idle-recheck] */
		atomic_thread_fence (memory_order_seq_cst);
		goad__sched_wake_old ();
	}
}

/* Carries out what the one before left to do.  True: on g0, m->after_g goes on. */
__attribute__ ((always_inline)) static inline bool finish (struct m *m)
{
	enum after what = m->after;
	struct g *g = m->after_g;

	m->after = AFTER_NOTHING;
	switch (what) {
	case AFTER_NOTHING:
		break;
	case AFTER_YIELD:
		requeue (m, g);
		break;
	case AFTER_PARK:
		goad__g_transit (g, G_RUNNING, G_WAITING);
		if (!m->commit (g, m->commit_arg)) {
			goad__g_set (&g->ready_at, m->p->stamp);
			goad__g_transit (g, G_WAITING, G_RUNNABLE);
			if (unlikely (g->bound)) {
				goad__locked_stays (m, g);
				return true;
			}
			goad__runq_put_or_spill (m->p, g);
			if (!goad__sched.alone) {
				/* [ord:idle-recheck] */
				atomic_thread_fence (memory_order_seq_cst);
				goad__sched_wake ();
			}
		}
		break;
	case AFTER_EXIT:
		exited (m, g);
		break;
	case AFTER_PREEMPT:
		return goad__judge_hook (m, g);
	case AFTER_BLOCK:
		return goad__block_return (m, g);
	}
	return false;
}

/* from, running on m, is left; comes back when somebody switches to it again, maybe
 * on another thread. */
__attribute__ ((always_inline)) static inline void switch_to (struct m *m, struct g *from,
                                                              struct g *to, bool dying)
{
	goad__g_transit (to, G_RUNNABLE, G_RUNNING);
	m->curg = to;
	goad__set_g (to);
	goad__swap_cxa (m, from, to);
	goad__fp_switch (&from->fp, &to->fp);
	goad__san_leave (&from->san, &to->san, dying);
	if (dying)
		goad__switch_away (to->sp);
	goad__switch (&from->sp, to->sp);
	goad__san_arrive (&from->san, NULL);
	finish (goad__m ());
}

/* To g0, which carries out m->after. */
static void switch_to_g0 (struct m *m, struct g *from, bool dying)
{
	m->curg = NULL;
	goad__set_g (NULL);
	goad__swap_cxa (m, from, NULL);
	goad__san_leave (&from->san, &m->san, dying);
	if (dying)
		goad__switch_away (m->g0_sp);
	goad__switch (&from->sp, m->g0_sp);
	goad__san_arrive (&from->san, &goad__m ()->san);
	finish (goad__m ());
}

/* At t it is the turn of something else than p's own queue; g0 decides. */
static inline bool turn_of_others (struct p *p, uint64_t t)
{
	return unlikely (goad__p_expired (p) ||
	                 atomic_load_explicit (&goad__sched.slow, memory_order_relaxed) ||
	                 t >= atomic_load_explicit (&p->next_timer, memory_order_relaxed) ||
	                 (t > p->look_at && goad__turn_is_due (p, t)));
}

/* The next coroutine of p's own, without looking further; NULL: g0 must decide. */
__attribute__ ((always_inline)) static inline struct g *pick (struct p *p, uint64_t t,
                                                              bool *inherit)
{
	struct g *g;

	*inherit = false;
	if (unlikely (--p->picks == 0)) {
		p->picks = GOAD__GLOBAL_EVERY;
		p->global_due = goad__global_waits ();
		if (p->global_due)
			return NULL;
	}
	if (turn_of_others (p, t))
		return NULL;
	g = atomic_load_explicit (&p->runnext, memory_order_relaxed);
	if (g && (g = goad__runnext_take (p))) {
		goad__owe_nothing (p);
		*inherit = true;
		return g;
	}
	g = goad__sched.alone ? goad__runq_get_alone (&p->runq) : goad__runq_get (&p->runq);
	goad__runq_expect (&p->runq);
	return g;
}

/* What a trace calls the end of a run.  Dumps want the words that are in wait_kind. */
static enum goad__ev left_how (enum after after, const struct g *g)
{
	const char *kind = g->wait_kind;

	if (after != AFTER_PARK)
		return after == AFTER_EXIT ? EV_go_end : EV_go_yield;
	switch (kind ? kind[0] : 'i') {
	case 'c':
		return kind[1] != 'h' ? EV_go_cond : kind[5] == 's' ? EV_go_send : EV_go_recv;
	case 'd': /* descriptor */
		return EV_go_net;
	case 'i': /* its turn to stop the world */
		return EV_go_block;
	case 'j': /* join */
		return EV_go_join;
	case 's':
		return kind[1] == 'l' ? EV_go_sleep : kind[2] == 'l' ? EV_go_select : EV_go_sync;
	default:
		return EV_go_sync;
	}
}

GOAD__NOINLINE static void trace_left (enum after after, struct g *g, uint64_t t, struct g *next)
{
	if (goad__trace_lost ())
		return;
	if (after == AFTER_PARK)
		goad__trace_put_wait (left_how (after, g), t, g, next);
	else
		goad__trace_put_go (left_how (after, g), t, next);
}

/* The running coroutine leaves with a note.  (switches) */
__attribute__ ((always_inline)) static inline void leave (struct m *m, struct g *g,
                                                          enum after after)
{
	if (after != AFTER_EXIT) /* else it has been done: exit_to_joiner */
		goad__fp_save (&g->fp);
	struct p *p = m->p;
	uint64_t t = goad__p_time (p);
	bool inherit = false;
	/* A locked one takes its thread with it: g0 finds another for the P. */
	struct g *next = unlikely (g->bound != NULL) ? NULL : pick (p, t, &inherit);

	if (next && p->crowd)
		goad__expect_frames (next->sp);
	/* Nobody waits: it goes on. */
	if (after == AFTER_YIELD && !next && !goad__someone_waits (p) && !goad__stopping () &&
	    t < atomic_load_explicit (&p->next_timer, memory_order_relaxed)) {
		if (unlikely (goad__p_expired (p))) {
			goad__p_expire (p, g);
			goad__p_new_slice (p, goad__p_time_exact (p));
		}
		return;
	}
	if (unlikely (atomic_load_explicit (&p->readied, memory_order_relaxed)))
		goad__owe_learn (p, g, inherit ? next : NULL, t);
	if (unlikely (g->hog || (after == AFTER_YIELD && !next)))
		goad__hog_or_not (p, g, t, after == AFTER_YIELD, next != NULL);
	GOAD__PROBE (go_stop, g->id);
	if (goad__tracing () && !(after == AFTER_PARK && next && goad__trace_wait_again (g, next)))
		trace_left (after, g, t, next);
	goad__p_leave (p, g, t);
	if (unlikely (goad__p_expired (p))) {
		goad__p_expire (p, g);
		goad__runnext_kick (p); /* before g itself goes into the queue */
	}
	if (after == AFTER_EXIT && inherit && next->vruntime < g->vruntime)
		next->vruntime = g->vruntime; /* a chain of spawns is one for the fair queue */
	goad__g_set (&g->ready_at, t);
	m->after = after;
	m->after_g = g;
	if (likely (next != NULL)) {
		goad__p_put (p, next, t, inherit);
		if (p->crowd)
			goad__expect_joiner (next);
		switch_to (m, g, next, after == AFTER_EXIT);
	} else {
		switch_to_g0 (m, g, after == AFTER_EXIT);
	}
}

/* The turn of two or more that do nothing but yield, on the only P: with no thief about,
 * g may go into the queue before its registers are saved, in the place that the next one
 * leaves, and no note is needed.  While the stamp stands still (sched/account.h) nobody's
 * time changes, and what leave and pick look at beside it was looked at when it was
 * taken.  The next one, and g is in the queue; NULL: it is not so simple. */
__attribute__ ((always_inline)) static inline struct g *turn_alone (struct p *p, struct g *g)
{
	uint64_t t = p->stamp, head;
	struct g *next;

	if (unlikely (p->stamp_skips == 0 || p->run_since != t || !goad__sched.alone ||
	              goad__hog_runs (p) || g->bound || goad__p_expired (p) || goad__tracing () ||
	              atomic_load_explicit (&p->runnext, memory_order_relaxed)))
		return NULL;
	if (unlikely (p->picks < 2)) {
		if (goad__global_waits ())
			return NULL;
		p->picks = GOAD__GLOBAL_EVERY + 1;
	}
	next = goad__runq_first_alone (&p->runq, &head);
	if (unlikely (!next))
		return NULL;
	if (unlikely (next->ready_at != t)) {
		if (goad__p_starves (next, t))
			return NULL; /* that is told by leave */
		goad__p_waited_well (p, next, t);
	}
	goad__runq_turn_alone (&p->runq, head, g);
	p->stamp_skips--;
	p->picks--;
	return next;
}

/* Where turn_alone is not enough.  (switches) */
GOAD__NOINLINE static void yield_long (void)
{
	struct m *m = goad__m ();

	if (unlikely (atomic_load_explicit (&m->slow, memory_order_acquire))) {
		goad__need_p ();
		m = goad__m ();
	}
	leave (m, m->curg, AFTER_YIELD);
}

GOAD__NOINLINE static void finish_late (void)
{
	finish (goad__m ());
}

/* The shortest way is all in this function, with no call on it but the switch: so there is
 * no register to be kept beside those that the switch keeps. */
void goad__sched_yield (void)
{
	goad__pin ();
	struct m *m = goad__m ();
	struct g *g = m->curg, *next = NULL;
	struct p *p = NULL;

	if (likely (!atomic_load_explicit (&m->slow, memory_order_acquire))) {
		p = m->p;
		next = turn_alone (p, g);
	}
	if (unlikely (!next)) {
		yield_long ();
		goad__unpin ();
		return;
	}
	GOAD__PROBE (go_stop, g->id);
	GOAD__PROBE (go_start, next->id);
	goad__fp_save (&g->fp);
	goad__g_transit (g, G_RUNNING, G_RUNNABLE);
	goad__g_set (&g->ready_at, p->stamp);
	goad__g_add (&next->slices, 1);
	goad__count (&p->n_switches, 1);
	atomic_store_explicit (&p->curg_id, next->id, memory_order_relaxed);
	goad__p_new_slice (p, p->stamp);
	goad__g_transit (next, G_RUNNABLE, G_RUNNING);
	m->curg = next;
	goad__set_g (next);
	goad__swap_cxa (m, g, next);
	goad__fp_switch (&g->fp, &next->fp);
	goad__san_leave (&g->san, &next->san, false);
	goad__switch (&g->sp, next->sp);
	goad__san_arrive (&g->san, NULL);
	if (unlikely (goad__m ()->after != AFTER_NOTHING))
		finish_late ();
	goad__unpin ();
}

void goad__sched_park (goad__commit_fn *commit, void *arg)
{
	struct m *m = goad__m ();

	if (unlikely (atomic_load_explicit (&m->slow, memory_order_acquire))) {
		goad__need_p ();
		m = goad__m ();
	}
	m->commit = commit;
	m->commit_arg = arg;
	leave (m, m->curg, AFTER_PARK);
}

/* Fork and join.  Who joins a coroutine that has not run, and that nobody has stolen,
 * runs it at once: out of the queue where it is, without a turn through it; and at its
 * end that one switches straight back.  Nobody else can end the wait, so it is set up
 * before the switch, and there is nothing to commit.
 *
 * Nobody starves by it: both inherit the slice, as who is readied by runnext does, and
 * where a slice is over, or it is not the own queue's turn, all is done the long way.  It
 * does not count as a pick, for nobody is passed over whom a call of the same function
 * would not have passed over.  Were each 61st of them to give way to the global queue, and
 * take up another branch of the tree from there, most of a deep tree would soon be under
 * way at once: fib (32) then took 8 s and 260 MB, for 0.4 s and 4 MB. */
static inline bool may_go_direct (struct p *p, struct g *g, uint64_t t)
{
	return !g->bound && !turn_of_others (p, t);
}

static bool pull (struct p *p, struct g *g)
{
	struct g *next = atomic_load_explicit (&p->runnext, memory_order_relaxed);

	if (next != g)
		return goad__runq_pull (&p->runq, g, goad__sched.alone);
	if (!goad__sched.alone)
		/* [ord:runnext] */
		return atomic_compare_exchange_strong_explicit (&p->runnext, &next, NULL,
		                                                memory_order_acquire, memory_order_relaxed);
	atomic_store_explicit (&p->runnext, NULL, memory_order_relaxed);
	return true;
}

__attribute__ ((always_inline)) static inline void go_direct (struct m *m, struct g *g,
                                                              struct g *to, uint64_t t,
                                                              enum after after)
{
	struct p *p = m->p;

	g->hog = 0; /* it waits, or ends */
	GOAD__PROBE (go_stop, g->id);
	if (goad__tracing ())
		trace_left (after == AFTER_EXIT ? AFTER_EXIT : AFTER_PARK, g, t, to);
	goad__p_leave (p, g, t);
	m->after = after;
	m->after_g = g;
	goad__p_enter (p, to, t, true);
	switch_to (m, g, to, after == AFTER_EXIT);
}

bool goad__sched_run_child (struct g *child, struct waiter *w)
{
	struct m *m = goad__m ();
	struct p *p = goad__own_p (m);
	struct g *g = m->curg;
	uintptr_t none = JOIN_NONE;
	uint64_t t;

	if (!p || goad__g_get (&child->slices) > 0 || goad__g_state (child) != G_RUNNABLE)
		return false;
	goad__fp_save (&g->fp);
	t = goad__p_time (p);
	if (!may_go_direct (p, g, t) || !pull (p, child))
		return false;
	w->g = g;
	if (unlikely (!atomic_compare_exchange_strong_explicit (&child->join, &none,
	                                                        (uintptr_t) w | JOIN_DIRECT,
	                                                        memory_order_acq_rel,
	                                                        memory_order_relaxed))) {
		goad__runnext_put (p, child); /* the long way tells what is wrong */
		goad__sched_wake ();
		return false;
	}
	goad__g_waits (g, "join", child);
	goad__g_transit (g, G_RUNNING, G_WAITING);
	go_direct (m, g, child, t, AFTER_NOTHING);
	return true;
}

/* g ends: if somebody waits for that who ran it directly, to him. */
static inline void exit_to_joiner (struct m *m, struct g *g)
{
	/* [ord:join] */
	uintptr_t j = atomic_load_explicit (&g->join, memory_order_acquire);
	struct p *p = m->p;
	struct g *to;
	uint64_t t;

	goad__fp_save (&g->fp);
	if (j <= JOIN_DETACHED || !(j & JOIN_DIRECT))
		return;
	to = ((const struct waiter *) (j & ~JOIN_DIRECT))->g;
	t = goad__p_time (p);
	if (!may_go_direct (p, g, t))
		return;
	if (to->vruntime < g->vruntime)
		to->vruntime = g->vruntime; /* as in leave */
	goad__g_set (&to->ready_at, t);
	goad__g_transit (to, G_WAITING, G_RUNNABLE);
	go_direct (m, g, to, t, AFTER_EXIT);
}

_Noreturn void goad__sched_exit (void)
{
	goad__pin ();
	struct m *m = goad__m ();
	if (unlikely (!m))
		goad__fatal ("a coroutine ended in a child of fork, which may only exec or _exit");
	if (unlikely (atomic_load_explicit (&m->slow, memory_order_acquire))) {
		goad__need_p ();
		m = goad__m ();
	}
	__builtin_prefetch (m->curg->stack, 1); /* it goes into a list soon */
	exit_to_joiner (m, m->curg);
	leave (m, m->curg, AFTER_EXIT);
	__builtin_unreachable ();
}

/* Like leave, but it is g0 that decides what becomes of the coroutine; until then
 * it is still in its slice. */
void goad__sched_preempted (void)
{
	struct m *m = goad__m ();

	m->after = AFTER_PREEMPT;
	m->after_g = m->curg;
	switch_to_g0 (m, m->curg, false);
}

/* Back from a block and no P to be had: g0 queues it. */
void goad__sched_return (struct m *m, struct g *g)
{
	goad__fp_save (&g->fp);
	m->after = AFTER_BLOCK;
	m->after_g = g;
	switch_to_g0 (m, g, false);
}

/* The first C function on a coroutine's stack.  After it comes goad__sched_exit. */
void goad__g_main (struct g *g)
{
	goad__san_arrive (&g->san, NULL);
	finish (goad__m ());
	goad__unpin ();
	g->fn (g->arg);
	goad__compiler_barrier (); /* its frame stays, and says where every coroutine begins */
}

static void run (struct m *m, struct g *g)
{
	struct goad__fp now;

	goad__fp_save (&now); /* g0 has whatever the last one left */
	goad__fp_switch (&now, &g->fp);
	m->curg = g;
	goad__set_g (g);
	goad__swap_cxa (m, NULL, g);
	goad__san_leave (&m->san, &g->san, false);
	goad__switch (&m->g0_sp, g->sp);
	goad__san_arrive (&m->san, NULL);
}

void goad__sched_loop (void)
{
	struct m *m = goad__m (); /* g0 stays on its thread */
	struct goad__fp mine, last;
	struct cxa_globals caught = { 0 }; /* goad_main may be called in a catch block */

	goad__fp_save (&mine);
	if (m->cxa)
		caught = *(struct cxa_globals *) m->cxa;

	for (;;) {
		bool inherit = false;
		struct g *g = m->after_g;

		if (finish (m)) {
			run (m, g);
			continue;
		}
		if (unlikely (m->locked_g || m->leaving)) {
			g = goad__locked_next (m);
			if (g) {
				run (m, g);
				continue;
			}
		} else {
			g = goad__find (m, &inherit);
		}
		if (!g) {
			goad__fp_save (&last);
			goad__fp_switch (&last, &mine);
			if (m->cxa)
				*(struct cxa_globals *) m->cxa = caught;
			return;
		}
		if (unlikely (g->bound && g->bound != m)) {
			goad__handoff_resume (m, g);
			continue;
		}
		goad__g_transit (g, G_RUNNABLE, G_RUNNING);
		goad__p_enter (m->p, g, m->p->stamp, inherit);
		run (m, g);
	}
}
