/* SPDX-License-Identifier: MIT */
/* tests/api/dump.c - goad_dump: what it says of everybody, and that it may be asked any time */
#include "tests/harness.h"
#include "tests/support.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

/* ---- a dump as text -------------------------------------------------------------------- */

struct text {
	char *at;
	size_t len;
};

static int memory_file (void)
{
	return memfd_create ("dump", MFD_CLOEXEC);
}

static struct text text_of (int fd)
{
	struct text t = { NULL, 0 };
	off_t end = lseek (fd, 0, SEEK_END);

	t.at = calloc (1, (size_t) end + 1);
	if (t.at && pread (fd, t.at, (size_t) end, 0) == end)
		t.len = (size_t) end;
	close (fd);
	return t;
}

/* The line of the coroutine with that name. */
static const char *line_of (const struct text *t, const char *name)
{
	char head[64];
	const char *at;

	snprintf (head, sizeof head, " '%s' [", name);
	for (at = t->at; (at = strstr (at, head)); at++) {
		const char *begin = at;
		while (begin > t->at && begin[-1] != '\n')
			begin--;
		if (strncmp (begin, "coroutine ", 10) == 0)
			return begin;
	}
	return NULL;
}

static bool line_has (const char *line, const char *what)
{
	const char *end = line ? strchr (line, '\n') : NULL;
	const char *at = line ? strstr (line, what) : NULL;

	return at && end && at < end;
}

/* The frames of its group, which follow the lines of all who are in it. */
static bool frames_have (const char *line, const char *symbol)
{
	char what[64];

	snprintf (what, sizeof what, " %s+0x", symbol);
	for (bool frames = false; line && *line; line++) {
		if (strncmp (line, "  #", 3) == 0)
			frames = true;
		else if (frames)
			return false;
		if (frames && line_has (line, what))
			return true;
		line = strchr (line, '\n');
		if (!line)
			return false;
	}
	return false;
}

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

static void spawn_named (const char *name, goad_fn fn, void *arg)
{
	goad_attr_t attr = GOAD_ATTR_INIT;
	goad_task_t *task;

	attr.name = name;
	claim_eq (goad_spawn (&task, &attr, fn, arg), 0);
	claim_eq (goad_detach (task), 0);
}

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
		if (!line_has (line_of (t, waiters[i].name), waiters[i].tells))
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
	for (int i = 0; i < 200; i++) {
		int fd = memory_file ();

		goad_sleep (5 * GOAD_MS);
		claim_eq (goad_dump (fd), 0);
		free (seen.at);
		seen = text_of (fd);
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
		const char *line = line_of (&seen, waiters[i].name);
		cr_assert (line_has (line, waiters[i].state) && line_has (line, waiters[i].tells), "%s\n%s",
		           waiters[i].name, seen.at);
		cr_expect (line_has (line, "; CPU ") && line_has (line, "; stack "), "%s", line);
	}
	say (&seen, line_has (line_of (&seen, "w-mutex"), "held by coroutine 2 'the-holder'"));
	say (&seen, line_has (line_of (&seen, "w-read"), "held by coroutine 2 'the-holder'"));
	say (&seen, line_has (line_of (&seen, "w-end"), "coroutine 2 'the-holder'"));
	say (&seen, frames_have (line_of (&seen, "w-mutex"), "want_mutex"));
	say (&seen, frames_have (line_of (&seen, "w-block"), "block_announced"));
	say (&seen,
	     strstr (seen.at, "\nP0 [") && strstr (seen.at, "\nP1 [") && strstr (seen.at, "\nM0 tid "));
}

/* ---- those that run, and those that were stopped ----------------------------------------- */

static volatile int hogs_stop;

__attribute__ ((noinline)) static void loop_without_end (void *arg)
{
	volatile unsigned long n = 0;
	(void) arg;

	while (!hogs_stop)
		n++;
}

__attribute__ ((noinline)) static void fill_without_end (void *arg)
{
	static char space[1 << 16];
	(void) arg;

	while (!hogs_stop) {
		memset (space, 1, sizeof space);
		__asm__ volatile("" ::"r"(space) : "memory");
	}
}

__attribute__ ((noinline)) static void loop_undisturbed (void *arg)
{
	volatile unsigned long n = 0;
	(void) arg;

	goad_preempt_disable ();
	while (!hogs_stop)
		n++;
	goad_preempt_enable ();
}

struct hunt {
	goad_fn fn;
	int mode, procs;
	const char *symbol, *state; /* what is awaited */
	bool found;
};

