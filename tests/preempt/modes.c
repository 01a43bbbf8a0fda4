/* SPDX-License-Identifier: MIT */
/* tests/preempt/modes.c - each GOAD_PREEMPT_* does what it says, by the counters */
#include "tests/harness.h"
#include "tests/support.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

enum { HOGS = 4 };

static _Atomic int stop;

/* Lives in libc's memset, which is denied text. */
static void libc_hog (void *arg)
{
	static char buffers[HOGS][1 << 16];
	char *mine = buffers[(uintptr_t) arg % HOGS];
	void *(*volatile fill) (void *, int, size_t) = memset;

	while (!atomic_load_explicit (&stop, memory_order_relaxed))
		for (int i = 0; i < 16; i++)
			fill (mine, i, sizeof buffers[0]);
}

/* What is to be seen before the hogs are stopped, so that a busy host only makes it
 * last longer. */
struct trial {
	bool libc;
	uint64_t least;            /* preemptions of each hog, or deferrals; 0: fifty */
	uint64_t least_handed_off; /* of all */
	goad_attr_t attr[HOGS];
	goad_task_stats_t ts[HOGS];
};

static bool seen_all (struct trial *t, struct hog *hogs)
{
	for (int i = 0; i < HOGS; i++) {
		goad_task_stats_t ts = { .id = 0 };

		claim_eq (goad_task_stats (hogs[i].task, &ts), 0);
		if (t->attr[i].preempt != GOAD_PREEMPT_OFF &&
		    ts.preempt_yielded + ts.preempt_handed_off + ts.preempt_deferred <
		        (t->least ? t->least : 50))
			return false;
	}
	return stats_now ().preempt_handed_off >= t->least_handed_off;
}

static void hog_all (void *arg)
{
	uint64_t limit = goad_after (10 * GOAD_S);
	static struct hog hogs[HOGS];
	struct trial *t = arg;

	atomic_store (&stop, 0);
	for (int i = 0; i < HOGS; i++) {
		goad_attr_t *attr = t->attr[i].size ? &t->attr[i] : NULL;

		if (t->libc)
			claim_eq (goad_spawn (&hogs[i].task, attr, libc_hog, (void *) (intptr_t) i), 0);
		else
			claim_eq (hog_spawn (&hogs[i], attr, &stop), 0);
	}
	while (!seen_all (t, hogs) && goad_now () < limit)
		goad_sleep (10 * GOAD_MS);
	atomic_store (&stop, 1);
	for (int i = 0; i < HOGS; i++) {
		while (goad_task_stats (hogs[i].task, &t->ts[i]) == 0 && t->ts[i].state != GOAD_STATE_DEAD)
			goad_sleep (GOAD_MS);
		claim_eq (goad_join (hogs[i].task), 0);
	}
}

static goad_stats_t run_hogs (struct trial *t, int mode)
{
	program_scanned ();
	cr_assert_eq (run_main (hog_all, t, 2, GOAD_MS, mode), 0);
	claims_assert ();
	return stats_now ();
}

#define SHOW(s)                                                                               \
	"%llu requested, %llu yielded, %llu handed off, %llu deferred",                           \
	    (unsigned long long) (s).preempt_requested, (unsigned long long) (s).preempt_yielded, \
	    (unsigned long long) (s).preempt_handed_off, (unsigned long long) (s).preempt_deferred

Test (modes, auto_yields_where_it_may, .timeout = 20)
{
	struct trial t = { .libc = false };
	goad_stats_t s = run_hogs (&t, GOAD_PREEMPT_AUTO);

	cr_expect_geq (s.preempt_yielded, 100, SHOW (s));
	cr_expect_leq (s.preempt_handed_off, s.preempt_yielded / 10, SHOW (s));
}

Test (modes, auto_hands_off_in_libc, .timeout = 20)
{
	struct trial t = { .libc = true };
	goad_stats_t s = run_hogs (&t, GOAD_PREEMPT_AUTO);

	cr_expect_geq (s.preempt_handed_off, 100, SHOW (s));
	cr_expect_geq (s.handoffs, s.preempt_handed_off / 2, SHOW (s));
	cr_expect_leq (s.preempt_yielded, s.preempt_handed_off / 2, SHOW (s));
}

