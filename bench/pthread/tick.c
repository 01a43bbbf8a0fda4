/* SPDX-License-Identifier: MIT */
/* The twin of tick.c: a kernel thread that sleeps 1 ms at a time beside eight that compute. */
#include "../bench.h"

#include <pthread.h>

#define HOGS_MAX 256

static struct bench_line line[HOGS_MAX];
static struct bench_samples late;
static uint64_t deadline;

static void *hog (void *arg)
{
	bench_hog (arg, deadline);
	return NULL;
}

static void *ticker (void *arg)
{
	for (;;) {
		uint64_t due = bench_now () + BENCH_MS;
		if (due >= deadline)
			return arg;
		struct timespec ts = { (time_t) (due / 1000000000u), (long) (due % 1000000000u) };
		clock_nanosleep (CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL);
		bench_add (&late, ((double) bench_now () - (double) due) / 1e6);
	}
}

int main (int argc, char **argv)
{
	pthread_t thread[HOGS_MAX], tick;
	opt.procs = 2;
	opt.hogs = 8;
	opt.time_ns = 2000 * BENCH_MS;
	bench_init (argc, argv);
	if (opt.hogs < 0 || opt.hogs > HOGS_MAX)
		return 2;
	bench_use_cpus (opt.procs);
	bench_samples_init (&late, opt.time_ns / BENCH_MS + 1);
	deadline = bench_now () + opt.time_ns;
	for (long i = 0; i < opt.hogs; i++)
		pthread_create (&thread[i], NULL, hog, &line[i]);
	pthread_create (&tick, NULL, ticker, NULL);
	for (long i = 0; i < opt.hogs; i++)
		pthread_join (thread[i], NULL);
	pthread_join (tick, NULL);
	bench_print ("late_p50", bench_median (&late), "ms");
	bench_print ("late_p99", bench_quantile (&late, 0.99), "ms");
	bench_print ("late_max", bench_quantile (&late, 1), "ms");
	bench_print ("ticks", (double) late.n, "n");
	return bench_end ();
}
