/* SPDX-License-Identifier: MIT */
/* tests/stress/all.c - everything that goad does at once, under chaos
 *
 * Hogs, blockers (announced, and not), timers, sockets, channels, locks, bound threads,
 * threads from outside, exits, and the number of Ps changing all the while: six seconds, a
 * minute in `make check-stress`.  Each kind keeps an account that must be right in the end:
 * nothing is lost, nothing happens twice, nobody is left, and no descriptor or thread either.
 */
#include "tests/stress/stress.h"

#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static _Atomic int stop;
static _Atomic uint64_t started, ended;
static _Atomic uint64_t bytes, sent, received, sum_sent, sum_received, fired, blocked, resized,
    turns, locked_out, exits;

static goad_chan_t *channel[3];
static goad_mutex_t mutex;
static goad_rwlock_t rwlock;
static pthread_mutex_t plain_mutex = PTHREAD_MUTEX_INITIALIZER;
static uint64_t under_mutex, under_rwlock, under_plain; /* plain on purpose */

static bool running (void)
{
	return !atomic_load_explicit (&stop, memory_order_relaxed);
}

static void start (goad_fn fn, void *arg)
{
	atomic_fetch_add (&started, 1);
	claim_eq (goad_go (fn, arg), 0);
}

static void end (void)
{
	atomic_fetch_add (&ended, 1);
}

static void hog (void *arg)
{
	uint64_t state = (uint64_t) (uintptr_t) arg;

	while (running ()) {
		choose (&state);
		loop_apart ();
	}
	end ();
}

static void short_nap (uint64_t ns)
{
	struct timespec ts = { 0, (long) ns };

	nanosleep (&ts, NULL);
}

static void nap_for (void *arg)
{
	short_nap (*(uint64_t *) arg);
}

/* In the kernel: without a word, announced, and by goad_block. */
static void blocker (void *arg)
{
	uint64_t state = (uint64_t) (uintptr_t) arg;

	while (running ()) {
		uint64_t ns = choose (&state) % (3 * GOAD_MS);

		switch (choose (&state) % 5) {
		case 0:
			short_nap (ns);
			break;
		case 1:
			poll (NULL, 0, (int) (ns / GOAD_MS));
			break;
		case 2:
			goad_block_begin ();
			short_nap (ns);
			goad_block_end ();
			break;
		case 3:
			claim_eq (goad_block (nap_for, &ns), 0);
			break;
		default: /* a holder that sleeps or is preempted, and others that want it */
			claim_eq (pthread_mutex_lock (&plain_mutex), 0);
			under_plain++;
			atomic_fetch_add (&locked_out, 1);
			if (ns & 1)
				short_nap (ns / 8);
			claim_eq (pthread_mutex_unlock (&plain_mutex), 0);
		}
		atomic_fetch_add (&blocked, 1);
	}
	end ();
}

static void resizer (void *arg)
{
	uint64_t state = (uint64_t) (uintptr_t) arg;

	while (running ()) {
		int rc = goad_set_procs (1 + (int) (choose (&state) % 5));

		claim (rc >= 1 && rc <= 5);
		atomic_fetch_add (&resized, 1);
		goad_sleep (choose (&state) % (5 * GOAD_MS));
	}
	end ();
}

static void on_timer (void *arg)
{
	atomic_fetch_add ((_Atomic uint64_t *) arg, 1);
}

/* A coroutine is a thread to ThreadSanitizer, which dies of 8128; each takes it 0.2 ms to
 * make, and in its code hogs are not preempted, so that those that fire pile up. */
#define TIMER_UNIT (TEST_TSAN ? 100 * GOAD_MS : GOAD_MS)

static void timers (void *arg)
{
	uint64_t state = (uint64_t) (uintptr_t) arg;

	while (running ()) {
		uint64_t first = choose (&state) % GOAD_MS, period = choose (&state) % 3 * TIMER_UNIT;
		goad_timer_t *t;

		claim_eq (goad_timer_start (&t, goad_after (first), period, on_timer, &fired), 0);
		goad_sleep (choose (&state) % GOAD_MS);
		if (choose (&state) % 2)
			claim (goad_timer_reset (t, goad_after (first / 2), 0) >= 0);
		goad_sleep (choose (&state) % GOAD_MS);
		claim (goad_timer_stop (t) >= 0);
	}
	end ();
}

