/* SPDX-License-Identifier: MIT */
/* tests/api/dump_any.c - goad_dump while coroutines run, are preempted, come and go */
#include "tests/api/dump_kit.h"
#include "tests/harness.h"
#include "tests/support.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

static struct text seen;

/* ---- those that run, and those that were stopped ----------------------------------------- */

static volatile int hogs_stop;

/* A function of its own; and with nothing of ThreadSanitizer in it, which is not interrupted. */
#define HOG __attribute__ ((noinline, no_sanitize ("thread"))) static

HOG void loop_without_end (void *arg)
{
	volatile unsigned long n = 0;
	(void) arg;

	while (!hogs_stop)
		n++;
}

HOG void fill_without_end (void *arg)
{
	static char space[1 << 16];
	(void) arg;

	while (!hogs_stop) {
		memset (space, 1, sizeof space);
		__asm__ volatile("" ::"r"(space) : "memory");
		loop_apart ();
	}
}

HOG void loop_undisturbed (void *arg)
{
	volatile unsigned long n = 0;
	(void) arg;

	goad_preempt_disable ();
	while (!hogs_stop)
		n++;
	goad_preempt_enable ();
}

struct hunt {
	goad_fn fn;
	int mode, procs;
	const char *symbol, *state; /* what is awaited */
	bool found;
};

/* What the watch, if there is one, is to tell meanwhile: hogs, with where they stood. */
static int blames;
static _Atomic int blamed;

static void blame (const goad_starve_event_t *e, void *arg)
{
	(void) arg;
	if (strncmp (e->hog_name, "hog-", 4) == 0 && e->hog_depth > 0)
		atomic_fetch_add (&blamed, 1);
}

static void nothing (void *arg)
{
	(void) arg;
}

/* From a thread outside: nobody else asks for the P, so the hogs are what runs. */
static void *hunt_run (void *arg)
{
	struct hunt *h = arg;

	for (uint64_t end = goad_after (20 * GOAD_S);
	     goad_now () < end && (!h->found || atomic_load (&blamed) < blames);) {
		int fd = dump_file ();
		int rc = blames ? goad_go (nothing, NULL) : 0; /* who starves */

		rc |= goad_dump (fd);
		dump_text (&seen, fd);
		for (int k = 0; k < 2; k++) {
			const char *line = dump_line (&seen, k ? "hog-1" : "hog-0");
			h->found |= rc == 0 && line_has (line, h->state) && frames_have (line, h->symbol);
		}
		usleep (2000);
	}
	hogs_stop = 1;
	return NULL;
}

static void hunt_first (void *arg)
{
	static pthread_t thread;
	struct hunt *h = arg;
	goad_task_t *task[2];
	goad_attr_t attr = GOAD_ATTR_INIT;

	hogs_stop = 0;
	attr.preempt = h->mode;
	attr.name = "hog-0";
	/* First: once both hogs run nobody may come back here. */
	claim_eq (pthread_create (&thread, NULL, hunt_run, h), 0);
	claim_eq (goad_spawn (&task[0], &attr, h->fn, NULL), 0);
	attr.name = "hog-1";
	claim_eq (goad_spawn (&task[1], &attr, h->fn, NULL), 0);
	claim_eq (goad_join (task[0]), 0);
	claim_eq (goad_join (task[1]), 0);
	pthread_join (thread, NULL);
}

static void hunt (struct hunt h)
{
	program_scanned ();
	cr_assert_eq (run_main (hunt_first, &h, h.procs, GOAD_MS, 0), 0);
	claims_assert ();
	cr_assert (h.found, "%s\n%s", h.state, seen.at);
}

Test (dump, hog_that_runs, .timeout = 30)
{
	hunt ((struct hunt){ loop_without_end, 0, 1, "loop_without_end", "[running", false });
}

Test (dump, hog_without_preemption, .timeout = 30)
{
	hunt ((struct hunt){ loop_undisturbed, 0, 2, "loop_undisturbed", "[running", false });
	hunt ((struct hunt){ loop_without_end, GOAD_PREEMPT_OFF, 2, "loop_without_end", "[running",
	                     false });
}

Test (dump, hog_that_was_yielded, .timeout = 30)
{
	hunt ((struct hunt){ loop_without_end, 0, 1, "loop_without_end", "[runnable", false });
	cr_expect (strstr (seen.at, "yielded in place at loop_without_end+0x") != NULL, "%s", seen.at);
}

