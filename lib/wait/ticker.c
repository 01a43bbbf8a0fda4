/* SPDX-License-Identifier: MIT */
/* A timer belongs to the heap of the P that started it, whether it is armed or not, and
 * everything about it changes under that heap's lock: so whoever fires, resets and stops
 * it at the same time comes one after the other, and each sees what the one before did.
 *
 * One that is stopped while it is in the heap stays there, dead (wait/heap.h), and its
 * memory is free for the next one when it has left.  A coroutine that it started knows
 * nothing of it.
 *
 * Memory is cut from pages that are the heap's own, and taken back into its list: malloc
 * may not be called where timers are freed, which is on a scheduling path.
 */
#include "wait/ticker.h"

#include <errno.h>

#include "base/clock.h"
#include "base/fatal.h"
#include "base/os.h"
#include "sched/sched.h"

#define CHUNK ((size_t) 64 << 10)
#define RETRY 1000000u /* ns until a coroutine that could not be made is tried again */

struct goad_timer {
	struct sleeper s; /* g is NULL, arg is for fn, or links free ones */
	goad_fn fn;
	uint64_t period;
	struct goad__fp fp; /* of who started it */
};

_Static_assert(sizeof (struct goad_timer) == GOAD__LINE, "a timer is a cache line");

struct timer_chunk {
	struct timer_chunk *next GOAD__ALIGNED;
	struct goad_timer timer[];
};

static struct goad_timer *of (struct sleeper *s)
{
	return container_of (s, struct goad_timer, s);
}

static void put_spare (struct timers *h, struct goad_timer *t)
{
	t->s.arg = h->spare;
	h->spare = t;
}

static bool cut_more (struct timers *h)
{
	struct timer_chunk *c = goad__pages_get (CHUNK);

	if (!c)
		return false;
	c->next = h->chunks;
	h->chunks = c;
	for (size_t i = (CHUNK - sizeof *c) / sizeof c->timer[0]; i-- > 0;)
		put_spare (h, &c->timer[i]);
	return true;
}

static struct goad_timer *take_spare (struct timers *h)
{
	struct goad_timer *t = h->spare;

	if (unlikely (!t)) {
		if (!cut_more (h))
			return NULL;
		t = h->spare;
	}
	h->spare = t->s.arg;
	return t;
}

void goad__timers_reap (struct timers *h)
{
	struct sleeper *s;

	while ((s = h->heap.gone)) {
		h->heap.gone = s->arg;
		put_spare (h, of (s));
	}
}

void goad__timers_free_all (struct timers *h)
{
	for (struct timer_chunk *c; (c = h->chunks);) {
		h->chunks = c->next;
		goad__pages_put (c, CHUNK);
	}
}

/* GOAD_FOREVER never comes: such a timer is armed, but in no heap. */
static bool arm (struct timers *h, struct goad_timer *t, uint64_t when)
{
	t->s.when = when;
	if (when == UINT64_MAX) {
		if (t->s.index)
			goad__heap_take (&h->heap, &t->s);
	} else if (t->s.index) {
		goad__heap_moved (&h->heap, &t->s);
	} else if (!goad__timers_put (h, &t->s)) {
		return false;
	}
	t->s.armed = true;
	return true;
}

/* The first of first, first + period, ... that is after now. */
static uint64_t after (uint64_t when, uint64_t period, uint64_t now)
{
	uint64_t missed = (now - when) / period;

	return goad__add_time (goad__add_time (when, missed * period), period);
}

uint32_t goad__timer_due (struct timers *h, struct sleeper *s, uint64_t now, struct gbatch *due)
{
	struct goad_timer *t = of (s);
	bool made = goad__spawn_into (due, t->fn, s->arg, &t->fp) == 0;

	if (t->period) {
		arm (h, t, after (s->when, t->period, now));
	} else if (made) {
		goad__heap_take (&h->heap, s);
		s->armed = false;
	} else {
		arm (h, t, goad__add_time (now, RETRY));
	}
	return made;
}

static int start (struct timers *h, goad_timer_t **out, uint64_t first, const struct goad_timer *as)
{
	struct goad_timer *t = take_spare (h);

	if (!t)
		return -ENOMEM;
	*t = *as;
	goad__timers_adopt (h, &t->s);
	if (!arm (h, t, first)) {
		put_spare (h, t);
		return -ENOMEM;
	}
	*out = t; /* before it can fire, for its function may use it */
	return 0;
}

int goad__timer_start (goad_timer_t **out, uint64_t first, uint64_t period, goad_fn fn, void *arg)
{
	struct goad_timer as = { .s = { .arg = arg }, .fn = fn, .period = period };
	struct timers *h;
	int err;

	goad__fp_save (&as.fp);
	goad__pin ();
	h = goad__timers_lock ();
	err = start (h, out, first, &as);
	goad__timers_unlock (h);
	goad__unpin ();
	return err;
}

int goad__timer_reset (goad_timer_t *t, uint64_t first, uint64_t period)
{
	struct timers *h;
	int ret;

	goad__pin ();
	h = goad__timers_lock_of (&t->s);
	ret = t->s.armed;
	if (arm (h, t, first))
		t->period = period;
	else
		ret = -ENOMEM;
	goad__timers_unlock (h);
	goad__unpin ();
	return ret;
}

int goad__timer_stop (goad_timer_t *t)
{
	struct timers *h;
	int was;

	goad__pin ();
	h = goad__timers_lock_of (&t->s);
	was = t->s.armed;
	t->s.armed = false;
	if (t->s.index)
		goad__heap_kill (&h->heap, &t->s);
	else
		put_spare (h, t);
	goad__timers_unlock (h);
	goad__unpin ();
	return was;
}
