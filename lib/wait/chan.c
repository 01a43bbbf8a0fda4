/* SPDX-License-Identifier: MIT */
/* Channels.  Go's chan.go (runtime) is the model: the value goes straight from the one
 * that acts to the buffer of the one that waits, under the channel's lock.
 *
 * Not Go's: no lock is held while the waiter parks (wait/wait.h), so any thread may do
 * all of this, and a coroutine without a P may find one first.
 */
#include "wait/chan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

#define BREATH 256u /* waiters told in a row */

/* Most elements are a word. */
static inline void copy (void *to, const void *from, size_t size)
{
	if (likely (size == 8))
		memcpy (to, from, 8);
	else if (size == 4)
		memcpy (to, from, 4);
	else if (size > 0)
		memcpy (to, from, size);
}

static void zero (void *elem, size_t size)
{
	if (elem && size > 0)
		memset (elem, 0, size);
}

static inline struct chan_queue *queue_of (struct goad_chan *ch, int op)
{
	return op == GOAD_SEND ? &ch->senders : &ch->receivers;
}

static inline void unlink_wait (struct chan_queue *q, struct chan_wait *c)
{
	if (c->prev)
		c->prev->next = c->next;
	else
		q->first = c->next;
	if (c->next)
		c->next->prev = c->prev;
	else
		q->last = c->prev;
	c->queued = false;
}

/* The first whose wait nobody else has ended: now it is the caller's to end. */
static inline struct chan_wait *take (struct chan_queue *q)
{
	struct chan_wait *c = q->first;

	while (unlikely (c && !goad__wait_claim (c->w)))
		c = c->next;
	if (c)
		unlink_wait (q, c);
	return c;
}

static inline struct wait *ended (struct chan_wait *c, int status)
{
	c->status = status;
	c->w->won = c;
	return c->w;
}

static inline size_t get_len (const struct goad_chan *ch)
{
	return atomic_load_explicit (&ch->len, memory_order_relaxed);
}

static inline void set_len (struct goad_chan *ch, size_t len)
{
	atomic_store_explicit (&ch->len, len, memory_order_relaxed);
}

static inline void put (struct goad_chan *ch, const void *elem)
{
	copy (ch->buf + ch->in * ch->size, elem, ch->size);
	if (++ch->in == ch->cap)
		ch->in = 0;
}

static inline void get (struct goad_chan *ch, void *elem)
{
	if (elem)
		copy (elem, ch->buf + ch->out * ch->size, ch->size);
	if (++ch->out == ch->cap)
		ch->out = 0;
}

__attribute__ ((always_inline)) static inline int send_now (struct goad_chan *ch, const void *elem,
                                                            struct wait **peer)
{
	struct chan_wait *r;

	if (unlikely (ch->closed))
		return -EPIPE;
	if (ch->receivers.first && (r = take (&ch->receivers))) {
		if (r->elem)
			copy (r->elem, elem, ch->size);
		*peer = ended (r, 0);
		return 0;
	}
	if (get_len (ch) == ch->cap)
		return CHAN_WOULD_WAIT;
	put (ch, elem);
	set_len (ch, get_len (ch) + 1);
	return 0;
}

__attribute__ ((always_inline)) static inline int recv_now (struct goad_chan *ch, void *elem,
                                                            struct wait **peer)
{
	size_t len = get_len (ch);
	struct chan_wait *s = ch->senders.first ? take (&ch->senders) : NULL;

	if (len > 0) {
		get (ch, elem);
		if (s)
			put (ch, s->elem);
		else
			set_len (ch, len - 1);
	} else if (s) {
		if (elem)
			copy (elem, s->elem, ch->size);
	} else if (ch->closed) {
		zero (elem, ch->size);
		return -EPIPE;
	} else {
		return CHAN_WOULD_WAIT;
	}
	if (s)
		*peer = ended (s, 0);
	return 0;
}

int goad__chan_send (struct goad_chan *ch, const void *elem, struct wait **peer)
{
	return send_now (ch, elem, peer);
}

