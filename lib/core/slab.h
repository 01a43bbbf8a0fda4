/* SPDX-License-Identifier: MIT */
/* core/slab.h - the address space of stacks: slabs, slots, guard pages
 *
 * A slab is one mapping cut into slots of one class; a slot is a guard page and a
 * stack above it.  The guard is in addition to the size, and not for generosity: the
 * distance between two stacks is then an odd number of pages, so that the top pages
 * of many stacks spread over all sets of the TLB (measured: halves the cost of
 * touching a thousand stacks in turn).
 *
 * A slot is cold (this room's: nothing in it is backed by memory) or taken (owned by
 * whoever took it).  Guards are installed when a slot is taken for the first time and
 * stay until the slab is unmapped: giving the memory back keeps them.
 *
 * Where the kernel has MADV_GUARD_INSTALL (Linux 6.13) a guard costs no mapping.
 * Where it does not, or with GOAD_NO_GUARD_INSTALL=1, it is a PROT_NONE page, which
 * splits the mapping: then only every `spacing`-th slot of later slabs has one, to
 * stay under vm.max_map_count, and an overflow from a slot without runs into the top
 * page of the stack below, whose canary (core/stack.h) tells.
 */
#ifndef GOAD_CORE_SLAB_H
#define GOAD_CORE_SLAB_H

#include "base/base.h"

enum {
	GOAD__STACK_MIN_SHIFT = 14, /* 16 KiB */
	GOAD__STACK_MAX_SHIFT = 30, /* 1 GiB  */
	GOAD__STACK_CLASSES = GOAD__STACK_MAX_SHIFT - GOAD__STACK_MIN_SHIFT + 1,
	GOAD__SLAB_SLOTS = 1024, /* at most */
	GOAD__SLAB_TAKE = 64     /* slots taken or given in one call, at most */
};

#define GOAD__SLAB_SIZE ((size_t) 64 << 20) /* at most, unless one stack is larger */
#define GOAD__GUARD GOAD__PAGE

struct slab {
	struct slab *next, *prev; /* slabs of its class with cold slots; or free records */
	char *base;               /* NULL: the record is free                            */
	uint32_t class_;
	uint32_t slots;
	uint32_t ncold;
	uint32_t spacing; /* every spacing-th slot has a guard          */
	uint32_t shade;   /* where its slots' colours start             */
	uint32_t nguards; /* mappings' worth of guards, in the fallback */
	uint64_t cold[GOAD__SLAB_SLOTS / 64];
	uint64_t guarded[GOAD__SLAB_SLOTS / 64]; /* its guard stands, or it is to have none */
};

struct slot {
	struct slab *slab;
	uint32_t index;
};

static inline size_t goad__class_size (unsigned class_)
{
	return (size_t) 1 << (class_ + GOAD__STACK_MIN_SHIFT);
}

/* From one slot to the next. */
static inline size_t goad__class_stride (unsigned class_)
{
	return goad__class_size (class_) + GOAD__GUARD;
}

/* The lowest usable address, above the guard. */
static inline char *goad__slot_lo (struct slot s)
{
	return s.slab->base + s.index * goad__class_stride (s.slab->class_) + GOAD__GUARD;
}

static inline bool goad__slot_guarded (struct slot s)
{
	return s.index % s.slab->spacing == 0;
}

void goad__slab_init (void);
void goad__slab_fini (void); /* unmaps every slab, whoever holds its slots */

/* Takes 1 to want (at most GOAD__SLAB_TAKE) cold slots.  0: none, and *err is
 * -ENOMEM or -EAGAIN; the first time a line on stderr says which limit was met. */
unsigned goad__slab_take (unsigned class_, unsigned want, struct slot *out, int *err);

/* Takes back slots (at most GOAD__SLAB_TAKE): returns their memory to the kernel, and
 * unmaps slabs that are cold all over, but for one of each class. */
void goad__slab_give (const struct slot *s, unsigned n);

/* Between the two no slab is unmapped: a descriptor that is found in a queue meanwhile can be
 * read, though it may be another coroutine's by then, or nobody's. */
void goad__slab_hold (void);
void goad__slab_release (void);

/* Calls fn for each taken slot; nothing is taken or given meanwhile. */
void goad__slab_each_taken (void (*fn) (struct slot s));

/* The same in portions, of at least 64 slots if there are so many, with the lock given up
 * in between: who is there all the time is met once.  patient: waits for the lock; else
 * gives up after a while.  False: there are no more, or the lock was not to be had, which
 * leaves *c as it was.  Zero begins. */
struct slab_cursor {
	void *chunk;
	uint32_t slab, slot;
	bool ended;
};
bool goad__slab_next_taken (struct slab_cursor *c, bool patient,
                            void (*fn) (struct slot s, void *arg), void *arg);

/* fn for that slot if it is still taken, and whose slot an address is; under the lock.
 * Index UINT32_MAX: nobody's, or the lock was not to be had. */
void goad__slab_if_taken (struct slot s, bool patient, void (*fn) (struct slot s, void *arg),
                          void *arg);
struct slot goad__slab_slot_at (const void *addr, bool patient);

size_t goad__slab_reserved (void); /* bytes of address space      */
bool goad__slab_sparse (void);     /* some slots have no guard    */

#endif
