/* SPDX-License-Identifier: MIT */
/* announced_block.c - Calls that block, and said so, hold all threads. Their processors are
 * left attached, for a call that is over soon; somebody must take them away.
 *
 * Needs: sysmon.
 * After: tokio-rs/tokio#726, tasks stayed where they were although the blocking calls beside
 *   them were announced.
 */
#include <time.h>

#include "tools/starve.h"

static _Atomic int asleep;

static void sleeps (void *arg)
{
	struct timespec ts = { 4, 0 };

	(void) arg;
	while (!starve_over ()) {
		atomic_fetch_add (&asleep, 1);
		goad_block_begin ();
		nanosleep (&ts, NULL);
		goad_block_end ();
	}
}

static void first (void *arg)
{
	(void) arg;
	starve_go ("sleeps 1", sleeps, NULL);
	starve_go ("sleeps 2", sleeps, NULL);
	starve_newcomers (&asleep, 2);
}

const struct scenario starve_announced_block = {
	.name = "announced-block",
	.about = "calls that block, and said so, hold all threads",
	.issue = "tokio-rs/tokio#726",
	.after = "tasks stayed where they were although the blocking calls beside them were announced",
	.needs = NEEDS_SYSMON,
	.procs = 2,
	.first = first,
};