int goad__chan_recv (struct goad_chan *ch, void *elem, struct wait **peer)
{
	return recv_now (ch, elem, peer);
}

static bool any_open (const struct chan_queue *q)
{
	const struct chan_wait *c = q->first;

	while (c && !goad__wait_open (c->w))
		c = c->next;
	return c != NULL;
}

bool goad__chan_ready (const struct goad_chan *ch, int op)
{
	if (ch->closed)
		return true;
	if (op == GOAD_SEND)
		return get_len (ch) < ch->cap || any_open (&ch->receivers);
	return get_len (ch) > 0 || any_open (&ch->senders);
}

void goad__chan_enqueue (struct goad_chan *ch, int op, struct chan_wait *c)
{
	struct chan_queue *q = queue_of (ch, op);

	c->next = NULL;
	c->prev = q->last;
	c->queued = true;
	if (q->last)
		q->last->next = c;
	else
		q->first = c;
	q->last = c;
}

void goad__chan_withdraw (struct chan_wait *c, int op)
{
	struct goad_chan *ch = c->chan;

	goad__spin_lock (&ch->lock);
	unlink_wait (queue_of (ch, op), c);
	goad__spin_unlock (&ch->lock);
}

/* The lock is held, and given up. */
GOAD__NOINLINE static int wait_for_peer (struct goad_chan *ch, int op, void *elem,
                                         uint64_t deadline)
{
	struct wait w;
	struct chan_wait c = { .w = &w, .chan = ch, .elem = elem };
	int err;

	goad__wait_init (&w, deadline, false);
	goad__chan_enqueue (ch, op, &c);
	goad__spin_unlock (&ch->lock);
	err = goad__wait (&w, op == GOAD_SEND ? "chan send" : "chan receive", ch);
	if (likely (err == 0))
		return c.status;
	goad__chan_withdraw (&c, op);
	return err;
}

__attribute__ ((always_inline)) static inline int operate (struct goad_chan *ch, int op, void *elem,
                                                           uint64_t deadline)
{
	struct wait *peer = NULL;
	int rc;

	goad__pin ();
	goad__spin_lock (&ch->lock);
	rc = op == GOAD_SEND ? send_now (ch, elem, &peer) : recv_now (ch, elem, &peer);
	if (rc != CHAN_WOULD_WAIT) {
		goad__spin_unlock (&ch->lock);
		if (peer)
			goad__wait_done (peer);
	} else if (deadline != UINT64_MAX && (deadline == 0 || goad__now () >= deadline)) {
		goad__spin_unlock (&ch->lock);
		rc = deadline == 0 ? -EAGAIN : -ETIMEDOUT;
	} else {
		rc = wait_for_peer (ch, op, elem, deadline);
	}
	goad__wait_leave ();
	return rc;
}

int goad__chan_operate (struct goad_chan *ch, int op, void *elem, uint64_t deadline)
{
	return op == GOAD_SEND ? operate (ch, GOAD_SEND, elem, deadline)
	                       : operate (ch, GOAD_RECV, elem, deadline);
}

static inline int send (struct goad_chan *ch, const void *elem, uint64_t deadline)
{
	if (unlikely (!ch || goad__chan_bad_elem (ch, GOAD_SEND, elem)))
		return -EINVAL;
	return operate (ch, GOAD_SEND, (void *) (uintptr_t) elem, deadline);
}

static inline int recv (struct goad_chan *ch, void *elem, uint64_t deadline)
{
	return likely (ch != NULL) ? operate (ch, GOAD_RECV, elem, deadline) : -EINVAL;
}

GOAD__API int goad_chan_send (goad_chan_t *ch, const void *elem)
{
	return send (ch, elem, UINT64_MAX);
}

GOAD__API int goad_chan_recv (goad_chan_t *ch, void *elem)
{
	return recv (ch, elem, UINT64_MAX);
}

GOAD__API int goad_chan_send_until (goad_chan_t *ch, const void *elem, uint64_t deadline)
{
	return send (ch, elem, deadline);
}

GOAD__API int goad_chan_recv_until (goad_chan_t *ch, void *elem, uint64_t deadline)
{
	return recv (ch, elem, deadline);
}

