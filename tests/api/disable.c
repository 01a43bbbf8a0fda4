/* SPDX-License-Identifier: MIT */
/* tests/api/disable.c - goad_preempt_disable and goad_preempt_enable */
#include "tests/harness.h"
#include "tests/support.h"

#include <signal.h>

static _Atomic uint64_t turns;
static _Atomic int stop;

/* Counts whenever it runs. */
static void count_turns (void *arg)
{
	(void) arg;
	while (!atomic_load_explicit (&stop, memory_order_relaxed)) {
		atomic_fetch_add_explicit (&turns, 1, memory_order_relaxed);
		loop_apart ();
	}
}

enum { ROUNDS = 20 };

static uint64_t preemptions (void)
{
	goad_task_stats_t ts = { .id = 0 };

	claim_eq (goad_task_stats (NULL, &ts), 0);
	return ts.preempt_yielded + ts.preempt_handed_off;
}

/* On one P the counter stands still from the first disable to the last enable.  Where
 * a preemption came meanwhile, which is seen by its having been deferred (a busy host may
 * keep sysmon away for that long), it has been carried out when that returns; unless it
 * was put off once more, for want of a thread to hand the P to. */
static void hold (void *arg)
{
	uint64_t before, held, first, last, preempted, limit = goad_after (10 * GOAD_S);
	int depth = *(int *) arg, came = 0;
	goad_task_t *task;

	atomic_store (&stop, 0);
	claim_eq (goad_spawn (&task, NULL, count_turns, NULL), 0);
	while (came < ROUNDS && goad_now () < limit) {
		for (int i = 0; i < depth; i++)
			goad_preempt_disable ();
		first = stats_now ().preempt_deferred;
		before = atomic_load (&turns);
		spin_for (4 * GOAD_MS);
		for (int i = 1; i < depth; i++)
			goad_preempt_enable ();
		spin_for (2 * GOAD_MS);
		held = atomic_load (&turns);
		preempted = preemptions ();
		last = stats_now ().preempt_deferred;
		goad_preempt_enable ();
		claim_eq (before, held);
		claim (last == first || preemptions () > preempted || stats_now ().preempt_deferred > last);
		came += last > first;
	}
	claim_eq (came, ROUNDS);
	claim (atomic_load (&turns) > 0);
	atomic_store (&stop, 1);
	claim_eq (goad_join (task), 0);
}

static void expect_held (int depth, int mode)
{
	program_scanned ();
	cr_assert_eq (run_main (hold, &depth, 1, GOAD_MS, mode), 0);
	claims_assert ();
}

Test (disable, holds_the_processor, .timeout = 20)
{
	expect_held (1, GOAD_PREEMPT_AUTO);
}

Test (disable, nests, .timeout = 20)
{
	expect_held (3, GOAD_PREEMPT_AUTO);
	expect_held (1000, GOAD_PREEMPT_AUTO);
}

Test (disable, in_the_other_modes, .timeout = 20)
{
	expect_held (2, GOAD_PREEMPT_HANDOFF);
	expect_held (2, GOAD_PREEMPT_YIELD);
}

/* A pair in a hot loop is cheap and leaves nothing behind: preemptions go on. */
static void hot_pairs (void *arg)
{
	uint64_t limit = goad_after (10 * GOAD_S);
	goad_task_t *task;

	(void) arg;
	atomic_store (&stop, 0);
	claim_eq (goad_spawn (&task, NULL, count_turns, NULL), 0);
	while (preemptions () <= TEST_SOME (20) && goad_now () < limit) {
		uint64_t end = goad_after (5 * GOAD_MS);

		while (goad_now () < end) {
			goad_preempt_disable ();
			goad_preempt_enable ();
		}
	}
	claim (preemptions () > TEST_SOME (20));
	claim (atomic_load (&turns) > 0);
	atomic_store (&stop, 1);
	claim_eq (goad_join (task), 0);
}

Test (disable, hot_pairs, .timeout = 20)
{
	program_scanned ();
	cr_assert_eq (run_main (hot_pairs, NULL, 1, GOAD_MS, 0), 0);
	claims_assert ();
}

Test (disable, outside_a_coroutine)
{
	for (int i = 0; i < 3; i++)
		goad_preempt_disable ();
	for (int i = 0; i < 3; i++)
		goad_preempt_enable ();
}

static void enable_inside (void *arg)
{
	(void) arg;
	goad_preempt_disable ();
	goad_preempt_enable ();
	goad_preempt_enable ();
}

static void unbalanced_inside (void *arg)
{
	(void) arg;
	run_main (enable_inside, NULL, 1, 0, 0);
}

static void unbalanced_outside (void *arg)
{
	(void) arg;
	goad_preempt_enable ();
}

static void expect_abort (void (*fn) (void *))
{
	char out[2048];
	int status = child_run (fn, NULL, 10, out, sizeof out);
	const char *rest = strchr (out, '\n');

	cr_expect (child_signalled (status, SIGABRT), "status %#x", status);
	cr_expect (strstr (out, "goad_preempt_enable") != NULL, "said '%s'", out);
#ifdef GOAD_DEBUG_BUILD /* dumps everybody after the line, if there is anybody */
	cr_expect (rest && (rest[1] == '\0' || strstr (rest, " coroutines, ")), "'%s'", out);
#else
	cr_expect (rest && rest[1] == '\0', "one line, not '%s'", out);
#endif
}

Test (disable, unbalanced_aborts, .timeout = 30)
{
	expect_abort (unbalanced_inside);
	expect_abort (unbalanced_outside);
}
