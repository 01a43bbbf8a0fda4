/* SPDX-License-Identifier: MIT */
/* tests/preempt/torture_malloc.c - malloc, realloc, calloc and free, of all sizes */
#include "tests/preempt/torture.h"

#include <stdlib.h>

enum { SLOTS = 64, STEPS = 1500 };

static size_t some_size (uint64_t r)
{
	size_t base = (size_t) 16 << (r >> 8) % 10;

	/* Now and then one that malloc maps on its own. */
	return r % 199 == 0 ? 200000 + (r >> 16) % 5000 : base + (r >> 16) % base;
}

static void fill (unsigned char *p, size_t size, unsigned char key)
{
	for (size_t i = 0; i < size; i += 7)
		p[i] = (unsigned char) (key + i);
}

static uint64_t sum (const unsigned char *p, size_t size)
{
	uint64_t s = 0;

	for (size_t i = 0; i < size; i += 7)
		s = s * 31 + p[i];
	return s;
}

static void churn (unsigned which, void *out)
{
	unsigned char *slot[SLOTS] = { NULL };
	size_t size[SLOTS] = { 0 };
	uint64_t state = which, total = 0;

	for (int i = 0; i < STEPS; i++) {
		uint64_t r = next_random (&state);
		unsigned k = r % SLOTS;
		size_t n = some_size (r >> 6), old = size[k];

		if (slot[k] && (r >> 40) % 3 == 0) {
			slot[k] = realloc (slot[k], n);
			total ^= sum (slot[k], old < n ? old : n);
		} else {
			if (slot[k])
				total += sum (slot[k], size[k]);
			free (slot[k]);
			slot[k] = (r >> 40) % 5 == 0 ? calloc (1, n) : malloc (n);
		}
		if (slot[k] == NULL)
			abort ();
		size[k] = n;
		fill (slot[k], n, (unsigned char) r);
	}
	for (int k = 0; k < SLOTS; k++) {
		if (slot[k])
			total = fold (total, slot[k], size[k] < 64 ? 1 : 0);
		free (slot[k]);
	}
	*(uint64_t *) out = total;
}

static const struct torture t = {
	.work = churn, .size = sizeof (uint64_t), .yielded = 50, .handed_off = 50
};

Test (torture_malloc, chosen, .timeout = 60)
{
	torture_auto (&t);
}

Test (torture_malloc, handed_off, .timeout = 60)
{
	torture_handoff (&t);
}

Test (torture_malloc, yielded, .timeout = 60)
{
	torture_yield (&t);
}

/* Allocated by one coroutine and freed by another: the allocator's caches meet. */

enum { PASSERS = 4, PASSED = 256 };

static void *_Atomic shelf[PASSED];
static _Atomic int stop;

static void pass_on (void *arg)
{
	uint64_t state = (uint64_t) (uintptr_t) arg;

	while (!atomic_load (&stop)) {
		for (int i = 0; i < 200; i++) {
			uint64_t r = next_random (&state);
			size_t n = 8 + (r >> 20) % 2000;
			unsigned char *mine = malloc (n + 8), *other;

			*(size_t *) mine = n;
			memset (mine + 8, (int) (n & 0xff), n);
			other = atomic_exchange (&shelf[r % PASSED], mine);
			if (other) {
				size_t m = *(size_t *) other;

				claim (other[8] == (m & 0xff) && other[m + 7] == (m & 0xff));
				free (other);
			}
		}
	}
}

static void pass_all (void *arg)
{
	goad_task_t *task[PASSERS];
	uint64_t limit = goad_after (20 * GOAD_S);

	(void) arg;
	for (uintptr_t i = 0; i < PASSERS; i++)
		claim_eq (goad_spawn (&task[i], NULL, pass_on, (void *) (i + 1)), 0);
	while (stats_now ().preempt_handed_off < 1000 && goad_now () < limit)
		goad_sleep (5 * GOAD_MS);
	atomic_store (&stop, 1);
	for (int i = 0; i < PASSERS; i++)
		claim_eq (goad_join (task[i]), 0);
}

/* Nothing of it is outside libc for long enough under ThreadSanitizer. */
Test (torture_malloc, freed_by_another, .timeout = 60, .disabled = TEST_TSAN)
{
	program_scanned ();
	cr_assert_eq (run_main (pass_all, NULL, 2, 100 * GOAD_US, 0), 0);
	claims_assert ();
	cr_assert_geq (stats_now ().preempt_handed_off, 1000);
	for (int i = 0; i < PASSED; i++)
		free (atomic_load (&shelf[i]));
}
