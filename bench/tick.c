/* SPDX-License-Identifier: MIT */
/* tick.c - how late does a sleep of 1 ms end beside hogs?
 *
 * Lateness is counted from the end of each sleep asked for, and each sleep begins when the
 * one before has ended; a scheduler that is 20 ms late gets fewer ticks, not worse ones. */
#include "bench.h"
#include "runtime.h"

#define HOGS_MAX 256

static struct bench_line line[HOGS_MAX];
static struct bench_samples late;
static uint64_t deadline;

static void hog (void *arg)
{
	bench_hog (arg, deadline);
}

static void ticker (void *arg)
{
	(void) arg;
	for (;;) {
		uint64_t due = bench_now () + GOAD_MS;
		if (due >= deadline)
			return;
		goad_sleep_until (due);
		bench_add (&late, ((double) bench_now () - (double) due) / 1e6);
	}
}

static void first (void *arg)
{
	goad_task_t *task[HOGS_MAX], *tick;
	(void) arg;
	deadline = bench_now () + opt.time_ns;
	for (long i = 0; i < opt.hogs; i++)
		bench_must (goad_spawn (&task[i], NULL, hog, &line[i]), "goad_spawn");
	bench_must (goad_spawn (&tick, NULL, ticker, NULL), "goad_spawn");
	for (long i = 0; i < opt.hogs; i++)
		goad_join (task[i]);
	goad_join (tick);
}

int main (int argc, char **argv)
{
	opt.procs = 2;
	opt.hogs = 8;
	opt.time_ns = 2000 * BENCH_MS;
	bench_init (argc, argv);
	if (opt.hogs < 0 || opt.hogs > HOGS_MAX) {
		fprintf (stderr, "tick: 0 to %d hogs\n", HOGS_MAX);
		return 2;
	}
	bench_samples_init (&late, opt.time_ns / BENCH_MS + 1);
	bench_run (first, NULL, bench_preempt (opt.preempt));
	bench_print ("late_p50", bench_median (&late), "ms");
	bench_print ("late_p99", bench_quantile (&late, 0.99), "ms");
	bench_print ("late_max", bench_quantile (&late, 1), "ms");
	bench_print ("ticks", (double) late.n, "n");
	return bench_end ();
}