Test (modes, handoff_always_hands_off, .timeout = 20)
{
	struct trial t = { .libc = false };
	goad_stats_t s = run_hogs (&t, GOAD_PREEMPT_HANDOFF);

	cr_expect_geq (s.preempt_handed_off, 100, SHOW (s));
	cr_expect_eq (s.preempt_yielded, 0, SHOW (s));
	cr_expect_gt (s.threads_max, 3, "%llu threads", (unsigned long long) s.threads_max);
}

Test (modes, yield_always_yields, .timeout = 20)
{
	struct trial t = { .libc = false };
	goad_stats_t s = run_hogs (&t, GOAD_PREEMPT_YIELD);

	cr_expect_geq (s.preempt_yielded, 100, SHOW (s));
	cr_expect_eq (s.preempt_handed_off, 0, SHOW (s));
}

Test (modes, yield_tries_again_in_libc, .timeout = 30)
{
	struct trial t = { .libc = true, .least = 5 };
	goad_stats_t s = run_hogs (&t, GOAD_PREEMPT_YIELD);

	cr_expect_gt (s.preempt_deferred, 0, SHOW (s));
	cr_expect_eq (s.preempt_handed_off, 0, SHOW (s));
}

/* Without preemption, on one P: from the start of the loop to its end nobody else runs. */

static _Atomic uint64_t others;

static void count_up (void *arg)
{
	(void) arg;
	atomic_fetch_add (&others, 1);
}

/* Leaves one behind that is runnable and has not run yet.  In mode COOP the call itself
 * ends the slice if the host has kept this thread away for so long just before. */
static uint64_t leave_one_waiting (void)
{
	uint64_t spawned = 0;

	atomic_store (&others, 0);
	do {
		claim_eq (goad_go (count_up, NULL), 0);
		spawned++;
	} while (atomic_load (&others) == spawned);
	return spawned;
}

static void hold_one (void *arg)
{
	uint64_t loops = *(uint64_t *) arg, spawned = leave_one_waiting (), seen;

	seen = atomic_load (&others);
	spin_loops (loops);
	claim_eq (atomic_load (&others), seen);
	goad_yield ();
	claim_eq (atomic_load (&others), spawned);
}

static void expect_held (int mode)
{
	uint64_t loops = 100 * loops_per_ms ();
	goad_stats_t s;

	program_scanned ();
	cr_assert_eq (run_main (hold_one, &loops, 1, GOAD_MS, mode), 0);
	claims_assert ();
	s = stats_now ();
	/* In mode COOP a call may have ended a slice, before the loop or after it. */
	if (mode == GOAD_PREEMPT_OFF)
		cr_expect_eq (s.preempt_yielded, 0, SHOW (s));
	cr_expect_eq (s.preempt_handed_off, 0, SHOW (s));
	cr_expect_eq (s.signals_sent, 0, "%llu signals", (unsigned long long) s.signals_sent);
}

Test (modes, off_never, .timeout = 20)
{
	expect_held (GOAD_PREEMPT_OFF);
}

Test (modes, coop_not_in_a_loop, .timeout = 20)
{
	expect_held (GOAD_PREEMPT_COOP);
}

/* In mode COOP a call into goad is where an expired slice ends; in OFF not even that. */

static void call_goad (void *arg)
{
	uint64_t host = host_delay_ns (), limit = goad_after (10 * GOAD_S), seen;
	bool coop = *(bool *) arg;
	int rounds = 0;

	leave_one_waiting ();
	do {
		seen = atomic_load (&others);
		spin_for (60 * GOAD_MS); /* three quanta; to read the clock is no such call */
		claim_eq (atomic_load (&others), seen);
		claim_eq (goad_go (count_up, NULL), 0);
		rounds++;
	} while (coop && atomic_load (&others) == seen && goad_now () < limit);
	claim_eq (atomic_load (&others) > seen, coop);
	/* Later than at the first call only if sysmon had no CPU. */
	claim (rounds == 1 || host_delay_ns () - host > (uint64_t) (rounds - 1) * 20 * GOAD_MS);
}

Test (modes, coop_at_calls, .timeout = 20)
{
	bool coop = true;

	cr_assert_eq (run_main (call_goad, &coop, 1, 20 * GOAD_MS, GOAD_PREEMPT_COOP), 0);
	claims_assert ();
}

Test (modes, off_not_at_calls, .timeout = 20)
{
	bool coop = false;

	cr_assert_eq (run_main (call_goad, &coop, 1, 20 * GOAD_MS, GOAD_PREEMPT_OFF), 0);
	claims_assert ();
}

