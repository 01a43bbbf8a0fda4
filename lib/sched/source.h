/* SPDX-License-Identifier: MIT */
/* sched/source.h - the other places that work comes from
 *
 * Run queues are the scheduler's own.  Coroutines that wait for something outside it, a
 * descriptor say, are made runnable by whoever watches that; what watches registers
 * here, once at each start, before the threads do.
 */
#ifndef GOAD_SCHED_SOURCE_H
#define GOAD_SCHED_SOURCE_H

#include "core/m.h"

struct goad__source {
	/* An M found nothing in the queues: readies whoever is due, without blocking.  True:
	 * somebody was.  Pinned; the caller has a P. */
	bool (*poll) (void);
	/* Somebody waits who could still be woken from here: no deadlock.  Under the
	 * scheduler's lock. */
	bool (*waiting) (void);
	/* An idle M, on the list of them, may sleep here, so that what happens here wakes it
	 * directly.  While it does its park is PARK_ELSEWHERE, and who gives it a P calls
	 * rouse.  True: it need not sleep any more, false: not here, or no longer.  May be
	 * NULL, and only one source may have it. */
	bool (*sleep) (struct m *m);
	void (*rouse) (void);
};

#define GOAD__MAX_SOURCES 4

void goad__source_add (const struct goad__source *s);
void goad__sources_reset (void);
bool goad__sources_poll (void);
bool goad__sources_waiting (void);
bool goad__sources_sleep (struct m *m);
void goad__sources_rouse (void);

#endif
