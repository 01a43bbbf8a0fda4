/* SPDX-License-Identifier: MIT */
/* The invariants of the whole runtime, checked at its quiet points:
 *
 *	each coroutine is in one place: RUNNABLE in one queue, WAITING, DEAD or IDLE in none
 *	nobody is RUNNING: the coroutine, the M and the P would have to name each other
 *	who is blocked in the kernel is counted
 *	one that is locked to an M is bound to it, and the M to it
 *	the lists are as long as their counts say, and the heap of the preempted is one
 *	spawned less ended is what is alive
 *
 * A foreign thread, or sysmon with a sleeper, makes a coroutine RUNNABLE just before it
 * has the lock to queue it.  So one that is in no queue is a stray, and wrong only when
 * it is still one long after.  The same with the count of a spawn of theirs.
 */
#include "runtime/check.h"

#ifdef GOAD_DEBUG_BUILD

#include "base/clock.h"
#include "base/fatal.h"
#include "core/stack.h"
#include "runtime/runtime.h"

#define STRAY_AGE UINT64_C (10000000000) /* ns: a host that runs nobody may take seconds */
#define SHARE 20                         /* one part in twenty of the time is for checks */

#define wrong(cond, ...) goad__check (!(cond), "the world is wrong: " __VA_ARGS__)

static _Atomic uint64_t checks;

/* Under the scheduler's lock. */
static struct {
	uint32_t round;
	uint64_t next; /* when the next check by itself may be */
	uint64_t queued, alive, strays, dead, blocked;
	uint32_t bound, locked; /* in the fair queue; of all */
	const struct g *stray;  /* one of them, what it was, and since when */
	uint64_t stray_id, stray_slices, stray_since;
	bool stray_seen;
} w;

static void seen_in_queue (struct g *g, const char *queue)
{
	enum g_state st = goad__g_state (g);

	wrong (st != G_RUNNABLE, "coroutine %lu in the %s queue is %s", (unsigned long) g->id, queue,
	       goad__g_state_name (st));
	wrong (g->seen == w.round, "coroutine %lu is in two places, the %s queue is one",
	       (unsigned long) g->id, queue);
	g->seen = w.round;
	w.queued++;
}

/* The pairing heap without recursion: down the children, then along the siblings, with
 * the way back kept in `next`, which is unused in this queue. */
static uint32_t walk_heap (struct g *root)
{
	uint32_t n = 0;

	wrong (root && root->fair_sibling, "the root of the preempted has a sibling");
	if (root)
		root->next = NULL;
	for (struct g *g = root; g;) {
		struct g *rest = g->next;
		struct g *child = g->fair_child;
		seen_in_queue (g, "fair");
		n++;
		w.bound += g->bound != NULL;
		wrong (child && child->vruntime < g->vruntime, "the heap of the preempted is none");
		if (g->fair_sibling) {
			g->fair_sibling->next = rest;
			rest = g->fair_sibling;
		}
		if (child)
			child->next = rest;
		g->next = NULL;
		g = child ? child : rest;
	}
	return n;
}

static uint32_t walk_batch (const struct gbatch *b)
{
	struct g *last = NULL;
	uint32_t n = 0;

	for (struct g *g = b->first; g; g = g->next, n++) {
		seen_in_queue (g, "global");
		wrong (g->bound, "coroutine %lu is bound, but in the global queue", (unsigned long) g->id);
		last = g;
	}
	wrong (n != b->n || last != b->last, "%u in the global queue, not %u", n, b->n);
	return n;
}

static void global_queues (void)
{
	struct sched *s = &goad__sched;
	uint32_t n = 0;

	for (uint32_t i = 0; i < s->spilled.used; i++)
		n += walk_batch (&s->spilled.batch[(s->spilled.bottom + i) % SPILLED_MOST].g);
	wrong (n != s->spilled.n, "%u have spilled, not %u", n, s->spilled.n);
	n += walk_batch (&s->globq);
	wrong (n != s->nglobal, "the global queues have %u, nglobal is %u", n, s->nglobal);
	w.bound = 0;
	n = walk_heap (s->fairq.root);
	wrong (w.bound != s->fairq.nbound, "%u bound in the fair queue, not %u", w.bound,
	       s->fairq.nbound);
	wrong (n != s->fairq.n, "%u in the fair queue, not %u", n, s->fairq.n);
}

static void idle_p (const struct p *p)
{
	wrong (p->state != P_IDLE, "P%d is on the idle list and runs", p->id);
	wrong (p->m, "P%d is idle, and an M has it", p->id);
	wrong (p->curg_id, "P%d is idle, and coroutine %lu runs there", p->id,
	       (unsigned long) p->curg_id);
	wrong (p->runnext || goad__runq_len (&p->runq), "P%d is idle, and its queue is not empty",
	       p->id);
}

static void idle_lists (void)
{
	struct sched *s = &goad__sched;
	uint32_t n = 0;

	for (const struct p *p = s->pidle; p && n <= (uint32_t) s->nprocs; p = p->idle_next, n++)
		idle_p (p);
	wrong (n != s->npidle, "%u or more on the list of idle Ps, not %u", n, s->npidle);
	n = 0;
	for (const struct m *m = s->midle; m && n <= s->nm; m = m->idle_next, n++)
		wrong (m->p || m->curg || m->locked_g || m->leaving || m->life != M_LIVE,
		       "M%d is idle, but has a P or a coroutine, or is none for others", m->id);
	wrong (n != s->nmidle, "%u or more on the list of idle Ms, not %u", n, s->nmidle);
}

