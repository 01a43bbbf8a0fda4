/* SPDX-License-Identifier: MIT */
/* tests/api/starve.c - the watch: who waits too long is noticed, and who is to blame */
#include "tests/harness.h"
#include "tests/support.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define MOST 2000

/* What on_starve was told; sysmon writes, others read after n.  The first coroutine, which has
 * no name, may wait too when the host is busy: that is counted in all, and no more. */
static struct told {
	_Atomic int all, n, framed;
	goad_starve_event_t e[MOST];
	char name[MOST][32], hog_name[MOST][32];
} told;

static void note (const goad_starve_event_t *e, void *arg)
{
	struct told *t = arg;
	int i = atomic_load (&t->n);

	atomic_fetch_add (&t->all, 1);
	if (e->name[0] == '\0')
		return;
	if (i < MOST) {
		t->e[i] = *e;
		snprintf (t->name[i], sizeof t->name[i], "%s", e->name);
		snprintf (t->hog_name[i], sizeof t->hog_name[i], "%s", e->hog_name);
	}
	if (e->hog_depth > 0)
		atomic_fetch_add (&t->framed, 1);
	atomic_store (&t->n, i + 1);
}

static int watch (uint64_t bound)
{
	goad_starve_opts_t o = GOAD_STARVE_OPTS_INIT;

	memset (&told, 0, sizeof told);
	o.bound_ns = bound;
	o.on_starve = note;
	o.arg = &told;
	return goad_starve_watch (&o);
}

static uint64_t stop (void)
{
	uint64_t events = 999999;

	claim_eq (goad_starve_stop (&events), 0);
	return events;
}

/* Runs, without a call, until so many events were told, or for two seconds; -1: 100 ms. */
static __attribute__ ((noinline)) void hog_until (int events)
{
	uint64_t end = goad_now () + (events < 0 ? GOAD_S / 10 : 2 * GOAD_S);

	while ((events < 0 || atomic_load (&told.n) < events) && goad_now () < end)
		for (volatile int i = 0; i < 200000; i++) /* the clock's code has no frames */
			;
}

static void hog (void *arg)
{
	hog_until ((int) (intptr_t) arg);
}

static void nothing (void *arg)
{
	(void) arg;
}

static void spawn (goad_task_t **t, const char *name, goad_fn fn, void *arg)
{
	goad_attr_t a = GOAD_ATTR_INIT;

	a.name = name;
	claim_eq (goad_spawn (t, &a, fn, arg), 0);
}

Test (starve, bad_arguments)
{
	goad_starve_opts_t o = { .size = 0 };
	uint64_t events;

	cr_assert_eq (goad_starve_watch (NULL), -EINVAL);
	cr_assert_eq (goad_starve_watch (&o), -EINVAL);
	o.size = sizeof o;
	o.flags = 0x80000000u;
	cr_assert_eq (goad_starve_watch (&o), -EINVAL);
	cr_assert_eq (goad_starve_stop (&events), -EPERM);
	o.flags = 0;
	cr_assert_eq (goad_starve_watch (&o), 0);
	cr_assert_eq (goad_starve_watch (&o), -EBUSY);
	cr_assert_eq (goad_starve_stop (&events), 0);
	cr_assert_eq (events, 0);
	cr_assert_eq (goad_starve_stop (NULL), -EPERM);
}

/* A hog on the only P, and behind it one that waits. */
static void two (void *arg)
{
	goad_task_t *h, *v;

	/* The one that was spawned last goes first. */
	spawn (&v, "victim", nothing, NULL);
	spawn (&h, "hog", hog, arg);
	goad_join (h);
	goad_join (v);
}

/* The same in a queue out of whose middle others were taken: the joined. */
static void two_after_joins (void *arg)
{
	goad_task_t *a, *b;

	for (int i = 0; i < 20; i++) {
		spawn (&a, NULL, nothing, NULL); /* without names: the host may starve them */
		spawn (&b, NULL, nothing, NULL);
		goad_join (a);
		goad_join (b);
	}
	two (arg);
}

static void check_two (int n)
{
	const goad_starve_event_t *e = &told.e[0];

	cr_assert_geq (atomic_load (&told.n), n);
	cr_assert_geq (e->waited_ns, 5 * GOAD_MS);
	cr_assert_str_eq (told.name[0], "victim");
	cr_assert_str_eq (told.hog_name[0], "hog");
	cr_assert_neq (e->hog_id, 0);
	cr_assert_neq (e->hog_id, e->id);
	if (!TEST_SLOW) {
		bool there = false;
		for (int i = 0; i < e->hog_depth; i++)
			there |= (char *) e->hog_pc[i] - (char *) (uintptr_t) hog_until >= 0 &&
			         (char *) e->hog_pc[i] - (char *) (uintptr_t) hog_until < 400;
		cr_assert (there, "the hog's function is not among its %d frames", e->hog_depth);
	}
}

