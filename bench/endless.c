/* SPDX-License-Identifier: MIT */
/* endless.c - an endless loop has the only P: how long until another first runs?
 *
 * The loop makes the newcomer itself, as its first act, so the order in which a scheduler
 * takes what was spawned does not matter: the clock starts with the loop. */
#include "bench.h"
#include "runtime.h"

static struct bench_samples waits;
static uint64_t started;
static int stop;

static void newcomer (void *arg)
{
	(void) arg;
	bench_add (&waits, (double) (bench_now () - started) / 1e6);
	__atomic_store_n (&stop, 1, __ATOMIC_RELEASE);
}

static void endless (void *arg)
{
	(void) arg;
	started = bench_now ();
	bench_must (goad_go (newcomer, NULL), "goad_go");
	while (!__atomic_load_n (&stop, __ATOMIC_RELAXED))
		;
}

static void first (void *arg)
{
	(void) arg;
	for (long i = 0; i <= opt.count; i++) {
		goad_task_t *task;
		stop = 0;
		if (i == 1)
			waits.n = 0; /* the one before was to warm up */
		bench_must (goad_spawn (&task, NULL, endless, NULL), "goad_spawn");
		goad_join (task);
	}
}

int main (int argc, char **argv)
{
	opt.count = 50;
	bench_init (argc, argv);
	bench_samples_init (&waits, (size_t) opt.count + 1);
	bench_run (first, NULL, bench_preempt (opt.preempt));
	bench_print ("first_run_p50", bench_median (&waits), "ms");
	bench_print ("first_run_p99", bench_quantile (&waits, 0.99), "ms");
	bench_print ("first_run_max", bench_quantile (&waits, 1), "ms");
	return bench_end ();
}
