/* SPDX-License-Identifier: MIT */
/* wait/timer.h - deadlines: a heap for each P, run by whoever comes first
 *
 * Each P has a heap of what waits for a time, with a lock of its own.  Whoever sees that
 * something in it is due may run it: the P when it picks a coroutine, another before it
 * goes idle, sysmon if nobody does.  What others see without the lock is p->next_timer,
 * the earliest deadline.
 */
#ifndef GOAD_WAIT_TIMER_H
#define GOAD_WAIT_TIMER_H

#include "base/lock.h"
#include "core/p.h"
#include "wait/heap.h"

struct goad_timer;

struct timers {
	struct goad__spinlock lock;
	struct heap heap;
	_Atomic uint32_t live;      /* of the heap, without the dead; read without the lock */
	struct goad_timer *spare;   /* free timers: wait/ticker.c                           */
	struct timer_chunk *chunks; /* where they are cut from                              */
} GOAD__ALIGNED;

void goad__timers_init (void);
void goad__timers_fini (void);

/* The caller's P's, locked; without a P any one. */
struct timers *goad__timers_lock (void);
/* The one that s is in, or was in last, locked; NULL: none. */
struct timers *goad__timers_lock_of (const struct sleeper *s);
/* Tells the world of a new earliest deadline.  A lock that changed nothing is left by
 * goad__spin_unlock. */
void goad__timers_unlock (struct timers *h);
/* Locked: s->when comes into h.  False: no memory. */
bool goad__timers_put (struct timers *h, struct sleeper *s);

/* Locked: s is h's, in its heap or not. */
void goad__timers_adopt (const struct timers *h, struct sleeper *s);

/* Runs what is due by now in p's heap; how many coroutines were made runnable.  They are
 * in the global queue, and nobody was woken for them. */
uint32_t goad__timers_run (struct p *p, uint64_t now);
/* The same in all heaps, and wakes. */
void goad__timers_run_all (uint64_t now);
/* What would fire some time, in all heaps; at most one off while it changes. */
uint64_t goad__timers_live (void);

/* from will not run any more: its timers go to another P.  Any P may go on using it
 * meanwhile; what cannot be moved for want of memory stays, and is run by the others. */
void goad__timers_move (struct p *from);

/* sysmon is about to sleep until the time given; returns until when it may.
 * And after it has. */
uint64_t goad__timers_sleeps (uint64_t until);
void goad__timers_woke (void);

#endif
