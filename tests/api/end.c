/* SPDX-License-Identifier: MIT */
/* tests/api/end.c - how a run ends otherwise: deadlock, limits of the system, handlers and
 * masks that were there before */
#include "tests/harness.h"
#include "tests/support.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

/* Two that join each other, in a child of one thread: Criterion's worker has more, and a
 * process with a thread that goad did not make is never taken for deadlocked.  (That is
 * why ThreadSanitizer, which has a thread of its own, never sees one.) */
static goad_task_t *_Atomic left, *_Atomic right;

static void join_right (void *arg)
{
	(void) arg;
	while (atomic_load (&right) == NULL)
		goad_yield ();
	goad_join (atomic_load (&right));
}

static void join_left (void *arg)
{
	(void) arg;
	goad_join (atomic_load (&left));
}

static void tangle (void *arg)
{
	goad_attr_t attr = GOAD_ATTR_INIT;
	goad_task_t *task;

	(void) arg;
	attr.name = "left-one";
	if (goad_spawn (&task, &attr, join_right, NULL) != 0)
		_exit (20);
	atomic_store (&left, task);
	attr.name = "right-one";
	if (goad_spawn (&task, &attr, join_left, NULL) != 0)
		_exit (21);
	atomic_store (&right, task);
}

static void mark (void *arg)
{
	atomic_store ((_Atomic int *) arg, 1);
}

static void deadlock (void *arg)
{
	_Atomic int ran = 0;

	(void) arg;
	for (int i = 0; i < 3; i++) {
		atomic_store (&left, NULL);
		atomic_store (&right, NULL);
		if (run_main (tangle, NULL, 2, 0, 0) != -EDEADLK)
			_exit (22);
	}
	if (run_main (mark, (void *) &ran, 2, 0, 0) != 0 || !ran)
		_exit (23);
	_exit (0);
}

Test (end, deadlock_is_told, .timeout = 30, .disabled = TEST_TSAN)
{
	char out[16384];
	int status = child_run (deadlock, NULL, 20, out, sizeof out);

	cr_assert (child_exited (status, 0), "status %#x: %s", status, out);
	cr_assert (strstr (out, "all coroutines are asleep - deadlock!") != NULL, "%s", out);
	cr_assert (strstr (out, "left-one") != NULL, "%s", out);
	cr_assert (strstr (out, "right-one") != NULL, "%s", out);
}

/* The dump tells where each waits; equal stacks come once. */

enum { RING = 300 };

static goad_task_t *ring[RING];
static _Atomic int ring_closed;

static void join_the_next (void *arg)
{
	await (&ring_closed, 1);
	goad_join (ring[((intptr_t) arg + 1) % RING]);
	atomic_store (&ring_closed, 2); /* no tail call: the frame stays */
}

static void close_the_ring (void *arg)
{
	goad_attr_t attr = GOAD_ATTR_INIT;

	(void) arg;
	for (intptr_t i = 0; i < RING; i++) {
		attr.name = i == 0 ? "first-of-all" : "one-of-many";
		if (goad_spawn (&ring[i], &attr, join_the_next, (void *) i) != 0)
			_exit (34);
	}
	atomic_store (&ring_closed, 1);
}

static void deadlocked_ring (void *arg)
{
	(void) arg;
	_exit (run_main (close_the_ring, NULL, 2, 0, 0) == -EDEADLK ? 0 : 35);
}

static int count_in (const char *text, const char *what)
{
	int n = 0;

	for (const char *at = text; (at = strstr (at, what)) != NULL; at++)
		n++;
	return n;
}

Test (end, dump_tells_where_they_wait, .timeout = 30)
{
	static char out[65536];
	int status = child_run (deadlocked_ring, NULL, 20, out, sizeof out);

	cr_assert (child_exited (status, 0), "status %#x: %s", status, out);
	cr_assert (strstr (out, "'first-of-all' [waiting in goad_join") != NULL, "%s", out);
	cr_assert_geq (count_in (out, "one-of-many"), 50, "%s", out);
	cr_assert (strstr (out, "more in the same place") != NULL, "%s", out);
	cr_assert (strstr (out, "join_the_next+0x") != NULL, "no symbol: %s", out);
	/* It may wait in two ways: taken over by g0, or by the next coroutine. */
	cr_assert_leq (count_in (out, "join_the_next+0x"), 4, "%s", out);
}

