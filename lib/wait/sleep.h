/* SPDX-License-Identifier: MIT */
/* wait/sleep.h - coroutines that wait for a time: goad_sleep, the deadlines of *_until */
#ifndef GOAD_WAIT_SLEEP_H
#define GOAD_WAIT_SLEEP_H

#include "wait/heap.h" /* struct sleeper: when, g, fire and arg are the caller's to set */

/* A struct sleeper lies on the sleeper's stack while it waits.  Pinned callers.
 *
 * -ENOMEM: there is no room for it.  announce, if given, is called with the lock of the
 * sleeper's heap held and makes the wait known to whatever else can end it; false: that
 * is over already, -EAGAIN.  Whoever ends it then calls goad__sleep_cancel, which waits
 * for the lock, so *s is not touched after its time.  GOAD_FOREVER never comes. */
int goad__sleep_add (struct sleeper *s, bool (*announce) (struct sleeper *s));
/* After it returns nobody touches *s any more.  True: it had not fired. */
bool goad__sleep_cancel (struct sleeper *s);

/* The calling coroutine sleeps; (switches). */
void goad__sleep_until (uint64_t deadline);

#endif
