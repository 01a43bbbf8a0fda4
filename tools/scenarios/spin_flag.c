/* SPDX-License-Identifier: MIT */
/* spin_flag.c - A loop waits for a flag that only another coroutine can raise. It waits for
 * ever if that one does not get its CPU.
 *
 * Needs: preempt, sysmon.
 * After: golang/go#33258, a loop that waited for an atomic counter never let those run who
 *   would lower it.
 */
#include "tools/starve.h"

static _Atomic int asked, answered;

static void asks (void *arg)
{
	(void) arg;
	while (!starve_over ()) {
		int n = atomic_fetch_add (&asked, 1) + 1;
		while (atomic_load_explicit (&answered, memory_order_relaxed) < n && !starve_over ())
			;
	}
}

static void answers (void *arg)
{
	int v = starve_victim ();

	(void) arg;
	while (!starve_over ()) {
		atomic_store (&answered, atomic_load (&asked));
		starve_ready (v, 0);
		goad_yield ();
		starve_ran (v);
	}
}

static void first (void *arg)
{
	(void) arg;
	starve_go ("asks", asks, NULL);
	starve_go ("answers", answers, NULL);
}

const struct scenario starve_spin_flag = {
	.name = "spin-flag",
	.about = "a loop waits for a flag that only another coroutine can raise",
	.issue = "golang/go#33258",
	.after = "a loop that waited for an atomic counter never let those run who would lower it",
	.needs = NEEDS_PREEMPT | NEEDS_SYSMON,
	.first = first,
};
