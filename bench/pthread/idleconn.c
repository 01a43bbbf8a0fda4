/* SPDX-License-Identifier: MIT */
/* The twin of idleconn.c: a thread waits for each connection. */
#include "../bench.h"
#include "../loopback.h"

#include <limits.h>
#include <pthread.h>

static int (*fd)[2];
static long begun;

static void *serve (void *arg)
{
	int *mine = arg;
	char c;
	__atomic_add_fetch (&begun, 1, __ATOMIC_RELAXED);
	while (read (*mine, &c, 1) == 1)
		if (write (*mine, &c, 1) != 1)
			break;
	return NULL;
}

int main (int argc, char **argv)
{
	uint64_t rss0, rss1, tables0, tables1, t0;
	struct sockaddr_in a;
	pthread_attr_t attr;
	opt.procs = 2;
	opt.count = 10000;
	bench_init (argc, argv);
	opt.count = bench_connections (opt.count);
	bench_use_cpus (opt.procs);
	fd = bench_alloc ((size_t) opt.count * sizeof *fd);
	pthread_t *thread = bench_alloc ((size_t) opt.count * sizeof *thread);
	int listener = bench_listen (&a);
	for (long i = 0; i < opt.count; i++)
		bench_connect (listener, &a, fd[i]);
	pthread_attr_init (&attr);
	pthread_attr_setstacksize (&attr, 4 * PTHREAD_STACK_MIN);
	bench_memory (&rss0, &tables0);
	for (long i = 0; i < opt.count; i++)
		if (pthread_create (&thread[i], &attr, serve, &fd[i][1]) != 0)
			opt.count = i;
	while (__atomic_load_n (&begun, __ATOMIC_RELAXED) < opt.count)
		sched_yield ();
	usleep (10000);
	bench_memory (&rss1, &tables1);
	t0 = bench_now ();
	for (long i = 0; i < opt.count; i++)
		close (fd[i][0]);
	for (long i = 0; i < opt.count; i++)
		pthread_join (thread[i], NULL);
	bench_print ("rss", ((double) rss1 - (double) rss0) / (double) opt.count, "B");
	bench_print ("page_tables", ((double) tables1 - (double) tables0) / (double) opt.count, "B");
	bench_print ("hang_up", (double) (bench_now () - t0) / (double) opt.count, "ns");
	bench_print ("connections", (double) opt.count, "n");
	return bench_end ();
}
