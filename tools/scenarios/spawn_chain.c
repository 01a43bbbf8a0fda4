/* SPDX-License-Identifier: MIT */
/* spawn_chain.c - Each spawns the next and ends, and all others starve. Who is new goes next;
 * so the chain must be in one slice, and that must end.
 *
 * Needs: preempt, inherit-slice, sysmon.
 * After: golang/go#52934, goroutines that started new ones without end starved what was there
 *   before.
 */
#include "tools/starve.h"

static void link_ (void *arg)
{
	if (!starve_over ())
		goad_go (link_, arg);
}

static void first (void *arg)
{
	(void) arg;
	starve_go ("link", link_, NULL);
	starve_go ("victim", starve_victim_yields, NULL);
}

const struct scenario starve_spawn_chain = {
	.name = "spawn-chain",
	.about = "each spawns the next and ends, and all others starve",
	.issue = "golang/go#52934",
	.after = "goroutines that started new ones without end starved what was there before",
	.needs = NEEDS_PREEMPT | NEEDS_INHERIT_SLICE | NEEDS_SYSMON,
	.quantum_ns = 10 * GOAD_MS,
	.turns = 12,
	.flags = GOAD_F_NO_FEEDBACK, /* which helps now and then, when the host is busy */
	.first = first,
};
