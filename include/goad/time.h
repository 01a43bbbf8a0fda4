/* SPDX-License-Identifier: MIT */
/* goad/time.h - the clock, and timers
 *
 *	uint64_t deadline = goad_after (50 * GOAD_MS);
 *	goad_sleep_until (deadline);
 *
 *	goad_timer_t *beat;
 *	goad_timer_start (&beat, goad_after (GOAD_S), GOAD_S, work, arg);  // each second
 *	...
 *	goad_timer_stop (beat);
 */
#ifndef GOAD_TIME_H
#define GOAD_TIME_H

#include <goad/sched.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define GOAD_US UINT64_C (1000)      /* nanoseconds in a microsecond */
#define GOAD_MS UINT64_C (1000000)   /* in a millisecond             */
#define GOAD_S UINT64_C (1000000000) /* in a second                  */

/* A deadline that never comes. */
#define GOAD_FOREVER UINT64_MAX

/* CLOCK_MONOTONIC in nanoseconds.  Async-signal-safe. */
uint64_t goad_now (void);

/* goad_now () + ns, at most GOAD_FOREVER.  Async-signal-safe. */
uint64_t goad_after (uint64_t ns);

/* Runs a function at a time, in a coroutine of its own. */
typedef struct goad_timer goad_timer_t;

/* Starts fn (arg) as a coroutine of its own at first (absolute, goad_now's clock, never
 * before; what is past: at once; GOAD_FOREVER: never, but goad_timer_reset may change
 * that), and then, if period is not 0, at first + period, first + 2 * period, ...: late
 * starts do not add up.  Times that were missed are left out, so that one coroutine is
 * started however many have passed; it does not wait for the end of the one before.
 * *timer is set before fn can start, and is the caller's until goad_timer_stop.  A timer
 * does not keep goad_main or goad_stop from returning: it is stopped and freed then, and
 * its handle gone; a coroutine that it has started does.
 *
 * Where there is no memory for a coroutine, one of the times of a periodic timer counts
 * as missed; otherwise it is tried again each millisecond.
 *
 * These three may be called from any thread while a runtime runs, also from fn and all
 * at once; what comes after goad_timer_stop's beginning on another thread may not use the
 * handle.  They leave errno alone and are not async-signal-safe.  -EINVAL: timer or fn
 * is NULL; -EPERM: no runtime runs; -ENOMEM: no memory, and nothing has changed. */
int goad_timer_start (goad_timer_t **timer, uint64_t first, uint64_t period, goad_fn fn, void *arg);

/* From now on it fires at first, and then each period; also one that has fired.  1: it
 * was still to fire before, 0: it was not.  Errors as goad_timer_start. */
int goad_timer_reset (goad_timer_t *timer, uint64_t first, uint64_t period);

/* Stops and frees it.  1: it was still to fire and will not (a periodic one always is);
 * 0: it had fired, and its coroutine may be yet to run.  -EINVAL, -EPERM as above. */
int goad_timer_stop (goad_timer_t *timer);

#ifdef __cplusplus
}
#endif

#endif /* GOAD_TIME_H */
