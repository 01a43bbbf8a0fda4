/* SPDX-License-Identifier: MIT */
/* The tracer's life: goad_trace_start, goad_trace_stop, GOAD_TRACE, GOAD_SCHEDTRACE.
 *
 *	NONE     no trace
 *	WAITING  the file is there, but no runtime runs
 *	ON       the tracer's thread empties the rings
 *
 * A trace that was started while no runtime ran goes on with each one that runs until it
 * is stopped; one that a runtime's coroutine started ends with that runtime.  Everything
 * that changes the state holds `busy`, and may wait meanwhile for the thread to start or
 * end: that is a futex which a coroutine may hold when it is preempted, as it may hold any
 * lock of the program.  Nobody on a scheduling path takes it.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>

#include "base/clock.h"
#include "base/fatal.h"
#include "base/futex.h"
#include "core/ring.h"
#include "core/self.h"
#include "runtime/runtime.h"
#include "runtime/thread.h"
#include "runtime/tracer.h"

#define PAUSE UINT64_C (10000000) /* ns between two looks; doubles while there is nothing */
#define LONGEST_PAUSE UINT64_C (320000000)

enum state { NONE, WAITING, ON };

static struct {
	_Atomic uint32_t busy; /* futex */
	enum state state;
	bool ended;    /* with its runtime: goad_trace_stop has not been told */
	bool outlives; /* the runtime */
	bool lives;    /* a runtime does */
	int ended_err;
	uint32_t last_gen;
	uint64_t period; /* of GOAD_SCHEDTRACE, ns; 0: none */

	pthread_t thread;
	void *stack;
	_Atomic int threads; /* 1: it runs */
	_Atomic uint32_t stop;
} tr;

static void enter (void)
{
	uint32_t no = 0;

	while (!atomic_compare_exchange_strong_explicit (&tr.busy, &no, 1, memory_order_acquire,
	                                                 memory_order_relaxed)) {
		goad__futex_wait (&tr.busy, 1, UINT64_MAX);
		no = 0;
	}
}

static void leave (void)
{
	atomic_store_explicit (&tr.busy, 0, memory_order_release);
	goad__futex_wake (&tr.busy, 1);
}

int goad__tracer_threads (void)
{
	return atomic_load_explicit (&tr.threads, memory_order_relaxed);
}

/* A flood of events is more than anybody reads, and to write it all down would take the
 * CPU from those who make it.  So the tracer works for BUDGET of the time at most, or for
 * BURST at once; what the rings cannot hold in between is lost, and counted. */
#define BUDGET 25 /* one in so many */
#define BURST INT64_C (4000000)

static struct {
	int64_t credit; /* ns of CPU */
	uint64_t at, used;
} purse;

static uint64_t cpu_used (void)
{
	struct timespec ts;

	clock_gettime (CLOCK_THREAD_CPUTIME_ID, &ts);
	return (uint64_t) ts.tv_sec * 1000000000u + (uint64_t) ts.tv_nsec;
}

/* When it may go on; now, if it has credit. */
static uint64_t settle_up (uint64_t now)
{
	uint64_t used = cpu_used ();

	purse.credit += (int64_t) ((now - purse.at) / BUDGET) - (int64_t) (used - purse.used);
	if (purse.credit > BURST)
		purse.credit = BURST;
	purse.at = now;
	purse.used = used;
	return purse.credit > 0 ? now : now + (uint64_t) (BURST / 8 - purse.credit) * BUDGET;
}

static bool stopping (void)
{
	return atomic_load_explicit (&tr.stop, memory_order_acquire) != 0;
}

/* Looks when a ring has a quarter to show, and from time to time. */
static void *tracer_run (void *arg)
{
	uint64_t pause = PAUSE, line = tr.period ? goad__now () + tr.period : UINT64_MAX;
	(void) arg;

	goad__set_pins (1);
	prctl (PR_SET_NAME, "goad-tracer");
	purse.credit = BURST;
	purse.at = goad__now ();
	purse.used = cpu_used ();
	while (!stopping ()) {
		uint64_t now = goad__now (), again = settle_up (now);
		uint64_t until = again > now ? again : goad__tracing () ? now + pause : UINT64_MAX;

		if (again > now) /* let nobody ring meanwhile */
			atomic_store_explicit (&goad__trace_bell, 1, memory_order_relaxed);
		goad__futex_wait (again > now ? &tr.stop : &goad__trace_bell, 0, goad__min64 (until, line));
		/* [ord:trace-on] */
		if (atomic_load_explicit (&goad__trace_gen, memory_order_acquire) &&
		    goad__now () >= again) {
			atomic_store_explicit (&goad__trace_bell, 0, memory_order_relaxed);
			pause = goad__trace_file_drain () ? PAUSE : goad__min64 (2 * pause, LONGEST_PAUSE);
		}
		now = goad__now ();
		if (now >= line) {
			goad__schedtrace_line (now);
			line += (now - line) / tr.period * tr.period + tr.period;
		}
	}
	goad__set_pins (0);
	return NULL;
}

/* It sleeps on either. */
static void ring_for (_Atomic uint32_t *word)
{
	atomic_store_explicit (word, 1, memory_order_release);
	goad__futex_wake (word, 1);
	atomic_store_explicit (&goad__trace_bell, 1, memory_order_relaxed);
	goad__futex_wake (&goad__trace_bell, 1);
}

static int thread_start (void)
{
	int err;

	if (tr.threads)
		return 0;
	atomic_store_explicit (&tr.stop, 0, memory_order_relaxed);
	atomic_store_explicit (&goad__trace_bell, 0, memory_order_relaxed);
	atomic_store_explicit (&tr.threads, 1, memory_order_relaxed); /* before it can be counted */
	err = goad__thread_start (&tr.thread, tracer_run, NULL, 0, &tr.stack);
	if (err) {
		atomic_store_explicit (&tr.threads, 0, memory_order_relaxed);
		goad__thread_unused (&tr.stack);
	}
	return err;
}

