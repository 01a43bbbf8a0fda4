/* SPDX-License-Identifier: MIT */
/* queue.c - the program under test: jobs in a channel, and workers that compute */
#include "queue.h"

#include <goad.h>

enum { WORKERS = 4, JOBS = 40 };

struct queue {
	goad_chan_t *jobs;
	goad_wg_t done;
};

static unsigned long compute (unsigned long n)
{
	unsigned long sum = 0;

	for (unsigned long i = 0; i < n; i++)
		sum += i * i % 7;
	return sum;
}

static void work (void *arg)
{
	struct queue *q = arg;
	unsigned long n;

	while (goad_chan_recv (q->jobs, &n) == 0) {
		volatile unsigned long result = compute (n);
		(void) result;
		goad_wg_done (&q->done);
	}
}

/* Puts jobs into the queue, some long and some short, and waits until they are done. */
void queue_run (void *arg)
{
	struct queue q = { .jobs = NULL };
	goad_task_t *worker[WORKERS];
	goad_attr_t attr = GOAD_ATTR_INIT;

	(void) arg;
	attr.name = "worker";
	if (goad_chan_create (&q.jobs, sizeof (unsigned long), JOBS) < 0)
		return;
	goad_wg_add (&q.done, JOBS);
	for (unsigned long i = 0; i < JOBS; i++)
		goad_chan_send (q.jobs, &(unsigned long){ i % 10 == 0 ? 20000000 : 1000 });
	for (int i = 0; i < WORKERS; i++)
		goad_spawn (&worker[i], &attr, work, &q);
	goad_wg_wait (&q.done);
	goad_chan_close (q.jobs);
	for (int i = 0; i < WORKERS; i++)
		goad_join (worker[i]);
	goad_chan_destroy (q.jobs);
}
