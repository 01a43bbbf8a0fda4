/* SPDX-License-Identifier: MIT */
/* tests/api/procs.c - goad_set_procs, and the number of Ps that follows the CPUs */
#include "tests/harness.h"
#include "tests/support.h"

#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static _Atomic int stop, ready;
static _Atomic uint64_t started, ended;

static void forget (void)
{
	atomic_store (&stop, 0);
	atomic_store (&ready, 0);
	atomic_store (&started, 0);
	atomic_store (&ended, 0);
}

static void errors (void *arg)
{
	(void) arg;
	claim_eq (goad_set_procs (0), -EINVAL);
	claim_eq (goad_set_procs (-1), -EINVAL);
	claim_eq (goad_set_procs (1025), -EINVAL);
	claim_eq (goad_procs (), 3);
	claim_eq (goad_set_procs (3), 3);
	claim_eq (goad_set_procs (1024), 3);
	claim_eq (goad_procs (), 1024);
	claim_eq (goad_set_procs (1), 1024);
	claim_eq (goad_set_procs (2), 1);
	claim_eq (goad_procs (), 2);
	claim_eq (stats_now ().procs, 2);
}

Test (procs, errors_and_the_old_number, .timeout = 30)
{
	cr_assert_eq (goad_set_procs (2), -EPERM);
	for (int i = 0; i < 3; i++)
		cr_assert_eq (run_main (errors, NULL, 3, 0, 0), 0);
	cr_assert_eq (goad_set_procs (2), -EPERM);
	claims_assert ();
}

/* ---- a thousand times under load ----------------------------------------------------------- */

static uint64_t choose (uint64_t *state)
{
	*state = *state * UINT64_C (6364136223846793005) + 1442695040888963407;
	return *state >> 33;
}

static void brief (void *arg)
{
	uint64_t state = (uint64_t) (uintptr_t) arg;

	for (uint64_t n = choose (&state) % 3000; n > 0; n--)
		choose (&state);
	if (state % 4 == 0)
		free (malloc (state % 3000 + 1));
	if (state % 8 == 0)
		goad_sleep (state % (200 * GOAD_US));
	atomic_fetch_add (&ended, 1);
}

static void spawner (void *arg)
{
	uint64_t state = (uint64_t) (uintptr_t) arg;

	while (!atomic_load (&stop)) {
		goad_task_t *task;

		if (goad_count () > 1000) {
			goad_sleep (100 * GOAD_US);
			continue;
		}
		atomic_fetch_add (&started, 2);
		claim_eq (goad_go (brief, (void *) (uintptr_t) choose (&state)), 0);
		claim_eq (goad_spawn (&task, NULL, brief, (void *) (uintptr_t) choose (&state)), 0);
		claim_eq (goad_join (task), 0);
	}
}

static void locked (void *arg)
{
	(void) arg;
	claim_eq (goad_lock_thread (), 0);
	while (!atomic_load (&stop)) {
		goad_sleep (300 * GOAD_US);
		spin_for (50 * GOAD_US);
	}
	claim_eq (goad_unlock_thread (), 0);
}

static void resizer (void *arg)
{
	uint64_t state = 7;

	for (int i = 0; i < *(int *) arg; i++) {
		int n = 1 + (int) (choose (&state) % 9);
		int old = goad_set_procs (n);

		claim (old >= 1 && old <= 9);
		if (i % 4 == 0)
			goad_yield ();
		if (i % 16 == 0)
			goad_sleep (100 * GOAD_US);
	}
	atomic_fetch_add (&ready, 1);
}

static void resize_much (void *arg)
{
	struct hog h[3];
	int resizers = ((int *) arg)[1];

	hogs_begin (h, 3, &stop);
	for (uintptr_t i = 0; i < 3; i++)
		claim_eq (goad_go (spawner, (void *) (i * 77 + 1)), 0);
	claim_eq (goad_go (locked, NULL), 0);
	for (int i = 0; i < resizers; i++)
		claim_eq (goad_go (resizer, arg), 0);
	while (atomic_load (&ready) < resizers)
		goad_sleep (GOAD_MS);
	hogs_end (h, 3, &stop);
	for (int i = 0; i < 3; i++)
		claim (h[i].loops > 0);
}

