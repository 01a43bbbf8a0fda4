/* SPDX-License-Identifier: MIT */
/* work_tick.c - tick PERIOD: sleeps, wakes, and records how late
 *
 * The ticks are due at fixed times.  One that comes so late that others were due
 * meanwhile does not excuse those: they follow at once, each with the lateness it
 * really had. */
#include <stdlib.h>

#include "run.h"

extern const struct work work_tick;

enum { TICKS_ALONE = 1000 }; /* without --for */

static int prepare (struct spec *spec)
{
	uint64_t *period = calloc (1, sizeof *period);

	if (period == NULL)
		return TOOL_FAILED;
	spec->data = period;
	if (spec->argc != 2) {
		util_error ("'tick' needs a PERIOD%s, as in 'tick 1ms'",
		            spec->argc > 2 ? " and nothing more" : "");
		return TOOL_USAGE;
	}
	if (util_parse_time (spec->argv[1], period) < 0) {
		util_error ("tick: '%s' is not a time: write it as 1ms, 250us or 2s", spec->argv[1]);
		return TOOL_USAGE;
	}
	if (*period < 10 * GOAD_US || *period > 3600 * GOAD_S) {
		util_error ("tick: '%s' is out of range: 10us to 1h", spec->argv[1]);
		return TOOL_USAGE;
	}
	return 0;
}

static int body (struct task *task)
{
	const struct run *run = task->run;
	uint64_t period = *(const uint64_t *) task->spec->data;
	uint64_t due = goad_now ();
	uint64_t end = run->opt.for_ns != 0 ? atomic_load (&run->start_ns) + run->opt.for_ns
	                                    : due + (TICKS_ALONE + 1) * period;

	for (due += period; due < end; due += period) {
		atomic_store (&task->due_ns, due);
		goad_sleep_until (due);
		util_hist_add (task->late, goad_now () - due);
	}
	atomic_store (&task->due_ns, 0);
	return 0;
}

const struct work work_tick = {
	.name = "tick",
	.args = "PERIOD",
	.doc = "sleep, wake, and measure how late",
	.flags = WORK_TICKS,
	.prepare = prepare,
	.body = body,
};
