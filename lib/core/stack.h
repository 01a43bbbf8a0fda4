/* SPDX-License-Identifier: MIT */
/* core/stack.h - the pool of stacks: a cache per P, a depot for all, ageing
 *
 * What is known of a stack lies in its top page, free or not, and so does the
 * descriptor of the coroutine on it; a parked coroutine costs that page:
 *
 *	hi                        end of the mapping
 *	  colour * 64             nothing: 0 to 31 lines, so that neither the top frames nor
 *	                          the descriptors of many stacks share a set of the cache
 *	  struct stack            64 bytes
 *	  room                    GOAD__G_ROOM bytes for the descriptor
 *	  top                     the first stack pointer; 1.5 to 3.4 KiB in this page
 *	...
 *	lo                        below it the guard
 *
 * A free stack is in one of: a P's cache (the P's owner's, no atomics), the depot
 * (under its lock), the hands of goad__stack_trim.  When nobody wanted it for a second
 * in the cache it goes to the depot, and after another second there it becomes cold:
 * its slot is given back to core/slab, memory and all, and there is no struct stack.
 *
 * Lists move whole, so that a full or an empty cache costs one lock and no walk:
 *
 *	put -> hot -> (full, or a second) -> old -> (the same) -> depot: fresh -> aged ->
 *	dying -> trim -> cold;   get <- hot <- old <- fresh <- aged <- dying <- cold
 */
#ifndef GOAD_CORE_STACK_H
#define GOAD_CORE_STACK_H

#include "core/slab.h"

#define GOAD__G_ROOM 512

enum {
	GOAD__STACK_COLOURS = 32,
	GOAD__STACK_HOT = 1024, /* stacks of a class in hot, and in old, about */
	GOAD__STACK_TICK = 64   /* puts between two looks at the clock         */
};

struct stack {
	char *lo, *hi;
	struct stack *next;  /* in a list                                      */
	struct stack *batch; /* in the depot, of a list's first: the next list */
	struct slab *slab;   /* where it is cut from                           */
	uint32_t index;
	uint32_t valgrind;
	uint16_t class_;
	uint16_t colour;
	uint32_t count;   /* in the depot, of a list's first: how many             */
	uintptr_t canary; /* last: what an overflow of the stack above meets first */
} GOAD__ALIGNED;

struct stack_bin {
	struct stack *hot, *old;
	_Atomic uint32_t nhot, nold; /* written by the owner alone */
};

/* All zeros is an empty one.  The last bin is for sizes that are too large: always
 * empty, so that the fast path need not ask. */
struct stack_cache {
	struct stack_bin bin[GOAD__STACK_CLASSES + 1];
	uint32_t epoch;
	uint32_t puts;
	uint32_t fresh; /* cold slots to take next time: doubles */
};

int goad__stack_init (void);
void goad__stack_fini (void); /* unmaps every stack, in use or not; caches must be zeroed */

/* The slow halves of get and put. */
struct stack *goad__stack_get_slow (struct stack_cache *cache, unsigned class_, int *err);
void goad__stack_put_slow (struct stack_cache *cache, struct stack *s);

/* Gives all to the depot: for a P that goes idle. */
void goad__stack_cache_flush (struct stack_cache *cache);

/* Bytes from the lowest page touched to hi.  A stack is not cleared when it is used
 * again, so this is the most since it last was cold; pages in swap do not count.  It takes
 * the bounds because a dump has only a copy of them, of a stack that may be another's by
 * now; then what it returns means nothing. */
size_t goad__stack_used (uintptr_t lo, uintptr_t hi);

/* For sysmon, one thread at a time: gives back a piece of what nobody wanted for a
 * second, which takes about 0.1 ms, and returns at least how many bytes it was.
 * goad__stack_trim_due is when to call it next: UINT64_MAX when the depot is empty.
 * While a P runs, call it each second anyway: that makes the caches age. */
size_t goad__stack_trim (uint64_t now_ns);
uint64_t goad__stack_trim_due (uint64_t now_ns);

/* Free stacks in the depot (add goad__stack_cached for each P), and address space. */
void goad__stack_totals (size_t *cached, size_t *reserved_bytes);

/* The record of a slot that is taken. */
struct stack *goad__stack_of (struct slot slot);

_Noreturn void goad__stack_smashed (const struct stack *s);

extern _Atomic uint32_t goad__stack_epoch; /* advances about once a second */

static inline unsigned goad__stack_class (size_t size)
{
	if (size <= (size_t) 1 << GOAD__STACK_MIN_SHIFT)
		return 0;
	if (unlikely (size > (size_t) 1 << GOAD__STACK_MAX_SHIFT))
		return GOAD__STACK_CLASSES;
	return (unsigned) (64 - __builtin_clzl (size - 1)) - GOAD__STACK_MIN_SHIFT;
}

static inline uintptr_t goad__stack_canary (const struct stack *s)
{
	return (uintptr_t) s ^ (uintptr_t) 0x5aC0A57A1f00d00d;
}

/* False: the stack above, which has no guard, overflowed into this one. */
static inline bool goad__stack_intact (const struct stack *s)
{
	return s->canary == goad__stack_canary (s);
}

static inline void *goad__stack_room (struct stack *s)
{
	return (char *) s - GOAD__G_ROOM;
}

static inline void *goad__stack_top (struct stack *s)
{
	return (char *) s - GOAD__G_ROOM;
}

static inline void goad__stack_count_set (_Atomic uint32_t *n, uint32_t v)
{
	atomic_store_explicit (n, v, memory_order_relaxed);
}

static inline uint32_t goad__stack_count (const _Atomic uint32_t *n)
{
	return atomic_load_explicit (n, memory_order_relaxed);
}

/* The cache must be the calling thread's P's, with the thread pinned; NULL: none.
 * NULL: *err is -EINVAL (larger than 1 GiB), -ENOMEM or -EAGAIN. */
static inline struct stack *goad__stack_get (struct stack_cache *cache, size_t size, int *err)
{
	unsigned class_ = goad__stack_class (size);

	if (likely (cache != NULL)) {
		struct stack_bin *b = &cache->bin[class_];
		struct stack *s = b->hot;
		if (likely (s != NULL)) {
			b->hot = s->next;
			goad__stack_count_set (&b->nhot, goad__stack_count (&b->nhot) - 1);
			__builtin_prefetch (b->hot, 1);
			return s;
		}
	}
	return goad__stack_get_slow (cache, class_, err);
}

/* Nobody uses it any more, also not its room. */
static inline void goad__stack_put (struct stack_cache *cache, struct stack *s)
{
	if (unlikely (!goad__stack_intact (s)))
		goad__stack_smashed (s);
	if (unlikely (!cache || ++cache->puts % GOAD__STACK_TICK == 0)) {
		goad__stack_put_slow (cache, s);
		return;
	}
	struct stack_bin *b = &cache->bin[s->class_];
	s->next = b->hot;
	b->hot = s;
	goad__stack_count_set (&b->nhot, goad__stack_count (&b->nhot) + 1);
}

static inline size_t goad__stack_cached (const struct stack_cache *cache)
{
	size_t n = 0;
	for (unsigned i = 0; i < GOAD__STACK_CLASSES; i++)
		n += goad__stack_count (&cache->bin[i].nhot) + goad__stack_count (&cache->bin[i].nold);
	return n;
}

#endif
