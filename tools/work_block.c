/* SPDX-License-Identifier: MIT */
/* work_block.c - block [TIME]: sleeps in the kernel, in a call of which goad is told
 * nothing
 *
 * What others get meanwhile is what is to be seen; the work itself wants no CPU. */
#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "run.h"

extern const struct work work_block;

enum { BLOCKS_ALONE = 10 }; /* without --for */

static int prepare (struct spec *spec)
{
	uint64_t *time = malloc (sizeof *time);

	if (time == NULL)
		return TOOL_FAILED;
	spec->data = time;
	*time = 100 * GOAD_MS;
	if (spec->argc > 2) {
		util_error ("'block' takes a TIME and nothing more, as in 'block 100ms'");
		return TOOL_USAGE;
	}
	if (spec->argc == 2 && util_parse_time (spec->argv[1], time) < 0) {
		util_error ("block: '%s' is not a time: write it as 100ms, 250us or 2s", spec->argv[1]);
		return TOOL_USAGE;
	}
	if (*time < 10 * GOAD_US || *time > 3600 * GOAD_S) {
		util_error ("block: '%s' is out of range: 10us to 1h", spec->argv[1]);
		return TOOL_USAGE;
	}
	return 0;
}

static int body (struct task *task)
{
	uint64_t time = *(const uint64_t *) task->spec->data;
	char text[16];

	do {
		struct timespec left = { (time_t) (time / GOAD_S), (long) (time % GOAD_S) };

		while (nanosleep (&left, &left) < 0 && errno == EINTR)
			;
		run_result (task, "blocked for %s", util_time (text, (double) time));
	} while (task->run->opt.for_ns != 0 ? !run_over (task)
	                                    : atomic_load (&task->passes) < BLOCKS_ALONE);
	return 0;
}

const struct work work_block = {
	.name = "block",
	.args = "[TIME]",
	.doc = "sleep in the kernel, unannounced (100ms)",
	.flags = WORK_BLOCKS,
	.prepare = prepare,
	.body = body,
};
