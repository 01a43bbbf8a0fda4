/* SPDX-License-Identifier: MIT */
/* The twin of fairness.c: eight kernel threads that compute, on two CPUs. */
#include "../bench.h"

#include <pthread.h>

#define HOGS_MAX 256

static struct bench_line line[HOGS_MAX];
static uint64_t deadline;

static void *hog (void *arg)
{
	bench_hog (arg, deadline);
	return NULL;
}

int main (int argc, char **argv)
{
	pthread_t thread[HOGS_MAX];
	opt.procs = 2;
	opt.hogs = 8;
	opt.time_ns = 3000 * BENCH_MS;
	bench_init (argc, argv);
	if (opt.hogs < 1 || opt.hogs > HOGS_MAX)
		return 2;
	bench_use_cpus (opt.procs);
	deadline = bench_now () + opt.time_ns;
	for (long i = 0; i < opt.hogs; i++)
		pthread_create (&thread[i], NULL, hog, &line[i]);
	for (long i = 0; i < opt.hogs; i++)
		pthread_join (thread[i], NULL);
	double jain, min_share, blocks = 0;
	bench_fairness (line, opt.hogs, &jain, &min_share);
	for (long i = 0; i < opt.hogs; i++)
		blocks += (double) line[i].n;
	bench_print ("jain", jain, "index");
	bench_print ("min_share", min_share, "share");
	bench_print ("work", blocks * 1e9 / (double) opt.time_ns, "blocks/s");
	return bench_end ();
}
