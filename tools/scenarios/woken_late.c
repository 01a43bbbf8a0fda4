/* SPDX-License-Identifier: MIT */
/* woken_late.c - A sleeper waits for the end of a long slice. The quantum is long here, as
 * where preemption is to be rare; who wakes must not have to wait for it.
 *
 * Needs: preempt, wakeup-preempt, sysmon.
 * After: golang/go#38860, timers were late by a whole slice of whatever computed.
 */
#include "tools/starve.h"

static void first (void *arg)
{
	(void) arg;
	starve_go ("hog", starve_hog_spins, NULL);
	starve_go ("hog", starve_hog_spins, NULL);
	starve_go ("victim", starve_victim_sleeps, NULL);
}

const struct scenario starve_woken_late = {
	.name = "woken-late",
	.about = "a sleeper waits for the end of a long slice",
	.issue = "golang/go#38860",
	.after = "timers were late by a whole slice of whatever computed",
	.needs = NEEDS_PREEMPT | NEEDS_WAKEUP_PREEMPT | NEEDS_SYSMON,
	.quantum_ns = GOAD_S,
	.first = first,
};
