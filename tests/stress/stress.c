/* SPDX-License-Identifier: MIT */
#include "tests/stress/stress.h"

static double number (const char *variable, double otherwise)
{
	const char *text = getenv (variable);

	return text && *text ? atof (text) : otherwise;
}

int stress_run (goad_fn first, double seconds, int procs, int mode)
{
	uint64_t seed = (uint64_t) number ("GOAD_STRESS_SEED", (double) (goad_now () / 1000 % 1000000));
	goad_config_t cfg = config_of (procs, 100 * GOAD_US, mode);
	struct stress_plan plan = { .seed = seed };
	char chaos[64];
	int rc;

	seconds = number ("GOAD_STRESS_SECONDS", seconds * number ("GOAD_STRESS", 1));
	plan.for_ns = (uint64_t) (seconds * 1e9);
	snprintf (chaos, sizeof chaos, "chaos=%" PRIu64, seed);
	setenv ("GOAD_DEBUG", chaos, 1);
	cfg.seed = seed;
	fprintf (stderr, "  %.1f s, %d Ps, seed %" PRIu64 "\n", seconds, procs, seed);
	program_scanned ();
	rc = goad_main (first, &plan, &cfg);
	unsetenv ("GOAD_DEBUG");
	return rc;
}

void stress_wait (const struct stress_plan *plan, bool (*enough) (void))
{
	uint64_t end = goad_after (plan->for_ns);

	while (goad_now () < end || (!enough () && goad_now () < end + 30 * GOAD_S))
		goad_sleep (10 * GOAD_MS);
}
