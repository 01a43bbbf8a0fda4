/* SPDX-License-Identifier: MIT */
/* fairness.c - eight hogs on two Ps: who got how much
 *
 * Each counts the blocks of work that it did until a common deadline.  Jain's index is 1
 * when all did the same; min_share is the least one's part of an equal share. */
#include "bench.h"
#include "runtime.h"

#define HOGS_MAX 256

static struct bench_line line[HOGS_MAX];
static uint64_t deadline;

static void hog (void *arg)
{
	bench_hog (arg, deadline);
}

static void first (void *arg)
{
	goad_task_t *task[HOGS_MAX];
	(void) arg;
	deadline = bench_now () + opt.time_ns;
	for (long i = 0; i < opt.hogs; i++)
		bench_must (goad_spawn (&task[i], NULL, hog, &line[i]), "goad_spawn");
	for (long i = 0; i < opt.hogs; i++)
		goad_join (task[i]);
}

int main (int argc, char **argv)
{
	opt.procs = 2;
	opt.hogs = 8;
	opt.time_ns = 3000 * BENCH_MS;
	bench_init (argc, argv);
	if (opt.hogs < 1 || opt.hogs > HOGS_MAX) {
		fprintf (stderr, "fairness: 1 to %d hogs\n", HOGS_MAX);
		return 2;
	}
	bench_run (first, NULL, bench_preempt (opt.preempt));
	double jain, min_share, blocks = 0;
	bench_fairness (line, opt.hogs, &jain, &min_share);
	for (long i = 0; i < opt.hogs; i++)
		blocks += (double) line[i].n;
	bench_print ("jain", jain, "index");
	bench_print ("min_share", min_share, "share");
	bench_print ("work", blocks * 1e9 / (double) opt.time_ns, "blocks/s");
	return bench_end ();
}
