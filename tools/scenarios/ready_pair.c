/* SPDX-License-Identifier: MIT */
/* ready_pair.c - Two that wake each other in turn starve a third. Who is woken goes next; so
 * the pair must share one slice, and that must end.
 *
 * Needs: preempt, inherit-slice, sysmon.
 * After: tokio-rs/tokio#2349, two tasks that woke each other through the slot for the next one
 *   kept the worker.
 */
#include "tools/starve.h"

struct end {
	goad_sem_t *mine, *other;
};

static void plays (void *arg)
{
	struct end *e = arg;

	while (!starve_over ()) {
		goad_sem_acquire (e->mine);
		goad_sem_release (e->other);
	}
}

static goad_sem_t ball[2];
static struct end end[2] = { { &ball[0], &ball[1] }, { &ball[1], &ball[0] } };

static void first (void *arg)
{
	(void) arg;
	goad_sem_release (&ball[0]);
	starve_go ("ping", plays, &end[0]);
	starve_go ("pong", plays, &end[1]);
	starve_go ("victim", starve_victim_yields, NULL);
}

const struct scenario starve_ready_pair = {
	.name = "ready-pair",
	.about = "two that wake each other in turn starve a third",
	.issue = "tokio-rs/tokio#2349",
	.after = "two tasks that woke each other through the slot for the next one kept the worker",
	.needs = NEEDS_PREEMPT | NEEDS_INHERIT_SLICE | NEEDS_SYSMON,
	.quantum_ns = 10 * GOAD_MS,
	.turns = 12,
	.flags = GOAD_F_NO_FEEDBACK, /* which helps now and then, when the host is busy */
	.first = first,
};
