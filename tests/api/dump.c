/* SPDX-License-Identifier: MIT */
/* tests/api/dump.c - goad_dump: what it says of each kind of wait, and of many */
#include "tests/api/dump_kit.h"
#include "tests/harness.h"
#include "tests/support.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#define say(t, cond) cr_expect (cond, "%s\n%s", #cond, (t)->at)

/* ---- each kind of wait ------------------------------------------------------------------- */

static struct {
	goad_mutex_t mutex;
	goad_rwlock_t rwlock, read;
	goad_cond_t cond;
	goad_mutex_t of_cond;
	goad_sem_t sem;
	goad_wg_t wg;
	goad_once_t once;
	goad_chan_t *chan, *full;
	goad_task_t *holder;
	int pipe[2];
	_Atomic int held, let_go, over, ended;
} s;

static void ended (void)
{
	atomic_fetch_add (&s.ended, 1);
}

static void hold_all (void *arg)
{
	(void) arg;
	goad_mutex_lock (&s.mutex);
	goad_rwlock_wrlock (&s.rwlock);
	goad_rwlock_rdlock (&s.read);
	atomic_store (&s.held, 1);
	while (!atomic_load (&s.let_go))
		goad_sleep (GOAD_MS);
	goad_rwlock_unlock (&s.read);
	goad_rwlock_unlock (&s.rwlock);
	goad_mutex_unlock (&s.mutex);
}

static void want_mutex (void *arg)
{
	(void) arg;
	goad_mutex_lock (&s.mutex);
	goad_mutex_unlock (&s.mutex);
	ended ();
}

static void want_read (void *arg)
{
	(void) arg;
	goad_rwlock_rdlock (&s.rwlock);
	goad_rwlock_unlock (&s.rwlock);
	ended ();
}

static void want_write (void *arg)
{
	(void) arg;
	goad_rwlock_wrlock (&s.read);
	goad_rwlock_unlock (&s.read);
	ended ();
}

static void want_cond (void *arg)
{
	(void) arg;
	goad_mutex_lock (&s.of_cond);
	while (!atomic_load (&s.over))
		goad_cond_wait (&s.cond, &s.of_cond);
	goad_mutex_unlock (&s.of_cond);
	ended ();
}

static void want_sem (void *arg)
{
	(void) arg;
	goad_sem_acquire (&s.sem);
	ended ();
}

static void want_wg (void *arg)
{
	(void) arg;
	goad_wg_wait (&s.wg);
	ended ();
}

static void want_receive (void *arg)
{
	int x;
	(void) arg;
	goad_chan_recv (s.chan, &x);
	ended ();
}

static void want_send (void *arg)
{
	int x = 0;
	(void) arg;
	goad_chan_send (s.full, &x);
	ended ();
}

static void want_select (void *arg)
{
	int x;
	goad_case_t c[2] = { { s.chan, GOAD_RECV, &x, 0 }, { NULL, GOAD_RECV, &x, 0 } };
	(void) arg;
	goad_select (c, 2);
	ended ();
}

static void want_sleep (void *arg)
{
	(void) arg;
	while (!atomic_load (&s.over))
		goad_sleep (100 * GOAD_MS);
	ended ();
}

static void want_pipe (void *arg)
{
	char c;
	(void) arg;
	goad_read (s.pipe[0], &c, 1);
	ended ();
}

static void want_end (void *arg)
{
	(void) arg;
	goad_join (s.holder);
	ended ();
}

static void block_announced (void *arg)
{
	(void) arg;
	goad_block_begin ();
	while (!atomic_load (&s.over))
		usleep (100000);
	goad_block_end ();
	ended ();
}

