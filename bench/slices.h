/* SPDX-License-Identifier: MIT */
/* slices.h - what quantum.c and its pthread twin share: hogs that measure their slices
 *
 * The hogs share one CPU.  Each says "it is mine" in a common word between blocks of
 * work; who finds another's name there has just been put back on it.  A slice goes from
 * that moment to the hog's last look at the clock before it lost the CPU again, so it is what
 * the hog itself saw, and a pause that the kernel made inside a slice does not split it.
 * The clock is read anew after the name is written: the reading before it may be from before
 * the others ran.  A hog that loses the CPU just before it writes leaves the name of its
 * predecessor there, which of three hogs is never that of its successor.
 *
 * least_turns is how often the least lucky hog got the CPU: two hogs may well have perfect
 * slices while the third starves, and then the other figures say little. */
#ifndef BENCH_SLICES_H
#define BENCH_SLICES_H

#include "bench.h"

#define STEP 512 /* iterations between looks at the clock: about 1 us */
#define HOGS_MAX 64

static struct bench_samples slices;
static long owner, turns[HOGS_MAX + 1];
static uint64_t deadline;

static void slices_init (void)
{
	if (opt.procs != 1 || opt.hogs < 3 || opt.hogs > HOGS_MAX) {
		fprintf (stderr, "quantum: one P, and 3 to %d hogs\n", HOGS_MAX);
		exit (2);
	}
	bench_samples_init (&slices, 1 << 20);
}

/* me: from 1. */
static void slices_take (long me)
{
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

static void slices_print (void)
{
	long least = turns[1];

	for (long i = 2; i <= opt.hogs; i++)
		least = turns[i] < least ? turns[i] : least;
	bench_print ("slice_mean", bench_mean (&slices), "us");
	bench_print ("slice_p50", bench_median (&slices), "us");
	bench_print ("slice_p99", bench_quantile (&slices, 0.99), "us");
	bench_print ("slice_max", bench_quantile (&slices, 1), "us");
	bench_print ("slices", (double) slices.n, "n");
	bench_print ("least_turns", (double) least, "n");
}

#endif /* BENCH_SLICES_H */
