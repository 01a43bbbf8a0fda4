/* SPDX-License-Identifier: MIT */
/* tests/api/foreign.c - threads that goad did not make call what they may, many at once,
 * beside hogs, and while the runtime ends */
#include "tests/harness.h"
#include "tests/support.h"

#include <errno.h>
#include <pthread.h>

enum { THREADS = 6 };

static void count_up (void *arg)
{
	atomic_fetch_add ((_Atomic int *) arg, 1);
}

static void wait_flag (void *arg)
{
	await (arg, 1);
}

/* One thread's round of every call. */
static _Atomic int detached;

static void join_late (void)
{
	_Atomic int flag = 0;
	goad_task_t *task;
	uint64_t deadline;

	claim_eq (goad_spawn (&task, NULL, wait_flag, (void *) &flag), 0);
	claim_eq (goad_join_until (task, 0), -EAGAIN);
	deadline = goad_after (GOAD_MS);
	claim_eq (goad_join_until (task, deadline), -ETIMEDOUT);
	claim (goad_now () >= deadline);
	atomic_store (&flag, 1);
	claim_eq (goad_join_until (task, goad_after (60 * GOAD_S)), 0);
}

static void use_everything (void)
{
	goad_attr_t attr = GOAD_ATTR_INIT;
	goad_proc_view_t view[4];
	goad_task_stats_t ts;
	goad_task_t *task;
	_Atomic int ran = 0;
	goad_stats_t s;

	attr.name = "from-outside";
	claim_eq (goad_id (), 0);
	claim_eq (goad_procs (), 2);
	claim_eq (goad_go (count_up, (void *) &detached), 0);
	claim_eq (goad_spawn (&task, &attr, count_up, (void *) &ran), 0);
	claim_eq (goad_task_stats (task, &ts), 0);
	claim (strcmp (ts.name, "from-outside") == 0);
	claim_eq (goad_task_stats (NULL, &ts), -EPERM);
	claim_eq (goad_join (task), 0);
	claim_eq (ran, 1);
	claim_eq (goad_spawn (&task, NULL, count_up, (void *) &detached), 0);
	claim_eq (goad_detach (task), 0);
	claim_eq (goad_stats (&s), 0);
	claim_eq (s.procs, 2);
	claim_eq (goad_observe_procs (view, 4), 2);
	goad_preempt_disable ();
	goad_yield ();
	goad_preempt_enable ();
	claim_eq (goad_sleep (1000), 0);
	join_late ();
}

static void *use_often (void *arg)
{
	(void) arg;
	for (int i = 0; i < 20; i++)
		use_everything ();
	return NULL;
}

static void threads_run (void *(*fn) (void *), void *arg)
{
	pthread_t thread[THREADS];

	for (int i = 0; i < THREADS; i++)
		claim_eq (pthread_create (&thread[i], NULL, fn, arg), 0);
	for (int i = 0; i < THREADS; i++)
		claim_eq (pthread_join (thread[i], NULL), 0);
}

static void beside_hogs (void *arg)
{
	_Atomic int stop = 0;
	struct hog hogs[3];

	(void) arg;
	memset (hogs, 0, sizeof hogs);
	hogs_begin (hogs, 3, &stop);
	atomic_store (&detached, 0);
	threads_run (use_often, NULL);
	hogs_end (hogs, 3, &stop);
}

Test (foreign, every_call_beside_hogs_embedded, .timeout = 60)
{
	goad_config_t cfg = config_of (2, 200 * GOAD_US, 0);

	cr_assert_eq (goad_start (&cfg), 0);
	beside_hogs (NULL);
	cr_assert_eq (goad_stop (), 0);
	claims_assert ();
	cr_assert_eq (detached, 2 * 20 * THREADS, "%d", detached);
}

