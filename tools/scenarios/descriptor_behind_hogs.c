/* SPDX-License-Identifier: MIT */
/* descriptor_behind_hogs.c - Data has come for one while loops have all CPUs. No processor
 * polls, so the monitor must.
 *
 * Needs: preempt, sysmon.
 * After: brianwatling/libfiber#5, while some fiber was ready, those that waited for events
 *   were not looked after.
 */
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "tools/starve.h"

static int pipes[2], v;

static void reads (void *arg)
{
	char c;

	(void) arg;
	while (!starve_over ())
		if (goad_read (pipes[0], &c, 1) == 1)
			starve_ran (v);
}

static void *writes (void *arg)
{
	(void) arg;
	while (!starve_over ()) {
		struct timespec ts = { 0, 2000000 };
		nanosleep (&ts, NULL);
		starve_ready (v, 0);
		if (write (pipes[1], "x", 1) != 1)
			abort ();
		while (starve_pending (v) && !starve_over ())
			nanosleep (&ts, NULL);
	}
	return NULL;
}

static void first (void *arg)
{
	(void) arg;
	if (pipe (pipes) < 0)
		return;
	v = starve_victim ();
	starve_go ("victim", reads, NULL);
	starve_go ("hog", starve_hog_spins, NULL);
	starve_go ("hog", starve_hog_spins, NULL);
	starve_thread (writes, NULL);
}

const struct scenario starve_descriptor_behind_hogs = {
	.name = "descriptor-behind-hogs",
	.about = "data has come for one while loops have all CPUs",
	.issue = "brianwatling/libfiber#5",
	.after = "while some fiber was ready, those that waited for events were not looked after",
	.needs = NEEDS_PREEMPT | NEEDS_SYSMON,
	.first = first,
};