static void thread_stop (void)
{
	if (!tr.threads)
		return;
	/* Not counted as ours from before it ends: who looks for threads of others in between
	 * takes it for one of them, and not one of them for ours, which would be a deadlock
	 * that there is none. */
	atomic_store_explicit (&tr.threads, 0, memory_order_relaxed);
	ring_for (&tr.stop);
	goad__thread_end (tr.thread, &tr.stack);
}

/* Threads begin to write. */
static void turn_on (void)
{
	tr.last_gen = tr.last_gen % 255 + 1;
	goad__trace_file_begin (tr.last_gen);
	tr.state = ON;
	/* [ord:trace-on] */
	atomic_store_explicit (&goad__trace_gen, tr.last_gen, memory_order_release);
	atomic_store_explicit (&goad__trace_bell, 1, memory_order_relaxed);
	goad__futex_wake (&goad__trace_bell, 1);
}

/* Who is in the middle of an event writes it still, and nobody reads it: with the next
 * trace the ring begins anew. */
static void turn_off (void)
{
	atomic_store_explicit (&goad__trace_gen, 0, memory_order_release);
	thread_stop ();
	goad__trace_file_end ();
	tr.state = WAITING;
}

static int start (const char *path, bool outlives)
{
	int err = 0;

	if (tr.state != NONE)
		return -EBUSY;
	if (tr.lives)
		err = thread_start ();
	if (err == 0)
		err = goad__trace_file_open (path);
	if (err) {
		if (!tr.period)
			thread_stop ();
		return err;
	}
	tr.outlives = outlives;
	tr.ended = false;
	tr.state = WAITING;
	if (tr.lives)
		turn_on ();
	return 0;
}

GOAD__API int goad_trace_start (const char *path)
{
	int saved = errno;
	int err;

	if (!path || !*path)
		return -EINVAL;
	if (goad__forked ())
		return -EPERM;
	enter ();
	err = tr.lives ? 0 : goad__fork_init (); /* a child is not to write into this file */
	if (err == 0)
		err = start (path, !tr.lives);
	leave ();
	errno = saved;
	return err;
}

static int stop (void)
{
	int err;

	if (tr.state == NONE) {
		err = tr.ended ? tr.ended_err : -EALREADY;
		tr.ended = false;
		return err;
	}
	if (tr.state == ON) {
		turn_off ();
		if (tr.period && tr.lives)
			(void) thread_start (); /* for its lines */
	}
	tr.state = NONE;
	return goad__trace_file_close ();
}

GOAD__API int goad_trace_stop (void)
{
	int saved = errno;
	int err;

	if (goad__forked ())
		return -EPERM;
	enter ();
	err = stop ();
	leave ();
	errno = saved;
	return err;
}

/* GOAD_SCHEDTRACE: milliseconds, as Go's. */
int goad__tracer_config (void)
{
	const char *text = getenv ("GOAD_SCHEDTRACE");
	char *end;
	unsigned long ms;

	tr.period = 0;
	if (!text || !*text)
		return 0;
	errno = 0;
	ms = strtoul (text, &end, 10);
	if (*text < '0' || *text > '9' || *end || errno || ms > 86400000) {
		goad__line ("GOAD_SCHEDTRACE=%s: it must be a number of milliseconds up to 86400000", text);
		return -EINVAL;
	}
	tr.period = ms * UINT64_C (1000000);
	return 0;
}

/* A file that cannot be written is told, and no reason not to run. */
static void start_from_environment (void)
{
	const char *path = getenv ("GOAD_TRACE");
	int err;

	if (!path || !*path || tr.state != NONE || tr.ended)
		return;
	err = start (path, true);
	if (err)
		goad__line ("GOAD_TRACE=%s: no trace is written: %s", path, strerrordesc_np (-err));
}

int goad__tracer_begin (void)
{
	int err = 0;

	enter ();
	tr.lives = true;
	if (tr.period) {
		goad__schedtrace_begin ();
		err = thread_start ();
	}
	if (err == 0 && tr.state == WAITING) {
		err = thread_start ();
		if (err == 0)
			turn_on ();
	} else if (err == 0) {
		start_from_environment ();
	}
	leave ();
	return err;
}

void goad__tracer_end (void)
{
	enter ();
	tr.lives = false;
	if (tr.state == ON) {
		turn_off ();
		if (!tr.outlives) {
			tr.state = NONE;
			tr.ended = true;
			tr.ended_err = goad__trace_file_close ();
		}
	}
	thread_stop ();
	goad__rings_free ();
	leave ();
}

/* The program exits while the runtime runs: what was traced is kept.  But not at any
 * price: who holds `busy` may be stopped for good. */
__attribute__ ((destructor)) static void at_exit (void)
{
	uint32_t no = 0;

	if (tr.state != ON ||
	    !atomic_compare_exchange_strong_explicit (&tr.busy, &no, 1, memory_order_acquire,
	                                              memory_order_relaxed))
		return;
	if (tr.state == ON)
		(void) stop ();
	leave ();
}

void goad__tracer_forked (void)
{
	goad__rings_forked ();
	if (tr.state != NONE)
		goad__trace_file_forget ();
	tr.state = NONE;
	tr.lives = tr.ended = false;
	atomic_store_explicit (&tr.threads, 0, memory_order_relaxed);
	atomic_store_explicit (&tr.busy, 0, memory_order_relaxed);
}
