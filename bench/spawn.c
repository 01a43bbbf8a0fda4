/* SPDX-License-Identifier: MIT */
/* spawn.c - what a coroutine costs from spawn to join, in batches of 1000
 *
 * The batch is larger than a local queue (256), so the overflow to the global queue, the
 * stack cache and, on two Ps, stealing are all paid for. */
#include "bench.h"
#include "runtime.h"

#define BATCH 1000

static goad_task_t *task[BATCH];
static char ran[BATCH];
static uint64_t elapsed;

static void child (void *arg)
{
	++*(char *) arg;
}

static void batches (long n)
{
	uint64_t t0 = bench_now ();
	for (; n > 0; n--) {
		for (int i = 0; i < BATCH; i++)
			bench_must (goad_spawn (&task[i], NULL, child, &ran[i]), "goad_spawn");
		for (int i = 0; i < BATCH; i++)
			goad_join (task[i]);
	}
	elapsed = bench_now () - t0;
}

static void first (void *arg)
{
	(void) arg;
	batches (opt.count / 10 + 1);
	memset (ran, 0, sizeof ran);
	batches (opt.count);
}

int main (int argc, char **argv)
{
	opt.count = 1000;
	bench_init (argc, argv);
	bench_run (first, NULL, bench_preempt (opt.preempt));
	for (int i = 0; i < BATCH; i++)
		if (ran[i] != (char) opt.count) {
			fprintf (stderr, "coroutine %d of a batch did not run each time\n", i);
			return 1;
		}
	bench_print ("spawn_join", (double) elapsed / ((double) opt.count * BATCH), "ns");
	return bench_end ();
}