/* From a thread outside: nobody else asks for the P, so the hogs are what runs. */
static void *hunt_run (void *arg)
{
	struct hunt *h = arg;

	for (int i = 0; i < 400 && !h->found; i++) {
		int fd = memory_file ();
		int rc = goad_dump (fd);

		free (seen.at);
		seen = text_of (fd);
		for (int k = 0; k < 2; k++) {
			const char *line = line_of (&seen, k ? "hog-1" : "hog-0");
			h->found |= rc == 0 && line_has (line, h->state) && frames_have (line, h->symbol);
		}
		usleep (2000);
	}
	hogs_stop = 1;
	return NULL;
}

static void hunt_first (void *arg)
{
	static pthread_t thread;
	struct hunt *h = arg;
	goad_task_t *task[2];
	goad_attr_t attr = GOAD_ATTR_INIT;

	hogs_stop = 0;
	attr.preempt = h->mode;
	attr.name = "hog-0";
	claim_eq (goad_spawn (&task[0], &attr, h->fn, NULL), 0);
	attr.name = "hog-1";
	claim_eq (goad_spawn (&task[1], &attr, h->fn, NULL), 0);
	claim_eq (pthread_create (&thread, NULL, hunt_run, h), 0);
	claim_eq (goad_join (task[0]), 0);
	claim_eq (goad_join (task[1]), 0);
	pthread_join (thread, NULL);
}

static void hunt (struct hunt h)
{
	program_scanned ();
	cr_assert_eq (run_main (hunt_first, &h, h.procs, GOAD_MS, 0), 0);
	claims_assert ();
	cr_assert (h.found, "%s\n%s", h.state, seen.at);
}

Test (dump, hog_that_runs, .timeout = 30)
{
	hunt ((struct hunt){ loop_without_end, 0, 1, "loop_without_end", "[running", false });
}

Test (dump, hog_without_preemption, .timeout = 30)
{
	hunt ((struct hunt){ loop_undisturbed, 0, 2, "loop_undisturbed", "[running", false });
	hunt ((struct hunt){ loop_without_end, GOAD_PREEMPT_OFF, 2, "loop_without_end", "[running",
	                     false });
}

Test (dump, hog_that_was_yielded, .timeout = 30)
{
	hunt ((struct hunt){ loop_without_end, 0, 1, "loop_without_end", "[runnable", false });
	cr_expect (strstr (seen.at, "yielded in place at loop_without_end+0x") != NULL, "%s", seen.at);
}

Test (dump, hog_that_was_handed_off, .timeout = 30)
{
	hunt ((struct hunt){ fill_without_end, TEST_TSAN ? GOAD_PREEMPT_HANDOFF : 0, 1,
	                     "fill_without_end", "[runnable, handed off", false });
	cr_expect (strstr (seen.at, "handed off at ") != NULL, "%s", seen.at);
}

/* Asleep in the kernel, and nobody was told. */
static void sleep_unannounced (void *arg)
{
	(void) arg;
	while (!hogs_stop)
		usleep (100000);
}

