/* SPDX-License-Identifier: MIT */
/* newcomer.c - One that is new waits for the end of a long slice. As woken-late, for coroutines that a
 * thread outside spawns.
 *
 * Needs: preempt, wakeup-preempt, sysmon.
 * After: golang/go#33015, one goroutine that computed held up others for much longer than it
 *   took to run them.
 */
#include <time.h>

#include "tools/starve.h"

static int v;

static void comes (void *arg)
{
	(void) arg;
	starve_ran (v);
}

static void *spawns (void *arg)
{
	(void) arg;
	while (!starve_over ()) {
		struct timespec ts = { 0, 2000000 };
		nanosleep (&ts, NULL);
		starve_ready (v, 0);
		starve_go ("newcomer", comes, NULL);
		while (starve_pending (v) && !starve_over ())
			nanosleep (&ts, NULL);
	}
	return NULL;
}

static void first (void *arg)
{
	(void) arg;
	v = starve_victim ();
	starve_go ("hog", starve_hog_spins, NULL);
	starve_go ("hog", starve_hog_spins, NULL);
	starve_thread (spawns, NULL);
}

const struct scenario starve_newcomer = {
	.name = "newcomer",
	.about = "one that is new waits for the end of a long slice",
	.issue = "golang/go#33015",
	.after = "one goroutine that computed held up others for much longer than it took to run them",
	.needs = NEEDS_PREEMPT | NEEDS_WAKEUP_PREEMPT | NEEDS_SYSMON,
	.quantum_ns = GOAD_S,
	.first = first,
};
