/* SPDX-License-Identifier: MIT */
/* tests/api/life.c - goad_main, goad_start and goad_stop: what they return and refuse, and
 * that nothing of a run is left when it is over */
#include "tests/harness.h"
#include "tests/support.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

static void first (void *arg)
{
	int *seen = arg;

	claim_eq (goad_id (), 1);
	claim_eq (goad_procs (), 2);
	claim_eq (goad_count (), 1);
	claim (strcmp (goad_name (), "") == 0);
	*seen = 42;
}

Test (life, main_runs_its_function, .timeout = 10)
{
	int seen = 0;

	cr_assert_eq (run_main (first, &seen, 2, 0, 0), 0);
	claims_assert ();
	cr_assert_eq (seen, 42);
	cr_assert_eq (goad_id (), 0);
	cr_assert_eq (goad_procs (), 0);
	cr_assert_eq (goad_count (), 0);
	cr_assert_str_eq (goad_name (), "");
}

static void add_later (void *arg)
{
	goad_sleep (5 * GOAD_MS);
	goad_yield ();
	atomic_fetch_add ((_Atomic int *) arg, 1);
}

static void leave_twenty (void *arg)
{
	for (int i = 0; i < 20; i++)
		claim_eq (goad_go (add_later, arg), 0);
}

Test (life, main_waits_for_every_coroutine, .timeout = 10)
{
	_Atomic int n = 0;

	cr_assert_eq (run_main (leave_twenty, &n, 2, 0, 0), 0);
	claims_assert ();
	cr_assert_eq (n, 20);
}

static void *main_elsewhere (void *arg)
{
	return (void *) (intptr_t) run_main (first, arg, 2, 0, 0);
}

Test (life, main_on_any_thread, .timeout = 10)
{
	pthread_t thread;
	void *rc = NULL;
	int seen = 0;

	cr_assert_eq (pthread_create (&thread, NULL, main_elsewhere, &seen), 0);
	cr_assert_eq (pthread_join (thread, &rc), 0);
	cr_assert_eq ((intptr_t) rc, 0);
	claims_assert ();
	cr_assert_eq (seen, 42);
}

static void nothing (void *arg)
{
	(void) arg;
}

static void *try_from_outside (void *arg)
{
	(void) arg;
	claim_eq (run_main (nothing, NULL, 1, 0, 0), -EBUSY);
	claim_eq (goad_start (NULL), -EBUSY);
	claim_eq (goad_stop (), -EPERM);
	return NULL;
}

static void try_again (void *arg)
{
	pthread_t thread;

	(void) arg;
	claim_eq (run_main (nothing, NULL, 1, 0, 0), -EBUSY);
	claim_eq (goad_start (NULL), -EBUSY);
	claim_eq (goad_stop (), -EDEADLK);
	claim_eq (pthread_create (&thread, NULL, try_from_outside, NULL), 0);
	claim_eq (pthread_join (thread, NULL), 0);
}

Test (life, second_runtime_is_busy, .timeout = 10)
{
	goad_config_t cfg = config_of (2, 0, 0);

	cr_assert_eq (goad_stop (), -EPERM);
	cr_assert_eq (run_main (try_again, NULL, 2, 0, 0), 0);
	cr_assert_eq (goad_start (&cfg), 0);
	cr_assert_eq (run_main (nothing, NULL, 1, 0, 0), -EBUSY);
	cr_assert_eq (goad_start (&cfg), -EBUSY);
	cr_assert_eq (goad_stop (), 0);
	cr_assert_eq (goad_stop (), -EPERM);
	claims_assert ();
}

static void spawn_outside (void *arg)
{
	goad_task_t *task;

	(void) arg;
	claim_eq (goad_go (nothing, NULL), -EPERM);
	claim_eq (goad_spawn (&task, NULL, nothing, NULL), -EPERM);
}

Test (life, no_runtime_no_spawn)
{
	spawn_outside (NULL);
	cr_assert_eq (run_main (nothing, NULL, 1, 0, 0), 0);
	spawn_outside (NULL);
	claims_assert ();
}

struct field {
	const char *name;
	goad_config_t cfg;
};

static void refuse (void *arg)
{
	goad_config_t *cfg = arg;

	if (run_main (nothing, NULL, 1, 0, 0) != 0)
		_exit (2);
	if (goad_main (nothing, NULL, cfg) != -EINVAL || goad_start (cfg) != -EINVAL)
		_exit (3);
	/* What was refused leaves nothing behind. */
	_exit (run_main (nothing, NULL, 1, 0, 0) == 0 ? 0 : 4);
}

#define SIZE .size = sizeof (goad_config_t)

Test (life, fields_out_of_range, .timeout = 60)
{
	static struct field fields[] = {
		{ "size", { .size = 0 } },
		{ "procs", { SIZE, .procs = -1 } },
		{ "procs", { SIZE, .procs = 1025 } },
		{ "max_threads", { SIZE, .max_threads = -1 } },
		{ "stack_size", { SIZE, .stack_size = 16 * 1024 - 1 } },
		{ "stack_size", { SIZE, .stack_size = ((size_t) 1 << 30) + 1 } },
		{ "quantum", { SIZE, .quantum_ns = 50 * GOAD_US - 1 } },
		{ "quantum", { SIZE, .quantum_ns = GOAD_S + 1 } },
		{ "preempt", { SIZE, .preempt = -1 } },
		{ "preempt", { SIZE, .preempt = 6 } },
		{ "signo", { SIZE, .signo = -1 } },
		{ "signo", { SIZE, .signo = 65 } },
		{ "signo", { SIZE, .signo = SIGKILL } },
		{ "signo", { SIZE, .signo = SIGSTOP } },
	};
	char out[4096];

	for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
		int status = child_run (refuse, &fields[i].cfg, 10, out, sizeof out);

		cr_expect (child_exited (status, 0), "%s, row %zu: status %#x, said '%s'", fields[i].name,
		           i, status, out);
		cr_expect (fields[i].cfg.size == 0 || strstr (out, fields[i].name),
		           "row %zu: no '%s' in '%s'", i, fields[i].name, out);
	}
	cr_assert_eq (goad_main (NULL, NULL, NULL), -EINVAL);
}

