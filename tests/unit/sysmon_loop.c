/* SPDX-License-Identifier: MIT */
/* sysmon_loop.c - when sysmon sleeps, for how long, and what it does when it wakes */
#include "tests/harness.h"
#include "tests/unit/sysmon_fake.h"

#define Q (10 * MS)

Test (sysmon_loop, an_idle_process_sleeps_for_ever)
{
	fake_reset (4, Q);
	cr_assert_eq (fake_look (), Q);
	cr_assert_eq (fake_look_after (Q), SYSMON_NEVER);
	for (int p = 0; p < 4; p++)
		cr_assert (fake.p[p].v.armed);
	cr_assert_eq (fake.fences, 1, "one fence for all Ps");
}

Test (sysmon_loop, work_after_idleness_wakes_it_before_the_slice_is_due)
{
	fake_reset (2, Q);
	fake_run_for (SEC);
	fake_queue_global (); /* a hog comes ... */
	cr_assert (fake.woken);
	fake.global = 0;
	fake_begin (0);
	cr_assert_leq (fake_look (), Q);
	fake.global = 1; /* ... and somebody waits behind it, on a P that was watched */
	fake_look_after (Q);
	cr_assert_eq (fake.p[0].asks, 1);
}

Test (sysmon_loop, a_p_that_is_idle_and_busy_by_turns_costs_a_look_per_quantum)
{
	int looks = 0;
	uint64_t until;

	fake_reset (2, Q);
	until = fake.now;
	/* 10000 requests a second for a second, each 10 us long. */
	for (int i = 0; i < 10000; i++) {
		fake_queue_global ();
		fake.global = 0;
		fake_begin (0);
		fake.now += 10 * US;
		fake_idle (0);
		fake.now += 90 * US;
		if (fake.woken || fake.now >= until) {
			fake.woken = false;
			until = sysmon_look (&fake.mon, fake.now);
			looks++;
		}
	}
	cr_assert_leq (looks, 110, "%d looks", looks);
	fake_run_for (3 * Q);
	cr_assert_eq (fake_look (), SYSMON_NEVER);
}

Test (sysmon_loop, idle_ps_set_no_alarm_while_others_keep_it_awake)
{
	fake_reset (4, Q);
	for (int i = 0; i < 100; i++) {
		fake_begin (0);
		fake_look_after (Q / 3);
	}
	for (int p = 0; p < 4; p++)
		cr_assert_not (fake.p[p].v.armed, "P %d", p);
}

Test (sysmon_loop, idle_ps_set_the_alarm_beside_a_hog_that_is_alone)
{
	fake_reset (2, Q);
	fake_begin (0);
	fake_run_for (5 * Q);
	cr_assert_eq (fake_look (), SYSMON_NEVER);
	cr_assert (fake.p[0].v.armed && fake.p[1].v.armed);
	/* P 1 steals two: one runs, one waits behind it. */
	fake_begin (1);
	fake_queue (1);
	cr_assert (fake.woken);
	cr_assert_eq (fake_look (), Q);
	fake_look_after (Q);
	cr_assert_eq (fake.p[1].asks, 1);
	cr_assert_eq (fake.p[0].asks, 0);
}

Test (sysmon_loop, alarms_at_ps_that_stay_idle_are_limited_too)
{
	int wakes = 0;

	fake_reset (2, Q);
	fake_run_for (2 * Q);
	fake.slept_for = SYSMON_NEVER;
	/* A neighbour takes all of it, so that P 0 never runs anything. */
	for (int i = 0; i < 10000; i++) {
		fake.now += 100 * US;
		fake_queue (0);
		fake.p[0].queued = 0;
		if (fake.woken || fake.now >= fake.slept_for) {
			wakes += fake.woken;
			fake.woken = false;
			fake.slept_for = sysmon_look (&fake.mon, fake.now);
		}
	}
	cr_assert_geq (wakes, 40);
	cr_assert_leq (wakes, 110, "%d wake-ups", wakes);
}

Test (sysmon_loop, a_p_with_a_deadline_has_no_alarm)
{
	fake_reset (2, Q);
	fake_run_for (2 * Q);
	cr_assert_eq (fake_look (), SYSMON_NEVER);
	cr_assert (fake.p[0].v.armed);
	fake_begin (0); /* work that sysmon's own look found: nobody had to wake it */
	cr_assert_eq (fake_look (), Q);
	cr_assert_not (fake.p[0].v.armed);
	cr_assert_not (fake.p[1].v.armed, "the sleep is short");
}

