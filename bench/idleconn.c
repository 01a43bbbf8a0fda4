/* SPDX-License-Identifier: MIT */
/* idleconn.c - the memory of idle connections: a coroutine waits for each to say something
 *
 * The kernel's own memory of a connection is in none of the figures, nor is the client's
 * end, which nobody waits for. */
#include "bench.h"
#include "loopback.h"
#include "runtime.h"

static int (*fd)[2];
static goad_task_t **task;
static long begun;
static double rss, tables, wake;

static void serve (void *arg)
{
	int *mine = arg;
	char c;
	__atomic_add_fetch (&begun, 1, __ATOMIC_RELAXED);
	while (goad_read (*mine, &c, 1) == 1)
		goad_write (*mine, &c, 1);
}

static void first (void *arg)
{
	uint64_t rss0, rss1, tables0, tables1, t0;
	(void) arg;
	bench_memory (&rss0, &tables0);
	for (long i = 0; i < opt.count; i++)
		bench_must (goad_spawn (&task[i], NULL, serve, &fd[i][1]), "goad_spawn");
	while (__atomic_load_n (&begun, __ATOMIC_RELAXED) < opt.count)
		goad_yield ();
	goad_sleep (10 * GOAD_MS); /* the last ones are in the kernel's set by then */
	bench_memory (&rss1, &tables1);
	rss = ((double) rss1 - (double) rss0) / (double) opt.count;
	tables = ((double) tables1 - (double) tables0) / (double) opt.count;
	t0 = bench_now ();
	for (long i = 0; i < opt.count; i++)
		close (fd[i][0]);
	for (long i = 0; i < opt.count; i++)
		goad_join (task[i]);
	wake = (double) (bench_now () - t0) / (double) opt.count;
}

int main (int argc, char **argv)
{
	struct sockaddr_in a;
	opt.procs = 2;
	opt.count = 10000;
	bench_init (argc, argv);
	opt.count = bench_connections (opt.count);
	fd = bench_alloc ((size_t) opt.count * sizeof *fd);
	task = bench_alloc ((size_t) opt.count * sizeof (*task));
	int listener = bench_listen (&a);
	for (long i = 0; i < opt.count; i++)
		bench_connect (listener, &a, fd[i]);
	bench_run (first, NULL, bench_preempt (opt.preempt));
	bench_print ("rss", rss, "B");
	bench_print ("page_tables", tables, "B");
	bench_print ("hang_up", wake, "ns");
	bench_print ("connections", (double) opt.count, "n");
	return bench_end ();
}