static void expect_kept (int mode, int resizers, bool chaos)
{
	int plan[2] = { (TEST_SLOW ? 200 : 1000) / resizers, resizers };
	goad_stats_t s;

	forget ();
	program_scanned ();
	if (chaos)
		setenv ("GOAD_DEBUG", "chaos=4711", 1);
	cr_assert_eq (run_main (resize_much, plan, 2, 100 * GOAD_US, mode), 0);
	unsetenv ("GOAD_DEBUG");
	claims_assert ();
	s = stats_now ();
	cr_expect_eq (ended, started, "%lu of %lu ended", (unsigned long) ended,
	              (unsigned long) started);
	cr_expect_eq (s.spawned, started + 8u + (unsigned) resizers, "%lu counted, not %lu",
	              (unsigned long) s.spawned, (unsigned long) started + 8u + (unsigned) resizers);
	cr_expect_eq (s.coroutines, 0);
}

Test (procs, thousand_resizes, .timeout = 120)
{
	expect_kept (GOAD_PREEMPT_AUTO, 1, false);
}

Test (procs, thousand_resizes_by_hand_off, .timeout = 120)
{
	expect_kept (GOAD_PREEMPT_HANDOFF, 1, false);
}

Test (procs, thousand_resizes_by_several, .timeout = 120)
{
	expect_kept (GOAD_PREEMPT_AUTO, 5, false);
}

Test (procs, thousand_resizes_under_chaos, .timeout = 120)
{
	expect_kept (GOAD_PREEMPT_AUTO, 2, true);
}

/* ---- from threads outside ------------------------------------------------------------------ */

static void *resize_outside (void *arg)
{
	uint64_t state = (uint64_t) (uintptr_t) arg;

	for (int i = 0; i < 100; i++)
		claim (goad_set_procs (1 + (int) (choose (&state) % 5)) >= 1);
	return NULL;
}

Test (procs, from_threads_outside, .timeout = 60)
{
	int plan[2] = { 100, 2 };
	goad_config_t cfg = config_of (2, GOAD_MS, GOAD_PREEMPT_AUTO);
	pthread_t thread[3];

	forget ();
	program_scanned ();
	cr_assert_eq (goad_start (&cfg), 0);
	cr_assert_eq (goad_set_procs (4), 2); /* while all is idle */
	cr_assert_eq (goad_set_procs (1), 4);
	cr_assert_eq (goad_go (resize_much, plan), 0);
	for (uintptr_t i = 0; i < 3; i++)
		cr_assert_eq (pthread_create (&thread[i], NULL, resize_outside, (void *) (i + 1)), 0);
	for (int i = 0; i < 3; i++)
		pthread_join (thread[i], NULL);
	cr_assert_eq (goad_stop (), 0);
	claims_assert ();
	cr_expect_eq (ended, started);
}

/* ---- who cannot be stopped ----------------------------------------------------------------- */

static _Atomic int held, resized;

static void hold (void *arg)
{
	(void) arg;
	goad_preempt_disable ();
	atomic_store (&held, 1);
	spin_for (30 * GOAD_MS);
	claim_eq (atomic_load (&resized), 0);
	atomic_store (&held, 2);
	goad_preempt_enable ();
}

static void resize_beside_hold (void *arg)
{
	goad_task_t *task;
	(void) arg;

	atomic_store (&held, 0);
	atomic_store (&resized, 0);
	claim_eq (goad_spawn (&task, NULL, hold, NULL), 0);
	await (&held, 1);
	claim_eq (goad_set_procs (1), 2);
	claim_eq (atomic_load (&held), 2);
	atomic_store (&resized, 1);
	claim_eq (goad_join (task), 0);
}

Test (procs, waits_for_disabled_preemption, .timeout = 30)
{
	for (int i = 0; i < 5; i++)
		cr_assert_eq (run_main (resize_beside_hold, NULL, 2, 0, 0), 0);
	claims_assert ();
}

/* In the modes without signals it waits for the next call. */
static void call_now_and_then (void *arg)
{
	(void) arg;
	while (!atomic_load (&stop)) {
		atomic_store (&held, 1);
		spin_for (2 * GOAD_MS);
		goad_yield ();
	}
}

static void resize_beside_calls (void *arg)
{
	(void) arg;
	atomic_store (&held, 0);
	claim_eq (goad_go (call_now_and_then, NULL), 0);
	await (&held, 1);
	for (int i = 0; i < 20; i++) {
		claim_eq (goad_set_procs (1 + i % 2), 2 - i % 2);
		goad_yield ();
	}
	atomic_store (&stop, 1);
}

