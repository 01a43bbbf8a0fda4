/* SPDX-License-Identifier: MIT */
/* tls_hog.c - A loop over a thread-local variable keeps the CPU. The compiler may hold its
 * address in a register, so it cannot go on on another thread.
 *
 * Needs: preempt, handoff, sysmon.
 * After: pmodels/argobots#55, the address of a thread-local stayed in a register across a
 *   switch to another thread.
 */
#include <stdlib.h>

#include "tools/starve.h"

static _Thread_local volatile unsigned long count;

static __attribute__ ((noinline)) void counts (void *arg)
{
	volatile unsigned long *mine = &count;

	(void) arg;
	while (!starve_over ())
		*mine = *mine + 1;
	if (mine != &count)
		abort ();
}

static void first (void *arg)
{
	(void) arg;
	starve_go ("counts", counts, NULL);
	starve_go ("victim", starve_victim_yields, NULL);
}

const struct scenario starve_tls_hog = {
	.name = "tls-hog",
	.about = "a loop over a thread-local variable keeps the CPU",
	.issue = "pmodels/argobots#55",
	.after = "the address of a thread-local stayed in a register across a switch to another thread",
	.needs = NEEDS_PREEMPT | NEEDS_HANDOFF | NEEDS_SYSMON,
	.first = first,
};
