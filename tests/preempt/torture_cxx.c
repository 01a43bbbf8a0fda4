/* SPDX-License-Identifier: MIT */
/* tests/preempt/torture_cxx.c - C++ exceptions; torture_cxx_work.cc has the throwing */
#include "tests/preempt/torture_cxx.h"
#include "tests/preempt/torture.h"

#include <signal.h>

static const struct torture t = {
	.work = cxx_throw_and_catch, .size = 16, .handed_off = 1500, .bound = true
};

Test (torture_cxx, chosen, .timeout = 60)
{
	torture_auto (&t);
}

Test (torture_cxx, handed_off, .timeout = 60)
{
	torture_handoff (&t);
}

/* Cooperative switches inside catch blocks, while others throw on the same threads. */

enum { CATCHERS = 8 };

static void catch_and_switch (void *arg)
{
	claim_eq (cxx_switch_in_catch ((unsigned) (uintptr_t) arg, goad_yield), 0);
}

static void sleep_a_little (void)
{
	goad_sleep (20 * GOAD_US);
}

static void catch_and_sleep (void *arg)
{
	claim_eq (cxx_switch_in_catch ((unsigned) (uintptr_t) arg, sleep_a_little), 0);
}

static void catch_all (void *arg)
{
	goad_task_t *task[CATCHERS];

	(void) arg;
	for (uintptr_t i = 0; i < CATCHERS; i++)
		claim_eq (goad_spawn (&task[i], NULL, i % 2 ? catch_and_sleep : catch_and_switch,
		                      (void *) i),
		          0);
	for (int i = 0; i < CATCHERS; i++)
		claim_eq (goad_join (task[i]), 0);
}

Test (torture_cxx, switch_inside_a_catch_block, .timeout = 60)
{
	cr_assert_eq (run_main (catch_all, NULL, 1, 0, GOAD_PREEMPT_COOP), 0);
	cr_assert_eq (run_main (catch_all, NULL, 2, 100 * GOAD_US, GOAD_PREEMPT_AUTO), 0);
	claims_assert ();
}

/* The runtime itself, begun in a catch block. */

static void run_catchers (void)
{
	claim_eq (run_main (catch_all, NULL, 2, 100 * GOAD_US, 0), 0);
}

Test (torture_cxx, main_inside_a_catch_block, .timeout = 60)
{
	cr_assert_eq (cxx_run_in_catch (run_catchers), 0);
	claims_assert ();
}

/* An exception that leaves the entry function. */

static void let_go (void *arg)
{
	(void) arg;
	run_main (cxx_throw_uncaught, NULL, 1, 0, 0);
}

Test (torture_cxx, uncaught_terminates, .timeout = 30)
{
	char out[4096];
	int status = child_run (let_go, NULL, 20, out, sizeof out);

	cr_assert (child_signalled (status, SIGABRT), "status %#x: %s", status, out);
	cr_assert (strstr (out, "terminate called") != NULL, "said '%s'", out);
}
