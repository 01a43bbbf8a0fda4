/* SPDX-License-Identifier: MIT */
/* run_monitor.c - the thread outside the scheduler that watches and ends a run
 *
 * It waits for the next thing due - a sample of the timeline, the live table, the
 * end - in sigtimedwait, so that SIGINT and its like need no handler.  While the
 * works run it calls neither malloc nor stdio: a coroutine that was handed off may
 * hold their locks for a while, and the samples would come late. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "run.h"
#include "top.h"

enum { LIVE_NS = 200000000, LOOK_NS = 50000000 };

/* The signals that end a run with its report. */
static sigset_t watched;

/* One that is ignored, as SIGHUP is under nohup, stays so: Linux would keep it for
 * us once it is blocked.  SIGTERM must be among them, because sent to the thread
 * itself it is how the main thread wakes the monitor. */
static void choose_signals (void)
{
	static const int maybe[] = { SIGINT, SIGHUP };

	sigemptyset (&watched);
	sigaddset (&watched, SIGTERM);
	for (size_t i = 0; i < UTIL_COUNT (maybe); i++) {
		struct sigaction now;

		if (sigaction (maybe[i], NULL, &now) == 0 && now.sa_handler != SIG_IGN)
			sigaddset (&watched, maybe[i]);
	}
}

static uint64_t thread_cpu_ns (void)
{
	struct timespec ts;

	clock_gettime (CLOCK_THREAD_CPUTIME_ID, &ts);
	return (uint64_t) ts.tv_sec * GOAD_S + (uint64_t) ts.tv_nsec;
}

/* Samples come as often as costs at most about 1% of a CPU. */
static void adapt (struct timeline *tl, uint64_t now)
{
	static uint64_t last_cpu, last_now;

	if (tl->samples % 64 != 0)
		return;
	uint64_t cpu = thread_cpu_ns ();
	if (last_now != 0 && now > last_now) {
		double part = (double) (cpu - last_cpu) / (double) (now - last_now);

		if (part > 0.015 && tl->interval_ns < 10 * GOAD_MS)
			tl->interval_ns += tl->interval_ns / 4;
		else if (part < 0.007 && tl->interval_ns > 250 * GOAD_US)
			tl->interval_ns -= tl->interval_ns / 8;
	}
	last_cpu = cpu;
	last_now = now;
}

/* 0: go on; else the number of a signal. */
static int wait_until (uint64_t deadline)
{
	uint64_t now = goad_now (), left = deadline > now ? deadline - now : 0;
	struct timespec ts = { (time_t) (left / GOAD_S), (long) (left % GOAD_S) };
	int signo = sigtimedwait (&watched, NULL, &ts);

	return signo > 0 ? signo : 0;
}

static uint64_t earlier (uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* Returns how the run ended, or -1 when the main thread takes over. */
static int watch (struct run *run)
{
	uint64_t live_due = 0, sample_due = 0;

	for (;;) {
		uint64_t now = goad_now (), start = atomic_load (&run->start_ns);
		uint64_t next = now + (start != 0 ? LOOK_NS : GOAD_MS);

		if (atomic_load (&run->main_done))
			return -1;
		if (atomic_load (&run->spawn_error) != 0)
			return END_ERROR;
		if (start != 0 && run->opt.for_ns != 0) {
			if (now >= start + run->opt.for_ns)
				return END_TIME;
			next = earlier (next, start + run->opt.for_ns);
		}
		if (start != 0 && run->timeline != NULL) {
			if (now >= sample_due) {
				run_timeline_sample (run);
				adapt (run->timeline, now);
				sample_due = run_timeline_next (run, now);
			}
			next = earlier (next, sample_due);
		}
		if (start != 0 && run->live) {
			/* Not at once: a short run would only flash. */
			if (live_due == 0) {
				live_due = now + LIVE_NS;
			} else if (now >= live_due) {
				run_live_draw (run);
				live_due = now + LIVE_NS;
			}
			next = earlier (next, live_due);
		}
		run->signo = wait_until (next);
		if (run->signo != 0 && !atomic_load (&run->main_done))
			return END_SIGNAL;
	}
}

/* A signal during the report does what it always does. */
static void restore_signals (void)
{
	pthread_sigmask (SIG_UNBLOCK, &watched, NULL);
}

/* What the works printed must come out before the report, but a coroutine may be
 * held inside stdio: then it gets a while to let go. */
static void flush_works (void)
{
	for (int i = 0; i < 100; i++) {
		if (ftrylockfile (stdout) == 0) {
			fflush (stdout);
			funlockfile (stdout);
			return;
		}
		struct timespec ts = { 0, 5000000 };
		nanosleep (&ts, NULL);
	}
	util_error ("a work holds stdout: what it printed last may be missing");
}

/* Else the kernel may wake this thread 50 us late, and let the works run on for a
 * slice of their own first: the samples would be blurred.  Neither needs privilege,
 * and where one is refused the samples are only fewer. */
static void wake_on_time (void)
{
	struct {
		uint32_t size, policy;
		uint64_t flags;
		int32_t nice;
		uint32_t priority;
		uint64_t runtime, deadline, period;
	} attr = { .size = sizeof attr, .runtime = 100 * GOAD_US };

	attr.nice = getpriority (PRIO_PROCESS, 0);
	(void) prctl (PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL);
	(void) syscall (SYS_sched_setattr, 0, &attr, 0);
}

static void *monitor_main (void *arg)
{
	struct run *run = arg;

	/* Makes this thread's own malloc arena now, for the report. */
	free (malloc (64));
	wake_on_time ();
	int ended = watch (run);
	if (ended < 0 || atomic_exchange (&run->ending, 1))
		return NULL;
	run->ended_by = ended;
	run->end_ns = goad_now ();
	/* Where all tasks have just ended, the counters stand still once the main thread
	 * is out of the runtime. */
	if (!run_read_tasks (run)) {
		while (!atomic_load (&run->main_done))
			usleep (200);
		(void) goad_stats (&run->stats);
	}
	/* timeout(1) signals its child and then the group: that is one request. */
	if (ended == END_SIGNAL)
		(void) wait_until (goad_now () + 50 * GOAD_MS);
	restore_signals ();
	run_live_clear (run);
	flush_works ();
	/* The works cannot be stopped: they leave with the process. */
	int code = run_finish (run);
	top_remove_own ();
	_exit (code);
}

int run_monitor_start (struct run *run)
{
	sigset_t all, before;
	int e;

	choose_signals ();
	/* The monitor blocks everything; the main thread and those that come from it
	 * only leave the watched ones to it. */
	sigfillset (&all);
	pthread_sigmask (SIG_SETMASK, &all, &before);
	e = pthread_create (&run->monitor, NULL, monitor_main, run);
	pthread_sigmask (SIG_SETMASK, &before, NULL);
	pthread_sigmask (SIG_BLOCK, &watched, NULL);
	return -e;
}

/* On the main thread, when goad_main has returned.  Where the monitor is already
 * at the report, this thread waits for the end of the process. */
void run_monitor_stop (struct run *run)
{
	atomic_store (&run->main_done, 1);
	if (atomic_exchange (&run->ending, 1))
		for (;;)
			pause ();
	pthread_kill (run->monitor, SIGTERM);
	pthread_join (run->monitor, NULL);
	restore_signals ();
	run_live_clear (run);
	(void) run_read_tasks (run);
	(void) goad_stats (&run->stats);
}