Test (sysmon_loop, work_that_no_p_takes_is_looked_at_each_quantum)
{
	fake_reset (1, Q);
	fake.global = 1; /* no thread is left that could take it */
	for (int i = 0; i < 10; i++)
		cr_assert_eq (fake_look_after (Q), Q);
	cr_assert_eq (fake.p[0].asks, 0);
}

Test (sysmon_loop, a_timer_ends_the_sleep_and_runs_before_the_policies)
{
	fake_reset (1, Q);
	fake_begin (0);
	fake.timer = fake.now + 25 * MS;
	fake.timer_queues = 1;
	cr_assert_eq (fake_look (), Q);
	cr_assert_eq (fake_look_after (Q), 15 * MS);
	cr_assert_eq (fake.timer_ran, 0);
	cr_assert_eq (fake_look_after (15 * MS), MS);
	cr_assert_eq (fake.timer_ran, fake.now);
	cr_assert_eq (fake.p[0].asks, 1, "its slice is past due, and the timer waits");
}

Test (sysmon_loop, a_timer_does_not_shorten_slices)
{
	fake_reset (1, Q);
	fake_begin (0);
	fake_queue (0);
	for (int i = 1; i < 10; i++) {
		fake.timer = fake.now + MS;
		cr_assert_eq (fake_look (), MS);
		fake.now += MS;
	}
	fake_look ();
	cr_assert_eq (fake.p[0].asks, 0);
}

Test (sysmon_loop, housekeeping_at_most_every_10_ms_or_when_asked_for)
{
	fake_reset (1, 100 * US);
	for (int i = 0; i < 1000; i++) {
		fake_begin (0);
		fake_look_after (100 * US);
	}
	cr_assert_geq (fake.houses, 9);
	cr_assert_leq (fake.houses, 11);
	fake.houses = 0;
	sysmon_ask_housekeep (&fake.mon);
	fake_look ();
	fake_look ();
	cr_assert_eq (fake.houses, 1);
}

Test (sysmon_loop, housekeeping_can_ask_to_be_called_again)
{
	fake_reset (1, Q);
	fake.house_wants = fake.now + 300 * MS;
	fake_look ();
	cr_assert_eq (fake_look_after (Q), 290 * MS);
	fake.house_wants = SYSMON_NEVER;
	cr_assert_eq (fake_look_after (290 * MS), SYSMON_NEVER);
	cr_assert_eq (fake.houses, 3);
	fake.house_wants = 0; /* at once: not more often than every 10 ms */
	fake_look_after (SEC);
	cr_assert_eq (fake_look (), 10 * MS);
}

Test (sysmon_loop, a_clock_that_jumps_forward)
{
	fake_reset (2, Q);
	fake_begin (0);
	fake_begin (1);
	fake_queue (0);
	fake_look ();
	cr_assert_eq (fake_look_after (3600 * SEC), MS); /* the machine was suspended */
	cr_assert_eq (fake.p[0].asks, 1);
	cr_assert_eq (fake.p[1].asks, 0);
}

Test (sysmon_loop, a_slice_that_begins_in_the_future)
{
	fake_reset (1, Q);
	fake_begin (0);
	fake.p[0].v.start += 3600 * SEC;
	fake_queue (0);
	cr_assert_leq (fake_look (), Q);
	fake.p[0].v.start = UINT64_MAX - 1; /* nor does the sum wrap */
	cr_assert_leq (fake_look (), Q);
	cr_assert_eq (fake.p[0].asks, 0);
}

Test (sysmon_loop, an_endless_quantum_and_a_quantum_of_nothing)
{
	fake_reset (1, UINT64_MAX);
	fake_begin (0);
	fake_queue (0);
	cr_assert_eq (fake_look (), SYSMON_NEVER);
	fake_reset (1, 0);
	fake_begin (0);
	fake_queue (0);
	fake_look ();
	for (int i = 0; i < 10; i++)
		cr_assert_gt (fake_look (), 0, "no hot loop");
}

Test (sysmon_loop, every_deadline_lies_ahead)
{
	static const uint64_t quanta[] = { 50 * US, 777 * US, MS, Q, SEC };

	for (size_t i = 0; i < sizeof quanta / sizeof *quanta; i++) {
		fake_reset (3, quanta[i]);
		for (int n = 0; n < 3000; n++) {
			if (n % 7 == 0)
				fake_begin (n % 3);
			if (n % 11 == 0)
				fake_idle (n % 3);
			fake.global = n % 5 == 0;
			fake.p[n % 3].thread = (enum sysmon_thread) (n / 50 % 3);
			cr_assert_gt (fake_look_after (quanta[i] * (unsigned) (n % 13) / 12), 0);
		}
	}
}

