/* SPDX-License-Identifier: MIT */
/* wait/ticker.h - goad_timer_t: a function that runs at a time, in a coroutine of its own
 *
 * 0, 1 or a negative errno, as the public calls (goad/time.h); the arguments have been
 * looked at.
 */
#ifndef GOAD_WAIT_TICKER_H
#define GOAD_WAIT_TICKER_H

#include "core/runq.h"
#include "goad/time.h"
#include "wait/timer.h"

int goad__timer_start (goad_timer_t **out, uint64_t first, uint64_t period, goad_fn fn, void *arg);
int goad__timer_reset (goad_timer_t *t, uint64_t first, uint64_t period);
int goad__timer_stop (goad_timer_t *t);

/* For wait/timer.c, with h's lock held. */

/* s, the first of h and due, fires: its coroutine is added to due.  How many that are. */
uint32_t goad__timer_due (struct timers *h, struct sleeper *s, uint64_t now, struct gbatch *due);
/* Frees the stopped ones that have left the heap. */
void goad__timers_reap (struct timers *h);
/* All timers cut from h's memory. */
void goad__timers_free_all (struct timers *h);

#endif
