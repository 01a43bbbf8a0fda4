/* SPDX-License-Identifier: MIT */
/* echo.c - a byte to a server on the loopback and back, beside hogs
 *
 * Client and server are two coroutines with a TCP connection between them. */
#include "bench.h"
#include "loopback.h"
#include "runtime.h"

#define HOGS_MAX 256

static struct bench_line line[HOGS_MAX];
static struct bench_samples trip;
static uint64_t deadline;
static int fd[2];

static void hog (void *arg)
{
	bench_hog (arg, deadline);
}

static void serve (void *arg)
{
	char c;
	(void) arg;
	while (goad_read (fd[1], &c, 1) == 1)
		goad_write (fd[1], &c, 1);
}

static void ask (void *arg)
{
	(void) arg;
	for (uint64_t t0 = bench_now (), t1; t0 < deadline; t0 = t1) {
		char c = 'x';
		if (goad_write (fd[0], &c, 1) != 1 || goad_read (fd[0], &c, 1) != 1)
			break;
		t1 = bench_now ();
		bench_add (&trip, (double) (t1 - t0) / 1e3);
	}
	goad_close (fd[0]);
}

static void first (void *arg)
{
	goad_task_t *task[HOGS_MAX], *server, *client;
	(void) arg;
	deadline = bench_now () + opt.time_ns;
	for (long i = 0; i < opt.hogs; i++)
		bench_must (goad_spawn (&task[i], NULL, hog, &line[i]), "goad_spawn");
	bench_must (goad_spawn (&server, NULL, serve, NULL), "goad_spawn");
	bench_must (goad_spawn (&client, NULL, ask, NULL), "goad_spawn");
	for (long i = 0; i < opt.hogs; i++)
		goad_join (task[i]);
	goad_join (client);
	goad_join (server);
}

int main (int argc, char **argv)
{
	struct sockaddr_in a;
	opt.procs = 2;
	opt.time_ns = 2000 * BENCH_MS;
	bench_init (argc, argv);
	if (opt.hogs < 0 || opt.hogs > HOGS_MAX) {
		fprintf (stderr, "echo: 0 to %d hogs\n", HOGS_MAX);
		return 2;
	}
	bench_samples_init (&trip, opt.time_ns / 1000);
	bench_connect (bench_listen (&a), &a, fd);
	bench_run (first, NULL, bench_preempt (opt.preempt));
	bench_print ("trip_p50", bench_median (&trip), "us");
	bench_print ("trip_p99", bench_quantile (&trip, 0.99), "us");
	bench_print ("trips", (double) trip.n, "n");
	return bench_end ();
}
