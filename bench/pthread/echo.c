/* SPDX-License-Identifier: MIT */
/* The twin of echo.c: two kernel threads with a connection between them, beside others. */
#include "../bench.h"
#include "../loopback.h"

#include <pthread.h>

#define HOGS_MAX 256

static struct bench_line line[HOGS_MAX];
static struct bench_samples trip;
static uint64_t deadline;
static int fd[2];

static void *hog (void *arg)
{
	bench_hog (arg, deadline);
	return NULL;
}

static void *serve (void *arg)
{
	char c;
	while (read (fd[1], &c, 1) == 1)
		if (write (fd[1], &c, 1) != 1)
			break;
	return arg;
}

static void *ask (void *arg)
{
	for (uint64_t t0 = bench_now (), t1; t0 < deadline; t0 = t1) {
		char c = 'x';
		if (write (fd[0], &c, 1) != 1 || read (fd[0], &c, 1) != 1)
			break;
		t1 = bench_now ();
		bench_add (&trip, (double) (t1 - t0) / 1e3);
	}
	close (fd[0]);
	return arg;
}

int main (int argc, char **argv)
{
	pthread_t thread[HOGS_MAX], server, client;
	struct sockaddr_in a;
	opt.procs = 2;
	opt.time_ns = 2000 * BENCH_MS;
	bench_init (argc, argv);
	if (opt.hogs < 0 || opt.hogs > HOGS_MAX)
		return 2;
	bench_use_cpus (opt.procs);
	bench_samples_init (&trip, opt.time_ns / 1000);
	bench_connect (bench_listen (&a), &a, fd);
	deadline = bench_now () + opt.time_ns;
	for (long i = 0; i < opt.hogs; i++)
		pthread_create (&thread[i], NULL, hog, &line[i]);
	pthread_create (&server, NULL, serve, NULL);
	pthread_create (&client, NULL, ask, NULL);
	for (long i = 0; i < opt.hogs; i++)
		pthread_join (thread[i], NULL);
	pthread_join (client, NULL);
	pthread_join (server, NULL);
	bench_print ("trip_p50", bench_median (&trip), "us");
	bench_print ("trip_p99", bench_quantile (&trip, 0.99), "us");
	bench_print ("trips", (double) trip.n, "n");
	return bench_end ();
}