static void drain (void *arg)
{
	int fd = (int) (intptr_t) arg;
	unsigned char buf[700];
	uint64_t at = 0;
	ssize_t n;

	while ((n = goad_read (fd, buf, sizeof buf)) > 0) {
		for (ssize_t i = 0; i < n; i++, at++)
			claim_eq (buf[i], (unsigned char) (at % 251));
		atomic_fetch_add (&bytes, (uint64_t) n);
	}
	claim_eq (n, 0);
}

/* Streams over sockets, each with an end. */
static void socketeer (void *arg)
{
	uint64_t state = (uint64_t) (uintptr_t) arg;
	unsigned char buf[2000];
	goad_task_t *t;
	int fd[2];

	while (running ()) {
		uint64_t at = 0, length = choose (&state) % 20000;

		claim_eq (socketpair (AF_UNIX, SOCK_STREAM, 0, fd), 0);
		claim_eq (goad_spawn (&t, NULL, drain, (void *) (intptr_t) fd[0]), 0);
		while (at < length) {
			size_t n = choose (&state) % sizeof buf + 1;

			for (size_t i = 0; i < n; i++)
				buf[i] = (unsigned char) ((at + i) % 251);
			claim_eq (goad_write (fd[1], buf, n), n);
			at += n;
		}
		claim_eq (goad_close (fd[1]), 0);
		claim_eq (goad_join (t), 0);
		claim_eq (goad_close (fd[0]), 0);
	}
	end ();
}

static void send_one (goad_chan_t *ch, uint64_t value, uint64_t deadline)
{
	int rc = goad_chan_send_until (ch, &value, deadline);

	claim (rc == 0 || rc == -ETIMEDOUT);
	if (rc == 0) {
		atomic_fetch_add (&sent, 1);
		atomic_fetch_add (&sum_sent, value);
	}
}

static void sender (void *arg)
{
	uint64_t state = (uint64_t) (uintptr_t) arg;

	while (running ()) {
		goad_chan_t *ch = channel[choose (&state) % 3];

		send_one (ch, choose (&state), goad_after (choose (&state) % (2 * GOAD_MS)));
	}
	end ();
}

/* The same from threads that goad did not make. */
static void *foreign_sender (void *arg)
{
	uint64_t state = (uint64_t) (uintptr_t) arg;

	while (running ()) {
		goad_chan_t *ch = channel[choose (&state) % 3];

		send_one (ch, choose (&state), goad_after (choose (&state) % (2 * GOAD_MS)));
		short_nap (choose (&state) % (200 * GOAD_US));
	}
	return NULL;
}

static void take (uint64_t value)
{
	atomic_fetch_add (&received, 1);
	atomic_fetch_add (&sum_received, value);
}

/* Until all three are closed and empty. */
static void selector (void *arg)
{
	uint64_t value[3];
	goad_case_t c[3];
	int open = 3;
	(void) arg;

	for (int i = 0; i < 3; i++)
		c[i] = (goad_case_t){ channel[i], GOAD_RECV, &value[i], 0 };
	while (open > 0) {
		int i = goad_select (c, 3);

		claim (i >= 0 && i < 3);
		if (c[i].status == 0) {
			take (value[i]);
		} else {
			claim_eq (c[i].status, -EPIPE);
			c[i].chan = NULL;
			open--;
		}
	}
	end ();
}

static void locker (void *arg)
{
	uint64_t state = (uint64_t) (uintptr_t) arg;

	while (running ()) {
		if (goad_mutex_lock_until (&mutex, goad_after (choose (&state) % GOAD_MS)) == 0) {
			under_mutex++;
			atomic_fetch_add (&turns, 1);
			claim_eq (goad_mutex_unlock (&mutex), 0);
		}
		if (choose (&state) % 4) {
			uint64_t seen;

			claim_eq (goad_rwlock_rdlock (&rwlock), 0);
			seen = under_rwlock;
			goad_yield ();
			claim_eq (under_rwlock, seen);
		} else {
			claim_eq (goad_rwlock_wrlock (&rwlock), 0);
			under_rwlock++;
		}
		claim_eq (goad_rwlock_unlock (&rwlock), 0);
	}
	end ();
}

/* Bound for a while; every other one ends so, and its thread with it. */
static void bound (void *arg)
{
	uint64_t state = (uint64_t) (uintptr_t) arg;
	pthread_t self;

	end ();
	if (goad_lock_thread () != 0)
		return;
	self = pthread_self ();
	for (int i = 0; i < 5; i++) {
		goad_sleep (choose (&state) % (100 * GOAD_US));
		claim (pthread_equal (self, pthread_self ()));
	}
	if (choose (&state) % 2)
		goad_exit ();
	claim_eq (goad_unlock_thread (), 0);
}

