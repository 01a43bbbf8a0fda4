/* SPDX-License-Identifier: MIT */
/* quantum.c - is the slice measured the slice asked for?  Three hogs share one P; how they
 * measure their slices stands in slices.h. */
#include "slices.h"

#include "runtime.h"

static goad_stats_t stats;

static void hog (void *arg)
{
	slices_take ((long) (intptr_t) arg);
}

static void first (void *arg)
{
	goad_task_t *task[HOGS_MAX];
	(void) arg;
	deadline = bench_now () + opt.time_ns;
	for (long i = 0; i < opt.hogs; i++)
		bench_must (goad_spawn (&task[i], NULL, hog, (void *) (i + 1)), "goad_spawn");
	for (long i = 0; i < opt.hogs; i++)
		goad_join (task[i]);
}

int main (int argc, char **argv)
{
	opt.hogs = 3;
	opt.time_ns = 2000 * BENCH_MS;
	opt.quantum_ns = 10 * BENCH_MS;
	bench_init (argc, argv);
	slices_init ();
	bench_run (first, NULL, bench_preempt (opt.preempt));
	goad_stats (&stats);
	slices_print ();
	double asked = (double) opt.quantum_ns / 1e3, mean = bench_mean (&slices);
	bench_print ("slice_error", 100 * (mean > asked ? mean / asked - 1 : 1 - mean / asked), "%");
	if (stats.slices)
		bench_print ("slice_by_stats", (double) stats.slice_ns / (double) stats.slices / 1e3, "us");
	return bench_end ();
}
