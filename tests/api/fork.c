/* SPDX-License-Identifier: MIT */
/* tests/api/fork.c - children of fork while the runtime runs: they exec or _exit, and a call
 * into goad says no and never hangs */
#include "tests/harness.h"
#include "tests/support.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

/* The child's status, without holding up a P. */
static int wait_for (pid_t pid)
{
	int status = -1;
	pid_t got;

	while ((got = waitpid (pid, &status, WNOHANG)) == 0 || (got < 0 && errno == EINTR))
		goad_sleep (200 * GOAD_US);
	return status;
}

static void nothing (void *arg)
{
	(void) arg;
}

/* In the child: the number of the call that did not fail as it should, or 0. */
static goad_task_t *parents_task;

static int call_all (void)
{
	goad_config_t cfg = config_of (1, 0, 0);
	goad_proc_view_t view[2];
	goad_task_stats_t ts;
	goad_task_t *task;
	goad_stats_t s;

	if (goad_go (nothing, NULL) != -EPERM)
		return 1;
	if (goad_spawn (&task, NULL, nothing, NULL) != -EPERM)
		return 2;
	if (goad_join (parents_task) != -EPERM || goad_join_until (parents_task, 0) != -EPERM)
		return 3;
	if (goad_detach (parents_task) != -EPERM)
		return 4;
	if (goad_sleep (1) != -EPERM || goad_sleep_until (0) != -EPERM)
		return 5;
	if (goad_stats (&s) != -EPERM || goad_task_stats (NULL, &ts) != -EPERM ||
	    goad_task_stats (parents_task, &ts) != -EPERM)
		return 6;
	if (goad_main (nothing, NULL, &cfg) != -EPERM || goad_start (&cfg) != -EPERM ||
	    goad_stop () != -EPERM)
		return 7;
	if (goad_id () != 0 || goad_procs () != 0 || goad_count () != 0 || goad_name ()[0] != '\0')
		return 8;
	if (goad_observe_procs (view, 2) != 0)
		return 9;
	goad_yield ();
	goad_preempt_disable ();
	goad_preempt_enable ();
	return 0;
}

static void fork_and_call (void *arg)
{
	pid_t pid;
	int status;

	(void) arg;
	claim_eq (goad_spawn (&parents_task, NULL, nothing, NULL), 0);
	pid = fork ();
	if (pid == 0)
		_exit (call_all ());
	claim (pid > 0);
	status = wait_for (pid);
	claim_eq (status, 0);
	claim_eq (goad_join (parents_task), 0);
}

Test (fork, calls_in_the_child_of_a_coroutine, .timeout = 30)
{
	for (int procs = 1; procs <= 2; procs++)
		cr_assert_eq (run_main (fork_and_call, NULL, procs, 0, 0), 0);
	claims_assert ();
}

static void *fork_on_a_thread (void *arg)
{
	fork_and_call (arg);
	return NULL;
}

Test (fork, calls_in_the_child_of_a_thread, .timeout = 30)
{
	goad_config_t cfg = config_of (2, 0, 0);
	pthread_t thread;

	cr_assert_eq (goad_start (&cfg), 0);
	cr_assert_eq (pthread_create (&thread, NULL, fork_on_a_thread, NULL), 0);
	cr_assert_eq (pthread_join (thread, NULL), 0);
	cr_assert_eq (goad_stop (), 0);
	claims_assert ();
}

/* With no runtime a child may start its own. */
Test (fork, a_runtime_in_the_child, .timeout = 30)
{
	int status;
	pid_t pid;

	cr_assert_eq (run_main (nothing, NULL, 1, 0, 0), 0);
	pid = fork ();
	if (pid == 0)
		_exit (run_main (nothing, NULL, 2, 0, 0) == 0 ? 0 : 1);
	cr_assert_gt (pid, 0);
	cr_assert_eq (waitpid (pid, &status, 0), pid);
	cr_assert_eq (status, 0);
}

static void fork_while_disabled (void *arg)
{
	pid_t pid;

	(void) arg;
	goad_preempt_disable ();
	goad_preempt_disable ();
	pid = fork ();
	if (pid == 0) {
		goad_preempt_enable ();
		goad_preempt_enable ();
		_exit (0);
	}
	goad_preempt_enable ();
	goad_preempt_enable ();
	claim_eq (wait_for (pid), 0);
}

Test (fork, while_preemption_is_disabled, .timeout = 30)
{
	cr_assert_eq (run_main (fork_while_disabled, NULL, 2, 0, 0), 0);
	claims_assert ();
}

/* A child that goes on as if it were the parent. */

static void return_in_the_child (void *arg)
{
	pid_t pid = fork ();

	(void) arg;
	if (pid != 0)
		_exit (child_signalled (wait_for (pid), SIGABRT) ? 0 : 1);
}

static void child_that_returns (void *arg)
{
	(void) arg;
	_exit (2 + (run_main (return_in_the_child, NULL, 2, 0, 0) != 0));
}