Test (foreign, every_call_beside_hogs_in_main, .timeout = 60)
{
	cr_assert_eq (run_main (beside_hogs, NULL, 2, 200 * GOAD_US, 0), 0);
	claims_assert ();
	cr_assert_eq (detached, 2 * 20 * THREADS, "%d", detached);
}

/* The runtime ends and starts again while threads call into it.  Each call either takes
 * part in a run or says that there is none. */

static _Atomic int over;
static _Atomic uint64_t accepted, ended, refused;

static void end (void *arg)
{
	(void) arg;
	atomic_fetch_add (&ended, 1);
}

static void note (int rc)
{
	if (rc == 0)
		atomic_fetch_add (&accepted, 1);
	else
		atomic_fetch_add (&refused, 1);
	claim (rc == 0 || rc == -EPERM);
}

static void *call_on_and_on (void *arg)
{
	(void) arg;
	while (!atomic_load (&over)) {
		goad_proc_view_t view[2];
		goad_task_t *task = NULL;
		goad_stats_t s;
		int rc;

		note (goad_go (end, NULL));
		rc = goad_spawn (&task, NULL, end, NULL);
		note (rc);
		claim_eq (goad_stats (&s), 0);
		claim (goad_count () < 100000);
		claim (goad_procs () == 0 || goad_procs () == 2);
		claim (goad_observe_procs (view, 2) <= 2);
		if (rc == 0) { /* the runtime may be another one by now: then the handle is void */
			rc = goad_detach (task);
			claim (rc == 0 || rc == -EPERM);
		}
		goad_yield ();
	}
	return NULL;
}

static void nothing (void *arg)
{
	(void) arg;
}

static void *restart_embedded (void *arg)
{
	goad_config_t cfg = config_of (2, 200 * GOAD_US, 0);

	(void) arg;
	for (int i = 0; i < 25; i++) {
		claim_eq (goad_start (&cfg), 0);
		claim_eq (goad_stop (), 0);
	}
	return NULL;
}

static void *restart_main (void *arg)
{
	(void) arg;
	for (int i = 0; i < 25; i++)
		claim_eq (run_main (nothing, NULL, 2, 200 * GOAD_US, 0), 0);
	return NULL;
}

static void *call_without_handles (void *arg)
{
	(void) arg;
	while (!atomic_load (&over)) {
		goad_stats_t s;

		note (goad_go (end, NULL));
		claim_eq (goad_stats (&s), 0);
		claim (goad_count () < 100000);
	}
	return NULL;
}

static void race_the_end (void *(*restart) (void *), void *(*call) (void *) )
{
	pthread_t thread[3];

	atomic_store (&over, 0);
	atomic_store (&accepted, 0);
	atomic_store (&ended, 0);
	atomic_store (&refused, 0);
	for (int i = 0; i < 3; i++)
		cr_assert_eq (pthread_create (&thread[i], NULL, call, NULL), 0);
	restart (NULL);
	atomic_store (&over, 1);
	for (int i = 0; i < 3; i++)
		cr_assert_eq (pthread_join (thread[i], NULL), 0);
	claims_assert ();
	cr_assert_eq (accepted, ended, "%llu accepted, %llu ran", (unsigned long long) accepted,
	              (unsigned long long) ended);
	cr_assert_eq (goad_go (end, NULL), -EPERM);
	cr_assert_eq (goad_count (), 0);
}

Test (foreign, calls_race_goad_stop, .timeout = 60)
{
	race_the_end (restart_embedded, call_without_handles);
}

Test (foreign, calls_race_the_return_of_goad_main, .timeout = 60)
{
	race_the_end (restart_main, call_without_handles);
}

/* One run, which ends while they call: a handle is good until then, and no longer. */
static void *stop_later (void *arg)
{
	goad_config_t cfg = config_of (2, 200 * GOAD_US, 0);

	(void) arg;
	claim_eq (goad_start (&cfg), 0);
	while (atomic_load (&accepted) < 500)
		goad_yield ();
	claim_eq (goad_stop (), 0);
	return NULL;
}

