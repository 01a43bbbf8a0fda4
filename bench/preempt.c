/* SPDX-License-Identifier: MIT */
/* preempt.c - what preemption takes from work that only computes
 *
 * Hogs, four to a P, compute for a fixed time; the blocks that they get done in
 * GOAD_PREEMPT_OFF, where the first hog on each P keeps it, are the measure for those in the
 * mode and at the quantum asked for.  The two are run in turn in pairs, in one process, and
 * the cost is the median over the pairs, because the machine's own speed wanders by more
 * than what is to be measured.  `cost` is by the wall clock; `cost_cpu` charges all CPU time
 * of the process, sysmon's with it, to the blocks. */
#include "bench.h"
#include "runtime.h"

#define HOGS_MAX 1024

static struct bench_line line[HOGS_MAX];
static uint64_t deadline, cpu_ns;

struct outcome {
	double blocks, cpu_each;
	goad_stats_t stats;
};

static void hog (void *arg)
{
	bench_hog (arg, deadline);
}

static void first (void *arg)
{
	goad_task_t *task[HOGS_MAX];
	(void) arg;
	uint64_t cpu0 = bench_clock (CLOCK_PROCESS_CPUTIME_ID);
	deadline = bench_now () + opt.time_ns;
	for (long i = 0; i < opt.hogs; i++)
		bench_must (goad_spawn (&task[i], NULL, hog, &line[i]), "goad_spawn");
	for (long i = 0; i < opt.hogs; i++)
		goad_join (task[i]);
	cpu_ns = bench_clock (CLOCK_PROCESS_CPUTIME_ID) - cpu0;
}

static void measure (int mode, struct outcome *o)
{
	memset (line, 0, sizeof line);
	bench_run (first, NULL, mode);
	o->blocks = 0;
	for (long i = 0; i < opt.hogs; i++)
		o->blocks += (double) line[i].n;
	o->cpu_each = (double) cpu_ns / o->blocks;
	goad_stats (&o->stats);
}

int main (int argc, char **argv)
{
	struct bench_samples cost, cost_cpu, each;
	struct outcome off, on;
	double yielded = 0, handed = 0, deferred = 0, signals = 0;

	opt.count = 5; /* pairs */
	opt.time_ns = 200 * BENCH_MS;
	opt.quantum_ns = 10 * BENCH_MS;
	bench_init (argc, argv);
	opt.hogs = opt.hogs ? opt.hogs : 4 * opt.procs;
	if (opt.hogs < opt.procs || opt.hogs > HOGS_MAX)
		return 2;
	int mode = bench_preempt (opt.preempt);
	bench_samples_init (&cost, (size_t) opt.count);
	bench_samples_init (&cost_cpu, (size_t) opt.count);
	bench_samples_init (&each, (size_t) opt.count);
	measure (mode, &on); /* warm up */
	for (long i = 0; i < opt.count; i++) {
		measure (i & 1 ? mode : GOAD_PREEMPT_OFF, i & 1 ? &on : &off);
		measure (i & 1 ? GOAD_PREEMPT_OFF : mode, i & 1 ? &off : &on);
		double n = (double) (on.stats.preempt_yielded + on.stats.preempt_handed_off);
		bench_add (&cost, 100 * (1 - on.blocks / off.blocks));
		bench_add (&cost_cpu, 100 * (on.cpu_each / off.cpu_each - 1));
		if (n > 0)
			bench_add (&each, (on.cpu_each - off.cpu_each) * on.blocks / n / 1e3);
		yielded += (double) on.stats.preempt_yielded;
		handed += (double) on.stats.preempt_handed_off;
		deferred += (double) on.stats.preempt_deferred;
		signals += (double) on.stats.signals_sent;
	}
	double seconds = (double) opt.count * (double) opt.time_ns / 1e9;
	bench_print ("cost", bench_median (&cost), "%");
	bench_print ("cost_cpu", bench_median (&cost_cpu), "%");
	bench_print ("cost_each", bench_median (&each), "us");
	bench_print ("yielded", yielded / seconds, "1/s");
	bench_print ("handed_off", handed / seconds, "1/s");
	bench_print ("deferred", deferred / seconds, "1/s");
	bench_print ("signals", signals / seconds, "1/s");
	return bench_end ();
}
