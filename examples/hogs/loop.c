/* SPDX-License-Identifier: MIT */
/* loop.c - a loop that calls nothing, written without a thought of goad
 *
 *	cc -O2 -shared -fPIC -o loop.so loop.c
 *	goad run --for 5s -n 4 ./loop.so:loop
 *
 * A scheduler that waits for calls never gets the CPU back from it. */
#include <stdio.h>
#include <stdlib.h>

int loop (int argc, char **argv);
int count (int argc, char **argv);

/* loop: never ends. */
int loop (int argc, char **argv)
{
	volatile unsigned long turns = 0;

	(void) argc;
	(void) argv;
	for (;;)
		turns++;
}

/* count [TURNS]: ends after so many turns, a thousand million if not said, and
 * fails if its sum is wrong. */
int count (int argc, char **argv)
{
	unsigned long turns = argc > 1 ? strtoul (argv[1], NULL, 10) : 1000000000ul;
	unsigned long sum = 0, expected = 0;

	for (unsigned long i = 1; i <= turns; i++) {
		sum += i;
		/* Keeps the compiler from knowing the sum beforehand. */
		__asm__ volatile("" : "+r"(sum));
	}
	expected = turns % 2 == 0 ? turns / 2 * (turns + 1) : (turns + 1) / 2 * turns;
	if (sum != expected)
		fprintf (stderr, "%s: the sum is %lu, not %lu\n", argv[0], sum, expected);
	return sum != expected;
}
