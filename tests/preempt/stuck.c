/* SPDX-License-Identifier: MIT */
#include "tests/preempt/stuck.h"

#include <stdlib.h>

void stuck_on_all_ps (stuck_try *try)
{
	try (PS, GOAD_PREEMPT_AUTO);
	try (1, GOAD_PREEMPT_AUTO);
}

void stuck_in_every_mode (stuck_try *try)
{
	for (int mode = GOAD_PREEMPT_HANDOFF; mode <= GOAD_PREEMPT_OFF; mode++)
		try (1, mode);
}

void stuck_without_syscall_file (stuck_try *try)
{
	setenv ("GOAD_NO_PROC_SYSCALL", "1", 1);
	stuck_on_all_ps (try);
}

void stuck_without_membarrier (stuck_try *try)
{
	setenv ("GOAD_NO_MEMBARRIER", "1", 1);
	try (PS, GOAD_PREEMPT_AUTO);
	try (1, GOAD_PREEMPT_OFF);
}

uint64_t stuck_go_on (const _Atomic int *inside, int n)
{
	uint64_t host = host_delay_ns (), start = goad_now (), took;

	while (atomic_load (inside) < n)
		goad_yield ();
	for (int i = 0; i < 1000; i++)
		goad_yield ();
	took = goad_now () - start;
	host = host_delay_ns () - host;
	return took - (host < took ? host : took);
}

struct back {
	const struct stuck_back *way;
	_Atomic int in, out, end, enabled;
};

static void get_stuck_and_compute (void *arg)
{
	struct back *b = arg;

	if (b->way->disable)
		goad_preempt_disable ();
	atomic_store (&b->in, 1);
	b->way->get_in (0);
	atomic_store (&b->out, 1);
	if (b->way->disable) {
		while (!atomic_load (&b->enabled))
			loop_apart ();
		goad_preempt_enable ();
	}
	while (!atomic_load (&b->end))
		loop_apart ();
}

static int state_of (goad_task_t *t)
{
	goad_task_stats_t s;

	claim_eq (goad_task_stats (t, &s), 0);
	return s.state;
}

void stuck_comes_back (void *arg)
{
	struct back b = { .way = arg };
	uint64_t limit = goad_after (10 * GOAD_S);
	goad_task_t *t;

	claim_eq (goad_spawn (&t, NULL, get_stuck_and_compute, &b), 0);
	await (&b.in, 1);
	while (state_of (t) != GOAD_STATE_BLOCKED && goad_now () < limit)
		goad_yield ();
	claim_eq (state_of (t), GOAD_STATE_BLOCKED);
	claim_eq (atomic_load (&b.out), 0);
	b.way->let_go (0);
	while (!atomic_load (&b.out) && goad_now () < limit)
		;
	if (b.way->disable) {
		spin_for (20 * GOAD_MS);
		claim_eq (state_of (t), GOAD_STATE_BLOCKED);
		atomic_store (&b.enabled, 1);
	}
	while (state_of (t) == GOAD_STATE_BLOCKED && goad_now () < limit)
		spin_for (100 * GOAD_US);
	claim (state_of (t) != GOAD_STATE_BLOCKED);
	atomic_store (&b.end, 1);
	claim_eq (goad_join (t), 0);
}
