/* SPDX-License-Identifier: MIT */
/* quantum.c - is the slice measured the slice asked for?
 *
 * Three hogs share one P.  Each says "the P is mine" in a common word between blocks of
 * work; who finds another's name there has just been put back on the P.  A slice goes from
 * that moment to the hog's last look at the clock before it lost the P again, so it is what
 * the coroutine itself saw, and a pause that the kernel made inside a slice does not split it.
 * The clock is read anew after the name is written: the reading before it may be from before
 * the others ran.  A hog that loses the P just before it writes leaves the name of its
 * predecessor there, which of three hogs is never that of its successor.
 *
 * least_turns is how often the least lucky hog got the P: two hogs may well have perfect
 * slices while the third starves, and then the other figures say little. */
#include "bench.h"
#include "runtime.h"

#define STEP 512 /* iterations between looks at the clock: about 1 us */
#define HOGS_MAX 64

static struct bench_samples slices;
static long owner, turns[HOGS_MAX + 1];
static uint64_t deadline;
static goad_stats_t stats;

static void hog (void *arg)
{
	long me = (long) (intptr_t) arg;
	uint64_t x = 88172645463325252u + (uint64_t) me, start = 0, last = 0;
	for (;;) {
		x = bench_spin (x, STEP);
		uint64_t now = bench_now ();
		if (__atomic_load_n (&owner, __ATOMIC_RELAXED) != me) {
			if (last > start)
				bench_add (&slices, (double) (last - start) / 1e3);
			turns[me]++;
			__atomic_store_n (&owner, me, __ATOMIC_RELAXED);
			start = now = bench_now ();
		}
		last = now;
		if (now >= deadline)
			return;
	}
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
	if (opt.procs != 1 || opt.hogs < 3 || opt.hogs > HOGS_MAX) {
		fprintf (stderr, "quantum: one P, and 3 to %d hogs\n", HOGS_MAX);
		return 2;
	}
	bench_samples_init (&slices, 1 << 20);
	bench_run (first, NULL, bench_preempt (opt.preempt));
	goad_stats (&stats);
	double asked = (double) opt.quantum_ns / 1e3, mean = bench_mean (&slices);
	bench_print ("slice_mean", mean, "us");
	bench_print ("slice_error", 100 * (mean > asked ? mean / asked - 1 : 1 - mean / asked), "%");
	bench_print ("slice_p50", bench_median (&slices), "us");
	bench_print ("slice_p99", bench_quantile (&slices, 0.99), "us");
	bench_print ("slice_max", bench_quantile (&slices, 1), "us");
	bench_print ("slices", (double) slices.n, "n");
	long least = turns[1];
	for (long i = 2; i <= opt.hogs; i++)
		least = turns[i] < least ? turns[i] : least;
	bench_print ("least_turns", (double) least, "n");
	if (stats.slices)
		bench_print ("slice_by_stats", (double) stats.slice_ns / (double) stats.slices / 1e3, "us");
	return bench_end ();
}
