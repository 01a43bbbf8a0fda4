/* SPDX-License-Identifier: MIT */
/* The twin of endless.c: a kernel thread loops on the only CPU; when does one that it made
 * first run? */
#include "../bench.h"

#include <pthread.h>

static struct bench_samples waits;
static uint64_t started;
static int stop;

static void *newcomer (void *arg)
{
	bench_add (&waits, (double) (bench_now () - started) / 1e6);
	__atomic_store_n (&stop, 1, __ATOMIC_RELEASE);
	return arg;
}

static void *endless (void *arg)
{
	pthread_t thread;
	started = bench_now ();
	pthread_create (&thread, NULL, newcomer, NULL);
	while (!__atomic_load_n (&stop, __ATOMIC_RELAXED))
		;
	pthread_join (thread, NULL);
	return arg;
}

int main (int argc, char **argv)
{
	opt.count = 50;
	bench_init (argc, argv);
	bench_use_cpus (opt.procs);
	bench_samples_init (&waits, (size_t) opt.count + 1);
	for (long i = 0; i <= opt.count; i++) {
		pthread_t thread;
		stop = 0;
		if (i == 1)
			waits.n = 0; /* the one before was to warm up */
		pthread_create (&thread, NULL, endless, NULL);
		pthread_join (thread, NULL);
	}
	bench_print ("first_run_p50", bench_median (&waits), "ms");
	bench_print ("first_run_p99", bench_quantile (&waits, 0.99), "ms");
	bench_print ("first_run_max", bench_quantile (&waits, 1), "ms");
	return bench_end ();
}
