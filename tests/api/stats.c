/* SPDX-License-Identifier: MIT */
/* tests/api/stats.c - goad_stats and goad_task_stats */
#include "tests/harness.h"
#include "tests/support.h"

#include <errno.h>

Test (stats, bad_arguments)
{
	goad_task_stats_t ts;

	cr_assert_eq (goad_stats (NULL), -EINVAL);
	cr_assert_eq (goad_task_stats (NULL, NULL), -EINVAL);
	cr_assert_eq (goad_task_stats (NULL, &ts), -EPERM);
}

static void bad_inside (void *arg)
{
	(void) arg;
	claim_eq (goad_stats (NULL), -EINVAL);
	claim_eq (goad_task_stats (NULL, NULL), -EINVAL);
}

Test (stats, bad_arguments_inside, .timeout = 10)
{
	cr_assert_eq (run_main (bad_inside, NULL, 1, 0, 0), 0);
	claims_assert ();
}

static void wait_flag (void *arg)
{
	while (atomic_load ((_Atomic int *) arg) == 0)
		goad_sleep (GOAD_MS);
}

static void nothing (void *arg)
{
	(void) arg;
}

/* One P, so that nothing else runs while this looks. */
static void states (void *arg)
{
	static _Atomic int flag;
	goad_attr_t attr = GOAD_ATTR_INIT;
	goad_task_stats_t ts;
	goad_task_t *task;
	uint64_t id;

	(void) arg;
	atomic_store (&flag, 0);
	attr.name = "watched";
	claim_eq (goad_task_stats (NULL, &ts), 0);
	claim_eq (ts.id, 1);
	claim_eq (ts.state, GOAD_STATE_RUNNING);
	claim_eq (goad_spawn (&task, &attr, wait_flag, (void *) &flag), 0);
	claim_eq (goad_task_stats (task, &ts), 0);
	claim_eq (ts.state, GOAD_STATE_RUNNABLE);
	claim_eq (ts.slices, 0);
	claim (strcmp (ts.name, "watched") == 0);
	claim_eq (stats_now ().runnable, 1);
	id = ts.id;
	goad_yield ();
	claim_eq (goad_task_stats (task, &ts), 0);
	claim_eq (ts.state, GOAD_STATE_WAITING);
	claim_eq (ts.slices, 1);
	atomic_store (&flag, 1);
	goad_sleep (5 * GOAD_MS);
	/* Its end does not take the counters away; the handle is still good. */
	while (goad_task_stats (task, &ts) == 0 && ts.state != GOAD_STATE_DEAD)
		goad_yield ();
	claim_eq (ts.id, id);
	claim (strcmp (ts.name, "watched") == 0);
	claim (ts.slices >= 2);
	claim_eq (goad_join (task), 0);
}

Test (stats, states_of_a_coroutine, .timeout = 10)
{
	cr_assert_eq (run_main (states, NULL, 1, 0, GOAD_PREEMPT_OFF), 0);
	claims_assert ();
}

static void spin_fifty (void *arg)
{
	(void) arg;
	spin_for (50 * GOAD_MS);
}

static void cpu_time (void *arg)
{
	goad_task_stats_t ts, own;
	goad_task_t *task;
	uint64_t start = goad_now (), took;

	(void) arg;
	claim_eq (goad_spawn (&task, NULL, spin_fifty, NULL), 0);
	while (goad_task_stats (task, &ts) == 0 && ts.state != GOAD_STATE_DEAD)
		goad_sleep (GOAD_MS);
	took = goad_now () - start;
	/* While it spins it is on the P or waits for it. */
	claim (ts.cpu_ns > 0);
	claim (ts.cpu_ns + ts.wait_ns >= 50 * GOAD_MS);
	claim (ts.cpu_ns + ts.wait_ns <= took + GOAD_MS);
	claim (ts.wait_max_ns <= ts.wait_ns);
	claim_eq (goad_join (task), 0);
	/* This one slept, and that is not time on the P: they share one. */
	claim_eq (goad_task_stats (NULL, &own), 0);
	claim (own.cpu_ns + ts.cpu_ns <= goad_now () - start + GOAD_MS);
}

