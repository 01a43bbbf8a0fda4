/* SPDX-License-Identifier: MIT */
/* tests/preempt/errno.c - errno survives each preemption, one by one; see torture_errno.c for
 * many at once */
#include "tests/harness.h"
#include "tests/support.h"

#include <errno.h>

enum { TASKS = 3, ROUNDS = 100 };

static _Atomic int turn;
static _Atomic int finished;

static __attribute__ ((noinline)) void set_errno (int value)
{
	errno = value;
}

static __attribute__ ((noinline)) int get_errno (void)
{
	return errno;
}

/* On one P each waits in a loop for another to have moved the turn on, which it can do
 * only when this one has been preempted; and each has an errno of its own. */
static void keep (void *arg)
{
	int me = (int) (intptr_t) arg;

	for (int i = 0; i < ROUNDS; i++) {
		set_errno (1000 * (me + 1) + i);
		while (atomic_load_explicit (&turn, memory_order_relaxed) % TASKS != me)
			linger ();
		claim_eq (get_errno (), 1000 * (me + 1) + i);
		atomic_fetch_add (&turn, 1);
	}
	atomic_fetch_add (&finished, 1);
}

static void keep_all (void *arg)
{
	goad_task_t *task[TASKS];

	(void) arg;
	atomic_store (&turn, 0);
	atomic_store (&finished, 0);
	for (intptr_t i = 0; i < TASKS; i++)
		claim_eq (goad_spawn (&task[i], NULL, keep, (void *) i), 0);
	for (int i = 0; i < TASKS; i++)
		claim_eq (goad_join (task[i]), 0);
	claim_eq (finished, TASKS);
}

static void expect_kept (int mode)
{
	goad_stats_t s;

	program_scanned ();
	cr_assert_eq (run_main (keep_all, NULL, 1, GOAD_MS, mode), 0);
	claims_assert ();
	s = stats_now ();
	cr_assert_geq (s.preempt_yielded + s.preempt_handed_off, ROUNDS);
}

Test (keep_errno, kept_by_yields, .timeout = 30)
{
	expect_kept (GOAD_PREEMPT_YIELD);
	cr_assert_geq (stats_now ().preempt_yielded, ROUNDS);
}

Test (keep_errno, kept_by_hand_offs, .timeout = 30)
{
	expect_kept (GOAD_PREEMPT_HANDOFF);
	cr_assert_geq (stats_now ().preempt_handed_off, ROUNDS);
}

Test (keep_errno, kept_by_either, .timeout = 30)
{
	expect_kept (GOAD_PREEMPT_AUTO);
}

/* The library's own calls leave errno alone. */
static void nothing (void *arg)
{
	(void) arg;
}

static void call_all (void *arg)
{
	goad_stats_t s;
	goad_task_stats_t ts;
	goad_task_t *task;

	(void) arg;
	set_errno (4242);
	claim_eq (goad_spawn (&task, NULL, nothing, NULL), 0);
	claim_eq (get_errno (), 4242);
	claim_eq (goad_join_until (NULL, 0), -EINVAL);
	claim_eq (goad_stats (&s), 0);
	claim_eq (goad_task_stats (task, &ts), 0);
	claim_eq (goad_go (NULL, NULL), -EINVAL);
	claim_eq (get_errno (), 4242);
	(void) goad_now ();
	(void) goad_count ();
	goad_preempt_disable ();
	goad_preempt_enable ();
	claim_eq (get_errno (), 4242);
}

Test (keep_errno, left_alone_by_calls, .timeout = 10)
{
	cr_assert_eq (run_main (call_all, NULL, 1, 0, GOAD_PREEMPT_OFF), 0);
	claims_assert ();
	set_errno (77);
	cr_assert_eq (goad_go (nothing, NULL), -EPERM);
	cr_assert_eq (get_errno (), 77);
}
