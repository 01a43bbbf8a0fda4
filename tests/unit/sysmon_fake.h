/* SPDX-License-Identifier: MIT */
/* sysmon_fake.h - a runtime made of numbers, for the tests of sysmon
 *
 * Time passes only in sleep () and where a test says so.  A test moves Ps and
 * queues by hand (fake_begin, fake_queue, ...), looks, and reads the marks left.
 */
#ifndef TESTS_UNIT_SYSMON_FAKE_H
#define TESTS_UNIT_SYSMON_FAKE_H

#include "sysmon/sysmon.h"

#define US UINT64_C (1000)
#define MS UINT64_C (1000000)
#define SEC UINT64_C (1000000000)
#define FAKE_PROCS 1024

struct fake_p {
	struct sysmon_view v;
	int queued; /* in its own queue                    */
	enum sysmon_thread thread;
	int result; /* of preempt                          */
	int asks, probes, prepares;
	int fresh_asks; /* preempt_fresh                       */
	int retake_result, retakes;
	int take_result, takes;
	uint64_t asked_at, asked_tick;
};

struct fake {
	struct sysmon mon;
	struct sysmon_proc procs[FAKE_PROCS];
	struct fake_p p[FAKE_PROCS];
	uint64_t now;
	uint64_t quantum; /* of a slice that begins    */
	int nprocs;
	int global; /* in the global queue       */
	bool woken; /* a wake-up that sticks     */
	bool stop;
	bool honour; /* a request is honoured at once */
	uint64_t timer, timer_ran;
	int timer_queues;     /* what the timer makes runnable */
	uint64_t granularity; /* 0: no feedback */
	unsigned fresh;       /* in the global queue, where feedback is on */
	bool hogs, fresh_armed;
	uint64_t house_wants;
	int houses, fences, wakes, naps;
	uint64_t slept_for, late_noted;
	uint64_t late;                                     /* of each sleep             */
	void (*at_fence) (struct fake *);                  /* between flags and queues  */
	void (*asleep) (struct fake *, uint64_t deadline); /* instead of passing time */
	void (*at_preempt) (struct fake *, int p);
	bool owing_wanted, owing;
	int collected;                                     /* debts */
	int loose, running, reins;                         /* threads without a P    */
	uint64_t starve_bound, starve_first, starve_wants; /* what bound, scan and tell return */
	int scans, tells;
	void *extra;
};

extern struct fake fake;
extern const struct sysmon_ops fake_ops;

/* n Ps, all idle, at a time of 1000 s. */
void fake_reset (int n, uint64_t quantum);

/* A new slice begins on p, now. */
void fake_begin (int p);
void fake_idle (int p);

/* The same with one that was preempted; with granularity set. */
void fake_begin_hog (int p);

/* Fresh work is queued, globally, or as p's next.  Sets off its alarm if no P is idle. */
void fake_fresh (void);
void fake_fresh_next (int p);
/* The coroutine of p says that it blocks, now; it comes back. */
void fake_block (int p);
void fake_return (int p);

/* Something is queued: p's own queue, or the global one.  Sets off alarms. */
void fake_queue (int p);
void fake_queue_global (void);

/* One look, now: the time until the next one; SYSMON_NEVER stays. */
uint64_t fake_look (void);

/* Looks after that much time. */
uint64_t fake_look_after (uint64_t ns);

/* Looks until the time comes, sleeping between as sysmon asks for. */
void fake_run_for (uint64_t ns);

#endif
