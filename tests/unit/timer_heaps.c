/* SPDX-License-Identifier: MIT */
/* The heaps of the Ps together: what is published, who runs what, moving, and several
 * threads at once.  The Ps are only there for their numbers; the test's threads have
 * none of them. */
#include "tests/harness.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/rng.h"
#include "sched/sched.h"
#include "wait/sleep.h"
#include "wait/ticker.h"
#include "wait/timer.h"

enum { PS = 4 };

static struct p ps[PS];
static struct m ms[PS];
static struct g nobody;
static _Atomic uint32_t sysmon_woken;
static uint64_t order[1000];
static size_t fired;

static void note_wake (void)
{
	sysmon_woken++;
}

static void set_up (void)
{
	fired = 0;
	sysmon_woken = 0;
	goad__sched.nprocs = goad__sched.np_made = PS;
	goad__sched.p = ps;
	for (int i = 0; i < PS; i++) {
		ps[i].id = i;
		ps[i].next_timer = UINT64_MAX;
		ms[i].p = &ps[i];
	}
	goad__timers_init ();
	goad__sysmon_wake = note_wake;
	goad__pin ();
}

static void tear_down (void)
{
	goad__set_m (NULL);
	goad__unpin ();
	cr_assert_eq (goad__timers_live (), 0);
	goad__timers_fini ();
}

/* From here on this thread has P i. */
static void be (int i)
{
	goad__set_m (&ms[i]);
}

struct item {
	struct sleeper s;
	_Atomic uint32_t fired;
};

static bool note (struct sleeper *s)
{
	if (fired < sizeof order / sizeof *order)
		order[fired] = s->when;
	fired++;
	return false;
}

static struct sleeper at (uint64_t when)
{
	return (struct sleeper){ .when = when, .g = &nobody, .fire = note };
}

Test (timer_heaps, the_earliest_is_published, .init = set_up, .fini = tear_down)
{
	struct sleeper a = at (50), b = at (30), c = at (40);

	be (1);
	cr_assert_eq (goad__next_timer (), UINT64_MAX);
	cr_assert_eq (goad__sleep_add (&a, NULL), 0);
	cr_assert_eq (ps[1].next_timer, 50);
	cr_assert_eq (goad__sleep_add (&b, NULL), 0);
	cr_assert_eq (ps[1].next_timer, 30);
	be (2);
	cr_assert_eq (goad__sleep_add (&c, NULL), 0);
	cr_assert_eq (ps[1].next_timer, 30);
	cr_assert_eq (ps[2].next_timer, 40);
	cr_assert_eq (goad__next_timer (), 30);
	cr_assert_eq (goad__timers_live (), 3);
	cr_assert (goad__sleep_cancel (&b), "from any P");
	cr_assert_eq (ps[1].next_timer, 50);
	cr_assert_eq (goad__next_timer (), 40);
	goad__timers_run_all (49);
	cr_assert_eq (goad__next_timer (), 50);
	cr_assert_not (goad__sleep_cancel (&c), "it had fired");
	cr_assert (goad__sleep_cancel (&a));
	cr_assert_not (goad__sleep_cancel (&a));
	cr_assert_eq (goad__next_timer (), UINT64_MAX);
}

Test (timer_heaps, for_ever_is_in_no_heap, .init = set_up, .fini = tear_down)
{
	struct sleeper s = at (UINT64_MAX);

	be (0);
	cr_assert_eq (goad__sleep_add (&s, NULL), 0);
	cr_assert_eq (goad__timers_live (), 0);
	goad__timers_run_all (UINT64_MAX - 1);
	cr_assert_eq (fired, 0);
	cr_assert (goad__sleep_cancel (&s));
}

static bool refuse (struct sleeper *s)
{
	(void) s;
	return false;
}

Test (timer_heaps, what_cannot_be_announced_is_not_there, .init = set_up, .fini = tear_down)
{
	struct sleeper s = at (10);

	be (0);
	cr_assert_eq (goad__sleep_add (&s, refuse), -11);
	cr_assert_eq (goad__next_timer (), UINT64_MAX);
}