Test (stats, cpu_time_is_time_on_a_processor, .timeout = 10)
{
	cr_assert_eq (run_main (cpu_time, NULL, 1, 0, 0), 0);
	claims_assert ();
}

static uint64_t own_cpu (void)
{
	goad_task_stats_t ts = { .cpu_ns = 0 };

	claim_eq (goad_task_stats (NULL, &ts), 0);
	return ts.cpu_ns;
}

/* The figure includes the slice that is on. */
static void cpu_grows (void *arg)
{
	uint64_t before = own_cpu (), after;

	(void) arg;
	spin_for (3 * GOAD_MS);
	after = own_cpu ();
	claim (after - before >= 3 * GOAD_MS - 10 * GOAD_US);
	claim (after >= before);
}

Test (stats, cpu_time_of_the_running_one, .timeout = 10)
{
	cr_assert_eq (run_main (cpu_grows, NULL, 1, GOAD_S, 0), 0);
	claims_assert ();
}

/* Switches, spawns and preemptions add up, the first coroutine's own among them. */

enum { HOGS = 4 };

struct sums {
	uint64_t yielded, handed_off, slices;
};

static void sum_up (void *arg)
{
	static struct hog hogs[HOGS];
	struct sums *sums = arg;
	_Atomic int stop = 0;
	uint64_t limit = goad_after (10 * GOAD_S);
	goad_task_stats_t own = { .state = 0 };

	for (int i = 0; i < HOGS; i++)
		claim_eq (hog_spawn (&hogs[i], NULL, &stop), 0);
	while (stats_now ().preempt_yielded + stats_now ().preempt_handed_off <= 50 &&
	       goad_now () < limit)
		goad_sleep (20 * GOAD_MS);
	claim_eq (stats_now ().procs, 2);
	claim_eq (stats_now ().coroutines, HOGS + 1);
	claim (stats_now ().threads >= 2);
	claim (stats_now ().runnable >= HOGS - 2);
	claim (stats_now ().stack_bytes > 0);
	atomic_store (&stop, 1);
	for (int i = 0; i < HOGS; i++) {
		goad_task_stats_t ts = { .state = 0 };

		while (goad_task_stats (hogs[i].task, &ts) == 0 && ts.state != GOAD_STATE_DEAD)
			goad_sleep (GOAD_MS);
		sums->yielded += ts.preempt_yielded;
		sums->handed_off += ts.preempt_handed_off;
		sums->slices += ts.slices;
		claim_eq (goad_join (hogs[i].task), 0);
	}
	/* It is alone now, and not preempted any more. */
	claim_eq (goad_task_stats (NULL, &own), 0);
	sums->yielded += own.preempt_yielded;
	sums->handed_off += own.preempt_handed_off;
	sums->slices += own.slices;
}

Test (stats, the_sums_agree, .timeout = 20)
{
	struct sums sums = { 0, 0, 0 };
	goad_stats_t s;

	program_scanned ();
	cr_assert_eq (run_main (sum_up, &sums, 2, GOAD_MS, 0), 0);
	claims_assert ();
	s = stats_now ();
	cr_expect_gt (sums.yielded + sums.handed_off, 50);
	cr_expect_eq (sums.yielded, s.preempt_yielded);
	cr_expect_eq (sums.handed_off, s.preempt_handed_off);
	cr_expect_leq (s.preempt_yielded + s.preempt_handed_off, s.preempt_requested);
	cr_expect_geq (s.signals_sent, s.preempt_yielded + s.preempt_handed_off);
	cr_expect_geq (s.switches, sums.slices);
	cr_expect_eq (s.spawned, HOGS + 1);
	cr_expect_eq (s.slices + s.preempt_fresh, s.preempt_yielded + s.preempt_handed_off);
	cr_expect_geq (s.slice_ns, s.slices * GOAD_MS / 2);
	cr_expect_leq (s.overshoot_p50_ns, s.overshoot_p99_ns);
	cr_expect_gt (s.runnable_wait_max_ns, 0);
	cr_expect_gt (s.sysmon_ticks, 0);
	cr_expect_gt (s.sysmon_cpu_ns, 0);
	cr_expect_geq (s.threads_max, 2);
	cr_expect_eq (s.coroutines, 0);
	cr_expect_eq (s.runnable, 0);
}

