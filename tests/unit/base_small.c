/* SPDX-License-Identifier: MIT */
/* Floor 0: the formatter, the histogram, the lock, the clock's sums. */
#include "tests/harness.h"

#include <pthread.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/fatal.h"
#include "base/hist.h"
#include "base/lock.h"
#include "base/rng.h"

Test (base, format_is_snprintf_for_what_it_knows)
{
	char ours[64], theirs[64];

	for (size_t size = 1; size < sizeof ours; size++) {
		size_t n = goad__format (ours, size, "%s|%d|%u|%lx|%zu|%%|%ld", "text", -12, 34u, 0xabcul,
		                         (size_t) 7, -1l);
		size_t m = (size_t) snprintf (theirs, size, "%s|%d|%u|%lx|%zu|%%|%ld", "text", -12, 34u,
		                              0xabcul, (size_t) 7, -1l);
		cr_assert_eq (n, m);
		cr_assert_str_eq (ours, theirs, "size %zu", size);
	}
	const char *volatile none = NULL; /* so that the compiler does not know it */
	goad__format (ours, sizeof ours, "%d %s", -2147483647 - 1, none);
	cr_assert_str_eq (ours, "-2147483648 (null)");
}

Test (base, histogram_is_within_an_eighth)
{
	uint64_t rng = 3;

	for (int i = 0; i < 100000; i++) {
		uint64_t v = goad__random (&rng) >> (31 + goad__random_below (&rng, 33));
		uint64_t top = goad__hist_value (goad__hist_slot (v));
		cr_assert (top >= v && top - v <= v / 8, "%lu -> %lu", (unsigned long) v,
		           (unsigned long) top);
	}
}

Test (base, quantiles)
{
	uint64_t counts[HIST_SLOTS] = { 0 };

	cr_assert_eq (goad__hist_quantile (counts, 500), 0);
	for (uint64_t v = 1; v <= 1000; v++)
		counts[goad__hist_slot (v)]++;
	uint64_t p50 = goad__hist_quantile (counts, 500), p99 = goad__hist_quantile (counts, 990);
	cr_assert (p50 >= 500 && p50 < 570, "%lu", (unsigned long) p50);
	cr_assert (p99 >= 990 && p99 < 1120, "%lu", (unsigned long) p99);
}

Test (base, time_saturates)
{
	cr_assert_eq (goad__add_time (UINT64_MAX - 1, 5), UINT64_MAX);
	cr_assert_eq (goad__add_time (7, 5), 12);
}

static struct goad__spinlock lock = GOAD__SPINLOCK_INIT (0);
static unsigned long guarded;

static void *count (void *arg)
{
	(void) arg;
	for (int i = 0; i < 200000; i++) {
		goad__spin_lock (&lock);
		guarded++;
		goad__spin_unlock (&lock);
	}
	return NULL;
}

Test (base, the_lock_excludes, .timeout = 60)
{
	pthread_t t[4];

	for (int i = 0; i < 4; i++)
		pthread_create (&t[i], NULL, count, NULL);
	for (int i = 0; i < 4; i++)
		pthread_join (t[i], NULL);
	cr_assert_eq (guarded, 800000);
	cr_assert (goad__spin_trylock (&lock));
	cr_assert (!goad__spin_trylock (&lock));
	goad__spin_unlock (&lock);
	cr_assert_eq (lock.word, 0);
}