/* Whoever runs a heap takes what is due in the order of deadlines. */
Test (timer_heaps, each_in_its_order, .init = set_up, .fini = tear_down)
{
	static struct sleeper s[500];
	uint64_t rng = 3;

	for (int i = 0; i < 500; i++) {
		be (i % PS);
		s[i] = at (goad__random_below (&rng, 10000));
		cr_assert_eq (goad__sleep_add (&s[i], NULL), 0);
	}
	be (0); /* a thief */
	for (int p = 0; p < PS; p++) {
		size_t before = fired;
		goad__timers_run (&ps[p], 7000);
		for (size_t i = before + 1; i < fired; i++)
			cr_assert_leq (order[i - 1], order[i]);
		cr_assert (ps[p].next_timer > 7000);
	}
	goad__timers_run_all (UINT64_MAX - 1);
	cr_assert_eq (fired, 500);
}

/* Where all Ps are busy, and sysmon is to look within the granularity, it is left asleep. */
Test (timer_heaps, sysmon_that_looks_soon_is_left_asleep, .init = set_up, .fini = tear_down)
{
	struct sched *s = &goad__sched;
	uint64_t base = goad__now () + 100 * GOAD_S, soon = goad__now () + 100 * GOAD_US;
	struct sleeper a = at (GOAD_S), b = at (GOAD_S), c = at (base);

	be (0);
	s->granularity = 1000 * GOAD_S;
	s->npidle = 0;
	cr_assert_eq (goad__timers_sleeps (soon), soon);
	goad__sleep_add (&a, NULL);
	cr_assert_eq (sysmon_woken, 0);
	goad__sleep_cancel (&a);
	s->npidle = 1;
	cr_assert_eq (goad__timers_sleeps (soon), soon);
	goad__sleep_add (&b, NULL);
	cr_assert_eq (sysmon_woken, 1, "an idle P could serve it");
	goad__sleep_cancel (&b);
	s->npidle = 0;
	cr_assert_eq (goad__timers_sleeps (base + GOAD_S), base + GOAD_S);
	goad__sleep_add (&c, NULL);
	cr_assert_eq (sysmon_woken, 2, "late by much, though hogs may have the Ps for longer");
	goad__sleep_cancel (&c);
	s->granularity = 0;
}

/* sysmon is woken if it would sleep past it by more than a little, and only then. */
Test (timer_heaps, sysmon_hears_of_what_it_would_miss, .init = set_up, .fini = tear_down)
{
	struct sleeper a = at (GOAD_S), b = at (GOAD_S - 1), c = at (GOAD_MS), d = at (2 * GOAD_S);

	be (0);
	goad__sleep_add (&a, NULL);
	cr_assert_eq (sysmon_woken, 0, "it is awake, and looks before it sleeps");
	cr_assert_eq (goad__timers_sleeps (UINT64_MAX), GOAD_S);
	goad__sleep_add (&b, NULL);
	cr_assert_eq (sysmon_woken, 0, "near enough");
	be (1);
	goad__sleep_add (&d, NULL);
	cr_assert_eq (sysmon_woken, 0, "the first of P 1, but later");
	goad__sleep_add (&c, NULL);
	cr_assert_eq (sysmon_woken, 1);
	goad__timers_woke ();
	cr_assert_eq (goad__timers_sleeps (100), 100);
	goad__sleep_cancel (&c);
	cr_assert_eq (goad__timers_sleeps (UINT64_MAX), GOAD_S - 1);
	goad__sleep_cancel (&a);
	goad__sleep_cancel (&b);
	goad__sleep_cancel (&d);
	cr_assert_eq (sysmon_woken, 1);
}

/* A thread without a P puts its own somewhere, and finds it again. */
Test (timer_heaps, without_a_p, .init = set_up, .fini = tear_down)
{
	struct sleeper s = at (77);

	goad__set_m (NULL);
	cr_assert_eq (goad__sleep_add (&s, NULL), 0);
	cr_assert_eq (goad__next_timer (), 77);
	cr_assert (goad__sleep_cancel (&s));
}

static void never_runs (void *arg)
{
	(void) arg;
}

