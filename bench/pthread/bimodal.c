/* SPDX-License-Identifier: MIT */
/* The twin of bimodal.c: a pool of kernel threads, one for each CPU, that takes tasks in the
 * order in which they came. */
#include "../bimodal.h"

#include <pthread.h>

#define THREADS_MAX 64

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t more = PTHREAD_COND_INITIALIZER;
static size_t came, taken;

static void *serve (void *arg)
{
	for (;;) {
		struct task *t = NULL;
		pthread_mutex_lock (&lock);
		while (taken == came && came < ntasks)
			pthread_cond_wait (&more, &lock);
		if (taken < came)
			t = &tasks[taken++];
		pthread_mutex_unlock (&lock);
		if (!t)
			return arg;
		bimodal_work (t);
	}
}

int main (int argc, char **argv)
{
	pthread_t thread[THREADS_MAX];
	opt.procs = 2;
	opt.count = 70;
	opt.time_ns = 2000 * BENCH_MS;
	bench_init (argc, argv);
	if (opt.procs > THREADS_MAX)
		return 2;
	bench_use_cpus (opt.procs);
	bimodal_init ();
	start_ns = bench_now ();
	for (int i = 0; i < opt.procs; i++)
		pthread_create (&thread[i], NULL, serve, NULL);
	for (size_t i = 0; i < ntasks; i++) {
		uint64_t due = start_ns + tasks[i].due;
		struct timespec ts = { (time_t) (due / 1000000000u), (long) (due % 1000000000u) };
		if (due > bench_now ())
			clock_nanosleep (CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL);
		pthread_mutex_lock (&lock);
		came++;
		if (came == ntasks)
			pthread_cond_broadcast (&more);
		else
			pthread_cond_signal (&more);
		pthread_mutex_unlock (&lock);
	}
	for (int i = 0; i < opt.procs; i++)
		pthread_join (thread[i], NULL);
	bimodal_print ();
	return bench_end ();
}
