/* SPDX-License-Identifier: MIT */
/* timer_behind_hogs.c - A sleeper is due while loops have all CPUs. No processor looks at its
 * timers, so the monitor must.
 *
 * Needs: preempt, sysmon.
 * After: golang/go#15706, the goroutine that served timers did not get to run under load, and
 *   timers did not fire.
 */
#include "tools/starve.h"

static void first (void *arg)
{
	(void) arg;
	starve_go ("hog", starve_hog_spins, NULL);
	starve_go ("hog", starve_hog_spins, NULL);
	starve_go ("victim", starve_victim_sleeps, NULL);
}

const struct scenario starve_timer_behind_hogs = {
	.name = "timer-behind-hogs",
	.about = "a sleeper is due while loops have all CPUs",
	.issue = "golang/go#15706",
	.after =
	    "the goroutine that served timers did not get to run under load, and timers did not fire",
	.needs = NEEDS_PREEMPT | NEEDS_SYSMON,
	.first = first,
};
