/* SPDX-License-Identifier: MIT */
/* lock_convoy.c - One that locks again as soon as it unlocks keeps the mutex. It never waits,
 * so it must be preempted; and the mutex must be handed over to who waited long.
 *
 * Needs: preempt, sysmon.
 * After: golang/go#13086, who held a lock nearly all the time got it back each time, and the
 *   other waited for seconds.
 */
#include "tools/starve.h"

static goad_mutex_t mutex;

static void holds (void *arg)
{
	(void) arg;
	while (!starve_over ()) {
		goad_mutex_lock (&mutex);
		starve_burn (300000);
		goad_mutex_unlock (&mutex);
	}
}

static void wants (void *arg)
{
	int v = starve_victim_is (arg);

	starve_ready (v, 0);
	while (!starve_over ()) {
		goad_mutex_lock (&mutex);
		starve_ran (v);
		goad_mutex_unlock (&mutex);
		starve_ready (v, 0);
		goad_yield ();
	}
}

static void first (void *arg)
{
	(void) arg;
	starve_go ("holds", holds, NULL);
	starve_go_victim (wants);
}

const struct scenario starve_lock_convoy = {
	.name = "lock-convoy",
	.about = "one that locks again as soon as it unlocks keeps the mutex",
	.issue = "golang/go#13086",
	.after = "who held a lock nearly all the time got it back each time, and the other waited for "
	         "seconds",
	.needs = NEEDS_PREEMPT | NEEDS_SYSMON,
	.first = first,
};
