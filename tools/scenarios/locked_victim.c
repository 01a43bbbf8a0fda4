/* SPDX-License-Identifier: MIT */
/* locked_victim.c - One that is locked to its thread waits behind two loops. Its turn comes
 * with a switch of threads, and must come all the same.
 *
 * Needs: preempt, sysmon.
 * After: golang/go#21827, one that was locked to its thread was many times slower than the
 *   others.
 */
#include "tools/starve.h"

static void locked (void *arg)
{
	if (goad_lock_thread () < 0)
		return;
	starve_victim_yields (arg);
	goad_unlock_thread ();
}

static void first (void *arg)
{
	(void) arg;
	starve_go ("hog", starve_hog_spins, NULL);
	starve_go ("hog", starve_hog_spins, NULL);
	starve_go_victim (locked);
}

const struct scenario starve_locked_victim = {
	.name = "locked-victim",
	.about = "one that is locked to its thread waits behind two loops",
	.issue = "golang/go#21827",
	.after = "one that was locked to its thread was many times slower than the others",
	.needs = NEEDS_PREEMPT | NEEDS_SYSMON,
	.turns = 10,
	.first = first,
};
