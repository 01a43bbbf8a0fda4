/* SPDX-License-Identifier: MIT */
/* goad/starve.h - who waits too long for a CPU, and who keeps it from him
 *
 *	static void tell (const goad_starve_event_t *e, void *arg)
 *	{
 *		(void) arg;
 *		dprintf (2, "%s waits while %s runs\n", e->name, e->hog_name);
 *	}
 *
 *	goad_starve_opts_t o = GOAD_STARVE_OPTS_INIT;
 *	uint64_t events;
 *
 *	o.bound_ns = 50 * GOAD_MS;
 *	o.on_starve = tell;
 *	goad_starve_watch (&o);
 *	goad_main (first, NULL, NULL);
 *	goad_starve_stop (&events);
 *
 * A watch costs a look of the monitor's at the queues each bound, and a comparison where
 * the time that a coroutine has waited is reckoned anyway.
 *
 * At the end stand assertions for tests.
 */
#ifndef GOAD_STARVE_H
#define GOAD_STARVE_H

#include <goad/sched.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A coroutine has been runnable, and was not run, for longer than the bound.  The
 * pointers are good until on_starve returns. */
typedef struct goad_starve_event {
	uint64_t id;          /* its number, and its name ("" if it has none)                    */
	const char *name;     /*                                                                 */
	uint64_t waited_ns;   /* how long it had waited when that was noticed                    */
	uint64_t hog_id;      /* who ran meanwhile where it waits, or for longest if it can run  */
	const char *hog_name; /* anywhere; 0 and "": nobody did                                  */
	void *hog_pc[32];     /* where that one stood: PC, then return addresses, newest first   */
	int hog_depth;        /* how many; 0: unknown, it was in the library, asleep in the      */
	                      /* kernel, or gone before it could be asked                        */
} goad_starve_event_t;

typedef struct goad_starve_opts {
	size_t size;       /* sizeof (goad_starve_opts_t): set by the caller                */
	uint64_t bound_ns; /* 0: 100 ms                                                     */
	void (*on_starve) (const goad_starve_event_t *event, void *arg); /* NULL: a report on */
	                                                                 /* stderr            */
	void *arg;      /* on_starve's                                                      */
	unsigned flags; /* none yet: 0                                                      */
} goad_starve_opts_t;

#define GOAD_STARVE_OPTS_INIT                         \
	{                                                 \
		sizeof (goad_starve_opts_t), 0, NULL, NULL, 0 \
	}

/* Has each coroutine noticed that stays runnable for longer than the bound: one event for
 * each such wait, as a rule while it lasts.  Before the runtime starts, while it runs, and
 * over several runs, until goad_starve_stop; so the pointers in *opts are kept.
 *
 * on_starve is called on sysmon's thread, which does nothing else meanwhile: no slice ends,
 * and no timer is served while all Ps are busy.  It should be short.  It must not wait for
 * a coroutine, nor for a lock that one can hold, and malloc and stdio have such locks:
 * write (2), dprintf and atomics will do.  It may call goad_starve_stop and what only reads,
 * as goad_stats.  Several events of one instant come one after the other.
 *
 * The culprit's frames are read by the preemption signal, in all modes, those in which
 * it preempts nobody too.
 *
 * -EINVAL: opts is NULL, its size 0, or a flag unknown; -EBUSY: a watch is on already;
 * -EPERM: in a child of fork made while a runtime ran. */
int goad_starve_watch (const goad_starve_opts_t *opts);

/* Ends the watch and stores how many events there were in all; NULL: nobody asks.  When it
 * returns on_starve has been called for all of them, and is not called any more (called by
 * on_starve itself it does not wait for that).  -EPERM: no watch is on. */
int goad_starve_stop (uint64_t *events);

#ifdef __cplusplus
}
#endif

/* For tests.  GOAD_ASSERT_NO_STARVATION (bound, code) runs the code, for example a call of
 * goad_main, under a watch, and asserts that nobody was runnable for longer than the bound;
 * GOAD_EXPECT_STARVATION the contrary, for a control.  code may be several statements, with
 * commas in them, and may not leave them by return or goto.  The report of who starves goes
 * to stderr.
 *
 *	Test (queue, nobody_starves)
 *	{
 *		GOAD_ASSERT_NO_STARVATION (50 * GOAD_MS, goad_main (first, NULL, NULL););
 *	}
 *
 * What a failure does: GOAD_STARVE_FAIL (format, ...), if defined; else, with
 * <criterion/criterion.h> included before, cr_assert; else a line on stderr, and abort. */
#if !defined GOAD_STARVE_FAIL && defined cr_assert_fail
#define GOAD_STARVE_FAIL(...) cr_assert_fail (__VA_ARGS__)
#elif !defined GOAD_STARVE_FAIL
#include <stdio.h>
#include <stdlib.h>
#define GOAD_STARVE_FAIL(...) \
	(fprintf (stderr, "%s:%d: ", __FILE__, __LINE__), fprintf (stderr, __VA_ARGS__), abort ())
#endif

#define GOAD_ASSERT_NO_STARVATION(bound, ...)              \
	GOAD__STARVE_CHECK (bound, #bound, goad_starved_ == 0, \
	                    "%llu times a coroutine was runnable for longer than %s\n", __VA_ARGS__)

#define GOAD_EXPECT_STARVATION(bound, ...)                                                   \
	GOAD__STARVE_CHECK (bound, #bound, goad_starved_ > 0,                                    \
	                    "%llu times a coroutine was runnable for longer than %s: too few\n", \
	                    __VA_ARGS__)

#define GOAD__STARVE_CHECK(bound, bound_text, holds, text, ...)                      \
	do {                                                                             \
		goad_starve_opts_t goad_watch_ = GOAD_STARVE_OPTS_INIT;                      \
		uint64_t goad_starved_ = 0;                                                  \
		int goad_err_;                                                               \
		goad_watch_.bound_ns = (bound);                                              \
		goad_err_ = goad_starve_watch (&goad_watch_);                                \
		if (goad_err_ < 0)                                                           \
			GOAD_STARVE_FAIL ("goad_starve_watch failed: %d\n", goad_err_);          \
		__VA_ARGS__                                                                  \
		goad_err_ = goad_starve_stop (&goad_starved_);                               \
		if (goad_err_ < 0)                                                           \
			GOAD_STARVE_FAIL ("goad_starve_stop failed: %d\n", goad_err_);           \
		if (!(holds))                                                                \
			GOAD_STARVE_FAIL (text, (unsigned long long) goad_starved_, bound_text); \
	} while (0)

#endif /* GOAD_STARVE_H */
