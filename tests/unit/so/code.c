/* SPDX-License-Identifier: MIT */
/* code.c - functions that run until told to stop, each a case of the frame test */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>

#define EXPORT __attribute__ ((visibility ("default")))
#define OUT_OF_LINE __attribute__ ((noinline))
#define keep(x) __asm__ volatile("" : "+r"(x)::"memory")

EXPORT volatile int stop;
EXPORT volatile unsigned long sink;
EXPORT volatile int started;

OUT_OF_LINE static unsigned long spin (unsigned long x)
{
	started = 1;
	while (!stop) {
		x = x * 6364136223846793005u + 1;
		keep (x);
	}
	return x;
}

EXPORT void loop (void *arg);
EXPORT void deep (void *arg);
EXPORT void sorter (void *arg);
EXPORT void letters (void *arg);
EXPORT void error (void *arg);
EXPORT void error_kept (void *arg);
EXPORT void tail (void *arg);
EXPORT void dynamic (void *arg);
EXPORT void kernel (void *arg);

void loop (void *arg)
{
	sink = spin ((unsigned long) arg) + 1;
}

OUT_OF_LINE static unsigned long down (long n)
{
	unsigned long r = n == 0 ? spin (3) : down (n - 1) + 1;

	keep (r);
	return r;
}

void deep (void *arg)
{
	sink = down ((long) arg);
}

static int compare (const void *a, const void *b)
{
	spin (1);
	return *(const int *) a - *(const int *) b;
}

void sorter (void *arg)
{
	int v[16];

	(void) arg;
	for (int i = 0; i < 16; i++)
		v[i] = 16 - i;
	qsort (v, 16, sizeof v[0], compare);
}

/* spin has no call to libc, so that the interrupted PC is never in there. */
void letters (void *arg)
{
	sink = isalpha ((unsigned char) *(const char *) arg) ? 1 : 0;
	sink += spin (5);
	sink += isalpha ((unsigned char) *(const char *) arg) ? 1 : 0;
}

void error (void *arg)
{
	(void) arg;
	errno = 0;
	sink = spin (6);
	sink += (unsigned long) errno;
}

/* Only another function of the object asks for the address. */
OUT_OF_LINE static int *where (void)
{
	__asm__ volatile("");
	return &errno;
}

void error_kept (void *arg)
{
	int *e = where ();

	(void) arg;
	*e = 0;
	sink = spin (7);
	sink += (unsigned long) *e;
}

OUT_OF_LINE static void target (void *arg)
{
	sink = spin ((unsigned long) arg);
}

void tail (void *arg)
{
	target (arg);
}

void dynamic (void *arg)
{
	volatile char *b = __builtin_alloca (100 + (unsigned long) arg);

	b[3] = 1;
	sink = spin ((unsigned long) b[3]) + (unsigned long) b[3];
}

/* A system call instruction of its own; getppid does nothing. */
void kernel (void *arg)
{
	long r;

	(void) arg;
#if defined __x86_64__
	__asm__ volatile("syscall" : "=a"(r) : "0"(110L) : "rcx", "r11", "memory");
#else
	r = 0;
#endif
	sink = spin (8) + (unsigned long) r;
}