GOAD__API int goad_chan_try_send (goad_chan_t *ch, const void *elem)
{
	return send (ch, elem, 0);
}

GOAD__API int goad_chan_try_recv (goad_chan_t *ch, void *elem)
{
	return recv (ch, elem, 0);
}

/* Of many that wait each lies in a page of its own, and in no cache: its records lie side by
 * side on its stack, some lines in a row. */
static inline void expect (const struct chan_wait *c)
{
	const char *at = (const char *) c;

	if (!c)
		return;
	for (int i = -2; i < 3; i++)
		__builtin_prefetch (at + i * GOAD__LINE, 1);
}

/* Ends the waits in a queue, and appends the waiters to a list, which is theirs that
 * ended them until each is told. */
static struct chan_wait **end_all (struct goad_chan *ch, struct chan_queue *q,
                                   struct chan_wait **list, bool receivers)
{
	struct chan_wait *c;

	while ((c = take (q))) {
		expect (q->first);
		if (receivers)
			zero (c->elem, ch->size);
		ended (c, -EPIPE);
		c->next = NULL;
		*list = c;
		list = &c->next;
	}
	return list;
}

/* Pinned, and in between not: a million take half a second, and whoever else wants this P
 * can have it meanwhile.  Those that are not told yet are parked still, and their waits are
 * nobody else's to end; the channel may be gone. */
static void tell_all (struct chan_wait *woken)
{
	struct chan_wait *next;

	for (unsigned n = 1; woken; woken = next, n++) {
		next = woken->next;
		expect (next);
		goad__wait_done (woken->w);
		if (n % BREATH == 0) {
			goad__wait_leave ();
			goad__pin ();
		}
	}
}

/* All are taken out at once, as in Go's closechan, and under the lock: were it given up in
 * between, the rest could go by deadline, and destroy the channel, before it is taken again. */
GOAD__API int goad_chan_close (goad_chan_t *ch)
{
	struct chan_wait *woken = NULL;
	struct chan_wait **list = &woken;
	int rc = -EPIPE;

	if (!ch)
		return -EINVAL;
	goad__pin ();
	goad__spin_lock (&ch->lock);
	if (!ch->closed) {
		ch->closed = true;
		list = end_all (ch, &ch->receivers, list, true);
		end_all (ch, &ch->senders, list, false);
		rc = 0;
	}
	goad__spin_unlock (&ch->lock);
	tell_all (woken);
	goad__wait_leave ();
	return rc;
}

GOAD__API int goad_chan_create (goad_chan_t **out, size_t elem_size, size_t capacity)
{
	struct goad_chan *ch;
	size_t bytes;

	if (!out)
		return -EINVAL;
	if (__builtin_mul_overflow (elem_size, capacity, &bytes) ||
	    bytes > PTRDIFF_MAX - sizeof *ch - GOAD__LINE)
		return -ENOMEM;
	ch = aligned_alloc (GOAD__LINE, goad__round_up (sizeof *ch + bytes, GOAD__LINE));
	if (!ch)
		return -ENOMEM;
	*ch = (struct goad_chan){ .lock = GOAD__SPINLOCK_INIT (GOAD__RANK_WAIT),
		                      .size = elem_size,
		                      .cap = capacity };
	*out = ch;
	return 0;
}

/* Whoever touched the channel last did so under its lock, or by releasing it. */
GOAD__API int goad_chan_destroy (goad_chan_t *ch)
{
	bool busy;

	if (!ch)
		return -EINVAL;
	goad__pin ();
	goad__spin_lock (&ch->lock);
	busy = ch->receivers.first || ch->senders.first;
	goad__spin_unlock (&ch->lock);
	goad__unpin ();
	if (busy)
		return -EBUSY;
	free (ch);
	return 0;
}

GOAD__API size_t goad_chan_len (goad_chan_t *ch)
{
	return ch ? get_len (ch) : 0;
}

GOAD__API size_t goad_chan_cap (goad_chan_t *ch)
{
	return ch ? ch->cap : 0;
}
