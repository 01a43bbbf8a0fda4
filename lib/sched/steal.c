/* SPDX-License-Identifier: MIT */
/* Taking work from another P: Go's stealWork and runqsteal (proc.go).
 *
 * Four rounds over all Ps from a random start with a random stride coprime to their
 * number, so that thieves spread.  Half of the queue is taken.  runnext only in the
 * last round, and only if its owner leaves it there and goes on with another for 3 us: else
 * it is about to be run there, and moving it would make a ping-pong pair bounce between
 * threads.  The age of the slice would not tell: such a pair shares one slice.
 */
#include "base/clock.h"
#include "sched/account.h"
#include "sched/sched.h"

#define ROUNDS 4
#define RUNNEXT_AGE 3000u /* ns */

static uint32_t gcd (uint32_t a, uint32_t b)
{
	while (b) {
		uint32_t t = a % b;
		a = b;
		b = t;
	}
	return a;
}

/* Whether the victim leaves it in runnext while it runs one other, for 3 us from now. */
static bool stays (struct p *me, struct p *victim)
{
	const struct g *next = atomic_load_explicit (&victim->runnext, memory_order_relaxed);
	uint64_t n = atomic_load_explicit (&victim->n_switches, memory_order_relaxed);
	uint64_t until = me->stamp + RUNNEXT_AGE;

	while (atomic_load_explicit (&victim->state, memory_order_relaxed) == P_RUNNING) {
		if (!next || atomic_load_explicit (&victim->runnext, memory_order_relaxed) != next ||
		    atomic_load_explicit (&victim->n_switches, memory_order_relaxed) != n)
			return false;
		if (goad__p_time_exact (me) >= until)
			return true;
		goad__cpu_relax ();
	}
	return true;
}

static struct g *steal_from (struct p *me, struct p *victim, bool last)
{
	struct gbatch got = { 0 };
	struct g *g;

	goad__runq_grab (&victim->runq, &got, RUNQ_SIZE / 2);
	uint32_t n = got.n ? got.n : 1;
	g = gbatch_take (&got);
	if (!g && last && goad__p_offers (victim) && stays (me, victim))
		g = goad__runnext_take (victim);
	for (struct g *r; (r = gbatch_take (&got));)
		goad__runq_put_or_spill (me, r);
	if (g) {
		goad__count (&me->n_steals, 1);
		goad__trace_n (steal, me->stamp, (uint64_t) victim->id + 1, n);
	}
	return g;
}

/* At most half of the busy Ps' number of Ms look at a time: more would only fight. */
static bool may_spin (struct m *m)
{
	struct sched *s = &goad__sched;
	uint32_t busy = (uint32_t) s->nprocs - atomic_load_explicit (&s->npidle, memory_order_relaxed);

	if (m->spinning)
		return true;
	if (2 * atomic_load_explicit (&s->nmspinning, memory_order_relaxed) >= busy)
		return false;
	m->spinning = true;
	atomic_fetch_add_explicit (&s->nmspinning, 1, memory_order_seq_cst);
	return true;
}

struct g *goad__steal (struct m *m)
{
	struct p *me = m->p;
	uint32_t n = (uint32_t) goad__sched.nprocs;

	if (n == 1 || !may_spin (m))
		return NULL;
	for (int round = 0; round < ROUNDS; round++) {
		uint32_t at = goad__random_below (&me->rng, n);
		uint32_t stride = goad__random_below (&me->rng, n) + 1;
		while (gcd (stride, n) != 1)
			stride = stride % n + 1;
		if (round == ROUNDS - 1)
			goad__p_time_exact (me);
		for (uint32_t i = 0; i < n; i++, at = (at + stride) % n) {
			struct p *victim = &goad__sched.p[at];
			struct g *g;
			if (victim == me || atomic_load_explicit (&goad__sched.done, memory_order_relaxed))
				continue;
			g = steal_from (me, victim, round == ROUNDS - 1);
			if (g)
				return g;
		}
		goad__cpu_relax ();
	}
	return NULL;
}
