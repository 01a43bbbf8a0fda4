/* SPDX-License-Identifier: MIT */
/* sysmon_fresh.c - the policy for fresh work, look by look */
#include "tests/harness.h"
#include "tests/unit/sysmon_fake.h"

#include <errno.h>

#define Q (10 * MS)
#define G (200 * US)

static void reset (int n)
{
	fake_reset (n, Q);
	fake.granularity = G;
	for (int p = 0; p < n; p++)
		fake.p[p].v.turn = SYSMON_NEVER;
}

/* n Ps with hogs, the later ones younger, each older than the granularity. */
static void hogs (int n)
{
	reset (n);
	for (int p = 0; p < n; p++) {
		fake_begin_hog (p);
		fake.now += MS / 4;
	}
}

static int asks (void)
{
	int n = 0;

	for (int p = 0; p < fake.nprocs; p++)
		n += fake.p[p].fresh_asks;
	return n;
}

Test (sysmon_fresh, the_oldest_run_makes_room)
{
	hogs (3);
	fake_fresh ();
	fake_look ();
	cr_assert_eq (fake.p[0].fresh_asks, 1);
	cr_assert_eq (asks (), 1);
	cr_assert_eq (fake.p[0].asks, 0, "the quantum has nothing to do with it");
	cr_assert_eq (fake.p[0].prepares, 1);
}

Test (sysmon_fresh, as_many_as_wait_and_no_more)
{
	hogs (3);
	fake_fresh ();
	fake_fresh ();
	fake_look ();
	cr_assert_eq (fake.p[0].fresh_asks + fake.p[1].fresh_asks, 2);
	cr_assert_eq (asks (), 2);
}

Test (sysmon_fresh, no_run_is_broken_off_before_the_granularity)
{
	reset (1);
	fake_begin_hog (0);
	fake_fresh ();
	cr_assert_eq (fake_look_after (G / 4), G - G / 4);
	cr_assert_eq (asks (), 0);
	fake_look_after (G - G / 4);
	cr_assert_eq (asks (), 1);
}

Test (sysmon_fresh, a_hog_keeps_its_share)
{
	reset (1);
	fake_begin_hog (0);
	fake.p[0].v.spare = fake.now + MS;
	fake_fresh ();
	cr_assert_eq (fake_look_after (G), MS - G);
	cr_assert_eq (asks (), 0);
	fake_look_after (MS - G);
	cr_assert_eq (asks (), 1);
}

Test (sysmon_fresh, an_idle_p_takes_it)
{
	hogs (1);
	fake.nprocs = 2;
	fake_fresh ();
	fake_look ();
	cr_assert_eq (asks (), 0);
	cr_assert (fake.fresh_armed, "it is to be told when that P is taken");
}

Test (sysmon_fresh, hogs_alone_cost_no_look_more)
{
	uint64_t looks;

	reset (2);
	fake.honour = true;
	fake.global = 6;
	fake.hogs = true;
	fake_begin_hog (0);
	fake_begin_hog (1);
	fake_look ();
	for (int i = 0; i < 100; i++) {
		fake.now = fake.p[0].v.start + Q;
		fake_look ();
		for (int p = 0; p < 2; p++)
			fake.p[p].v.spare = fake.now + G; /* what honour has begun is a hog's */
	}
	fake_look ();
	looks = atomic_load (&fake.mon.count.looks);
	cr_assert (fake.fresh_armed);
	cr_assert_geq (fake_look (), Q - G);
	fake_run_for (Q / 2);
	cr_assert_eq (atomic_load (&fake.mon.count.looks) - looks, 2);
	cr_assert_eq (asks (), 0);
}

Test (sysmon_fresh, the_alarm_tells_of_what_running_ones_and_others_queue)
{
	hogs (2);
	fake_look ();
	cr_assert (fake.fresh_armed);
	cr_assert_eq (asks (), 0);
	fake_fresh_next (1);
	cr_assert (fake.woken);
	fake_look ();
	cr_assert_eq (fake.p[0].fresh_asks, 1, "who is next on 1 may go to 0");
}