/* It ends because it was told of: so that was while the wait lasted. */
static void noticed (goad_fn fn, int mode)
{
	goad_config_t cfg = config_of (1, GOAD_S, mode);

	cfg.flags = GOAD_F_NO_FEEDBACK; /* else the victim would not wait for the quantum */
	cr_assert_eq (watch (5 * GOAD_MS), 0);
	cr_assert_eq (goad_main (fn, (void *) 1, &cfg), 0);
	claim_eq (stop (), atomic_load (&told.all));
	check_two (1);
	claims_assert ();
}

static void noticed_in_mode (int mode)
{
	noticed (two, mode);
}

Test (starve, noticed_in_a_queue_with_holes, .timeout = 20)
{
	noticed (two_after_joins, GOAD_PREEMPT_OFF);
}

Test (starve, noticed_while_it_waits)
{
	noticed_in_mode (GOAD_PREEMPT_AUTO);
}

Test (starve, noticed_with_preemption_off)
{
	noticed_in_mode (GOAD_PREEMPT_OFF);
}

Test (starve, noticed_in_mode_coop)
{
	noticed_in_mode (GOAD_PREEMPT_COOP);
}

/* Disabled before there is anybody to be preempted for. */
static void disabled_hog (void *arg)
{
	goad_task_t *v;

	goad_preempt_disable ();
	spawn (&v, "victim", nothing, NULL);
	hog_until ((int) (intptr_t) arg);
	goad_preempt_enable ();
	goad_join (v);
}

static void two_disabled (void *arg)
{
	goad_task_t *h;

	spawn (&h, "hog", disabled_hog, arg);
	goad_join (h);
}

Test (starve, noticed_behind_one_that_disabled_preemption)
{
	cr_assert_eq (watch (20 * GOAD_MS), 0);
	cr_assert_eq (run_main (two_disabled, (void *) 1, 1, 5 * GOAD_MS, GOAD_PREEMPT_AUTO), 0);
	stop ();
	check_two (1);
	claims_assert ();
}

#define CROWD 400

/* Each once, however long it goes on waiting. */
static void crowd (void *arg)
{
	goad_task_t *h, *v[CROWD];
	char name[16];

	(void) arg;
	for (int i = 0; i < CROWD; i++) {
		snprintf (name, sizeof name, "v%d", i);
		spawn (&v[i], name, nothing, NULL);
	}
	spawn (&h, "hog", hog, (void *) CROWD);
	goad_join (h);
	spin_for (20 * GOAD_MS);
	for (int i = 0; i < CROWD; i++)
		goad_join (v[i]);
}

Test (starve, each_of_a_crowd_once)
{
	static bool seen[CROWD];
	int distinct = 0, n;

	cr_assert_eq (watch (5 * GOAD_MS), 0);
	cr_assert_eq (run_main (crowd, NULL, 1, GOAD_S, GOAD_PREEMPT_OFF), 0);
	stop ();
	n = atomic_load (&told.n);
	for (int i = 0; i < n && i < MOST; i++) {
		int v;
		if (sscanf (told.name[i], "v%d", &v) != 1)
			continue;
		cr_assert (!seen[v], "%s twice", told.name[i]);
		seen[v] = true;
		distinct++;
	}
	cr_assert_eq (distinct, CROWD);
	claims_assert ();
}

/* Each of a coroutine's waits is one of its own. */
static void yields (void *arg)
{
	for (int i = 0; i < 3; i++) {
		int before = atomic_load (&told.n);
		goad_yield ();
		claim (atomic_load (&told.n) > before);
	}
	atomic_store ((_Atomic int *) arg, 1);
}

static void three_waits (void *arg)
{
	static _Atomic int done;
	goad_task_t *v;

	(void) arg;
	atomic_store (&done, 0);
	spawn (&v, "victim", yields, &done);
	goad_yield ();
	while (!atomic_load (&done)) {
		hog_until (atomic_load (&told.n) + 1);
		goad_yield ();
	}
	goad_join (v);
}

Test (starve, each_wait_is_an_event)
{
	cr_assert_eq (watch (2 * GOAD_MS), 0);
	cr_assert_eq (run_main (three_waits, NULL, 1, GOAD_S, GOAD_PREEMPT_OFF), 0);
	cr_assert_eq (stop (), (uint64_t) atomic_load (&told.all));
	cr_assert_geq (atomic_load (&told.n), 3);
	claims_assert ();
}

