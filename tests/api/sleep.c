/* SPDX-License-Identifier: MIT */
/* tests/api/sleep.c - goad_sleep, goad_sleep_until, goad_after, and what idling costs */
#include "tests/harness.h"
#include "tests/support.h"

#include <stdlib.h>
#include <unistd.h>

Test (sleep, after_saturates)
{
	uint64_t now = goad_now (), then = goad_after (GOAD_S);

	cr_assert (then >= now + GOAD_S && then < now + 2 * GOAD_S);
	cr_assert_eq (goad_after (GOAD_FOREVER), GOAD_FOREVER);
	cr_assert_eq (goad_after (GOAD_FOREVER - 1), GOAD_FOREVER);
	cr_assert_geq (goad_after (0), now);
}

/* Never less than asked for; what lies in the past does not wait. */
static void durations (void *arg)
{
	static const uint64_t ns[] = { 0, 1, 1000, 50000, 999999, 3000000, 20000000 };
	uint64_t start;

	(void) arg;
	for (size_t i = 0; i < sizeof ns / sizeof *ns; i++) {
		start = goad_now ();
		claim_eq (goad_sleep (ns[i]), 0);
		claim (goad_now () - start >= ns[i]);
		start = goad_now ();
		claim_eq (goad_sleep_until (start + ns[i]), 0);
		claim (goad_now () >= start + ns[i]);
	}
	claim_eq (goad_sleep_until (0), 0);
	claim_eq (goad_sleep_until (1), 0);
}

Test (sleep, never_less_in_a_coroutine, .timeout = 10)
{
	cr_assert_eq (run_main (durations, NULL, 1, 0, 0), 0);
	cr_assert_eq (run_main (durations, NULL, 2, 0, 0), 0);
	claims_assert ();
}

Test (sleep, never_less_on_a_foreign_thread, .timeout = 10)
{
	durations (NULL);
	claims_assert ();
}

/* On one P those that are due together run in the order of their deadlines.  (What comes
 * due while others still wait to run may pass them: queues take turns.) */

enum { SLEEPERS = 100 };

struct sleeper {
	uint64_t deadline;
	int *order, *at, *asleep, number;
};

static void sleep_and_note (void *arg)
{
	struct sleeper *s = arg;

	++*s->asleep;
	claim_eq (goad_sleep_until (s->deadline), 0);
	claim (goad_now () >= s->deadline);
	s->order[(*s->at)++] = s->number;
}

/* False: the first was due before the last had gone to sleep. */
static bool sleep_in_order (uint64_t lead)
{
	static struct sleeper sleepers[SLEEPERS];
	static int order[SLEEPERS];
	goad_task_t *task[SLEEPERS];
	uint64_t base = goad_after (lead);
	int at = 0, asleep = 0;
	bool in_time;

	for (int i = 0; i < SLEEPERS; i++) {
		int place = i * 73 % SLEEPERS;

		sleepers[i] = (struct sleeper){ base + (uint64_t) place * 10 * GOAD_US, order, &at, &asleep,
			                            place };
		claim_eq (goad_spawn (&task[i], NULL, sleep_and_note, &sleepers[i]), 0);
	}
	while (asleep < SLEEPERS)
		goad_yield ();
	in_time = goad_now () < base;
	while (goad_now () < base + SLEEPERS * 10 * GOAD_US)
		;
	for (int i = 0; i < SLEEPERS; i++)
		claim_eq (goad_join (task[i]), 0);
	claim_eq (at, SLEEPERS);
	for (int i = 0; i < SLEEPERS && in_time; i++)
		claim_eq (order[i], i);
	return in_time;
}

static void spawn_sleepers (void *arg)
{
	uint64_t lead = 10 * GOAD_MS;

	(void) arg;
	while (!sleep_in_order (lead) && lead < 4 * GOAD_S)
		lead *= 2;
	claim (lead < 4 * GOAD_S);
}

Test (sleep, in_the_order_of_deadlines, .timeout = 10)
{
	cr_assert_eq (run_main (spawn_sleepers, NULL, 1, 0, GOAD_PREEMPT_OFF), 0);
	claims_assert ();
}

static void sleep_often (void *arg)
{
	uint64_t state = (uint64_t) (uintptr_t) arg * UINT64_C (0x9e3779b97f4a7c15);

	for (int i = 0; i < 30; i++) {
		uint64_t deadline;

		state = state * UINT64_C (6364136223846793005) + 1442695040888963407;
		deadline = goad_after ((state >> 33) % (3 * GOAD_MS));
		claim_eq (goad_sleep_until (deadline), 0);
		claim (goad_now () >= deadline);
	}
}

static void thousand_sleepers (void *arg)
{
	static goad_task_t *task[1000];

	(void) arg;
	for (uintptr_t i = 0; i < 1000; i++)
		claim_eq (goad_spawn (&task[i], NULL, sleep_often, (void *) (i + 1)), 0);
	for (int i = 0; i < 1000; i++)
		claim_eq (goad_join (task[i]), 0);
}

Test (sleep, a_thousand_at_random, .timeout = 30)
{
	cr_assert_eq (run_main (thousand_sleepers, NULL, 1, 0, 0), 0);
	cr_assert_eq (run_main (thousand_sleepers, NULL, 2, 0, 0), 0);
	claims_assert ();
}

/* Nothing to run means no CPU, for sysmon too.  The least of three counts: what a start
 * leaves to do may take a while on a busy host. */

static void sleep_long (void *arg)
{
	uint64_t *cpu = arg, before;

	for (int i = 0; i < 3; i++) {
		before = process_cpu_ns ();
		goad_sleep (300 * GOAD_MS);
		before = process_cpu_ns () - before;
		*cpu = before < *cpu ? before : *cpu;
	}
}

Test (sleep, sleeping_costs_nothing, .timeout = 10)
{
	uint64_t cpu = GOAD_S;

	cr_assert_eq (run_main (sleep_long, &cpu, 2, 0, 0), 0);
	cr_assert_lt (cpu, 2 * GOAD_MS, "%.3f ms of CPU in 0.3 s", (double) cpu / 1e6);
}

Test (sleep, idling_costs_nothing, .timeout = 10)
{
	goad_config_t cfg = config_of (2, 0, 0);
	uint64_t cpu = GOAD_S, before;

	cr_assert_eq (goad_start (&cfg), 0);
	for (int i = 0; i < 3; i++) {
		before = process_cpu_ns ();
		usleep (300000);
		before = process_cpu_ns () - before;
		cpu = before < cpu ? before : cpu;
	}
	cr_assert_lt (cpu, GOAD_MS, "%.3f ms of CPU in 0.3 s", (double) cpu / 1e6);
	cr_assert_eq (goad_stop (), 0);
}
