/* SPDX-License-Identifier: MIT */
/* tests/api/timer_load.c - timers by the million, from many threads, at the runtime's end,
 * and without memory */
#include "tests/harness.h"
#include "tests/support.h"

#include <pthread.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

struct note {
	_Atomic int fired;
	int told; /* how often stop or reset has said that it had fired */
};

static void fire (void *arg)
{
	struct note *n = arg;

	n->fired++;
	claim (goad_id () != 0);
}

/* They fire at the very end of the runtime: all or nothing. */

static void end_beside_fire (void *arg)
{
	goad_timer_t *t;

	for (int i = 0; i < 20; i++)
		claim_eq (goad_timer_start (&t, goad_after ((uint64_t) i * 5 * GOAD_US), 0, fire, arg), 0);
}

Test (timer_load, fires_as_the_runtime_ends, .timeout = 60)
{
	struct note n = { 0 };

	for (int i = 0; i < 60; i++)
		cr_assert_eq (run_main (end_beside_fire, &n, 1 + i % 2, 0, 0), 0);
	claims_assert ();
}

/* From threads that goad did not make, several at once with resets, fires and stops. */

static void *churn (void *arg)
{
	struct note *n = arg;
	uint64_t r = (uintptr_t) pthread_self ();

	for (int i = 0; i < 3000; i++) {
		goad_timer_t *t;
		int was = 1, late;

		r = r * UINT64_C (6364136223846793005) + 1442695040888963407;
		claim_eq (goad_timer_start (&t, goad_after ((r >> 33) % (200 * GOAD_US)), 0, fire, n), 0);
		for (int j = (int) (r >> 60) % 4; j > 0; j--) {
			was = goad_timer_reset (t, goad_after ((r >> 40) % (100 * GOAD_US)), 0);
			if (was == 0)
				n->told++; /* it had fired, and fires again */
		}
		late = goad_timer_stop (t);
		if (late == 0)
			n->told++;
	}
	return NULL;
}

Test (timer_load, foreign_threads_race_with_fire, .timeout = 60)
{
	goad_config_t cfg = config_of (2, 0, 0);
	struct note n[3] = { 0 };
	pthread_t thread[3];

	cr_assert_eq (goad_start (&cfg), 0);
	for (int i = 0; i < 3; i++)
		cr_assert_eq (pthread_create (&thread[i], NULL, churn, &n[i]), 0);
	for (int i = 0; i < 3; i++)
		cr_assert_eq (pthread_join (thread[i], NULL), 0);
	cr_assert_eq (goad_stop (), 0);
	claims_assert ();
	for (int i = 0; i < 3; i++)
		cr_assert_eq (n[i].fired, n[i].told, "each fire is told of by one 0");
}

static void churner (void *arg)
{
	churn (arg);
}

static void churners (void *arg)
{
	struct note *n = arg;
	goad_task_t *task[4];

	for (int i = 0; i < 4; i++)
		claim_eq (goad_spawn (&task[i], NULL, churner, &n[i]), 0);
	for (int i = 0; i < 4; i++)
		claim_eq (goad_join (task[i]), 0);
}

Test (timer_load, coroutines_race_with_fire, .timeout = 60)
{
	struct note n[4] = { 0 };

	cr_assert_eq (run_main (churners, n, 2, GOAD_MS, 0), 0);
	claims_assert ();
	for (int i = 0; i < 4; i++)
		cr_assert_eq (n[i].fired, n[i].told, "each fire is told of by one 0");
}

/* Without memory for a coroutine it is tried again.  In a child: nothing else there may
 * want memory meanwhile. */

static void wait_for_flag (void *arg)
{
	await (arg, 1);
}

static void no_memory (void *arg)
{
	static goad_task_t *task[4000];
	static struct note once, often;
	static _Atomic int flag;
	struct rlimit old, none;
	goad_timer_t *t[2];
	int n = 0;

	(void) arg;
	claim_eq (goad_timer_start (&t[0], goad_after (100 * GOAD_MS), 0, fire, &once), 0);
	claim_eq (goad_timer_start (&t[1], goad_after (100 * GOAD_MS), GOAD_MS, fire, &often), 0);
	getrlimit (RLIMIT_AS, &old);
	none = (struct rlimit){ 1 << 20, old.rlim_max };
	setrlimit (RLIMIT_AS, &none);
	while (n < 4000 && goad_spawn (&task[n], NULL, wait_for_flag, (void *) &flag) == 0)
		n++;
	claim (n < 4000);
	spin_for (120 * GOAD_MS);
	goad_yield ();
	claim_eq (once.fired + often.fired, 0);
	setrlimit (RLIMIT_AS, &old);
	await (&once.fired, 1);
	await (&often.fired, 1);
	flag = 1;
	while (n > 0)
		claim_eq (goad_join (task[--n]), 0);
	claim_eq (goad_timer_stop (t[0]), 0);
	claim_eq (goad_timer_stop (t[1]), 1);
}

static void no_memory_child (void *arg)
{
	const char *broken;

	(void) arg;
	if (run_main (no_memory, NULL, 1, 0, 0) != 0)
		_exit (27);
	broken = claims_text ();
	printf ("%s", broken);
	fflush (stdout);
	_exit (broken[0] ? 27 : 0);
}

Test (timer_load, without_memory_it_is_tried_again, .timeout = 60)
{
	char out[4096];
	int status;

	if (TEST_SLOW)
		cr_skip_test ("a sanitizer needs memory of its own");
	status = child_run (no_memory_child, NULL, 30, out, sizeof out);
	cr_assert (child_exited (status, 0), "%s", out);
}

/* A million: armed, stopped, fired. */

enum { MILLION = TEST_SLOW ? 20000 : 1000000 };

static _Atomic int million_fired;

static void fire_one (void *arg)
{
	(void) arg;
	atomic_fetch_add_explicit (&million_fired, 1, memory_order_relaxed);
}

static void a_million (void *arg)
{
	static goad_timer_t *t[MILLION];
	uint64_t r = 5, far = goad_after (3600 * GOAD_S);
	int stopped = 0, had_fired = 0;

	(void) arg;
	for (int i = 0; i < MILLION; i++) {
		r = r * UINT64_C (6364136223846793005) + 1442695040888963407;
		claim_eq (goad_timer_start (&t[i], far + (r >> 30), 0, fire_one, NULL), 0);
	}
	for (int i = 0; i < MILLION; i++)
		if (i % 4 == 0)
			claim_eq (goad_timer_reset (t[i], goad_after ((r + (uint64_t) i) % (20 * GOAD_MS)), 0),
			          1);
	await (&million_fired, MILLION / 4);
	for (int i = 0; i < MILLION; i++) {
		int was = goad_timer_stop (t[(uint64_t) i * 7919 % MILLION]);
		stopped += was == 1;
		had_fired += was == 0;
	}
	claim_eq (had_fired, MILLION / 4);
	claim_eq (stopped, MILLION - MILLION / 4);
}

Test (timer_load, a_million, .timeout = 120)
{
	cr_assert_eq (run_main (a_million, NULL, 2, 0, 0), 0);
	claims_assert ();
	cr_assert_eq (million_fired, MILLION / 4);
}
