/* SPDX-License-Identifier: MIT */
/* sysmon_slice.c - the quantum policy, look by look */
#include "tests/harness.h"
#include "tests/unit/sysmon_fake.h"

#include <errno.h>

#define Q (10 * MS)
#define SLACK (50 * US) /* what slice.c allows at this quantum */

/* One P whose slice is due, with somebody waiting. */
static void due_and_contended (uint64_t quantum)
{
	fake_reset (1, quantum);
	fake_begin (0);
	fake_queue (0);
	fake.now += quantum;
}

Test (sysmon_slice, due_is_counted_from_the_beginning_not_from_first_sight)
{
	fake_reset (1, Q);
	fake_begin (0);
	fake_queue (0);
	cr_assert_eq (fake_look_after (7 * MS), 3 * MS);
	cr_assert_eq (fake.p[0].asks, 0);
	fake_look_after (3 * MS);
	cr_assert_eq (fake.p[0].asks, 1);
	cr_assert_eq (fake.p[0].asked_tick, fake.p[0].v.tick);
}

Test (sysmon_slice, a_spare_thread_is_made_ready_before_the_request)
{
	due_and_contended (Q);
	fake_look ();
	cr_assert_eq (fake.p[0].prepares, 1);
	cr_assert_eq (fake.p[0].asks, 1);
}

Test (sysmon_slice, nothing_costly_before_it_is_due)
{
	fake_reset (1, Q);
	fake_begin (0);
	fake_queue (0);
	fake_look ();
	fake_look_after (Q - SLACK - 1);
	cr_assert_eq (fake.p[0].probes + fake.p[0].prepares + fake.p[0].asks, 0);
}

Test (sysmon_slice, a_slice_within_the_slack_is_due)
{
	fake_reset (1, Q);
	fake_begin (0);
	fake_queue (0);
	fake_look_after (Q - SLACK);
	cr_assert_eq (fake.p[0].asks, 1);
}

Test (sysmon_slice, slices_that_end_close_together_end_in_one_look)
{
	fake_reset (8, Q);
	for (int p = 0; p < 8; p++) {
		fake_begin (p);
		fake.now += 5 * US;
	}
	fake.global = 8;
	fake.now = fake.p[0].v.start;
	cr_assert_eq (fake_look (), Q);
	fake_look_after (Q);
	for (int p = 0; p < 8; p++)
		cr_assert_eq (fake.p[p].asks, 1, "P %d", p);
}

Test (sysmon_slice, the_slack_is_a_small_part_of_every_quantum)
{
	static const uint64_t quanta[] = { 50 * US, 100 * US, MS, Q, 100 * MS, SEC };

	for (size_t i = 0; i < sizeof quanta / sizeof *quanta; i++) {
		fake_reset (1, quanta[i]);
		fake_begin (0);
		fake_queue (0);
		fake_look_after (quanta[i] - quanta[i] / 32 - 1);
		cr_assert_eq (fake.p[0].asks, 0, "quantum %d us", (int) (quanta[i] / US));
		fake.now = fake.p[0].v.start + quanta[i];
		fake_look ();
		cr_assert_eq (fake.p[0].asks, 1, "quantum %d us", (int) (quanta[i] / US));
	}
}

Test (sysmon_slice, a_request_is_repeated_doubling_up_to_the_quantum)
{
	static const uint64_t pauses[] = { 1, 2, 4, 8, 10, 10, 10 };

	due_and_contended (Q);
	for (size_t i = 0; i < sizeof pauses / sizeof *pauses; i++) {
		cr_assert_eq (fake_look (), pauses[i] * MS, "request %d", (int) i);
		cr_assert_eq (fake.p[0].asks, (int) i + 1);
		fake_look_after (pauses[i] * MS - 1);
		cr_assert_eq (fake.p[0].asks, (int) i + 1, "too early, request %d", (int) i);
		fake.now += 1;
	}
	cr_assert_eq (fake.mon.count.asked, 1);
	cr_assert_eq (fake.mon.count.repeated, 6);
}

Test (sysmon_slice, a_short_quantum_repeats_from_the_quantum_up_to_1_ms)
{
	static const uint64_t pauses[] = { 100, 200, 400, 800, 1000, 1000 };

	due_and_contended (100 * US);
	fake_look ();
	for (size_t i = 0; i < sizeof pauses / sizeof *pauses; i++) {
		uint64_t asked_at = fake.now;

		/* It looks as often as a new slice needs, and asks when the time has come. */
		while (fake.p[0].asks == (int) i + 1)
			cr_assert_leq (fake_look_after (50 * US), 100 * US);
		cr_assert_eq (fake.now - asked_at, pauses[i] * US, "request %d", (int) i);
	}
}

Test (sysmon_slice, a_new_slice_forgets_the_pauses_of_the_old)
{
	due_and_contended (Q);
	for (int i = 0; i < 4; i++)
		fake.now += fake_look ();
	fake_begin (0);
	cr_assert_eq (fake_look (), Q);
	fake.p[0].asks = 0;
	cr_assert_eq (fake_look_after (Q), MS);
	cr_assert_eq (fake.p[0].asks, 1);
}

