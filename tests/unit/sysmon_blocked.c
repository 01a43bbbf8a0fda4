/* SPDX-License-Identifier: MIT */
/* sysmon_blocked.c - Ps whose coroutines have said that they block, look by look */
#include "tests/harness.h"
#include "tests/unit/sysmon_fake.h"

#include <errno.h>

#define Q (10 * MS)

/* n Ps; the first is blocked, the others run slices that begin now. */
static void first_is_blocked (int n, uint64_t quantum)
{
	fake_reset (n, quantum);
	for (int p = 0; p < n; p++)
		fake_begin (p);
	fake_block (0);
}

Test (sysmon_blocked, its_p_is_taken_after_a_tick_if_somebody_waits)
{
	first_is_blocked (1, Q);
	fake_queue (0);
	cr_assert_eq (fake_look (), MS);
	cr_assert_eq (fake.p[0].retakes, 0);
	fake_look_after (MS - 1);
	cr_assert_eq (fake.p[0].retakes, 0);
	fake_look_after (1);
	cr_assert_eq (fake.p[0].retakes, 1);
	cr_assert_eq (fake.mon.count.retaken, 1);
	cr_assert (fake.p[0].v.running);
}

Test (sysmon_blocked, the_tick_is_a_short_quantum)
{
	first_is_blocked (1, 100 * US);
	fake_queue (0);
	cr_assert_eq (fake_look (), 100 * US);
	fake_look_after (100 * US);
	cr_assert_eq (fake.p[0].retakes, 1);
}

Test (sysmon_blocked, who_waits_in_anothers_queue_counts)
{
	first_is_blocked (3, Q);
	fake_queue (2);
	fake_look_after (MS);
	cr_assert_eq (fake.p[0].retakes, 1);
}

Test (sysmon_blocked, an_idle_p_serves_who_waits)
{
	first_is_blocked (2, Q);
	fake_idle (1);
	fake_queue (0);
	fake_look_after (5 * MS);
	cr_assert_eq (fake.p[0].retakes, 0);
}

Test (sysmon_blocked, nobody_waits_and_sysmon_sleeps_for_ever)
{
	first_is_blocked (1, Q);
	fake_look_after (MS);
	fake_look_after (Q);
	cr_assert_eq (fake_look_after (Q), SYSMON_NEVER);
	cr_assert (fake.p[0].v.armed);
	cr_assert_eq (fake_look_after (100 * Q), SYSMON_NEVER);
	cr_assert_eq (fake.p[0].retakes, 0);
	/* Until somebody does: the tick is long over. */
	fake_queue (0);
	cr_assert (fake.woken);
	fake_look ();
	cr_assert_eq (fake.p[0].retakes, 1);
}

static void queue_elsewhere (struct fake *f)
{
	f->at_fence = NULL;
	f->p[1].queued++; /* the submitter has not seen the flag */
}

Test (sysmon_blocked, a_waiter_between_look_and_alarm_is_not_lost)
{
	first_is_blocked (2, Q);
	fake.at_fence = queue_elsewhere;
	cr_assert_eq (fake_look_after (Q), 0);
	fake_look ();
	cr_assert_eq (fake.p[0].retakes, 1);
}

Test (sysmon_blocked, false_alarms_are_limited)
{
	int wakes = 0;
	uint64_t end, until;

	first_is_blocked (1, Q);
	until = fake.now + fake_look_after (Q);
	for (end = fake.now + SEC; fake.now < end;) {
		fake.now += 50 * US;
		fake_queue (0);
		fake.p[0].queued = 0; /* somebody else was faster */
		if (fake.woken || fake.now >= until) {
			wakes += fake.woken;
			fake.woken = false;
			until = sysmon_look (&fake.mon, fake.now);
			cr_assert_gt (until, fake.now);
		}
	}
	cr_assert_leq (wakes, 1700);
	cr_assert_eq (fake.p[0].retakes, 0);
}

