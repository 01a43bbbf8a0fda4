/* SPDX-License-Identifier: MIT */
/* tests/api/io_close.c - closing under those who wait, numbers used again, threads that are
 * not ours, many connections, and hogs everywhere */
#include "tests/harness.h"
#include "tests/support.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

static void run (goad_fn fn, void *arg, int procs)
{
	cr_assert_eq (run_main (fn, arg, procs, 0, 0), 0);
	claims_assert ();
}

static void pair (int fd[2])
{
	claim_eq (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd), 0);
}

static _Atomic int began;

struct reader {
	int fd, expect;
	uint64_t deadline;
	goad_task_t *task;
	pthread_t thread;
};

static void read_one (void *arg)
{
	struct reader *r = arg;
	char c;

	atomic_fetch_add (&began, 1);
	claim_eq (goad_read_until (r->fd, &c, 1, r->deadline), r->expect);
}

static void *read_on_thread (void *arg)
{
	read_one (arg);
	return NULL;
}

/* They have begun; that they are parked nobody can know, so both orders are tried. */
static void settle (int n, int round)
{
	await (&began, n);
	if (round & 1)
		goad_sleep (GOAD_MS);
}

enum { READERS = 5 };

static void close_wakes (void *arg)
{
	struct reader r[READERS + 1];
	int fd[2];

	(void) arg;
	for (int round = 0; round < 40; round++) {
		atomic_store (&began, 0);
		pair (fd);
		for (int i = 0; i < READERS; i++) {
			r[i] = (struct reader){ fd[0], -ECANCELED, i & 1 ? GOAD_FOREVER : goad_after (GOAD_S),
				                    NULL, 0 };
			claim_eq (goad_spawn (&r[i].task, NULL, read_one, &r[i]), 0);
		}
		settle (READERS, 1);
		claim_eq (goad_close (fd[0]), 0);
		for (int i = 0; i < READERS; i++)
			claim_eq (goad_join (r[i].task), 0);
		claim_eq (goad_close (fd[1]), 0);
	}
}

Test (io_close, wakes_who_waits, .timeout = 20)
{
	run (close_wakes, NULL, 1);
	run (close_wakes, NULL, 2);
}

/* A reader that has only just begun may find the descriptor closed instead, or that the
 * number means a file that the runtime itself reads at that moment, to its end. */
static void read_racing (void *arg)
{
	int fd = (int) (intptr_t) arg;
	ssize_t n;
	char c;

	atomic_fetch_add (&began, 1);
	while ((n = goad_read (fd, &c, 1)) == 1)
		;
	claim (n == -ECANCELED || n == -EBADF || n == 0);
}

static void close_races (void *arg)
{
	goad_task_t *t;
	int fd[2];

	(void) arg;
	for (int round = 0; round < 2000; round++) {
		atomic_store (&began, 0);
		pair (fd);
		claim_eq (goad_spawn (&t, NULL, read_racing, (void *) (intptr_t) fd[0]), 0);
		await (&began, 1);
		claim_eq (write (fd[1], "xy", 2), 2);
		claim_eq (goad_close (fd[0]), 0);
		claim_eq (goad_join (t), 0);
		close (fd[1]);
	}
}

Test (io_close, races_with_a_reader, .timeout = 30)
{
	run (close_races, NULL, 2);
}

/* The first wait opens nothing that could take the place of a descriptor just closed, by
 * its number still in somebody's hands. */
static void first_wait (void *arg)
{
	int fd[2], other[2];

	(void) arg;
	pair (fd);
	pair (other);
	close (fd[0]);
	claim_eq (goad_wait_fd (other[0], POLLIN, goad_after (GOAD_MS)), -ETIMEDOUT);
	claim_eq (goad_wait_fd (fd[0], POLLIN, goad_after (GOAD_MS)), -EBADF);
	claim_eq (fcntl (fd[0], F_GETFD), -1);
	close (fd[1]);
	close (other[0]);
	close (other[1]);
}

Test (io_close, the_number_is_not_the_runtimes_next, .timeout = 20)
{
	run (first_wait, NULL, 1);
}

/* Closed behind our back, and the number means another file. */
static void stale (void *arg)
{
	struct reader old, new;
	int fd[2], again[2], copy;
	char c;

	(void) arg;
	for (int round = 0; round < 50; round++) {
		atomic_store (&began, 0);
		pair (fd);
		copy = round & 1 ? dup (fd[0]) : -1; /* the old file lives on, or not */
		old = (struct reader){ fd[0], -ECANCELED, GOAD_FOREVER, NULL, 0 };
		claim_eq (goad_spawn (&old.task, NULL, read_one, &old), 0);
		settle (1, 1);
		pair (again);
		claim_eq (dup2 (again[0], fd[0]), fd[0]);
		new = (struct reader){ fd[0], 1, GOAD_FOREVER, NULL, 0 };
		claim_eq (goad_spawn (&new.task, NULL, read_one, &new), 0);
		claim_eq (goad_join (old.task), 0);
		if (copy >= 0) {
			claim_eq (write (fd[1], "x", 1), 1); /* an event of the old file */
			claim_eq (goad_read (copy, &c, 1), 1);
		}
		claim_eq (goad_join_until (new.task, goad_after (GOAD_MS)), -ETIMEDOUT);
		claim_eq (write (again[1], "x", 1), 1);
		claim_eq (goad_join (new.task), 0);
		close (fd[0]);
		close (fd[1]);
		close (again[0]);
		close (again[1]);
		close (copy);
	}
}

