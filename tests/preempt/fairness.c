/* SPDX-License-Identifier: MIT */
/* tests/preempt/fairness.c - eight call-free hogs on two Ps */
#include "tests/harness.h"
#include "tests/support.h"

enum { HOGS = 8 };

struct outcome {
	double cpu[HOGS], elapsed;
	uint64_t host;
};

static void share (void *arg)
{
	static struct hog hogs[HOGS];
	struct outcome *o = arg;
	_Atomic int stop = 0;
	uint64_t start, host = host_delay_ns ();

	hogs_begin (hogs, HOGS, &stop);
	start = goad_now ();
	goad_sleep (3 * GOAD_S);
	o->elapsed = (double) (goad_now () - start);
	for (int i = 0; i < HOGS; i++) {
		goad_task_stats_t ts = { .cpu_ns = 0 };

		claim_eq (goad_task_stats (hogs[i].task, &ts), 0);
		o->cpu[i] = (double) ts.cpu_ns;
	}
	o->host = host_delay_ns () - host;
	hogs_end (hogs, HOGS, &stop);
}

static void expect_fair (int mode)
{
	struct outcome o = { .elapsed = 0 };
	double index, sum = 0;

	program_scanned ();
	cr_assert_eq (run_main (share, &o, 2, 10 * GOAD_MS, mode), 0);
	claims_assert ();
	index = jain (o.cpu, HOGS);
	for (int i = 0; i < HOGS; i++)
		sum += o.cpu[i];
	cr_expect_geq (index, 0.99, "Jain's index %.4f", index);
	/* Nobody has a P while it goes from thread to thread on a busy host. */
	cr_expect_leq (sum, 2.02 * o.elapsed, "they had %.3f of two Ps", sum / o.elapsed);
	excuse (1.6 * o.elapsed - sum, o.host);
	cr_expect_geq (sum, 1.6 * o.elapsed, "they had %.3f of two Ps", sum / o.elapsed);
}

Test (fairness, eight_hogs_on_two_processors, .timeout = 30)
{
	expect_fair (GOAD_PREEMPT_AUTO);
}

Test (fairness, handed_off, .timeout = 30)
{
	expect_fair (GOAD_PREEMPT_HANDOFF);
}
