/* SPDX-License-Identifier: MIT */
/* bimodal.h - what bimodal.c and its pthread twin share: the load, and the result
 *
 * Tasks come at random (Poisson) and load the CPUs by 70%, or --count percent; 199 of 200
 * compute for 5 us, one for 5 ms.  How long is it from when one should have come to its
 * end?  All is drawn before the start; work is counted in loops, measured at the start, so
 * that a task which is interrupted has not less to do. */
#ifndef BENCH_BIMODAL_H
#define BENCH_BIMODAL_H

#include "bench.h"

#include <math.h>

#define SHORT_NS 5e3
#define LONG_NS 5e6
#define LONG_SHARE 0.005

struct task {
	uint64_t due, took; /* ns; due is counted from the start */
	bool is_long;
};

static struct task *tasks;
static size_t ntasks, nwarm; /* the first ones are not counted */
static double loops_per_ns;
static uint64_t start_ns;

static double bimodal_uniform (void)
{
	static uint64_t x = 88172645463325252u;
	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	return ((double) (x >> 11) + 0.5) / 9007199254740992.0;
}

static void bimodal_init (void)
{
	double mean = (1 - LONG_SHARE) * SHORT_NS + LONG_SHARE * LONG_NS;
	double every = mean / (0.01 * (double) opt.count * opt.procs), at = 0;
	size_t room = (size_t) (1.2 * (double) opt.time_ns / every) + 1000;

	for (int i = 0; i < 20; i++) {
		uint64_t t = bench_now ();
		bench_spin (88172645463325252u, 100000);
		t = bench_now () - t;
		loops_per_ns = fmax (loops_per_ns, 100000 / (double) t);
	}
	tasks = bench_alloc (room * sizeof *tasks);
	while (ntasks < room) {
		at += -every * log (bimodal_uniform ());
		if (at >= (double) opt.time_ns)
			break;
		nwarm += at < (double) opt.time_ns / 10;
		tasks[ntasks++] = (struct task){ .due = (uint64_t) at,
			                             .is_long = bimodal_uniform () < LONG_SHARE };
	}
}

static void bimodal_work (struct task *t)
{
	bench_spin (88172645463325252u, (long) (loops_per_ns * (t->is_long ? LONG_NS : SHORT_NS)));
	t->took = bench_now () - start_ns - t->due;
}

static void bimodal_print (void)
{
	struct bench_samples s[2];

	bench_samples_init (&s[0], ntasks + 1);
	bench_samples_init (&s[1], ntasks + 1);
	for (size_t i = nwarm; i < ntasks; i++)
		bench_add (&s[tasks[i].is_long], (double) tasks[i].took / 1e6);
	bench_print ("short_p50", bench_median (&s[0]), "ms");
	bench_print ("short_p99", bench_quantile (&s[0], 0.99), "ms");
	bench_print ("short_p999", bench_quantile (&s[0], 0.999), "ms");
	bench_print ("short_max", bench_quantile (&s[0], 1), "ms");
	bench_print ("long_p50", bench_median (&s[1]), "ms");
	bench_print ("long_p99", bench_quantile (&s[1], 0.99), "ms");
}

#endif /* BENCH_BIMODAL_H */
