/* SPDX-License-Identifier: MIT */
/* tests/preempt/faults.c - threads that wait in a page fault, for memory that comes late: it
 * blocks without a word and outside of any system call, and costs nobody else anything
 *
 * The memory is registered with userfaultfd (2).  A page that is touched is not there until
 * somebody supplies it: the test itself, when it has seen that the rest goes on, or a thread
 * outside the runtime, some time later. */
#include "tests/preempt/stuck.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#ifndef UFFD_USER_MODE_ONLY
#define UFFD_USER_MODE_ONLY 1
#endif

enum { PAGE = 4096, PAGES = 64, WORDS = PAGE / 8 };

static int uffd = -1;
static uint64_t *slow; /* PAGES of them */
static _Atomic int inside, done, stop;

static uint64_t word_of (int page, int i)
{
	return (uint64_t) page << 32 | (uint64_t) i << 4 | 5;
}

static void supply (int page)
{
	uint64_t data[WORDS];
	struct uffdio_copy c = { .dst = (uint64_t) (uintptr_t) (slow + page * WORDS),
		                     .src = (uint64_t) (uintptr_t) data,
		                     .len = PAGE };

	for (int i = 0; i < WORDS; i++)
		data[i] = word_of (page, i);
	/* A fault that a signal broke off is told a second time when it comes again. */
	claim (ioctl (uffd, UFFDIO_COPY, &c) == 0 || errno == EEXIST);
}

/* Touches the page for the first time; out of line, and with nothing else that is slow. */
__attribute__ ((noinline)) static uint64_t sum_of (int page)
{
	const volatile uint64_t *w = slow + page * WORDS;
	uint64_t sum = 0;

	for (int i = 0; i < WORDS; i++)
		sum += w[i];
	return sum;
}

static void touch (int page)
{
	uint64_t want = 0;

	for (int i = 0; i < WORDS; i++)
		want += word_of (page, i);
	claim (sum_of (page) == want);
}

static void take_away (void)
{
	claim_eq (madvise (slow, (size_t) PAGES * PAGE, MADV_DONTNEED), 0);
}

static void open_slow (void)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register r = { .range = { .len = (uint64_t) PAGES * PAGE },
		                         .mode = UFFDIO_REGISTER_MODE_MISSING };
	void *at = mmap (NULL, (size_t) PAGES * PAGE, PROT_READ | PROT_WRITE,
	                 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	cr_assert_neq (at, MAP_FAILED);
	slow = at;
	r.range.start = (uint64_t) (uintptr_t) slow;
	uffd = (int) syscall (SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK | UFFD_USER_MODE_ONLY);
	if (uffd < 0) /* before Linux 5.11 there is no such flag */
		uffd = (int) syscall (SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);
	if (uffd < 0)
		cr_skip ("the kernel refuses userfaultfd: %s", strerror (errno));
	cr_assert_eq (ioctl (uffd, UFFDIO_API, &api), 0);
	cr_assert_eq (ioctl (uffd, UFFDIO_REGISTER, &r), 0);
}

static void begin (void)
{
	if (uffd < 0)
		open_slow ();
	take_away ();
	atomic_store (&inside, 0);
	atomic_store (&done, 0);
	atomic_store (&stop, 0);
}

static void touch_once (void *arg)
{
	atomic_fetch_add (&inside, 1);
	touch ((int) (intptr_t) arg);
	atomic_fetch_add (&done, 1);
}

static void touch_all (goad_task_t **t, int n)
{
	for (int i = 0; i < n; i++)
		claim_eq (goad_spawn (&t[i], NULL, touch_once, (void *) (intptr_t) i), 0);
}

static void supply_and_join (goad_task_t **t, int n)
{
	claim_eq (atomic_load (&done), 0);
	for (int i = 0; i < n; i++)
		supply (i);
	for (int i = 0; i < n; i++)
		claim_eq (goad_join (t[i]), 0);
	claim_eq (atomic_load (&done), n);
}

/* As many as Ps are in a fault, and the rest goes on: this one, one that sleeps now and then,
 * and one that computes. */

struct scene {
	int ps;
	bool hog; /* it can be preempted */
	uint64_t took;
};

static void tick (void *arg)
{
	for (int i = 0; i < 5; i++)
		goad_sleep (GOAD_MS);
	atomic_store ((_Atomic int *) arg, 1);
}

static void all_ps (void *arg)
{
	struct scene *s = arg;
	goad_stats_t before = stats_now (), after;
	_Atomic int ticked = 0;
	goad_task_t *t[PS], *ticker;
	struct hog hog = { .task = NULL };

	touch_all (t, s->ps);
	s->took = stuck_go_on (&inside, s->ps);
	claim_eq (goad_spawn (&ticker, NULL, tick, &ticked), 0);
	if (s->hog)
		claim_eq (hog_spawn (&hog, NULL, &stop), 0);
	await (&ticked, 1);
	while (s->hog && atomic_load (&hog.loops) < 1000)
		goad_yield ();
	after = stats_now ();
	claim (after.blocked_detected > before.blocked_detected);
	supply_and_join (t, s->ps);
	atomic_store (&stop, 1);
	claim_eq (goad_join (ticker), 0);
	if (s->hog)
		claim_eq (goad_join (hog.task), 0);
}

