/* SPDX-License-Identifier: MIT */
/* tests/api/tasks.c - spawn, join, detach, exit, names, numbers and counts */
#include "tests/harness.h"
#include "tests/support.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

static void nothing (void *arg)
{
	(void) arg;
}

static void wait_flag (void *arg)
{
	await (arg, 1);
}

/* Fork and join: the joiner runs the child, in whatever order they are joined. */

struct forked {
	int depth, sum;
	uint64_t id;
	goad_task_t *task;
};

static void fork_tree (void *arg)
{
	struct forked *f = arg, kid[4];

	f->id = goad_id ();
	f->sum = 1;
	if (f->depth == 0)
		return;
	for (int i = 0; i < 4; i++) {
		kid[i].depth = f->depth - 1;
		claim_eq (goad_spawn (&kid[i].task, NULL, fork_tree, &kid[i]), 0);
	}
	for (int i = 0, k = f->depth; i < 4; i++, k += 3) {
		claim_eq (goad_join (kid[k % 4].task), 0);
		f->sum += kid[k % 4].sum;
		claim (kid[k % 4].id != f->id);
		claim_eq (goad_id (), f->id);
	}
}

static void fork_trees (void *arg)
{
	struct forked top = { .depth = TEST_SLOW ? 4 : 7 };

	(void) arg;
	fork_tree (&top);
	claim_eq (top.sum, TEST_SLOW ? 341 : 21845);
}

Test (tasks, a_tree_is_forked_and_joined_in_any_order, .timeout = 60)
{
	for (int procs = 1; procs <= 3; procs++)
		for (int preempt = GOAD_PREEMPT_AUTO; preempt <= GOAD_PREEMPT_OFF; preempt++)
			cr_assert_eq (run_main (fork_trees, NULL, procs, GOAD_MS, preempt), 0);
	claims_assert ();
}

/* A child that its joiner runs is a coroutine like any other: it parks, yields, exits. */

static void yield_and_sleep (void *arg)
{
	for (int i = 0; i < 3; i++) {
		goad_yield ();
		goad_sleep (1000);
	}
	++*(int *) arg;
	goad_exit ();
}

static void join_waiting_children (void *arg)
{
	goad_task_t *task, *other;
	int n = 0;

	(void) arg;
	for (int i = 0; i < 20; i++) {
		claim_eq (goad_spawn (&other, NULL, yield_and_sleep, &n), 0);
		claim_eq (goad_spawn (&task, NULL, yield_and_sleep, &n), 0);
		claim_eq (goad_join (other), 0);
		claim_eq (goad_join (task), 0);
	}
	claim_eq (n, 40);
}

Test (tasks, a_child_run_by_its_joiner_may_wait, .timeout = 30)
{
	cr_assert_eq (run_main (join_waiting_children, NULL, 1, 0, 0), 0);
	claims_assert ();
}

/* Who is joined by one and detached or joined by another at the same time. */
static void join_detached (void *arg)
{
	goad_task_t *task;

	(void) arg;
	goad_preempt_disable (); /* once it has run the handle is nobody's */
	claim_eq (goad_spawn (&task, NULL, nothing, NULL), 0);
	claim_eq (goad_detach (task), 0);
	claim_eq (goad_join (task), -EINVAL);
	goad_preempt_enable ();
}

Test (tasks, a_detached_one_is_not_run_by_a_joiner)
{
	cr_assert_eq (run_main (join_detached, NULL, 1, 0, 0), 0);
	claims_assert ();
}

/* Spawning many. */

enum { MANY = 1000 };

static uint64_t ids[MANY];

static void note_id (void *arg)
{
	*(uint64_t *) arg = goad_id ();
}

static void spawn_many (void *arg)
{
	static goad_task_t *task[MANY];
	static bool seen[MANY + 2];

	(void) arg;
	for (int i = 0; i < MANY; i++)
		claim_eq (goad_spawn (&task[i], NULL, note_id, &ids[i]), 0);
	for (int i = 0; i < MANY; i++)
		claim_eq (goad_join (task[i]), 0);
	claim_eq (goad_id (), 1);
	memset (seen, 0, sizeof seen);
	for (int i = 0; i < MANY; i++) {
		claim (ids[i] >= 2 && ids[i] <= MANY + 1);
		if (ids[i] <= MANY + 1) {
			claim (!seen[ids[i]]);
			seen[ids[i]] = true;
		}
	}
}

