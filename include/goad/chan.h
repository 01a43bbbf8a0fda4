/* SPDX-License-Identifier: MIT */
/* goad/chan.h - channels, and waiting for one of several
 *
 *	static void producer (void *arg)
 *	{
 *		goad_chan_t *ch = arg;
 *		for (int i = 0; i < 10; i++)
 *			goad_chan_send (ch, &i);
 *		goad_chan_close (ch);
 *	}
 *
 *	static void first (void *arg)
 *	{
 *		goad_chan_t *ch;
 *		int i;
 *		(void) arg;
 *		goad_chan_create (&ch, sizeof i, 4);
 *		goad_go (producer, ch);
 *		while (goad_chan_recv (ch, &i) == 0)
 *			printf ("%d\n", i);
 *		goad_chan_destroy (ch);
 *	}
 *
 * A channel carries elements of one size, which are copied in and out, in order.  With
 * capacity 0 sender and receiver meet; otherwise so many elements wait in the channel.
 * Who waits is served in the order of coming.  Inside a coroutine these calls park the
 * coroutine, on any other thread they block that thread, and either wakes the other.
 * They return 0 or a negative errno value, leave errno alone, are not async-signal-safe,
 * and but for create and destroy allocate nothing.
 */
#ifndef GOAD_CHAN_H
#define GOAD_CHAN_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct goad_chan goad_chan_t;

/* Makes a channel for elements of elem_size bytes (0: only the event counts) that holds
 * up to capacity of them.  -EINVAL: ch is NULL; -ENOMEM.  A runtime need not run. */
int goad_chan_create (goad_chan_t **ch, size_t elem_size, size_t capacity);

/* Sends *elem, waiting for a receiver or for room.  -EPIPE: the channel is closed, or
 * was closed meanwhile; -EINVAL: ch is NULL, or elem is and elements have a size. */
int goad_chan_send (goad_chan_t *ch, const void *elem);

/* Receives into *elem, or, if elem is NULL, throws away.  -EPIPE: the channel is closed
 * and drained, and *elem was filled with zeros; -EINVAL: ch is NULL. */
int goad_chan_recv (goad_chan_t *ch, void *elem);

/* The same until deadline (absolute, goad_now's clock).  -ETIMEDOUT: it passed; -EAGAIN:
 * it was 0 and the call would wait; then *elem is untouched.  -ENOMEM: there is no memory
 * to note the deadline. */
int goad_chan_send_until (goad_chan_t *ch, const void *elem, uint64_t deadline);
int goad_chan_recv_until (goad_chan_t *ch, void *elem, uint64_t deadline);

/* The same without waiting: as with deadline 0. */
int goad_chan_try_send (goad_chan_t *ch, const void *elem);
int goad_chan_try_recv (goad_chan_t *ch, void *elem);

/* No more is sent: senders that wait get -EPIPE, receivers too once the channel is
 * drained.  -EPIPE: it is closed already; -EINVAL: NULL. */
int goad_chan_close (goad_chan_t *ch);

/* Frees the channel, with what is in it.  -EBUSY: somebody waits on it, and it stays;
 * -EINVAL: NULL.  Nobody may use it afterwards, or call it at the same time; who waited
 * and was woken by the last send, receive or close has done with it. */
int goad_chan_destroy (goad_chan_t *ch);

/* How many elements are in it, and how many it holds; 0 for NULL. */
size_t goad_chan_len (goad_chan_t *ch);
size_t goad_chan_cap (goad_chan_t *ch);

/* goad_case_t.op */
enum { GOAD_SEND = 1, GOAD_RECV = 2 };

typedef struct goad_case {
	goad_chan_t *chan; /* NULL: never ready                                         */
	int op;            /* GOAD_SEND or GOAD_RECV                                    */
	void *elem;        /* as in goad_chan_send and goad_chan_recv                   */
	int status;        /* of the case that happened: 0 or -EPIPE; else untouched    */
} goad_case_t;

/* Waits until one of n cases can happen, and does that one; returns its index.  If
 * several can, each is as likely.  A channel may stand in several cases.  A send on a
 * closed channel can happen, with status -EPIPE.  Without cases it waits for ever.
 * -EINVAL: cases is NULL and n is not 0, n is above INT_MAX, or a case has an op that is
 * neither, or nothing to send; nothing has happened then.  -ENOMEM: more than 64 cases
 * take memory from the system, and it has none. */
int goad_select (goad_case_t *cases, size_t n);

/* The same until deadline: -ETIMEDOUT.  0: -EAGAIN if none can happen at once. */
int goad_select_until (goad_case_t *cases, size_t n, uint64_t deadline);

#ifdef __cplusplus
}
#endif

#endif /* GOAD_CHAN_H */
