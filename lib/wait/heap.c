/* SPDX-License-Identifier: MIT */
#include "wait/heap.h"

#include <string.h>
#include <sys/mman.h>

#include "base/fatal.h"
#include "base/os.h"

#define ARITY 4u
#define SKIP 3u         /* entries before the root: its children begin a cache line */
#define LEAST_ROOM 256u /* a page                                                   */
#define DEAD_PART 4u    /* one in so many may be dead                               */

static size_t bytes (uint32_t room)
{
	return room * sizeof (struct heap_entry);
}

static struct heap_entry *base (const struct heap *h)
{
	return h->at ? h->at - SKIP : NULL;
}

#ifdef GOAD__TSAN
static bool copy_to (struct heap *h, uint32_t room)
{
	struct heap_entry *p = goad__pages_get (bytes (room));

	if (!p)
		return false;
	memcpy (p + SKIP, h->at, h->n * sizeof *p);
	goad__pages_put (base (h), bytes (h->room));
	h->at = p + SKIP;
	h->room = room;
	return true;
}
#endif

static bool resize (struct heap *h, uint32_t room)
{
	void *p;

#ifdef GOAD__TSAN /* it does not know mremap, and takes the next user of memory for a racer */
	if (h->at)
		return copy_to (h, room);
#endif
	if (h->at)
		p = mremap (base (h), bytes (h->room), bytes (room), MREMAP_MAYMOVE);
	else
		p = goad__pages_get (bytes (room));
	if (!p || p == MAP_FAILED)
		return false;
	h->at = (struct heap_entry *) p + SKIP;
	h->room = room;
	return true;
}

static bool have_room (struct heap *h)
{
	if (likely (h->n + SKIP < h->room))
		return true;
	return h->room <= UINT32_MAX / 2 && resize (h, h->room ? h->room * 2 : LEAST_ROOM);
}

static void shrink (struct heap *h)
{
	if (unlikely (h->n < h->room / 8 && h->room > LEAST_ROOM))
		resize (h, h->room / 2);
}

static void place (struct heap *h, uint32_t i, struct heap_entry e)
{
	h->at[i] = e;
	e.s->index = i + 1;
}

static void sift_up (struct heap *h, uint32_t i, struct heap_entry e)
{
	while (i > 0) {
		uint32_t parent = (i - 1) / ARITY;
		if (h->at[parent].when <= e.when)
			break;
		place (h, i, h->at[parent]);
		i = parent;
	}
	place (h, i, e);
}

static void sift_down (struct heap *h, uint32_t i, struct heap_entry e)
{
	for (;;) {
		uint32_t best = i * ARITY + 1;
		uint32_t end = best + ARITY < h->n ? best + ARITY : h->n;
		if (best >= h->n)
			break;
		for (uint32_t c = best + 1; c < end; c++)
			if (h->at[c].when < h->at[best].when)
				best = c;
		if (h->at[best].when >= e.when)
			break;
		place (h, i, h->at[best]);
		i = best;
	}
	place (h, i, e);
}

static void buried (struct heap *h, struct sleeper *s)
{
	s->index = 0;
	s->arg = h->gone;
	h->gone = s;
}

/* The dead at the end of the array leave it for nothing. */
static void drop_end (struct heap *h)
{
	while (h->dead && h->at[h->n - 1].s->dead) {
		h->n--;
		h->dead--;
		buried (h, h->at[h->n].s);
	}
}

static void take_at (struct heap *h, uint32_t i)
{
	struct heap_entry last = h->at[--h->n];

	if (i == h->n)
		return;
	if (i > 0 && h->at[(i - 1) / ARITY].when > last.when)
		sift_up (h, i, last);
	else
		sift_down (h, i, last);
}

bool goad__heap_put (struct heap *h, struct sleeper *s)
{
	if (!have_room (h))
		return false;
	sift_up (h, h->n++, (struct heap_entry){ s->when, s });
	return true;
}

void goad__heap_take (struct heap *h, struct sleeper *s)
{
	goad__assert (s->index && h->at[s->index - 1].s == s && !s->dead);
	take_at (h, s->index - 1);
	s->index = 0;
	drop_end (h);
	shrink (h);
}

void goad__heap_kill (struct heap *h, struct sleeper *s)
{
	goad__assert (s->index && h->at[s->index - 1].s == s && !s->dead);
	/* The first too goes at once: nobody need wake for it. */
	if (s->index == 1 || s->index == h->n || (h->dead + 1) * DEAD_PART > h->n) {
		goad__heap_take (h, s);
		buried (h, s);
	} else {
		s->dead = true;
		h->dead++;
	}
}

void goad__heap_moved (struct heap *h, const struct sleeper *s)
{
	struct heap_entry *e = &h->at[s->index - 1];

	goad__assert (s->index && e->s == s);
	if (s->when < e->when)
		sift_up (h, s->index - 1, (struct heap_entry){ s->when, e->s });
}

struct sleeper *goad__heap_top (struct heap *h)
{
	while (h->n) {
		struct sleeper *s = h->at[0].s;
		if (unlikely (s->dead)) {
			h->dead--;
			take_at (h, 0);
			buried (h, s);
			drop_end (h);
		} else if (s->when > h->at[0].when) {
			sift_down (h, 0, (struct heap_entry){ s->when, s });
		} else {
			return s;
		}
	}
	return NULL;
}

struct sleeper *goad__heap_take_last (struct heap *h)
{
	struct sleeper *s;

	drop_end (h);
	if (h->n == 0)
		return NULL;
	s = h->at[--h->n].s;
	s->index = 0;
	return s;
}

void goad__heap_free (struct heap *h)
{
	if (h->at)
		munmap (base (h), bytes (h->room));
	*h = (struct heap){ 0 };
}
