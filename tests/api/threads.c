/* SPDX-License-Identifier: MIT */
/* tests/api/threads.c - how many kernel threads there are: the limit, a system that gives no
 * more, and those that nobody needs any longer */
#include "tests/harness.h"
#include "tests/support.h"

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The library's threads come through here: so many more, then the system refuses. */
static _Atomic int allowed = 1000000;
static _Atomic int no_ms; /* ... but for the maker and sysmon, which are given nothing */

int pthread_create (pthread_t *t, const pthread_attr_t *attr, void *(*fn) (void *), void *arg)
{
	static int (*real) (pthread_t *, const pthread_attr_t *, void *(*) (void *), void *);

	if (!real)
		*(void **) &real = dlsym (RTLD_NEXT, "pthread_create");
	if (arg && atomic_load (&no_ms))
		return EAGAIN;
	return atomic_fetch_sub (&allowed, 1) > 0 ? real (t, attr, fn, arg) : EAGAIN;
}

static _Atomic int stop;

/* ---- goad_set_max_threads ------------------------------------------------------------------ */

static void limits (void *arg)
{
	goad_stats_t s;
	(void) arg;

	claim_eq (goad_set_max_threads (0), -EINVAL);
	claim_eq (goad_set_max_threads (-5), -EINVAL);
	claim_eq (goad_set_max_threads (1000001), -EINVAL);
	claim_eq (goad_set_max_threads (50), 100);
	claim_eq (goad_set_max_threads (1000000), 50);
	do { /* the first spare is made */
		goad_sleep (GOAD_MS);
		s = stats_now ();
	} while (s.threads < 2);
	claim_eq (goad_set_max_threads ((int) s.threads - 1), -EBUSY);
	claim_eq (goad_set_max_threads (20), 1000000);
}

Test (threads, set_limit, .timeout = 20)
{
	goad_config_t cfg = config_of (2, 0, 0);

	cr_assert_eq (goad_set_max_threads (100), -EPERM);
	cfg.max_threads = 100;
	cr_assert_eq (goad_main (limits, NULL, &cfg), 0);
	cr_assert_eq (goad_set_max_threads (100), -EPERM);
	claims_assert ();
}

/* ---- at the limit -------------------------------------------------------------------------- */

static _Atomic uint64_t ended;

/* In libc most of the time: it can only be handed off there. */
static void in_libc (void *arg)
{
	uint64_t end = goad_after (*(uint64_t *) arg);
	static char block[1 << 16];
	char copy[1 << 12];

	while (goad_now () < end)
		for (size_t i = 0; i + sizeof copy <= sizeof block; i += sizeof copy)
			memcpy (copy, block + i, sizeof copy);
	atomic_fetch_add (&ended, 1);
}

static void sleeps (void *arg)
{
	for (int i = 0; i < 20; i++)
		goad_sleep (*(uint64_t *) arg / 40);
	atomic_fetch_add (&ended, 1);
}

static void holds_thread (void *arg)
{
	int rc = goad_lock_thread ();

	claim (rc == 0 || rc == -EAGAIN);
	sleeps (arg);
}

enum { KINDS = 12 };

static void crowd (void *arg)
{
	static const goad_fn kinds[] = { in_libc, sleeps, holds_thread };

	for (int i = 0; i < KINDS; i++)
		claim_eq (goad_go (kinds[i % 3], arg), 0);
}

static int lines_of (const char *text, const char *what)
{
	int n = 0;

	while ((text = strstr (text, what))) {
		n++;
		text++;
	}
	return n;
}

static void crowds (void *arg)
{
	uint64_t each = 30 * GOAD_MS;
	(void) arg;

	program_scanned ();
	for (int procs = 1; procs <= 2; procs++)
		for (int threads = procs + 1; threads <= 4; threads++)
			for (int mode = GOAD_PREEMPT_AUTO; mode <= GOAD_PREEMPT_OFF; mode++) {
				goad_config_t cfg = config_of (procs, GOAD_MS, mode);

				cfg.max_threads = threads;
				atomic_store (&ended, 0);
				if (goad_main (crowd, &each, &cfg) != 0)
					_exit (20);
				if (ended != KINDS || stats_now ().threads_max > (uint64_t) threads)
					_exit (21);
			}
	_exit (0);
}

Test (threads, at_the_limit_nobody_hangs, .timeout = 120)
{
	char out[16384];
	int status = child_run (crowds, NULL, 100, out, sizeof out);

	cr_assert (child_exited (status, 0), "status %#x: %s", status, out);
	cr_expect (lines_of (out, "no more can be had (max_threads)") <= 25, "once a run: %s", out);
	cr_expect (lines_of (out, "no more can be had (max_threads)") >= 1, "%s", out);
}

/* Locks take all but one, and a hog runs on that one: it is preempted for the others. */
static void lower_limit (void *arg)
{
	struct hog h[2];
	(void) arg;

	while (stats_now ().threads < 2)
		goad_sleep (GOAD_MS);
	claim_eq (goad_set_max_threads (2), 10000);
	hogs_begin (h, 2, &stop);
	for (int i = 0; i < 20; i++)
		goad_sleep (GOAD_MS);
	hogs_end (h, 2, &stop);
}

Test (threads, lowered_under_load, .timeout = 30)
{
	program_scanned ();
	cr_assert_eq (run_main (lower_limit, NULL, 1, GOAD_MS, GOAD_PREEMPT_AUTO), 0);
	claims_assert ();
	cr_expect_leq (stats_now ().threads_max, 2);
}

/* ---- a system that gives no more ----------------------------------------------------------- */

