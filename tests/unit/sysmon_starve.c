/* SPDX-License-Identifier: MIT */
/* sysmon_starve.c - when sysmon looks for who waits too long */
#include "tests/harness.h"
#include "tests/unit/sysmon_fake.h"

#define Q (10 * MS)
#define BOUND (16 * MS)

/* n Ps that all run, with their quanta so long that nothing else makes sysmon look. */
static void all_run (int n)
{
	fake_reset (n, 100 * SEC);
	for (int p = 0; p < n; p++)
		fake_begin (p);
	fake.starve_bound = BOUND;
	fake.starve_first = SYSMON_NEVER;
	fake.starve_wants = SYSMON_NEVER;
}

Test (sysmon_starve, without_a_watch_nobody_looks)
{
	all_run (2);
	fake.starve_bound = 0;
	fake_look ();
	fake_look_after (SEC);
	cr_assert_eq (fake.scans, 0);
}

Test (sysmon_starve, nobody_waits_and_it_looks_once_a_bound)
{
	all_run (2);
	cr_assert_eq (fake_look (), BOUND);
	fake_run_for (100 * BOUND);
	cr_assert_leq (fake.scans, 102);
	cr_assert_geq (fake.scans, 99);
}

Test (sysmon_starve, the_next_look_is_when_the_first_passes_the_bound)
{
	all_run (1);
	fake.starve_first = fake.now + 3 * MS;
	cr_assert_eq (fake_look (), 3 * MS);
	fake.starve_first = SYSMON_NEVER;
	cr_assert_eq (fake_look_after (3 * MS), BOUND);
	cr_assert_eq (fake.scans, 2);
}

Test (sysmon_starve, looks_are_a_sixteenth_of_the_bound_apart)
{
	all_run (1);
	fake.starve_first = fake.now; /* somebody always has just passed it */
	cr_assert_eq (fake_look (), MS);
	fake_look_after (MS / 2); /* awake for something else */
	cr_assert_eq (fake.scans, 1);
	fake_look_after (MS / 2);
	cr_assert_eq (fake.scans, 2);
}

Test (sysmon_starve, a_bound_of_nothing_is_paced_too)
{
	all_run (1);
	fake.starve_bound = 1;
	fake_run_for (100 * MS);
	cr_assert_leq (fake.scans, 2001);
	cr_assert_geq (fake.scans, 1900);
}

Test (sysmon_starve, all_idle_and_it_sleeps)
{
	all_run (2);
	fake_look ();
	fake_idle (0);
	fake_idle (1);
	cr_assert_eq (fake_look_after (BOUND), BOUND);
	fake.now += 100 * SEC;
	cr_assert_eq (fake_look (), SYSMON_NEVER);
	cr_assert (fake.p[0].v.armed && fake.p[1].v.armed);
	/* Until somebody is queued. */
	fake_queue (0);
	cr_assert (fake.woken);
	fake.starve_first = fake.now + BOUND;
	cr_assert_leq (fake_look (), BOUND);
}

Test (sysmon_starve, a_p_that_was_idle_at_the_look_is_looked_at_within_the_bound)
{
	fake_reset (1, 100 * SEC);
	fake.starve_bound = BOUND;
	fake.starve_first = SYSMON_NEVER;
	fake_look (); /* the first of all: the slice policy comes again in a quantum */
	fake_queue (0);
	cr_assert (fake.woken, "nobody told sysmon");
	fake_begin (0);
	cr_assert_leq (fake_look (), BOUND);
}

Test (sysmon_starve, one_that_waits_while_all_are_idle_is_waited_for)
{
	fake_reset (2, 100 * SEC);
	fake.starve_bound = BOUND;
	fake.starve_wants = SYSMON_NEVER;
	fake.starve_first = fake.now + 2 * MS; /* bound to a thread that is on its way */
	cr_assert_eq (fake_look (), 2 * MS);
}

Test (sysmon_starve, what_there_is_to_tell_is_told_at_each_look)
{
	all_run (1);
	fake.starve_wants = fake.now + MS;
	cr_assert_eq (fake_look (), MS);
	cr_assert_eq (fake.tells, 1);
	fake.starve_wants = SYSMON_NEVER;
	fake_look_after (MS / 4); /* the answer came, and woke it */
	cr_assert_eq (fake.tells, 2);
	cr_assert_eq (fake.scans, 1);
	/* Also when the watch has ended. */
	fake.starve_bound = 0;
	fake_look ();
	cr_assert_eq (fake.tells, 3);
	cr_assert_eq (fake.scans, 1);
}

Test (sysmon_starve, another_bound_begins_anew)
{
	all_run (1);
	fake_look ();
	fake.starve_bound = MS;
	cr_assert_eq (fake_look_after (US), MS);
	cr_assert_eq (fake.scans, 2);
}
