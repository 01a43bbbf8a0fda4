/* SPDX-License-Identifier: MIT */
#include "tests/unit/safepoint_kit.h"

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "arch.h"
#include "base/clock.h"

#define ROUNDS 200

static struct safepoint_seen seen;
static _Atomic int done;
static uintptr_t lo, hi;

static void nap (long us)
{
	struct timespec t = { 0, us * 1000 };

	nanosleep (&t, NULL);
}

static void on_signal (int signo, siginfo_t *info, void *context)
{
	struct goad__judgement j;
	struct goad__regs regs;
	void *pcs[128];
	int e = errno;
	uint64_t t;

	(void) signo, (void) info;
	goad__arch_ucontext_regs (context, regs.r);
	goad__safepoint_judge (&regs, lo, hi, false, &seen.automatic);
	goad__safepoint_judge (&regs, lo, hi, true, &seen.yield);
	seen.frames = goad__safepoint_backtrace (&regs, lo, hi, pcs, 128);
	t = goad__now ();
	for (int i = 0; i < ROUNDS; i++)
		goad__safepoint_judge (&regs, lo, hi, false, &j);
	seen.ns = (double) (goad__now () - t) / ROUNDS;
	done = 1;
	errno = e;
}

struct job {
	void (*fn) (void *);
	void *arg;
	void *stack;
};

/* The call is not the last thing it does, so its frame stays. */
__attribute__ ((noinline)) static void *entry (void *arg)
{
	struct job *j = arg;
	stack_t ss = { .ss_sp = j->stack, .ss_size = 1 << 17 };
	pthread_attr_t attr;
	size_t size;
	void *at;

	pthread_getattr_np (pthread_self (), &attr);
	pthread_attr_getstack (&attr, &at, &size);
	pthread_attr_destroy (&attr);
	lo = (uintptr_t) at, hi = lo + size;
	sigaltstack (&ss, NULL);
	j->fn (j->arg);
	ss.ss_flags = SS_DISABLE;
	sigaltstack (&ss, NULL);
	return NULL;
}

static void *load (const char *path)
{
	void *h = dlopen (path, RTLD_NOW);

	if (!h)
		fprintf (stderr, "%s\n", dlerror ());
	return h;
}

void *safepoint_object (const char *name)
{
	const char *dir = getenv ("GOAD_BUILDDIR");
	char path[4096];

	snprintf (path, sizeof path, "%s/tests/unit/so/.libs/%s.so", dir ? dir : ".", name);
	return load (path);
}

void *safepoint_library (const char *name)
{
	return load (name);
}

/* Stops it by whichever of the two there is. */
static struct safepoint_seen run (struct job *j, volatile int *started, volatile int *stop,
                                  _Atomic int *other)
{
	struct sigaction sa = { .sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_ONSTACK };
	pthread_t t;

	goad__safepoint_neutral ((const void *) (uintptr_t) entry, 0, true);
	sigaction (SIGUSR1, &sa, NULL);
	j->stack = malloc (1 << 17);
	done = 0;
	if (goad__modules_refresh () < 0 || !j->stack || pthread_create (&t, NULL, entry, j) != 0)
		abort ();
	for (int i = 0; i < 5000 && started && !*started; i++)
		nap (1000);
	nap (5000);
	pthread_kill (t, SIGUSR1);
	while (!done)
		nap (200);
	if (stop)
		*stop = 1;
	else
		*other = 1;
	pthread_join (t, NULL);
	free (j->stack);
	return seen;
}

struct safepoint_seen safepoint_run (void *object, const char *fn, void *arg)
{
	struct job j = { 0 };
	volatile int *stop = dlsym (object, "stop"), *started = dlsym (object, "started");

	*(void **) &j.fn = dlsym (object, fn);
	j.arg = arg;
	if (!j.fn || !stop || !started)
		abort ();
	*stop = *started = 0;
	return run (&j, started, stop, NULL);
}

struct safepoint_seen safepoint_call (void (*fn) (void *), void *arg, _Atomic int *stop)
{
	struct job j = { fn, arg, NULL };

	*stop = 0;
	return run (&j, NULL, NULL, stop);
}
