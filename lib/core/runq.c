/* SPDX-License-Identifier: MIT */
#include "core/runq.h"

/* Takes n from head on, if head is still h. */
static bool take (struct runq *q, uint32_t h, uint32_t n, struct g **into)
{
	for (uint32_t i = 0; i < n; i++)
		into[i] = atomic_load_explicit (&q->slot[(h + i) % RUNQ_SIZE], memory_order_relaxed);
	/* [ord:runq-head] release: the slots were read before they may be written again */
	return atomic_compare_exchange_strong_explicit (&q->head, &h, h + n, memory_order_acq_rel,
	                                                memory_order_relaxed);
}

static void to_batch (struct gbatch *out, struct g **from, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		gbatch_add (out, from[i]);
}

bool goad__runq_shed (struct runq *q, struct gbatch *out)
{
	struct g *half[RUNQ_SIZE / 2];
	uint32_t h = atomic_load_explicit (&q->head, memory_order_acquire);
	uint32_t t = atomic_load_explicit (&q->tail, memory_order_relaxed);
	uint32_t n = (t - h) / 2;

	if (n != RUNQ_SIZE / 2 || !take (q, h, n, half))
		return false;
	to_batch (out, half, n);
	return true;
}

uint32_t goad__runq_grab (struct runq *q, struct gbatch *out, uint32_t max)
{
	struct g *got[RUNQ_SIZE / 2];

	for (;;) {
		uint32_t h = atomic_load_explicit (&q->head, memory_order_acquire);
		uint32_t t = atomic_load_explicit (&q->tail, memory_order_acquire); /* [ord:runq-tail] */
		uint32_t n = t - h;

		if (n > RUNQ_SIZE) /* head and tail are not of one moment */
			continue;
		n -= n / 2;
		if (n > RUNQ_SIZE / 2)
			n = RUNQ_SIZE / 2;
		if (n > max)
			n = max;
		if (n == 0)
			return 0;
		if (take (q, h, n, got)) {
			to_batch (out, got, n);
			return n;
		}
	}
}
