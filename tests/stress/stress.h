/* SPDX-License-Identifier: MIT */
/* tests/stress/stress.h - runs under chaos, from a seed that is told and can be given again
 *
 * A run takes as long as its test says, or GOAD_STRESS times as long, or
 * GOAD_STRESS_SECONDS.  The seed is $GOAD_STRESS_SEED, else from the clock; it is printed. */
#ifndef GOAD_TESTS_STRESS_H
#define GOAD_TESTS_STRESS_H

#include "tests/harness.h"
#include "tests/support.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

struct stress_plan {
	uint64_t seed, for_ns;
};

/* goad_main, with a quantum of 100 us; first's argument is a const struct stress_plan. */
int stress_run (goad_fn first, double seconds, int procs, int mode);

/* To the end of the plan, and longer where the host gave hardly any time, until it is enough. */
void stress_wait (const struct stress_plan *plan, bool (*enough) (void));

/* Everybody has a state of his own, so that the same seed gives the same choices. */
static inline uint64_t choose (uint64_t *state)
{
	*state = *state * UINT64_C (6364136223846793005) + 1442695040888963407;
	return *state >> 33;
}

#endif
