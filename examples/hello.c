/* SPDX-License-Identifier: MIT */
/* hello.c - two loops that never yield, and yet both advance on one CPU
 *
 *	cc hello.c $(pkg-config --cflags --libs goad)
 *	GOAD_PROCS=1 ./a.out
 *
 * With GOAD_PREEMPT=off the second begins when the first is done. */
#include <goad.h>
#include <stdio.h>

static void hog (void *arg)
{
	printf ("%s begins\n", (const char *) arg);
	for (volatile unsigned long i = 0; i < 200000000ul; i++)
		;
	printf ("%s is done\n", (const char *) arg);
}

static void first (void *arg)
{
	(void) arg;
	goad_go (hog, (void *) "one");
	goad_go (hog, (void *) "two");
}

int main (void)
{
	return goad_main (first, NULL, NULL) < 0;
}
