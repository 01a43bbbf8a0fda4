/* SPDX-License-Identifier: MIT */
/* tests/preempt/torture_deep.c - deep recursion: the walk is short, long, or given up */
#include "tests/preempt/torture.h"

/* Ackermann's function makes frames come and go at all depths. */
static __attribute__ ((noinline)) unsigned ackermann (unsigned m, unsigned n)
{
	unsigned r;

	if (m == 0)
		return n + 1;
	if (n == 0)
		return ackermann (m - 1, 1);
	r = ackermann (m, n - 1);
	__asm__ volatile("" : "+r"(r));
	r = ackermann (m - 1, r);
	__asm__ volatile("" : "+r"(r));
	return r;
}

/* Goes down to a depth, works there, and checks each frame on the way back. */
static __attribute__ ((noinline)) uint64_t dive (unsigned depth, uint64_t key)
{
	volatile uint64_t frame[8];
	uint64_t sum;

	for (int i = 0; i < 8; i++)
		frame[i] = key + (unsigned) i;
	if (depth > 0)
		sum = dive (depth - 1, key * 31 + depth);
	else
		sum = ackermann (2, 60) + key;
	for (int i = 0; i < 8; i++)
		sum = sum * 3 + (frame[i] - key);
	return sum;
}

static void descend (unsigned which, void *out)
{
	uint64_t sum = 0;

	for (unsigned depth = 1; depth < 1000; depth *= 2)
		sum += dive (depth + which, which) * depth;
	*(uint64_t *) out = sum;
}

/* Beyond 64 frames it is handed off. */
static const struct torture t = { .work = descend, .size = 8, .yielded = 20, .handed_off = 500 };

Test (torture_deep, chosen, .timeout = 60)
{
	torture_auto (&t);
}

Test (torture_deep, handed_off, .timeout = 60)
{
	torture_handoff (&t);
}

Test (torture_deep, yielded, .timeout = 60)
{
	torture_yield (&t);
}
