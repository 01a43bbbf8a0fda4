/* SPDX-License-Identifier: MIT */
/* tests/api/timer.c - goad_timer_start, goad_timer_reset, goad_timer_stop */
#include "tests/harness.h"
#include "tests/support.h"

#include <errno.h>
#include <fenv.h>
#include <stdlib.h>
#include <unistd.h>

/* What a timer's coroutine notes. */
struct note {
	_Atomic int fired, begun;
	uint64_t due, period;
	_Atomic uint64_t early; /* fires before their time */
	_Atomic uint64_t last;
	goad_timer_t *timer;
	int result;
};

static void fire (void *arg)
{
	struct note *n = arg;
	uint64_t now = goad_now ();

	n->early += now < n->due + (uint64_t) n->fired * n->period;
	n->last = now;
	claim (goad_id () != 0);
	n->fired++; /* last: who waits for it may change the rest */
}

static void sleep_past (uint64_t when)
{
	goad_sleep_until (when + 2 * GOAD_MS);
}

/* Arguments, and that without a runtime there is nothing to start. */

static void arguments (void *arg)
{
	goad_timer_t *t = NULL;

	(void) arg;
	claim_eq (goad_timer_start (NULL, 0, 0, fire, NULL), -EINVAL);
	claim_eq (goad_timer_start (&t, 0, 0, NULL, NULL), -EINVAL);
	claim (t == NULL);
	claim_eq (goad_timer_stop (NULL), -EINVAL);
	claim_eq (goad_timer_reset (NULL, 0, 0), -EINVAL);
}

Test (timer, arguments, .timeout = 10)
{
	goad_timer_t *t = NULL;

	arguments (NULL);
	cr_assert_eq (goad_timer_start (&t, 0, 0, fire, NULL), -EPERM);
	cr_assert_eq (goad_timer_stop ((goad_timer_t *) &t), -EPERM);
	cr_assert_eq (goad_timer_reset ((goad_timer_t *) &t, 0, 0), -EPERM);
	cr_assert_eq (run_main (arguments, NULL, 1, 0, 0), 0);
	claims_assert ();
}

/* Once: at its time, never before, and the handle outlives it. */

static void one_shot (void *arg)
{
	struct note n = { .due = goad_after (3 * GOAD_MS) };
	goad_timer_t *t;

	(void) arg;
	errno = 4711;
	claim_eq (goad_timer_start (&t, n.due, 0, fire, &n), 0);
	await (&n.fired, 1);
	claim_eq (goad_timer_reset (t, goad_now (), 0), 0);
	await (&n.fired, 2);
	claim_eq (goad_timer_stop (t), 0);
	claim_eq (errno, 4711);
	claim_eq (n.early, 0);

	claim_eq (goad_timer_start (&t, goad_after (GOAD_S), 0, fire, &n), 0);
	claim_eq (goad_timer_stop (t), 1);
	claim_eq (goad_timer_start (&t, 0, 0, fire, &n), 0);
	await (&n.fired, 3); /* what is past comes at once */
	claim_eq (goad_timer_stop (t), 0);
}

Test (timer, once, .timeout = 20)
{
	cr_assert_eq (run_main (one_shot, NULL, 1, 0, 0), 0);
	cr_assert_eq (run_main (one_shot, NULL, 2, 0, 0), 0);
	claims_assert ();
}

static void no_more_after_stop (void *arg)
{
	struct note n = { .due = goad_after (100 * GOAD_MS) };
	goad_timer_t *t;

	(void) arg;
	claim_eq (goad_timer_start (&t, n.due, 0, fire, &n), 0);
	claim_eq (goad_timer_stop (t), 1);
	sleep_past (n.due);
	claim_eq (n.fired, 0);
}

Test (timer, a_stopped_one_does_not_fire, .timeout = 20)
{
	cr_assert_eq (run_main (no_more_after_stop, NULL, 2, 0, 0), 0);
	claims_assert ();
}

/* Reset moves it, to and fro, arms what has fired, and changes the period. */
static void resets (void *arg)
{
	struct note n = { .due = goad_after (20 * GOAD_MS) };
	goad_timer_t *t;

	(void) arg;
	claim_eq (goad_timer_start (&t, goad_after (GOAD_S * 100), 0, fire, &n), 0);
	claim_eq (goad_timer_reset (t, goad_after (5 * GOAD_MS), 0), 1);
	claim_eq (goad_timer_reset (t, n.due, 0), 1);
	await (&n.fired, 1);
	claim_eq (n.early, 0);
	claim_eq (goad_timer_reset (t, GOAD_FOREVER, 0), 0);
	claim_eq (goad_timer_reset (t, GOAD_FOREVER, 0), 1);
	n.due = goad_now ();
	n.period = GOAD_MS;
	n.fired = 0;
	claim_eq (goad_timer_reset (t, n.due, GOAD_MS), 1);
	await (&n.fired, 4);
	claim_eq (goad_timer_reset (t, GOAD_FOREVER, GOAD_MS), 1);
	claim_eq (goad_timer_stop (t), 1);
	claim_eq (n.early, 0);
}