static void nothing (void *arg)
{
	(void) arg;
}

Test (threads, none_for_the_runtime, .timeout = 30)
{
	goad_config_t cfg = config_of (2, 0, 0);

	for (int n = 0; n < 3; n++) { /* the first M, the maker, sysmon */
		atomic_store (&allowed, n);
		cr_assert_eq (goad_start (&cfg), -EAGAIN, "with %d", n);
	}
	for (int n = 0; n < 2; n++) {
		atomic_store (&allowed, n);
		cr_assert_eq (goad_main (nothing, NULL, &cfg), -EAGAIN, "with %d", n);
	}
	atomic_store (&allowed, 1000);
	cr_assert_eq (goad_main (nothing, NULL, &cfg), 0);
}

static void go_on_without (void *arg)
{
	uint64_t each = 20 * GOAD_MS;

	for (int i = 0; i < 4; i++)
		claim_eq (goad_go (i % 2 ? in_libc : sleeps, &each), 0);
	claim_eq (goad_lock_thread (), -EAGAIN);
	goad_sleep (*(uint64_t *) arg);
	while (atomic_load (&ended) < 4)
		goad_sleep (GOAD_MS);
}

static void refused (void *arg)
{
	uint64_t first = GOAD_MS;
	(void) arg;

	atomic_store (&ended, 0);
	atomic_store (&no_ms, 1);
	if (run_main (go_on_without, &first, 2, GOAD_MS, 0) != 0)
		_exit (20);
	claims_text ()[0] == 0 ? _exit (0) : _exit (21);
}

Test (threads, none_but_the_caller, .timeout = 30)
{
	char out[4096];
	int status = child_run (refused, NULL, 20, out, sizeof out);

	cr_assert (child_exited (status, 0), "status %#x: %s", status, out);
	cr_expect_eq (lines_of (out, "the system refuses"), 1, "%s", out);
}

/* ---- those that nobody needs --------------------------------------------------------------- */

static void lock_for (void *arg)
{
	claim_eq (goad_lock_thread (), 0);
	goad_sleep (*(uint64_t *) arg);
	spin_for (100 * GOAD_US);
	claim_eq (goad_unlock_thread (), 0);
}

/* Keeps its thread until all of a round have one, however long the host takes for that. */
enum { CROWD = 30 };
static _Atomic int locked;

static void lock_with_all (void *arg)
{
	int all;

	(void) arg;
	claim_eq (goad_lock_thread (), 0);
	all = atomic_fetch_add (&locked, 1) / CROWD * CROWD + CROWD;
	while (atomic_load (&locked) < all)
		goad_sleep (GOAD_MS);
	claim_eq (goad_unlock_thread (), 0);
}

static void many_then_few (void *arg)
{
	uint64_t most;

	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < CROWD; i++)
			claim_eq (goad_go (lock_with_all, NULL), 0);
		while (goad_count () > 1)
			goad_sleep (5 * GOAD_MS);
		most = stats_now ().threads_max;
		claim (most >= CROWD);
		claim (most <= 60); /* used again, not made anew beside the others */
		while (stats_now ().threads > *(uint64_t *) arg)
			goad_sleep (5 * GOAD_MS);
	}
	claim (census_now ().threads <= (int) *(uint64_t *) arg + 8); /* Criterion has some too */
}

Test (threads, end_when_idle_for_long, .timeout = 60)
{
	uint64_t kept = 2 + 4; /* as many as Ps, and the spare */

	setenv ("GOAD_M_IDLE", "50ms", 1);
	cr_assert_eq (run_main (many_then_few, &kept, 2, 0, 0), 0);
	unsetenv ("GOAD_M_IDLE");
	claims_assert ();
}

static void idle_long (void *arg)
{
	static uint64_t hold = 5 * GOAD_MS;
	uint64_t least = UINT64_MAX;
	(void) arg;

	for (int i = 0; i < 30; i++)
		claim_eq (goad_go (lock_for, &hold), 0);
	while (stats_now ().threads > 6)
		goad_sleep (5 * GOAD_MS);
	/* The least of three: the last threads may still be ending in the first. */
	for (int i = 0; i < 3; i++) {
		uint64_t cpu = process_cpu_ns ();
		goad_sleep (300 * GOAD_MS);
		cpu = process_cpu_ns () - cpu;
		if (cpu < least)
			least = cpu;
	}
	claim (least < 10 * GOAD_MS);
}

Test (threads, cost_nothing_when_idle, .timeout = 60)
{
	setenv ("GOAD_M_IDLE", "20ms", 1);
	cr_assert_eq (run_main (idle_long, NULL, 2, 0, 0), 0);
	unsetenv ("GOAD_M_IDLE");
	claims_assert ();
}

/* Threads come and go while all else does, and the end finds them all. */
static void come_and_go (void *arg)
{
	static uint64_t hold = GOAD_MS; /* they outlive this one */
	(void) arg;

	for (int round = 0; round < 100; round++) {
		for (int i = 0; i < 12; i++)
			claim_eq (goad_go (lock_for, &hold), 0);
		goad_sleep (3 * GOAD_MS);
	}
}

Test (threads, come_and_go, .timeout = 60)
{
	struct census before = census_now ();

	setenv ("GOAD_M_IDLE", "1ms", 1);
	for (int i = 0; i < 3; i++)
		cr_assert_eq (run_main (come_and_go, NULL, 1 + i, 0, 0), 0);
	unsetenv ("GOAD_M_IDLE");
	claims_assert ();
	cr_expect_eq (census_settled (before.threads).threads, before.threads);
}
