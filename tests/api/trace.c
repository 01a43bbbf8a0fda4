/* SPDX-License-Identifier: MIT */
/* tests/api/trace.c - goad_trace_start and goad_trace_stop: when they may be called, and that
 * the file is whole whatever happens meanwhile.  What stands in it is for tests/tools/trace.sh. */
#include "tests/harness.h"
#include "tests/support.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char path[64];

static const char *new_path (void)
{
	static _Atomic int n;

	snprintf (path, sizeof path, "/tmp/goad-trace-test.%d.%d", (int) getpid (), ++n);
	return path;
}

/* From block to block to the end; how many of one kind, or -1 if the file is not whole. */
static long blocks (const char *name, char kind)
{
	static unsigned char buf[16 << 20];
	int fd = open (name, O_RDONLY);
	long n = 0, last = 0;
	ssize_t size = fd < 0 ? -1 : read (fd, buf, sizeof buf), at = 64;

	if (fd >= 0)
		close (fd);
	if (size < 64 || memcmp (buf, "goadtrac", 8) != 0)
		return -1;
	while (at + 5 <= size) {
		uint32_t len;
		memcpy (&len, buf + at + 1, sizeof len);
		n += buf[at] == kind;
		last = buf[at];
		at += 5 + len;
	}
	return at == size && last == 'Z' ? n : -1;
}

static void nothing (void *arg)
{
	(void) arg;
}

static void spawn_some (void *arg)
{
	goad_task_t *t[50];

	(void) arg;
	for (int i = 0; i < 50; i++)
		claim (goad_spawn (&t[i], NULL, nothing, NULL) == 0);
	for (int i = 0; i < 50; i++)
		claim (goad_join (t[i]) == 0);
}

Test (trace, arguments)
{
	cr_assert_eq (goad_trace_start (NULL), -EINVAL);
	cr_assert_eq (goad_trace_start (""), -EINVAL);
	cr_assert_eq (goad_trace_start ("/nonexistent/x"), -ENOENT);
	cr_assert_eq (goad_trace_start ("/tmp"), -EISDIR);
	cr_assert_eq (goad_trace_stop (), -EALREADY);
}

static void inside (void *arg)
{
	(void) arg;
	claim_eq (goad_trace_start (path), 0);
	claim_eq (goad_trace_start (path), -EBUSY);
	spawn_some (NULL);
	claim_eq (goad_trace_stop (), 0);
	claim_eq (goad_trace_stop (), -EALREADY);
	claim (blocks (path, 'E') > 0);
}

Test (trace, inside)
{
	new_path ();
	cr_assert_eq (run_main (inside, NULL, 2, 0, 0), 0);
	claims_assert ();
	unlink (path);
}

static void left_on (void *arg)
{
	claim_eq (goad_trace_start (arg), 0);
	spawn_some (NULL);
}

/* One that its own runtime outlives not. */
Test (trace, ends_with_the_runtime)
{
	new_path ();
	cr_assert_eq (run_main (left_on, path, 2, 0, 0), 0);
	cr_assert_gt (blocks (path, 'E'), 0);
	cr_assert_eq (goad_trace_stop (), 0);
	cr_assert_eq (goad_trace_stop (), -EALREADY);
	cr_assert_eq (run_main (left_on, path, 2, 0, 0), 0);
	claims_assert ();
	unlink (path);
}

/* Started before, it goes on with each runtime. */
Test (trace, goes_on_with_the_next_runtime)
{
	new_path ();
	cr_assert_eq (goad_trace_start (path), 0);
	for (int i = 0; i < 3; i++)
		cr_assert_eq (run_main (spawn_some, NULL, 2, 0, 0), 0);
	cr_assert_eq (goad_trace_start (path), -EBUSY);
	cr_assert_eq (goad_trace_stop (), 0);
	cr_assert_eq (blocks (path, 'M'), 3);
	claims_assert ();
	unlink (path);
}

Test (trace, leaves_nothing_behind)
{
	struct census before, after;

	new_path ();
	for (int i = 0; i < 2; i++) {
		cr_assert_eq (goad_trace_start (path), 0);
		cr_assert_eq (run_main (spawn_some, NULL, 2, 0, 0), 0);
		cr_assert_eq (goad_trace_stop (), 0);
		if (i == 0)
			before = census_now ();
	}
	after = census_settled (before.threads);
	cr_assert_eq (after.threads, before.threads);
	cr_assert_eq (after.fds, before.fds);
	unlink (path);
}