Test (tasks, numbers_are_one_two_three, .timeout = 20)
{
	for (int procs = 1; procs <= 2; procs++)
		cr_assert_eq (run_main (spawn_many, NULL, procs, 0, 0), 0);
	claims_assert ();
}

static void bad_calls (void *arg)
{
	goad_attr_t attr = GOAD_ATTR_INIT;
	goad_task_t *task = NULL;

	(void) arg;
	claim_eq (goad_go (NULL, NULL), -EINVAL);
	claim_eq (goad_spawn (NULL, NULL, nothing, NULL), -EINVAL);
	claim_eq (goad_spawn (&task, NULL, NULL, NULL), -EINVAL);
	claim_eq (goad_join (NULL), -EINVAL);
	claim_eq (goad_join_until (NULL, 0), -EINVAL);
	claim_eq (goad_detach (NULL), -EINVAL);
	attr.size = 0;
	claim_eq (goad_spawn (&task, &attr, nothing, NULL), -EINVAL);
	attr = (goad_attr_t){ sizeof attr, 16 * 1024 - 1, NULL, 0, 0 };
	claim_eq (goad_spawn (&task, &attr, nothing, NULL), -EINVAL);
	attr = (goad_attr_t){ sizeof attr, ((size_t) 1 << 30) + 1, NULL, 0, 0 };
	claim_eq (goad_spawn (&task, &attr, nothing, NULL), -EINVAL);
	attr = (goad_attr_t){ sizeof attr, 0, NULL, -1, 0 };
	claim_eq (goad_spawn (&task, &attr, nothing, NULL), -EINVAL);
	attr = (goad_attr_t){ sizeof attr, 0, NULL, GOAD_PREEMPT_OFF + 1, 0 };
	claim_eq (goad_spawn (&task, &attr, nothing, NULL), -EINVAL);
	attr = (goad_attr_t){ sizeof attr, 0, NULL, 0, 10001 };
	claim_eq (goad_spawn (&task, &attr, nothing, NULL), -EINVAL);
	claim_eq (goad_count (), 1);
}

Test (tasks, bad_arguments, .timeout = 10)
{
	cr_assert_eq (run_main (bad_calls, NULL, 2, 0, 0), 0);
	claims_assert ();
}

static void every_attr (void *arg)
{
	goad_attr_t attr = GOAD_ATTR_INIT;
	goad_task_t *task;

	(void) arg;
	/* An older caller's attr ends before the fields that came later. */
	attr.size = offsetof (goad_attr_t, preempt);
	attr.preempt = 99;
	attr.weight = 99999;
	claim_eq (goad_spawn (&task, &attr, nothing, NULL), 0);
	claim_eq (goad_join (task), 0);
	attr = (goad_attr_t){ sizeof attr, 16 * 1024, "least", GOAD_PREEMPT_OFF, 1 };
	claim_eq (goad_spawn (&task, &attr, nothing, NULL), 0);
	claim_eq (goad_join (task), 0);
	attr = (goad_attr_t){ sizeof attr, (size_t) 1 << 30, "most", GOAD_PREEMPT_AUTO, 10000 };
	claim_eq (goad_spawn (&task, &attr, nothing, NULL), 0);
	claim_eq (goad_join (task), 0);
}

Test (tasks, attributes_at_their_limits, .timeout = 10, .disabled = TEST_SLOW)
{
	cr_assert_eq (run_main (every_attr, NULL, 2, 0, 0), 0);
	claims_assert ();
}

/* Joining. */

struct rivals {
	goad_task_t *task;
	_Atomic int flag, won, busy;
};

static void join_rival (void *arg)
{
	struct rivals *r = arg;
	int rc = goad_join (r->task);

	claim (rc == 0 || rc == -EBUSY);
	atomic_fetch_add (rc == 0 ? &r->won : &r->busy, 1);
}

