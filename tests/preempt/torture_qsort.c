/* SPDX-License-Identifier: MIT */
/* tests/preempt/torture_qsort.c - qsort with a slow comparator: our frames above libc's */
#include "tests/preempt/torture.h"

#include <search.h>
#include <stdlib.h>

enum { ITEMS = 600 };

struct item {
	uint64_t key;
	unsigned place;
};

static int compare_slowly (const void *a, const void *b)
{
	const struct item *x = a, *y = b;
	uint64_t p = x->key, q = y->key;

	/* The same order as by the keys, the long way round. */
	for (int i = 0; i < 50; i++) {
		p = p << 1 | p >> 63;
		q = q << 1 | q >> 63;
		__asm__ volatile("" : "+r"(p), "+r"(q));
	}
	p = p << 14 | p >> 50;
	q = q << 14 | q >> 50;
	if (p != q)
		return p < q ? -1 : 1;
	return x->place < y->place ? -1 : x->place > y->place;
}

static void sort (unsigned which, void *out)
{
	struct item items[ITEMS];
	uint64_t state = which, sum = 0;

	/* Equal keys too; the place decides, so that every qsort gives the same. */
	for (unsigned i = 0; i < ITEMS; i++)
		items[i] = (struct item){ next_random (&state) % 1000 * 0x123456789, i };
	qsort (items, ITEMS, sizeof *items, compare_slowly);
	for (unsigned i = 0; i < ITEMS; i++) {
		sum = fold (sum, &items[i].key, sizeof items[i].key);
		sum = fold (sum, &items[i].place, sizeof items[i].place);
	}
	for (unsigned i = 1; i < ITEMS; i++)
		sum += compare_slowly (&items[i - 1], &items[i]) < 0;
	for (unsigned i = 0; i < ITEMS; i += 10)
		sum += bsearch (&items[i], items, ITEMS, sizeof *items, compare_slowly) == &items[i];
	*(uint64_t *) out = sum;
}

static const struct torture t = {
	.work = sort, .size = sizeof (uint64_t), .yielded = 50, .handed_off = 200
};

Test (torture_qsort, chosen, .timeout = 60)
{
	torture_auto (&t);
}

Test (torture_qsort, handed_off, .timeout = 60)
{
	torture_handoff (&t);
}

/* qsort keeps nothing per thread, so its caller may be yielded in place too. */
Test (torture_qsort, yielded, .timeout = 60)
{
	torture_yield (&t);
}
