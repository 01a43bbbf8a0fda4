/* SPDX-License-Identifier: MIT */
/* options.h - the command line of a benchmark; included by bench.h */
#ifndef BENCH_OPTIONS_H
#define BENCH_OPTIONS_H

#include "work.h"

#include <sched.h>

struct bench_opts {
	int procs;           /* --procs N: Ps; for the pthread twin CPUs           */
	uint64_t quantum_ns; /* --quantum 10ms; 0: not given                       */
	const char *preempt; /* --preempt auto|handoff|yield|coop|off              */
	bool plain;          /* --feedback off                                     */
	const char *shape;   /* --shape NAME, where a program knows several        */
	long count;          /* --count N: how many of the thing measured          */
	long hogs;           /* --hogs N                                           */
	uint64_t time_ns;    /* --time 3s: how long to measure                     */
	uint64_t delay0;     /* run delay of the main thread when the program began */
};
static struct bench_opts opt BENCH_UNUSED = { .procs = 1, .preempt = "auto" };

static inline void bench_print (const char *name, double value, const char *unit)
{
	printf ("%s %.6g %s\n", name, value, unit);
}

/* "10ms", "300us", "2s", or nanoseconds; 0 when it is none of these. */
BENCH_UNUSED static uint64_t bench_duration (const char *s)
{
	char *end;
	double v = strtod (s, &end);
	double unit = strcmp (end, "s") == 0    ? 1e9
	              : strcmp (end, "ms") == 0 ? 1e6
	              : strcmp (end, "us") == 0 ? 1e3
	              : *end == 0               ? 1
	                                        : 0;
	return (uint64_t) (v * unit);
}

BENCH_UNUSED static void bench_option (const char *name, const char *value)
{
	if (strcmp (name, "--procs") == 0)
		opt.procs = atoi (value);
	else if (strcmp (name, "--quantum") == 0)
		opt.quantum_ns = bench_duration (value);
	else if (strcmp (name, "--preempt") == 0)
		opt.preempt = value;
	else if (strcmp (name, "--feedback") == 0)
		opt.plain = strcmp (value, "off") == 0;
	else if (strcmp (name, "--shape") == 0)
		opt.shape = value;
	else if (strcmp (name, "--count") == 0)
		opt.count = atol (value);
	else if (strcmp (name, "--hogs") == 0)
		opt.hogs = atol (value);
	else if (strcmp (name, "--time") == 0)
		opt.time_ns = bench_duration (value);
	else {
		fprintf (stderr, "unknown option %s\n", name);
		exit (2);
	}
}

/* Options are "--name value" or "--name=value". */
BENCH_UNUSED static void bench_init (int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		char *equals = strchr (argv[i], '=');
		if (equals)
			*equals = 0;
		else if (i + 1 == argc) {
			fprintf (stderr, "%s: wants a value\n", argv[i]);
			exit (2);
		}
		const char *name = argv[i];
		bench_option (name, equals ? equals + 1 : argv[++i]);
	}
	opt.delay0 = bench_run_delay ();
}

/* The last line of every program; goad bench judges by it whether the machine was quiet. */
BENCH_UNUSED static int bench_end (void)
{
	bench_print ("run_delay", (double) (bench_run_delay () - opt.delay0) / 1e6, "ms");
	return 0;
}

/* For pthread twins: kernel threads know no Ps, so "two Ps" means two CPUs to share.
 * Nothing else is pinned anywhere. */
BENCH_UNUSED static void bench_use_cpus (int n)
{
	cpu_set_t may, use;
	CPU_ZERO (&use);
	if (sched_getaffinity (0, sizeof may, &may) < 0)
		return;
	for (int cpu = 0; cpu < CPU_SETSIZE && n > 0; cpu++)
		if (CPU_ISSET (cpu, &may)) {
			CPU_SET (cpu, &use);
			n--;
		}
	sched_setaffinity (0, sizeof use, &use);
}

#endif /* BENCH_OPTIONS_H */
