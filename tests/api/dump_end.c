/* SPDX-License-Identifier: MIT */
/* tests/api/dump_end.c - dumps that SIGQUIT and errors leave behind */
#include "tests/api/dump_kit.h"
#include "tests/harness.h"
#include "tests/support.h"

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

static volatile int hog_stop;

static void loop_without_end (void *arg)
{
	volatile unsigned long n = 0;
	(void) arg;

	while (!hog_stop)
		n++;
}

/* ---- SIGQUIT --------------------------------------------------------------------------------- */

/* No copy of it with another name. */
static goad_fn volatile run_that = loop_without_end;

static void quit_hog (void *arg)
{
	(void) arg;
	kill (getpid (), SIGQUIT);
	run_that (NULL);
}

static void quit_child (void *arg)
{
	(void) arg;
	setenv ("GOAD_DUMP_ON_QUIT", "1", 1);
	hog_stop = 0;
	run_main (quit_hog, NULL, 2, 0, 0);
}

Test (dump, on_quit, .timeout = 30)
{
	static char out[65536];
	int status = child_run (quit_child, NULL, 20, out, sizeof out);

	cr_assert (child_signalled (status, SIGQUIT), "status %#x: %s", status, out);
	cr_expect (strstr (out, "goad: SIGQUIT\n") != NULL, "%s", out);
	cr_expect (strstr (out, "goad: coroutine 1 '' [running") != NULL, "%s", out);
	/* ThreadSanitizer's kill waits until the signal has been seen to. */
	cr_expect (TEST_TSAN || strstr (out, " loop_without_end+0x") != NULL, "%s", out);
	cr_expect (strstr (out, "goad: P0 [") != NULL, "%s", out);
}

static void nothing (void *arg)
{
	(void) arg;
}

static void on_quit_before (int signo)
{
	(void) signo;
}

Test (dump, quit_is_put_back, .timeout = 10)
{
	struct sigaction mine = { .sa_handler = on_quit_before }, now;

	sigaction (SIGQUIT, &mine, NULL);
	setenv ("GOAD_DUMP_ON_QUIT", "1", 1);
	cr_assert_eq (run_main (nothing, NULL, 1, 0, 0), 0);
	unsetenv ("GOAD_DUMP_ON_QUIT");
	sigaction (SIGQUIT, NULL, &now);
	cr_assert (now.sa_handler == on_quit_before);
	signal (SIGQUIT, SIG_DFL);
}

/* ---- what goes wrong ------------------------------------------------------------------------- */

static void wrong_exit (void *arg)
{
	(void) arg;
	goad_preempt_enable ();            /* without its disable */
	__asm__ volatile("" ::: "memory"); /* that was no jump */
}

static void one_who_waits (void *arg)
{
	goad_sem_acquire (arg);
}

static void wrong (void *arg)
{
	static goad_sem_t sem;
	(void) arg;

	goad_sem_init (&sem, 0);
	spawn_named ("bystander", one_who_waits, &sem);
	goad_sleep (5 * GOAD_MS);
	spawn_named ("culprit", wrong_exit, NULL);
	goad_sleep (GOAD_S);
}

static void wrong_child (void *arg)
{
	(void) arg;
	setenv ("GOAD_DUMP_ON_FATAL", "1", 1);
	run_main (wrong, NULL, 2, 0, 0);
}

Test (dump, on_a_fatal_error, .timeout = 30)
{
	static char out[65536];
	int status = child_run (wrong_child, NULL, 20, out, sizeof out);

	cr_assert (child_signalled (status, SIGABRT), "status %#x: %s", status, out);
	cr_expect (strstr (out, " 'culprit' [running") != NULL, "%s", out);
	cr_expect (strstr (out, " wrong_exit+0x") != NULL, "%s", out);
	cr_expect (strstr (out, " 'bystander' [waiting") != NULL, "%s", out);
}