/* All of the three queues, and all Ps. */
static void hogs_everywhere (void *arg)
{
	goad_task_t *h[4];

	(void) arg;
	for (int i = 0; i < 4; i++)
		spawn (&h[i], "hog", hog, (void *) 6);
	for (int i = 0; i < 4; i++)
		goad_join (h[i]);
}

Test (starve, hogs_that_wait_for_each_other)
{
	/* Four on two Ps, at 20 ms each: two wait, for 20 ms at least. */
	cr_assert_eq (watch (10 * GOAD_MS), 0);
	cr_assert_eq (run_main (hogs_everywhere, NULL, 2, 20 * GOAD_MS, GOAD_PREEMPT_AUTO), 0);
	cr_assert_eq (stop (), (uint64_t) atomic_load (&told.all));
	cr_assert_geq (atomic_load (&told.n), 6);
	for (int i = 0; i < atomic_load (&told.n) && i < MOST; i++)
		cr_assert_neq (told.e[i].hog_id, told.e[i].id);
	claims_assert ();
}

/* Beyond the bound for so short that nobody looked: noticed when it ended. */
static void short_waits (void *arg)
{
	goad_task_t *v[50];

	(void) arg;
	for (int i = 0; i < 50; i++)
		spawn (&v[i], "victim", nothing, NULL);
	spin_for (30000);
	for (int i = 0; i < 50; i++)
		goad_join (v[i]);
}

Test (starve, waits_that_were_over_before_anybody_looked)
{
	cr_assert_eq (watch (20000), 0);
	cr_assert_eq (run_main (short_waits, NULL, 1, 10 * GOAD_MS, GOAD_PREEMPT_OFF), 0);
	cr_assert_eq (stop (), (uint64_t) atomic_load (&told.all));
	cr_assert_geq (atomic_load (&told.n), 50);
	claims_assert ();
}

static void quiet (void *arg)
{
	goad_task_t *t;

	(void) arg;
	for (int i = 0; i < 100; i++) {
		spawn (&t, "t", nothing, NULL);
		goad_join (t);
		goad_sleep (100000);
	}
}

Test (starve, nobody_starves)
{
	uint64_t host = host_delay_ns ();

	cr_assert_eq (watch (GOAD_S), 0);
	cr_assert_eq (run_main (quiet, NULL, 2, 0, 0), 0);
	if (host_delay_ns () - host < GOAD_S)
		cr_assert_eq (stop (), 0);
}

/* Begun and ended while it runs, by a coroutine, and over two runs. */
static void within (void *arg)
{
	(void) arg;
	for (int i = 0; i < 5; i++) {
		claim_eq (watch (2 * GOAD_MS), 0);
		claim_eq (goad_starve_watch (&(goad_starve_opts_t) GOAD_STARVE_OPTS_INIT), -EBUSY);
		two ((void *) 1);
		claim (stop () >= 1);
		int n = atomic_load (&told.n);
		two ((void *) 0); /* not watched */
		claim_eq (atomic_load (&told.n), n);
	}
}

Test (starve, begun_and_ended_by_a_coroutine)
{
	for (int i = 0; i < 2; i++)
		cr_assert_eq (run_main (within, NULL, 1, GOAD_S, GOAD_PREEMPT_OFF), 0);
	claims_assert ();
}

/* A coroutine that sleeps in the kernel is named, and its call not broken off. */
static void sleeper (void *arg)
{
	struct timespec ts = { 0, 60 * 1000000 };

	(void) arg;
	claim_eq (nanosleep (&ts, NULL), 0);
}

static void behind_sleeper (void *arg)
{
	goad_task_t *h, *v;

	(void) arg;
	spawn (&v, "victim", nothing, NULL);
	spawn (&h, "sleeper", sleeper, NULL);
	goad_join (h);
	goad_join (v);
}

Test (starve, a_hog_asleep_in_the_kernel)
{
	cr_assert_eq (watch (5 * GOAD_MS), 0);
	cr_assert_eq (run_main (behind_sleeper, NULL, 1, GOAD_S, GOAD_PREEMPT_OFF), 0);
	stop ();
	cr_assert_geq (atomic_load (&told.n), 1);
	cr_assert_str_eq (told.name[0], "victim");
	cr_assert_str_eq (told.hog_name[0], "sleeper");
	claims_assert ();
}

static void stop_it (const goad_starve_event_t *e, void *arg)
{
	uint64_t events = 0;

	note (e, arg);
	if (e->name[0] == '\0')
		return;
	if (goad_starve_stop (&events) == 0)
		atomic_fetch_add (&told.framed, 1000000);
}

