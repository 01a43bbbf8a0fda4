/* SPDX-License-Identifier: MIT */
/* pingpong.c - two coroutines throw a value to and fro through two rendezvous channels */
#include "bench.h"
#include "runtime.h"

static goad_chan_t *ping, *pong;
static uint64_t elapsed;

static void partner (void *arg)
{
	long v;
	(void) arg;
	while (goad_chan_recv (ping, &v) == 0)
		goad_chan_send (pong, &v);
}

static void round_of (long n)
{
	goad_task_t *t;
	bench_must (goad_chan_create (&ping, sizeof (long), 0), "goad_chan_create");
	bench_must (goad_chan_create (&pong, sizeof (long), 0), "goad_chan_create");
	bench_must (goad_spawn (&t, NULL, partner, NULL), "goad_spawn");
	uint64_t t0 = bench_now ();
	for (long i = 0, v; i < n; i++) {
		goad_chan_send (ping, &i);
		goad_chan_recv (pong, &v);
	}
	elapsed = bench_now () - t0;
	goad_chan_close (ping);
	goad_join (t);
	goad_chan_destroy (ping);
	goad_chan_destroy (pong);
}

static void first (void *arg)
{
	(void) arg;
	round_of (opt.count / 10 + 1); /* warm up */
	round_of (opt.count);
}

int main (int argc, char **argv)
{
	opt.count = 1000000;
	bench_init (argc, argv);
	bench_run (first, NULL, bench_preempt (opt.preempt));
	bench_print ("round_trip", (double) elapsed / (double) opt.count, "ns");
	return bench_end ();
}
