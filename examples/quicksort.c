/* SPDX-License-Identifier: MIT */
/* quicksort.c - fork and join: sorting on all CPUs, checked against qsort
 *
 *	cc quicksort.c $(pkg-config --cflags --libs goad)
 *	./a.out 10000000
 *
 * What is large enough is split in two, the halves are sorted at the same time, and who
 * split waits for both.  One half is spawned; whoever is idle takes it, and if nobody is,
 * it costs little more than a call.  (Hoare's "Quicksort", 1962.) */
#include <goad.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SMALL = 24, WORTH_A_COROUTINE = 4096 };

struct part {
	uint32_t *v;
	size_t n;
};

static void insertion_sort (uint32_t *v, size_t n)
{
	for (size_t i = 1; i < n; i++) {
		uint32_t x = v[i];
		size_t k = i;

		for (; k > 0 && v[k - 1] > x; k--)
			v[k] = v[k - 1];
		v[k] = x;
	}
}

static uint32_t median (uint32_t a, uint32_t b, uint32_t c)
{
	if (a > b)
		return c > a ? a : c > b ? c : b;
	return c > b ? b : c > a ? c : a;
}

/* Nothing in the first part is greater than anything in the second; neither is empty.
 * Both ends stop at what equals the pivot, so that equal elements are split evenly. */
static void split (const struct part *p, struct part *low, struct part *high)
{
	uint32_t *i = p->v - 1, *k = p->v + p->n;
	uint32_t pivot = median (p->v[0], p->v[(p->n - 1) / 2], p->v[p->n - 2]);

	for (;;) {
		while (*++i < pivot)
			;
		while (*--k > pivot)
			;
		if (i >= k)
			break;
		uint32_t x = *i;
		*i = *k;
		*k = x;
	}
	*low = (struct part){ p->v, (size_t) (k - p->v) + 1 };
	*high = (struct part){ k + 1, p->n - low->n };
}

/* The larger half goes to a coroutine, which has a stack of its own, and the smaller is
 * sorted here: so no stack holds more calls than n can be halved. */
static void sort (void *arg)
{
	struct part *p = arg, low, high, *small, *large;
	goad_task_t *task = NULL;

	if (p->n <= SMALL) {
		insertion_sort (p->v, p->n);
		return;
	}
	split (p, &low, &high);
	small = low.n < high.n ? &low : &high;
	large = small == &low ? &high : &low;
	if (large->n >= WORTH_A_COROUTINE && goad_spawn (&task, NULL, sort, large) < 0)
		task = NULL; /* no memory for another: it is sorted here, after the first */
	sort (small);
	if (task != NULL)
		goad_join (task); /* `low' and `high' are in this frame: it must not leave before */
	else
		sort (large);
}

static int compare (const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *) a, y = *(const uint32_t *) b;

	return (x > y) - (x < y);
}

static void first (void *arg)
{
	struct part *p = arg;
	size_t bytes = p->n * sizeof *p->v;
	uint32_t *check = malloc (bytes), x = 2463534242;
	uint64_t t0, t1, t2;

	p->v = malloc (bytes);
	if (p->v == NULL || check == NULL) {
		fprintf (stderr, "no memory for %zu numbers\n", p->n);
		exit (1);
	}
	for (size_t i = 0; i < p->n; i++) {
		x ^= x << 13, x ^= x >> 17, x ^= x << 5; /* Marsaglia's xorshift */
		p->v[i] = check[i] = x;
	}
	t0 = goad_now ();
	qsort (check, p->n, sizeof *check, compare);
	t1 = goad_now ();
	sort (p);
	t2 = goad_now ();
	printf ("%zu numbers, %s\n", p->n,
	        memcmp (check, p->v, bytes) == 0 ? "sorted as qsort sorts them" : "NOT SORTED");
	fprintf (stderr, "qsort %lu ms, on %d Ps %lu ms\n", (unsigned long) ((t1 - t0) / GOAD_MS),
	         goad_procs (), (unsigned long) ((t2 - t1) / GOAD_MS));
	free (check);
	free (p->v);
}

int main (int argc, char **argv)
{
	struct part all = { NULL, argc > 1 ? strtoull (argv[1], NULL, 10) : 300000 };

	return goad_main (first, &all, NULL) < 0;
}