static void join_from_several (void *arg)
{
	static struct rivals r;
	goad_task_t *joiner[5];

	(void) arg;
	memset (&r, 0, sizeof r);
	claim_eq (goad_spawn (&r.task, NULL, wait_flag, (void *) &r.flag), 0);
	for (int i = 0; i < 5; i++)
		claim_eq (goad_spawn (&joiner[i], NULL, join_rival, &r), 0);
	/* The handle is good as long as the winner waits: the losers come first. */
	await (&r.busy, 4);
	claim_eq (r.won, 0);
	atomic_store (&r.flag, 1);
	for (int i = 0; i < 5; i++)
		claim_eq (goad_join (joiner[i]), 0);
	claim_eq (r.won, 1);
}

Test (tasks, one_joiner_wins, .timeout = 10)
{
	for (int procs = 1; procs <= 2; procs++)
		cr_assert_eq (run_main (join_from_several, NULL, procs, 0, 0), 0);
	claims_assert ();
}

static void join_in_time (void *arg)
{
	_Atomic int flag = 0;
	goad_task_t *task;
	uint64_t start;

	(void) arg;
	claim_eq (goad_spawn (&task, NULL, wait_flag, (void *) &flag), 0);
	claim_eq (goad_join_until (task, 0), -EAGAIN);
	start = goad_now ();
	claim_eq (goad_join_until (task, goad_after (5 * GOAD_MS)), -ETIMEDOUT);
	claim (goad_now () - start >= 5 * GOAD_MS);
	claim_eq (goad_join_until (task, 1), -ETIMEDOUT);
	for (int i = 0; i < 200; i++)
		claim_eq (goad_join_until (task, goad_after (20 * GOAD_US)), -ETIMEDOUT);
	atomic_store (&flag, 1);
	claim_eq (goad_join_until (task, GOAD_FOREVER), 0);

	/* What is ready succeeds although the deadline has passed. */
	for (int i = 0; i < 2; i++) {
		goad_task_stats_t ts = { .state = 0 };

		claim_eq (goad_spawn (&task, NULL, nothing, NULL), 0);
		while (goad_task_stats (task, &ts) == 0 && ts.state != GOAD_STATE_DEAD)
			goad_yield ();
		claim_eq (goad_join_until (task, (uint64_t) i), 0);
	}
}

Test (tasks, join_until, .timeout = 10)
{
	for (int procs = 1; procs <= 2; procs++)
		cr_assert_eq (run_main (join_in_time, NULL, procs, 0, 0), 0);
	claims_assert ();
}

/* The end of the coroutine and the deadline race; whoever wins, nothing is lost. */
static void sleep_100us (void *arg)
{
	goad_sleep (100 * GOAD_US);
	atomic_store ((_Atomic int *) arg, 1);
}

static void join_race (void *arg)
{
	int timeouts = 0;

	(void) arg;
	for (int i = 0; i < 500; i++) {
		static _Atomic int ended;
		goad_task_t *task;
		int rc;

		atomic_store (&ended, 0);
		claim_eq (goad_spawn (&task, NULL, sleep_100us, (void *) &ended), 0);
		rc = goad_join_until (task, goad_after ((unsigned) (90 + i % 20) * GOAD_US));
		claim (rc == 0 || rc == -ETIMEDOUT);
		if (rc != 0) {
			timeouts++;
			claim_eq (goad_join (task), 0);
		}
		claim_eq (ended, 1);
	}
	(void) timeouts;
}

Test (tasks, join_until_races_the_end, .timeout = 30)
{
	for (int procs = 1; procs <= 2; procs++)
		cr_assert_eq (run_main (join_race, NULL, procs, 0, 0), 0);
	claims_assert ();
}

static void join_self (void *arg)
{
	goad_task_t *_Atomic *handle = arg;

	while (atomic_load (handle) == NULL)
		goad_yield ();
	claim_eq (goad_join (atomic_load (handle)), -EDEADLK);
	claim_eq (goad_join_until (atomic_load (handle), 0), -EDEADLK);
	claim_eq (goad_join_until (atomic_load (handle), goad_after (GOAD_S)), -EDEADLK);
}