Test (sysmon_loop, processors_come_and_go)
{
	fake_reset (2, Q);
	for (int p = 0; p < 2; p++)
		fake_begin (p);
	fake.global = 1;
	fake_look_after (Q);
	cr_assert_eq (fake.p[1].asks, 1);
	fake.nprocs = 1;
	fake_look_after (10 * Q);
	cr_assert_eq (fake.p[1].asks, 1);
	/* It comes back with the same tick by chance, and is looked at afresh. */
	fake.nprocs = 2;
	fake.p[1].v.requested = false;
	fake_look ();
	cr_assert_eq (fake.p[1].asks, 2);
	fake.nprocs = FAKE_PROCS + 5; /* never beyond the array */
	fake_look ();
	cr_assert_eq (fake.mon.n, FAKE_PROCS);
	fake.nprocs = 0;
	fake.global = 0;
	cr_assert_eq (fake_look (), SYSMON_NEVER);
}

Test (sysmon_loop, a_thousand_processors)
{
	fake_reset (1024, Q);
	for (int p = 0; p < 1024; p++) {
		fake.now = 1000 * SEC + (unsigned) p * 9 * US;
		fake_begin (p);
	}
	fake.global = 1;
	fake.honour = true;
	cr_assert_eq (fake_look (), 1000 * SEC + Q - fake.now);
	fake.mon.count.looks = 0;
	fake_run_for (1000 * SEC + Q - fake.now + 1024 * 9 * US);
	for (int p = 0; p < 1024; p++) {
		uint64_t due = 1000 * SEC + (unsigned) p * 9 * US + Q;

		cr_assert_eq (fake.p[p].asks, 1, "P %d", p);
		cr_assert_geq (fake.p[p].asked_at + 50 * US, due, "P %d", p);
		cr_assert_leq (fake.p[p].asked_at, due, "P %d", p);
	}
	/* 9.2 ms in groups of 50 us, and a look 1 ms after each to see that all is well. */
	cr_assert_leq (fake.mon.count.looks, 2 * 9216 / 50 + 2);
}

/* The loop itself: each sleep is 20 us late, and the slice ends when asked. */
static void late_sleep (struct fake *f, uint64_t deadline)
{
	f->now = deadline + f->late;
	if (f->p[0].v.requested)
		fake_begin (0);
	if (f->naps >= 1000)
		f->stop = true;
}

Test (sysmon_loop, lateness_is_noted_and_allowed_for)
{
	fake_reset (1, Q);
	fake_begin (0);
	fake_queue (0);
	fake.late = 20 * US;
	fake.asleep = late_sleep;
	sysmon_run (&fake.mon);
	cr_assert_eq (fake.naps, 1000);
	cr_assert_eq (fake.late_noted, 20 * US);
	cr_assert_geq (fake.mon.late, 19 * US);
	cr_assert_leq (fake.mon.late, 20 * US);
	/* It goes to bed for the due time less the usual lateness. */
	fake_begin (0);
	cr_assert_eq (fake_look (), Q - fake.mon.late);
	cr_assert_gt (fake.p[0].asks, 400);
}

Test (sysmon_loop, being_very_late_does_not_cut_slices_short)
{
	fake_reset (1, MS);
	fake_begin (0);
	fake_queue (0);
	fake.late = 500 * US;
	fake.asleep = late_sleep;
	sysmon_run (&fake.mon);
	fake_begin (0);
	cr_assert_eq (fake_look (), MS - MS / 20);
}

static void never_sleep (struct fake *f, uint64_t deadline)
{
	cr_expect_eq (deadline, SYSMON_NEVER);
	f->now += 3600 * SEC;
	f->stop = f->naps > 3;
}

Test (sysmon_loop, sleep_without_limit_has_no_lateness)
{
	fake_reset (0, Q);
	fake.asleep = never_sleep;
	sysmon_run (&fake.mon);
	cr_assert_eq (fake.late_noted, 0);
	cr_assert_eq (fake.mon.count.looks, 4);
}

Test (sysmon_loop, stops_without_looking)
{
	fake_reset (1, Q);
	fake.stop = true;
	sysmon_run (&fake.mon);
	cr_assert_eq (fake.mon.count.looks, 0);
}

/* What they make runnable is what a slice that is due is asked to end for. */
Test (sysmon_loop, timers_are_served_before_slices_are_looked_at)
{
	fake_reset (1, 10 * MS);
	fake_begin (0);
	fake.timer = fake.now + 10 * MS;
	fake.timer_queues = 1;
	fake_look_after (10 * MS);
	cr_assert_eq (fake.timer_ran, fake.now);
	cr_assert_eq (fake.p[0].asks, 1);
}
