/* SPDX-License-Identifier: MIT */
/* tests/preempt/torture_pkey.c - protection keys stay with the thread, whichever coroutine is
 * stopped on one and goes on on another */
#include "tests/preempt/torture.h"

#include <cpuid.h>
#include <stdio.h>

enum { HOGS = 6, YIELDED = 500, MOVED = 50 };

/* What Linux gives each thread: no access but by key 0. */
#define PKRU_DEFAULT 0x55555554u

static _Atomic uint32_t threads, moved, wrong, looks;
static _Atomic int enough;
static _Thread_local uint32_t mine;

static bool has_keys (void)
{
	uint32_t a, b, c, d;

	return __get_cpuid_count (7, 0, &a, &b, &c, &d) && (c >> 4 & 1);
}

static uint32_t pkru (void)
{
	uint32_t value;

	__asm__ volatile("rdpkru" : "=a"(value) : "c"(0) : "rdx");
	return value;
}

static void set_pkru (uint32_t value)
{
	__asm__ volatile("wrpkru" ::"a"(value), "c"(0), "d"(0));
}

/* Each thread has a value of its own from the first time that it is seen; who has used no key
 * notices nothing.  Not preempted meanwhile.  Returns the thread's number. */
static __attribute__ ((noinline)) uint32_t look (void)
{
	if (!mine) {
		mine = atomic_fetch_add (&threads, 1) + 1;
		set_pkru (PKRU_DEFAULT ^ mine << 2);
	}
	looks++;
	wrong += pkru () != (PKRU_DEFAULT ^ mine << 2);
	return mine;
}

static void wander (void *arg)
{
	uint32_t last = 0;

	(void) arg;
	while (!atomic_load (&enough)) {
		goad_preempt_disable ();
		uint32_t here = look ();
		goad_preempt_enable ();
		moved += last && here != last;
		last = here;
		spin_loops (20000);
	}
}

static void watch (void *arg)
{
	goad_task_t *hogs[HOGS];
	uint64_t limit = goad_after (20 * GOAD_S);

	(void) arg;
	for (int i = 0; i < HOGS; i++)
		claim_eq (goad_spawn (&hogs[i], NULL, wander, NULL), 0);
	while ((stats_now ().preempt_yielded < YIELDED || moved < MOVED) && goad_now () < limit)
		goad_sleep (5 * GOAD_MS);
	atomic_store (&enough, 1);
	for (int i = 0; i < HOGS; i++)
		claim_eq (goad_join (hogs[i]), 0);
}

Test (torture_pkey, stays_with_the_thread, .timeout = 60)
{
	uint32_t before;
	goad_stats_t s;

	if (!has_keys ())
		cr_skip ("this CPU has no protection keys");
	program_scanned ();
	before = pkru ();
	cr_assert_eq (run_main (watch, NULL, 2, 100 * GOAD_US, GOAD_PREEMPT_AUTO), 0);
	set_pkru (before);
	claims_assert ();
	s = stats_now ();
	fprintf (stderr, "  %llu yielded, %llu handed off, %u looks on %u threads, %u moves\n",
	         (unsigned long long) s.preempt_yielded, (unsigned long long) s.preempt_handed_off,
	         looks, threads, moved);
	cr_expect_eq (wrong, 0, "%u of %u looks saw another thread's keys", wrong, looks);
	cr_expect_geq (s.preempt_yielded, YIELDED, "too few yielded in place");
	cr_expect_geq (moved, MOVED, "too few went on on another thread");
}
