/* SPDX-License-Identifier: MIT */
/* stats.c - how was it preempted?  One coroutine computes, the other allocates
 *
 *	cc stats.c $(pkg-config --cflags --libs goad)
 *	./a.out
 *
 * The one that computes yields in place; the one that is nearly always inside malloc
 * has its thread handed off. */
#include <goad.h>
#include <stdio.h>
#include <stdlib.h>

static void compute (void *arg)
{
	uint64_t end = *(uint64_t *) arg;

	while (goad_now () < end)
		for (volatile int i = 0; i < 100000; i++)
			;
}

static void allocate (void *arg)
{
	uint64_t end = *(uint64_t *) arg;

	while (goad_now () < end)
		for (int i = 0; i < 1000; i++)
			free (calloc (1, 20000));
}

static goad_task_t *start (const char *name, goad_fn fn, void *arg)
{
	goad_attr_t attr = GOAD_ATTR_INIT;
	goad_task_t *task;

	attr.name = name;
	return goad_spawn (&task, &attr, fn, arg) == 0 ? task : NULL;
}

/* After its end a coroutine's counters are there until it is joined. */
static void report (goad_task_t *task)
{
	goad_task_stats_t ts;

	while (goad_task_stats (task, &ts) == 0 && ts.state != GOAD_STATE_DEAD)
		goad_sleep (GOAD_MS);
	printf ("%-8s %lu ms of CPU, %lu times yielded, %lu times handed off\n", ts.name,
	        (unsigned long) (ts.cpu_ns / GOAD_MS), (unsigned long) ts.preempt_yielded,
	        (unsigned long) ts.preempt_handed_off);
	goad_join (task);
}

static void first (void *arg)
{
	uint64_t end = goad_after (300 * GOAD_MS);
	goad_task_t *a = start ("compute", compute, &end), *b = start ("allocate", allocate, &end);

	(void) arg;
	if (a)
		report (a);
	if (b)
		report (b);
}

int main (void)
{
	goad_config_t cfg = GOAD_CONFIG_INIT;
	goad_stats_t s;

	if (goad_config_init (&cfg) < 0)
		return 2;
	cfg.procs = 1;
	if (goad_main (first, NULL, &cfg) < 0 || goad_stats (&s) < 0)
		return 1;
	printf ("%lu requests, %lu signals, slices of %lu us, %lu threads at most\n",
	        (unsigned long) s.preempt_requested, (unsigned long) s.signals_sent,
	        (unsigned long) (s.slices ? s.slice_ns / s.slices / GOAD_US : 0),
	        (unsigned long) s.threads_max);
	return 0;
}
