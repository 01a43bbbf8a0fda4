/* SPDX-License-Identifier: MIT */
/* The twin of parked.c: kernel threads that wait on one futex, all woken by one call.
 *
 * Ten thousand of them, with stacks of 256 KiB: no kernel is set up for a million.  What the
 * kernel keeps of each (its stack of 16 KiB, the task) is not in the RSS. */
#include "../bench.h"

#include <limits.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sys/syscall.h>

static pthread_t *thread;
static long arrived;
static int open_;
static struct result {
	double rss, tables, create, wake;
} result[2];

static void *parked (void *arg)
{
	(void) arg;
	__atomic_add_fetch (&arrived, 1, __ATOMIC_RELAXED);
	while (!__atomic_load_n (&open_, __ATOMIC_ACQUIRE))
		syscall (SYS_futex, &open_, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0);
	return NULL;
}

static void measure (struct result *r, const pthread_attr_t *attr)
{
	uint64_t rss0, rss1, tables0, tables1, t0;
	double n = (double) opt.count;
	arrived = open_ = 0;
	bench_memory (&rss0, &tables0);
	t0 = bench_now ();
	for (long i = 0; i < opt.count; i++)
		if (pthread_create (&thread[i], attr, parked, NULL) != 0) {
			fprintf (stderr, "thread %ld cannot be made\n", i);
			exit (1);
		}
	while (__atomic_load_n (&arrived, __ATOMIC_RELAXED) < opt.count)
		sched_yield ();
	r->create = (double) (bench_now () - t0) / n;
	bench_memory (&rss1, &tables1);
	r->rss = ((double) rss1 - (double) rss0) / n;
	r->tables = ((double) tables1 - (double) tables0) / n;
	t0 = bench_now ();
	__atomic_store_n (&open_, 1, __ATOMIC_RELEASE);
	syscall (SYS_futex, &open_, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0);
	for (long i = 0; i < opt.count; i++)
		pthread_join (thread[i], NULL);
	r->wake = (double) (bench_now () - t0) / n;
}

int main (int argc, char **argv)
{
	pthread_attr_t attr;
	opt.count = 10000;
	bench_init (argc, argv);
	bench_use_cpus (opt.procs);
	thread = bench_alloc ((size_t) opt.count * sizeof (*thread));
	pthread_attr_init (&attr);
	pthread_attr_setstacksize (&attr, 256 * 1024);
	measure (&result[0], &attr);
	measure (&result[1], &attr);
	bench_print ("rss", result[0].rss, "B");
	bench_print ("page_tables", result[0].tables, "B");
	bench_print ("create", result[0].create, "ns");
	bench_print ("wake_finish", result[0].wake, "ns");
	bench_print ("create_again", result[1].create, "ns");
	bench_print ("wake_finish_again", result[1].wake, "ns");
	return bench_end ();
}
