/* SPDX-License-Identifier: MIT */
/* fib.c - Fibonacci numbers the slow way, with a coroutine for each first half
 *
 * fib (n) spawns fib (n - 1), computes fib (n - 2) itself and joins: nothing but
 * fork-join, 3.5 million times for fib (32). */
#include "bench.h"
#include "runtime.h"

struct call {
	long n, result;
};
static uint64_t elapsed;

static void fib (void *arg)
{
	struct call *c = arg, one = { c->n - 1, 0 }, two = { c->n - 2, 0 };
	goad_task_t *t;

	if (c->n < 2) {
		c->result = c->n;
		return;
	}
	bench_must (goad_spawn (&t, NULL, fib, &one), "goad_spawn");
	fib (&two);
	goad_join (t);
	c->result = one.result + two.result;
}

static void first (void *arg)
{
	long *want = arg, a = 0, b = 1;
	struct call warm = { opt.count - 4, 0 }, c = { opt.count, 0 };

	fib (&warm);
	uint64_t t0 = bench_now ();
	fib (&c);
	elapsed = bench_now () - t0;
	for (long i = 0; i < opt.count; i++) {
		long sum = a + b;
		a = b;
		b = sum;
	}
	*want = a - c.result;
}

int main (int argc, char **argv)
{
	long wrong = 1;

	opt.count = 32;
	bench_init (argc, argv);
	bench_run (first, &wrong, bench_preempt (opt.preempt));
	if (wrong != 0) {
		fprintf (stderr, "the wrong number\n");
		return 1;
	}
	bench_print ("fib", (double) elapsed / 1e6, "ms");
	return bench_end ();
}
