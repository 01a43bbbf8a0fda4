/* SPDX-License-Identifier: MIT */
/* GOAD_TOP: a thread that shows four times a second what runs.
 *
 * The page is a seqlock's: [ord:top-seq] its number is odd while the rest is written.  There
 * is one writer, this thread; readers are other processes, which can hold up nobody, as they
 * have the page to read only.  What is shown is put together beside the page and copied, so
 * that the number is odd for a microsecond only.
 *
 * Where nothing runs nothing is to be shown, and the thread sleeps without a deadline.  Under
 * the scheduler's lock it finds all Ps idle and sets sched.top_asleep; who takes a P off the
 * idle list, which is under that lock too, clears it and wakes the thread (sched/idle.c).  So
 * there is no moment between the look and the sleep in which work could come unseen: either
 * the P was taken before the look, or who takes it sees the word.  The page is written after
 * the word is set: it shows what the last work has come to.
 *
 * Models: tests/model/top.pml, tests/model/top_sleep.pml.
 */
#include "runtime/top.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>

#include "base/clock.h"
#include "base/futex.h"
#include "base/os.h"
#include "core/self.h"
#include "runtime/runtime.h"
#include "runtime/thread.h"

#define PERIOD UINT64_C (250000000) /* ns */

static struct {
	struct goad_top_page *page; /* what others see */
	struct goad_top_page *next; /* what they will see */
	pthread_t thread;
	void *stack;
	_Atomic int threads;
	_Atomic uint32_t stop;
} top;

int goad__top_threads (void)
{
	return atomic_load_explicit (&top.threads, memory_order_relaxed);
}

static bool stopping (void)
{
	return atomic_load_explicit (&top.stop, memory_order_acquire) != 0;
}

/* From after seq to the end: what stands before it is written once. */
static void publish (void)
{
	const size_t from = offsetof (struct goad_top_page, seq) + sizeof top.page->seq;
	uint64_t seq = top.next->seq;

	__atomic_store_n (&top.page->seq, seq + 1, __ATOMIC_RELAXED);
	atomic_thread_fence (memory_order_release); /* [ord:top-seq] odd, then the rest */
	memcpy ((char *) top.page + from, (char *) top.next + from, sizeof *top.page - from);
	/* [ord:top-seq] the rest, then even */
	__atomic_store_n (&top.page->seq, seq + 2, __ATOMIC_RELEASE);
	top.next->seq = seq + 2;
}

/* Nothing runs: whoever changes that is to wake us. */
static bool settle (void)
{
	struct sched *s = &goad__sched;
	bool idle;

	goad__spin_lock (&s->lock);
	idle = atomic_load_explicit (&s->npidle, memory_order_relaxed) == (uint32_t) s->nprocs;
	atomic_store_explicit (&s->top_asleep, idle, memory_order_relaxed);
	goad__spin_unlock (&s->lock);
	return idle;
}

static void look (bool quiet)
{
	uint64_t now = goad__now ();

	top.next->quiet = quiet;
	top.next->interval_ns = top.next->written_ns ? now - top.next->written_ns : 0;
	top.next->written_ns = now;
	goad__top_look (top.next, now);
	publish ();
}

static void *top_run (void *arg)
{
	_Atomic uint32_t *asleep = &goad__sched.top_asleep;
	(void) arg;

	goad__set_pins (1);
	prctl (PR_SET_NAME, "goad-top");
	while (!stopping ()) {
		uint64_t again = goad__now () + PERIOD;
		bool idle = settle ();

		look (idle);
		while (idle && !stopping () && atomic_load_explicit (asleep, memory_order_relaxed))
			goad__futex_wait (asleep, 1, UINT64_MAX);
		while (!stopping () && goad__now () < again)
			goad__futex_wait (&top.stop, 0, again);
	}
	goad__set_pins (0);
	return NULL;
}

static void drop (void)
{
	if (top.next)
		goad__pages_put (top.next, sizeof *top.next);
	goad__top_file_close ();
	top.page = top.next = NULL;
}

int goad__top_begin (void)
{
	int err;

	if (!goad__env_flag ("GOAD_TOP"))
		return 0;
	top.page = goad__top_file_open ();
	if (!top.page)
		return 0;
	top.next = goad__pages_get (sizeof *top.next);
	if (!top.next) {
		drop ();
		return -ENOMEM;
	}
	memcpy (top.next, top.page, sizeof *top.next);
	goad__top_look_begin ();
	atomic_store_explicit (&top.stop, 0, memory_order_relaxed);
	atomic_store_explicit (&top.threads, 1, memory_order_relaxed);
	err = goad__thread_start (&top.thread, top_run, NULL, 0, &top.stack);
	if (err) {
		atomic_store_explicit (&top.threads, 0, memory_order_relaxed);
		goad__thread_unused (&top.stack);
		drop ();
		return err;
	}
	/* [ord:top-magic] Last: who finds it so finds a page that can be read. */
	atomic_thread_fence (memory_order_release);
	memcpy (top.page->magic, GOAD_TOP_MAGIC, sizeof top.page->magic);
	return 0;
}

void goad__top_end (void)
{
	if (!goad__top_threads ())
		return;
	atomic_store_explicit (&top.stop, 1, memory_order_release);
	goad__futex_wake (&top.stop, 1);
	/* Under the lock: a settle () that comes after this finds `stop`. */
	goad__pin ();
	goad__spin_lock (&goad__sched.lock);
	goad__top_wake ();
	goad__spin_unlock (&goad__sched.lock);
	goad__unpin ();
	goad__thread_end (top.thread, &top.stack);
	atomic_store_explicit (&top.threads, 0, memory_order_relaxed);
	drop ();
}

void goad__top_forked (void)
{
	atomic_store_explicit (&top.threads, 0, memory_order_relaxed);
	goad__top_file_forget ();
}