static void spawn_seven (void *arg)
{
	goad_task_t *task;

	(void) arg;
	for (int i = 0; i < 7; i++)
		if (goad_spawn (&task, NULL, nothing, NULL) == 0)
			goad_join (task);
}

Test (stats, counted_from_the_start_of_the_run, .timeout = 10)
{
	for (int i = 0; i < 3; i++) {
		cr_assert_eq (run_main (spawn_seven, NULL, 2, 0, 0), 0);
		cr_assert_eq (stats_now ().spawned, 8);
		/* On a slow machine one of them may have been preempted. */
		cr_assert (TEST_SLOW || stats_now ().preempt_yielded == 0);
	}
	claims_assert ();
}

/* How deep a stack was used. */
static __attribute__ ((noinline)) int touch (size_t bytes)
{
	volatile char frame[1024];
	int deeper;

	frame[0] = (char) bytes;
	deeper = bytes <= sizeof frame ? 0 : touch (bytes - sizeof frame);
	__asm__ volatile("" ::"r"(frame) : "memory"); /* or clang makes a loop of it */
	return deeper + frame[0];
}

static void use_100k (void *arg)
{
	goad_task_stats_t ts;

	(void) arg;
	(void) touch (100 * 1024);
	claim_eq (goad_task_stats (NULL, &ts), 0);
	claim (ts.stack_used_max >= 100 * 1024);
	claim (ts.stack_used_max <= 256 * 1024);
}

static void use_little (void *arg)
{
	goad_task_stats_t ts;

	(void) arg;
	claim_eq (goad_task_stats (NULL, &ts), 0);
	claim (ts.stack_used_max > 0);
	claim (ts.stack_used_max <= 32 * 1024);
}

static void depths (void *arg)
{
	goad_task_t *task[2];

	(void) arg;
	claim_eq (goad_spawn (&task[0], NULL, use_little, NULL), 0);
	claim_eq (goad_spawn (&task[1], NULL, use_100k, NULL), 0);
	claim_eq (goad_join (task[0]), 0);
	claim_eq (goad_join (task[1]), 0);
}

Test (stats, stack_used, .timeout = 10, .disabled = TEST_SLOW)
{
	cr_assert_eq (run_main (depths, NULL, 1, 0, 0), 0);
	claims_assert ();
}

/* Spawned in a row faster than the clock is worth reading, they run for much longer: each is
 * charged what it ran, and not the last one all of it. */

enum { BURST = 300, BURST_RUN = 20 * GOAD_US };

static void runs_longer (void *arg)
{
	(void) arg;
	spin_for (BURST_RUN);
}

static void burst (void *arg)
{
	static goad_task_t *task[BURST];
	goad_task_stats_t ts;

	(void) arg;
	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < BURST; i++)
			claim_eq (goad_spawn (&task[i], NULL, runs_longer, NULL), 0);
		for (int i = 0; i < BURST; i++)
			while (goad_task_stats (task[i], &ts) == 0 && ts.state != GOAD_STATE_DEAD)
				goad_yield ();
		for (int i = 0; i < BURST; i++) {
			claim_eq (goad_task_stats (task[i], &ts), 0);
			claim (ts.cpu_ns >= BURST_RUN / 2);
			claim_eq (goad_join (task[i]), 0);
		}
	}
}

Test (stats, a_burst_of_spawns_is_no_measure_of_runs, .timeout = 20)
{
	cr_assert_eq (run_main (burst, NULL, 1, 0, 0), 0);
	claims_assert ();
}
