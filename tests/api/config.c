/* SPDX-License-Identifier: MIT */
/* tests/api/config.c - goad_config_init and the environment */
#include "tests/harness.h"
#include "tests/support.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const char *const variables[] = { "GOAD_PROCS",   "GOAD_MAX_THREADS", "GOAD_STACK_SIZE",
	                                     "GOAD_QUANTUM", "GOAD_PREEMPT",     "GOAD_SIGNAL",
	                                     "GOAD_SEED",    "GOAD_FEEDBACK",    "GOAD_MIN_GRANULARITY",
	                                     "GOAD_DISABLE" };

static void clean_environment (void)
{
	for (size_t i = 0; i < sizeof variables / sizeof *variables; i++)
		unsetenv (variables[i]);
}

static goad_config_t config_with (const char *name, const char *value)
{
	goad_config_t cfg = GOAD_CONFIG_INIT;

	setenv (name, value, 1);
	cr_expect_eq (goad_config_init (&cfg), 0, "%s=%s was refused", name, value);
	unsetenv (name);
	return cfg;
}

Test (config, bad_arguments)
{
	goad_config_t cfg = { .size = 0 };

	cr_assert_eq (goad_config_init (NULL), -EINVAL);
	cr_assert_eq (goad_config_init (&cfg), -EINVAL);
}

/* A default may be left at 0, which means it. */
Test (config, defaults, .init = clean_environment)
{
	goad_config_t cfg = GOAD_CONFIG_INIT;

	cfg.procs = 77;
	cfg.preempt = 99;
	cfg.quantum_ns = 3;
	cr_assert_eq (goad_config_init (&cfg), 0);
	cr_assert_eq (cfg.size, sizeof cfg);
	cr_assert (cfg.procs >= 0 && cfg.procs <= sysconf (_SC_NPROCESSORS_CONF));
	cr_assert (cfg.max_threads == 0 || cfg.max_threads == 10000);
	cr_assert (cfg.stack_size == 0 || cfg.stack_size == 256 * 1024);
	cr_assert (cfg.quantum_ns == 0 || cfg.quantum_ns == 10 * GOAD_MS);
	cr_assert (cfg.preempt == 0 || cfg.preempt == GOAD_PREEMPT_AUTO);
	cr_assert (cfg.signo == 0 || cfg.signo == SIGURG);
	cr_assert_eq (cfg.flags, 0);
}

Test (config, environment, .init = clean_environment)
{
	static const char *const modes[] = { NULL, "auto", "handoff", "yield", "coop", "off" };

	cr_expect_eq (config_with ("GOAD_PROCS", "3").procs, 3);
	cr_expect_eq (config_with ("GOAD_PROCS", "1024").procs, 1024);
	cr_expect_eq (config_with ("GOAD_MAX_THREADS", "50").max_threads, 50);
	cr_expect_eq (config_with ("GOAD_STACK_SIZE", "65536").stack_size, 65536);
	cr_expect_eq (config_with ("GOAD_STACK_SIZE", "64K").stack_size, 65536);
	cr_expect_eq (config_with ("GOAD_STACK_SIZE", "8M").stack_size, 8 << 20);
	cr_expect_eq (config_with ("GOAD_STACK_SIZE", "1G").stack_size, 1 << 30);
	cr_expect_eq (config_with ("GOAD_FEEDBACK", "off").flags, GOAD_F_NO_FEEDBACK);
	cr_expect_eq (config_with ("GOAD_FEEDBACK", "on").flags, 0);
	cr_expect_eq (config_with ("GOAD_DISABLE", "").flags, 0);
	cr_expect_eq (config_with ("GOAD_DISABLE", "sysmon").flags, GOAD_F_NO_SYSMON);
	cr_expect_eq (config_with ("GOAD_DISABLE", "preempt,handoff,detect-block").flags,
	              GOAD_F_NO_PREEMPT | GOAD_F_NO_HANDOFF | GOAD_F_NO_DETECT_BLOCK);
	cr_expect_eq (
	    config_with ("GOAD_DISABLE", "wakeup-preempt,global-tick,inherit-slice,feedback").flags,
	    GOAD_F_NO_WAKEUP_PREEMPT | GOAD_F_NO_GLOBAL_TICK | GOAD_F_NO_INHERIT_SLICE |
	        GOAD_F_NO_FEEDBACK);
	cr_expect_eq (config_with ("GOAD_MIN_GRANULARITY", "1ms").min_granularity_ns, GOAD_MS);
	cr_expect_eq (config_with ("GOAD_QUANTUM", "10ms").quantum_ns, 10 * GOAD_MS);
	cr_expect_eq (config_with ("GOAD_QUANTUM", "250us").quantum_ns, 250 * GOAD_US);
	cr_expect_eq (config_with ("GOAD_QUANTUM", "50us").quantum_ns, 50 * GOAD_US);
	cr_expect_eq (config_with ("GOAD_QUANTUM", "1s").quantum_ns, GOAD_S);
	cr_expect_eq (config_with ("GOAD_SIGNAL", "10").signo, 10);
	cr_expect_eq (config_with ("GOAD_SEED", "42").seed, 42);
	for (int mode = GOAD_PREEMPT_AUTO; mode <= GOAD_PREEMPT_OFF; mode++)
		cr_expect_eq (config_with ("GOAD_PREEMPT", modes[mode]).preempt, mode);
}

static void nothing (void *arg)
{
	(void) arg;
}

/* The three ways in which the environment is read all refuse. */
static void init_config (void *arg)
{
	goad_config_t cfg = GOAD_CONFIG_INIT;

	(void) arg;
	_exit (goad_config_init (&cfg) == -EINVAL ? 3 : 4);
}