/* A coroutine's own mode goes before the runtime's. */
Test (modes, one_by_one, .timeout = 20)
{
	struct trial t = { .libc = false };
	static const int mode[HOGS] = { GOAD_PREEMPT_HANDOFF, GOAD_PREEMPT_YIELD, GOAD_PREEMPT_AUTO,
		                            GOAD_PREEMPT_DEFAULT };

	for (int i = 0; i < HOGS; i++)
		t.attr[i] = (goad_attr_t){ sizeof (goad_attr_t), 0, NULL, mode[i], 0 };
	run_hogs (&t, GOAD_PREEMPT_HANDOFF);
	cr_expect_eq (t.ts[0].preempt_yielded, 0);
	cr_expect_geq (t.ts[0].preempt_handed_off, 20);
	cr_expect_eq (t.ts[1].preempt_handed_off, 0);
	cr_expect_geq (t.ts[1].preempt_yielded, 20);
	cr_expect_geq (t.ts[2].preempt_yielded, 20);
	cr_expect_geq (t.ts[3].preempt_handed_off, 20);
	cr_expect_eq (t.ts[3].preempt_yielded, 0);
}

/* One that is never preempted among others that are. */
Test (modes, one_off_among_others, .timeout = 20)
{
	struct trial t = { .libc = false };

	t.attr[0] = (goad_attr_t){ sizeof (goad_attr_t), 0, "never", GOAD_PREEMPT_OFF, 0 };
	run_hogs (&t, GOAD_PREEMPT_AUTO);
	cr_expect_eq (t.ts[0].preempt_yielded + t.ts[0].preempt_handed_off, 0);
	cr_expect_eq (t.ts[0].slices, 1, "%llu slices", (unsigned long long) t.ts[0].slices);
	for (int i = 1; i < HOGS; i++)
		cr_expect_geq (t.ts[i].preempt_yielded, 10);
}

static void env_hogs (void *arg)
{
	hog_all (arg);
}

Test (modes, from_the_environment, .timeout = 20)
{
	struct trial t = { .libc = false };

	program_scanned ();
	setenv ("GOAD_PREEMPT", "handoff", 1);
	setenv ("GOAD_QUANTUM", "1ms", 1);
	setenv ("GOAD_PROCS", "2", 1);
	cr_assert_eq (goad_main (env_hogs, &t, NULL), 0);
	unsetenv ("GOAD_PREEMPT");
	unsetenv ("GOAD_QUANTUM");
	unsetenv ("GOAD_PROCS");
	claims_assert ();
	cr_expect_eq (stats_now ().preempt_yielded, 0);
	cr_expect_geq (stats_now ().preempt_handed_off, 100);
}

/* Nobody waits: nobody is preempted. */

static void spin_alone (void *arg)
{
	spin_loops (*(uint64_t *) arg);
}

Test (modes, only_when_somebody_waits, .timeout = 20)
{
	uint64_t loops = 200 * loops_per_ms ();
	goad_stats_t s;

	program_scanned ();
	for (int procs = 1; procs <= 2; procs++) {
		cr_assert_eq (run_main (spin_alone, &loops, procs, GOAD_MS, 0), 0);
		s = stats_now ();
		cr_expect_eq (s.preempt_requested, 0, SHOW (s));
		cr_expect_eq (s.signals_sent, 0, "%llu signals", (unsigned long long) s.signals_sent);
		cr_expect_leq (s.switches, 2, "%llu switches", (unsigned long long) s.switches);
	}
}

/* At the limit on threads hand-offs wait for one, and everything ends all the same. */
Test (modes, at_the_limit_on_threads, .timeout = 30)
{
	struct trial t = { .libc = true, .least = 10, .least_handed_off = 10 };
	goad_config_t cfg = config_of (2, 200 * GOAD_US, GOAD_PREEMPT_HANDOFF);
	goad_stats_t s;

	cfg.max_threads = 5;
	cr_assert_eq (goad_main (hog_all, &t, &cfg), 0);
	claims_assert ();
	s = stats_now ();
	cr_expect_leq (s.threads_max, 5, "%llu threads", (unsigned long long) s.threads_max);
	cr_expect_geq (s.preempt_handed_off, 10, SHOW (s));
}