static void *say_still_there (void *arg)
{
	(void) arg;
	usleep (400000);
	_exit (7);
}

static void deadlock_beside_a_thread (void *arg)
{
	pthread_t thread;

	(void) arg;
	if (pthread_create (&thread, NULL, say_still_there, NULL) != 0)
		_exit (24);
	_exit (run_main (tangle, NULL, 2, 0, 0) == -EDEADLK ? 25 : 26);
}

Test (end, foreign_thread_means_no_deadlock, .timeout = 30)
{
	char out[4096];
	int status = child_run (deadlock_beside_a_thread, NULL, 20, out, sizeof out);

	cr_assert (child_exited (status, 7), "status %#x: %s", status, out);
}

/* ... until that thread has ended without waking anybody. */
static void *end_soon (void *arg)
{
	(void) arg;
	usleep (50000);
	return NULL;
}

static void deadlock_behind_a_thread (void *arg)
{
	pthread_t thread;

	(void) arg;
	if (pthread_create (&thread, NULL, end_soon, NULL) != 0)
		_exit (28);
	_exit (run_main (tangle, NULL, 2, 0, 0) == -EDEADLK ? 0 : 29);
}

Test (end, deadlock_is_seen_when_the_thread_is_gone, .timeout = 30)
{
	char out[8192];
	int status = child_run (deadlock_behind_a_thread, NULL, 20, out, sizeof out);

	cr_assert (child_exited (status, 0), "status %#x: %s", status, out);
}

static void sleep_a_little (void *arg)
{
	for (int i = 0; i < 20; i++)
		goad_sleep (10 * GOAD_MS);
	*(int *) arg = 1;
}

static void only_sleepers (void *arg)
{
	int done = 0;

	(void) arg;
	_exit (run_main (sleep_a_little, &done, 2, 0, 0) == 0 && done ? 0 : 27);
}

Test (end, sleepers_are_no_deadlock, .timeout = 30)
{
	char out[4096];
	int status = child_run (only_sleepers, NULL, 20, out, sizeof out);

	cr_assert (child_exited (status, 0), "status %#x: %s", status, out);
}

/* Address space runs out. */

static _Atomic int go_on;

static void wait_to_go_on (void *arg)
{
	atomic_fetch_add ((_Atomic int *) arg, 1);
	while (!atomic_load (&go_on))
		goad_sleep (GOAD_MS);
}

static void exhaust (void *arg)
{
	goad_attr_t attr = GOAD_ATTR_INIT;
	struct rlimit limit = { (rlim_t) 6 << 30, (rlim_t) 6 << 30 };
	goad_task_t *task[64];
	static _Atomic int more;
	_Atomic int *ran = arg;
	int rc = 0, n = 0;

	if (setrlimit (RLIMIT_AS, &limit) != 0)
		_exit (77);
	attr.stack_size = 512 << 20;
	while (n < 64 && (rc = goad_spawn (&task[n], &attr, wait_to_go_on, ran)) == 0)
		n++;
	if (n == 0 || n == 64 || (rc != -ENOMEM && rc != -EAGAIN))
		_exit (30);
	await (ran, n);
	/* What is small still fits, and what runs goes on. */
	if (goad_go (mark, (void *) &more) == 0)
		await (&more, 1);
	atomic_store (&go_on, 1);
	for (int i = 0; i < n; i++)
		if (goad_join (task[i]) != 0)
			_exit (31);
}

static void exhaust_main (void *arg)
{
	_Atomic int ran = 0;
	goad_stats_t s;

	(void) arg;
	if (run_main (exhaust, (void *) &ran, 2, 0, 0) != 0)
		_exit (32);
	_exit (goad_stats (&s) == 0 && s.coroutines == 0 ? 0 : 33);
}

Test (end, no_memory_for_a_stack, .timeout = 30, .disabled = TEST_SLOW)
{
	char out[4096];
	int status = child_run (exhaust_main, NULL, 20, out, sizeof out);

	if (child_exited (status, 77))
		cr_skip ("no limit on address space here");
	cr_assert (child_exited (status, 0), "status %#x: %s", status, out);
}

