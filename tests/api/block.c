/* SPDX-License-Identifier: MIT */
/* tests/api/block.c - goad_block_begin, goad_block_end, goad_block */
#include "tests/harness.h"
#include "tests/support.h"

#include <errno.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { PS = 2, SECTIONS = 20000 };

static int fds[PS][2];
static _Atomic int inside, stop, done;

static void pipes_open (void)
{
	for (int i = 0; i < PS; i++)
		claim_eq (pipe (fds[i]), 0);
}

static void pipes_close (void)
{
	for (int i = 0; i < PS; i++) {
		close (fds[i][0]);
		close (fds[i][1]);
	}
}

/* Reads one byte, in a section of its own. */
static void read_announced (void *arg)
{
	const int *fd = arg;
	char c = 0;

	goad_block_begin ();
	atomic_fetch_add (&inside, 1);
	claim_eq (read (fd[0], &c, 1), 1);
	goad_block_end ();
	claim_eq (c, 'x');
	atomic_fetch_add (&done, 1);
}

static void read_it (void *arg)
{
	const int *fd = arg;
	char c = 0;

	atomic_fetch_add (&inside, 1);
	claim_eq (read (fd[0], &c, 1), 1);
	claim_eq (c, 'x');
}

static void read_in_block (void *arg)
{
	claim_eq (goad_block (read_it, arg), 0);
	atomic_fetch_add (&done, 1);
}

static goad_fn announced = read_announced, in_block = read_in_block;

static void let_go (int i)
{
	claim_eq (write (fds[i][1], "x", 1), 1);
}

/* How long until a coroutine spawned after PS others have blocked runs, the host's own
 * delays taken off. */
static uint64_t delay_beside (goad_fn reader)
{
	goad_task_t *t[PS];
	uint64_t start, host, took;

	atomic_store (&inside, 0);
	for (int i = 0; i < PS; i++)
		claim_eq (goad_spawn (&t[i], NULL, reader, fds[i]), 0);
	host = host_delay_ns ();
	start = goad_now ();
	while (atomic_load (&inside) < PS)
		goad_yield ();
	for (int i = 0; i < 1000; i++)
		goad_yield ();
	took = goad_now () - start;
	host = host_delay_ns () - host;
	for (int i = 0; i < PS; i++) {
		let_go (i);
		claim_eq (goad_join (t[i]), 0);
	}
	return took > host ? took - host : 0;
}

static void all_ps_blocked (void *arg)
{
	goad_stats_t a, b;

	pipes_open ();
	a = stats_now ();
	claim (delay_beside (*(goad_fn *) arg) < 50 * GOAD_MS);
	b = stats_now ();
	claim (b.blocked_announced >= a.blocked_announced + PS - 1);
	pipes_close ();
}

Test (block, as_many_as_ps_hold_up_nobody, .timeout = 20)
{
	cr_assert_eq (run_main (all_ps_blocked, &announced, PS, 0, 0), 0);
	claims_assert ();
	cr_assert_eq (run_main (all_ps_blocked, &announced, 1, 0, 0), 0);
	claims_assert ();
}

Test (block, goad_block_gives_the_p_away_at_once, .timeout = 20)
{
	cr_assert_eq (run_main (all_ps_blocked, &in_block, PS, 0, 0), 0);
	claims_assert ();
	/* With a quantum of a second nobody but goad_block itself can have done it. */
	cr_assert_eq (run_main (all_ps_blocked, &in_block, 1, GOAD_S, 0), 0);
	claims_assert ();
}

/* Nobody else is there: the P is kept, and the thread. */
static void short_ones (void *arg)
{
	goad_stats_t a, b;
	long tid = syscall (SYS_gettid);
	(void) arg;

	a = stats_now ();
	for (int i = 0; i < SECTIONS; i++) {
		goad_block_begin ();
		goad_block_end ();
		claim_eq (syscall (SYS_gettid), tid);
	}
	b = stats_now ();
	claim_eq (b.blocked_announced, a.blocked_announced);
	claim_eq (b.switches, a.switches);
}

Test (block, the_fast_path_keeps_the_p)
{
	cr_assert_eq (run_main (short_ones, NULL, PS, 0, 0), 0);
	claims_assert ();
}

