/* SPDX-License-Identifier: MIT */
/* mutex.c - locking and unlocking: alone, and among several that do nothing else
 *
 * --shape alone: one coroutine, no one beside it.  --shape crowd: --hogs coroutines (8) lock
 * one mutex, do a dozen nanoseconds of work, unlock it and do as much outside. */
#include "bench.h"
#include "runtime.h"

static goad_mutex_t mutex;
static long counter;
static uint64_t elapsed;

static void work (void)
{
	for (int i = 0; i < 10; i++)
		__asm__ volatile("" ::: "memory");
}

static void locker (void *arg)
{
	for (long n = *(long *) arg; n > 0; n--) {
		goad_mutex_lock (&mutex);
		counter++;
		work ();
		goad_mutex_unlock (&mutex);
		work ();
	}
}

static void round_of (long n)
{
	goad_task_t *task[64];
	long each = n / opt.hogs;

	counter = 0;
	uint64_t t0 = bench_now ();
	for (long i = 0; i < opt.hogs; i++)
		bench_must (goad_spawn (&task[i], NULL, locker, &each), "goad_spawn");
	for (long i = 0; i < opt.hogs; i++)
		goad_join (task[i]);
	elapsed = bench_now () - t0;
	bench_must (counter == each * opt.hogs ? 0 : -1, "goad_mutex_lock");
}

static void first (void *arg)
{
	(void) arg;
	round_of (opt.count / 10 + 1); /* warm up */
	round_of (opt.count);
}

int main (int argc, char **argv)
{
	opt.count = 5000000;
	opt.shape = "alone";
	opt.hogs = 8;
	bench_init (argc, argv);
	if (strcmp (opt.shape, "alone") == 0)
		opt.hogs = 1;
	if (opt.hogs < 1 || opt.hogs > 64)
		return 2;
	bench_run (first, NULL, bench_preempt (opt.preempt));
	bench_print ("lock", (double) elapsed / (double) opt.count, "ns");
	return bench_end ();
}