/* Handlers, masks and the alternate stack: what was there before a run with preemptions in
 * it is there after it. */

static void never (int signo, siginfo_t *info, void *context)
{
	(void) signo;
	(void) info;
	(void) context;
}

static void spin_until (void *arg)
{
	while (!atomic_load_explicit ((_Atomic int *) arg, memory_order_relaxed))
		loop_apart ();
}

static void spin_two (void *arg)
{
	uint64_t limit = goad_after (10 * GOAD_S);
	_Atomic int done = 0;
	goad_task_t *task;

	(void) arg;
	claim_eq (goad_spawn (&task, NULL, spin_until, (void *) &done), 0);
	while (stats_now ().preempt_yielded + stats_now ().preempt_handed_off == 0 &&
	       goad_now () < limit)
		spin_for (GOAD_MS);
	atomic_store (&done, 1);
	claim_eq (goad_join (task), 0);
}

static void expect_same (int signo, const struct sigaction *was)
{
	struct sigaction is;

	cr_expect_eq (sigaction (signo, NULL, &is), 0);
	cr_expect (is.sa_sigaction == was->sa_sigaction, "signal %d: another handler", signo);
	cr_expect_eq (is.sa_flags, was->sa_flags, "signal %d: flags", signo);
	cr_expect_eq (sigismember (&is.sa_mask, SIGUSR2), sigismember (&was->sa_mask, SIGUSR2));
	cr_expect_eq (sigismember (&is.sa_mask, SIGHUP), sigismember (&was->sa_mask, SIGHUP));
}

Test (end, handlers_are_back, .timeout = 20)
{
	static const int signals[] = { SIGURG, SIGSEGV, SIGUSR1, SIGBUS };
	struct sigaction mine = { .sa_sigaction = never, .sa_flags = SA_SIGINFO | SA_RESTART };
	struct sigaction was[4];

	sigaddset (&mine.sa_mask, SIGUSR2);
	for (int i = 0; i < 4; i++) {
		cr_assert_eq (sigaction (signals[i], &mine, NULL), 0);
		cr_assert_eq (sigaction (signals[i], NULL, &was[i]), 0);
	}
	for (int round = 0; round < 3; round++) {
		goad_config_t cfg = config_of (1, 100 * GOAD_US, 0);

		cfg.signo = round == 1 ? SIGUSR1 : 0;
		cr_assert_eq (goad_main (spin_two, NULL, &cfg), 0);
		for (int i = 0; i < 4; i++)
			expect_same (signals[i], &was[i]);
		cr_assert_eq (goad_start (&cfg), 0);
		cr_assert_eq (goad_stop (), 0);
		for (int i = 0; i < 4; i++)
			expect_same (signals[i], &was[i]);
	}
	claims_assert ();
}

Test (end, mask_and_alternate_stack_are_back, .timeout = 20)
{
	static char alt[65536];
	stack_t mine = { .ss_sp = alt, .ss_size = sizeof alt }, after;
	sigset_t blocked, was, is;

	sigemptyset (&blocked);
	sigaddset (&blocked, SIGHUP);
	sigaddset (&blocked, SIGURG);
	cr_assert_eq (pthread_sigmask (SIG_BLOCK, &blocked, NULL), 0);
	cr_assert_eq (sigaltstack (&mine, NULL), 0);
	pthread_sigmask (SIG_BLOCK, NULL, &was);
	cr_assert_eq (run_main (spin_two, NULL, 1, 100 * GOAD_US, 0), 0);
	pthread_sigmask (SIG_BLOCK, NULL, &is);
	for (int signo = 1; signo < 65; signo++)
		cr_expect_eq (sigismember (&is, signo), sigismember (&was, signo), "signal %d", signo);
	cr_assert_eq (sigaltstack (NULL, &after), 0);
	cr_assert (after.ss_sp == (void *) alt && after.ss_flags == 0);
	claims_assert ();
	cr_assert_gt (stats_now ().preempt_yielded + stats_now ().preempt_handed_off, 0,
	              "a signal blocked before is let through meanwhile");
}
