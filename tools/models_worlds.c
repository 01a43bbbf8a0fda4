/* SPDX-License-Identifier: MIT */
/* models_worlds.c - processes, kernel threads, coroutines on one thread and on many, behind
 * the same few calls
 *
 * N:1 is goad with one thread, which it must do with, and preemption off: as are libraries
 * that switch in their own calls only. */
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "models.h"

/* ---- the kernel's ---- */

static bool process_spawn (union handle *h, void (*fn) (void *), void *arg)
{
	h->process = fork ();
	if (h->process == 0) {
		prctl (PR_SET_PDEATHSIG, SIGKILL);
		fn (arg);
		_exit (0);
	}
	return h->process > 0;
}

static void process_join (union handle h)
{
	waitpid (h.process, NULL, 0);
}

struct start {
	void (*fn) (void *);
	void *arg;
};

static void *thread_main (void *arg)
{
	struct start s = *(struct start *) arg;

	free (arg);
	s.fn (s.arg);
	return NULL;
}

static bool thread_spawn (union handle *h, void (*fn) (void *), void *arg)
{
	struct start *s = malloc (sizeof *s);

	if (s == NULL)
		return false;
	*s = (struct start){ fn, arg };
	if (pthread_create (&h->thread, NULL, thread_main, s) == 0)
		return true;
	free (s);
	return false;
}

static void thread_join (union handle h)
{
	pthread_join (h.thread, NULL);
}

static void kernel_sleep_until (uint64_t deadline)
{
	struct timespec ts = { (time_t) (deadline / GOAD_S), (long) (deadline % GOAD_S) };

	while (clock_nanosleep (CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL) != 0)
		;
}

static void kernel_open (union gate *g)
{
	sem_init (&g->kernel, 1, 0);
}

static void kernel_wait (union gate *g)
{
	while (sem_wait (&g->kernel) != 0)
		;
}

static void kernel_post (union gate *g)
{
	sem_post (&g->kernel);
}

static bool kernel_enter (void (*fn) (void *), void *arg)
{
	fn (arg);
	return true;
}

/* ---- coroutines ---- */

static bool coroutine_spawn (union handle *h, void (*fn) (void *), void *arg)
{
	return goad_spawn (&h->task, NULL, fn, arg) == 0;
}

static void coroutine_join (union handle h)
{
	goad_join (h.task);
}

static void coroutine_sleep_until (uint64_t deadline)
{
	goad_sleep_until (deadline);
}

static void coroutine_open (union gate *g)
{
	goad_sem_init (&g->coroutine, 0);
}

static void coroutine_wait (union gate *g)
{
	goad_sem_acquire (&g->coroutine);
}

static void coroutine_post (union gate *g)
{
	goad_sem_release (&g->coroutine);
}

/* No other thread may take over where this one blocks; if there is one already, not yet. */
static void on_one_thread (void *arg)
{
	struct start *s = arg;

	if (goad_set_max_threads (1) < 0)
		return;
	s->fn (s->arg);
	s->fn = NULL;
}

/* It would say on stderr that it lacks a thread, which is what this world is about. */
static bool n1_enter (void (*fn) (void *), void *arg)
{
	goad_config_t cfg = GOAD_CONFIG_INIT;
	struct start s = { fn, arg };
	int null = open ("/dev/null", O_WRONLY | O_CLOEXEC);

	if (null >= 0)
		dup2 (null, STDERR_FILENO);
	cfg.procs = 1;
	cfg.preempt = GOAD_PREEMPT_OFF;
	for (int i = 0; i < 100 && s.fn != NULL; i++)
		if (goad_main (on_one_thread, &s, &cfg) < 0)
			break;
	return s.fn == NULL;
}

static bool mn_enter (void (*fn) (void *), void *arg)
{
	goad_config_t cfg = GOAD_CONFIG_INIT;

	/* Nothing in here keeps anything for a thread but in calls into libc. */
	(void) goad_module_class ("", GOAD_MODULE_SCANNED);
	return goad_main (fn, arg, &cfg) == 0;
}

#define KERNEL kernel_sleep_until, kernel_open, kernel_wait, kernel_post, kernel_enter
#define COROUTINE                                                                           \
	coroutine_spawn, coroutine_join, coroutine_sleep_until, coroutine_open, coroutine_wait, \
	    coroutine_post

const struct world models_worlds[MODELS] = {
	{ "process", "processes", 20, 50, 5000, process_spawn, process_join, KERNEL },
	{ "thread", "threads 1:1", 50, 200, 5000, thread_spawn, thread_join, KERNEL },
	{ "n:1", "coroutines N:1", 1000, 10000, 100000, COROUTINE, n1_enter },
	{ "m:n", "coroutines M:N", 1000, 10000, 100000, COROUTINE, mn_enter },
};