Test (sysmon_fresh, who_is_next_of_one_that_has_just_begun_needs_no_help)
{
	hogs (1);
	fake.nprocs = 2;
	fake_begin (1);
	fake.p[1].v.turn = SYSMON_NEVER;
	fake_fresh_next (1);
	fake_look ();
	cr_assert_eq (asks (), 0);
	cr_assert (!fake.fresh_armed);
	fake_look_after (G);
	cr_assert_eq (asks (), 1, "now it does");
}

Test (sysmon_fresh, what_stays_in_a_queue_needs_help)
{
	hogs (1);
	fake.nprocs = 2;
	fake.p[1].v.turn = SYSMON_NEVER;
	fake_begin (1);
	fake.p[1].v.queued = true;
	fake_look ();
	cr_assert_eq (asks (), 0);
	fake.now += G;
	fake_begin (1); /* it is not one that computes, but there are many */
	fake.p[1].v.queued = true;
	fake_look ();
	cr_assert_eq (fake.p[0].fresh_asks, 1);
}

/* Ps on which short runs follow each other are looked at ever less often. */
Test (sysmon_fresh, many_short_runs_cost_little)
{
	uint64_t looks, until = 0;

	hogs (1);
	fake.nprocs = 2;
	fake.p[1].v.turn = SYSMON_NEVER;
	fake_begin (1);
	looks = atomic_load (&fake.mon.count.looks);
	for (uint64_t end = fake.now + SEC; fake.now < end; fake.now += 20 * US) {
		fake.p[0].v.since = fake.now - MS;
		fake.p[0].v.start = fake.now;
		fake_begin (1);
		fake_fresh_next (1);
		if (fake.woken || fake.now >= until) {
			fake.woken = false;
			until = sysmon_look (&fake.mon, fake.now);
		}
	}
	cr_assert_leq (atomic_load (&fake.mon.count.looks) - looks, 120);
	cr_assert_eq (asks (), 0);
}

Test (sysmon_fresh, who_came_as_fresh_goes_when_it_is_the_hogs_turn)
{
	reset (1);
	fake.hogs = true;
	fake.global = 1; /* one that waits, for the quantum's policy */
	fake_begin (0);
	fake.p[0].v.turn = fake.now + 2 * MS;
	cr_assert_leq (fake_look_after (G), 3 * MS - G);
	cr_assert_eq (asks (), 0);
	fake_look_after (2 * MS - G);
	cr_assert_eq (asks (), 0, "it may be done soon");
	fake_look_after (MS);
	cr_assert_eq (asks (), 1);
	cr_assert_eq (fake.p[0].asks, 0);
}

Test (sysmon_fresh, nor_is_it_kept_where_no_hog_waits)
{
	reset (1);
	fake_begin (0);
	fake.p[0].v.turn = 0;
	fake_look_after (5 * MS);
	cr_assert_eq (asks (), 0);
}

Test (sysmon_fresh, a_request_has_a_millisecond)
{
	hogs (1);
	fake_fresh ();
	fake_look ();
	cr_assert_eq (asks (), 1);
	for (int i = 1; i < 10; i++)
		fake_look_after (MS / 10);
	cr_assert_eq (asks (), 1);
	fake_look_after (MS / 10);
	cr_assert_eq (asks (), 2);
}

Test (sysmon_fresh, who_sleeps_in_the_kernel_gets_no_signal)
{
	hogs (2);
	fake.p[0].thread = SYSMON_IN_KERNEL;
	fake_fresh ();
	fake_look ();
	cr_assert_eq (fake.p[0].fresh_asks, 0);
	cr_assert_eq (fake.p[1].fresh_asks, 1);
}