/* What is spent in the section is not time on a P. */
static void charged (void *arg)
{
	goad_task_stats_t a, b;
	(void) arg;

	claim_eq (goad_task_stats (NULL, &a), 0);
	goad_block_begin ();
	usleep (30000);
	goad_block_end ();
	claim_eq (goad_task_stats (NULL, &b), 0);
	claim (b.cpu_ns - a.cpu_ns < 20 * GOAD_MS);
	spin_for (5 * GOAD_MS);
	claim_eq (goad_task_stats (NULL, &b), 0);
	claim (b.cpu_ns - a.cpu_ns >= 5 * GOAD_MS);
}

Test (block, time_in_the_kernel_is_not_charged)
{
	cr_assert_eq (run_main (charged, NULL, PS, 0, 0), 0);
	claims_assert ();
}

static void count_one (void *arg)
{
	atomic_fetch_add ((_Atomic int *) arg, 1);
}

/* Calls into goad inside a section, and sections inside sections. */
static void calls_inside (void *arg)
{
	goad_task_t *t;
	(void) arg;

	atomic_store (&done, 0);
	for (int i = 0; i < 100; i++) {
		goad_block_begin ();
		claim_eq (goad_spawn (&t, NULL, count_one, (void *) &done), 0);
		claim_eq (goad_join (t), 0);
		goad_block_end ();
		goad_block_begin ();
		goad_yield ();
		goad_block_begin ();
		claim_eq (goad_go (count_one, (void *) &done), 0);
		goad_block_end ();
		goad_sleep (10 * GOAD_US);
		goad_block_begin ();
		claim_eq (goad_block (count_one, (void *) &done), 0);
		goad_preempt_disable ();
		goad_preempt_enable ();
		goad_block_end ();
		goad_block_end ();
		goad_block_end (); /* one too many does nothing */
		goad_yield ();
	}
	while (goad_count () > 1)
		goad_yield ();
	claim_eq (atomic_load (&done), 300);
	goad_block_begin ();
	goad_exit ();
}

Test (block, calls_into_goad_inside_a_section)
{
	for (int ps = 1; ps <= 4; ps *= 2) {
		cr_assert_eq (run_main (calls_inside, NULL, ps, 0, 0), 0);
		claims_assert ();
	}
}

static void ends_inside (void *arg)
{
	(void) arg;
	goad_block_begin ();
}

static void its_state (void *arg)
{
	goad_task_stats_t s = { 0 };
	goad_task_t *t;
	uint64_t limit = goad_after (5 * GOAD_S);
	(void) arg;

	pipes_open ();
	atomic_store (&inside, 0);
	claim_eq (goad_spawn (&t, NULL, read_in_block, fds[0]), 0);
	while (s.state != GOAD_STATE_BLOCKED && goad_now () < limit) {
		claim_eq (goad_task_stats (t, &s), 0);
		goad_yield ();
	}
	claim_eq (s.state, GOAD_STATE_BLOCKED);
	let_go (0);
	claim_eq (goad_join (t), 0);
	claim_eq (goad_spawn (&t, NULL, ends_inside, NULL), 0);
	claim_eq (goad_join (t), 0);
	pipes_close ();
}

Test (block, is_seen_as_blocked_and_may_end_inside)
{
	cr_assert_eq (run_main (its_state, NULL, PS, 0, 0), 0);
	claims_assert ();
}

Test (block, outside_a_coroutine)
{
	_Atomic int n = 0;

	goad_block_begin ();
	goad_block_end ();
	goad_block_end ();
	cr_assert_eq (goad_block (count_one, (void *) &n), 0);
	cr_assert_eq (n, 1);
	cr_assert_eq (goad_block (NULL, NULL), -EINVAL);
}

