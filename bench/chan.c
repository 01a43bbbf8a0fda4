/* SPDX-License-Identifier: MIT */
/* chan.c - one coroutine sends, another receives, through a channel of a capacity (--shape N) */
#include "bench.h"
#include "runtime.h"

static goad_chan_t *ch;
static uint64_t elapsed;

static void producer (void *arg)
{
	long n = *(long *) arg;
	for (long i = 0; i < n; i++)
		goad_chan_send (ch, &i);
	goad_chan_close (ch);
}

static void round_of (long n)
{
	goad_task_t *t;
	long v, got = 0;
	bench_must (goad_chan_create (&ch, sizeof (long), (size_t) atol (opt.shape)),
	            "goad_chan_create");
	uint64_t t0 = bench_now ();
	bench_must (goad_spawn (&t, NULL, producer, &n), "goad_spawn");
	while (goad_chan_recv (ch, &v) == 0)
		got++;
	elapsed = bench_now () - t0;
	goad_join (t);
	bench_must (got == n ? 0 : -1, "goad_chan_recv");
	goad_chan_destroy (ch);
}

static void first (void *arg)
{
	(void) arg;
	round_of (opt.count / 10 + 1); /* warm up */
	round_of (opt.count);
}

int main (int argc, char **argv)
{
	opt.count = 3000000;
	opt.shape = "100";
	bench_init (argc, argv);
	bench_run (first, NULL, bench_preempt (opt.preempt));
	bench_print ("element", (double) elapsed / (double) opt.count, "ns");
	return bench_end ();
}
