/* SPDX-License-Identifier: MIT */
/* try_loop.c - A loop of calls that never wait keeps the CPU. It is in the library most of the
 * time, where it cannot be stopped; so it must be on its way out.
 *
 * Needs: preempt, sysmon.
 * After: golang/go#23721, a copy between a reader and a writer that were always ready starved
 *   all others.
 */
#include "tools/starve.h"

static void polls (void *arg)
{
	goad_chan_t *ch = arg;
	int x;

	while (!starve_over ())
		goad_chan_try_recv (ch, &x);
}

static void first (void *arg)
{
	goad_chan_t *ch;

	(void) arg;
	if (goad_chan_create (&ch, sizeof (int), 1) < 0)
		return;
	starve_go ("polls", polls, ch);
	starve_go ("victim", starve_victim_yields, NULL);
}

const struct scenario starve_try_loop = {
	.name = "try-loop",
	.about = "a loop of calls that never wait keeps the CPU",
	.issue = "golang/go#23721",
	.after = "a copy between a reader and a writer that were always ready starved all others",
	.needs = NEEDS_PREEMPT | NEEDS_SYSMON,
	.first = first,
};