Test (fork, a_coroutine_that_ends_in_the_child, .timeout = 30)
{
	char out[4096];
	int status = child_run (child_that_returns, NULL, 20, out, sizeof out);

	cr_assert (child_exited (status, 0), "status %#x: %s", status, out);
	cr_assert (strstr (out, "child of fork") != NULL, "%s", out);
}

/* In a loop, beside hogs and under short slices. */

enum { FORKERS = 3, FORKS = 12 };

static _Atomic int forkers;

static void fork_often (void *arg)
{
	for (int i = 0; i < FORKS; i++) {
		pid_t pid = fork ();
		if (pid == 0) {
			if (i % 3 == 0)
				execl ("/bin/true", "true", (char *) NULL);
			_exit (i % 3 == 1 ? call_all () : 0);
		}
		claim (pid > 0);
		claim_eq (wait_for (pid), 0);
	}
	(void) arg;
	atomic_fetch_add (&forkers, 1);
}

static void fork_beside_hogs (void *arg)
{
	_Atomic int stop = 0;
	struct hog hogs[2];
	goad_task_t *task;

	memset (hogs, 0, sizeof hogs);
	atomic_store (&forkers, 0);
	claim_eq (goad_spawn (&parents_task, NULL, nothing, NULL), 0);
	hogs_begin (hogs, 2, &stop);
	for (int i = 0; i < FORKERS; i++)
		claim_eq (goad_go (fork_often, arg), 0);
	claim_eq (goad_spawn (&task, NULL, nothing, NULL), 0);
	claim_eq (goad_join (task), 0);
	await (&forkers, FORKERS);
	hogs_end (hogs, 2, &stop);
	claim_eq (goad_join (parents_task), 0);
}

Test (fork, often_beside_hogs, .timeout = 120)
{
	static const int modes[] = { GOAD_PREEMPT_AUTO, GOAD_PREEMPT_HANDOFF };

	for (int i = 0; i < 2; i++)
		cr_assert_eq (run_main (fork_beside_hogs, NULL, 2, 100 * GOAD_US, modes[i]), 0);
	claims_assert ();
}

/* The mask with which another program starts: the parent's, whatever thread forked. */

static char mask_wanted[64];
static _Atomic int on_first, on_others, askers;

static void ask_mask (void)
{
	char text[128] = "";
	int fds[2];
	pid_t pid;
	ssize_t n;

	if (pipe (fds) != 0)
		return;
	pid = fork ();
	if (pid == 0) {
		dup2 (fds[1], 1);
		execl ("/bin/grep", "grep", "SigBlk", "/proc/self/status", (char *) NULL);
		_exit (127);
	}
	close (fds[1]);
	claim_eq (wait_for (pid), 0);
	n = read (fds[0], text, sizeof text - 1);
	close (fds[0]);
	claim (n > 0 && strcmp (text, mask_wanted) == 0);
}

static void ask_masks (void *arg)
{
	(void) arg;
	for (int i = 0; i < 30 && (!atomic_load (&on_first) || !atomic_load (&on_others)); i++) {
		goad_preempt_disable ();
		pid_t here = gettid ();
		goad_preempt_enable ();
		ask_mask ();
		atomic_store (here == getpid () ? &on_first : &on_others, 1);
	}
	atomic_fetch_sub (&askers, 1);
}

static void ask_beside_hogs (void *arg)
{
	_Atomic int stop = 0;
	struct hog hog;

	(void) arg;
	memset (&hog, 0, sizeof hog);
	atomic_store (&askers, 4);
	claim_eq (hog_spawn (&hog, NULL, &stop), 0);
	for (int i = 0; i < 4; i++)
		claim_eq (goad_go (ask_masks, NULL), 0);
	while (atomic_load (&askers) > 0)
		goad_sleep (GOAD_MS);
	atomic_store (&stop, 1);
	claim_eq (goad_join (hog.task), 0);
}

static void note_own_mask (void)
{
	FILE *f = fopen ("/proc/self/status", "r");

	while (f && fgets (mask_wanted, sizeof mask_wanted, f) &&
	       strncmp (mask_wanted, "SigBlk", 6) != 0)
		;
	if (f)
		fclose (f);
}

static void masks (void *arg)
{
	sigset_t some;

	(void) arg;
	sigemptyset (&some);
	sigaddset (&some, SIGUSR2);
	sigaddset (&some, SIGURG);
	pthread_sigmask (SIG_SETMASK, &some, NULL);
	note_own_mask ();
	if (run_main (ask_beside_hogs, NULL, 2, 100 * GOAD_US, 0) != 0)
		_exit (1);
	fputs (claims_text (), stdout);
	fflush (stdout);
	_exit (on_others ? 0 : 77);
}

Test (fork, mask_of_another_program, .timeout = 60)
{
	char out[4096];
	int status = child_run (masks, NULL, 50, out, sizeof out);

	if (!TEST_SLOW) /* AddressSanitizer tells of a stack that it does not know */
		cr_assert_str_eq (out, "");
	if (child_exited (status, 77))
		cr_skip ("all forks came from one thread");
	cr_assert (child_exited (status, 0), "status %#x", status);
}
