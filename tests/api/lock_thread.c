/* SPDX-License-Identifier: MIT */
/* tests/api/lock_thread.c - goad_lock_thread and goad_unlock_thread */
#include "tests/harness.h"
#include "tests/support.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

static _Atomic int stop, finished, intruders;

static int tid_now (void)
{
	return (int) syscall (SYS_gettid);
}

/* ---- errors, nesting ---------------------------------------------------------------------- */

static void errors_inside (void *arg)
{
	(void) arg;
	claim_eq (goad_unlock_thread (), -EPERM);
	for (int i = 0; i < 1000; i++)
		claim_eq (goad_lock_thread (), 0);
	for (int i = 0; i < 1000; i++)
		claim_eq (goad_unlock_thread (), 0);
	claim_eq (goad_unlock_thread (), -EPERM);
}

Test (lock_thread, errors, .timeout = 20)
{
	cr_assert_eq (goad_lock_thread (), -EPERM);
	cr_assert_eq (goad_unlock_thread (), -EPERM);
	cr_assert_eq (run_main (errors_inside, NULL, 2, 0, 0), 0);
	cr_assert_eq (goad_lock_thread (), -EPERM);
	claims_assert ();
}

/* ---- it stays where it is, and alone ------------------------------------------------------- */

static _Atomic int owners[64]; /* tids of locked coroutines */
static _Atomic int n_owners;

static void look_for_intrusion (void)
{
	int me = tid_now ();

	for (int i = 0; i < atomic_load (&n_owners); i++)
		if (atomic_load (&owners[i]) == me)
			atomic_fetch_add (&intruders, 1);
}

static void unlocked_one (void *arg)
{
	(void) arg;
	while (!atomic_load (&stop)) {
		look_for_intrusion ();
		spin_for (20 * GOAD_US);
		goad_yield ();
	}
}

struct locked {
	int index;
	int how;
};

static void nothing (void *arg)
{
	(void) arg;
}

static void locked_one (void *arg)
{
	struct locked *l = arg;
	goad_task_t *task;
	int tid;

	claim_eq (goad_lock_thread (), 0);
	tid = tid_now ();
	atomic_store (&owners[l->index], tid);
	atomic_fetch_add (&n_owners, 1);
	for (int i = 0; i < 60; i++) {
		switch ((l->how + i) % 4) {
		case 0:
			goad_sleep (300 * GOAD_US);
			break;
		case 1:
			goad_yield ();
			break;
		case 2:
			spin_for (2 * GOAD_MS);
			break;
		default:
			claim_eq (goad_spawn (&task, NULL, nothing, NULL), 0);
			claim_eq (goad_join (task), 0);
		}
		claim_eq (tid_now (), tid);
	}
	atomic_store (&owners[l->index], 0);
	if (l->how % 2)
		claim_eq (goad_unlock_thread (), 0);
	atomic_fetch_add (&finished, 1);
}

#define LOCKED 12

static void stay (void *arg)
{
	struct locked l[LOCKED];
	goad_task_t *task[LOCKED + 4];
	(void) arg;

	for (int i = 0; i < LOCKED + 4; i++) {
		if (i < LOCKED)
			l[i] = (struct locked){ i, i };
		claim_eq (goad_spawn (&task[i], NULL, i < LOCKED ? locked_one : unlocked_one,
		                      i < LOCKED ? &l[i] : NULL),
		          0);
	}
	for (int i = 0; i < LOCKED; i++)
		claim_eq (goad_join (task[i]), 0);
	atomic_store (&stop, 1);
	for (int i = LOCKED; i < LOCKED + 4; i++)
		claim_eq (goad_join (task[i]), 0);
}

static void expect_stay (int procs, int mode)
{
	atomic_store (&stop, 0);
	atomic_store (&finished, 0);
	atomic_store (&intruders, 0);
	atomic_store (&n_owners, 0);
	for (int i = 0; i < 64; i++)
		atomic_store (&owners[i], 0);
	cr_assert_eq (run_main (stay, NULL, procs, GOAD_MS, mode), 0);
	claims_assert ();
	cr_expect_eq (finished, LOCKED);
	cr_expect_eq (intruders, 0, "%d times another coroutine ran on a locked thread", intruders);
}

Test (lock_thread, keeps_thread_and_is_alone_on_it, .timeout = 60)
{
	program_scanned ();
	expect_stay (2, GOAD_PREEMPT_AUTO);
	expect_stay (1, GOAD_PREEMPT_AUTO);
	expect_stay (2, GOAD_PREEMPT_HANDOFF);
	expect_stay (2, GOAD_PREEMPT_COOP);
	expect_stay (4, GOAD_PREEMPT_YIELD);
}

/* ---- ping-pong ---------------------------------------------------------------------------- */

static goad_task_t *_Atomic partner[2];

/* A chain: each joins one that it made; the locked one is woken each time. */
static void rally (void *arg)
{
	goad_task_t *task;

	claim_eq (goad_lock_thread (), 0);
	for (int i = 0; i < *(int *) arg; i++) {
		claim_eq (goad_spawn (&task, NULL, nothing, NULL), 0);
		claim_eq (goad_join (task), 0);
	}
	claim_eq (goad_unlock_thread (), 0);
}

Test (lock_thread, turns_with_unlocked_ones, .timeout = 60)
{
	int turns = 2000;

	for (int procs = 1; procs <= 3; procs++) {
		cr_assert_eq (run_main (rally, &turns, procs, 0, 0), 0);
		cr_expect_lt (stats_now ().threads_max, 12, "%lu threads",
		              (unsigned long) stats_now ().threads_max);
	}
	claims_assert ();
}

/* ---- the end ------------------------------------------------------------------------------- */

static pthread_key_t key;
static _Atomic int destroyed;