Test (procs, without_signals, .timeout = 30)
{
	static const int modes[] = { GOAD_PREEMPT_COOP, GOAD_PREEMPT_OFF, GOAD_PREEMPT_YIELD };

	for (int i = 0; i < 3; i++) {
		forget ();
		cr_assert_eq (run_main (resize_beside_calls, NULL, 2, 0, modes[i]), 0);
	}
	claims_assert ();
}

/* A lock whose holder was stopped: who waits for it can be stopped, in any mode. */
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

static void lock_now_and_then (void *arg)
{
	while (!atomic_load (&stop)) {
		if (arg)
			goad_preempt_disable ();
		pthread_mutex_lock (&mutex);
		spin_for (100 * GOAD_US);
		pthread_mutex_unlock (&mutex);
		if (arg)
			goad_preempt_enable ();
		goad_yield (); /* the one in mode OFF stops here, or in the lock */
	}
}

static void resize_beside_lock (void *arg)
{
	static const int modes[] = { GOAD_PREEMPT_AUTO, GOAD_PREEMPT_OFF, GOAD_PREEMPT_HANDOFF };
	goad_attr_t attr = GOAD_ATTR_INIT;
	goad_task_t *task[4];
	(void) arg;

	for (int i = 0; i < 4; i++) {
		attr.preempt = i < 3 ? modes[i] : 0;
		claim_eq (goad_spawn (&task[i], &attr, lock_now_and_then, i == 3 ? task : NULL), 0);
	}
	for (int i = 0; i < 100; i++) {
		claim (goad_set_procs (5 - i % 2) > 0);
		goad_sleep (100 * GOAD_US);
	}
	atomic_store (&stop, 1);
	for (int i = 0; i < 4; i++)
		claim_eq (goad_join (task[i]), 0);
}

Test (procs, beside_a_lock, .timeout = 60)
{
	forget ();
	program_scanned ();
	cr_assert_eq (run_main (resize_beside_lock, NULL, 5, GOAD_MS, 0), 0);
	claims_assert ();
}

/* Who sleeps in the kernel, announced or not, in any mode, is not waited for. */
enum { ANNOUNCED = 1, DISABLED = 2 };
static int pipe_fd[2];

static void read_one (void *arg)
{
	int how = *(int *) arg;
	char c;

	if (how & DISABLED)
		goad_preempt_disable ();
	if (how & ANNOUNCED)
		goad_block_begin ();
	atomic_fetch_add (&held, 1);
	while (read (pipe_fd[0], &c, 1) < 0 && errno == EINTR)
		;
	atomic_fetch_add (&ended, 1);
	if (how & ANNOUNCED)
		goad_block_end ();
	if (how & DISABLED)
		goad_preempt_enable ();
}

static void resize_beside_sleepers (void *arg)
{
	static const int modes[] = { GOAD_PREEMPT_AUTO, GOAD_PREEMPT_OFF, GOAD_PREEMPT_COOP };
	static int hows[] = { 0, ANNOUNCED, DISABLED, ANNOUNCED | DISABLED };
	goad_attr_t attr = GOAD_ATTR_INIT;
	goad_task_t *task[12];
	(void) arg;

	atomic_store (&held, 0);
	for (int i = 0; i < 12; i++) {
		attr.preempt = modes[i / 4];
		claim_eq (goad_spawn (&task[i], &attr, read_one, &hows[i % 4]), 0);
	}
	await (&held, 12);
	for (int i = 0; i < 30; i++) {
		claim (goad_set_procs (14 - i % 14) > 0);
		goad_yield ();
	}
	claim_eq (atomic_load (&ended), 0);
	claim_eq (write (pipe_fd[1], "sleepers are", 12), 12);
	for (int i = 0; i < 12; i++)
		claim_eq (goad_join (task[i]), 0);
	claim_eq (atomic_load (&ended), 12);
}

Test (procs, beside_sleepers_in_the_kernel, .timeout = 60)
{
	cr_assert_eq (pipe (pipe_fd), 0);
	for (int i = 0; i < 3; i++) {
		forget ();
		cr_assert_eq (run_main (resize_beside_sleepers, NULL, 14, 0, 0), 0);
	}
	close (pipe_fd[0]);
	close (pipe_fd[1]);
	claims_assert ();
}

/* ---- the number follows the CPUs ----------------------------------------------------------- */

static char root[] = "/tmp/goad-cgroup-XXXXXX";

static void write_file (const char *name, const char *text)
{
	char path[200], next[210];
	FILE *f;

	snprintf (path, sizeof path, "%s/%s", root, name);
	snprintf (next, sizeof next, "%s.new", path);
	f = fopen (next, "w");
	cr_assert (f != NULL);
	fputs (text, f);
	fclose (f);
	cr_assert_eq (rename (next, path), 0);
}

