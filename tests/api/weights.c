/* SPDX-License-Identifier: MIT */
/* tests/api/weights.c - CPU goes by weight */
#include "tests/harness.h"
#include "tests/support.h"

#include <math.h>

enum { MOST = 6 };

struct shares {
	unsigned weight[MOST];
	int n;
	uint64_t for_ns;
	double got[MOST]; /* share of all that they got together */
	double sum;       /* what they got together, ns           */
	double elapsed, host;
};

static void measure (void *arg)
{
	struct shares *s = arg;
	_Atomic int stop = 0;
	static struct hog hogs[MOST];
	uint64_t start, host = host_delay_ns ();

	for (int i = 0; i < s->n; i++) {
		goad_attr_t attr = GOAD_ATTR_INIT;

		attr.weight = s->weight[i];
		claim_eq (hog_spawn (&hogs[i], &attr, &stop), 0);
	}
	start = goad_now ();
	goad_sleep (s->for_ns);
	for (int i = 0; i < s->n; i++) {
		goad_task_stats_t ts = { .cpu_ns = 0 };

		claim_eq (goad_task_stats (hogs[i].task, &ts), 0);
		s->got[i] = (double) ts.cpu_ns;
		s->sum += s->got[i];
	}
	s->elapsed = (double) (goad_now () - start);
	s->host = (double) (host_delay_ns () - host);
	atomic_store (&stop, 1);
	for (int i = 0; i < s->n; i++) {
		s->got[i] /= s->sum > 0 ? s->sum : 1;
		claim_eq (goad_join (hogs[i].task), 0);
	}
}

static void expect_shares (struct shares *s, int procs, uint64_t quantum, const double *want,
                           double slack)
{
	program_scanned ();
	cr_assert_eq (run_main (measure, s, procs, quantum, 0), 0);
	claims_assert ();
	for (int i = 0; i < s->n; i++)
		excuse ((fabs (s->got[i] - want[i]) - slack * want[i]) * s->sum, s->host);
	for (int i = 0; i < s->n; i++)
		cr_expect (fabs (s->got[i] - want[i]) <= slack * want[i], "weight %u got %.4f, not %.4f",
		           s->weight[i], s->got[i], want[i]);
	excuse (0.9 * procs * s->elapsed - s->sum, s->host);
	cr_expect_gt (s->sum, 0.9 * procs * s->elapsed, "together they got %.3f of %d Ps",
	              s->sum / s->elapsed, procs);
}

Test (weights, one_one_three_on_one_processor, .timeout = 20)
{
	struct shares s = { { 100, 100, 300 }, 3, GOAD_S, { 0 }, 0, 0, 0 };
	static const double want[] = { 0.2, 0.2, 0.6 };

	expect_shares (&s, 1, GOAD_MS, want, 0.05);
}

/* A second has a hundred quanta, the lightest gets twenty of them, and one more or less is
 * another 5%. */
Test (weights, at_the_default_quantum, .timeout = 20)
{
	struct shares s = { { 100, 100, 300 }, 3, GOAD_S, { 0 }, 0, 0, 0 };
	static const double want[] = { 0.2, 0.2, 0.6 };

	expect_shares (&s, 1, 10 * GOAD_MS, want, 0.05 + 0.05);
}

Test (weights, zero_is_a_hundred, .timeout = 20)
{
	struct shares s = { { 0, 100, 200 }, 3, GOAD_S, { 0 }, 0, 0, 0 };
	static const double want[] = { 0.25, 0.25, 0.5 };

	expect_shares (&s, 1, GOAD_MS, want, 0.05);
}

Test (weights, equal_ones_on_two_processors, .timeout = 20)
{
	struct shares s = { { 7, 7, 7, 7, 7 }, 5, GOAD_S, { 0 }, 0, 0, 0 };
	static const double want[] = { 0.2, 0.2, 0.2, 0.2, 0.2 };

	expect_shares (&s, 2, GOAD_MS, want, 0.05);
}

/* One coroutine never gets more than one P; the rest go by weight. */
Test (weights, a_heavy_one_gets_one_processor, .timeout = 20)
{
	struct shares s = { { 100, 100, 10000 }, 3, GOAD_S, { 0 }, 0, 0, 0 };
	static const double want[] = { 0.25, 0.25, 0.5 };

	expect_shares (&s, 2, GOAD_MS, want, 0.05);
}

Test (weights, four_of_different_weight_on_two_processors, .timeout = 20)
{
	struct shares s = { { 100, 200, 300, 400 }, 4, GOAD_S, { 0 }, 0, 0, 0 };
	static const double want[] = { 0.1, 0.2, 0.3, 0.4 };

	expect_shares (&s, 2, GOAD_MS, want, 0.05);
}

/* Who slept is not paid back for it, and who comes late does not owe. */
static void late (void *arg)
{
	struct shares *s = arg;
	_Atomic int stop = 0;
	static struct hog hogs[2];
	goad_task_stats_t before, ts[2];

	s->host = (double) host_delay_ns ();
	claim_eq (hog_spawn (&hogs[0], NULL, &stop), 0);
	goad_sleep (300 * GOAD_MS);
	claim_eq (hog_spawn (&hogs[1], NULL, &stop), 0);
	claim_eq (goad_task_stats (hogs[0].task, &before), 0);
	goad_sleep (400 * GOAD_MS);
	for (int i = 0; i < 2; i++)
		claim_eq (goad_task_stats (hogs[i].task, &ts[i]), 0);
	s->host = (double) host_delay_ns () - s->host;
	atomic_store (&stop, 1);
	s->got[0] = (double) (ts[0].cpu_ns - before.cpu_ns);
	s->got[1] = (double) ts[1].cpu_ns;
	for (int i = 0; i < 2; i++)
		claim_eq (goad_join (hogs[i].task), 0);
}

Test (weights, newcomers_start_level, .timeout = 20)
{
	struct shares s = { .n = 2 };
	double share, sum;

	program_scanned ();
	cr_assert_eq (run_main (late, &s, 1, GOAD_MS, 0), 0);
	claims_assert ();
	sum = s.got[0] + s.got[1];
	share = s.got[1] / sum;
	excuse ((fabs (share - 0.5) - 0.05) * sum, s.host);
	cr_assert (share > 0.45 && share < 0.55, "the latecomer got %.3f", share);
}
