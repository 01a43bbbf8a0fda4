/* SPDX-License-Identifier: MIT */
/* weights.c - A loop of three times the weight keeps the CPU from a light one. More weight is a
 * larger share, and not all of it.
 *
 * Needs: preempt, sysmon.
 * After: python-trio/trio#32, with tasks of unequal right the question was how the least of
 *   them gets its turn.
 */
#include "tools/starve.h"

static void first (void *arg)
{
	goad_attr_t a = GOAD_ATTR_INIT;
	goad_task_t *t;

	(void) arg;
	a.name = "heavy";
	a.weight = 300;
	if (goad_spawn (&t, &a, starve_hog_spins, NULL) < 0)
		return;
	goad_detach (t);
	starve_go ("victim", starve_victim_computes, NULL);
}

const struct scenario starve_weights = {
	.name = "weights",
	.about = "a loop of three times the weight keeps the CPU from a light one",
	.issue = "python-trio/trio#32",
	.after = "with tasks of unequal right the question was how the least of them gets its turn",
	.needs = NEEDS_PREEMPT | NEEDS_SYSMON,
	.first = first,
};