Test (timer, reset, .timeout = 20)
{
	cr_assert_eq (run_main (resets, NULL, 1, 0, 0), 0);
	cr_assert_eq (run_main (resets, NULL, 2, 0, 0), 0);
	claims_assert ();
}

/* Each fire is at first + k * period: late ones do not put off those after them. */

static void beat (void *arg)
{
	struct note *n = arg;
	uint64_t now = goad_now ();

	n->early += now < n->due || (n->last && now - n->due < (uint64_t) n->fired * n->period);
	n->last = now;
	n->fired++;
}

static void periodic (void *arg)
{
	struct note n = { .due = goad_after (GOAD_MS), .period = GOAD_MS };
	uint64_t passed;
	goad_timer_t *t;

	(void) arg;
	claim_eq (goad_timer_start (&t, n.due, n.period, beat, &n), 0);
	await (&n.fired, 100);
	claim_eq (goad_timer_stop (t), 1);
	passed = goad_now () - n.due;
	claim_eq (n.early, 0);
	claim (n.fired <= (int) (passed / n.period) + 1);
	/* Drift would add up; what is missed is the host's. */
	claim (passed < 100 * GOAD_MS + 50 * GOAD_MS + 2 * host_delay_ns ());
}

Test (timer, periodic_without_drift, .timeout = 30)
{
	cr_assert_eq (run_main (periodic, NULL, 1, 0, 0), 0);
	claims_assert ();
}

/* Nobody looks for 20 ms: one P, not preempted, and sysmon starts one at most meanwhile. */
static void missed (void *arg)
{
	struct note n = { .due = goad_after (50 * GOAD_US), .period = 50 * GOAD_US };
	uint64_t start = goad_now (), passed;
	goad_timer_t *t;
	int fired;

	(void) arg;
	claim_eq (goad_timer_start (&t, n.due, n.period, fire, &n), 0);
	spin_for (20 * GOAD_MS);
	claim_eq (goad_timer_stop (t), 1);
	goad_yield ();
	passed = goad_now () - start;
	sleep_past (goad_now ());
	fired = n.fired;
	claim (fired > 0 && (uint64_t) fired <= passed / n.period + 1);
	claim_eq (n.early, 0);
	sleep_past (goad_now ());
	claim_eq (n.fired, fired);
}

Test (timer, what_is_missed_is_left_out, .timeout = 20)
{
	cr_assert_eq (run_main (missed, NULL, 1, 0, GOAD_PREEMPT_OFF), 0);
	claims_assert ();
}

/* The function may do with its own timer what it likes. */

static void stop_mine (void *arg)
{
	struct note *n = arg;

	n->result = goad_timer_stop (n->timer);
	n->fired++;
}

static void reset_mine (void *arg)
{
	struct note *n = arg;

	if (n->fired < 4)
		claim_eq (goad_timer_reset (n->timer, goad_after (100 * GOAD_US), 0), 0);
	n->fired++;
}

static void inside (void *arg)
{
	struct note n = { 0 };

	(void) arg;
	claim_eq (goad_timer_start (&n.timer, 0, 0, stop_mine, &n), 0);
	await (&n.fired, 1);
	claim_eq (n.result, 0);
	n.fired = 0;
	claim_eq (goad_timer_start (&n.timer, 0, 50 * GOAD_MS, stop_mine, &n), 0);
	await (&n.fired, 1);
	claim_eq (n.result, 1);
	n.fired = 0;
	claim_eq (goad_timer_start (&n.timer, 0, 0, reset_mine, &n), 0);
	await (&n.fired, 5);
	claim_eq (goad_timer_stop (n.timer), 0);
}

Test (timer, its_function_stops_and_resets_it, .timeout = 20)
{
	cr_assert_eq (run_main (inside, NULL, 1, 0, 0), 0);
	cr_assert_eq (run_main (inside, NULL, 2, 0, 0), 0);
	claims_assert ();
}

/* Rounding is that of who started the timer. */

static void note_rounding (void *arg)
{
	struct note *n = arg;

	n->result = fegetround ();
	n->fired++;
}

static void rounding (void *arg)
{
	struct note n = { 0 };

	(void) arg;
	fesetround (FE_UPWARD);
	claim_eq (goad_timer_start (&n.timer, goad_after (GOAD_MS), 0, note_rounding, &n), 0);
	fesetround (FE_TONEAREST);
	await (&n.fired, 1);
	claim_eq (n.result, FE_UPWARD);
	claim_eq (goad_timer_stop (n.timer), 0);
}

Test (timer, rounds_as_its_starter, .timeout = 10)
{
	cr_assert_eq (run_main (rounding, NULL, 2, 0, 0), 0);
	claims_assert ();
}

/* Armed timers do not keep the runtime, what they have started does. */

static void sleep_on (void *arg)
{
	struct note *n = arg;

	n->begun = 1;
	goad_sleep (5 * GOAD_MS);
	n->fired = 1;
}