static void crowd_of_one_event (void *arg)
{
	goad_task_t *h, *v[10];

	(void) arg;
	for (int i = 0; i < 10; i++)
		spawn (&v[i], "victim", nothing, NULL);
	spawn (&h, "hog", hog, (void *) 1);
	goad_join (h);
	for (int i = 0; i < 10; i++)
		goad_join (v[i]);
}

Test (starve, ended_by_on_starve_itself)
{
	goad_starve_opts_t o = GOAD_STARVE_OPTS_INIT;

	memset (&told, 0, sizeof told);
	o.bound_ns = 2 * GOAD_MS;
	o.on_starve = stop_it;
	o.arg = &told;
	cr_assert_eq (goad_starve_watch (&o), 0);
	cr_assert_eq (run_main (crowd_of_one_event, NULL, 1, GOAD_S, GOAD_PREEMPT_OFF), 0);
	cr_assert_eq (atomic_load (&told.n), 1);
	cr_assert_geq (atomic_load (&told.framed), 1000000);
	cr_assert_eq (goad_starve_stop (NULL), -EPERM);
	claims_assert ();
}

static void child_reports (void *arg)
{
	goad_starve_opts_t o = GOAD_STARVE_OPTS_INIT;

	(void) arg;
	o.bound_ns = 5 * GOAD_MS;
	if (goad_starve_watch (&o) == 0) {
		goad_config_t cfg = config_of (1, GOAD_S, GOAD_PREEMPT_OFF);
		goad_main (two, (void *) -1, &cfg);
	}
	_exit (goad_starve_stop (NULL) != 0);
}

Test (starve, report_on_stderr)
{
	static char out[65536];
	int status = child_run (child_reports, NULL, 20, out, sizeof out);

	cr_assert (child_exited (status, 0), "status %x: %s", status, out);
	cr_assert (strstr (out, "starvation: coroutine 2 'victim' has been runnable for "), "%s", out);
	cr_assert (strstr (out, "while coroutine 3 '"), "%s", out);
	if (!TEST_SLOW)
		cr_assert (strstr (out, "hog_until"), "%s", out);
}

/* The assertions for tests, in a test. */
static const char *complaint;
#undef GOAD_STARVE_FAIL
#define GOAD_STARVE_FAIL(...) (complaint = #__VA_ARGS__)

Test (starve, assertions)
{
	goad_config_t cfg = config_of (1, GOAD_S, GOAD_PREEMPT_OFF);

	GOAD_ASSERT_NO_STARVATION (GOAD_S, int err = goad_main (nothing, NULL, &cfg);
	                           cr_assert_eq (err, 0););
	cr_assert_null (complaint);
	GOAD_EXPECT_STARVATION (5 * GOAD_MS, goad_main (two, (void *) -1, &cfg););
	cr_assert_null (complaint);
	GOAD_ASSERT_NO_STARVATION (5 * GOAD_MS, goad_main (two, (void *) -1, &cfg););
	cr_assert (complaint && strstr (complaint, "goad_starved_"), "%s", complaint);
	complaint = NULL;
	GOAD_EXPECT_STARVATION (GOAD_S, goad_main (nothing, NULL, &cfg););
	cr_assert (complaint && strstr (complaint, "too few"), "%s", complaint);
}

/* Threads from outside begin and end watches while coroutines come and go. */
static _Atomic int over;

static void *flip (void *arg)
{
	(void) arg;
	while (!atomic_load (&over)) {
		goad_starve_opts_t o = GOAD_STARVE_OPTS_INIT;
		uint64_t events;
		o.bound_ns = 1000;
		o.on_starve = note;
		o.arg = &told;
		if (goad_starve_watch (&o) == 0)
			goad_starve_stop (&events);
	}
	return NULL;
}

static void churn (void *arg)
{
	uint64_t end = goad_now () + 300 * GOAD_MS;

	(void) arg;
	while (goad_now () < end)
		for (int i = 0; i < 200; i++)
			claim_eq (goad_go (nothing, NULL), 0);
}

Test (starve, begun_and_ended_from_outside)
{
	pthread_t t[2];

	atomic_store (&over, 0);
	for (int i = 0; i < 2; i++)
		pthread_create (&t[i], NULL, flip, NULL);
	for (int i = 0; i < 2; i++)
		cr_assert_eq (run_main (churn, NULL, 2, 0, 0), 0);
	atomic_store (&over, 1);
	for (int i = 0; i < 2; i++)
		pthread_join (t[i], NULL);
	claims_assert ();
}
