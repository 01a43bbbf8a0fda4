/* SPDX-License-Identifier: MIT */
/* timer.c - what a timer costs: to start, to stop, to fire, with a million armed
 *
 * Deadlines are an hour away and spread over another, in random order.  start: the million,
 * one after the other.  start_stop: with these armed a thousand more are started, and then
 * stopped, again and again; of a pair.  stop: the million, in another order.  start_fire: a
 * tenth as many that are due at once, from the first start until the last coroutine has run. */
#include "bench.h"
#include "runtime.h"

#include <stdatomic.h>

#define BATCH 1000
#define PAIRS 200

static goad_timer_t **timer;
static goad_timer_t *more[BATCH];
static uint64_t seed = 1;
static _Atomic long fired;
static double start_ns, pair_ns, stop_ns, fire_ns;

static uint64_t far_away (void)
{
	seed = seed * UINT64_C (6364136223846793005) + 1442695040888963407;
	return goad_after (3600 * GOAD_S + (seed >> 22));
}

static void fire (void *arg)
{
	(void) arg;
	atomic_fetch_add_explicit (&fired, 1, memory_order_relaxed);
}

static void start (goad_timer_t **t, uint64_t when)
{
	bench_must (goad_timer_start (t, when, 0, fire, NULL), "goad_timer_start");
}

static double per (uint64_t t0, long n)
{
	return (double) (bench_now () - t0) / (double) n;
}

static void start_and_stop (void)
{
	uint64_t t0 = bench_now ();
	for (int round = 0; round < PAIRS; round++) {
		for (int i = 0; i < BATCH; i++)
			start (&more[i], far_away ());
		for (int i = 0; i < BATCH; i++)
			goad_timer_stop (more[i * 7 % BATCH]);
	}
	pair_ns = per (t0, (long) PAIRS * BATCH);
}

static void start_and_fire (long n)
{
	uint64_t t0 = bench_now ();
	fired = 0;
	for (long i = 0; i < n; i++)
		start (&timer[i], t0);
	while (atomic_load_explicit (&fired, memory_order_relaxed) < n)
		goad_yield ();
	fire_ns = per (t0, n);
	for (long i = 0; i < n; i++)
		goad_timer_stop (timer[i]);
}

static void round_of (long n)
{
	uint64_t t0 = bench_now ();
	for (long i = 0; i < n; i++)
		start (&timer[i], far_away ());
	start_ns = per (t0, n);
	start_and_stop ();
	t0 = bench_now ();
	for (long i = 0; i < n; i++)
		goad_timer_stop (timer[(uint64_t) i * 7919 % (uint64_t) n]);
	stop_ns = per (t0, n);
	start_and_fire (n / 10 + 1);
}

static void first (void *arg)
{
	(void) arg;
	round_of (opt.count / 10 + 1);
	round_of (opt.count);
}

int main (int argc, char **argv)
{
	opt.count = 1000000;
	bench_init (argc, argv);
	if (opt.count % 7919 == 0)
		opt.count++; /* the order of stopping comes to each once */
	timer = bench_alloc ((size_t) (opt.count + 2) * sizeof *timer);
	bench_run (first, NULL, bench_preempt (opt.preempt));
	bench_print ("start", start_ns, "ns");
	bench_print ("start_stop", pair_ns, "ns");
	bench_print ("stop", stop_ns, "ns");
	bench_print ("start_fire", fire_ns, "ns");
	return bench_end ();
}