/* Nor need he be woken to make room. */
Test (sysmon_fresh, the_p_of_who_sleeps_in_the_kernel_is_taken)
{
	hogs (2);
	fake.p[0].thread = SYSMON_IN_KERNEL;
	fake.p[0].take_result = 0;
	fake_fresh ();
	cr_assert_leq (fake_look (), G, "whose P was taken is soon looked after");
	cr_assert_eq (fake.p[0].takes, 1);
	cr_assert_eq (fake.p[0].prepares, 1);
	cr_assert_eq (fake.mon.count.taken, 1);
	cr_assert_eq (asks (), 0, "one waits, and has a P");
	cr_assert_eq (fake.mon.count.fresh, 0);
}

Test (sysmon_fresh, but_not_before_the_granularity)
{
	reset (1);
	fake_begin (0);
	fake.p[0].v.turn = SYSMON_NEVER;
	fake.p[0].thread = SYSMON_IN_KERNEL;
	fake.p[0].take_result = 0;
	fake_fresh ();
	cr_assert_eq (fake_look_after (G / 4), G - G / 4);
	cr_assert_eq (fake.p[0].takes, 0);
	fake_look_after (G - G / 4);
	cr_assert_eq (fake.p[0].takes, 1);
}

Test (sysmon_fresh, who_has_just_woken_up_is_asked_at_the_next_look)
{
	hogs (1);
	fake.p[0].thread = SYSMON_IN_KERNEL;
	fake.p[0].take_result = -ESTALE;
	fake_fresh ();
	cr_assert_eq (fake_look (), MS);
	cr_assert_eq (fake.p[0].takes, 1);
	cr_assert_eq (asks (), 0);
	fake.p[0].thread = SYSMON_COMPUTES;
	fake_look_after (MS);
	cr_assert_eq (asks (), 1);
}

Test (sysmon_fresh, where_it_cannot_be_taken_the_next_one_makes_room)
{
	hogs (2);
	fake.p[0].thread = SYSMON_IN_KERNEL; /* and there is no thread for its P */
	fake_fresh ();
	cr_assert_gt (fake_look (), G / 2, "no busy waiting");
	cr_assert_eq (fake.p[0].takes, 1);
	cr_assert_eq (fake.p[1].fresh_asks, 1);
}

/* Who has the P while it is the hogs' turn, and does not use it. */
Test (sysmon_fresh, a_fresh_one_that_sleeps_makes_room_for_hogs)
{
	reset (1);
	fake.hogs = true;
	fake_begin (0);
	fake.p[0].v.turn = fake.now;
	fake.p[0].thread = SYSMON_IN_KERNEL;
	fake.p[0].take_result = 0;
	fake_look_after (2 * MS);
	cr_assert_eq (fake.p[0].takes, 1);
	cr_assert_eq (asks (), 0);
}

Test (sysmon_fresh, nobody_is_asked_who_cannot_go)
{
	hogs (1);
	fake.p[0].v.preemptible = false;
	fake_fresh ();
	for (int i = 0; i < 100; i++)
		cr_assert_gt (fake_look_after (G), G / 2, "no busy waiting");
	cr_assert_eq (asks (), 0);
}

static void queue_now (struct fake *f)
{
	f->at_fence = NULL;
	f->fresh++; /* its submitter did not see the alarm */
}

Test (sysmon_fresh, what_comes_while_the_alarm_is_set_is_seen)
{
	hogs (1);
	fake.at_fence = queue_now;
	cr_assert_eq (fake_look (), 0);
	cr_assert (!fake.fresh_armed);
	fake_look ();
	cr_assert_eq (asks (), 1);
}

Test (sysmon_fresh, without_granularity_there_is_no_such_thing)
{
	hogs (1);
	fake.granularity = 0;
	fake_fresh ();
	fake_look_after (5 * MS);
	cr_assert_eq (asks (), 0);
	cr_assert (!fake.fresh_armed);
}