static void note_procs (void *arg)
{
	*(int *) arg = goad_procs ();
}

Test (life, smaller_config_of_an_older_caller, .timeout = 10)
{
	goad_config_t cfg;
	int procs = 0;

	memset (&cfg, 0xa5, sizeof cfg);
	cfg.size = offsetof (goad_config_t, signo);
	cr_assert_eq (goad_config_init (&cfg), 0);
	cr_assert_eq (cfg.size, offsetof (goad_config_t, signo));
	cr_assert_eq (cfg.seed, UINT64_C (0xa5a5a5a5a5a5a5a5), "wrote past the size given");
	cfg.procs = 2;
	cr_assert_eq (goad_main (note_procs, &procs, &cfg), 0);
	cr_assert_eq (procs, 2);
}

/* Embedding. */

static void add (void *arg)
{
	atomic_fetch_add ((_Atomic int *) arg, 1);
}

Test (life, start_spawn_join_stop, .timeout = 20)
{
	goad_config_t cfg = config_of (2, 0, 0);
	goad_task_t *tasks[100];
	_Atomic int n = 0;

	for (int round = 1; round <= 3; round++) {
		cr_assert_eq (goad_start (&cfg), 0);
		cr_assert_eq (goad_procs (), 2);
		cr_assert_eq (goad_id (), 0, "the caller of goad_start is no coroutine");
		for (int i = 0; i < 100; i++)
			cr_assert_eq (goad_spawn (&tasks[i], NULL, add, &n), 0);
		for (int i = 0; i < 100; i++)
			cr_assert_eq (goad_join (tasks[i]), 0);
		cr_assert_eq (n, 200 * round - 100);
		for (int i = 0; i < 100; i++)
			cr_assert_eq (goad_go (add_later, &n), 0);
		cr_assert_eq (goad_stop (), 0);
		cr_assert_eq (n, 200 * round, "goad_stop waits for every coroutine");
	}
}

Test (life, stop_at_once, .timeout = 20)
{
	goad_config_t cfg = config_of (2, 0, 0);

	for (int i = 0; i < 20; i++) {
		cr_assert_eq (goad_start (&cfg), 0);
		cr_assert_eq (goad_stop (), 0);
	}
}

/* Fifty times. */

static void short_hog (void *arg)
{
	(void) arg;
	spin_for (GOAD_MS);
}

static void busy_life (void *arg)
{
	goad_task_t *tasks[6];

	(void) arg;
	for (int i = 0; i < 6; i++)
		claim_eq (goad_spawn (&tasks[i], NULL, short_hog, NULL), 0);
	for (int i = 0; i < 6; i++)
		claim_eq (goad_join (tasks[i]), 0);
}

static int live_embedded (void)
{
	goad_config_t cfg = config_of (2, 100 * GOAD_US, 0);
	int rc = goad_start (&cfg);

	if (rc == 0) {
		busy_life (NULL);
		rc = goad_stop ();
	}
	return rc;
}

static void restart_fifty (int (*live) (void))
{
	struct census before, after;

	/* The first ones may leave what libc keeps for good. */
	for (int i = 0; i < 5; i++)
		cr_assert_eq (live (), 0);
	before = census_now ();
	before = census_settled (before.threads < 2 ? 1 : 2);
	for (int i = 0; i < 50; i++)
		cr_assert_eq (live (), 0, "run %d", i);
	after = census_settled (before.threads);
	claims_assert ();
	cr_expect_eq (after.threads, before.threads, "%d threads, then %d", before.threads,
	              after.threads);
	cr_expect_eq (after.fds, before.fds, "%d descriptors, then %d", before.fds, after.fds);
	/* A sanitizer's own memory grows. */
	before.maps += TEST_SLOW ? 32 : 0;
	before.vm_kb += TEST_SLOW ? 4096 : 0;
	cr_expect_leq (after.maps, before.maps, "%d mappings, then %d", before.maps, after.maps);
	cr_expect_leq (after.vm_kb, before.vm_kb, "%zu KiB, then %zu", before.vm_kb, after.vm_kb);
}

static int live_main (void)
{
	return run_main (busy_life, NULL, 2, 100 * GOAD_US, 0);
}

Test (life, fifty_mains_leave_nothing, .timeout = 60)
{
	restart_fifty (live_main);
}

Test (life, fifty_starts_leave_nothing, .timeout = 60)
{
	restart_fifty (live_embedded);
}

Test (life, every_size_of_runtime, .timeout = 60)
{
	for (int procs = 1; procs <= 64; procs *= 4)
		cr_assert_eq (run_main (busy_life, NULL, procs, 100 * GOAD_US, 0), 0, "%d Ps", procs);
	cr_assert_eq (run_main (nothing, NULL, 1024, 0, 0), 0);
	claims_assert ();
}

Test (life, counters_stay_readable, .timeout = 10)
{
	goad_stats_t s;

	cr_assert_eq (run_main (busy_life, NULL, 2, 0, 0), 0);
	cr_assert_eq (goad_stats (&s), 0);
	cr_assert_eq (s.spawned, 7, "%llu spawned", (unsigned long long) s.spawned);
	cr_assert_eq (s.coroutines, 0);
	cr_assert_geq (s.switches, 7);
}
