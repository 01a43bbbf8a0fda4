/* SPDX-License-Identifier: MIT */
/* tests/preempt/quantum.c - the slice measured is the slice asked for */
#include "tests/harness.h"
#include "tests/support.h"

#include <math.h>

enum { HOGS = 3 };

struct trial {
	uint64_t for_ns, host;
	uint64_t least;       /* slices to be seen, however long it takes */
	uint64_t cpu, slices; /* by the coroutines' own counters */
};

static void slice (void *arg)
{
	static struct hog hogs[HOGS];
	struct trial *t = arg;
	_Atomic int stop = 0;
	uint64_t host, limit = goad_after (10 * GOAD_S);

	hogs_begin (hogs, HOGS, &stop);
	host = host_delay_ns ();
	goad_sleep (t->for_ns);
	while (stats_now ().slices < t->least && goad_now () < limit)
		goad_sleep (t->for_ns);
	for (int i = 0; i < HOGS; i++) {
		goad_task_stats_t ts = { .cpu_ns = 0 };

		claim_eq (goad_task_stats (hogs[i].task, &ts), 0);
		t->cpu += ts.cpu_ns;
		t->slices += ts.preempt_yielded + ts.preempt_handed_off;
	}
	t->host = host_delay_ns () - host;
	hogs_end (hogs, HOGS, &stop);
}

/* One P, so that on two CPUs sysmon has one for itself.  Late slices are excused only by
 * as much as the host is known to have taken; short ones never. */
static void expect_quantum (uint64_t quantum, int mode)
{
	struct trial t = { .for_ns = 2 * GOAD_S };
	double mean, own, off, host;
	goad_stats_t s;

	program_scanned ();
	cr_assert_eq (run_main (slice, &t, 1, quantum, mode), 0);
	claims_assert ();
	s = stats_now ();
	host = (double) t.host / (double) t.for_ns;
	if (host > 0.2)
		cr_skip ("inconclusive: the host took %.0f%% of the time", 100 * host);
	cr_assert_geq (s.slices, t.for_ns / quantum * 7 / 10, "%llu slices in two seconds",
	               (unsigned long long) s.slices);
	mean = (double) s.slice_ns / (double) s.slices;
	own = (double) t.cpu / (double) (t.slices + 1);
	off = mean / (double) quantum - 1;
	cr_expect_geq (off, -0.05, "mean slice %.1f us of %.1f", mean / 1e3, (double) quantum / 1e3);
	cr_expect_leq (fabs (own / mean - 1), 0.05, "%.1f us by the runtime, %.1f by the coroutines",
	               mean / 1e3, own / 1e3);
	if (off > 0.05 && off - host <= 0.05 && host > 0.01)
		cr_skip ("inconclusive: the host took %.1f%% of the time", 100 * host);
	cr_expect_leq (off, 0.05, "mean slice %.1f us of %.1f, host %.2f%%", mean / 1e3,
	               (double) quantum / 1e3, 100 * host);
}

Test (quantum, ten_milliseconds, .timeout = 20)
{
	expect_quantum (10 * GOAD_MS, GOAD_PREEMPT_AUTO);
}

Test (quantum, one_millisecond, .timeout = 20)
{
	expect_quantum (GOAD_MS, GOAD_PREEMPT_AUTO);
}

Test (quantum, one_millisecond_handed_off, .timeout = 20)
{
	expect_quantum (GOAD_MS, GOAD_PREEMPT_HANDOFF);
}

/* The ends of the range work; how exact they are is for the benchmark to say. */
static void few_slices (void *arg)
{
	struct trial *t = arg;

	slice (t);
	claim (t->slices > 0);
}

Test (quantum, fifty_microseconds, .timeout = 20)
{
	struct trial t = { .for_ns = 100 * GOAD_MS, .least = 200 };

	program_scanned ();
	cr_assert_eq (run_main (few_slices, &t, 2, 50 * GOAD_US, 0), 0);
	claims_assert ();
	cr_assert_geq (stats_now ().slices, 200, "%llu", (unsigned long long) stats_now ().slices);
}

Test (quantum, one_second, .timeout = 20)
{
	struct trial t = { .for_ns = 2500 * GOAD_MS };
	uint64_t start = goad_now (), most;

	program_scanned ();
	cr_assert_eq (run_main (few_slices, &t, 1, GOAD_S, 0), 0);
	claims_assert ();
	most = (goad_now () - start) / GOAD_S + 2;
	cr_assert_leq (stats_now ().slices, most, "%llu", (unsigned long long) stats_now ().slices);
}