/* In both versions: which one this process is in is not known. */
static void set_quota (int cpus)
{
	char text[64];

	snprintf (text, sizeof text, "%d 100000\n", cpus * 100000 - 50000);
	write_file ("cpu.max", text);
	snprintf (text, sizeof text, "%d\n", cpus * 100000 - 50000);
	write_file ("cpu/cpu.cfs_quota_us", text);
	write_file ("cpu/cpu.cfs_period_us", "100000\n");
}

static void follow_init (void)
{
	char path[200];

	strcpy (root, "/tmp/goad-cgroup-XXXXXX");
	cr_assert (mkdtemp (root) != NULL);
	snprintf (path, sizeof path, "%s/cpu", root);
	cr_assert_eq (mkdir (path, 0700), 0);
	set_quota (1000);
	setenv ("GOAD_CGROUP_ROOT", root, 1);
	unsetenv ("GOAD_PROCS");
}

static void follow_fini (void)
{
	char command[200];

	snprintf (command, sizeof command, "rm -rf %s", root);
	cr_assert_eq (system (command), 0);
}

static int cpus_here (void)
{
	cpu_set_t set;

	cr_assert_eq (sched_getaffinity (0, sizeof set, &set), 0);
	return CPU_COUNT (&set);
}

static void run_until_stop (void *arg)
{
	(void) arg;
	while (!atomic_load (&stop))
		spin_for (GOAD_MS);
}

static void set_affinity (const cpu_set_t *set);

/* A thread that was made meanwhile may have the affinity from before: set is for all. */
static bool await_procs (int n, const cpu_set_t *set)
{
	uint64_t limit = goad_after (20 * GOAD_S);

	while (goad_procs () != n && goad_now () < limit) {
		if (set)
			set_affinity (set);
		goad_sleep (20 * GOAD_MS);
	}
	return goad_procs () == n;
}

static void start_following (void)
{
	goad_config_t cfg = config_of (0, GOAD_MS, 0);

	forget ();
	cr_assert_eq (goad_start (&cfg), 0);
	cr_assert_eq (goad_procs (), cpus_here ());
	cr_assert_eq (goad_go (run_until_stop, NULL), 0);
}

Test (procs, follow_the_quota, .timeout = 60, .init = follow_init, .fini = follow_fini)
{
	int cpus = cpus_here ();

	start_following ();
	set_quota (1);
	cr_expect (await_procs (1, NULL), "%d Ps", goad_procs ());
	set_quota (1000);
	cr_expect (await_procs (cpus, NULL), "%d Ps", goad_procs ());
	atomic_store (&stop, 1);
	cr_assert_eq (goad_stop (), 0);
	set_quota (1);
	cr_assert_eq (run_main (errors, NULL, 3, 0, 0), 0, "a number that was given is kept");
	claims_assert ();
}

/* Of all threads of this process. */
static void set_affinity (const cpu_set_t *set)
{
	DIR *d = opendir ("/proc/self/task");
	struct dirent *e;

	cr_assert (d != NULL);
	while ((e = readdir (d)))
		if (e->d_name[0] != '.')
			sched_setaffinity (atoi (e->d_name), sizeof *set, set);
	closedir (d);
}

Test (procs, follow_the_affinity, .timeout = 60, .init = follow_init, .fini = follow_fini)
{
	cpu_set_t all, one;
	int first = 0;

	if (cpus_here () < 2)
		cr_skip ("one CPU");
	cr_assert_eq (sched_getaffinity (0, sizeof all, &all), 0);
	while (!CPU_ISSET (first, &all))
		first++;
	CPU_ZERO (&one);
	CPU_SET (first, &one);
	start_following ();
	cr_expect (await_procs (1, &one), "%d Ps", goad_procs ());
	cr_expect (await_procs (CPU_COUNT (&all), &all), "%d Ps", goad_procs ());
	/* A number that was asked for is kept. */
	cr_assert_eq (goad_set_procs (CPU_COUNT (&all) + 3), CPU_COUNT (&all));
	set_affinity (&one);
	goad_sleep (2 * GOAD_S);
	cr_expect_eq (goad_procs (), CPU_COUNT (&all) + 3);
	atomic_store (&stop, 1);
	cr_assert_eq (goad_stop (), 0);
	set_affinity (&all);
}
