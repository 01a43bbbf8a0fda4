/* SPDX-License-Identifier: MIT */
/* mutex_sleeper.c - One sleeps for a pthread mutex whose holder needs the CPU. It holds the
 * only processor and does not know; the holder, preempted, waits in a queue.
 *
 * Needs: detect-block, sysmon.
 * After: rayon-rs/rayon#1181, a thread that slept for a lock could not run the task that was
 *   to give it back.
 */
#include <pthread.h>

#include "tools/starve.h"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static _Atomic int held;

/* Gives its CPU away with the mutex held, as if it had been preempted there. */
static void holds (void *arg)
{
	(void) arg;
	while (!starve_over ()) {
		pthread_mutex_lock (&mutex);
		atomic_store (&held, 1);
		goad_yield ();
		atomic_store (&held, 0);
		pthread_mutex_unlock (&mutex);
		goad_yield ();
	}
}

static void wants (void *arg)
{
	int v = starve_victim ();

	(void) arg;
	while (!starve_over ()) {
		while (!atomic_load (&held) && !starve_over ())
			goad_yield ();
		starve_ready (v, 0);
		pthread_mutex_lock (&mutex);
		pthread_mutex_unlock (&mutex);
		starve_ran (v);
		goad_yield ();
	}
}

static void first (void *arg)
{
	(void) arg;
	starve_go ("holds", holds, NULL);
	starve_go ("victim", wants, NULL);
}

const struct scenario starve_mutex_sleeper = {
	.name = "mutex-sleeper",
	.about = "one sleeps for a pthread mutex whose holder needs the CPU",
	.issue = "rayon-rs/rayon#1181",
	.after = "a thread that slept for a lock could not run the task that was to give it back",
	.needs = NEEDS_DETECT_BLOCK | NEEDS_SYSMON,
	.first = first,
};
