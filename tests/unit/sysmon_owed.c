/* SPDX-License-Identifier: MIT */
/* sysmon_owed.c - wake-ups that are owed, look by look */
#include "tests/harness.h"
#include "tests/unit/sysmon_fake.h"

#define PAUSE (200 * US)

static void owe (int p)
{
	fake.p[p].v.owed = ++fake.p[p].v.debts;
}

static void begin (void)
{
	fake_reset (2, 10 * MS);
	fake_begin (0);
	fake.owing_wanted = true;
}

Test (sysmon_owed, nobody_asks_and_nothing_is_allowed)
{
	begin ();
	fake.owing_wanted = false;
	fake_look ();
	cr_assert (!fake.owing);
}

Test (sysmon_owed, it_is_allowed_as_long_as_somebody_owes)
{
	begin ();
	cr_assert_eq (fake_look (), PAUSE);
	cr_assert (fake.owing);
	for (int i = 0; i < 50; i++) {
		owe (0);
		cr_assert_eq (fake_look_after (PAUSE), PAUSE);
		cr_assert (fake.owing);
	}
	cr_assert_eq (fake.collected, 0, "each was a new one");
}

Test (sysmon_owed, and_not_for_long_after)
{
	uint64_t until = PAUSE;
	int looks = 0;

	begin ();
	fake_look ();
	while (fake.owing && looks++ < 100)
		until = fake_look_after (PAUSE);
	cr_assert_leq (looks, 10);
	cr_assert_gt (until, PAUSE, "and sysmon sleeps");
	cr_assert (!fake.owing_wanted);
}

Test (sysmon_owed, one_seen_twice_is_collected)
{
	begin ();
	fake_look ();
	owe (0);
	fake_look_after (PAUSE);
	cr_assert_eq (fake.collected, 0);
	fake_look_after (PAUSE);
	cr_assert_eq (fake.collected, 1);
	fake_look_after (PAUSE);
	cr_assert_eq (fake.collected, 1);
}

Test (sysmon_owed, looks_in_between_are_not_counted)
{
	begin ();
	fake_look ();
	owe (0);
	for (int i = 0; i < 9; i++) {
		fake_look_after (10 * US);
		cr_assert_eq (fake.collected, 0);
		cr_assert (fake.owing);
	}
}

static void owe_late (struct fake *f)
{
	f->at_fence = NULL;
	owe (1);
}

Test (sysmon_owed, one_made_while_sysmon_stops_is_not_forgotten)
{
	begin ();
	fake_look ();
	fake.at_fence = owe_late;
	for (int i = 0; i < 10; i++)
		fake_look_after (PAUSE);
	cr_assert (!fake.owing);
	cr_assert_eq (fake.p[1].v.owed, 0);
	cr_assert_eq (fake.collected, 1);
}