Test (trace, a_full_disk_is_told)
{
	int fd = open ("/dev/full", O_WRONLY);

	if (fd < 0)
		cr_skip ("there is no /dev/full");
	close (fd);
	cr_assert_eq (goad_trace_start ("/dev/full"), -ENOSPC);
	cr_assert_eq (run_main (spawn_some, NULL, 2, 0, 0), 0);
	cr_assert_eq (goad_trace_stop (), -EALREADY);
}

struct many {
	_Atomic int stop, done;
};

static void hop (void *arg)
{
	struct many *m = arg;
	goad_chan_t *ch;

	claim (goad_chan_create (&ch, sizeof (int), 1) == 0);
	for (int i = 0; !atomic_load (&m->stop); i++) {
		char *p = malloc (100 + (size_t) i % 1000);
		goad_chan_send (ch, &i);
		goad_chan_recv (ch, &i);
		if (i % 64 == 0)
			goad_sleep (50 * GOAD_US);
		if (i % 512 == 0) {
			goad_block_begin ();
			usleep (20);
			goad_block_end ();
		}
		free (p);
	}
	goad_chan_destroy (ch);
	atomic_fetch_add (&m->done, 1);
}

static void storm (void *arg)
{
	struct many *m = arg;

	while (!atomic_load (&m->stop)) {
		void *volatile p = malloc (200);
		free (p);
	}
	atomic_fetch_add (&m->done, 1);
}

static void on_and_off (void *arg)
{
	struct many *m = arg;
	struct hog hogs[2];
	goad_task_t *t[6];

	for (int i = 0; i < 2; i++)
		claim (hog_spawn (&hogs[i], NULL, &m->stop) == 0);
	for (int i = 0; i < 6; i++)
		claim (goad_spawn (&t[i], NULL, i < 4 ? hop : storm, m) == 0);
	for (int i = 0; i < 25; i++) {
		claim_eq (goad_trace_start (path), 0);
		goad_sleep ((uint64_t) (i % 5) * GOAD_MS);
		claim_eq (goad_trace_stop (), 0);
		claim (blocks (path, 'E') >= 0);
	}
	atomic_store (&m->stop, 1);
	for (int i = 0; i < 6; i++)
		claim (goad_join (t[i]) == 0);
	for (int i = 0; i < 2; i++)
		claim (goad_join (hogs[i].task) == 0);
}

Test (trace, on_and_off_beside_everything, .timeout = 60)
{
	struct many m = { 0 };

	new_path ();
	cr_assert_eq (run_main (on_and_off, &m, 3, 100 * GOAD_US, 0), 0);
	cr_assert_eq (atomic_load (&m.done), 6);
	claims_assert ();
	unlink (path);
}

/* Two that start and stop at the same time: each call says what came of it. */
static void *toggle (void *arg)
{
	struct many *m = arg;
	char mine[80];

	snprintf (mine, sizeof mine, "%s.%lx", path, (unsigned long) pthread_self ());
	while (!atomic_load (&m->stop)) {
		int e = goad_trace_start (mine);
		if (e != 0 && e != -EBUSY)
			atomic_fetch_add (&m->done, 1000);
		e = goad_trace_stop ();
		if (e != 0 && e != -EALREADY)
			atomic_fetch_add (&m->done, 1000);
	}
	unlink (mine);
	return NULL;
}

Test (trace, from_other_threads_while_runtimes_come_and_go, .timeout = 60)
{
	struct many m = { 0 };
	pthread_t t[2];

	new_path ();
	for (int i = 0; i < 2; i++)
		cr_assert_eq (pthread_create (&t[i], NULL, toggle, &m), 0);
	for (int i = 0; i < 20; i++)
		cr_assert_eq (run_main (spawn_some, NULL, 2, 0, 0), 0);
	atomic_store (&m.stop, 1);
	for (int i = 0; i < 2; i++)
		pthread_join (t[i], NULL);
	cr_assert_eq (atomic_load (&m.done), 0);
	claims_assert ();
}

static int wait_for (pid_t pid)
{
	int status = -1;
	pid_t got;

	while ((got = waitpid (pid, &status, WNOHANG)) == 0 || (got < 0 && errno == EINTR))
		goad_sleep (200 * GOAD_US);
	return status;
}

