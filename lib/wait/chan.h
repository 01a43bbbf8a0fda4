/* SPDX-License-Identifier: MIT */
/* wait/chan.h - the inside of a channel, for chan.c and select.c
 *
 * Go's chan.go is the model.  Under the lock it holds:
 *
 *	waiting receivers (but those that are being ended) imply an empty buffer,
 *	waiting senders a full one (full and empty at once when the capacity is 0);
 *	a closed channel has no waiters but such as are leaving.
 *
 * A waiter of a select or with a deadline whose wait was ended otherwise stays in the
 * queue until it takes itself out: so a channel with a waiter that will touch it again
 * is not destroyed.  Who looks for a peer passes over those.  Only the one who ends the
 * wait through this channel takes the waiter out, and then the waiter does not come back
 * to the channel.
 */
#ifndef GOAD_WAIT_CHAN_H
#define GOAD_WAIT_CHAN_H

#include "base/lock.h"
#include "goad/chan.h"
#include "wait/wait.h"

/* A waiter in one queue of one channel; on the waiter's stack. */
struct chan_wait {
	struct chan_wait *next, *prev;
	struct wait *w;
	struct goad_chan *chan;
	void *elem;  /* to be sent, or where it goes (NULL: nowhere)                        */
	int status;  /* 0 or -EPIPE; with `queued` written by who ended the wait, before    */
	bool queued; /* done; else under the lock                                           */
};

struct chan_queue {
	struct chan_wait *first, *last;
};

struct goad_chan {
	struct goad__spinlock lock;
	bool closed;
	_Atomic size_t len; /* changed under the lock */
	size_t size, cap;
	size_t in, out; /* the next free place, and the oldest element */
	struct chan_queue receivers, senders;
	_Alignas(16) char buf[];
};

/* A select; what dumps find in g->wait_on. */
struct select {
	goad_case_t *cases;
	size_t n, nlocks;
	struct chan_wait *record; /* [n] */
	struct goad_chan **order; /* [nlocks] by address, each once */
};

#define CHAN_WOULD_WAIT 1

/* Under the lock.  0, -EPIPE, or CHAN_WOULD_WAIT.  *peer: goad__wait_done it once the lock
 * is released. */
int goad__chan_send (struct goad_chan *ch, const void *elem, struct wait **peer);
int goad__chan_recv (struct goad_chan *ch, void *elem, struct wait **peer);

/* Under the lock: whether it would not wait; the peer that it counts on may be gone. */
bool goad__chan_ready (const struct goad_chan *ch, int op);

void goad__chan_enqueue (struct goad_chan *ch, int op, struct chan_wait *c); /* under the lock */
void goad__chan_withdraw (struct chan_wait *c, int op); /* if it is in the queue still */

/* Tries, then waits. */
int goad__chan_operate (struct goad_chan *ch, int op, void *elem, uint64_t deadline);

static inline bool goad__chan_bad_elem (const struct goad_chan *ch, int op, const void *elem)
{
	return op == GOAD_SEND && !elem && ch->size > 0;
}

#endif
