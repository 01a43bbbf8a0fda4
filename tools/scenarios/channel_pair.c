/* SPDX-License-Identifier: MIT */
/* channel_pair.c - A producer and a consumer that compute starve a third. As ready-pair, with a
 * channel between them and some work in each step.
 *
 * Needs: preempt, inherit-slice, sysmon.
 * After: tokio-rs/tokio#5712, a pair with short steps of work held the slot for the next one,
 *   and all others were late.
 */
#include "tools/starve.h"

static void produces (void *arg)
{
	int x = 0;

	while (!starve_over ()) {
		starve_burn (20000);
		goad_chan_send (arg, &x);
	}
}

static void consumes (void *arg)
{
	int x;

	while (!starve_over ()) {
		goad_chan_recv (arg, &x);
		starve_burn (20000);
	}
}

static void first (void *arg)
{
	goad_chan_t *ch;

	(void) arg;
	if (goad_chan_create (&ch, sizeof (int), 0) < 0)
		return;
	starve_go ("producer", produces, ch);
	starve_go ("consumer", consumes, ch);
	starve_go ("victim", starve_victim_yields, NULL);
}

const struct scenario starve_channel_pair = {
	.name = "channel-pair",
	.about = "a producer and a consumer that compute starve a third",
	.issue = "tokio-rs/tokio#5712",
	.after =
	    "a pair with short steps of work held the slot for the next one, and all others were late",
	.needs = NEEDS_PREEMPT | NEEDS_INHERIT_SLICE | NEEDS_SYSMON,
	.quantum_ns = 10 * GOAD_MS,
	.turns = 12,
	.flags = GOAD_F_NO_FEEDBACK, /* which helps now and then, when the host is busy */
	.first = first,
};
