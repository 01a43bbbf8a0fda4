/* SPDX-License-Identifier: MIT */
/* runtime.h - a benchmark's options as goad's configuration; goad programs only */
#ifndef BENCH_RUNTIME_H
#define BENCH_RUNTIME_H

#include "bench.h"

#include <goad.h>

/* GOAD_PREEMPT_* by its name on the command line. */
BENCH_UNUSED static int bench_preempt (const char *name)
{
	static const struct {
		const char *name;
		int mode;
	} modes[] = {
		{ "auto", GOAD_PREEMPT_AUTO },   { "handoff", GOAD_PREEMPT_HANDOFF },
		{ "yield", GOAD_PREEMPT_YIELD }, { "coop", GOAD_PREEMPT_COOP },
		{ "off", GOAD_PREEMPT_OFF },
	};
	for (size_t i = 0; i < sizeof modes / sizeof *modes; i++)
		if (strcmp (name, modes[i].name) == 0)
			return modes[i].mode;
	fprintf (stderr, "--preempt %s: not one of auto, handoff, yield, coop, off\n", name);
	exit (2);
}

/* Runs fn as the first coroutine, as the options say; the mode is given apart because some
 * programs compare several.  A failure ends the program. */
BENCH_UNUSED static void bench_run (goad_fn fn, void *arg, int preempt)
{
	goad_config_t cfg = GOAD_CONFIG_INIT;
	cfg.procs = opt.procs;
	cfg.quantum_ns = opt.quantum_ns;
	cfg.preempt = preempt;
	if (opt.plain)
		cfg.flags |= GOAD_F_NO_FEEDBACK;
	int err = goad_main (fn, arg, &cfg);
	if (err < 0) {
		fprintf (stderr, "goad_main: %s\n", strerror (-err));
		exit (1);
	}
}

/* For calls inside coroutines whose failure leaves nothing to measure. */
BENCH_UNUSED static void bench_must (int err, const char *what)
{
	if (err == 0)
		return;
	dprintf (STDERR_FILENO, "%s: %s\n", what, strerror (-err));
	_exit (1);
}

#endif /* BENCH_RUNTIME_H */