Test (dump, hog_that_was_handed_off, .timeout = 30)
{
	hunt ((struct hunt){ fill_without_end, TEST_TSAN ? GOAD_PREEMPT_HANDOFF : 0, 1,
	                     "fill_without_end", "[runnable, handed off", false });
	cr_expect (strstr (seen.at, "handed off at ") != NULL, "%s", seen.at);
}

/* Asleep in the kernel, and nobody was told. */
HOG void sleep_unannounced (void *arg)
{
	(void) arg;
	while (!hogs_stop)
		usleep (100000);
}

Test (dump, asleep_in_the_kernel, .timeout = 30)
{
	hunt ((struct hunt){ sleep_unannounced, 0, 1, "sleep_unannounced", "in system call ", false });
}

/* sysmon asks the same thread, and each has his answers. */
Test (dump, hog_that_the_watch_asks_too, .timeout = 30)
{
	goad_starve_opts_t o = GOAD_STARVE_OPTS_INIT;

	blames = 20;
	o.bound_ns = GOAD_MS;
	o.on_starve = blame;
	cr_assert_eq (goad_starve_watch (&o), 0);
	hunt ((struct hunt){ loop_undisturbed, GOAD_PREEMPT_OFF, 1, "loop_undisturbed", "[running",
	                     false });
	cr_assert_eq (goad_starve_stop (NULL), 0);
	cr_assert_geq (atomic_load (&blamed), blames);
	blames = 0;
}

/* ---- at any time ---------------------------------------------------------------------------- */

static _Atomic int churn_over;

static void churn_child (void *arg)
{
	(void) arg;
	goad_yield ();
}

static void churn (void *arg)
{
	(void) arg;
	while (!atomic_load (&churn_over)) {
		goad_task_t *task;
		if (goad_spawn (&task, NULL, churn_child, NULL) == 0)
			goad_join (task);
	}
}

static void churn_memory (void *arg)
{
	(void) arg;
	while (!atomic_load (&churn_over)) {
		char *p = malloc (5000);
		memset (p, 1, 5000);
		free (p);
		loop_apart ();
	}
}

static void churn_sleep (void *arg)
{
	(void) arg;
	while (!atomic_load (&churn_over)) {
		usleep (200);
		goad_sleep (50 * GOAD_US);
		goad_block (churn_child, NULL);
	}
}

static void *churn_outside (void *arg)
{
	int fd = open ("/dev/null", O_WRONLY);
	(void) arg;

	while (!atomic_load (&churn_over)) {
		int rc = goad_dump (fd);
		claim (rc == 0 || rc == -EPERM);
	}
	close (fd);
	return NULL;
}

static void churn_first (void *arg)
{
	int fd = open ("/dev/null", O_WRONLY);
	uint64_t end = goad_after ((uint64_t) (intptr_t) arg * GOAD_MS);
	goad_starve_opts_t watch = GOAD_STARVE_OPTS_INIT;
	pthread_t thread;
	long dumps = 0;

	watch.bound_ns = 300 * GOAD_US;
	watch.on_starve = blame;
	claim_eq (goad_starve_watch (&watch), 0); /* sysmon asks, too */
	atomic_store (&churn_over, 0);
	for (int i = 0; i < 3; i++) {
		goad_go (churn, NULL);
		goad_go (churn_memory, NULL);
		goad_go (churn_sleep, NULL);
	}
	claim_eq (pthread_create (&thread, NULL, churn_outside, NULL), 0);
	while (goad_now () < end || dumps < 3) {
		claim_eq (goad_dump (fd), 0);
		goad_set_procs (1 + (int) (dumps++ % 3));
	}
	atomic_store (&churn_over, 1);
	goad_block_begin ();
	pthread_join (thread, NULL);
	goad_block_end ();
	claim_eq (goad_starve_stop (NULL), 0);
	close (fd);
}

Test (dump, while_everything_moves, .timeout = 60)
{
	const char *more = getenv ("GOAD_STRESS");
	intptr_t ms = more && atoi (more) > 0 ? 1500 * atoi (more) : 1500;

	cr_assert_eq (run_main (churn_first, (void *) ms, 2, 100 * GOAD_US, 0), 0);
	claims_assert ();
}

Test (dump, under_chaos, .timeout = 60)
{
	goad_config_t cfg = config_of (2, 100 * GOAD_US, 0);

	setenv ("GOAD_DEBUG", "chaos=7", 1);
	cr_assert_eq (goad_main (churn_first, (void *) (intptr_t) 1000, &cfg), 0);
	unsetenv ("GOAD_DEBUG");
	claims_assert ();
}
