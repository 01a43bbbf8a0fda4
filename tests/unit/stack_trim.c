/* SPDX-License-Identifier: MIT */
/* stack_trim.c - what a stack costs, and when its memory goes back to the kernel */
#include "tests/harness.h"
#include "tests/unit/stack_kit.h"

#include <string.h>

#define N 4000

static struct stack_cache cache;
static struct stack *s[100000];

static void start (void)
{
	memset (&cache, 0, sizeof cache);
	goad__stack_init ();
	goad__stack_trim (SEC);
}

static void touch (struct stack *st, size_t depth)
{
	for (char *p = st->hi - GOAD__PAGE; p >= st->hi - depth; p -= GOAD__PAGE)
		*(volatile char *) p = *p;
}

static void get_and_put (int n, size_t depth)
{
	for (int i = 0; i < n; i++) {
		s[i] = get (&cache, DEFAULT);
		touch (s[i], depth);
	}
	for (int i = 0; i < n; i++)
		goad__stack_put (&cache, s[i]);
}

static size_t used_of (const struct stack *st)
{
	return goad__stack_used ((uintptr_t) st->lo, (uintptr_t) st->hi);
}

/* Everything that is due at that time, as sysmon does it: some, and some more. */
static size_t trim_all (uint64_t now)
{
	size_t total = 0, n;

	while ((n = goad__stack_trim (now)) > 0)
		total += n;
	return total;
}

Test (stack_trim, what_nobody_wants_for_a_second_goes_back)
{
	size_t base, full, cached, reserved, before;

	start ();
	base = rss ();
	get_and_put (N, 64 * KIB);
	goad__stack_totals (&cached, &before);
	goad__stack_cache_flush (&cache);
	full = rss ();
	/* All but what a few of them were relieved of, being deep, on their way back. */
	cr_assert (SANITIZED || full - base >= N * 63 * KIB, "%zu", full - base);

	cr_assert_eq (trim_all (SEC + SEC / 2), 0, "free for less than a second");
	goad__stack_totals (&cached, &reserved);
	cr_assert (cached >= N && cached <= N + 32, "%zu, with those made ahead", cached);
	cr_assert_eq (goad__stack_trim_due (SEC + SEC / 2), 2 * SEC);
	for (uint64_t t = 2; t <= 4; t++)
		trim_all (t * SEC);
	goad__stack_totals (&cached, &reserved);
	cr_assert_eq (cached, 0);
	cr_assert_eq (goad__stack_trim_due (4 * SEC), UINT64_MAX);
	cr_assert_leq (reserved, before / 8, "whole slabs go, but for one");
	cr_assert (SANITIZED || rss () < base + 2 * MIB, "%zu kept", rss () - base);

	/* And it can be had again, cleared. */
	struct stack *again = get (&cache, DEFAULT);
	cr_assert_eq (*again->lo, 0);
	touch (again, DEFAULT);
	goad__stack_fini ();
}

Test (stack_trim, a_call_is_short)
{
	start ();
	get_and_put (N, 4 * KIB);
	goad__stack_cache_flush (&cache);
	goad__stack_trim (3 * SEC);
	cr_assert_leq (goad__stack_trim (5 * SEC), 256 * GOAD__PAGE);
	cr_assert_eq (goad__stack_trim_due (5 * SEC), 5 * SEC, "there is more to do");
	goad__stack_fini ();
}

Test (stack_trim, what_is_waiting_to_go_can_still_be_had)
{
	size_t cached, before, after;

	start ();
	get_and_put (N, 4 * KIB);
	goad__stack_cache_flush (&cache);
	goad__stack_trim (3 * SEC);
	goad__stack_trim (5 * SEC);
	goad__stack_totals (&cached, &before);
	for (size_t i = 0; i < cached - GOAD__STACK_HOT; i++)
		s[i] = get (&cache, DEFAULT);
	goad__stack_totals (&cached, &after);
	cr_assert_eq (before, after);
	goad__stack_fini ();
}

/* One P goes on using ten of its thousand stacks: those stay, the rest goes. */
Test (stack_trim, a_cache_keeps_what_it_uses)
{
	struct stack *last = NULL;
	size_t cached, reserved;

	start ();
	get_and_put (1000, 4 * KIB);
	for (uint64_t t = 4; t < 40; t++) {
		for (int round = 0; round < 20; round++) {
			for (int i = 0; i < 10; i++)
				s[i] = get (&cache, DEFAULT);
			last = s[9];
			for (int i = 0; i < 10; i++)
				goad__stack_put (&cache, s[i]);
		}
		trim_all (t * SEC / 4);
		if (t > 30)
			cr_assert_eq (get (&cache, DEFAULT), last);
		if (t > 30)
			goad__stack_put (&cache, last);
	}
	goad__stack_totals (&cached, &reserved);
	cr_assert_eq (cached, 0);
	cr_assert_leq (goad__stack_cached (&cache), 64);
	cr_assert_geq (goad__stack_cached (&cache), 10);
	goad__stack_fini ();
}

Test (stack_trim, a_stack_that_once_went_deep_does_not_keep_it)
{
	start ();
	struct stack *one = get (&cache, DEFAULT);
	touch (one, 200 * KIB);
	cr_assert_geq (used_of (one), 200 * KIB);
	for (int i = 0; i < 5000; i++) {
		goad__stack_put (&cache, one);
		cr_assert_eq (get (&cache, DEFAULT), one);
	}
	cr_assert_leq (used_of (one), 16 * KIB);
	goad__stack_fini ();
}

Test (stack_trim, how_deep_a_stack_went)
{
	start ();
	struct stack *one = get (&cache, DEFAULT), *big = get (&cache, 64 * MIB);

	cr_assert_eq (used_of (one), GOAD__PAGE);
	touch (one, 20 * KIB);
	cr_assert_eq (used_of (one), 20 * KIB);
	big->hi[-(long) (5 * MIB)] = 1;
	cr_assert_eq (used_of (big), 5 * MIB, "with a hole above");
	big->lo[0] = 1;
	cr_assert_eq (used_of (big), 64 * MIB);
	goad__stack_fini ();
}

Test (stack_trim, a_parked_coroutine_costs_a_page, .timeout = 60)
{
	const size_t n = SANITIZED ? 1000 : sizeof s / sizeof *s;
	size_t base, each;

	start ();
	memset (s, 0, sizeof s);
	base = rss ();
	for (size_t i = 0; i < n; i++) {
		s[i] = get (&cache, DEFAULT);
		memset ((char *) goad__stack_top (s[i]) - 1024, 1, 1024 + GOAD__G_ROOM);
	}
	each = (rss () - base) / n;
	cr_assert (SANITIZED || each <= 4200, "%zu bytes", each);
	goad__stack_fini ();
	cr_assert (SANITIZED || rss () < base + MIB);
}
