/* SPDX-License-Identifier: MIT */
/* tests/preempt/torture.c - the same work alone and under preemption, compared bit for bit */
#include "tests/preempt/torture.h"

#include <stdio.h>

#define TORTURE_QUANTUM (100 * GOAD_US)
#define TORTURE_LIMIT (25 * GOAD_S) /* for a host that hardly lets sysmon run */

struct victim {
	const struct torture *t;
	unsigned which;
	goad_task_t *task;
	uint64_t runs, wrong, yielded; /* yielded: in the work, not on the way to it */
	unsigned char expected[TORTURE_SIZE], got[TORTURE_SIZE];
};

static struct victim victims[TORTURE_TASKS];
static _Atomic int enough;

static unsigned tasks_of (const struct torture *t)
{
	return t->tasks ? t->tasks : 6;
}

static unsigned total_of (const struct torture *t)
{
	return TEST_SOME (t->total ? t->total : 2000);
}

/* Without the decoder any byte that looks like an FS prefix binds its function, and which
 * have one is for the compiler to say: then only the sum counts. */
static unsigned yielded_of (const struct torture *t)
{
#ifdef HAVE_ZYDIS
	return TEST_SOME (t->yielded);
#else
	(void) t;
	return 0;
#endif
}

static void suffer (void *arg)
{
	struct victim *v = arg;
	goad_task_stats_t before, after;

	claim_eq (goad_task_stats (NULL, &before), 0);
	do {
		memset (v->got, 0xee, v->t->size);
		v->t->work (v->which, v->got);
		v->wrong += memcmp (v->got, v->expected, v->t->size) != 0;
		v->runs++;
	} while (!atomic_load (&enough));
	claim_eq (goad_task_stats (NULL, &after), 0);
	v->yielded = after.preempt_yielded - before.preempt_yielded;
}

/* Watches the counters; the workloads go on until all the kinds have been seen. */
static void torment (void *arg)
{
	const struct torture *t = arg;
	uint64_t limit = goad_after (TORTURE_LIMIT);

	for (unsigned i = 0; i < tasks_of (t); i++)
		claim_eq (goad_spawn (&victims[i].task, NULL, suffer, &victims[i]), 0);
	for (;;) {
		goad_stats_t s = stats_now ();

		if ((s.preempt_yielded + s.preempt_handed_off >= total_of (t) &&
		     s.preempt_yielded >= yielded_of (t) &&
		     s.preempt_handed_off >= TEST_SOME (t->handed_off)) ||
		    goad_now () > limit)
			break;
		goad_sleep (5 * GOAD_MS);
	}
	atomic_store (&enough, 1);
	for (unsigned i = 0; i < tasks_of (t); i++)
		claim_eq (goad_join (victims[i].task), 0);
}

static void torture (const struct torture *t, int mode)
{
	goad_stats_t s;

	cr_assert (t->size <= TORTURE_SIZE && tasks_of (t) <= TORTURE_TASKS);
	if (!t->bound)
		program_scanned ();
	atomic_store (&enough, 0);
	for (unsigned i = 0; i < tasks_of (t); i++) {
		struct victim *v = &victims[i];

		*v = (struct victim){ .t = t, .which = i };
		t->work (i, v->expected);
		memset (v->got, 0xee, t->size);
		t->work (i, v->got);
		cr_assert_arr_eq (v->got, v->expected, t->size, "the work is not repeatable");
	}
	cr_assert_eq (run_main (torment, (void *) t, 2, TORTURE_QUANTUM, mode), 0);
	claims_assert ();
	s = stats_now ();
	for (unsigned i = 0; i < tasks_of (t); i++) {
		cr_expect_eq (victims[i].wrong, 0, "coroutine %u: %llu of %llu results differ", i,
		              (unsigned long long) victims[i].wrong, (unsigned long long) victims[i].runs);
	}
	fprintf (stderr, "  %llu yielded, %llu handed off, %llu deferred, %llu expired\n",
	         (unsigned long long) s.preempt_yielded, (unsigned long long) s.preempt_handed_off,
	         (unsigned long long) s.preempt_deferred, (unsigned long long) s.preempt_expired);
	cr_expect_geq (s.preempt_yielded + s.preempt_handed_off, total_of (t), "too few preemptions");
	cr_expect_geq (s.preempt_yielded, yielded_of (t), "too few yielded in place");
	cr_expect_geq (s.preempt_handed_off, TEST_SOME (t->handed_off), "too few handed off");
	if (mode == GOAD_PREEMPT_HANDOFF)
		cr_expect_eq (s.preempt_yielded, 0);
	if (mode == GOAD_PREEMPT_YIELD)
		cr_expect_eq (s.preempt_handed_off, 0);
}

uint64_t torture_yielded (const struct torture *t)
{
	uint64_t n = 0;

	for (unsigned i = 0; i < tasks_of (t); i++)
		n += victims[i].yielded;
	return n;
}

void torture_auto (const struct torture *t)
{
	torture (t, GOAD_PREEMPT_AUTO);
}

void torture_handoff (const struct torture *t)
{
	struct torture all = *t;

	all.yielded = 0;
	torture (&all, GOAD_PREEMPT_HANDOFF);
}

void torture_yield (const struct torture *t)
{
	struct torture all = *t;

	all.handed_off = 0;
	torture (&all, GOAD_PREEMPT_YIELD);
}

__attribute__ ((noinline)) uint64_t fold (uint64_t sum, const void *data, size_t size)
{
	const unsigned char *p = data;

	sum ^= UINT64_C (0xcbf29ce484222325);
	for (size_t i = 0; i < size; i++)
		sum = (sum ^ p[i]) * UINT64_C (0x100000001b3);
	return sum;
}

__attribute__ ((noinline)) uint64_t next_random (uint64_t *state)
{
	uint64_t z = *state += UINT64_C (0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C (0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C (0x94d049bb133111eb);
	return z ^ z >> 31;
}
