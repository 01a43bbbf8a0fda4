/* SPDX-License-Identifier: MIT */
/* The queue of the preempted: a heap against a sorted model, and shares by weight. */
#include "tests/harness.h"

#include <stdlib.h>

#include "base/rng.h"
#include "core/fairq.h"

#define N 200

static struct fairq q;
static struct g pool[N];

static void reset (void)
{
	memset (&q, 0, sizeof q);
	memset (pool, 0, sizeof pool);
	for (int i = 0; i < N; i++) {
		pool[i].id = (uint64_t) i;
		pool[i].weight = FAIR_UNIT;
	}
}

Test (fairq, equals_go_in_order_of_arrival)
{
	reset ();
	for (int i = 0; i < N; i++)
		goad__fairq_put (&q, &pool[i], 0);
	for (int i = 0; i < N; i++)
		cr_assert_eq (goad__fairq_take (&q), &pool[i]);
	cr_assert_eq (goad__fairq_take (&q), NULL);
	cr_assert_eq (q.n, 0);
}

/* Against the simplest model: the least (vruntime, arrival) of those inside. */
Test (fairq, takes_the_least, .timeout = 30)
{
	uint64_t rng = 7;
	bool in[N] = { false };

	reset ();
	for (int step = 0; step < 100000; step++) {
		int i = (int) goad__random_below (&rng, N);
		if (!in[i]) {
			goad__fair_charge (&pool[i], goad__random_below (&rng, 50));
			goad__fairq_put (&q, &pool[i], 1000);
			in[i] = true;
		} else {
			struct g *least = NULL;
			for (int k = 0; k < N; k++)
				if (in[k] &&
				    (!least || pool[k].vruntime < least->vruntime ||
				     (pool[k].vruntime == least->vruntime && pool[k].fair_seq < least->fair_seq)))
					least = &pool[k];
			cr_assert_eq (goad__fairq_take (&q), least, "step %d", step);
			in[least->id] = false;
		}
	}
}

Test (fairq, counts_those_that_left_by_themselves)
{
	reset ();
	cr_assert (!goad__fairq_all_mild (&q));
	for (int i = 0; i < 3; i++) {
		pool[i].mild = 1;
		goad__fairq_put (&q, &pool[i], 0);
		cr_assert (goad__fairq_all_mild (&q));
	}
	goad__fairq_put (&q, &pool[3], 0);
	cr_assert (!goad__fairq_all_mild (&q), "one computes");
	for (int i = 0; i < 4; i++)
		cr_assert_eq (goad__fairq_take (&q), &pool[i]);
	cr_assert_eq (q.nmild, 0);

	goad__fairq_put (&q, &pool[0], 0);
	pool[1].bound = (struct m *) &q;
	goad__fairq_put (&q, &pool[1], 0);
	cr_assert (!goad__fairq_all_mild (&q), "one is bound to its thread");
	cr_assert_eq (goad__fairq_take_bound (&q), &pool[1]);
	cr_assert (goad__fairq_all_mild (&q));
}

/* One P: slices go by weight, to a slice. */
Test (fairq, shares_go_by_weight)
{
	static const uint32_t weight[5] = { 100, 100, 300, 1, 10000 };
	uint64_t ran[5] = { 0 };
	uint64_t sum = 0, all = 0;

	reset ();
	for (int i = 0; i < 5; i++) {
		pool[i].weight = weight[i];
		sum += weight[i];
		goad__fairq_put (&q, &pool[i], 40);
	}
	for (int slice = 0; slice < 210020; slice++) {
		struct g *g = goad__fairq_take (&q);
		ran[g->id] += 100000;
		all += 100000;
		goad__fair_charge (g, 100000);
		goad__fairq_put (&q, g, 400000);
	}
	for (int i = 0; i < 5; i++) {
		double want = (double) all * weight[i] / (double) sum;
		cr_assert ((double) ran[i] > want - 11e6 && (double) ran[i] < want + 11e6,
		           "weight %u: %lu instead of %.0f", weight[i], (unsigned long) ran[i], want);
	}
}

/* Who was away comes back with at most `lag` of credit, not with all that it missed. */
Test (fairq, no_hoard_of_credit)
{
	reset ();
	goad__fairq_put (&q, &pool[0], 0);
	for (int i = 0; i < 1000; i++) {
		struct g *g = goad__fairq_take (&q);
		goad__fair_charge (g, 10);
		goad__fairq_put (&q, g, 40);
	}
	goad__fairq_put (&q, &pool[1], 40);
	for (int i = 0; i < 4; i++) {
		struct g *g = goad__fairq_take (&q);
		cr_assert_eq (g, &pool[1]);
		goad__fair_charge (g, 10);
		goad__fairq_put (&q, g, 40);
	}
	struct g *g = goad__fairq_take (&q);
	goad__fair_charge (g, 10);
	goad__fairq_put (&q, g, 40);
	cr_assert (pool[0].vruntime - pool[1].vruntime <= 20 || pool[1].vruntime > pool[0].vruntime);
}

Test (fairq, finds_a_bound_one_and_loses_none)
{
	reset ();
	for (int i = 0; i < N; i++) {
		pool[i].vruntime = (uint64_t) (i * 37 % N);
		if (i == 123) {
			cr_assert_eq (goad__fairq_take_bound (&q), NULL);
			pool[i].bound = (struct m *) &pool;
		}
		goad__fairq_put (&q, &pool[i], 0);
	}
	cr_assert_eq (q.nbound, 1);
	cr_assert_eq (goad__fairq_take_bound (&q), &pool[123]);
	cr_assert_eq (q.nbound, 0);
	cr_assert_eq (q.n, N - 1);
	uint64_t last = 0;
	for (int i = 0; i < N - 1; i++) {
		struct g *g = goad__fairq_take (&q);
		cr_assert (g && g->vruntime >= last);
		last = g->vruntime;
	}
	cr_assert_eq (goad__fairq_take (&q), NULL);
}
