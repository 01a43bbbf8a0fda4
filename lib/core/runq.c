/* SPDX-License-Identifier: MIT */
#include "core/runq.h"

/* Takes n from head on, if head is still h. */
static bool take (struct runq *q, uint64_t h, uint32_t n, struct g **into)
{
	uint32_t at = goad__runq_place (h);

	for (uint32_t i = 0; i < n; i++)
		into[i] = atomic_load_explicit (&q->slot[(at + i) % RUNQ_SIZE], memory_order_relaxed);
	/* [ord:runq-head] release: the slots were read before they may be written again */
	return atomic_compare_exchange_strong_explicit (&q->head, &h, h + n * RUNQ_ONE,
	                                                memory_order_acq_rel, memory_order_relaxed);
}

static void to_batch (struct gbatch *out, struct g **from, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		if (from[i])
			gbatch_add (out, from[i]);
}

bool goad__runq_shed (struct runq *q, struct gbatch *out)
{
	struct g *half[RUNQ_SIZE / 2];
	uint64_t h = atomic_load_explicit (&q->head, memory_order_acquire);
	uint32_t t = atomic_load_explicit (&q->tail, memory_order_relaxed);
	uint32_t n = (t - goad__runq_place (h)) / 2;

	if (n != RUNQ_SIZE / 2 || !take (q, h, n, half))
		return false;
	to_batch (out, half, n);
	return true;
}

static inline struct g *at (const struct runq *q, uint32_t place)
{
	return atomic_load_explicit (&q->slot[place % RUNQ_SIZE], memory_order_relaxed);
}

static void make_hole (struct runq *q, uint32_t place, uint32_t head, uint32_t t)
{
	atomic_store_explicit (&q->slot[place % RUNQ_SIZE], NULL, memory_order_relaxed);
	while (t != head && !at (q, t - 1))
		t--;
	atomic_store_explicit (&q->tail, t, memory_order_relaxed);
}

bool goad__runq_pull (struct runq *q, const struct g *g, bool alone)
{
	uint32_t t = atomic_load_explicit (&q->tail, memory_order_relaxed);
	uint64_t h = atomic_load_explicit (&q->head, memory_order_relaxed);
	/* here or elsewhere, now or long ago */
	uint32_t place = __atomic_load_n (&g->queued_at, __ATOMIC_RELAXED);

	if (t - place - 1 >= RUNQ_SIZE || at (q, place) != g)
		return false;
	/* [ord:runq-pull] thieves may have come as far as this one */
	while (place - goad__runq_place (h) < t - goad__runq_place (h)) {
		if (alone) {
			make_hole (q, place, goad__runq_place (h), t);
			return true;
		}
		if (atomic_compare_exchange_weak_explicit (&q->head, &h, h + 1, memory_order_acq_rel,
		                                           memory_order_relaxed)) {
			make_hole (q, place, goad__runq_place (h), t);
			/* [ord:runq-pull] */
			atomic_store_explicit (&q->head, (h & ~(uint64_t) RUNQ_COUNT) | ((h + 2) & RUNQ_COUNT),
			                       memory_order_release);
			return true;
		}
	}
	return false;
}

uint32_t goad__runq_grab (struct runq *q, struct gbatch *out, uint32_t max)
{
	struct g *got[RUNQ_SIZE / 2];

	for (;;) {
		uint64_t h = atomic_load_explicit (&q->head, memory_order_acquire); /* [ord:runq-pull] */
		uint32_t t = atomic_load_explicit (&q->tail, memory_order_acquire); /* [ord:runq-tail] */
		uint32_t n = t - goad__runq_place (h);

		if (h & 1) /* somebody is taken out of the middle */
			return 0;
		if (n > RUNQ_SIZE) /* head and tail are not of one moment */
			continue;
		n -= n / 2;
		if (n > RUNQ_SIZE / 2)
			n = RUNQ_SIZE / 2;
		if (n > max)
			n = max;
		if (n == 0)
			return 0;
		if (!take (q, h, n, got))
			continue;
		h = out->n;
		to_batch (out, got, n);
		if (out->n > h)
			return out->n - (uint32_t) h;
	}
}
