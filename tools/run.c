/* SPDX-License-Identifier: MIT */
/* run.c - goad run, from the command line to the exit code */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "run.h"
#include "tool.h"

static struct run the_run;

/* A work that calls exit would end the run without a report, and with a code that
 * a script would take for goad's. */
static void exited_by_work (void)
{
	struct run *run = &the_run;

	if (atomic_load (&run->start_ns) == 0 || atomic_load (&run->ending))
		return;
	run_live_clear (run);
	util_error ("a work called exit: there is no report");
	fflush (stdout);
	_exit (TOOL_FAILED);
}

static uint64_t random_seed (void)
{
	uint64_t seed = 0;

	if (getrandom (&seed, sizeof seed, GRND_NONBLOCK) != (ssize_t) sizeof seed)
		seed = goad_now ();
	/* Short enough to type again. */
	seed &= 0xffffffff;
	return seed != 0 ? seed : 1;
}

/* The environment gives the defaults, the options go before it. */
static int configure (struct run *run)
{
	goad_config_t *cfg = &run->cfg;
	const struct options *o = &run->opt;

	cfg->size = sizeof *cfg;
	if (goad_config_init (cfg) < 0)
		return TOOL_USAGE;
	if (o->procs != 0)
		cfg->procs = (int) o->procs;
	if (o->quantum_ns != 0)
		cfg->quantum_ns = o->quantum_ns;
	if (o->preempt > 0)
		cfg->preempt = o->preempt;
	if (o->stack_size != 0)
		cfg->stack_size = o->stack_size;
	if (o->seed != 0)
		cfg->seed = o->seed;
	if (cfg->seed == 0)
		cfg->seed = random_seed ();
	/* The report tells who ran how long: every switch is to be timed. */
	cfg->flags |= GOAD_F_EXACT_TIME;
	if (cfg->quantum_ns == 0)
		cfg->quantum_ns = 10 * GOAD_MS;
	if (cfg->stack_size == 0)
		cfg->stack_size = 256 << 10;
	return 0;
}

/* A picture that cannot be written is better known before the run than after.
 * What stands there is left as it is until then. */
static int check_plot (const struct run *run)
{
	if (run->opt.plot == NULL)
		return 0;
	bool existed = access (run->opt.plot, F_OK) == 0;
	FILE *f = fopen (run->opt.plot, "ab");
	if (f == NULL) {
		util_error ("--plot '%s': %s", run->opt.plot, strerror (errno));
		return TOOL_USAGE;
	}
	fclose (f);
	if (!existed)
		unlink (run->opt.plot);
	return 0;
}

/* A bound on what this run cannot measure would always be broken. */
static int check_bounds (const struct run *run)
{
	unsigned kinds = 0;

	for (unsigned i = 0; i < run->specs_n; i++)
		kinds |= run->specs[i].work->flags;
	for (unsigned i = 0; i < run->bounds_n; i++) {
		enum figure_id f = run->bounds[i].figure;

		if (f >= FIG_TICK_P50 && f <= FIG_TICKS && !(kinds & WORK_TICKS)) {
			util_error ("--expect '%s': no WORK is a tick; add '+ tick 1ms'", run->bounds[i].text);
			return TOOL_USAGE;
		}
		if (f >= FIG_ECHO_P50 && f <= FIG_ECHOES && !(kinds & WORK_ECHO)) {
			util_error ("--expect '%s': no WORK is an echo; add '+ echo 1ms'", run->bounds[i].text);
			return TOOL_USAGE;
		}
	}
	return 0;
}

static int prepare (struct run *run, int argc, char **argv)
{
	int rest, code;

	run->argc = argc;
	run->argv = calloc ((size_t) argc + 1, sizeof *run->argv);
	if (run->argv == NULL)
		return TOOL_FAILED;
	memcpy (run->argv, argv, (size_t) argc * sizeof *argv);
	if ((code = run_options_parse (run, argc, argv, &rest)) != 0 ||
	    (code = run_specs_parse (run, argc - rest, argv + rest)) != 0 ||
	    (code = run_tasks_make (run)) != 0 || (code = configure (run)) != 0 ||
	    (code = check_bounds (run)) != 0 || (code = check_plot (run)) != 0)
		return code;
	if (run->opt.plot != NULL) {
		run->timeline = run_timeline_make ();
		if (run->timeline == NULL)
			return TOOL_FAILED;
	}
	run->live = run_colour_wanted (STDERR_FILENO);
	if (run->opt.for_assumed)
		util_error ("a work is endless and there is no --for: taking --for 5s");
	return 0;
}

