/* SPDX-License-Identifier: MIT */
/* The twin of yield.c: two kernel threads on one CPU that call sched_yield in turn.  The
 * kernel need not switch at each call, so the switches that it counted are the divisor. */
#include "../bench.h"

#include <pthread.h>
#include <sys/resource.h>

static void *yielder (void *arg)
{
	for (long n = *(long *) arg; n > 0; n--)
		sched_yield ();
	return NULL;
}

static long switches (void)
{
	struct rusage u;
	getrusage (RUSAGE_SELF, &u);
	return u.ru_nvcsw + u.ru_nivcsw;
}

static uint64_t round_of (long n)
{
	pthread_t a, b;
	uint64_t t0 = bench_now ();
	pthread_create (&a, NULL, yielder, &n);
	pthread_create (&b, NULL, yielder, &n);
	pthread_join (a, NULL);
	pthread_join (b, NULL);
	return bench_now () - t0;
}

int main (int argc, char **argv)
{
	opt.count = 300000;
	bench_init (argc, argv);
	bench_use_cpus (opt.procs);
	round_of (opt.count / 10 + 1);
	long before = switches ();
	uint64_t elapsed = round_of (opt.count);
	long n = switches () - before;
	bench_print ("yield", (double) elapsed / (double) (n ? n : 1), "ns");
	return bench_end ();
}
