/* SPDX-License-Identifier: MIT */
/* ticker.c - a line each 100 ms beside an endless loop on the only P
 *
 *	cc ticker.c $(pkg-config --cflags --libs goad)
 *	./a.out
 *
 * Each line is written by a coroutine of its own, which the timer starts and for which the
 * loop is preempted.  That one came late does not put off the next. */
#include <goad.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>

#define PERIOD (100 * GOAD_MS)

struct beat {
	uint64_t first;
	int count;
	atomic_bool over;
};

static void beat (void *arg)
{
	struct beat *b = arg;
	uint64_t passed = goad_now () - b->first;

	printf ("beat %lu, %lu us late\n", (unsigned long) (passed / PERIOD),
	        (unsigned long) (passed % PERIOD / GOAD_US));
	if (++b->count == 10)
		atomic_store (&b->over, true);
}

static void first (void *arg)
{
	struct beat b = { .first = goad_after (PERIOD) };
	goad_timer_t *timer;

	(void) arg;
	if (goad_timer_start (&timer, b.first, PERIOD, beat, &b) < 0)
		return;
	while (!atomic_load (&b.over))
		;
	goad_timer_stop (timer);
}

int main (void)
{
	goad_config_t cfg = GOAD_CONFIG_INIT;

	if (goad_config_init (&cfg) < 0)
		return 2;
	cfg.procs = 1;
	return goad_main (first, NULL, &cfg) < 0;
}
