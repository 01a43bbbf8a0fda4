/* SPDX-License-Identifier: MIT */
/* mutex_hog.c - A loop that holds a recursive pthread mutex keeps the CPU. The lock belongs to
 * the kernel thread, so it cannot go on on another one.
 *
 * Needs: preempt, handoff, sysmon.
 * After: google/conscrypt#1170, a virtual thread that held a monitor was pinned, and the
 *   carriers ran out.
 */
#include <pthread.h>
#include <stdlib.h>

#include "tools/starve.h"

static void holds (void *arg)
{
	pthread_mutexattr_t a;
	pthread_mutex_t m;

	(void) arg;
	pthread_mutexattr_init (&a);
	pthread_mutexattr_settype (&a, PTHREAD_MUTEX_RECURSIVE);
	pthread_mutex_init (&m, &a);
	pthread_mutex_lock (&m);
	while (!starve_over ())
		;
	if (pthread_mutex_unlock (&m) != 0)
		abort (); /* it went on on another thread */
}

static void first (void *arg)
{
	(void) arg;
	starve_go ("holds", holds, NULL);
	starve_go ("victim", starve_victim_yields, NULL);
}

const struct scenario starve_mutex_hog = {
	.name = "mutex-hog",
	.about = "a loop that holds a recursive pthread mutex keeps the CPU",
	.issue = "google/conscrypt#1170",
	.after = "a virtual thread that held a monitor was pinned, and the carriers ran out",
	.needs = NEEDS_PREEMPT | NEEDS_HANDOFF | NEEDS_SYSMON,
	.module = GOAD_MODULE_BOUND,
	.first = first,
};