Test (timer_heaps, a_p_that_goes_leaves_nothing, .init = set_up, .fini = tear_down)
{
	static struct sleeper s[300];
	static goad_timer_t *t[300];

	be (3);
	for (uint64_t i = 0; i < 300; i++) {
		s[i] = at (1000 + i);
		cr_assert_eq (goad__sleep_add (&s[i], NULL), 0);
		cr_assert_eq (goad__timer_start (&t[i], GOAD_S + i, 0, never_runs, NULL), 0);
	}
	for (int i = 0; i < 30; i++) /* some dead ones among them */
		cr_assert_eq (goad__timer_stop (t[i * 7]), 1);
	goad__sched.nprocs = 2;
	goad__timers_move (&ps[3]);
	cr_assert_eq (ps[3].next_timer, UINT64_MAX);
	cr_assert_eq (ps[1].next_timer, 1000);
	cr_assert_eq (goad__timers_live (), 570);
	be (0);
	cr_assert (goad__sleep_cancel (&s[5]), "found where it is now");
	cr_assert_eq (goad__timer_reset (t[1], 10, 0), 1);
	cr_assert_eq (ps[1].next_timer, 10);
	cr_assert_eq (goad__timer_stop (t[1]), 1);
	goad__timers_run_all (2000);
	cr_assert_eq (fired, 299);
	for (int i = 0; i < 300; i++)
		if (i % 7 || i >= 210)
			if (i != 1)
				cr_assert_eq (goad__timer_stop (t[i]), 1);
	goad__timers_move (&ps[3]);
	goad__timers_move (&ps[1]);
	goad__sched.nprocs = 1;
	goad__timers_move (&ps[0]);
}

/* Threads that add and cancel, one that runs, one that moves: each sleeper fires once or
 * was cancelled, never both. */

enum { THREADS = 3, EACH = 3000, ROUNDS = 12 };

static struct item items[THREADS][EACH];
static _Atomic bool over;
static _Atomic uint32_t twice, both, neither;

static bool count_fired (struct sleeper *s)
{
	struct item *it = container_of (s, struct item, s);
	it->fired++;
	return false;
}

static void *add_and_cancel (void *arg)
{
	int me = (int) (intptr_t) arg;
	uint64_t rng = 11 + (uint64_t) me;

	goad__pin ();
	be (me);
	for (int round = 0; round < ROUNDS; round++) {
		for (int i = 0; i < EACH; i++) {
			struct item *it = &items[me][i];
			it->fired = 0;
			it->s = at (goad__now () + goad__random_below (&rng, 400000));
			it->s.fire = count_fired;
			if (goad__sleep_add (&it->s, NULL) != 0)
				abort ();
		}
		for (int i = 0; i < EACH; i++) {
			struct item *it = &items[me][i];
			bool cancelled = goad__sleep_cancel (&it->s);
			uint32_t n = it->fired;
			twice += n > 1;
			both += cancelled && n;
			neither += !cancelled && !n;
		}
	}
	goad__set_m (NULL);
	goad__unpin ();
	return NULL;
}

static void *run_all (void *arg)
{
	(void) arg;
	goad__pin ();
	while (!over)
		goad__timers_run_all (goad__now ());
	goad__unpin ();
	return NULL;
}

static void *move_all (void *arg)
{
	(void) arg;
	goad__pin ();
	for (int i = 0; !over; i++) {
		goad__timers_move (&ps[i % PS]);
		goad__cpu_relax ();
	}
	goad__unpin ();
	return NULL;
}

Test (timer_heaps, each_fires_once_or_is_cancelled, .init = set_up, .fini = tear_down,
      .timeout = 60)
{
	pthread_t adder[THREADS], runner, mover;

	pthread_create (&runner, NULL, run_all, NULL);
	pthread_create (&mover, NULL, move_all, NULL);
	for (intptr_t i = 0; i < THREADS; i++)
		pthread_create (&adder[i], NULL, add_and_cancel, (void *) i);
	for (int i = 0; i < THREADS; i++)
		pthread_join (adder[i], NULL);
	over = true;
	pthread_join (runner, NULL);
	pthread_join (mover, NULL);
	cr_assert_eq (twice, 0);
	cr_assert_eq (both, 0);
	cr_assert_eq (neither, 0);
}