Test (foreign, handles_race_goad_stop, .timeout = 60)
{
	race_the_end (stop_later, call_on_and_on);
}

/* A thread waits for the last coroutine: the end waits for the thread. */

static void *join_last (void *arg)
{
	int rc = goad_join (arg);

	claim (rc == 0 || rc == -EPERM); /* it came before or after the end */
	return NULL;
}

static pthread_t last_joiner;

static void leave_one_behind (void *arg)
{
	static _Atomic int flag;
	goad_task_t *task;

	(void) arg;
	atomic_store (&flag, 0);
	claim_eq (goad_spawn (&task, NULL, wait_flag, (void *) &flag), 0);
	claim_eq (pthread_create (&last_joiner, NULL, join_last, task), 0);
	goad_sleep (GOAD_MS); /* it waits by now, mostly */
	atomic_store (&flag, 1);
}

Test (foreign, the_end_waits_for_who_joins, .timeout = 30)
{
	for (int i = 0; i < 25; i++) {
		cr_assert_eq (run_main (leave_one_behind, NULL, 2, 0, 0), 0);
		cr_assert_eq (pthread_join (last_joiner, NULL), 0);
	}
	claims_assert ();
}

/* Two that stop it. */

struct stopper {
	pthread_t thread;
	int rc;
};

static void *stop_it (void *arg)
{
	((struct stopper *) arg)->rc = goad_stop ();
	return NULL;
}

Test (foreign, one_of_two_stops, .timeout = 60)
{
	goad_config_t cfg = config_of (2, 0, 0);
	static _Atomic int flag;

	for (int round = 0; round < 30; round++) {
		struct stopper s[2];
		int won = 0;

		atomic_store (&flag, 0);
		cr_assert_eq (goad_start (&cfg), 0);
		cr_assert_eq (goad_go (wait_flag, (void *) &flag), 0);
		for (int i = 0; i < 2; i++)
			cr_assert_eq (pthread_create (&s[i].thread, NULL, stop_it, &s[i]), 0);
		if (round % 2)
			goad_sleep (GOAD_MS); /* both wait, or one has been told off */
		atomic_store (&flag, 1);
		for (int i = 0; i < 2; i++) {
			cr_assert_eq (pthread_join (s[i].thread, NULL), 0);
			cr_assert (s[i].rc == 0 || s[i].rc == -EBUSY || s[i].rc == -EPERM, "%d", s[i].rc);
			won += s[i].rc == 0;
		}
		cr_assert_eq (won, 1, "%d and %d", s[0].rc, s[1].rc);
		cr_assert_eq (goad_stop (), -EPERM);
	}
}

/* goad_count never misses one that is alive. */

enum { STANDING = 20 };

static _Atomic int counting;

static void stand (void *arg)
{
	(void) arg;
	while (atomic_load (&counting))
		goad_sleep (GOAD_MS);
}

static void churn (void *arg)
{
	goad_task_t *task;

	(void) arg;
	while (atomic_load (&counting)) {
		claim_eq (goad_spawn (&task, NULL, nothing, NULL), 0);
		claim_eq (goad_join (task), 0);
	}
}

static void *count_them (void *arg)
{
	(void) arg;
	for (int i = 0; i < 20000; i++)
		claim (goad_count () >= STANDING + 3);
	return NULL;
}

static void count_beside_churn (void *arg)
{
	(void) arg;
	atomic_store (&counting, 1);
	for (int i = 0; i < STANDING; i++)
		claim_eq (goad_go (stand, NULL), 0);
	for (int i = 0; i < 2; i++)
		claim_eq (goad_go (churn, NULL), 0);
	threads_run (count_them, NULL);
	atomic_store (&counting, 0);
}

Test (foreign, count_misses_nobody, .timeout = 60)
{
	cr_assert_eq (run_main (count_beside_churn, NULL, 2, 200 * GOAD_US, 0), 0);
	claims_assert ();
}
