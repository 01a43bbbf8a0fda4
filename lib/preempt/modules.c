/* SPDX-License-Identifier: MIT */
/* modules.c - publishing the table, and looking in it
 *
 * Readers are signal handlers and walks: they must not wait, and may come at any
 * instant on any thread.  The one writer is sysmon, which can always put things off.
 * So readers count themselves in one word, and the writer frees superseded tables
 * when it sees that word at zero, now or at a later refresh:
 *
 *   reader                                  writer
 *   readers += 1            (a)             current = new          (c)
 *   t = current             (b)             if readers == 0        (d)
 *   ... uses t ...                              free what was superseded
 *   readers -= 1            (e)
 *
 * [ord:modules-read] a, b, c and d are sequentially consistent.  If (d) reads zero, a
 * reader whose (a) comes later in that order has its (b) after (c) and sees the new
 * table; one whose (a) came earlier has done (e) already, whose release the acquire
 * of (d) meets, so that its uses lie before the freeing.  RCU's epochs would let the
 * writer free sooner when readers overlap for ever; they do not, for a visit takes
 * microseconds and comes once a quantum.  A seqlock would make readers repeat a walk
 * and read freed memory meanwhile.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE 1 /* _dl_find_object */
#endif
#include "preempt/modules.h"

#include <dlfcn.h>
#include <string.h>

#include "base/os.h"
#include "base/san.h"

static _Atomic (struct goad__table *) current;
static _Atomic uint32_t readers;
static struct goad__table *retired; /* the writer's */
static _Atomic uint32_t stale;      /* may be set with nothing new to find */
static bool can_verify;

#if defined __GLIBC_PREREQ
#if __GLIBC_PREREQ(2, 35)
#define HAVE_FIND_OBJECT 1
extern __typeof__ (_dl_find_object) _dl_find_object __attribute__ ((weak));
#endif
#endif

static void find_verifier (void)
{
#ifdef HAVE_FIND_OBJECT
	can_verify = _dl_find_object != NULL && !goad__env_flag ("GOAD_NO_DL_FIND_OBJECT");
#endif
}

bool goad__modules_can_verify (void)
{
	return can_verify;
}

/* ThreadSanitizer does not see what the handler does to atomics where it has interrupted a call
 * that blocks, and must be told. */
const struct goad__table *goad__modules_enter (void)
{
	const struct goad__table *t;

	atomic_fetch_add (&readers, 1); /* [ord:modules-read] */
	t = atomic_load (&current);
	goad__tsan_acquire (&current);
	return t;
}

void goad__modules_leave (void)
{
	goad__tsan_release (&readers);
	atomic_fetch_sub_explicit (&readers, 1, memory_order_release); /* [ord:modules-read] */
}

const struct goad__table *goad__modules_current (void)
{
	return atomic_load_explicit (&current, memory_order_relaxed);
}

static bool uses (const struct goad__table *t, const struct goad__taint *taint)
{
	for (uint32_t i = 0; t && i < t->objects; i++)
		if (t->object[i].taint == taint)
			return true;
	return false;
}

/* Frees what no table from now on, nor one retired earlier, still names. */
static void free_table (struct goad__table *t, const struct goad__table *now)
{
	for (uint32_t i = 0; i < t->objects; i++) {
		struct goad__taint *taint = t->object[i].taint;
		bool shared = taint == NULL || uses (now, taint);

		for (struct goad__table *r = t->retired; r && !shared; r = r->retired)
			shared = uses (r, taint);
		if (!shared)
			goad__pages_put (taint, taint->bytes);
	}
	goad__pages_put (t, t->bytes);
}

void goad__modules_publish (struct goad__table *t)
{
	struct goad__table *old;

	goad__tsan_release (&current);
	old = atomic_exchange (&current, t); /* [ord:modules-read] */
	if (old) {
		old->retired = retired;
		retired = old;
	}
	if (atomic_load (&readers) != 0) /* [ord:modules-read] */
		return;
	goad__tsan_acquire (&readers);
	while ((old = retired) != NULL) {
		retired = old->retired;
		free_table (old, t);
	}
}

