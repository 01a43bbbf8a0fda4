/* SPDX-License-Identifier: MIT */
/* newcomer.c - One that is new waits for the end of a long slice. As woken-late, for coroutines
 * that a thread outside spawns.
 *
 * Needs: preempt, wakeup-preempt, sysmon.
 * After: golang/go#33015, one goroutine that computed held up others for much longer than it
 *   took to run them.
 */
#include "tools/starve.h"

static void first (void *arg)
{
	(void) arg;
	starve_go ("hog", starve_hog_spins, NULL);
	starve_go ("hog", starve_hog_spins, NULL);
	starve_newcomers (NULL, 0);
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