Test (sysmon_blocked, short_blocks_keep_their_p)
{
	first_is_blocked (1, Q);
	fake_queue (0);
	for (int i = 0; i < 1000; i++) {
		fake_block (0);
		fake_look_after (900 * US);
		fake_return (0);
		fake.now += 50 * US;
	}
	cr_assert_eq (fake.p[0].retakes, 0);
}

Test (sysmon_blocked, a_new_block_has_a_tick_of_its_own)
{
	first_is_blocked (1, Q);
	fake_queue (0);
	fake_look_after (MS / 2);
	fake_return (0);
	fake_block (0);
	cr_assert_eq (fake_look_after (MS / 2), MS / 2);
	cr_assert_eq (fake.p[0].retakes, 0);
	fake_look_after (MS / 2);
	cr_assert_eq (fake.p[0].retakes, 1);
}

Test (sysmon_blocked, without_a_thread_it_tries_again_doubling_to_10_ms)
{
	static const uint64_t pauses[] = { 1, 2, 4, 8, 10, 10 };

	first_is_blocked (1, 50 * MS);
	fake.p[0].retake_result = -EAGAIN;
	fake_queue (0);
	fake.now += MS;
	for (size_t i = 0; i < sizeof pauses / sizeof *pauses; i++) {
		cr_assert_eq (fake_look (), pauses[i] * MS, "attempt %d", (int) i);
		cr_assert_eq (fake.p[0].retakes, (int) i + 1);
		fake_look_after (pauses[i] * MS - 1);
		cr_assert_eq (fake.p[0].retakes, (int) i + 1, "too early, attempt %d", (int) i);
		fake.now += 1;
	}
	fake.p[0].retake_result = 0;
	fake_look ();
	cr_assert_eq (fake.mon.count.retaken, 1);
}

Test (sysmon_blocked, one_that_came_back_is_left_alone)
{
	first_is_blocked (1, Q);
	fake_queue (0);
	fake_look_after (MS / 2);
	fake_return (0);
	fake_look_after (MS);
	cr_assert_eq (fake.p[0].retakes, 0);
	/* And its slice goes on. */
	fake_look_after (Q);
	cr_assert_eq (fake.p[0].asks, 1);
}

/* Threads whose Ps were taken behind their backs. */

Test (sysmon_blocked, the_loose_are_looked_after_while_all_ps_are_busy)
{
	fake_reset (2, Q);
	fake_begin (0);
	fake_begin (1);
	fake.loose = 1;
	for (int i = 0; i < 5; i++)
		cr_assert_leq (i ? fake_look_after (Q) : fake_look (), Q);
	cr_assert_eq (fake.reins, 5);
	cr_assert_eq (fake.p[0].asks + fake.p[1].asks, 0);
}

Test (sysmon_blocked, the_loose_that_sleep_beside_an_idle_p_cost_nothing)
{
	fake_reset (2, Q);
	fake_begin (0);
	fake.loose = 1;
	fake_look ();
	fake_idle (0);
	fake_look_after (Q);
	cr_assert_eq (fake_look_after (Q), SYSMON_NEVER);
}

Test (sysmon_blocked, the_loose_that_run_are_looked_after_until_they_are_back)
{
	fake_reset (1, Q);
	fake.loose = fake.running = 1;
	fake_look_after (Q);
	cr_assert_eq (fake_look_after (Q), Q);
	fake.running = 0;
	fake_look_after (Q);
	cr_assert_eq (fake_look_after (Q), SYSMON_NEVER);
	fake.loose = 0;
	cr_assert_eq (fake_look_after (Q), SYSMON_NEVER);
	cr_assert_eq (fake.reins, 4);
}

Test (sysmon_blocked, looking_after_the_loose_is_paced)
{
	fake_reset (1, 50 * US);
	fake_begin (0);
	fake.loose = fake.running = 1;
	fake_run_for (100 * MS);
	cr_assert_leq (fake.reins, 101);
	cr_assert_geq (fake.reins, 90);
}