static void leave_armed (void *arg)
{
	struct note *n = arg;
	goad_timer_t *t;

	for (int i = 0; i < 1000; i++)
		claim_eq (goad_timer_start (&t, goad_after (3600 * GOAD_S), GOAD_S, fire, n), 0);
	claim_eq (goad_timer_start (&t, 0, 0, sleep_on, n + 1), 0);
	await (&n[1].begun, 1);
}

Test (timer, armed_ones_do_not_keep_main, .timeout = 20)
{
	struct note n[2] = { 0 };
	struct census before, after;

	run_main (leave_armed, n, 2, 0, 0);
	before = census_now ();
	for (int i = 0; i < 5; i++) {
		n[1].fired = n[1].begun = 0;
		cr_assert_eq (run_main (leave_armed, n, 2, 0, 0), 0);
		cr_assert_eq (n[0].fired, 0);
		cr_assert_eq (n[1].fired, 1);
	}
	claims_assert ();
	/* A sanitizer's own memory grows. */
	before.maps += TEST_SLOW ? 32 : 0;
	before.vm_kb += TEST_SLOW ? 4096 : 0;
	after = census_settled (before.threads);
	cr_assert_leq (after.maps, before.maps + 2);
	cr_assert_leq (after.vm_kb, before.vm_kb + 1024, "memory of timers is given back");
}

/* A timer is no deadlock as long as it will fire; a stopped one does not hide one. */

static void wait_for_timer (void *arg)
{
	struct note *n = arg;
	goad_timer_t *t;

	claim_eq (goad_timer_start (&t, goad_after (30 * GOAD_MS), 0, fire, n), 0);
	await (&n->fired, 1);
}

static void sleeps_for_ever (void *arg)
{
	goad_timer_t *t[8];

	(void) arg;
	for (int i = 0; i < 8; i++)
		claim_eq (goad_timer_start (&t[i], goad_after (3600 * GOAD_S), 0, fire, NULL), 0);
	for (int i = 0; i < 8; i++)
		claim_eq (goad_timer_stop (t[i]), 1);
	claim_eq (goad_timer_start (&t[0], GOAD_FOREVER, 0, fire, NULL), 0);
	goad_sleep_until (GOAD_FOREVER);
}

static void deadlock_child (void *arg)
{
	(void) arg;
	_exit (run_main (sleeps_for_ever, NULL, 2, 0, 0) == -EDEADLK ? 0 : 27);
}

static void no_deadlock_child (void *arg)
{
	struct note n = { 0 };

	(void) arg;
	_exit (run_main (wait_for_timer, &n, 2, 0, 0) == 0 && n.fired == 1 ? 0 : 27);
}

Test (timer, and_deadlock, .timeout = 60)
{
	char out[4096];
	int status = child_run (deadlock_child, NULL, 20, out, sizeof out);

	cr_assert (child_exited (status, 0), "%s", out);
	cr_assert (strstr (out, "deadlock"));
	status = child_run (no_deadlock_child, NULL, 20, out, sizeof out);
	cr_assert (child_exited (status, 0), "%s", out);
	if (!TEST_SLOW) /* AddressSanitizer tells of a stack that it does not know */
		cr_assert_str_eq (out, "");
}

/* Beside as many hogs as Ps: sysmon starts it. */
static void beside_hogs (void *arg)
{
	static struct hog hog[2];
	static _Atomic int stop;
	struct note n = { .due = goad_after (GOAD_MS), .period = 10 * GOAD_MS };
	goad_timer_t *t;

	(void) arg;
	hogs_begin (hog, 2, &stop);
	claim_eq (goad_timer_start (&t, n.due, n.period, fire, &n), 0);
	await (&n.fired, 10);
	claim_eq (goad_timer_stop (t), 1);
	claim_eq (n.early, 0);
	hogs_end (hog, 2, &stop);
}

Test (timer, beside_hogs, .timeout = 30)
{
	cr_assert_eq (run_main (beside_hogs, NULL, 2, GOAD_MS, 0), 0);
	claims_assert ();
}

/* In a quiet process a timer comes soon: far below a quantum, most of the time. */

static int by_size (const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *) a, y = *(const uint64_t *) b;
	return x < y ? -1 : x > y;
}

static void lateness (void *arg)
{
	static uint64_t late[200];
	struct note n = { 0 };

	for (int i = 0; i < 200; i++) {
		n.due = goad_after (300 * GOAD_US);
		n.fired = 0;
		if (i == 0)
			claim_eq (goad_timer_start (&n.timer, n.due, 0, fire, &n), 0);
		else
			claim_eq (goad_timer_reset (n.timer, n.due, 0), 0);
		while (n.fired == 0)
			goad_sleep (50 * GOAD_US);
		late[i] = n.last - n.due;
	}
	claim_eq (goad_timer_stop (n.timer), 0);
	qsort (late, 200, sizeof *late, by_size);
	*(uint64_t *) arg = late[100];
}

Test (timer, is_in_time, .timeout = 60)
{
	uint64_t median = 0;

	cr_assert_eq (run_main (lateness, &median, 2, 0, 0), 0);
	claims_assert ();
	cr_assert_lt (median, 2 * GOAD_MS, "half of them were more than %.3f ms late",
	              (double) median / 1e6);
}
