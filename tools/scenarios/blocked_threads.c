/* SPDX-License-Identifier: MIT */
/* blocked_threads.c - Calls that block, of which nobody was told, hold all threads. The threads
 * sleep and nothing computes, but somebody could.
 *
 * Needs: detect-block, sysmon.
 * After: tokio-rs/tokio#4730, one task that blocked its thread stopped all others, though
 *   threads were idle.
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
		nanosleep (&ts, NULL);
	}
}

static void first (void *arg)
{
	(void) arg;
	starve_go ("sleeps 1", sleeps, NULL);
	starve_go ("sleeps 2", sleeps, NULL);
	starve_newcomers (&asleep, 2);
}

const struct scenario starve_blocked_threads = {
	.name = "blocked-threads",
	.about = "calls that block, of which nobody was told, hold all threads",
	.issue = "tokio-rs/tokio#4730",
	.after = "one task that blocked its thread stopped all others, though threads were idle",
	.needs = NEEDS_DETECT_BLOCK | NEEDS_SYSMON,
	.procs = 2,
	.first = first,
};