/* The child writes nothing into the parent's file. */
static void fork_inside (void *arg)
{
	struct stat st;
	(void) arg;

	claim_eq (goad_trace_start (path), 0);
	for (int i = 0; i < 5; i++) {
		pid_t pid = fork ();
		if (pid == 0)
			_exit (goad_trace_start (path) != -EPERM || goad_trace_stop () != -EPERM);
		claim_eq (wait_for (pid), 0);
	}
	claim_eq (goad_trace_stop (), 0);
	claim (stat (path, &st) == 0 && st.st_size > 0);
	claim (blocks (path, 'E') > 0);
}

Test (trace, fork)
{
	new_path ();
	cr_assert_eq (run_main (fork_inside, NULL, 2, GOAD_MS, 0), 0);
	claims_assert ();
	unlink (path);
}

/* No runtime yet: a child has its own trace, and its parent's goes on. */
Test (trace, fork_outside)
{
	int status;
	pid_t pid;

	new_path ();
	cr_assert_eq (goad_trace_start (path), 0);
	pid = fork ();
	if (pid == 0)
		_exit (goad_trace_stop () != -EALREADY || run_main (spawn_some, NULL, 2, 0, 0) != 0);
	cr_assert_eq (waitpid (pid, &status, 0), pid);
	cr_assert (child_exited (status, 0));
	cr_assert_eq (run_main (spawn_some, NULL, 2, 0, 0), 0);
	cr_assert_eq (goad_trace_stop (), 0);
	cr_assert_eq (blocks (path, 'M'), 1);
	claims_assert ();
	unlink (path);
}

static void wait_for_ever (void *arg)
{
	goad_chan_t *ch;
	int v;

	(void) arg;
	claim (goad_chan_create (&ch, sizeof v, 0) == 0);
	goad_chan_recv (ch, &v);
}

static void deadlock (void *arg)
{
	(void) arg;
	if (setenv ("GOAD_TRACE", path, 1) != 0 || setenv ("GOAD_SCHEDTRACE", "20", 1) != 0)
		_exit (2);
	_exit (run_main (wait_for_ever, NULL, 2, 0, 0) == -EDEADLK ? 0 : 1);
}

/* The tracer's thread is the runtime's, and wakes nobody. */
Test (trace, deadlock_is_found)
{
	char out[8192];

	if (TEST_TSAN)
		cr_skip ("ThreadSanitizer has a thread of its own");
	new_path ();
	cr_assert (child_exited (child_run (deadlock, NULL, 20, out, sizeof out), 0), "%s", out);
	cr_assert_gt (blocks (path, 'E'), 0);
	unlink (path);
}

static void exit_inside (void *arg)
{
	(void) arg;
	spawn_some (NULL);
	exit (3);
}

static void run_and_exit (void *arg)
{
	(void) arg;
	if (setenv ("GOAD_TRACE", path, 1) == 0)
		(void) run_main (exit_inside, NULL, 2, 0, 0);
}

Test (trace, exit_in_the_middle)
{
	char out[1024];

	new_path ();
	cr_assert (child_exited (child_run (run_and_exit, NULL, 20, out, sizeof out), 3), "%s", out);
	cr_assert_gt (blocks (path, 'E'), 0);
	unlink (path);
}

static void cannot_write (void *arg)
{
	(void) arg;
	if (setenv ("GOAD_TRACE", "/nonexistent/t", 1) == 0)
		_exit (run_main (spawn_some, NULL, 2, 0, 0) == 0 ? 0 : 1);
}

static void bad_period (void *arg)
{
	(void) arg;
	if (setenv ("GOAD_SCHEDTRACE", "often", 1) == 0)
		_exit (run_main (nothing, NULL, 2, 0, 0) == -EINVAL ? 0 : 1);
}

Test (trace, environment)
{
	char out[1024];

	cr_assert (child_exited (child_run (cannot_write, NULL, 20, out, sizeof out), 0));
	cr_assert (strstr (out, "GOAD_TRACE=/nonexistent/t: no trace is written"), "%s", out);
	cr_assert (child_exited (child_run (bad_period, NULL, 20, out, sizeof out), 0));
	cr_assert (strstr (out, "GOAD_SCHEDTRACE=often: it must be"), "%s", out);
}
