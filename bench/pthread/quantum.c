/* SPDX-License-Identifier: MIT */
/* The twin of quantum.c: the slices that the kernel gives to threads that share one CPU.
 * They are what they are; nobody asked for a length. */
#include "../bench.h"

#include <pthread.h>

#define STEP 512
#define HOGS_MAX 64

static struct bench_samples slices;
static long owner, turns[HOGS_MAX + 1];
static uint64_t deadline;

static void *hog (void *arg)
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
			return NULL;
	}
}

int main (int argc, char **argv)
{
	pthread_t thread[HOGS_MAX];
	opt.hogs = 3;
	opt.time_ns = 2000 * BENCH_MS;
	bench_init (argc, argv);
	if (opt.hogs < 3 || opt.hogs > HOGS_MAX)
		return 2;
	bench_use_cpus (1);
	bench_samples_init (&slices, 1 << 20);
	deadline = bench_now () + opt.time_ns;
	for (long i = 0; i < opt.hogs; i++)
		pthread_create (&thread[i], NULL, hog, (void *) (i + 1));
	for (long i = 0; i < opt.hogs; i++)
		pthread_join (thread[i], NULL);
	bench_print ("slice_mean", bench_mean (&slices), "us");
	bench_print ("slice_p50", bench_median (&slices), "us");
	bench_print ("slice_p99", bench_quantile (&slices, 0.99), "us");
	bench_print ("slice_max", bench_quantile (&slices, 1), "us");
	bench_print ("slices", (double) slices.n, "n");
	long least = turns[1];
	for (long i = 2; i <= opt.hogs; i++)
		least = turns[i] < least ? turns[i] : least;
	bench_print ("least_turns", (double) least, "n");
	return bench_end ();
}
