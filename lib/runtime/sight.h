/* SPDX-License-Identifier: MIT */
/* runtime/sight.h - one coroutine at one instant, as it is told in a dump
 *
 * Nothing is stopped for it.  A coroutine that stands is read where it stands, while it
 * may begin to run: so its descriptor is looked at before and after, and if it has run
 * meanwhile what was seen is void.  g->slices is the version: it changes each time that
 * the coroutine is put on a P, before it touches its stack.
 */
#ifndef GOAD_RUNTIME_SIGHT_H
#define GOAD_RUNTIME_SIGHT_H

#include "core/stack.h"
#include "preempt/safepoint.h"
#include "runtime/backtrace.h"
#include "runtime/watch.h"
#include "sched/sched.h"

struct goad__where {
	int n;
	bool exact; /* the first is where it stood, no return address               */
	uintptr_t pc[GOAD__BACKTRACE_MAX];
	uintptr_t slot[GOAD__BACKTRACE_MAX]; /* where on the stack they were found, or 0 */
};

/* A copy of the descriptor, of one instant. */
struct goad__sight {
	const struct g *g;
	struct g c;
	uintptr_t lo, hi;       /* its stack */
	uint64_t run_since;     /* of a running one; 0: not known                         */
	int m, p;               /* the thread and the P that it has; -1: none              */
	struct goad__call call; /* the system call that it sleeps in                   */
	const char *note;       /* why there are no frames; NULL: there are                 */
};

/* All of these while its stack stays: within goad__slab_next_taken and _if_taken. */
bool goad__sight_read (struct goad__sight *s, const struct g *g); /* false: it is none      */
bool goad__sight_same (const struct goad__sight *s);              /* it has not run since   */

/* It stands, and its registers are saved: false: it runs, or only its thread knows. */
bool goad__sight_regs (const struct goad__sight *s, struct goad__regs *regs, bool *exact);

/* The frames from these registers. */
void goad__sight_walk (const struct goad__sight *s, const struct goad__regs *regs, bool exact,
                       struct goad__where *w);

/* The same for any stack. */
void goad__where_of (const struct goad__regs *regs, uintptr_t lo, uintptr_t hi,
                     struct goad__where *w);

/* Memory that may be gone: false. */
bool goad__sight_peek (const void *at, void *to, size_t n);

/* A word of another's stack. */
uintptr_t goad__sight_word (uintptr_t at);

/* Since when it is what it is: 0: not known. */
uint64_t goad__sight_since (const struct goad__sight *s);

#endif
