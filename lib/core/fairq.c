/* SPDX-License-Identifier: MIT */
#include "core/fairq.h"

static bool before (const struct g *a, const struct g *b)
{
	return a->vruntime < b->vruntime || (a->vruntime == b->vruntime && a->fair_seq < b->fair_seq);
}

/* The heap of two heaps; either may be NULL. */
static struct g *meld (struct g *a, struct g *b)
{
	if (!a || !b)
		return a ? a : b;
	if (before (b, a)) {
		struct g *t = a;
		a = b;
		b = t;
	}
	b->fair_sibling = a->fair_child;
	a->fair_child = b;
	a->fair_sibling = NULL;
	return a;
}

/* Two passes over the children of a root that was taken: in pairs from the left,
 * then all together from the right.  No recursion: it may run on a signal stack. */
static struct g *meld_children (struct g *c)
{
	struct g *pairs = NULL;
	struct g *heap = NULL;

	while (c) {
		struct g *a = c;
		struct g *b = a->fair_sibling;
		c = b ? b->fair_sibling : NULL;
		a->fair_sibling = NULL;
		if (b)
			b->fair_sibling = NULL;
		a = meld (a, b);
		a->fair_sibling = pairs;
		pairs = a;
	}
	while (pairs) {
		struct g *a = pairs;
		pairs = a->fair_sibling;
		a->fair_sibling = NULL;
		heap = meld (heap, a);
	}
	return heap;
}

/* Readers without the lock look at these two, as a hint. */
static void set_root (struct fairq *q, struct g *g)
{
	__atomic_store_n (&q->root, g, __ATOMIC_RELAXED);
}

static void set_floor (struct fairq *q, uint64_t v)
{
	__atomic_store_n (&q->floor, v, __ATOMIC_RELAXED);
}

/* Under the lock, so that no locked instruction is needed. */
static void count_bound (struct fairq *q, int by)
{
	uint32_t n = atomic_load_explicit (&q->nbound, memory_order_relaxed);

	atomic_store_explicit (&q->nbound, n + (uint32_t) by, memory_order_relaxed);
}

static void count (struct fairq *q, const struct g *g, int by)
{
	if (g->bound)
		count_bound (q, by);
	q->nmild += (uint32_t) (by * g->mild);
	atomic_fetch_add_explicit (&q->n, (uint32_t) by, memory_order_relaxed);
}

void goad__fairq_put (struct fairq *q, struct g *g, uint64_t lag)
{
	/* Who ran alone was in no queue: what it ran meanwhile is no debt to who comes now. */
	if (!q->root && g->vruntime > q->floor)
		set_floor (q, g->vruntime);
	if (g->vruntime + lag < q->floor)
		g->vruntime = q->floor - lag;
	if (!g->unfinished) /* else its turn is not over: before its equals */
		g->fair_seq = ++q->seq;
	g->fair_child = g->fair_sibling = NULL;
	set_root (q, meld (q->root, g));
	count (q, g, 1);
}

struct g *goad__fairq_take (struct fairq *q)
{
	struct g *g = q->root;

	if (!g)
		return NULL;
	set_root (q, meld_children (g->fair_child));
	g->fair_child = NULL;
	if (g->vruntime > q->floor)
		set_floor (q, g->vruntime);
	count (q, g, -1);
	return g;
}

/* Rare (no idle M is left), so linear: takes all out in order and puts back what is
 * not wanted.  Keeps order: fair_seq and vruntime are not changed. */
struct g *goad__fairq_take_bound (struct fairq *q)
{
	struct g *kept = NULL;
	struct g *found = NULL;

	if (q->nbound == 0)
		return NULL;
	while (q->root && !found) {
		struct g *g = q->root;
		set_root (q, meld_children (g->fair_child));
		g->fair_child = NULL;
		if (g->bound) {
			found = g;
		} else {
			g->next = kept;
			kept = g;
		}
	}
	while (kept) {
		struct g *g = kept;
		kept = g->next;
		g->fair_sibling = NULL;
		set_root (q, meld (q->root, g));
	}
	if (found)
		count (q, found, -1);
	return found;
}