/* [ord:modules-stale] The writer clears the flag before it reads the maps; what was
 * mapped before a reader set it after that is found by this refresh or the next. */
void goad__modules_want_refresh (void)
{
	if (!atomic_load_explicit (&stale, memory_order_relaxed))
		atomic_store (&stale, 1); /* [ord:modules-stale] */
}

bool goad__modules_stale (void)
{
	return atomic_load_explicit (&stale, memory_order_relaxed) != 0;
}

void goad__modules_refresh_begins (void)
{
	atomic_exchange (&stale, 0); /* [ord:modules-stale] */
}

/* Whether the object of the table is the one that lies there now.  Its memory is
 * touched only after the loader has said that an object spans it; it stays, for the
 * PC in question is on a stack, and unloading code that runs is the user's error. */
static bool still_there (const struct goad__object *o, uintptr_t pc)
{
#ifdef HAVE_FIND_OBJECT
	struct dl_find_object found;

	if (!can_verify || _dl_find_object ((void *) pc, &found) != 0)
		return false;
	if ((uintptr_t) found.dlfo_map_start != o->base ||
	    (uintptr_t) found.dlfo_map_end < o->note + o->note_len)
		return false;
	return goad__elf_id ((const void *) o->base, o->header_len, (const void *) o->note,
	                     o->note_len) == o->id;
#else
	(void) o, (void) pc;
	return false;
#endif
}

static const struct goad__segment *segment_of (const struct goad__table *t, uintptr_t pc)
{
	uint32_t lo = 0, hi = t->segments;

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;

		if (t->segment[mid].hi <= pc)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < t->segments && t->segment[lo].lo <= pc ? &t->segment[lo] : NULL;
}

void goad__modules_find (const struct goad__table *t, uintptr_t pc,
                         const struct goad__object *known, struct goad__place *out)
{
	const struct goad__segment *s = t ? segment_of (t, pc) : NULL;
	const struct goad__object *o;

	out->object = NULL;
	out->class_ = GOAD__UNKNOWN;
	out->why = "code that is not in the table yet";
	if (!s) {
		goad__modules_want_refresh ();
		return;
	}
	if (s->object == GOAD__NO_OBJECT) {
		out->class_ = GOAD__DENIED;
		out->why = s->why;
		return;
	}
	o = &t->object[s->object];
	if (o != known && !o->fixed && can_verify && !still_there (o, pc)) {
		out->why = "an object was unloaded and its addresses used again";
		goad__modules_want_refresh ();
		return;
	}
	if (o->incomplete && o->tries < 3)
		goad__modules_want_refresh ();
	out->object = o;
	out->class_ = o->class_;
	out->why = o->why;
}

enum goad__class goad__modules_class (uintptr_t pc)
{
	struct goad__place place;

	goad__modules_find (goad__modules_enter (), pc, NULL, &place);
	goad__modules_leave ();
	return place.class_;
}

/* The walk of a stack that its coroutine is changing may lead to any variable of the object. */
GOAD__FOREIGN static void copy (void *to, uintptr_t from, size_t n)
{
#ifdef GOAD__TSAN
	for (size_t i = 0; i < n; i++)
		((volatile char *) to)[i] = ((const volatile char *) from)[i];
#else
	memcpy (to, (const void *) from, n);
#endif
}

bool goad__modules_read (void *object, uintptr_t addr, void *dst, size_t n)
{
	const struct goad__object *o = object;

	for (uint32_t i = 0; i < o->loads; i++)
		if (addr >= o->load[i].lo && addr < o->load[i].hi && n <= o->load[i].hi - addr) {
			copy (dst, addr, n);
			return true;
		}
	return false;
}

void goad__modules_reset (void)
{
	struct goad__table *t = atomic_exchange (&current, NULL);

	find_verifier ();
	if (t) {
		t->retired = retired;
		retired = t;
	}
	while ((t = retired) != NULL) {
		retired = t->retired;
		free_table (t, NULL);
	}
	atomic_store (&stale, 0);
}
