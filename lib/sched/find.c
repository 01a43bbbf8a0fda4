/* SPDX-License-Identifier: MIT */
/* Where the next coroutine comes from: Go's findRunnable (proc.go).
 *
 * Order: own timers that are due; the hogs when it is their turn (sched/feedback.h); the
 * global queue when it is its turn; runnext; the own queue; the global queue; other Ps;
 * other Ps' timers; the other sources (source.h); the hogs; and then sleep.  Without
 * feedback hogs count to the global queues, and come before other Ps.
 *
 * Their turn is each 61st pick, when the slice has expired (what shares a slice by
 * runnext must not keep the rest waiting), and when they were not looked at for a
 * quantum while somebody waited there: 61 picks can be 61 quanta.  Go has the first
 * only.  The own queue must not starve either: after a global one it goes first.
 */
#include "sched/account.h"
#include "sched/expect.h"
#include "sched/feedback.h"
#include "sched/sched.h"
#include "sched/source.h"

static uint32_t no_timers (struct p *p, uint64_t now)
{
	(void) p, (void) now;
	return 0;
}

uint32_t (*goad__timers_hook) (struct p *p, uint64_t now) = no_timers;

/* A batch of most at most; of those that have not run few while later ones like them wait,
 * as each may be the root of a tree: see spill.c.  rest is empty.  Under lock. */
static struct g *take_globq (struct gbatch *rest, uint32_t most)
{
	struct sched *s = &goad__sched;
	uint32_t n = s->globq.n / (uint32_t) s->nprocs + 1;
	uint32_t roots = s->spilled.used ? SPILLED_ROOTS : UINT32_MAX;

	if (n > most)
		n = most;
	while (rest->n < n && s->globq.n > 0 && roots > 0) {
		struct g *g = gbatch_take (&s->globq);
		roots -= goad__g_get (&g->slices) == 0;
		gbatch_add (rest, g);
	}
	atomic_store_explicit (&s->nglobal, s->globq.n + s->spilled.n, memory_order_relaxed);
	return gbatch_take (rest);
}

/* One of the preempted, or of the others one, or a batch of most at most: in turn when
 * both wait; with feedback of the others only.  Under lock. */
static struct g *take_global (struct p *p, struct gbatch *rest, uint32_t most)
{
	struct sched *s = &goad__sched;
	uint32_t n;
	bool fair;

	goad__spilled_age (p->stamp);
	n = s->globq.n;
	fair = !s->granularity && s->fairq.root && (n + s->spilled.n == 0 || (p->global_turn++ & 1));
	if (fair)
		return goad__fairq_take (&s->fairq);
	if (most > 1 && (n == 0 || (++p->spill_turn & 1)) && goad__spilled_take (rest))
		return gbatch_take (rest);
	return n > 0 ? take_globq (rest, most) : NULL;
}

/* In the queues that find_global serves. */
static bool global_waits (void)
{
	if (goad__sched.granularity)
		return atomic_load_explicit (&goad__sched.nglobal, memory_order_relaxed) > 0;
	return goad__global_waits ();
}

/* A batch is for an empty own queue.  In its turn the global queue gives one only: the
 * rest would push others out of the own queue, and with a million of them each pick
 * would carry some to and fro, each in a page that is in no cache. */
static struct g *find_global (struct p *p, uint32_t most)
{
	struct gbatch rest = { 0 };
	struct g *g, *r;

	p->fair_at = p->stamp;
	p->global_last = true;
	if (!global_waits ())
		return NULL;
	goad__spin_lock (&goad__sched.lock);
	g = take_global (p, &rest, most);
	goad__spin_unlock (&goad__sched.lock);
	while ((r = gbatch_take (&rest))) {
		if (p->crowd)
			goad__expect_late (r);
		goad__runq_put_or_spill (p, r);
	}
	return g;
}

static struct g *find_hog (void)
{
	struct g *g;

	if (!goad__sched.granularity ||
	    atomic_load_explicit (&goad__sched.fairq.n, memory_order_relaxed) == 0)
		return NULL;
	goad__spin_lock (&goad__sched.lock);
	g = goad__fairq_take (&goad__sched.fairq);
	goad__spin_unlock (&goad__sched.lock);
	return g;
}

static struct g *find_own (struct p *p, bool *inherit)
{
	struct g *g = goad__runnext_take (p);

	if (g && goad__chaos () && goad__random_below (&p->rng, 2)) {
		goad__runq_put_or_spill (p, g);
		goad__pay (p);
		g = NULL;
	}
	goad__owe_nothing (p);
	if (g) {
		*inherit = true;
		return g;
	}
	g = goad__runq_get (&p->runq);
	if (goad__chaos () && g && goad__random_below (&p->rng, 3) == 0) { /* another order */
		goad__runq_put_or_spill (p, g);
		g = goad__runq_get (&p->runq);
	}
	return g;
}

/* Whether the global queues hold nobody but who was just preempted here, while the own
 * queue holds somebody: taking that one would be no preemption. */
static bool only_just_preempted (struct p *p)
{
	const struct g *root = __atomic_load_n (&goad__sched.fairq.root, __ATOMIC_RELAXED);

	return root == p->just && root &&
	       atomic_load_explicit (&goad__sched.fairq.n, memory_order_relaxed) == 1 &&
	       atomic_load_explicit (&goad__sched.nglobal, memory_order_relaxed) == 0 &&
	       (goad__runq_len (&p->runq) > 0 ||
	        atomic_load_explicit (&p->runnext, memory_order_relaxed));
}

