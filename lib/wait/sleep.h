/* SPDX-License-Identifier: MIT */
/* wait/sleep.h - waiting for a time: one 4-ary heap of sleepers for the runtime
 *
 * Coroutines that sleep with goad_sleep, and the deadlines of *_until calls.
 */
#ifndef GOAD_WAIT_SLEEP_H
#define GOAD_WAIT_SLEEP_H

#include "core/g.h"

/* Lies on the sleeper's stack while it is in the heap. */
struct sleeper {
	uint64_t when;
	struct g *g;
	uint32_t index; /* in the heap + 1; 0: not in it */
	/* The deadline came; called with the heap's lock held.  True: g is to be readied,
	 * false: something else was faster and readies it. */
	bool (*fire) (struct sleeper *s);
	void *arg;
};

/* Pinned callers.  -ENOMEM: the heap cannot grow.  announce, if given, is called with
 * the heap's lock held and makes the wait known to whatever else can end it; false:
 * that is over already, -EAGAIN.  Whoever ends it then calls goad__sleep_cancel, which
 * waits for the lock, so *s is not touched after its time. */
int goad__sleep_add (struct sleeper *s, bool (*announce) (struct sleeper *s));
/* After it returns nobody touches *s any more.  True: it had not fired. */
bool goad__sleep_cancel (struct sleeper *s);
void goad__sleep_run (uint64_t now);

/* The calling coroutine sleeps; (switches). */
void goad__sleep_until (uint64_t deadline);

void goad__sleep_init (void);
void goad__sleep_fini (void);

#endif
