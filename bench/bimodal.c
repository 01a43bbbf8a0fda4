/* SPDX-License-Identifier: MIT */
/* bimodal.c - short tasks among long ones: each is a coroutine, spawned by one that sleeps
 * until the next should come. */
#include "bimodal.h"

#include "runtime.h"

static void run_task (void *arg)
{
	bimodal_work (arg);
}

static void generate (void *arg)
{
	(void) arg;
	start_ns = bench_now ();
	for (size_t i = 0; i < ntasks; i++) {
		if (start_ns + tasks[i].due > bench_now ())
			goad_sleep_until (start_ns + tasks[i].due);
		bench_must (goad_go (run_task, &tasks[i]), "goad_go");
	}
}

int main (int argc, char **argv)
{
	opt.procs = 2;
	opt.count = 70;
	opt.time_ns = 2000 * BENCH_MS;
	bench_init (argc, argv);
	bimodal_init ();
	bench_run (generate, NULL, bench_preempt (opt.preempt));
	bimodal_print ();
	return bench_end ();
}