static bool global_turn (struct p *p, uint64_t t)
{
	bool due = p->global_due;

	if (goad__without (GOAD_F_NO_GLOBAL_TICK))
		return false;
	p->global_due = false;
	if (--p->picks == 0) {
		p->picks = GOAD__GLOBAL_EVERY;
		due = true;
	}
	if (!p->global_last && (goad__p_expired (p) || t - p->fair_at > goad__sched.quantum))
		due = true;
	if (goad__chaos ())
		return goad__random_below (&p->rng, 2) != 0;
	return due && !only_just_preempted (p);
}

static void wake_for_timers (void)
{
	/* [ord:idle-recheck] */
	atomic_thread_fence (memory_order_seq_cst);
	goad__sched_wake ();
}

/* Who is due goes into the global queue.  If that is one, and nobody else waits, this
 * look takes it, and nobody need be woken for it. */
static void run_timers (struct p *p, uint64_t t)
{
	bool others = goad__someone_waits (p);
	uint32_t n = goad__timers_hook (p, t);

	if (n > 1 || (n == 1 && others))
		wake_for_timers ();
}

/* m would go idle: what is due with other Ps, which may be idle or run a hog. */
static struct g *steal_timers (struct p *p)
{
	uint32_t used = atomic_load_explicit (&goad__sched.ntimers, memory_order_relaxed);
	uint32_t n = 0;

	for (uint32_t i = 0; i < used; i++) {
		struct p *victim = &goad__sched.p[i];
		if (atomic_load_explicit (&victim->next_timer, memory_order_relaxed) <= p->stamp)
			n += goad__timers_hook (victim, p->stamp);
	}
	if (n > 1)
		wake_for_timers ();
	return n ? find_global (p, RUNQ_SIZE / 2) : NULL;
}

/* Where the clock was read: until p->look_at there is no need to ask.  Nobody changes
 * that when somebody comes while nobody waits; so it is not far away. */
bool goad__turn_is_due (struct p *p, uint64_t t)
{
	struct sched *s = &goad__sched;
	uint64_t soon = s->quantum / 32;

	p->crowd = goad__alive () > CROWD;
	if (t - p->fair_at > s->quantum && global_waits ())
		return true;
	if (s->granularity && goad__hogs_turn (p, t))
		return true;
	if (p->fair_at + s->quantum - t < soon)
		soon = p->fair_at + s->quantum - t;
	if (p->hog_turn_at - t < soon)
		soon = p->hog_turn_at - t;
	p->look_at = t + soon;
	return false;
}

/* The hogs' turn: who shares the slice that is over for them goes behind the rest. */
static struct g *find_due_hog (struct p *p, uint64_t t)
{
	if (!goad__sched.granularity || !goad__hogs_turn (p, t) || only_just_preempted (p))
		return NULL;
	goad__runnext_kick (p);
	return find_hog ();
}

/* Fresh work of this P, of all, of others; then hogs. */
static struct g *find_fresh_first (struct m *m, bool *inherit)
{
	struct g *g = find_own (m->p, inherit);

	if (!g)
		g = find_global (m->p, RUNQ_SIZE / 2);
	if (!g && goad__sched.granularity) {
		if (goad__fresh_waits (m->p))
			g = goad__steal (m);
		if (!g)
			g = steal_timers (m->p);
		if (!g)
			g = find_hog ();
	}
	if (!g)
		g = goad__steal (m);
	return g ? g : steal_timers (m->p);
}

/* Everything but sleeping. */
static struct g *look (struct m *m, bool *inherit)
{
	struct p *p = m->p;
	uint64_t t = goad__p_time_exact (p);
	struct g *g;

	*inherit = false;
	if (t >= atomic_load_explicit (&p->next_timer, memory_order_relaxed))
		run_timers (p, t);
	g = find_due_hog (p, t);
	if (g)
		return g;
	if (global_turn (p, t)) {
		g = find_global (p, 1);
		if (g)
			return g;
	}
	p->global_last = false;
	p->just = NULL; /* passed over once */
	return find_fresh_first (m, inherit);
}

/* m found work: if it was the one that looked for all, somebody else must look now. */
static void stop_spinning (struct m *m)
{
	if (!m->spinning)
		return;
	m->spinning = false;
	atomic_fetch_sub_explicit (&goad__sched.nmspinning, 1, memory_order_seq_cst);
	goad__sched_wake_old ();
}

struct g *goad__find (struct m *m, bool *inherit)
{
	for (;;) {
		struct g *g;

		if (atomic_load_explicit (&goad__sched.done, memory_order_acquire))
			return NULL;
		if (m->leaving)
			return NULL;
		if (!m->p) { /* its P went with a bound coroutine */
			goad__idle_park (m);
			continue;
		}
		if (goad__stopping ()) { /* work is found where it is when the world goes on */
			goad__idle (m);
			continue;
		}
		g = look (m, inherit);
		if (g) {
			stop_spinning (m);
			return g;
		}
		if (!goad__sources_poll ())
			goad__idle (m);
	}
}
