/* SPDX-License-Identifier: MIT */
/* The twin of quantum.c: the slices that the kernel gives to threads that share one CPU.
 * They are what they are; nobody asked for a length. */
#include "../slices.h"

#include <pthread.h>

static void *hog (void *arg)
{
	slices_take ((long) (intptr_t) arg);
	return NULL;
}

int main (int argc, char **argv)
{
	pthread_t thread[HOGS_MAX];
	opt.hogs = 3;
	opt.time_ns = 2000 * BENCH_MS;
	bench_init (argc, argv);
	slices_init ();
	bench_use_cpus (1);
	deadline = bench_now () + opt.time_ns;
	for (long i = 0; i < opt.hogs; i++)
		pthread_create (&thread[i], NULL, hog, (void *) (i + 1));
	for (long i = 0; i < opt.hogs; i++)
		pthread_join (thread[i], NULL);
	slices_print ();
	return bench_end ();
}
