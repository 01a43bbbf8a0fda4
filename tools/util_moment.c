/* SPDX-License-Identifier: MIT */
/* util_moment.c - who has used this machine's CPUs so far: for saying whether it was ours */
#include <stdio.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "util.h"

static double seconds (const struct rusage *u)
{
	return (double) (u->ru_utime.tv_sec + u->ru_stime.tv_sec) +
	       (double) (u->ru_utime.tv_usec + u->ru_stime.tv_usec) / 1e6;
}

struct util_moment util_moment (void)
{
	struct util_moment m = { 0 };
	double t[8] = { 0 }, hz = (double) sysconf (_SC_CLK_TCK);
	struct rusage self, children;
	struct timespec ts;
	FILE *f = fopen ("/proc/stat", "r");

	if (f != NULL) {
		/* user nice system idle iowait irq softirq steal */
		if (fscanf (f, "cpu %lf %lf %lf %lf %lf %lf %lf %lf", &t[0], &t[1], &t[2], &t[3], &t[4],
		            &t[5], &t[6], &t[7]) >= 7) {
			m.busy = (t[0] + t[1] + t[2] + t[5] + t[6]) / hz;
			m.steal = t[7] / hz;
		}
		fclose (f);
	}
	getrusage (RUSAGE_SELF, &self);
	getrusage (RUSAGE_CHILDREN, &children);
	m.own = seconds (&self) + seconds (&children);
	clock_gettime (CLOCK_MONOTONIC, &ts);
	m.wall = (double) ts.tv_sec + (double) ts.tv_nsec / 1e9;
	return m;
}
