/* SPDX-License-Identifier: MIT */
/* tests/api/names.c - names, counts, yielding, and what a coroutine starts with */
#include "tests/harness.h"
#include "tests/support.h"

#include <errno.h>
#include <fenv.h>
#include <pthread.h>
#include <stdlib.h>

static void wait_flag (void *arg)
{
	await (arg, 1);
}

static void say_name (void *arg)
{
	char *copy = arg;

	strncpy (copy, goad_name (), 63);
	goad_yield ();
	claim (strcmp (copy, goad_name ()) == 0);
}

static void names (void *arg)
{
	static const char thirty_nine[] = "a name of thirty-nine bytes in all told";
	char name[64] = "worker", copy[64] = "";
	goad_attr_t attr = GOAD_ATTR_INIT;
	goad_task_stats_t ts;
	goad_task_t *task;

	(void) arg;
	claim (strcmp (goad_name (), "") == 0);
	attr.name = name;
	claim_eq (goad_spawn (&task, &attr, say_name, copy), 0);
	memset (name, 'x', sizeof name - 1);
	while (goad_task_stats (task, &ts) == 0 && ts.state != GOAD_STATE_DEAD)
		goad_yield ();
	claim (strcmp (ts.name, "worker") == 0);
	claim_eq (goad_join (task), 0);
	claim (strcmp (copy, "worker") == 0);

	attr.name = thirty_nine;
	memset (copy, 0, sizeof copy);
	claim_eq (goad_spawn (&task, &attr, say_name, copy), 0);
	claim_eq (goad_join (task), 0);
	claim_eq (strlen (copy), 31);
	claim (strncmp (copy, thirty_nine, 31) == 0);

	attr.name = NULL;
	memset (copy, 0, sizeof copy);
	claim_eq (goad_spawn (&task, &attr, say_name, copy), 0);
	claim_eq (goad_join (task), 0);
	claim (copy[0] == '\0');
}

Test (names, copied_and_cut, .timeout = 10)
{
	cr_assert_eq (run_main (names, NULL, 2, 0, 0), 0);
	claims_assert ();
}

static void counts (void *arg)
{
	static _Atomic int flag;
	goad_task_t *task[10];

	(void) arg;
	atomic_store (&flag, 0);
	claim_eq (goad_count (), 1);
	for (int i = 0; i < 10; i++) {
		claim_eq (goad_spawn (&task[i], NULL, wait_flag, (void *) &flag), 0);
		claim_eq (goad_count (), i + 2);
	}
	for (int i = 0; i < 5; i++)
		claim_eq (goad_go (wait_flag, (void *) &flag), 0);
	claim_eq (goad_count (), 16);
	atomic_store (&flag, 1);
	for (int i = 0; i < 10; i++)
		claim_eq (goad_join (task[i]), 0);
	while (goad_count () > 1)
		goad_yield ();
	claim_eq (goad_count (), 1);
}

Test (names, count_of_the_living, .timeout = 10)
{
	for (int procs = 1; procs <= 2; procs++)
		cr_assert_eq (run_main (counts, NULL, procs, 0, 0), 0);
	claims_assert ();
}

/* On one P and without preemption, between two turns of one each of the others has one. */

enum { WALKERS = 5, STEPS = 2000 };

struct walk {
	_Atomic int ready;
	int turns[WALKERS];
	int at;
};

struct walker {
	struct walk *walk;
	int number;
};

static void walk_run (void *arg)
{
	struct walker *me = arg;
	struct walk *w = me->walk;

	atomic_fetch_add (&w->ready, 1);
	while (atomic_load (&w->ready) < WALKERS)
		goad_yield ();
	for (int i = 0; i < STEPS; i++) {
		int least = w->turns[0], most = w->turns[0];

		w->turns[me->number]++;
		for (int k = 0; k < WALKERS; k++) {
			least = w->turns[k] < least ? w->turns[k] : least;
			most = w->turns[k] > most ? w->turns[k] : most;
		}
		/* The global queue goes first now and then: two turns of slack. */
		claim (most - least <= 3 || i > STEPS - 10);
		goad_yield ();
	}
	w->turns[me->number] = STEPS;
}