/* Its P was taken and all are busy when it comes back: it waits its turn. */
static void back_among_hogs (void *arg)
{
	struct hog hogs[3 * PS];
	goad_task_t *t[PS];
	(void) arg;

	pipes_open ();
	atomic_store (&inside, 0);
	atomic_store (&done, 0);
	for (int i = 0; i < PS; i++)
		claim_eq (goad_spawn (&t[i], NULL, i % 2 ? read_announced : read_in_block, fds[i]), 0);
	hogs_begin (hogs, 3 * PS, &stop);
	await (&inside, PS);
	goad_sleep (20 * GOAD_MS);
	for (int i = 0; i < PS; i++)
		let_go (i);
	for (int i = 0; i < PS; i++)
		claim_eq (goad_join (t[i]), 0);
	claim_eq (atomic_load (&done), PS);
	hogs_end (hogs, 3 * PS, &stop);
	pipes_close ();
}

Test (block, comes_back_while_all_ps_are_busy, .timeout = 20)
{
	for (int mode = GOAD_PREEMPT_AUTO; mode <= GOAD_PREEMPT_YIELD; mode++) {
		program_scanned ();
		cr_assert_eq (run_main (back_among_hogs, NULL, PS, 2 * GOAD_MS, mode), 0);
		claims_assert ();
	}
}

static void many_sections (void *arg)
{
	uint64_t *sum = arg;

	for (int i = 0; i < SECTIONS; i++) {
		goad_block_begin ();
		if (i % 64 == 0)
			usleep (20);
		goad_block_end ();
		*sum += (uint64_t) i;
		if (i % 100 == 0)
			goad_yield ();
	}
}

static void beside_hogs (void *arg)
{
	struct hog hogs[2];
	goad_task_t *t[4];
	uint64_t sum[4] = { 0 };
	(void) arg;

	hogs_begin (hogs, 2, &stop);
	for (int i = 0; i < 4; i++)
		claim_eq (goad_spawn (&t[i], NULL, many_sections, &sum[i]), 0);
	for (int i = 0; i < 4; i++) {
		claim_eq (goad_join (t[i]), 0);
		claim_eq (sum[i], (uint64_t) SECTIONS * (SECTIONS - 1) / 2);
	}
	hogs_end (hogs, 2, &stop);
}

Test (block, tens_of_thousands_beside_hogs, .timeout = 120)
{
	program_scanned ();
	for (int ps = 1; ps <= PS; ps++) {
		cr_assert_eq (run_main (beside_hogs, NULL, ps, 100 * GOAD_US, 0), 0);
		claims_assert ();
	}
}

/* With as many threads as may be, nothing can be retaken; everything ends all the same. */
static void few_threads (void *arg)
{
	goad_task_t *t[PS];
	(void) arg;

	pipes_open ();
	for (int i = 0; i < PS; i++)
		claim_eq (goad_spawn (&t[i], NULL, i % 2 ? read_announced : read_in_block, fds[i]), 0);
	goad_sleep (20 * GOAD_MS);
	for (int i = 0; i < PS; i++)
		let_go (i);
	for (int i = 0; i < PS; i++)
		claim_eq (goad_join (t[i]), 0);
	pipes_close ();
}

Test (block, at_the_limit_of_threads, .timeout = 20)
{
	goad_config_t cfg = config_of (PS, GOAD_MS, 0);

	cfg.max_threads = PS + 1;
	cr_assert_eq (goad_main (few_threads, NULL, &cfg), 0);
	claims_assert ();
}

/* Everybody is in the kernel: no deadlock, and no CPU used. */
static void all_asleep (void *arg)
{
	uint64_t cpu = process_cpu_ns ();
	(void) arg;

	goad_block_begin ();
	usleep (300000);
	goad_block_end ();
	claim (process_cpu_ns () - cpu < 30 * GOAD_MS);
}

static void sleep_long (void *arg)
{
	(void) arg;
	usleep (200000);
}

static void all_asleep_in_block (void *arg)
{
	uint64_t cpu = process_cpu_ns ();
	(void) arg;

	claim_eq (goad_block (sleep_long, NULL), 0);
	claim (process_cpu_ns () - cpu < 30 * GOAD_MS);
}

Test (block, is_no_deadlock_and_costs_nothing)
{
	cr_assert_eq (run_main (all_asleep, NULL, PS, 0, 0), 0);
	cr_assert_eq (run_main (all_asleep_in_block, NULL, PS, 0, 0), 0);
	claims_assert ();
}
