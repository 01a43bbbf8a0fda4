/* SPDX-License-Identifier: MIT */
/* What spills out of a full own queue.
 *
 * Half of the queue leaves it, the oldest, as in Go's runqputslow, so that a P that spawns
 * without end feeds the others.  *Not Go's* is where to.  Who has run before goes to the
 * end of the global queue: that is the turn of all who yield, or are woken.  Those that have
 * not run yet stay together as a batch, and the batch that spilled last is the next to be
 * taken.
 *
 * A coroutine that has not run holds nothing and is waited for by none but those that wait
 * for the whole of what spawned it; what counts is how many there are at a time.  A tree
 * of them, each of which spawns ten and waits for their answers, is walked breadth first by
 * a FIFO queue: of a million leaves ninety thousand inner nodes are alive together, each
 * with a stack that is in no cache.  The last first, it is a walk in depth, with some
 * thousand.  A batch also changes hands in one step, where to unlink a hundred coroutines
 * from a list is a hundred cache misses under the scheduler's lock.
 *
 * Nobody starves.  If the oldest batch has waited for a quantum it goes to the global queue,
 * one in each quantum, and all that have waited for two go there at once; from there each
 * 61st pick comes, a pick in each quantum, and at least each other batch for a P whose own
 * queue is empty.  So to spill costs two quanta at most, however many spilled later.  Should
 * more batches wait than there is room for here, the oldest goes there at once.  Wrong: all
 * that have waited for a quantum.  In a great tree that is most of them, and it would be
 * walked breadth first again.  For the same reason a batch from the global queue has no more
 * than eight that have not run while some wait here: who is that old stands near the root,
 * and a hundred of them would begin as many great trees side by side.  That is a fifteenth
 * of the picks at least; Go's global queue has a sixty-first beside full local ones.
 */
#include "sched/sched.h"

static struct spilled_batch *nth (struct spilled *s, uint32_t n)
{
	return &s->batch[(s->bottom + n) % SPILLED_MOST];
}

static void count (struct sched *s)
{
	atomic_store_explicit (&s->nglobal, s->globq.n + s->spilled.n, memory_order_relaxed);
}

static void retire_oldest (struct sched *s)
{
	struct gbatch b = nth (&s->spilled, 0)->g;

	s->spilled.bottom = (s->spilled.bottom + 1) % SPILLED_MOST;
	s->spilled.used--;
	s->spilled.n -= b.n;
	goad__globq_append_locked (&b);
}

/* Longer ago than that many quanta.  Stamps of two Ps may be out of order. */
static bool longer_ago (uint64_t since, uint64_t t, uint64_t quanta)
{
	return (int64_t) (t - since) > (int64_t) (quanta * goad__sched.quantum);
}

void goad__spilled_age (uint64_t t)
{
	struct sched *s = &goad__sched;

	while (s->spilled.used > 0 && longer_ago (nth (&s->spilled, 0)->since, t, 2))
		retire_oldest (s);
	if (s->spilled.used == 0 || !longer_ago (nth (&s->spilled, 0)->since, t, 1) ||
	    !longer_ago (s->spilled.aged_at, t, 1))
		return;
	s->spilled.aged_at = t;
	retire_oldest (s);
}

bool goad__spilled_take (struct gbatch *b)
{
	struct sched *s = &goad__sched;

	if (s->spilled.used == 0)
		return false;
	*b = nth (&s->spilled, --s->spilled.used)->g;
	s->spilled.n -= b->n;
	count (s);
	return true;
}

static void keep (struct gbatch *b, uint64_t t)
{
	struct sched *s = &goad__sched;

	if (b->n == 0)
		return;
	if (s->spilled.used == SPILLED_MOST)
		retire_oldest (s);
	*nth (&s->spilled, s->spilled.used++) = (struct spilled_batch){ *b, t };
	s->spilled.n += b->n;
	count (s);
}

bool goad__spill (struct p *p, struct g *g)
{
	struct gbatch half = { 0 }, fresh = { 0 }, old = { 0 };

	if (!goad__runq_shed (&p->runq, &half))
		return false; /* thieves have made room */
	gbatch_add (&half, g);
	while ((g = gbatch_take (&half)))
		gbatch_add (goad__g_get (&g->slices) > 0 ? &old : &fresh, g);
	goad__spin_lock (&goad__sched.lock);
	goad__spilled_age (p->stamp);
	keep (&fresh, p->stamp);
	goad__globq_append_locked (&old);
	goad__spin_unlock (&goad__sched.lock);
	/* [ord:idle-recheck] */
	atomic_thread_fence (memory_order_seq_cst);
	goad__sched_wake ();
	return true;
}
