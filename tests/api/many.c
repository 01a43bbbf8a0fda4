/* SPDX-License-Identifier: MIT */
/* tests/api/many.c - a hundred thousand parked coroutines with the default stack */
#include "tests/harness.h"
#include "tests/support.h"

#include <stdlib.h>
#include <sys/mman.h>

enum { MANY = TEST_SLOW ? 2000 : 100000 };

static goad_task_t **tasks;
static _Atomic int started, finished;

static void park_until (void *arg)
{
	atomic_fetch_add (&started, 1);
	claim_eq (goad_sleep_until (*(uint64_t *) arg), 0);
	atomic_fetch_add (&finished, 1);
}

static void allocate (void)
{
	tasks = mmap (NULL, MANY * sizeof *tasks, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
	              -1, 0);
	cr_assert (tasks != MAP_FAILED);
	memset (tasks, 0, MANY * sizeof *tasks);
	atomic_store (&started, 0);
	atomic_store (&finished, 0);
}

static void all_asleep (void *arg)
{
	uint64_t deadline = goad_after (3 * GOAD_S);
	size_t *each = arg, before = rss_bytes (), count, rss;

	for (int i = 0; i < MANY; i++)
		claim_eq (goad_spawn (&tasks[i], NULL, park_until, &deadline), 0);
	await (&started, MANY);
	count = goad_count ();
	rss = rss_bytes ();
	if (goad_now () < deadline) {
		claim_eq (count, MANY + 1);
		*each = (rss - before) / MANY;
	}
	for (int i = 0; i < MANY; i++)
		claim_eq (goad_join (tasks[i]), 0);
	claim_eq (finished, MANY);
	claim_eq (goad_count (), 1);
}

Test (many, asleep, .timeout = 60)
{
	size_t each = 0;

	allocate ();
	cr_assert_eq (run_main (all_asleep, &each, 2, 0, 0), 0);
	claims_assert ();
	if (!TEST_SLOW && each == 0)
		cr_skip ("inconclusive: the first woke before the last slept");
	/* A page each, descriptor and all, and the rest small. */
	cr_assert (TEST_SLOW || each <= 6144, "%zu bytes each", each);
}

/* A chain in which each joins the one before it: they all wait, and end one by one. */
static void join_previous (void *arg)
{
	goad_task_t **mine = arg;

	atomic_fetch_add (&started, 1);
	if (mine == tasks)
		await (&started, MANY);
	else
		claim_eq (goad_join (mine[-1]), 0);
	atomic_fetch_add (&finished, 1);
}

static void chain (void *arg)
{
	(void) arg;
	for (int i = 0; i < MANY; i++)
		claim_eq (goad_spawn (&tasks[i], NULL, join_previous, &tasks[i]), 0);
	claim_eq (goad_join (tasks[MANY - 1]), 0);
	claim_eq (finished, MANY);
}

Test (many, joining_in_a_chain, .timeout = 60)
{
	allocate ();
	for (int procs = 1; procs <= 2; procs++) {
		atomic_store (&started, 0);
		atomic_store (&finished, 0);
		cr_assert_eq (run_main (chain, NULL, procs, 0, 0), 0);
	}
	claims_assert ();
}

static void count_up (void *arg)
{
	(void) arg;
	atomic_fetch_add (&finished, 1);
}

static void spawn_all (void *arg)
{
	(void) arg;
	for (int i = 0; i < MANY; i++)
		claim_eq (goad_go (count_up, NULL), 0);
}

/* Spawned faster than they run: the queues overflow, and nothing is lost. */
Test (many, runnable_at_once, .timeout = 60)
{
	for (int procs = 1; procs <= 4; procs++) {
		atomic_store (&finished, 0);
		cr_assert_eq (run_main (spawn_all, NULL, procs, 0, 0), 0);
		cr_assert_eq (finished, MANY);
	}
	claims_assert ();
}

static void start (void *arg)
{
	(void) arg;
	atomic_fetch_add (&started, 1);
}

/* Who waits by yielding for many to start lets them go first, also when it was preempted
 * while it made them: it is not the next again and again.  The second time, when there are
 * stacks for them. */
static void yields_while_they_start (void *arg)
{
	uint64_t *switches = arg;
	goad_stats_t before, after;

	for (int round = 0; round < 2; round++) {
		atomic_store (&started, 0);
		for (int i = 0; i < MANY; i++)
			claim_eq (goad_go (start, NULL), 0);
		claim_eq (goad_stats (&before), 0);
		while (atomic_load (&started) < MANY)
			goad_yield ();
		claim_eq (goad_stats (&after), 0);
	}
	*switches = after.switches - before.switches;
}

Test (many, yields_while_they_start, .timeout = 60)
{
	uint64_t switches = 0;

	cr_assert_eq (run_main (yields_while_they_start, &switches, 1, 0, 0), 0);
	claims_assert ();
	cr_assert_lt (switches, 3 * (uint64_t) MANY);
}