Test (sysmon_slice, try_later_is_repeated_like_a_request)
{
	due_and_contended (Q);
	fake.p[0].result = -EAGAIN;
	cr_assert_eq (fake_look (), MS);
	cr_assert_eq (fake_look_after (MS), 2 * MS);
	fake.p[0].result = 0;
	cr_assert_eq (fake_look_after (2 * MS), 4 * MS);
	cr_assert_eq (fake.p[0].asks, 3);
	cr_assert_eq (fake.mon.count.deferred, 2);
}

static void slice_ends_at_the_last_moment (struct fake *f, int p)
{
	f->now += US;
	fake_begin (p);
}

Test (sysmon_slice, a_stale_decision_fails_by_itself)
{
	due_and_contended (Q);
	fake.at_preempt = slice_ends_at_the_last_moment;
	/* The slice that has begun meanwhile is looked at before it is due. */
	cr_assert_leq (fake_look (), Q);
	cr_assert_eq (fake.p[0].asks, 0);
	cr_assert_eq (fake.mon.count.stale, 1);
	fake.at_preempt = NULL;
	fake.now = fake.p[0].v.start + Q / 2;
	cr_assert_eq (fake_look (), Q / 2);
	cr_assert_eq (fake.p[0].asks, 0);
	fake_look_after (Q / 2);
	cr_assert_eq (fake.p[0].asks, 1);
}

Test (sysmon_slice, a_request_by_somebody_else_gets_its_time)
{
	due_and_contended (Q);
	fake.p[0].v.requested = true;
	cr_assert_eq (fake_look (), MS);
	cr_assert_eq (fake.p[0].asks + fake.p[0].probes, 0);
	fake_look_after (MS);
	cr_assert_eq (fake.p[0].asks, 1);
}

Test (sysmon_slice, nobody_waits_nobody_is_asked_and_sysmon_sleeps_for_ever)
{
	fake_reset (1, Q);
	fake_begin (0);
	cr_assert_eq (fake_look (), Q);
	cr_assert_eq (fake_look_after (Q), SYSMON_NEVER);
	cr_assert (fake.p[0].v.armed);
	cr_assert_eq (fake.fences, 1);
	cr_assert_eq (fake.p[0].probes + fake.p[0].asks, 0);
	/* Woken for something else, it sleeps on without setting the alarm again. */
	cr_assert_eq (fake_look_after (100 * Q), SYSMON_NEVER);
	cr_assert_eq (fake.fences, 1);
}

Test (sysmon_slice, a_waiter_appears_behind_a_slice_past_due)
{
	fake_reset (1, Q);
	fake_begin (0);
	fake_look_after (3 * Q);
	fake.now += 5 * Q;
	fake_queue (0);
	cr_assert (fake.woken);
	cr_assert_eq (fake_look (), MS);
	cr_assert_eq (fake.p[0].asks, 1);
	cr_assert_not (fake.p[0].v.armed);
}

Test (sysmon_slice, a_waiter_appears_in_the_global_queue)
{
	fake_reset (2, Q);
	fake_begin (0);
	fake_begin (1);
	cr_assert_eq (fake_look_after (Q), SYSMON_NEVER);
	fake_queue_global ();
	cr_assert (fake.woken);
	fake_look ();
	cr_assert_eq (fake.p[0].asks + fake.p[1].asks, 2);
}

static void queue_now (struct fake *f)
{
	f->at_fence = NULL;
	f->p[0].queued++; /* the submitter has not seen the flag */
}

Test (sysmon_slice, a_waiter_between_look_and_alarm_is_not_lost)
{
	fake_reset (1, Q);
	fake_begin (0);
	fake.at_fence = queue_now;
	cr_assert_eq (fake_look_after (Q), 0);
	cr_assert_not (fake.p[0].v.armed);
	cr_assert_eq (fake_look (), MS);
	cr_assert_eq (fake.p[0].asks, 1);
}

Test (sysmon_slice, false_alarms_are_limited)
{
	int wakes = 0;
	uint64_t end;

	fake_reset (2, Q);
	fake_begin (0);
	fake_look_after (Q);
	end = fake.now + SEC;
	/* Somebody else takes all that P 0 queues, 50 us apart, before sysmon comes. */
	while (fake.now < end) {
		fake.now += 50 * US;
		fake_queue (0);
		fake.p[0].queued = 0;
		if (fake.woken || fake.now >= fake.slept_for) {
			wakes += fake.woken;
			fake.woken = false;
			fake.slept_for = sysmon_look (&fake.mon, fake.now);
			cr_assert_gt (fake.slept_for, fake.now);
		}
	}
	/* 20000 would be one each; the pause is a sixteenth of the quantum. */
	cr_assert_leq (wakes, 1600);
	cr_assert_eq (fake.p[0].asks, 0);
	cr_assert_geq (fake.mon.count.false_alarms, (unsigned) wakes - 1);
}

