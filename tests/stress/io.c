/* SPDX-License-Identifier: MIT */
/* tests/stress/io.c - sockets, pipes, deadlines, closes and hogs together, under chaos
 *
 * Two seconds for each of its tests.  What is written is read, in order, and nobody waits for ever. */
#include "tests/stress/stress.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

static _Atomic int stop;
static _Atomic uint64_t bytes, timeouts, closes;

static void hog (void *arg)
{
	uint64_t state = (uint64_t) (uintptr_t) arg;

	while (!atomic_load_explicit (&stop, memory_order_relaxed)) {
		choose (&state);
		loop_apart ();
	}
}

/* A stream of numbered bytes, in pieces of any size, read in pieces of any size. */

struct stream {
	int in, out;
	uint64_t seed;
};

static void reader (void *arg)
{
	struct stream *s = arg;
	uint64_t state = s->seed, at = 0;
	unsigned char buf[3000];
	ssize_t n;

	for (;;) {
		uint64_t deadline = goad_after (choose (&state) % (300 * GOAD_US));
		size_t size = choose (&state) % sizeof buf + 1;

		n = state & 1 ? goad_read (s->in, buf, size) : goad_read_until (s->in, buf, size, deadline);
		if (n == -ETIMEDOUT) {
			atomic_fetch_add (&timeouts, 1);
			continue;
		}
		if (n <= 0)
			break;
		for (ssize_t i = 0; i < n; i++, at++)
			claim_eq (buf[i], (unsigned char) (at % 251));
		atomic_fetch_add (&bytes, (uint64_t) n);
	}
	claim_eq (n, 0);
}

static void streamer (void *arg)
{
	uint64_t state = (uint64_t) (uintptr_t) arg, at = 0;
	unsigned char buf[10000];
	struct stream s;
	goad_task_t *t;
	int fd[2];

	if (state & 1)
		claim_eq (pipe (fd), 0);
	else
		claim_eq (socketpair (AF_UNIX, SOCK_STREAM | (state & 2 ? SOCK_NONBLOCK : 0), 0, fd), 0);
	s = (struct stream){ fd[0], fd[1], choose (&state) };
	claim_eq (goad_spawn (&t, NULL, reader, &s), 0);
	while (!atomic_load (&stop)) {
		size_t n = choose (&state) % sizeof buf + 1;

		for (size_t i = 0; i < n; i++)
			buf[i] = (unsigned char) ((at + i) % 251);
		claim_eq (goad_write (fd[1], buf, n), n);
		at += n;
		if (choose (&state) % 8 == 0)
			goad_sleep (choose (&state) % (100 * GOAD_US));
	}
	claim_eq (goad_close (fd[1]), 0);
	claim_eq (goad_join (t), 0);
	claim_eq (goad_close (fd[0]), 0);
}

/* Several wait for one descriptor, which is closed under them, again and again. */

static void waits (void *arg)
{
	int fd = (int) (uintptr_t) arg;
	char c;
	ssize_t n = goad_read_until (fd, &c, 1, goad_after (20 * GOAD_S));

	claim (n == 1 || n == -ECANCELED || n == -EBADF);
}

static void await_ends (goad_task_t **t, int n, int want)
{
	for (int ended = 0; ended < want;) {
		ended = 0;
		goad_yield ();
		for (int i = 0; i < n; i++) {
			goad_task_stats_t s;
			claim_eq (goad_task_stats (t[i], &s), 0);
			ended += s.state == GOAD_STATE_DEAD;
		}
	}
}

static void closer (void *arg)
{
	uint64_t state = (uint64_t) (uintptr_t) arg;
	goad_task_t *t[4];
	int fd[2];

	while (!atomic_load (&stop)) {
		uint64_t pause = choose (&state) % (100 * GOAD_US);

		claim_eq (socketpair (AF_UNIX, SOCK_STREAM, 0, fd), 0);
		for (int i = 0; i < 4; i++)
			claim_eq (goad_spawn (&t[i], NULL, waits, (void *) (uintptr_t) fd[0]), 0);
		goad_sleep (pause);
		if (pause & 1) { /* two get one each */
			claim_eq (write (fd[1], "ab", 2), 2);
			await_ends (t, 4, 2);
		}
		/* not before all have begun to wait: the number is used again by others */
		for (int i = 0; i < 4; i++) {
			goad_task_stats_t s;

			do {
				goad_yield ();
				claim_eq (goad_task_stats (t[i], &s), 0);
			} while (s.state != GOAD_STATE_WAITING && s.state != GOAD_STATE_DEAD);
		}
		claim_eq (goad_close (fd[0]), 0);
		for (int i = 0; i < 4; i++)
			claim_eq (goad_join (t[i]), 0);
		claim_eq (goad_close (fd[1]), 0);
		atomic_fetch_add (&closes, 1);
	}
}

static bool enough (void)
{
	return atomic_load (&bytes) > 1000 && atomic_load (&closes) > 1;
}

static void mix (void *arg)
{
	static const goad_fn kinds[] = { hog,      hog,      streamer, streamer, streamer,
		                             streamer, streamer, streamer, closer,   closer };
	const struct stress_plan *plan = arg;
	uint64_t state = plan->seed;

	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		claim_eq (goad_go (kinds[i], (void *) (uintptr_t) choose (&state)), 0);
	stress_wait (plan, enough);
	atomic_store (&stop, 1);
}

static void run_mix (int procs, int mode)
{
	int rc;

	atomic_store (&stop, 0);
	atomic_store (&bytes, 0);
	atomic_store (&timeouts, 0);
	atomic_store (&closes, 0);
	rc = stress_run (mix, 2, procs, mode);
	fprintf (stderr, "  %" PRIu64 " bytes, %" PRIu64 " timeouts, %" PRIu64 " closes\n", bytes,
	         timeouts, closes);
	claims_assert ();
	cr_assert_eq (rc, 0, "goad_main gave %d", rc);
	cr_expect_gt (bytes, 1000);
	cr_expect_gt (closes, 1);
}

Test (io, chosen)
{
	run_mix (2, GOAD_PREEMPT_AUTO);
}

Test (io, one_processor)
{
	run_mix (1, GOAD_PREEMPT_AUTO);
}

Test (io, handed_off)
{
	run_mix (2, GOAD_PREEMPT_HANDOFF);
}

Test (io, without_the_new_calls)
{
	setenv ("GOAD_NO_RWF_NOWAIT", "1", 1);
	setenv ("GOAD_NO_EPOLL_PWAIT2", "1", 1);
	run_mix (5, GOAD_PREEMPT_AUTO);
	unsetenv ("GOAD_NO_RWF_NOWAIT");
	unsetenv ("GOAD_NO_EPOLL_PWAIT2");
}
