/* SPDX-License-Identifier: MIT */
/* Stopping the world: no coroutine runs but, if it is one, the caller.
 *
 * Go's stopTheWorldWithSema (proc.go), with one difference: who is stopped is not queued,
 * and goes on in its slice.  It is handed off (handoff.c), only that its P goes to no
 * other M, but is kept with it until the world starts.
 *
 *	stop          under lock: the flag; idle Ps are taken off their list; the rest count
 *	              as stop_left.  Who runs is asked by signal, again and again, until
 *	              stop_left is 0
 *	on g0         the flag is looked at before work is looked for: the P goes idle, which
 *	              while the world stops means to the stopper (goad__pidle_put)
 *	in the handler, on the way out of the runtime, before the frames are judged:
 *	              goad__world_halt
 *	start         Ps that hold a halted M go back to it, the others become idle
 *
 * The flag is looked at without the lock, and so may be seen late or be over: halting
 * and idling look again under the lock; and who missed it gets the next signal.  Every P
 * is counted once: it leaves stop_left when it is stopped, and only its M, or a path that
 * has it in hand, can do that.  A P on its way to an M is not stopped: it comes to g0 or
 * to a coroutine, where the flag or the next signal meets it.
 *
 * What cannot be stopped is waited for: preemption disabled, and the modes COOP and OFF
 * until their next call.  Who is in the kernel, whatever his mode, may sleep there for a
 * lock whose holder has stopped already: the stopper takes the P of an announced block at
 * once (goad__block_seize), sysmon that of a thread that it finds asleep.  Such a thread may
 * come back and run without a P while the world is stopped.
 *
 * One at a time.  A coroutine that has to wait for its turn parks, and so stops like any
 * other; a thread without a P sleeps.  The turn is handed on directly, in order.
 */
#include <errno.h>

#include "base/futex.h"
#include "sched/account.h"
#include "sched/sched.h"

#define FIRST_PAUSE UINT64_C (100000) /* ns, between two rounds of signals; doubles */
#define LAST_PAUSE UINT64_C (2000000)

/* Who waits to stop the world; on its stack. */
struct turn {
	struct waiter w;
	struct turn *next;
};

static void ask_nobody (struct p *p)
{
	(void) p;
}

void (*goad__stop_hook) (struct p *p) = ask_nobody;

static bool take_turn (struct turn *t)
{
	struct sched *s = &goad__sched;
	bool now;

	goad__spin_lock (&s->lock);
	now = !s->world_busy;
	s->world_busy = true;
	if (!now && t) {
		if (s->turn_last)
			s->turn_last->next = t;
		else
			s->turn_first = t;
		s->turn_last = t;
	}
	goad__spin_unlock (&s->lock);
	return now;
}

static bool commit_turn (struct g *g, void *arg)
{
	(void) g;
	return !take_turn (arg);
}

/* (switches) */
static bool await_turn (bool wait)
{
	struct turn t = { .w = { .g = goad__g () } };

	if (!wait)
		return take_turn (NULL);
	if (t.w.g) {
		goad__g_waits (t.w.g, "its turn to stop the world", NULL);
		goad__sched_park (commit_turn, &t);
	} else if (!take_turn (&t)) {
		while (atomic_load_explicit (&t.w.word, memory_order_acquire) == 0)
			goad__futex_wait (&t.w.word, 0, UINT64_MAX);
	}
	return true;
}

/* Under lock: who comes next has it. */
static struct turn *next_turn (void)
{
	struct sched *s = &goad__sched;
	struct turn *t = s->turn_first;

	if (t) {
		s->turn_first = t->next;
		if (!s->turn_first)
			s->turn_last = NULL;
	} else {
		s->world_busy = false;
	}
	return t;
}

static void wake_turn (struct turn *t)
{
	if (!t)
		return;
	if (t->w.g) {
		goad__ready (t->w.g);
		return;
	}
	atomic_store_explicit (&t->w.word, 1, memory_order_release);
	goad__wake_foreign (&t->w);
}

void goad__world_take (struct p *p)
{
	struct sched *s = &goad__sched;

	atomic_store_explicit (&p->state, P_STOPPED, memory_order_relaxed);
	if (--s->stop_left == 0) { /* [ord:world] */
		atomic_store_explicit (&s->stopped, 1, memory_order_release);
		goad__futex_wake (&s->stopped, 1);
	}
}

/* Ps that announced blocks have left behind.  Under lock. */
static void seize (void)
{
	struct sched *s = &goad__sched;

	for (int i = 0; i < s->nprocs; i++)
		goad__block_seize (&s->p[i]);
}