static const struct {
	const char *name, *state, *tells;
	goad_fn fn;
} waiters[] = {
	{ "w-mutex", "[waiting", "waits for mutex 0x", want_mutex },
	{ "w-read", "[waiting", "waits for read lock 0x", want_read },
	{ "w-write", "[waiting", "held by 1 reader", want_write },
	{ "w-cond", "[waiting", "waits for condition 0x", want_cond },
	{ "w-sem", "[waiting", "waits for semaphore 0x", want_sem },
	{ "w-wg", "[waiting", "waits for wait group 0x", want_wg },
	{ "w-receive", "[waiting", "waits for chan receive 0x", want_receive },
	{ "w-send", "[waiting", " (1 of 1)", want_send },
	{ "w-select", "[waiting", "waits for one of 2: receive 0x", want_select },
	{ "w-sleep", "[waiting", "sleeps for ", want_sleep },
	{ "w-pipe", "[waiting", "waits for descriptor ", want_pipe },
	{ "w-end", "[waiting", "waits for the end of coroutine ", want_end },
	{ "w-block", "[blocked", "in system call ", block_announced },
};

#define WAITERS ((int) (sizeof waiters / sizeof *waiters))

static void set_up (void)
{
	int one = 1;

	memset (&s, 0, sizeof s);
	claim_eq (goad_chan_create (&s.chan, sizeof (int), 0), 0);
	claim_eq (goad_chan_create (&s.full, sizeof (int), 1), 0);
	claim_eq (goad_chan_send (s.full, &one), 0);
	goad_sem_init (&s.sem, 0);
	goad_wg_add (&s.wg, 1);
	claim_eq (pipe (s.pipe), 0);
}

static void release_all (void)
{
	int x;

	atomic_store (&s.let_go, 1);
	atomic_store (&s.over, 1);
	goad_mutex_lock (&s.of_cond);
	goad_cond_broadcast (&s.cond);
	goad_mutex_unlock (&s.of_cond);
	goad_sem_release (&s.sem);
	goad_wg_done (&s.wg);
	goad_chan_recv (s.full, &x);
	goad_chan_close (s.chan);
	claim_eq (goad_write (s.pipe[1], "x", 1), 1);
	while (atomic_load (&s.ended) < WAITERS)
		goad_sleep (GOAD_MS);
	goad_chan_destroy (s.chan);
	goad_chan_destroy (s.full);
	goad_close (s.pipe[0]);
	goad_close (s.pipe[1]);
}

/* All of them wait: seen by dumps, which is what is tested. */
static bool all_wait (const struct text *t)
{
	for (int i = 0; i < WAITERS; i++)
		if (!line_has (dump_line (t, waiters[i].name), waiters[i].tells))
			return false;
	return true;
}

static struct text seen;

static void dump_of_waits (void *arg)
{
	goad_attr_t attr = GOAD_ATTR_INIT;
	(void) arg;

	set_up ();
	attr.name = "the-holder";
	claim_eq (goad_spawn (&s.holder, &attr, hold_all, NULL), 0);
	while (!atomic_load (&s.held))
		goad_yield ();
	for (int i = 0; i < WAITERS; i++)
		spawn_named (waiters[i].name, waiters[i].fn, NULL);
	for (int i = 0; i < 3000; i++) {
		int fd = dump_file ();

		goad_sleep (5 * GOAD_MS);
		claim_eq (goad_dump (fd), 0);
		dump_text (&seen, fd);
		if (all_wait (&seen))
			break;
	}
	release_all ();
}

Test (dump, each_kind_of_wait, .timeout = 30)
{
	cr_assert_eq (run_main (dump_of_waits, NULL, 2, 0, 0), 0);
	claims_assert ();
	for (int i = 0; i < WAITERS; i++) {
		const char *line = dump_line (&seen, waiters[i].name);
		cr_assert (line_has (line, waiters[i].state) && line_has (line, waiters[i].tells), "%s\n%s",
		           waiters[i].name, seen.at);
		cr_expect (line_has (line, "; CPU ") && line_has (line, "; stack "), "%s", line);
	}
	say (&seen, line_has (dump_line (&seen, "w-mutex"), "held by coroutine 2 'the-holder'"));
	say (&seen, line_has (dump_line (&seen, "w-read"), "held by coroutine 2 'the-holder'"));
	say (&seen, line_has (dump_line (&seen, "w-end"), "coroutine 2 'the-holder'"));
	say (&seen, frames_have (dump_line (&seen, "w-mutex"), "want_mutex"));
	say (&seen, frames_have (dump_line (&seen, "w-block"), "block_announced"));
	say (&seen,
	     strstr (seen.at, "\nP0 [") && strstr (seen.at, "\nP1 [") && strstr (seen.at, "\nM0 tid "));
}

