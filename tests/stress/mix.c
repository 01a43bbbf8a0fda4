/* SPDX-License-Identifier: MIT */
/* tests/stress/mix.c - hogs, spawners, sleepers, joiners and exits together, under chaos
 *
 * Two seconds for each of its tests.  All that was started has ended when goad_main returns.
 */
#include "tests/stress/stress.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

static _Atomic int stop;
static _Atomic uint64_t started, ended, joined, timeouts, exits, slept;

static int start (goad_task_t **task, goad_fn fn, void *arg)
{
	int rc = task ? goad_spawn (task, NULL, fn, arg) : goad_go (fn, arg);

	if (rc == 0)
		atomic_fetch_add (&started, 1);
	claim (rc == 0 || rc == -ENOMEM || rc == -EAGAIN);
	return rc;
}

static void brief (void *arg)
{
	uint64_t state = (uint64_t) (uintptr_t) arg;
	char *p;

	for (uint64_t n = choose (&state) % 20000; n > 0; n--)
		choose (&state);
	if (state % 3 == 0 && (p = malloc (state % 5000 + 1)) != NULL) {
		memset (p, 1, state % 5000 + 1);
		free (p);
	}
	if (state % 5 == 0)
		goad_yield ();
	atomic_fetch_add (&ended, 1);
	if (state % 2 == 0) {
		atomic_fetch_add (&exits, 1);
		goad_exit ();
	}
}

static void hog (void *arg)
{
	uint64_t state = (uint64_t) (uintptr_t) arg;

	while (!atomic_load_explicit (&stop, memory_order_relaxed)) {
		choose (&state);
		loop_apart ();
	}
	atomic_fetch_add (&ended, 1);
}

static void sleeper (void *arg)
{
	uint64_t state = (uint64_t) (uintptr_t) arg;

	while (!atomic_load (&stop)) {
		uint64_t deadline = goad_after (choose (&state) % (2 * GOAD_MS));

		goad_sleep_until (deadline);
		claim (goad_now () >= deadline);
		atomic_fetch_add (&slept, 1);
	}
	atomic_fetch_add (&ended, 1);
}

static void spawner (void *arg)
{
	uint64_t state = (uint64_t) (uintptr_t) arg;

	while (!atomic_load (&stop)) {
		/* Not more than the queues, the stacks and the host bear. */
		if (goad_count () < 2000)
			start (NULL, brief, (void *) (uintptr_t) choose (&state));
		if (choose (&state) % 8 == 0)
			goad_yield ();
		if (choose (&state) % 16 == 0) {
			goad_preempt_disable ();
			choose (&state);
			goad_preempt_enable ();
		}
	}
	atomic_fetch_add (&ended, 1);
}

static void joiner (void *arg)
{
	uint64_t state = (uint64_t) (uintptr_t) arg;
	goad_task_t *task[16];

	while (!atomic_load (&stop)) {
		int n = 1 + (int) (choose (&state) % 16), made = 0;

		for (; made < n; made++)
			if (start (&task[made], brief, (void *) (uintptr_t) choose (&state)) != 0)
				break;
		for (int i = 0; i < made; i++) {
			int rc = -ETIMEDOUT;

			if (choose (&state) % 4 == 0) {
				rc = goad_join_until (task[i], goad_after (choose (&state) % (200 * GOAD_US)));
				claim (rc == 0 || rc == -ETIMEDOUT);
				atomic_fetch_add (&timeouts, rc != 0);
			}
			if (rc != 0 && choose (&state) % 8 == 0)
				claim_eq (goad_detach (task[i]), 0);
			else if (rc != 0)
				claim_eq (goad_join (task[i]), 0);
			atomic_fetch_add (&joined, 1);
		}
	}
	atomic_fetch_add (&ended, 1);
}

static bool enough (void)
{
	goad_stats_t s = stats_now ();

	return atomic_load (&started) > 100 &&
	       s.preempt_yielded + s.preempt_handed_off > TEST_SOME (100);
}

static void mix (void *arg)
{
	/* clang-format off */
	static const goad_fn kinds[] = { hog, hog, hog, sleeper, sleeper, sleeper, sleeper,
		                             spawner, spawner, joiner, joiner, joiner };
	/* clang-format on */
	const struct stress_plan *plan = arg;
	uint64_t state = plan->seed;

	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		start (NULL, kinds[i], (void *) (uintptr_t) choose (&state));
	stress_wait (plan, enough);
	atomic_store (&stop, 1);
}

static void forget (void)
{
	_Atomic uint64_t *const all[] = { &started, &ended, &joined, &timeouts, &exits, &slept };

	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		atomic_store (all[i], 0);
	atomic_store (&stop, 0);
}

static void run_mix (int procs, int mode)
{
	goad_stats_t s;
	int rc;

	forget ();
	rc = stress_run (mix, 2, procs, mode);
	s = stats_now ();
	fprintf (stderr,
	         "  %" PRIu64 " started (%" PRIu64 " ended by goad_exit), %" PRIu64 " joined, %" PRIu64
	         " timeouts, %" PRIu64 " sleeps\n",
	         started, exits, joined, timeouts, slept);
	fprintf (stderr,
	         "  %" PRIu64 " yielded, %" PRIu64 " handed off, %" PRIu64 " deferred, %" PRIu64
	         " expired, %" PRIu64 " steals, %" PRIu64 " threads\n",
	         s.preempt_yielded, s.preempt_handed_off, s.preempt_deferred, s.preempt_expired,
	         s.steals, s.threads_max);
	claims_assert ();
	cr_assert_eq (rc, 0, "goad_main gave %d", rc);
	cr_expect_eq (ended, started, "%" PRIu64 " of %" PRIu64 " ended", ended, started);
	cr_expect_eq (s.spawned, started + 1, "%" PRIu64 " spawned", s.spawned);
	cr_expect_eq (s.coroutines, 0, "%" PRIu64 " alive", s.coroutines);
	cr_expect_gt (started, 100);
	cr_expect_gt (s.preempt_yielded + s.preempt_handed_off, TEST_SOME (100));
}

Test (mix, chosen)
{
	run_mix (2, GOAD_PREEMPT_AUTO);
}

Test (mix, one_processor)
{
	run_mix (1, GOAD_PREEMPT_AUTO);
}

Test (mix, handed_off)
{
	run_mix (2, GOAD_PREEMPT_HANDOFF);
}

Test (mix, more_processors_than_there_are)
{
	run_mix (5, GOAD_PREEMPT_AUTO);
}