Test (io_close, number_used_again, .timeout = 20)
{
	run (stale, NULL, 1);
	run (stale, NULL, 2);
}

/* The number goes away and comes back to the same open file. */
static void back_and_forth (void *arg)
{
	int fd[2], other[2], copy;
	struct reader r;

	(void) arg;
	pair (fd);
	pair (other);
	copy = dup (fd[0]);
	r = (struct reader){ fd[0], 1, GOAD_FOREVER, NULL, 0 };
	for (int round = 0; round < 20; round++) {
		claim_eq (dup2 (round & 1 ? copy : other[0], fd[0]), fd[0]);
		claim_eq (goad_spawn (&r.task, NULL, read_one, &r), 0);
		claim_eq (goad_join_until (r.task, goad_after (GOAD_MS)), -ETIMEDOUT);
		claim_eq (write (round & 1 ? fd[1] : other[1], "x", 1), 1);
		claim_eq (goad_join (r.task), 0);
	}
	for (int i = 0; i < 2; i++) {
		close (fd[i]);
		close (other[i]);
	}
	close (copy);
}

Test (io_close, number_goes_and_comes, .timeout = 20)
{
	run (back_and_forth, NULL, 2);
}

/* Threads that are not ours: they wait as well, and hear of closes. */
static void foreign (void *arg)
{
	struct reader r[3];
	int fd[2];

	(void) arg;
	for (int round = 0; round < 20; round++) {
		atomic_store (&began, 0);
		pair (fd);
		for (int i = 0; i < 3; i++) {
			r[i] = (struct reader){ fd[0], -ECANCELED, GOAD_FOREVER, NULL, 0 };
			claim_eq (pthread_create (&r[i].thread, NULL, read_on_thread, &r[i]), 0);
		}
		settle (3, 1);
		claim_eq (goad_close (fd[0]), 0);
		for (int i = 0; i < 3; i++)
			pthread_join (r[i].thread, NULL);
		close (fd[1]);
	}
}

Test (io_close, wakes_foreign_threads, .timeout = 30)
{
	run (foreign, NULL, 2);
}

static void *foreign_echo (void *arg)
{
	int fd = *(int *) arg;
	ssize_t n;
	char c;

	while ((n = goad_read (fd, &c, 1)) == 1)
		claim_eq (goad_write (fd, &c, 1), 1);
	claim_eq (n, 0);
	return NULL;
}

static void echo_with_thread (void *arg)
{
	pthread_t thread;
	int fd[2];
	char c;

	(void) arg;
	pair (fd);
	claim_eq (pthread_create (&thread, NULL, foreign_echo, &fd[1]), 0);
	for (int i = 0; i < 300; i++) {
		claim_eq (goad_write (fd[0], "x", 1), 1);
		claim_eq (goad_read (fd[0], &c, 1), 1);
	}
	goad_close (fd[0]);
	pthread_join (thread, NULL);
	close (fd[1]);
}

Test (io_close, foreign_threads_and_coroutines, .timeout = 20)
{
	run (echo_with_thread, NULL, 1);
	run (echo_with_thread, NULL, 2);
}

static void touch_netpoll (void *arg)
{
	int *fd = arg;

	claim_eq (goad_wait_fd (fd[1], POLLIN, goad_after (GOAD_MS)), -ETIMEDOUT);
	await (&began, 1);
	goad_sleep (2 * GOAD_MS);
}

/* The runtime ends under a thread that waits: it waits on, and through the next one. */
Test (io_close, foreign_thread_outlives_the_runtime, .timeout = 20)
{
	struct reader r;
	int fd[2];

	atomic_store (&began, 0);
	pair (fd);
	r = (struct reader){ fd[0], 1, GOAD_FOREVER, NULL, 0 };
	claim_eq (pthread_create (&r.thread, NULL, read_on_thread, &r), 0);
	for (int i = 0; i < 5; i++)
		run (touch_netpoll, fd, 2);
	claim_eq (write (fd[1], "x", 1), 1);
	pthread_join (r.thread, NULL);
	close (fd[0]);
	close (fd[1]);
	claims_assert ();
}

