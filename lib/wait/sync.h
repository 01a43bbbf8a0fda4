/* SPDX-License-Identifier: MIT */
/* wait/sync.h - what the synchronisation objects share: a queue of waiters, and who I am
 *
 * Each object holds the queue of its own waiters, whose records lie on their stacks.
 * The other way, one table of queues for all objects, found by address (Go's sema.go,
 * WebKit's ParkingLot), would make an object a single word, at the price of a hash and a
 * lock shared with strangers at each wait, and of a table whose size fits nobody.  The
 * objects must be ready when zero-filled and may be freed without a word: an empty queue
 * is two NULLs.
 *
 * Freed without a word also means: whoever lets another go on touches the object no
 * more.  So the last thing that any call does to an object is to release its lock, and
 * waiters are told after that (goad__wait_done touches only the waiter); and no fast path
 * may see that it can return before that release.
 */
#ifndef GOAD_WAIT_SYNC_H
#define GOAD_WAIT_SYNC_H

#include "base/lock.h"
#include "goad/sync.h"
#include "wait/wait.h"

struct sync_wait {
	struct wait w;
	struct sync_wait *next, *prev;
	uintptr_t me;
	bool queued; /* under the object's lock */
	bool handed; /* a mutex: it was given, not only set free; written before done */
};

struct sync_queue {
	struct sync_wait *first, *last;
};

/* The object as the caller declared it is other words. */
#define SYNC_OBJECT __attribute__ ((may_alias))

/* Who owns locks: the coroutine, or the thread (its TCB); both are aligned to 16. */
static inline uintptr_t goad__sync_me (void)
{
	struct g *g = goad__g ();

	return likely (g != NULL) ? (uintptr_t) g : goad__thread ();
}

static inline void goad__sync_push (struct sync_queue *q, struct sync_wait *s)
{
	s->next = NULL;
	s->prev = q->last;
	s->queued = true;
	if (q->last)
		q->last->next = s;
	else
		q->first = s;
	q->last = s;
}

static inline void goad__sync_push_front (struct sync_queue *q, struct sync_wait *s)
{
	s->prev = NULL;
	s->next = q->first;
	s->queued = true;
	if (q->first)
		q->first->prev = s;
	else
		q->last = s;
	q->first = s;
}

/* If it is there still. */
void goad__sync_remove (struct sync_queue *q, struct sync_wait *s);

/* The first whose wait nobody has ended yet: the caller ends it, with goad__wait_done once
 * the object's lock is released.  Those before it, whose deadline came, are taken out. */
struct sync_wait *goad__sync_take (struct sync_queue *q);

/* All of them, chained by next; how many. */
uint32_t goad__sync_take_all (struct sync_queue *q, struct sync_wait **list);
void goad__sync_done_all (struct sync_wait *list);

/* 0: the caller may wait until deadline; else why not. */
int goad__sync_may_wait (uint64_t deadline);

/* Waits in q, whose lock is held, and given up.  0, or -ETIMEDOUT or -ENOMEM; then it is
 * out of the queue.  (switches) */
int goad__sync_wait (struct goad__spinlock *lock, struct sync_queue *q, uint64_t deadline,
                     const char *kind);

#ifdef GOAD_DEBUG_BUILD
/* An unlock of what another holds: says who and who, and ends the program.  Pinned. */
_Noreturn void goad__sync_not_yours (const char *call, const void *object, uintptr_t owner);
#endif

/* The owner of a mutex, for dumps; 0: free. */
uintptr_t goad__mutex_owner (const goad_mutex_t *m);
/* Who holds a lock for writing, and how many for reading; of a copy, for dumps. */
uintptr_t goad__rwlock_owner (const goad_rwlock_t *l, uint32_t *readers);

#endif