static void walk_all (void *arg)
{
	struct walker me[WALKERS];
	goad_task_t *task[WALKERS];

	for (int i = 0; i < WALKERS; i++) {
		me[i] = (struct walker){ arg, i };
		claim_eq (goad_spawn (&task[i], NULL, walk_run, &me[i]), 0);
	}
	for (int i = 0; i < WALKERS; i++)
		claim_eq (goad_join (task[i]), 0);
}

Test (names, yield_lets_the_others_go_first, .timeout = 10)
{
	static struct walk w;

	cr_assert_eq (run_main (walk_all, &w, 1, 0, GOAD_PREEMPT_COOP), 0);
	claims_assert ();
}

Test (names, yield_outside, .timeout = 10)
{
	for (int i = 0; i < 1000; i++)
		goad_yield ();
}

/* The rounding mode and the x87 control word. */

static unsigned x87_control (void)
{
	uint16_t cw;

	__asm__ volatile("fnstcw %0" : "=m"(cw));
	return cw;
}

static void set_x87_control (unsigned value)
{
	uint16_t cw = (uint16_t) value;

	__asm__ volatile("fldcw %0" : : "m"(cw));
}

struct float_env {
	int rounding;
	unsigned control;
};

static void expect_env (void *arg)
{
	struct float_env *e = arg;

	claim_eq (fegetround (), e->rounding);
	claim_eq (x87_control (), e->control);
	for (int i = 0; i < 100; i++) {
		goad_yield ();
		claim_eq (fegetround (), e->rounding);
		claim_eq (x87_control (), e->control);
	}
	goad_sleep (GOAD_MS);
	claim_eq (fegetround (), e->rounding);
	fesetround (FE_DOWNWARD);
}

static void float_envs (void *arg)
{
	static const int modes[] = { FE_TONEAREST, FE_UPWARD, FE_DOWNWARD, FE_TOWARDZERO };
	struct float_env env[8];
	goad_task_t *task[8];

	(void) arg;
	for (int i = 0; i < 8; i++) {
		fesetround (modes[i % 4]);
		/* Double precision instead of extended, for half of them. */
		set_x87_control ((x87_control () & ~0x300u) | (i < 4 ? 0x300u : 0x200u));
		env[i] = (struct float_env){ modes[i % 4], x87_control () };
		claim_eq (goad_spawn (&task[i], NULL, expect_env, &env[i]), 0);
		claim_eq (fegetround (), modes[i % 4]);
	}
	for (int i = 0; i < 8; i++) {
		claim_eq (goad_join (task[i]), 0);
		claim_eq (fegetround (), modes[3]);
	}
}

Test (names, rounding_mode_is_inherited_and_kept, .timeout = 10)
{
	int before = fegetround ();
	unsigned control = x87_control ();

	for (int procs = 1; procs <= 2; procs++)
		cr_assert_eq (run_main (float_envs, NULL, procs, 0, 0), 0);
	claims_assert ();
	cr_assert_eq (fegetround (), before);
	cr_assert_eq (x87_control (), control);
}

/* From a foreign thread's mode too. */
Test (names, rounding_mode_from_outside, .timeout = 10)
{
	goad_config_t cfg = config_of (2, 0, 0);
	struct float_env env;
	goad_task_t *task;

	cr_assert_eq (goad_start (&cfg), 0);
	fesetround (FE_UPWARD);
	env = (struct float_env){ FE_UPWARD, x87_control () };
	cr_assert_eq (goad_spawn (&task, NULL, expect_env, &env), 0);
	fesetround (FE_TONEAREST);
	cr_assert_eq (goad_join (task), 0);
	cr_assert_eq (goad_stop (), 0);
	claims_assert ();
}