static void spawn_self_joiner (void *arg)
{
	goad_task_t *_Atomic handle = NULL;
	goad_task_t *task;

	(void) arg;
	claim_eq (goad_spawn (&task, NULL, join_self, (void *) &handle), 0);
	atomic_store (&handle, task);
	claim_eq (goad_join (task), 0);
}

Test (tasks, self_join, .timeout = 10)
{
	cr_assert_eq (run_main (spawn_self_joiner, NULL, 2, 0, 0), 0);
	claims_assert ();
}

struct from_thread {
	goad_task_t *task;
	_Atomic int flag, joined;
};

static void *join_on_a_thread (void *arg)
{
	struct from_thread *f = arg;
	goad_task_t *task;

	claim_eq (goad_join_until (f->task, goad_after (2 * GOAD_MS)), -ETIMEDOUT);
	atomic_store (&f->flag, 1);
	claim_eq (goad_join (f->task), 0);
	for (int i = 0; i < 200; i++) {
		claim_eq (goad_spawn (&task, NULL, nothing, NULL), 0);
		claim_eq (goad_join (task), 0);
	}
	atomic_store (&f->joined, 1);
	return NULL;
}

static void serve_a_thread (void *arg)
{
	static struct from_thread f;
	pthread_t thread;

	(void) arg;
	memset (&f, 0, sizeof f);
	claim_eq (goad_spawn (&f.task, NULL, wait_flag, (void *) &f.flag), 0);
	claim_eq (pthread_create (&thread, NULL, join_on_a_thread, &f), 0);
	await (&f.joined, 1);
	claim_eq (pthread_join (thread, NULL), 0);
}

Test (tasks, spawn_and_join_on_a_foreign_thread, .timeout = 20)
{
	for (int procs = 1; procs <= 2; procs++)
		cr_assert_eq (run_main (serve_a_thread, NULL, procs, 0, 0), 0);
	claims_assert ();
}

/* Detaching. */

static void detach_both_ways (void *arg)
{
	goad_task_stats_t ts = { .state = 0 };
	goad_task_t *task;

	(void) arg;
	for (int i = 0; i < 100; i++) {
		static _Atomic int flag;

		atomic_store (&flag, 0);
		claim_eq (goad_spawn (&task, NULL, wait_flag, (void *) &flag), 0);
		claim_eq (goad_detach (task), 0);
		atomic_store (&flag, 1);
		while (goad_count () > 1)
			goad_yield ();
		claim_eq (goad_spawn (&task, NULL, nothing, NULL), 0);
		while (goad_task_stats (task, &ts) == 0 && ts.state != GOAD_STATE_DEAD)
			goad_yield ();
		claim_eq (goad_detach (task), 0);
	}
}

Test (tasks, detach_before_and_after_the_end, .timeout = 10)
{
	cr_assert_eq (run_main (detach_both_ways, NULL, 2, 0, 0), 0);
	claims_assert ();
}

/* Ending. */

static __attribute__ ((noinline)) void leave (_Atomic int *marks)
{
	atomic_fetch_add (marks, 1);
	goad_exit ();
}

static void exit_deep (void *arg)
{
	leave (arg);
	atomic_fetch_add ((_Atomic int *) arg, 1000);
}

static void exit_first (void *arg)
{
	goad_task_t *task;

	claim_eq (goad_spawn (&task, NULL, exit_deep, arg), 0);
	claim_eq (goad_join (task), 0);
	claim_eq (goad_go (exit_deep, arg), 0);
	exit_deep (arg);
}

Test (tasks, exit_from_anywhere, .timeout = 10)
{
	_Atomic int marks = 0;

	cr_assert_eq (run_main (exit_first, (void *) &marks, 2, 0, 0), 0);
	claims_assert ();
	cr_assert_eq (marks, 3);
}

static void exit_outside (void *arg)
{
	(void) arg;
	goad_exit ();
}

Test (tasks, exit_outside_aborts, .timeout = 20)
{
	char out[1024];
	int status = child_run (exit_outside, NULL, 10, out, sizeof out);

	cr_assert (child_signalled (status, SIGABRT), "status %#x", status);
	cr_assert (strstr (out, "goad_exit") != NULL, "said '%s'", out);
	cr_assert (strchr (out, '\n') && strchr (out, '\n')[1] == '\0', "one line, not '%s'", out);
}