static void main_without (void *arg)
{
	(void) arg;
	_exit (goad_main (nothing, NULL, NULL) == -EINVAL ? 3 : 4);
}

static void start_without (void *arg)
{
	(void) arg;
	_exit (goad_start (NULL) == -EINVAL ? 3 : 4);
}

static void expect_refused (void (*how) (void *), const char *name, const char *value)
{
	char out[2048];
	const char *newline;
	int status;

	setenv (name, value, 1);
	status = child_run (how, NULL, 10, out, sizeof out);
	unsetenv (name);
	cr_expect (child_exited (status, 3), "%s=%s: status %#x", name, value, status);
	cr_expect (strstr (out, name) != NULL, "%s=%s: not named in '%s'", name, value, out);
	newline = strchr (out, '\n');
	cr_expect (newline && newline[1] == '\0', "%s=%s: one line, not '%s'", name, value, out);
}

Test (config, bad_values_are_named, .timeout = 60, .init = clean_environment)
{
	/* clang-format off */
	static const char *const bad[][2] = {
		{ "GOAD_PROCS", "many" },        { "GOAD_PROCS", "-1" },
		{ "GOAD_PROCS", "1025" },        { "GOAD_PROCS", "3x" },
		{ "GOAD_PROCS", "99999999999999999999" },
		{ "GOAD_MAX_THREADS", "-5" },    { "GOAD_MAX_THREADS", "lots" },
		{ "GOAD_STACK_SIZE", "1K" },     { "GOAD_STACK_SIZE", "2G" },
		{ "GOAD_STACK_SIZE", "64Q" },    { "GOAD_STACK_SIZE", "-64K" },
		{ "GOAD_STACK_SIZE", "99999999999G" },
		{ "GOAD_FEEDBACK", "1" },        { "GOAD_MIN_GRANULARITY", "9us" },
		{ "GOAD_DISABLE", "preemt" },    { "GOAD_DISABLE", "preempt,,sysmon" },
		{ "GOAD_DISABLE", "," },         { "GOAD_DISABLE", "sysmon preempt" },
		{ "GOAD_QUANTUM", "abc" },       { "GOAD_QUANTUM", "10us" },
		{ "GOAD_QUANTUM", "2s" },        { "GOAD_QUANTUM", "-10ms" },
		{ "GOAD_QUANTUM", "10parsecs" }, { "GOAD_QUANTUM", "99999999999999999999s" },
		{ "GOAD_PREEMPT", "sometimes" }, { "GOAD_PREEMPT", "autox" },
		{ "GOAD_SIGNAL", "banana" },     { "GOAD_SIGNAL", "65" },
		{ "GOAD_SIGNAL", "-3" },         { "GOAD_SIGNAL", "9" },
		{ "GOAD_SIGNAL", "19" },         { "GOAD_SEED", "zz" },
	};
	/* clang-format on */

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		expect_refused (init_config, bad[i][0], bad[i][1]);
	expect_refused (main_without, "GOAD_PROCS", "0x");
	expect_refused (main_without, "GOAD_QUANTUM", "nine");
	expect_refused (start_without, "GOAD_PREEMPT", "never");
}

static void leaf (void *arg)
{
	for (int i = 0; i < 100; i++) {
		atomic_fetch_add ((_Atomic int *) arg, 1);
		goad_yield ();
	}
}

/* Without timers: with sysmon at rest nobody may serve them. */
static void tree (void *arg)
{
	goad_task_t *t[20];

	for (int i = 0; i < 20; i++)
		claim_eq (goad_spawn (&t[i], NULL, leaf, arg), 0);
	claim_eq (goad_set_procs (1), 2);
	claim_eq (goad_set_procs (3), 1);
	for (int i = 0; i < 20; i++)
		claim_eq (goad_join (t[i]), 0);
}

Test (config, a_program_runs_without_any_one_mechanism, .init = clean_environment)
{
	for (unsigned f = GOAD_F_NO_PREEMPT; f <= GOAD_F_NO_SYSMON; f *= 2) {
		goad_config_t cfg = config_of (2, GOAD_MS, 0);
		_Atomic int n = 0;

		cfg.flags = f;
		cr_assert_eq (goad_main (tree, &n, &cfg), 0);
		cr_assert_eq (n, 2000);
	}
	claims_assert ();
}

static void note_procs (void *arg)
{
	*(int *) arg = goad_procs ();
}

Test (config, main_without_config_reads_it, .timeout = 10, .init = clean_environment)
{
	goad_config_t cfg = GOAD_CONFIG_INIT;
	int procs = 0;

	setenv ("GOAD_PROCS", "3", 1);
	cr_assert_eq (goad_main (note_procs, &procs, NULL), 0);
	cr_assert_eq (procs, 3);
	cfg.procs = 2;
	cr_assert_eq (goad_main (note_procs, &procs, &cfg), 0);
	cr_assert_eq (procs, 2, "a configuration given is not overruled");
	unsetenv ("GOAD_PROCS");
}

Test (config, embedded_reads_it_too, .timeout = 10, .init = clean_environment)
{
	setenv ("GOAD_PROCS", "3", 1);
	cr_assert_eq (goad_start (NULL), 0);
	cr_assert_eq (goad_procs (), 3);
	cr_assert_eq (goad_stop (), 0);
	unsetenv ("GOAD_PROCS");
}

Test (config, procs_default_to_the_affinity, .timeout = 10, .init = clean_environment)
{
	int procs = 0;

	cr_assert_eq (goad_main (note_procs, &procs, NULL), 0);
	cr_assert (procs >= 1 && procs <= sysconf (_SC_NPROCESSORS_ONLN), "%d", procs);
}
