/* SPDX-License-Identifier: MIT */
/* spin_hog.c - A loop without a call keeps the CPU from one that yields. Nothing but a signal
 * can end it, and nobody but a monitor can send that.
 *
 * Needs: preempt, sysmon.
 * After: golang/go#10958, a loop without calls could not be preempted, and held up even the
 *   collector.
 */
#include "tools/starve.h"

static void first (void *arg)
{
	(void) arg;
	starve_go ("hog", starve_hog_spins, NULL);
	starve_go ("victim", starve_victim_yields, NULL);
}

const struct scenario starve_spin_hog = {
	.name = "spin-hog",
	.about = "a loop without a call keeps the CPU from one that yields",
	.issue = "golang/go#10958",
	.after = "a loop without calls could not be preempted, and held up even the collector",
	.needs = NEEDS_PREEMPT | NEEDS_SYSMON,
	.first = first,
};
