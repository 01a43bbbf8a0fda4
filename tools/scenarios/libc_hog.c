/* SPDX-License-Identifier: MIT */
/* libc_hog.c - A sort in the C library keeps the CPU. Its frames stand on the stack all the
 * time, so it cannot be switched away: its thread must stop with it.
 *
 * Needs: preempt, handoff, sysmon.
 * After: riverrun/comeonin#8, a password hash in C ran for so long that the scheduler which
 *   called it did nothing else.
 */
#include <stdlib.h>

#include "tools/starve.h"

enum { N = 1 << 15 };

static int compare (const void *a, const void *b)
{
	unsigned x = *(const unsigned *) a, y = *(const unsigned *) b;

	for (volatile int i = 0; i < 300 && !starve_over (); i = i + 1)
		;
	return x < y ? -1 : x > y;
}

static void sorts (void *arg)
{
	static unsigned all[N];
	unsigned r = 1;

	(void) arg;
	while (!starve_over ()) {
		for (int i = 0; i < N; i++)
			all[i] = r = r * 1664525 + 1013904223;
		qsort (all, N, sizeof *all, compare);
	}
}

static void first (void *arg)
{
	(void) arg;
	starve_go ("sorts", sorts, NULL);
	starve_go ("victim", starve_victim_yields, NULL);
}

const struct scenario starve_libc_hog = {
	.name = "libc-hog",
	.about = "a sort in the C library keeps the CPU",
	.issue = "riverrun/comeonin#8",
	.after =
	    "a password hash in C ran for so long that the scheduler which called it did nothing else",
	.needs = NEEDS_PREEMPT | NEEDS_HANDOFF | NEEDS_SYSMON,
	.first = first,
};
