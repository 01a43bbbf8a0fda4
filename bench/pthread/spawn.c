/* SPDX-License-Identifier: MIT */
/* The twin of spawn.c: kernel threads from pthread_create to pthread_join, in batches of 1000. */
#include "../bench.h"

#include <pthread.h>

#define BATCH 1000

static pthread_t thread[BATCH];
static char ran[BATCH];

static void *child (void *arg)
{
	++*(char *) arg;
	return NULL;
}

static uint64_t batches (long n)
{
	uint64_t t0 = bench_now ();
	for (; n > 0; n--) {
		for (int i = 0; i < BATCH; i++)
			if (pthread_create (&thread[i], NULL, child, &ran[i]) != 0) {
				fprintf (stderr, "thread %d cannot be made\n", i);
				exit (1);
			}
		for (int i = 0; i < BATCH; i++)
			pthread_join (thread[i], NULL);
	}
	return bench_now () - t0;
}

int main (int argc, char **argv)
{
	opt.count = 20;
	bench_init (argc, argv);
	bench_use_cpus (opt.procs);
	batches (opt.count / 10 + 1);
	double elapsed = (double) batches (opt.count);
	bench_print ("spawn_join", elapsed / ((double) opt.count * BATCH), "ns");
	return bench_end ();
}