Test (dump, asleep_in_the_kernel, .timeout = 30)
{
	hunt ((struct hunt){ sleep_unannounced, 0, 1, "sleep_unannounced", "in system call ", false });
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
	int fd = memory_file ();
	(void) arg;

	atomic_store (&parked, 0);
	claim_eq (goad_chan_create (&ch, sizeof (int), 0), 0);
	for (int i = 0; i < MANY; i++)
		claim_eq (goad_go (park_there, ch), 0);
	while (atomic_load (&parked) < MANY)
		goad_yield ();
	goad_sleep (20 * GOAD_MS);
	claim_eq (goad_dump (fd), 0);
	seen = text_of (fd);
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

/* ---- at any time ---------------------------------------------------------------------------- */

static _Atomic int churn_over;

static void churn_child (void *arg)
{
	(void) arg;
	goad_yield ();
}

static void churn (void *arg)
{
	(void) arg;
	while (!atomic_load (&churn_over)) {
		goad_task_t *task;
		if (goad_spawn (&task, NULL, churn_child, NULL) == 0)
			goad_join (task);
	}
}

static void churn_memory (void *arg)
{
	(void) arg;
	while (!atomic_load (&churn_over)) {
		char *p = malloc (5000);
		memset (p, 1, 5000);
		free (p);
	}
}

static void churn_sleep (void *arg)
{
	(void) arg;
	while (!atomic_load (&churn_over)) {
		usleep (200);
		goad_sleep (50 * GOAD_US);
		goad_block (churn_child, NULL);
	}
}

static void *churn_outside (void *arg)
{
	int fd = open ("/dev/null", O_WRONLY);
	(void) arg;

	while (!atomic_load (&churn_over)) {
		int rc = goad_dump (fd);
		claim (rc == 0 || rc == -EPERM);
	}
	close (fd);
	return NULL;
}

static void churn_first (void *arg)
{
	int fd = open ("/dev/null", O_WRONLY);
	uint64_t end = goad_after ((uint64_t) (intptr_t) arg * GOAD_MS);
	pthread_t thread;
	long dumps = 0;

	atomic_store (&churn_over, 0);
	for (int i = 0; i < 3; i++) {
		goad_go (churn, NULL);
		goad_go (churn_memory, NULL);
		goad_go (churn_sleep, NULL);
	}
	claim_eq (pthread_create (&thread, NULL, churn_outside, NULL), 0);
	while (goad_now () < end || dumps < 3) {
		claim_eq (goad_dump (fd), 0);
		goad_set_procs (1 + (int) (dumps++ % 3));
	}
	atomic_store (&churn_over, 1);
	goad_block_begin ();
	pthread_join (thread, NULL);
	goad_block_end ();
	close (fd);
}

Test (dump, while_everything_moves, .timeout = 60)
{
	const char *more = getenv ("GOAD_STRESS");
	intptr_t ms = more && atoi (more) > 0 ? 1500 * atoi (more) : 1500;

	cr_assert_eq (run_main (churn_first, (void *) ms, 2, 100 * GOAD_US, 0), 0);
	claims_assert ();
}

Test (dump, under_chaos, .timeout = 60)
{
	goad_config_t cfg = config_of (2, 100 * GOAD_US, 0);

	setenv ("GOAD_DEBUG", "chaos=7", 1);
	cr_assert_eq (goad_main (churn_first, (void *) (intptr_t) 1000, &cfg), 0);
	unsetenv ("GOAD_DEBUG");
	claims_assert ();
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

/* ---- SIGQUIT --------------------------------------------------------------------------------- */

static void quit_hog (void *arg)
{
	(void) arg;
	kill (getpid (), SIGQUIT);
	loop_without_end (NULL);
}

static void quit_child (void *arg)
{
	(void) arg;
	setenv ("GOAD_DUMP_ON_QUIT", "1", 1);
	hogs_stop = 0;
	run_main (quit_hog, NULL, 2, 0, 0);
}

Test (dump, on_quit, .timeout = 30)
{
	static char out[65536];
	int status = child_run (quit_child, NULL, 20, out, sizeof out);

	cr_assert (child_signalled (status, SIGQUIT), "status %#x: %s", status, out);
	cr_expect (strstr (out, "goad: SIGQUIT\n") != NULL, "%s", out);
	cr_expect (strstr (out, "goad: coroutine 1 '' [running") != NULL, "%s", out);
	cr_expect (strstr (out, " loop_without_end+0x") != NULL, "%s", out);
	cr_expect (strstr (out, "goad: P0 [") != NULL, "%s", out);
}

static void nothing (void *arg)
{
	(void) arg;
}

static void on_quit_before (int signo)
{
	(void) signo;
}

Test (dump, quit_is_put_back, .timeout = 10)
{
	struct sigaction mine = { .sa_handler = on_quit_before }, now;

	sigaction (SIGQUIT, &mine, NULL);
	setenv ("GOAD_DUMP_ON_QUIT", "1", 1);
	cr_assert_eq (run_main (nothing, NULL, 1, 0, 0), 0);
	unsetenv ("GOAD_DUMP_ON_QUIT");
	sigaction (SIGQUIT, NULL, &now);
	cr_assert (now.sa_handler == on_quit_before);
	signal (SIGQUIT, SIG_DFL);
}

/* ---- what goes wrong ------------------------------------------------------------------------- */

static void wrong_exit (void *arg)
{
	(void) arg;
	goad_preempt_enable ();            /* without its disable */
	__asm__ volatile("" ::: "memory"); /* that was no jump */
}

static void one_who_waits (void *arg)
{
	goad_sem_acquire (arg);
}

static void wrong (void *arg)
{
	static goad_sem_t sem;
	(void) arg;

	goad_sem_init (&sem, 0);
	spawn_named ("bystander", one_who_waits, &sem);
	goad_sleep (5 * GOAD_MS);
	spawn_named ("culprit", wrong_exit, NULL);
	goad_sleep (GOAD_S);
}

static void wrong_child (void *arg)
{
	(void) arg;
	setenv ("GOAD_DUMP_ON_FATAL", "1", 1);
	run_main (wrong, NULL, 2, 0, 0);
}

Test (dump, on_a_fatal_error, .timeout = 30)
{
	static char out[65536];
	int status = child_run (wrong_child, NULL, 20, out, sizeof out);

	cr_assert (child_signalled (status, SIGABRT), "status %#x: %s", status, out);
	cr_expect (strstr (out, " 'culprit' [running") != NULL, "%s", out);
	cr_expect (strstr (out, " wrong_exit+0x") != NULL, "%s", out);
	cr_expect (strstr (out, " 'bystander' [waiting") != NULL, "%s", out);
}
