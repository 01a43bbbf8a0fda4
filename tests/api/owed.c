/* SPDX-License-Identifier: MIT */
/* tests/api/owed.c - who readies another, and has always left its P after that, does not for
 * once: the other is run on a P that was idle */
#include "tests/harness.h"
#include "tests/support.h"

#include <time.h>

static goad_chan_t *ping, *pong;
static _Atomic int answered;

static void partner (void *arg)
{
	int v;

	(void) arg;
	while (goad_chan_recv (ping, &v) == 0) {
		if (v < 0)
			atomic_store (&answered, -v);
		else
			claim_eq (goad_chan_send (pong, &v), 0);
	}
}

static void exchange (int n)
{
	for (int i = 0, v = 0; i < n; i++) {
		claim_eq (goad_chan_send (ping, &i), 0);
		claim_eq (goad_chan_recv (pong, &v), 0);
		claim_eq (v, i);
	}
}

/* It computes until the other has run, which it does not on this P: nothing is preempted. */
static void surprise (int round)
{
	uint64_t limit = goad_after (20 * GOAD_S);
	int v = -round;

	claim_eq (goad_chan_send (ping, &v), 0);
	while (atomic_load (&answered) != round && goad_now () < limit)
		;
	claim_eq (answered, round);
}

static void rely_and_surprise (void *arg)
{
	goad_task_t *task;

	(void) arg;
	claim_eq (goad_chan_create (&ping, sizeof (int), 0), 0);
	claim_eq (goad_chan_create (&pong, sizeof (int), 0), 0);
	claim_eq (goad_spawn (&task, NULL, partner, NULL), 0);
	for (int round = 1; round <= 30; round++) {
		exchange (round % 3 ? 3 : 2000);
		surprise (round);
	}
	claim_eq (goad_chan_close (ping), 0);
	claim_eq (goad_join (task), 0);
	claim_eq (goad_chan_destroy (ping), 0);
	claim_eq (goad_chan_destroy (pong), 0);
}

Test (owed, a_wake_up_comes_although_it_was_owed, .timeout = 60)
{
	cr_assert_eq (run_main (rely_and_surprise, NULL, 2, 0, GOAD_PREEMPT_OFF), 0);
	cr_assert_eq (run_main (rely_and_surprise, NULL, 3, 0, GOAD_PREEMPT_OFF), 0);
	claims_assert ();
}

/* The same, but it blocks in the kernel, with and without a word. */
static void await_in_the_kernel (void *arg)
{
	const struct timespec ms = { 0, 1000000 };
	uint64_t limit = goad_after (20 * GOAD_S);
	int round = *(int *) arg;

	while (atomic_load (&answered) != round && goad_now () < limit)
		nanosleep (&ms, NULL);
	claim_eq (answered, round);
}

static void rely_and_block (void *arg)
{
	goad_task_t *task;

	(void) arg;
	claim_eq (goad_chan_create (&ping, sizeof (int), 0), 0);
	claim_eq (goad_chan_create (&pong, sizeof (int), 0), 0);
	claim_eq (goad_spawn (&task, NULL, partner, NULL), 0);
	for (int round = 1; round <= 30; round++) {
		int v = -round;

		exchange (round % 3 ? 3 : 2000);
		claim_eq (goad_chan_send (ping, &v), 0);
		if (round % 2)
			claim_eq (goad_block (await_in_the_kernel, &round), 0);
		else
			await_in_the_kernel (&round);
	}
	claim_eq (goad_chan_close (ping), 0);
	claim_eq (goad_join (task), 0);
	claim_eq (goad_chan_destroy (ping), 0);
	claim_eq (goad_chan_destroy (pong), 0);
}

Test (owed, who_owes_may_block_in_the_kernel, .timeout = 60)
{
	cr_assert_eq (run_main (rely_and_block, NULL, 2, 0, 0), 0);
	claims_assert ();
}
