/* SPDX-License-Identifier: MIT */
/* The check of the whole runtime: silent under load, and it bites. */
#include "tests/harness.h"

#include <goad.h>
#include <signal.h>
#include <stdatomic.h>
#include <time.h>

#include "runtime/check.h"
#include "runtime/runtime.h"

#ifdef GOAD_DEBUG_BUILD

#define ROUNDS 30
#define EACH 12

static _Atomic int ran;

static void hog (void *arg)
{
	uint64_t end = goad_after (GOAD_MS * (1 + (uint64_t) (uintptr_t) arg % 3));

	while (goad_now () < end)
		;
	ran++;
}

static void sleeper (void *arg)
{
	for (uintptr_t i = 0; i < 3; i++)
		goad_sleep (GOAD_US * (10 + (uint64_t) (uintptr_t) arg * 20));
	ran++;
}

static void parent (void *arg)
{
	goad_task_t *child[3];

	for (int i = 0; i < 3; i++)
		if (goad_spawn (&child[i], NULL, i ? sleeper : hog, arg))
			return;
	for (int i = 0; i < 3; i++)
		goad_join (child[i]);
	ran++;
}

static void pause_ms (long ms)
{
	struct timespec t = { .tv_nsec = ms * 1000000 };
	nanosleep (&t, NULL);
}

static void rounds (int procs, int preempt)
{
	static const goad_fn kinds[] = { hog, sleeper, parent };
	goad_config_t cfg = GOAD_CONFIG_INIT;
	uint64_t before = goad__check_count ();

	cfg.procs = procs;
	cfg.quantum_ns = GOAD_MS;
	cfg.preempt = preempt;
	cr_assert_eq (goad_start (&cfg), 0);
	for (int r = 0; r < ROUNDS; r++) {
		goad_task_t *task[EACH];
		for (uintptr_t i = 0; i < EACH; i++)
			cr_assert_eq (goad_spawn (&task[i], NULL, kinds[i % 3], (void *) i), 0);
		goad__check_world (); /* while they run */
		for (int i = 0; i < EACH; i++)
			cr_assert_eq (goad_join (task[i]), 0);
		goad__check_world (); /* as they end */
		if (r % 8 == 0) {
			pause_ms (2);
			goad__check_world (); /* and when all has ended */
		}
	}
	cr_assert_eq (goad_stop (), 0);
	cr_expect_geq (goad__check_count () - before, ROUNDS / 8, "only %lu checks",
	               (unsigned long) (goad__check_count () - before));
}

Test (check, one_processor, .timeout = 60)
{
	rounds (1, GOAD_PREEMPT_AUTO);
}

Test (check, four_processors, .timeout = 60)
{
	rounds (4, GOAD_PREEMPT_AUTO);
}

Test (check, handed_off, .timeout = 60)
{
	rounds (2, GOAD_PREEMPT_HANDOFF);
}

/* ---- it bites: each of these dies by SIGABRT ----------------------------------------------- */

static void long_sleep (void *arg)
{
	(void) arg;
	goad_sleep (20 * GOAD_S);
}

/* One coroutine that sleeps, and nothing else. */
static struct g *asleep (void)
{
	goad_config_t cfg = GOAD_CONFIG_INIT;
	goad_task_t *task;

	cfg.procs = 2;
	cr_assert_eq (goad_start (&cfg), 0);
	cr_assert_eq (goad_spawn (&task, NULL, long_sleep, NULL), 0);
	pause_ms (20);
	goad__check_world ();
	return (struct g *) task;
}

Test (check, finds_a_false_state, .signal = SIGABRT, .timeout = 10)
{
	asleep ()->state = G_RUNNING;
	goad__check_world ();
}

Test (check, finds_a_wrong_count, .signal = SIGABRT, .timeout = 10)
{
	asleep ();
	goad__sched.foreign_spawned++;
	goad__check_world ();
}

Test (check, finds_one_that_sleeps_in_a_queue, .signal = SIGABRT, .timeout = 10)
{
	struct g *g = asleep ();

	goad__spin_lock (&goad__sched.lock);
	goad__fairq_put (&goad__sched.fairq, g, 0);
	goad__spin_unlock (&goad__sched.lock);
	goad__check_world ();
}

Test (check, finds_a_lost_processor, .signal = SIGABRT, .timeout = 10)
{
	asleep ();
	goad__sched.pidle = goad__sched.pidle->idle_next;
	goad__check_world ();
}

#else

Test (check, whole_runtime)
{
	cr_skip_test ("only in the debug build (--enable-debug)");
}

#endif
