/* SPDX-License-Identifier: MIT */
/* yield.c - what a switch costs: two coroutines on one P that yield to each other
 *
 * The first coroutine waits in goad_join meanwhile, so each yield is one switch. */
#include "bench.h"
#include "runtime.h"

static uint64_t elapsed;

static void yielder (void *arg)
{
	for (long n = *(long *) arg; n > 0; n--)
		goad_yield ();
}

static void round_of (long n)
{
	goad_task_t *a, *b;
	uint64_t t0 = bench_now ();
	bench_must (goad_spawn (&a, NULL, yielder, &n), "goad_spawn");
	bench_must (goad_spawn (&b, NULL, yielder, &n), "goad_spawn");
	goad_join (a);
	goad_join (b);
	elapsed = bench_now () - t0;
}

static void first (void *arg)
{
	(void) arg;
	round_of (opt.count / 10 + 1); /* warm up */
	round_of (opt.count);
}

int main (int argc, char **argv)
{
	opt.count = 2000000;
	bench_init (argc, argv);
	bench_run (first, NULL, bench_preempt (opt.preempt));
	bench_print ("yield", (double) elapsed / (2.0 * (double) opt.count), "ns");
	return bench_end ();
}