static int runtime_refused (int e)
{
	util_error ("the runtime did not start: %s", strerror (-e));
	switch (e) {
	case -EINVAL:
		return TOOL_USAGE;
	case -ENOSYS:
	case -EPERM:
	case -ENOMEM:
	case -EAGAIN:
		return TOOL_CANNOT;
	default:
		return TOOL_FAILED;
	}
}

static void last_end (struct run *run)
{
	run->ended_by = END_FINISHED;
	for (unsigned i = 0; i < run->tasks_n; i++) {
		uint64_t t = atomic_load (&run->tasks[i].ended_ns);

		if (t > run->end_ns)
			run->end_ns = t;
	}
}

/* What GOAD_TRACE has started is ended here too: the process may not go the usual way. */
static int stop_trace (const struct run *run)
{
	int e = goad_trace_stop ();

	if (run->opt.trace == NULL || e == 0)
		return TOOL_OK;
	util_error ("--trace '%s': %s", run->opt.trace, strerror (-e));
	return TOOL_FAILED;
}

/* Figures, verdict, picture, report: on the monitor where the run was ended, on the
 * main thread where it ended by itself.  Returns the exit code. */
int run_finish (struct run *run)
{
	struct text out = { 0 };
	char why[128];
	int code = TOOL_OK;

	int traced = stop_trace (run);
	run_figures_compute (run);
	if (run_expect_check (run) > 0)
		code = TOOL_BROKEN;
	if (traced != TOOL_OK)
		code = traced;
	if (atomic_load (&run->spawn_error) != 0) {
		util_error ("not all of the %u coroutines could be made: %s", run->tasks_n,
		            strerror (-atomic_load (&run->spawn_error)));
		code = TOOL_FAILED;
	}
	if (run->opt.plot != NULL) {
		run->plotted = plot_write (run, run->opt.plot, why, sizeof why) == 0;
		if (!run->plotted) {
			util_error ("--plot '%s': %s", run->opt.plot, why);
			code = TOOL_FAILED;
		}
	}
	if (!run->opt.json)
		report_text (run, &out, run_colour_wanted (STDOUT_FILENO));
	else if (report_json (run, &out, code) < 0)
		out.failed = true;
	if (out.failed || util_write_all (STDOUT_FILENO, out.s, out.len) < 0) {
		util_error ("the report could not be written");
		code = TOOL_FAILED;
	}
	util_text_free (&out);
	return code;
}

int tool_run (int argc, char **argv)
{
	struct run *run = &the_run;

	util_set_command ("goad run");
	int code = prepare (run, argc, argv);
	if (code != 0)
		return code;
	/* This program calls pthread_sigmask and the like, but never in a coroutine.
	 * Taken for thread-bound, its frames under every work would make each preemption
	 * a hand-off. */
	(void) goad_module_class ("", GOAD_MODULE_SCANNED);
	int e = run->opt.trace != NULL ? goad_trace_start (run->opt.trace) : 0;
	if (e < 0) {
		util_error ("--trace '%s': %s", run->opt.trace, strerror (-e));
		return TOOL_USAGE;
	}
	atomic_store (&run->alive, 1);
	atexit (exited_by_work);
	fflush (stdout);
	e = run_monitor_start (run);
	if (e < 0) {
		util_error ("no thread for the monitor: %s", strerror (-e));
		return TOOL_CANNOT;
	}
	e = goad_main (run_first, run, &run->cfg);
	run_monitor_stop (run);
	if (e < 0)
		return runtime_refused (e);
	fflush (stdout);
	last_end (run);
	return run_finish (run);
}