static void try_all (int ps, int mode)
{
	struct scene s = { .ps = ps, .hog = mode != GOAD_PREEMPT_OFF && mode != GOAD_PREEMPT_COOP };

	begin ();
	program_scanned ();
	cr_assert_eq (run_main (all_ps, &s, ps, 0, mode), 0);
	claims_assert ();
	stuck_assert_short (s.took, "%d us on %d Ps in mode %d", (int) (s.took / GOAD_US), ps, mode);
}

Test (faults, as_many_as_ps_hold_up_nobody, .timeout = 60)
{
	stuck_on_all_ps (try_all);
}

Test (faults, in_every_mode, .timeout = 60)
{
	stuck_in_every_mode (try_all);
}

Test (faults, without_the_syscall_file, .timeout = 60)
{
	stuck_without_syscall_file (try_all);
}

Test (faults, without_membarrier, .timeout = 60)
{
	stuck_without_membarrier (try_all);
}

/* With the page there it computes on, without a call into goad, and is taken in again. */
Test (faults, one_that_computes_on_is_taken_in_again, .timeout = 60)
{
	struct stuck_back way = { touch, supply, false };

	for (int mode = GOAD_PREEMPT_AUTO; mode <= GOAD_PREEMPT_OFF; mode++) {
		begin ();
		program_scanned ();
		cr_assert_eq (run_main (stuck_comes_back, &way, 1, 2 * GOAD_MS, mode), 0);
		claims_assert ();
	}
}

/* To stop the world each thread with a P is sent the signal, whatever it does.  One that is
 * in a fault runs the handler, halts there, and afterwards faults again. */
static void stop_the_world (void *arg)
{
	goad_stats_t before = stats_now (), after;
	goad_task_t *t[PS];

	(void) arg;
	touch_all (t, PS);
	await (&inside, PS);
	for (int i = 0; i < 20; i++)
		claim_eq (goad_set_procs (PS + i % 2), PS + !(i % 2));
	after = stats_now ();
	claim (after.signals_sent > before.signals_sent);
	supply_and_join (t, PS);
}

Test (faults, a_signal_in_the_midst_of_one, .timeout = 60)
{
	for (int mode = GOAD_PREEMPT_AUTO; mode <= GOAD_PREEMPT_YIELD; mode++) {
		begin ();
		program_scanned ();
		cr_assert_eq (run_main (stop_the_world, NULL, PS + 1, 0, mode), 0);
		claims_assert ();
	}
}

/* All that is touched is supplied by another thread, at once or late, while hogs have every
 * slice of the touching ones ended. */

static int ends[2];

static void *supplier (void *arg)
{
	struct pollfd p[2] = { { .fd = uffd, .events = POLLIN }, { .fd = ends[0], .events = POLLIN } };
	unsigned r = 1;

	(void) arg;
	while (poll (p, 2, -1) > 0 && !p[1].revents) {
		struct uffd_msg msg;
		int page;

		if (read (uffd, &msg, sizeof msg) != (ssize_t) sizeof msg)
			continue; /* and is no event meanwhile */
		page = (int) ((msg.arg.pagefault.address - (uint64_t) (uintptr_t) slow) / PAGE);
		r = r * 1103515245 + 12345;
		if (r >> 16 & 3)
			usleep (r >> 18 & 511);
		else if ((r >> 18 & 7) == 0)
			usleep (5000);
		supply (page);
	}
	return NULL;
}

enum { WALKERS = 4 };

static void walk (void *arg)
{
	int first = (int) (intptr_t) arg * (PAGES / WALKERS);

	for (int i = 0; i < PAGES / WALKERS; i++) {
		touch (first + i);
		spin_loops (20000);
		touch (first + i); /* as it was */
	}
}

static bool seen_both (void)
{
	goad_stats_t s = stats_now ();

	return s.blocked_detected > 0 && s.preempt_yielded + s.preempt_handed_off > 0;
}

static void walk_beside_hogs (void *arg)
{
	uint64_t limit = goad_after (10 * GOAD_S);
	struct hog hogs[PS];
	goad_task_t *t[WALKERS];

	(void) arg;
	hogs_begin (hogs, PS, &stop);
	do {
		take_away ();
		for (int i = 0; i < WALKERS; i++)
			claim_eq (goad_spawn (&t[i], NULL, walk, (void *) (intptr_t) i), 0);
		for (int i = 0; i < WALKERS; i++)
			claim_eq (goad_join (t[i]), 0);
	} while (!seen_both () && goad_now () < limit);
	hogs_end (hogs, PS, &stop);
	claim (seen_both ());
}

static void try_late_pages (int mode)
{
	pthread_t thread;

	begin ();
	program_scanned ();
	cr_assert_eq (pipe (ends), 0);
	cr_assert_eq (pthread_create (&thread, NULL, supplier, NULL), 0);
	cr_assert_eq (run_main (walk_beside_hogs, NULL, PS, 200 * GOAD_US, mode), 0);
	cr_assert_eq (write (ends[1], "x", 1), 1);
	cr_assert_eq (pthread_join (thread, NULL), 0);
	close (ends[0]);
	close (ends[1]);
	claims_assert ();
}

Test (faults, pages_that_come_late_beside_hogs, .timeout = 60)
{
	for (int mode = GOAD_PREEMPT_AUTO; mode <= GOAD_PREEMPT_YIELD; mode++)
		try_late_pages (mode);
}

Test (faults, pages_that_come_late_without_the_syscall_file, .timeout = 60)
{
	setenv ("GOAD_NO_PROC_SYSCALL", "1", 1);
	try_late_pages (GOAD_PREEMPT_AUTO);
}