static void note_destroyed (void *arg)
{
	(void) arg;
	atomic_fetch_add (&destroyed, 1);
}

static void end_locked (void *arg)
{
	claim_eq (goad_lock_thread (), 0);
	pthread_setspecific (key, &key);
	goad_sleep (100 * GOAD_US);
	if (arg)
		goad_exit ();
}

#define ENDS 20

static void ends (void *arg)
{
	goad_task_t *task[ENDS];
	(void) arg;

	for (int i = 0; i < ENDS; i++)
		claim_eq (goad_spawn (&task[i], NULL, end_locked, i % 2 ? task : NULL), 0);
	for (int i = 0; i < ENDS; i++)
		claim_eq (goad_join (task[i]), 0);
	/* M0 cannot end, and it may have been one of theirs. */
	while (atomic_load (&destroyed) < ENDS - 1)
		goad_sleep (GOAD_MS);
	while (stats_now ().threads > 12)
		goad_sleep (GOAD_MS);
}

Test (lock_thread, end_takes_the_thread_along, .timeout = 30)
{
	cr_assert_eq (pthread_key_create (&key, note_destroyed), 0);
	for (int procs = 1; procs <= 3; procs++) {
		atomic_store (&destroyed, 0);
		cr_assert_eq (run_main (ends, NULL, procs, 0, 0), 0);
		claims_assert ();
	}
}

/* The first coroutine runs on the caller's thread: locked at its end that thread waits, and
 * the others go on. */
static void later (void *arg)
{
	for (int i = 0; i < 20; i++) {
		claim (tid_now () != *(int *) arg);
		goad_sleep (500 * GOAD_US);
	}
	atomic_fetch_add (&finished, 1);
}

static void first_ends_locked (void *arg)
{
	claim_eq (goad_lock_thread (), 0);
	*(int *) arg = tid_now ();
	for (int i = 0; i < 5; i++)
		claim_eq (goad_go (later, arg), 0);
}

Test (lock_thread, end_of_the_callers_thread, .timeout = 30)
{
	static int tid;
	int on_it = 0;

	for (int i = 0; i < 20 || (on_it == 0 && i < 500); i++) {
		atomic_store (&finished, 0);
		cr_assert_eq (run_main (first_ends_locked, &tid, 1 + i % 3, 0, 0), 0);
		on_it += tid == tid_now (); /* another may have taken it before */
		cr_assert_eq (finished, 5);
		claims_assert ();
	}
	cr_expect_gt (on_it, 0);
}

/* ---- deadlock with a locked one ------------------------------------------------------------ */

static void join_itself_round (void *arg)
{
	(void) arg;
	goad_lock_thread ();
	while (atomic_load (&partner[0]) == NULL || atomic_load (&partner[1]) == NULL)
		goad_yield ();
	goad_join (atomic_load (&partner[arg == &partner[0]]));
}

static void tangle (void *arg)
{
	goad_task_t *a, *b;
	(void) arg;

	goad_spawn (&a, NULL, join_itself_round, &partner[0]);
	goad_spawn (&b, NULL, join_itself_round, &partner[1]);
	atomic_store (&partner[0], a);
	atomic_store (&partner[1], b);
	goad_lock_thread (); /* and M0 is locked as it ends */
}

static void deadlocks (void *arg)
{
	(void) arg;
	for (int i = 0; i < 10; i++) {
		atomic_store (&partner[0], NULL);
		atomic_store (&partner[1], NULL);
		if (run_main (tangle, NULL, 1 + i % 3, 0, 0) != -EDEADLK)
			_exit (21);
	}
	_exit (0);
}

Test (lock_thread, deadlock_is_told, .timeout = 40)
{
	char out[16384];
	int status = child_run (deadlocks, NULL, 30, out, sizeof out);

	cr_assert (child_exited (status, 0), "status %#x: %s", status, out);
	cr_assert (strstr (out, "all coroutines are asleep - deadlock!") != NULL, "%s", out);
}

/* ---- the last thread ----------------------------------------------------------------------- */

static void lock_or_not (void *arg)
{
	_Atomic int *got = arg;
	int rc = goad_lock_thread ();

	claim (rc == 0 || rc == -EAGAIN);
	atomic_fetch_add (&got[rc == 0], 1);
	while (!atomic_load (&stop))
		goad_sleep (GOAD_MS);
	if (rc == 0)
		claim_eq (goad_unlock_thread (), 0);
}

static void take_all (void *arg)
{
	static _Atomic int got[2];
	struct hog h;

	atomic_store (&stop, 0);
	atomic_store (&got[0], 0);
	atomic_store (&got[1], 0);
	for (int i = 0; i < 10; i++)
		claim_eq (goad_go (lock_or_not, got), 0);
	while (atomic_load (&got[0]) + atomic_load (&got[1]) < 10)
		goad_sleep (GOAD_MS);
	claim_eq (atomic_load (&got[1]), *(int *) arg - 1);
	/* A thread is left: for a hog, and for us beside it. */
	claim_eq (hog_spawn (&h, NULL, &stop), 0);
	goad_sleep (5 * GOAD_MS);
	atomic_store (&stop, 1);
	claim_eq (goad_join (h.task), 0);
	while (goad_count () > 1)
		goad_sleep (GOAD_MS);
}

Test (lock_thread, leaves_one_for_the_others, .timeout = 40)
{
	program_scanned ();
	for (int threads = 2; threads <= 5; threads++) {
		goad_config_t cfg = config_of (1, GOAD_MS, GOAD_PREEMPT_AUTO);
		cfg.max_threads = threads;
		cr_assert_eq (goad_main (take_all, &threads, &cfg), 0);
		cr_expect_leq (stats_now ().threads_max, (uint64_t) threads);
		claims_assert ();
	}
}