/* One that is blocked in the kernel keeps its thread, and one that was handed off does
 * while it waits. */
static bool waits_there (const struct m *m)
{
	enum g_state st = goad__g_state (m->curg);

	return st == G_SYSCALL || (m->curg->bound == m && st == G_RUNNABLE);
}

/* The maker counts a thread just before it makes it. */
static void threads (void)
{
	struct sched *s = &goad__sched;
	uint32_t n = 0;
	uint32_t locked = 0;

	w.locked = 0;
	for (const struct m *m = s->allm; m; m = m->all_next) {
		n += m->life != M_FREE;
		locked += m->life != M_FREE && (m->locked_g || m->leaving);
		w.locked += m->locked_g != NULL;
		wrong (m->p || (m->curg && !waits_there (m)),
		       "all Ps are idle, but M%d has one, or a coroutine that is not blocked", m->id);
		wrong (m->locked_g && m->locked_g->bound != m, "M%d has a coroutine that has not it",
		       m->id);
	}
	wrong (n > s->nm || n + 1 < s->nm, "%u threads, not %u", n, s->nm);
	wrong (locked != s->nm_locked, "%u threads serve one coroutine or none, not %u", locked,
	       s->nm_locked);
}

static void note_stray (const struct g *g)
{
	w.strays++;
	if (g == w.stray && g->id == w.stray_id && g->slices == w.stray_slices) {
		w.stray_seen = true;
		wrong (goad__now () - w.stray_since > STRAY_AGE,
		       "coroutine %lu is runnable and in no queue", (unsigned long) g->id);
	} else if (!w.stray_seen && w.strays == 1) {
		w.stray = g;
		w.stray_id = g->id;
		w.stray_slices = g->slices;
		w.stray_since = goad__now ();
	}
}

static void look_at (struct slot slot)
{
	const struct g *g = goad__stack_room (goad__stack_of (slot));
	enum g_state st = goad__g_state (g);

	if (g->locked && st != G_IDLE && st != G_DEAD && goad__sched.allm) {
		w.locked--;
		wrong (!g->bound || g->bound->locked_g != g, "coroutine %lu is locked to no thread",
		       (unsigned long) g->id);
	}
	switch (st) {
	case G_IDLE:
		break;
	case G_DEAD:
		w.dead++;
		break;
	case G_RUNNABLE:
		w.alive++;
		if (g->seen != w.round)
			note_stray (g);
		break;
	case G_WAITING:
		w.alive++;
		break;
	case G_SYSCALL:
		w.alive++;
		w.blocked++;
		break;
	case G_RUNNING:
	default:
		wrong (true, "all Ps are idle, but coroutine %lu is %s", (unsigned long) g->id,
		       goad__g_state_name (st));
	}
}

/* Under the lock, all Ps idle or all threads gone. */
static void everybody (void)
{
	uint64_t said;

	if (++w.round == 0)
		w.round = 1; /* 0: never seen */
	w.queued = w.alive = w.strays = w.dead = w.blocked = 0;
	w.stray_seen = false;
	global_queues ();
	goad__slab_each_taken (look_at);
	if (!w.stray_seen && w.strays == 0)
		w.stray = NULL;
	wrong ((int64_t) w.blocked != goad__sched.nblocked,
	       "%lu coroutines are blocked without a P, the counter says %d", (unsigned long) w.blocked,
	       goad__sched.nblocked);
	/* A foreign spawn counts itself after it made its coroutine, a foreign end never is. */
	said = goad__alive ();
	wrong (w.alive < said || w.alive > said + w.strays,
	       "%lu coroutines are there, %lu of them strays; the counters say %lu",
	       (unsigned long) w.alive, (unsigned long) w.strays, (unsigned long) said);
}

static bool quiet (void)
{
	return goad__sched.npidle == (uint32_t) goad__sched.nprocs;
}

/* The hook: under the lock, all Ps idle. */
static void at_idle (void)
{
	uint64_t now = goad__now ();

	if (now < w.next)
		return;
	idle_lists ();
	threads ();
	everybody ();
	wrong (w.locked, "threads have coroutines that are not theirs");
	w.next = goad__now () + (goad__now () - now) * SHARE;
	atomic_fetch_add (&checks, 1);
}

void goad__check_world (void)
{
	goad__spin_lock (&goad__sched.lock);
	if (quiet ()) {
		w.next = 0;
		at_idle ();
	} else {
		++w.round;
		global_queues ();
		idle_lists ();
	}
	goad__spin_unlock (&goad__sched.lock);
}

void goad__check_ended (void)
{
	everybody ();
	wrong (w.strays, "the runtime has ended, and coroutine %lu is runnable in no queue",
	       (unsigned long) w.stray_id);
	wrong (w.alive && !goad__sched.deadlocked, "the runtime has ended, with %lu coroutines alive",
	       (unsigned long) w.alive);
}

uint64_t goad__check_count (void)
{
	return atomic_load (&checks);
}

/* A holder of a lock is never preempted: it is pinned, or no M at all. */
static void may_lock (void)
{
	wrong (goad__m () && !goad__pinned (), "a lock is taken by an M that may be preempted");
}

void goad__check_init (void)
{
	goad__lock_hook = may_lock;
	w.next = 0;
	w.stray = NULL;
	goad__world_hook = at_idle;
}

#endif
