/* SPDX-License-Identifier: MIT */
/* tests/preempt/loop.c - one P and an endless loop: a second coroutine runs within three
 * quanta, a hundred times out of a hundred */
#include "tests/harness.h"
#include "tests/support.h"

enum { TIMES = 100 };

static _Atomic uint64_t ran_at;

struct outcome {
	uint64_t quantum;
	int late;    /* beyond three quanta */
	int excused; /* ... while the host kept the process from running */
	uint64_t worst;
};

/* Notes one repetition; host is what the kernel withheld meanwhile. */
static void judge (struct outcome *o, uint64_t took, uint64_t host)
{
	o->worst = took > o->worst ? took : o->worst;
	if (took <= 3 * o->quantum)
		return;
	if (took - (host < took ? host : took) <= 3 * o->quantum && host > o->quantum / 2)
		o->excused++;
	else
		o->late++;
}

static void expect_prompt (goad_fn fn, uint64_t quantum, int mode)
{
	struct outcome o = { .quantum = quantum };

	program_scanned ();
	cr_assert_eq (run_main (fn, &o, 1, quantum, mode), 0);
	claims_assert ();
	cr_assert_eq (o.late, 0, "%d of %d late, worst %.2f ms, quantum %.2f", o.late, TIMES,
	              (double) o.worst / 1e6, (double) quantum / 1e6);
	if (o.excused > 0)
		cr_skip ("inconclusive: the host took the CPU in %d of %d", o.excused, TIMES);
}

/* The loop itself makes the other runnable, and only waits for it to have run. */

static void run_once (void *arg)
{
	(void) arg;
	atomic_store (&ran_at, goad_now ());
}

static void loop_on_flag (void *arg)
{
	struct outcome *o = arg;

	for (int i = 0; i < TIMES; i++) {
		uint64_t host = host_delay_ns (), start, at;

		atomic_store (&ran_at, 0);
		start = goad_now ();
		claim_eq (goad_go (run_once, NULL), 0);
		while ((at = atomic_load_explicit (&ran_at, memory_order_relaxed)) == 0)
			linger ();
		judge (o, at - start, host_delay_ns () - host);
	}
}

Test (loop, second_coroutine_at_10ms, .timeout = 60)
{
	expect_prompt (loop_on_flag, 10 * GOAD_MS, GOAD_PREEMPT_AUTO);
}

Test (loop, second_coroutine_at_1ms, .timeout = 60)
{
	expect_prompt (loop_on_flag, GOAD_MS, GOAD_PREEMPT_AUTO);
}

Test (loop, second_coroutine_by_hand_off, .timeout = 60)
{
	expect_prompt (loop_on_flag, 10 * GOAD_MS, GOAD_PREEMPT_HANDOFF);
}

/* The other wakes from a sleep, beside a loop that knows of nobody. */

static void wake_beside_hog (void *arg)
{
	static struct hog hog;
	struct outcome *o = arg;
	_Atomic int stop = 0;

	claim_eq (hog_spawn (&hog, NULL, &stop), 0);
	for (int i = 0; i < TIMES; i++) {
		uint64_t host = host_delay_ns (), deadline = goad_after (GOAD_MS), now;

		goad_sleep_until (deadline);
		now = goad_now ();
		judge (o, now - deadline, host_delay_ns () - host);
	}
	claim (atomic_load (&hog.loops) > 0);
	atomic_store (&stop, 1);
	claim_eq (goad_join (hog.task), 0);
}

Test (loop, sleeper_at_10ms, .timeout = 60)
{
	expect_prompt (wake_beside_hog, 10 * GOAD_MS, GOAD_PREEMPT_AUTO);
}

Test (loop, sleeper_at_1ms, .timeout = 60)
{
	expect_prompt (wake_beside_hog, GOAD_MS, GOAD_PREEMPT_AUTO);
}

/* The other is spawned by a thread outside while the loop has the only P. */
Test (loop, spawned_from_outside, .timeout = 60)
{
	static struct hog hog;
	goad_config_t cfg = config_of (1, 2 * GOAD_MS, 0);
	struct outcome o = { .quantum = 2 * GOAD_MS };
	_Atomic int stop = 0;

	program_scanned ();
	cr_assert_eq (goad_start (&cfg), 0);
	cr_assert_eq (hog_spawn (&hog, NULL, &stop), 0);
	while (atomic_load (&hog.loops) == 0)
		goad_sleep (100 * GOAD_US);
	for (int i = 0; i < TIMES; i++) {
		uint64_t host = host_delay_ns (), start;

		atomic_store (&ran_at, 0);
		start = goad_now ();
		cr_assert_eq (goad_go (run_once, NULL), 0);
		while (atomic_load (&ran_at) == 0)
			goad_sleep (50 * GOAD_US);
		judge (&o, atomic_load (&ran_at) - start, host_delay_ns () - host);
	}
	atomic_store (&stop, 1);
	cr_assert_eq (goad_join (hog.task), 0);
	cr_assert_eq (goad_stop (), 0);
	claims_assert ();
	cr_assert_eq (o.late, 0, "%d late, worst %.2f ms", o.late, (double) o.worst / 1e6);
	if (o.excused > 0)
		cr_skip ("inconclusive: the host took the CPU in %d of %d", o.excused, TIMES);
}