static void raise_flag (struct p *own)
{
	struct sched *s = &goad__sched;
	uint32_t left = (uint32_t) s->nprocs - (own != NULL);

	goad__trace_0 (world_stop, goad__now ());

	goad__spin_lock (&s->lock);
	for (struct p *p; (p = goad__pidle_get ()); left--)
		atomic_store_explicit (&p->state, P_STOPPED, memory_order_relaxed);
	atomic_store_explicit (&s->stop, 1, memory_order_relaxed);
	atomic_store_explicit (&s->slow, 1, memory_order_relaxed);
	s->stop_left = left;
	atomic_store_explicit (&s->stopped, left == 0, memory_order_relaxed);
	seize ();
	goad__spin_unlock (&s->lock);
}

/* Who blocks without a word, and stays there whatever the signal, loses his P to sysmon,
 * which takes a slice for over while the world is to stop, and the stopper for one who
 * waits (runtime/monitor.c). */
static void ask_all (const struct p *own)
{
	struct sched *s = &goad__sched;

	goad__spin_lock (&s->lock);
	seize (); /* blocks that have begun since */
	goad__spin_unlock (&s->lock);
	for (int i = 0; i < s->nprocs; i++)
		if (&s->p[i] != own)
			goad__stop_hook (&s->p[i]);
}

int goad__world_stop (uint64_t deadline)
{
	struct sched *s = &goad__sched;
	uint64_t pause = FIRST_PAUSE;
	struct p *own;

	if (!await_turn (deadline == UINT64_MAX))
		return -ETIMEDOUT;
	own = goad__own_p (goad__m ());
	raise_flag (own);
	/* [ord:world] acquire: what those did who have stopped */
	while (atomic_load_explicit (&s->stopped, memory_order_acquire) == 0) {
		uint64_t now = goad__now ();
		if (now >= deadline) {
			goad__world_start ();
			return -ETIMEDOUT;
		}
		ask_all (own);
		if (pause > FIRST_PAUSE)
			goad__sysmon_wake ();
		goad__futex_wait (&s->stopped, 0, goad__min64 (now + pause, deadline));
		pause = goad__min64 (2 * pause, LAST_PAUSE);
	}
	if (atomic_load_explicit (&s->done, memory_order_acquire)) {
		goad__world_start ();
		return -EPERM;
	}
	goad__trace_0 (world_stopped, goad__now ());
	return 0;
}

void goad__world_halt (struct m *m, struct g *g)
{
	struct sched *s = &goad__sched;
	struct p *p = m->p;
	uint64_t t = goad__p_time_exact (p);

	goad__spin_lock (&s->lock);
	if (!goad__stopping ()) {
		goad__spin_unlock (&s->lock);
		return;
	}
	goad__trace_leaves (EV_go_halt, t, g, NULL);
	goad__p_leave (p, g, t);
	goad__g_set (&g->ready_at, t);
	g->bound = m;
	goad__g_transit (g, G_RUNNING, G_RUNNABLE);
	m->halted_g = g;
	m->halt_ran = t - atomic_load_explicit (&p->slice_start, memory_order_relaxed);
	p->halted = m;
	goad__release_p (m);
	goad__world_take (p);
	goad__spin_unlock (&s->lock);
	goad__m_wait (m);
	goad__handoff_resumed (m, g);
	/* [ord:slice] the slice looks younger for a moment, which does no harm. */
	atomic_store_explicit (&m->p->slice_start, m->p->stamp - m->halt_ran, memory_order_relaxed);
}

void goad__world_displace (struct p *p)
{
	struct m *m = p->halted;

	if (!m)
		return;
	p->halted = NULL;
	m->halt_ran = 0;
	goad__fair_put (m->halted_g);
}

/* Under lock.  Each P goes to who halted there, or becomes idle; the stopper's runs. */
static void hand_out (void)
{
	struct sched *s = &goad__sched;

	for (int i = 0; i < s->nprocs; i++) {
		struct p *p = &s->p[i];
		struct m *m = p->halted;

		if (atomic_load_explicit (&p->state, memory_order_relaxed) != P_STOPPED)
			continue;
		if (m) {
			p->halted = NULL;
			atomic_store_explicit (&p->state, P_RUNNING, memory_order_relaxed);
			goad__m_give (m, p);
		} else {
			goad__pidle_put (p);
		}
	}
}

void goad__world_start (void)
{
	struct sched *s = &goad__sched;
	struct turn *next;
	bool waits;

	goad__trace_0 (world_start, goad__now ());
	goad__spin_lock (&s->lock);
	atomic_store_explicit (&s->stop, 0, memory_order_relaxed);
	atomic_store_explicit (&s->slow, s->chaos != 0, memory_order_relaxed);
	hand_out ();
	waits = goad__work_somewhere ();
	next = next_turn ();
	if (!next || !next->w.g)
		goad__idle_settle (); /* nobody did while the world was stopped */
	goad__spin_unlock (&s->lock);
	wake_turn (next);
	if (waits) {
		/* [ord:idle-recheck] */
		atomic_thread_fence (memory_order_seq_cst);
		goad__sched_wake ();
	}
	goad__sysmon_wake (); /* slices go on that it has not seen, on Ps it may not know */
}
