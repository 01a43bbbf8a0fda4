/* SPDX-License-Identifier: MIT */
/* locked_hog.c - A loop that is locked to its thread keeps the CPU. It can be preempted, but
 * only together with the thread.
 *
 * Needs: preempt, handoff, sysmon.
 * After: golang/go#36122, it was asked whether one that is locked to its thread may be
 *   preempted at all.
 */
#include "tools/starve.h"

static void locked (void *arg)
{
	if (goad_lock_thread () < 0)
		return;
	starve_go_victim (starve_victim_yields);
	starve_hog_spins (arg);
	goad_unlock_thread ();
}

static void first (void *arg)
{
	(void) arg;
	starve_go ("locked", locked, NULL);
}

const struct scenario starve_locked_hog = {
	.name = "locked-hog",
	.about = "a loop that is locked to its thread keeps the CPU",
	.issue = "golang/go#36122",
	.after = "it was asked whether one that is locked to its thread may be preempted at all",
	.needs = NEEDS_PREEMPT | NEEDS_HANDOFF | NEEDS_SYSMON,
	.first = first,
};
