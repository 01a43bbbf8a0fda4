/* SPDX-License-Identifier: MIT */
/* global_queue.c - Those in the local queue starve one in the global queue. The local queue is
 * never empty, so the global one must have its turn now and then.
 *
 * Needs: global-tick.
 * After: tokio-rs/tokio#5720, tasks from outside starved in the injection queue while workers
 *   had some of their own.
 */
#include <time.h>

#include "tools/starve.h"

/* So many that the local queue stays full enough: where the host is busy one of them is
 * preempted now and then, and stands in the global queue then, with the victim. */
enum { LOCALS = 200 };

static goad_sem_t bell;
static int v;

static void rings (void *arg)
{
	(void) arg;
	while (!starve_over ()) {
		goad_sem_acquire (&bell);
		starve_ran (v);
	}
}

/* From outside: so it goes into the global queue. */
static void *rung (void *arg)
{
	(void) arg;
	while (!starve_over ()) {
		struct timespec ts = { 0, 2000000 };
		nanosleep (&ts, NULL);
		starve_ready (v, 0);
		goad_sem_release (&bell);
		while (starve_pending (v) && !starve_over ())
			nanosleep (&ts, NULL);
	}
	return NULL;
}

static void yields (void *arg)
{
	(void) arg;
	while (!starve_over ())
		goad_yield ();
}

static void first (void *arg)
{
	(void) arg;
	v = starve_victim ();
	for (int i = 0; i < LOCALS; i++)
		starve_go ("local", yields, NULL);
	starve_go ("victim", rings, NULL);
	starve_thread (rung, NULL);
}

const struct scenario starve_global_queue = {
	.name = "global-queue",
	.about = "those in the local queue starve one in the global queue",
	.issue = "tokio-rs/tokio#5720",
	.after =
	    "tasks from outside starved in the injection queue while workers had some of their own",
	.needs = NEEDS_GLOBAL_TICK,
	.first = first,
};