Test (sysmon_slice, who_waits_in_the_pause_after_a_false_alarm_is_found)
{
	uint64_t until;

	fake_reset (1, Q);
	fake_begin (0);
	fake_look_after (Q);
	fake_queue (0);
	fake.p[0].queued = 0;
	until = fake_look ();
	cr_assert_leq (until, Q / 16);
	fake_queue (0);
	fake_look_after (until);
	cr_assert_eq (fake.p[0].asks, 1);
}

Test (sysmon_slice, a_retry_needs_somebody_waiting_too)
{
	due_and_contended (Q);
	fake_look ();
	fake.p[0].queued = 0;
	cr_assert_eq (fake_look_after (MS), SYSMON_NEVER);
	cr_assert_eq (fake.p[0].asks, 1);
	cr_assert (fake.p[0].v.armed);
}

Test (sysmon_slice, a_sleeper_in_the_kernel_loses_its_p)
{
	due_and_contended (Q);
	fake.p[0].thread = SYSMON_IN_KERNEL;
	fake.p[0].take_result = 0;
	cr_assert_eq (fake_look (), Q);
	cr_assert_eq (fake.p[0].takes, 1);
	cr_assert_eq (fake.p[0].asks, 0);
	cr_assert_eq (fake.mon.count.taken, 1);
}

Test (sysmon_slice, a_sleeper_in_the_kernel_gets_no_signal)
{
	static const uint64_t pauses[] = { 1, 2, 4, 8, 10, 10 };

	due_and_contended (Q);
	fake.p[0].thread = SYSMON_IN_KERNEL;
	for (size_t i = 0; i < sizeof pauses / sizeof *pauses; i++) {
		cr_assert_eq (fake_look (), pauses[i] * MS);
		fake.now += pauses[i] * MS;
	}
	cr_assert_eq (fake.p[0].asks, 0);
	cr_assert_eq (fake.mon.count.kernel, 6);
	/* It comes back and computes: asked at the next probe, with pauses of its own. */
	fake.p[0].thread = SYSMON_COMPUTES;
	cr_assert_eq (fake_look (), MS);
	cr_assert_eq (fake.p[0].asks, 1);
}

Test (sysmon_slice, a_thread_without_a_cpu_is_left_to_the_host)
{
	static const uint64_t pauses[] = { 250, 500, 1000, 1000 };

	due_and_contended (Q);
	fake.p[0].thread = SYSMON_NO_CPU;
	for (size_t i = 0; i < sizeof pauses / sizeof *pauses; i++) {
		cr_assert_eq (fake_look (), pauses[i] * US);
		fake.now += pauses[i] * US;
	}
	cr_assert_eq (fake.p[0].asks, 0);
	cr_assert_eq (fake.mon.count.no_cpu, 4);
	fake.p[0].thread = SYSMON_COMPUTES;
	fake_look ();
	cr_assert_eq (fake.p[0].asks, 1);
}

Test (sysmon_slice, mode_off_is_never_asked_but_watched)
{
	due_and_contended (Q);
	fake.p[0].v.preemptible = false;
	for (int i = 0; i < 20; i++)
		cr_assert_eq (fake_look_after (Q), Q);
	cr_assert_eq (fake.p[0].asks + fake.p[0].prepares, 0);
	/* In the kernel it computes nothing, and needs no P. */
	fake.p[0].thread = SYSMON_IN_KERNEL;
	fake.p[0].take_result = 0;
	fake_look_after (Q);
	cr_assert_eq (fake.p[0].takes, 1);
	fake.p[0].thread = SYSMON_COMPUTES;
	/* The slice after it is an ordinary one. */
	fake_begin (0);
	fake.p[0].v.preemptible = true;
	cr_assert_eq (fake_look (), Q);
	fake_look_after (Q);
	cr_assert_eq (fake.p[0].asks, 1);
}

Test (sysmon_slice, a_heavy_slice_does_not_hide_the_light_one_after_it)
{
	fake_reset (1, Q);
	fake_begin (0);
	fake.p[0].v.quantum = 100 * Q;
	fake_queue (0);
	/* It may park any moment, and the next slice has an ordinary quantum. */
	cr_assert_leq (fake_look (), Q);
	fake.now += Q / 2;
	fake_begin (0);
	fake.now += Q / 2;
	cr_assert_eq (fake_look (), Q / 2);
	fake_look_after (Q / 2);
	cr_assert_eq (fake.p[0].asks, 1);
}

Test (sysmon_slice, a_changed_quantum_counts_at_once)
{
	fake_reset (1, 100 * MS);
	fake_begin (0);
	fake_queue (0);
	cr_assert_eq (fake_look (), 100 * MS);
	fake.quantum = fake.p[0].v.quantum = 5 * MS; /* and wakes sysmon */
	cr_assert_eq (fake_look_after (2 * MS), 3 * MS);
	fake_look_after (3 * MS);
	cr_assert_eq (fake.p[0].asks, 1);
	fake_begin (0);
	fake.quantum = fake.p[0].v.quantum = SEC;
	cr_assert_eq (fake_look_after (5 * MS), 995 * MS);
	cr_assert_eq (fake.p[0].asks, 1);
}
