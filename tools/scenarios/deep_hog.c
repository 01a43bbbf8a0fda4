/* SPDX-License-Identifier: MIT */
/* deep_hog.c - A loop at the bottom of a deep recursion keeps the CPU. More frames than are
 * looked at: nobody can say that none of them depends on its thread.
 *
 * Needs: preempt, handoff, sysmon.
 * After: golang/go#35923, a tight loop went on although preemption by signal had come.
 */
#include <stdlib.h>

#include "tools/starve.h"

/* Not to be made a loop of by the compiler. */
static __attribute__ ((noinline)) int dive (int depth)
{
	volatile int here = depth;

	if (depth > 0)
		here = dive (depth - 1) + 1;
	else
		while (!starve_over ())
			;
	return here;
}

static void dives (void *arg)
{
	(void) arg;
	if (dive (200) != 200)
		abort ();
}

static void first (void *arg)
{
	(void) arg;
	starve_go ("dives", dives, NULL);
	starve_go ("victim", starve_victim_yields, NULL);
}

const struct scenario starve_deep_hog = {
	.name = "deep-hog",
	.about = "a loop at the bottom of a deep recursion keeps the CPU",
	.issue = "golang/go#35923",
	.after = "a tight loop went on although preemption by signal had come",
	.needs = NEEDS_PREEMPT | NEEDS_HANDOFF | NEEDS_SYSMON,
	.first = first,
};
