/* SPDX-License-Identifier: MIT */
/* base/san.h - what AddressSanitizer and ThreadSanitizer must be told of a switch
 *
 * Both keep a shadow of the stack they believe to be current.  A switch is told in
 * two halves: `leave` on the old stack just before, `arrive` on the new one just
 * after.  Nothing is left of them in an ordinary build.
 */
#ifndef GOAD_BASE_SAN_H
#define GOAD_BASE_SAN_H

#include "base/base.h"

#if defined __SANITIZE_ADDRESS__
#define GOAD__ASAN 1
#elif defined __has_feature
#if __has_feature(address_sanitizer)
#define GOAD__ASAN 1
#endif
#endif
#if defined __SANITIZE_THREAD__
#define GOAD__TSAN 1
#elif defined __has_feature
#if __has_feature(thread_sanitizer)
#define GOAD__TSAN 1
#endif
#endif

#ifdef GOAD__ASAN
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif
#ifdef GOAD__TSAN
#include <sanitizer/tsan_interface.h>
#endif

/* An edge that ThreadSanitizer cannot see, as one of its ends is an instruction of ours. */
#ifdef GOAD__TSAN
#define goad__tsan_release(p) __tsan_release (p)
#define goad__tsan_acquire(p) __tsan_acquire (p)
#else
#define goad__tsan_release(p) ((void) 0)
#define goad__tsan_acquire(p) ((void) 0)
#endif

/* Of a function that reads what belongs to others, who may be writing: a look before and after
 * tells whether it is of one piece, or nothing hangs on it.  A sanitizer must not look. */
#define GOAD__FOREIGN __attribute__ ((no_sanitize ("address", "thread")))

/* A coroutine's or a thread's part in it. */
struct goad__san {
#ifdef GOAD__ASAN
	void *fake;
	const void *bottom;
	size_t size;
#endif
#ifdef GOAD__TSAN
	void *fiber;
#endif
	char none[1];
};

/* Fresh memory, perhaps where a stack was unmapped whose frames left their marks. */
static inline void goad__san_clean (const void *bottom, size_t size)
{
	(void) bottom, (void) size;
#ifdef GOAD__ASAN
	__asan_unpoison_memory_region (bottom, size);
#endif
}

static inline void goad__san_make (struct goad__san *s, const void *bottom, size_t size)
{
	(void) s, (void) bottom, (void) size;
#ifdef GOAD__ASAN
	s->fake = NULL;
	s->bottom = bottom;
	s->size = size;
	if (bottom) /* who was here before may have ended in the middle of its frames */
		goad__san_clean (bottom, size);
#endif
#ifdef GOAD__TSAN
	s->fiber = bottom ? __tsan_create_fiber (0) : __tsan_get_current_fiber ();
#endif
}

static inline void goad__san_free (struct goad__san *s)
{
	(void) s;
#ifdef GOAD__TSAN
	__tsan_destroy_fiber (s->fiber);
	s->fiber = NULL;
#endif
}

/* dying: the old stack is never come back to. */
static inline void goad__san_leave (struct goad__san *from, struct goad__san *to, bool dying)
{
	(void) from, (void) to, (void) dying;
#ifdef GOAD__ASAN
	__sanitizer_start_switch_fiber (dying ? NULL : &from->fake, to->bottom, to->size);
#endif
#ifdef GOAD__TSAN
	__tsan_switch_to_fiber (to->fiber, 0);
#endif
}

/* self: whose stack this is; old: who left last on this thread, whose stack bounds
 * are learnt here when they were not known (a thread's own stack). */
static inline void goad__san_arrive (struct goad__san *self, struct goad__san *old)
{
	(void) self, (void) old;
#ifdef GOAD__ASAN
	const void *bottom;
	size_t size;
	__sanitizer_finish_switch_fiber (self->fake, &bottom, &size);
	if (old && !old->bottom) {
		old->bottom = bottom;
		old->size = size;
	}
#endif
}

#endif
