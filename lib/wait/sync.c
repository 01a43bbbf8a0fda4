/* SPDX-License-Identifier: MIT */
#include "wait/sync.h"

#include <errno.h>

#include "base/clock.h"
#include "base/fatal.h"
#include "core/stack.h"

void goad__sync_remove (struct sync_queue *q, struct sync_wait *s)
{
	if (!s->queued)
		return;
	if (s->prev)
		s->prev->next = s->next;
	else
		q->first = s->next;
	if (s->next)
		s->next->prev = s->prev;
	else
		q->last = s->prev;
	s->queued = false;
}

struct sync_wait *goad__sync_take (struct sync_queue *q)
{
	struct sync_wait *s;

	while ((s = q->first)) {
		/* While it is claimed by another it is there still: it comes for the lock before
		 * it goes. */
		goad__sync_remove (q, s);
		if (goad__wait_claim (&s->w))
			break;
	}
	return s;
}

uint32_t goad__sync_take_all (struct sync_queue *q, struct sync_wait **list)
{
	struct sync_wait *s;
	uint32_t n = 0;

	for (; (s = goad__sync_take (q)); n++) {
		s->next = NULL;
		*list = s;
		list = &s->next;
	}
	return n;
}

void goad__sync_done_all (struct sync_wait *list)
{
	for (struct sync_wait *next; list; list = next) {
		next = list->next;
		goad__wait_done (&list->w);
	}
}

int goad__sync_may_wait (uint64_t deadline)
{
	if (likely (deadline == UINT64_MAX))
		return 0;
	if (deadline == 0)
		return -EAGAIN;
	return goad__now () >= deadline ? -ETIMEDOUT : 0;
}

GOAD__NOINLINE int goad__sync_wait (struct goad__spinlock *lock, struct sync_queue *q,
                                    uint64_t deadline, const char *kind)
{
	struct sync_wait s;
	int err;

	goad__wait_init (&s.w, deadline, false);
	s.me = goad__sync_me ();
	goad__sync_push (q, &s);
	goad__spin_unlock (lock);
	err = goad__wait (&s.w, kind, lock);
	if (unlikely (err != 0)) {
		goad__spin_lock (lock);
		goad__sync_remove (q, &s);
		goad__spin_unlock (lock);
	}
	return err;
}

#ifdef GOAD_DEBUG_BUILD

static void add_who (char *buf, size_t size, const struct g *g, uintptr_t thread)
{
	if (g)
		goad__format (buf, size, "coroutine %lu '%s'", (unsigned long) g->id, g->name);
	else
		goad__format (buf, size, "thread %p", (void *) thread);
}

/* The owner may have ended with the lock held: then it is a coroutine no more. */
_Noreturn void goad__sync_not_yours (const char *call, const void *object, uintptr_t owner)
{
	struct slot slot = goad__slab_slot_at ((const void *) owner, false);
	const struct g *g = NULL;
	char me[64], other[64];

	if (slot.index != UINT32_MAX)
		g = goad__stack_room (goad__stack_of (slot));
	add_who (me, sizeof me, goad__g (), goad__thread ());
	add_who (other, sizeof other, (uintptr_t) g == owner ? g : NULL, owner);
	goad__fatal ("%s (%p) by %s: %s holds it", call, (void *) (uintptr_t) object, me, other);
}

#endif
