/* SPDX-License-Identifier: MIT */
/* traced.c - what a trace takes from two coroutines that throw a value to and fro
 *
 * The same round trips are made without and with a trace, in turn in short pairs, in one
 * process: the machine's own speed wanders by more than what is to be measured.  `ratio` is
 * the median over the pairs by the wall clock, `ratio_cpu` by all CPU time of the process,
 * with the tracer's thread.  The trace is a file in $TMPDIR or /tmp; `events` and `lost` are
 * what its last lines say: to lose them would be cheap. */
#include "bench.h"
#include "runtime.h"

#define PAIRS 30

static goad_chan_t *ping, *pong;
static char path[4096];
static struct bench_samples plain, traced, ratio, ratio_cpu;
static double events, lost;

static void partner (void *arg)
{
	long v;
	(void) arg;
	while (goad_chan_recv (ping, &v) == 0)
		goad_chan_send (pong, &v);
}

static void throw (long n)
{
	for (long i = 0, v; i < n; i++) {
		goad_chan_send (ping, &i);
		goad_chan_recv (pong, &v);
	}
}

static double slice (double *cpu)
{
	uint64_t t = bench_now (), c = bench_clock (CLOCK_PROCESS_CPUTIME_ID);

	throw (opt.count);
	*cpu = (double) (bench_clock (CLOCK_PROCESS_CPUTIME_ID) - c) / (double) opt.count;
	return (double) (bench_now () - t) / (double) opt.count;
}

static double number (FILE *f)
{
	double v = 0, unit = 1;

	for (int c; (c = getc (f)) != EOF; unit *= 128) {
		v += unit * (c & 0x7f);
		if (!(c & 0x80))
			break;
	}
	return v;
}

/* From block to block to the last (doc/trace-format.md). */
static void look_at_the_end (void)
{
	FILE *f = fopen (path, "rb");
	uint32_t size;

	if (!f || fseek (f, 64, SEEK_SET) != 0)
		exit (1);
	for (int kind; (kind = getc (f)) != EOF && fread (&size, sizeof size, 1, f) == 1;) {
		if (kind == 'Z') {
			(void) number (f);
			events += number (f);
			lost += number (f);
		} else if (fseek (f, size, SEEK_CUR) != 0) {
			break;
		}
	}
	fclose (f);
}

static void first (void *arg)
{
	goad_task_t *t;
	(void) arg;

	bench_must (goad_chan_create (&ping, sizeof (long), 0), "goad_chan_create");
	bench_must (goad_chan_create (&pong, sizeof (long), 0), "goad_chan_create");
	bench_must (goad_spawn (&t, NULL, partner, NULL), "goad_spawn");
	throw (opt.count);
	for (int i = 0; i < PAIRS; i++) {
		double cpu[2], ns[2];
		ns[0] = slice (&cpu[0]);
		bench_must (goad_trace_start (path), path);
		throw (opt.count / 20 + 1);
		ns[1] = slice (&cpu[1]);
		bench_must (goad_trace_stop (), "goad_trace_stop");
		look_at_the_end ();
		throw (opt.count / 20 + 1);
		bench_add (&plain, ns[0]);
		bench_add (&traced, ns[1]);
		bench_add (&ratio, ns[1] / ns[0]);
		bench_add (&ratio_cpu, cpu[1] / cpu[0]);
	}
	goad_chan_close (ping);
	goad_join (t);
	goad_chan_destroy (ping);
	goad_chan_destroy (pong);
}

int main (int argc, char **argv)
{
	const char *dir = getenv ("TMPDIR");

	opt.count = 200000;
	bench_init (argc, argv);
	snprintf (path, sizeof path, "%s/goad-traced.%d", dir && *dir ? dir : "/tmp", (int) getpid ());
	bench_samples_init (&plain, PAIRS);
	bench_samples_init (&traced, PAIRS);
	bench_samples_init (&ratio, PAIRS);
	bench_samples_init (&ratio_cpu, PAIRS);
	bench_run (first, NULL, bench_preempt (opt.preempt));
	unlink (path);
	bench_print ("untraced", bench_median (&plain), "ns");
	bench_print ("traced", bench_median (&traced), "ns");
	bench_print ("ratio", bench_median (&ratio), "n");
	bench_print ("ratio_cpu", bench_median (&ratio_cpu), "n");
	bench_print ("events", events / ((double) PAIRS * (double) opt.count * 1.05), "n");
	bench_print ("lost", events + lost > 0 ? lost / (events + lost) : 0, "n");
	return bench_end ();
}
