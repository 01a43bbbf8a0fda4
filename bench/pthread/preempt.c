/* SPDX-License-Identifier: MIT */
/* The twin of preempt.c: four kernel threads to a CPU against one to a CPU, in pairs: what
 * the kernel's own time slicing takes from work that only computes. */
#include "../bench.h"

#include <pthread.h>

#define HOGS_MAX 1024

static struct bench_line line[HOGS_MAX];
static uint64_t deadline;

static void *hog (void *arg)
{
	bench_hog (arg, deadline);
	return NULL;
}

static double measure (long hogs, double *cpu_each)
{
	pthread_t thread[HOGS_MAX];
	double blocks = 0;
	memset (line, 0, sizeof line);
	uint64_t cpu0 = bench_clock (CLOCK_PROCESS_CPUTIME_ID);
	deadline = bench_now () + opt.time_ns;
	for (long i = 0; i < hogs; i++)
		pthread_create (&thread[i], NULL, hog, &line[i]);
	for (long i = 0; i < hogs; i++)
		pthread_join (thread[i], NULL);
	uint64_t cpu = bench_clock (CLOCK_PROCESS_CPUTIME_ID) - cpu0;
	for (long i = 0; i < hogs; i++)
		blocks += (double) line[i].n;
	*cpu_each = (double) cpu / blocks;
	return blocks;
}

int main (int argc, char **argv)
{
	struct bench_samples cost, cost_cpu;
	double on = 0, off = 0, on_cpu = 0, off_cpu = 0;

	opt.count = 5;
	opt.time_ns = 200 * BENCH_MS;
	bench_init (argc, argv);
	opt.hogs = opt.hogs ? opt.hogs : 4 * opt.procs;
	if (opt.hogs < opt.procs || opt.hogs > HOGS_MAX)
		return 2;
	bench_use_cpus (opt.procs);
	bench_samples_init (&cost, (size_t) opt.count);
	bench_samples_init (&cost_cpu, (size_t) opt.count);
	measure (opt.hogs, &on_cpu); /* warm up */
	for (long i = 0; i < opt.count; i++) {
		if (i & 1)
			on = measure (opt.hogs, &on_cpu);
		off = measure (opt.procs, &off_cpu);
		if (!(i & 1))
			on = measure (opt.hogs, &on_cpu);
		bench_add (&cost, 100 * (1 - on / off));
		bench_add (&cost_cpu, 100 * (on_cpu / off_cpu - 1));
	}
	bench_print ("cost", bench_median (&cost), "%");
	bench_print ("cost_cpu", bench_median (&cost_cpu), "%");
	return bench_end ();
}