/* Fifty starts and stops leave no descriptor and no mapping.  ThreadSanitizer maps more for
 * its records of threads now and then; what each start left would be fifty. */
#define MAPPINGS_MORE (TEST_TSAN ? 10 : 1)
Test (io_close, fifty_starts_leave_nothing, .timeout = 30)
{
	struct census before, after;
	int fd[2];

	pair (fd);
	atomic_store (&began, 1);
	run (touch_netpoll, fd, 2);
	before = census_settled (1);
	for (int i = 0; i < 50; i++)
		run (touch_netpoll, fd, 2);
	after = census_settled (1);
	cr_assert_eq (after.fds, before.fds, "%d descriptors, then %d", before.fds, after.fds);
	cr_assert_leq (after.maps, before.maps + MAPPINGS_MORE, "%d mappings, then %d", before.maps,
	               after.maps);
	close (fd[0]);
	close (fd[1]);
}

/* As many connections as there may be descriptors, all idle, then one byte each. */

struct many {
	int n;
	_Atomic int arrived;
};

static void idle_reader (void *arg)
{
	int fd = (int) (intptr_t) arg;
	char c;

	atomic_fetch_add (&began, 1);
	claim_eq (goad_read (fd, &c, 1), 1);
	claim_eq (goad_close (fd), 0);
}

static void many_connections (void *arg)
{
	int n = *(int *) arg, *end = malloc ((size_t) n * sizeof *end);
	goad_task_t **t = malloc ((size_t) n * sizeof (*t));
	int fd[2];

	atomic_store (&began, 0);
	for (int i = 0; i < n; i++) {
		pair (fd);
		end[i] = fd[1];
		claim_eq (goad_spawn (&t[i], NULL, idle_reader, (void *) (intptr_t) fd[0]), 0);
	}
	await (&began, n);
	for (int i = 0; i < n; i++)
		claim_eq (write (end[i], "x", 1), 1);
	for (int i = 0; i < n; i++) {
		claim_eq (goad_join (t[i]), 0);
		close (end[i]);
	}
	free (end);
	free (t);
}

Test (io_close, thousands_of_connections, .timeout = 60)
{
	struct rlimit lim;
	int n;

	cr_assert_eq (getrlimit (RLIMIT_NOFILE, &lim), 0);
	lim.rlim_cur = lim.rlim_max < 20000 ? lim.rlim_max : 20000;
	cr_assert_eq (setrlimit (RLIMIT_NOFILE, &lim), 0);
	n = ((int) lim.rlim_cur - 100) / 2;
	if (n > (TEST_SLOW ? 500 : 5000))
		n = TEST_SLOW ? 500 : 5000;
	run (many_connections, &n, 1);
	run (many_connections, &n, 2);
}

/* Hogs on every P: sysmon serves the descriptors. */

enum { HOGS = 4 };
static _Atomic int stop;

static void echo (void *arg)
{
	int fd = *(int *) arg;
	char c;

	while (goad_read (fd, &c, 1) == 1)
		claim_eq (goad_write (fd, &c, 1), 1);
}

static void beside_hogs (void *arg)
{
	struct hog hog[HOGS];
	goad_task_t *t;
	int fd[2];
	char c;

	(void) arg;
	pair (fd);
	hogs_begin (hog, HOGS, &stop);
	claim_eq (goad_spawn (&t, NULL, echo, &fd[1]), 0);
	for (int i = 0; i < 20; i++) {
		claim_eq (goad_write (fd[0], "x", 1), 1);
		claim_eq (goad_read (fd[0], &c, 1), 1);
	}
	goad_close (fd[0]);
	claim_eq (goad_join (t), 0);
	hogs_end (hog, HOGS, &stop);
	close (fd[1]);
}

Test (io_close, echo_beside_hogs, .timeout = 60)
{
	program_scanned ();
	cr_assert_eq (run_main (beside_hogs, NULL, 1, GOAD_MS, 0), 0);
	cr_assert_eq (run_main (beside_hogs, NULL, 2, GOAD_MS, 0), 0);
	cr_assert_eq (run_main (beside_hogs, NULL, 2, GOAD_MS, GOAD_PREEMPT_HANDOFF), 0);
	claims_assert ();
}

/* Nobody else to wake it: still no deadlock, for who waits for a descriptor. */
static void wait_for_child (void *arg)
{
	int fd[2];
	char c;

	(void) arg;
	claim_eq (pipe (fd), 0);
	if (fork () == 0) {
		usleep (50000);
		_exit (write (fd[1], "x", 1) != 1);
	}
	close (fd[1]);
	claim_eq (goad_read (fd[0], &c, 1), 1);
	close (fd[0]);
}

Test (io_close, waiting_is_no_deadlock, .timeout = 10)
{
	run (wait_for_child, NULL, 1);
	run (wait_for_child, NULL, 2);
}
