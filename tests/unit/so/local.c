/* SPDX-License-Identifier: MIT */
/* local.c - an object with a thread-local */
#define EXPORT __attribute__ ((visibility ("default")))

EXPORT volatile int stop;
EXPORT volatile unsigned long sink;
EXPORT volatile int started;
EXPORT void loop (void *arg);

static __thread int count;

void loop (void *arg)
{
	(void) arg;
	started = 1;
	while (!stop)
		count++;
	sink = (unsigned long) count;
}
