/* SPDX-License-Identifier: MIT */
/* wait/heap.h - sleepers by their deadline: a 4-ary heap (Johnson 1975), lazy
 *
 * No locks in it: it belongs to who holds the lock of its struct timers.
 *
 * An entry carries the deadline beside the pointer, so that a comparison does not touch
 * the sleeper; four children fill one cache line.  Two things are put off, as in Go
 * (runtime/time.go):
 *
 *	later   a sleeper whose deadline was moved back keeps its place until it comes to
 *	        the top.  So entry.when <= sleeper.when, always
 *	dead    one that was stopped stays until it comes to the top or to the end of the
 *	        array, as long as no more than a quarter are dead.  Beyond that the next is
 *	        taken out at once.  (Go rebuilds the heap then, which at a million entries
 *	        holds the lock for milliseconds.)
 *
 * Who lies on a stack cannot be put off: goad__heap_take takes it out, by its index.
 */
#ifndef GOAD_WAIT_HEAP_H
#define GOAD_WAIT_HEAP_H

#include "core/g.h"

/* Waits for a time.  A coroutine's lies on its stack (wait/sleep.h); one without a
 * coroutine is a goad_timer_t (wait/ticker.h). */
struct sleeper {
	uint64_t when;
	struct g *g; /* who is readied; NULL: a goad_timer_t */
	/* The deadline came; called with the lock held.  True: g is to be readied, false:
	 * something else was faster and readies it. */
	bool (*fire) (struct sleeper *s);
	void *arg;
	uint32_t index;        /* in the heap + 1; 0: not in it                             */
	_Atomic uint16_t home; /* which heap, + 1; 0: none.  Changes under that heap's lock */
	bool dead;             /* still in the heap, but stopped                            */
	bool armed;            /* a goad_timer_t's: it will fire                            */
};

struct heap_entry {
	uint64_t when;
	struct sleeper *s;
};

struct heap {
	struct heap_entry *at; /* mmap'ed: malloc's lock may belong to a handed-off coroutine */
	uint32_t n, room;
	uint32_t dead;        /* of the n                                              */
	struct sleeper *gone; /* dead ones that have left it: a list by arg, the owner's to free */
};

/* False: no memory, and nothing has changed. */
bool goad__heap_put (struct heap *h, struct sleeper *s);

/* s is in it, and is not afterwards. */
void goad__heap_take (struct heap *h, struct sleeper *s);

/* s is in it and will not fire: now, or some time later, it is in h->gone. */
void goad__heap_kill (struct heap *h, struct sleeper *s);

/* s is in it, and s->when has changed. */
void goad__heap_moved (struct heap *h, const struct sleeper *s);

/* Who is first, after what was put off has been done at the top; NULL: nobody. */
struct sleeper *goad__heap_top (struct heap *h);

/* The last of the array is taken out, unless it was dead; NULL: the heap is empty. */
struct sleeper *goad__heap_take_last (struct heap *h);

void goad__heap_free (struct heap *h);

#endif