/* ---- many ----------------------------------------------------------------------------------- */

#define MANY (TEST_SLOW ? 2000 : 100000)

static _Atomic int parked;

static void park_there (void *arg)
{
	int x;

	atomic_fetch_add (&parked, 1);
	goad_chan_recv (arg, &x);
}

static void many (void *arg)
{
	goad_chan_t *ch;
	int fd = dump_file ();
	(void) arg;

	atomic_store (&parked, 0);
	claim_eq (goad_chan_create (&ch, sizeof (int), 0), 0);
	for (int i = 0; i < MANY; i++)
		claim_eq (goad_go (park_there, ch), 0);
	while (atomic_load (&parked) < MANY)
		goad_yield ();
	goad_sleep (20 * GOAD_MS);
	claim_eq (goad_dump (fd), 0);
	dump_text (&seen, fd);
	goad_chan_close (ch);
	while (goad_count () > 1)
		goad_sleep (GOAD_MS);
	goad_chan_destroy (ch);
}

/* Each of them is in a group with a number, and the dump is short. */
Test (dump, many_are_grouped, .timeout = 60)
{
	long in_all = 0, n;

	cr_assert_eq (run_main (many, NULL, 2, 0, 0), 0);
	claims_assert ();
	for (const char *at = seen.at; (at = strstr (at, "in the same place: ")); at++)
		if (sscanf (at, "in the same place: %ld in all", &n) == 1)
			in_all += n;
	cr_expect_geq (in_all, MANY * 9L / 10, "%ld\n%s", in_all, seen.at);
	cr_expect_lt (seen.len, 1000000);
	cr_expect (strstr (seen.at, " park_there+0x") != NULL, "%s", seen.at);
}

/* ---- errors --------------------------------------------------------------------------------- */

static void small_stack (void *arg)
{
	(void) arg;
	claim_eq (goad_dump (open ("/dev/null", O_WRONLY)), 0);
}

static void errors (void *arg)
{
	goad_attr_t attr = GOAD_ATTR_INIT;
	goad_task_t *task;
	int full = open ("/dev/full", O_WRONLY), null = open ("/dev/null", O_RDONLY);
	(void) arg;

	claim_eq (goad_dump (-1), -EBADF);
	claim_eq (goad_dump (null), -EBADF);
	claim_eq (goad_dump (full), -ENOSPC);
	close (full);
	close (null);
	attr.stack_size = TEST_SLOW ? 65536 : 16384;
	claim_eq (goad_spawn (&task, &attr, small_stack, NULL), 0);
	claim_eq (goad_join (task), 0);
}

Test (dump, errors, .timeout = 10)
{
	cr_assert_eq (goad_dump (2), -EPERM);
	cr_assert_eq (run_main (errors, NULL, 1, 0, 0), 0);
	claims_assert ();
	cr_assert_eq (goad_dump (2), -EPERM);
}

/* A pipe that a coroutine of the same program reads, on the only P. */
static void read_pipe (void *arg)
{
	char buf[512];
	size_t *total = arg;
	ssize_t n;

	while ((n = goad_read (s.pipe[0], buf, sizeof buf)) > 0)
		*total += (size_t) n;
}

static void into_pipe (void *arg)
{
	goad_task_t *task;
	(void) arg;

	claim_eq (pipe (s.pipe), 0);
	fcntl (s.pipe[1], F_SETPIPE_SZ, 4096);
	claim_eq (goad_spawn (&task, NULL, read_pipe, arg), 0);
	for (int i = 0; i < 20; i++)
		claim_eq (goad_dump (s.pipe[1]), 0);
	close (s.pipe[1]);
	claim_eq (goad_join (task), 0);
	close (s.pipe[0]);
}

Test (dump, into_a_pipe, .timeout = 30)
{
	size_t total = 0;

	cr_assert_eq (run_main (into_pipe, &total, 1, GOAD_MS, 0), 0);
	claims_assert ();
	cr_expect_gt (total, 4096);
}