static void leaver (void *arg)
{
	uint64_t state = (uint64_t) (uintptr_t) arg;

	for (uint64_t n = choose (&state) % 5000; n > 0; n--)
		choose (&state);
	end ();
	atomic_fetch_add (&exits, 1);
	goad_exit ();
}

static void spawner (void *arg)
{
	uint64_t state = (uint64_t) (uintptr_t) arg;

	while (running ()) {
		if (goad_count () < 500)
			start (choose (&state) % 16 ? leaver : bound, (void *) (uintptr_t) choose (&state));
		if (choose (&state) % 8 == 0)
			goad_sleep (choose (&state) % (300 * GOAD_US));
	}
	end ();
}

static void everything (void *arg)
{
	static const goad_fn kinds[] = { hog,       hog,       blocker, blocker, blocker, resizer,
		                             timers,    timers,    spawner, sender,  sender,  sender,
		                             socketeer, socketeer, locker,  locker,  locker };
	const struct stress_plan *plan = arg;
	uint64_t state = plan->seed;
	goad_task_t *last[2];
	pthread_t foreign;

	for (int i = 0; i < 3; i++)
		claim_eq (goad_chan_create (&channel[i], sizeof (uint64_t), (size_t) i * 4), 0);
	for (int i = 0; i < 2; i++) {
		atomic_fetch_add (&started, 1);
		claim_eq (goad_spawn (&last[i], NULL, selector, NULL), 0);
	}
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		start (kinds[i], (void *) (uintptr_t) choose (&state));
	claim_eq (pthread_create (&foreign, NULL, foreign_sender, (void *) (uintptr_t) choose (&state)),
	          0);
	goad_sleep (plan->for_ns);
	atomic_store (&stop, 1);
	pthread_join (foreign, NULL);
	while (atomic_load (&ended) + 2 < atomic_load (&started))
		goad_sleep (GOAD_MS);
	for (int i = 0; i < 3; i++)
		claim_eq (goad_chan_close (channel[i]), 0);
	for (int i = 0; i < 2; i++)
		claim_eq (goad_join (last[i]), 0);
	for (int i = 0; i < 3; i++)
		claim_eq (goad_chan_destroy (channel[i]), 0);
}

static int entries (const char *path)
{
	DIR *d = opendir (path);
	int n = 0;

	while (d && readdir (d))
		n++;
	if (d)
		closedir (d);
	return n;
}

static void forget (void)
{
	_Atomic uint64_t *const all[] = { &started, &ended,   &bytes,   &sent,  &received,   &sum_sent,
		                              &fired,   &blocked, &resized, &turns, &locked_out, &exits };

	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		atomic_store (all[i], 0);
	atomic_store (&sum_received, 0);
	atomic_store (&stop, 0);
	under_mutex = under_rwlock = under_plain = 0;
}

static void accounts_balance (void)
{
	goad_stats_t s = stats_now ();

	cr_expect_eq (ended, started, "%" PRIu64 " of %" PRIu64 " ended", ended, started);
	cr_expect_eq (s.coroutines, 0, "%" PRIu64 " alive", s.coroutines);
	cr_expect_eq (received, sent, "%" PRIu64 " sent, %" PRIu64 " received", sent, received);
	cr_expect_eq (sum_received, sum_sent);
	cr_expect_eq (under_mutex, turns);
	cr_expect_eq (under_plain, locked_out);
	cr_expect (blocked > 0 && resized > 0 && fired > 0 && bytes > 0 && sent > 0 && exits > 0);
	cr_expect_gt (s.preempt_yielded + s.preempt_handed_off, TEST_SOME (100));
}

static void run_all (double seconds, int mode)
{
	int fds, rc;

	forget ();
	fds = entries ("/proc/self/fd");
	rc = stress_run (everything, seconds, 2, mode);
	fprintf (stderr,
	         "  %" PRIu64 " coroutines, %" PRIu64 " blocked, %" PRIu64 " resizes, %" PRIu64
	         " timers fired, %" PRIu64 " bytes, %" PRIu64 " elements, %" PRIu64 " lock turns\n",
	         started, blocked, resized, fired, bytes, sent, turns);
	claims_assert ();
	cr_assert_eq (rc, 0, "goad_main gave %d", rc);
	accounts_balance ();
	/* libunwind keeps a pipe, by which it finds out what memory is there. */
	cr_expect_leq (entries ("/proc/self/fd"), fds + 2);
}

Test (all, at_once)
{
	run_all (4, GOAD_PREEMPT_AUTO);
}

Test (all, handed_off)
{
	run_all (2, GOAD_PREEMPT_HANDOFF);
}
