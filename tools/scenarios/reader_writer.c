/* SPDX-License-Identifier: MIT */
/* reader_writer.c - Readers that overlap keep a writer out. They never wait, so they must be
 * preempted; and who reads next must queue behind the writer.
 *
 * Needs: preempt, sysmon.
 * After: async-rs/async-std#705, readers were let in whoever waited, and a writer could wait
 *   for ever.
 */
#include "tools/starve.h"

static goad_rwlock_t lock;

static void reads (void *arg)
{
	(void) arg;
	while (!starve_over ()) {
		goad_rwlock_rdlock (&lock);
		starve_burn (300000);
		goad_rwlock_unlock (&lock);
	}
}

static void writes (void *arg)
{
	int v = starve_victim_is (arg);

	starve_ready (v, 0);
	while (!starve_over ()) {
		goad_rwlock_wrlock (&lock);
		starve_ran (v);
		goad_rwlock_unlock (&lock);
		starve_ready (v, 0);
		goad_yield ();
	}
}

static void first (void *arg)
{
	(void) arg;
	starve_go ("reader", reads, NULL);
	starve_go ("reader", reads, NULL);
	starve_go_victim (writes);
}

const struct scenario starve_reader_writer = {
	.name = "reader-writer",
	.about = "readers that overlap keep a writer out",
	.issue = "async-rs/async-std#705",
	.after = "readers were let in whoever waited, and a writer could wait for ever",
	.needs = NEEDS_PREEMPT | NEEDS_SYSMON,
	.first = first,
};
