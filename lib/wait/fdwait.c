/* SPDX-License-Identifier: MIT */
/* Waiting for a descriptor: as a coroutine, which parks; as another thread while the
 * runtime runs, which sleeps on a word; and without a runtime, by ppoll. */
#include <errno.h>

#include "base/clock.h"
#include "base/futex.h"
#include "sched/sched.h"
#include "wait/fdtable.h"
#include "wait/netpoll.h"

#define np goad__netpoll

/* The deadline came.  Before the waiter was in the list: then it never will be. */
static bool fire (struct sleeper *s)
{
	struct fd_waiter *w = s->arg;
	bool mine;

	goad__spin_lock (&w->entry->lock);
	w->fired = true;
	mine = w->queued;
	if (mine)
		goad__fd_remove (w->entry, w);
	goad__spin_unlock (&w->entry->lock);
	return mine;
}

/* On the next stack.  The deadline goes first: once the waiter is in the list it may be
 * readied, and gone. */
static bool commit (struct g *g, void *arg)
{
	struct fd_waiter *w = arg;
	struct gbatch due = { 0 };
	bool waits;

	(void) g;
	if (w->sleeper.when != UINT64_MAX) {
		w->result = goad__sleep_add (&w->sleeper, NULL);
		if (w->result)
			return false;
		w->timed = true;
	}
	waits = goad__fd_enqueue (w, &due);
	goad__fd_ready (&due);
	return waits;
}

static void wait_parked (struct fd_waiter *w, uint64_t deadline)
{
	w->w.g = goad__g ();
	w->sleeper = (struct sleeper){ .when = deadline, .g = w->w.g, .fire = fire, .arg = w };
	w->w.g->parks = EV_go_net;
	goad__sched_park (commit, w);
	if (w->timed)
		goad__sleep_cancel (&w->sleeper);
}

/* True: it was in the list still. */
static bool withdraw (struct fd_waiter *w)
{
	bool was;

	goad__spin_lock (&w->entry->lock);
	was = w->queued;
	if (was)
		goad__fd_remove (w->entry, w);
	goad__spin_unlock (&w->entry->lock);
	return was;
}

static void wait_foreign (struct fd_waiter *w, uint64_t deadline)
{
	struct gbatch due = { 0 };
	bool waits = goad__fd_enqueue (w, &due);

	goad__fd_ready (&due);
	if (!waits)
		return;
	while (atomic_load_explicit (&w->w.word, memory_order_acquire) == 0) { /* [ord:fd-word] */
		goad__futex_wait (&w->w.word, 0, deadline);
		if (goad__now () >= deadline && withdraw (w))
			return;
	}
}

static bool enter (void)
{
	if (goad__g ())
		return true;
	/* [ord:poll-live] */
	atomic_fetch_add_explicit (&np.foreign, 1, memory_order_seq_cst);
	if (atomic_load_explicit (&np.live, memory_order_seq_cst))
		return true;
	if (atomic_fetch_sub_explicit (&np.foreign, 1, memory_order_seq_cst) == 1)
		goad__futex_wake (&np.foreign, INT_MAX);
	return false;
}

static void leave (void)
{
	if (goad__g ())
		return;
	atomic_fetch_sub_explicit (&np.foreign, 1, memory_order_seq_cst);
	if (!atomic_load_explicit (&np.live, memory_order_seq_cst))
		goad__futex_wake (&np.foreign, INT_MAX);
}

/* Without a runtime there is only the kernel's own way, and nobody to cancel it. */
static int wait_alone (int fd, short events, uint64_t deadline)
{
	struct pollfd p = { .fd = fd, .events = events };
	struct timespec ts, *limit = NULL;

	if (deadline != UINT64_MAX) {
		uint64_t now = goad__now (), left = deadline > now ? deadline - now : 0;
		ts = (struct timespec){ (time_t) (left / 1000000000u), (long) (left % 1000000000u) };
		limit = &ts;
	}
	goad__syscall6 (SYS_ppoll, (long) &p, 1, (long) limit, 0, 0, 0);
	return p.revents & POLLNVAL ? -EBADF : 0;
}

/* An event came, and before the waiter ran again the descriptor was closed: its number may
 * mean another file by now. */
static bool closed_since (const struct fd_waiter *w)
{
	bool closed;

	goad__spin_lock (&w->entry->lock);
	closed = w->entry->seq != w->seq;
	goad__spin_unlock (&w->entry->lock);
	return closed;
}

/* Pinned. */
static int wait_for (int fd, uint32_t events, uint64_t deadline)
{
	struct fd_waiter w = { .fd = fd, .events = events };
	int err = goad__fd_entry (fd, &w.entry);

	if (err)
		return err;
	atomic_fetch_add_explicit (&np.waiting, 1, memory_order_relaxed);
	if (goad__g ())
		wait_parked (&w, deadline);
	else
		wait_foreign (&w, deadline);
	atomic_fetch_sub_explicit (&np.waiting, 1, memory_order_relaxed);
	return w.result == 0 && closed_since (&w) ? -ECANCELED : w.result;
}

static int too_late (uint64_t deadline)
{
	if (deadline == 0)
		return -EAGAIN;
	return deadline != UINT64_MAX && goad__now () >= deadline ? -ETIMEDOUT : 0;
}

int goad__fd_wait (int fd, short events, uint64_t deadline)
{
	uint32_t all = (unsigned short) events | POLLERR | POLLHUP;
	int err = too_late (deadline);

	if (err)
		return err;
	if (!enter ())
		return wait_alone (fd, events, deadline);
	goad__pin ();
	err = wait_for (fd, all, deadline);
	goad__unpin ();
	leave ();
	return err;
}

static int take_turn (int fd, int direction, void *owner, uint64_t deadline)
{
	struct fd_entry *e;
	int err = goad__fd_entry (fd, &e);

	while (err == 0 || err == -EALREADY) {
		bool mine;

		goad__spin_lock (&e->lock);
		mine = !e->turn[direction];
		if (mine)
			e->turn[direction] = owner;
		goad__spin_unlock (&e->lock);
		if (mine)
			return 0;
		err = too_late (deadline);
		if (err == 0)
			err = wait_for (fd, FD_TURN (direction), deadline);
	}
	return err;
}

int goad__fd_turn (int fd, int direction, void *owner, uint64_t deadline)
{
	int err;

	if (!enter ())
		return 0; /* nobody to take turns with */
	goad__pin ();
	err = take_turn (fd, direction, owner, deadline);
	goad__unpin ();
	leave ();
	return err;
}

void goad__fd_turn_end (int fd, int direction, void *owner)
{
	struct gbatch due = { 0 };
	struct fd_entry *e;

	if (!enter ())
		return;
	goad__pin ();
	e = goad__fd_find (fd);
	if (e) {
		goad__spin_lock (&e->lock);
		if (e->turn[direction] == owner) { /* a close may have ended it */
			e->turn[direction] = NULL;
			goad__fd_wake (e, FD_TURN (direction), 0, &due);
		}
		goad__spin_unlock (&e->lock);
		goad__fd_ready (&due);
	}
	goad__unpin ();
	leave ();
}

bool goad__fd_known (int fd)
{
	bool known = false;
	struct fd_entry *e;

	if (!enter ())
		return false;
	goad__pin ();
	e = goad__fd_find (fd);
	if (e) {
		goad__spin_lock (&e->lock);
		known = e->known;
		goad__spin_unlock (&e->lock);
	}
	goad__unpin ();
	leave ();
	return known;
}

/* Before the close everybody is woken.  Who comes to wait between that and the close would
 * wait for ever: so afterwards those that are there are armed again, which finds out, as
 * always, whether their file is there.  It may be another one by then, and theirs. */
static void cancel_waiters (int fd, bool closed)
{
	struct gbatch due = { 0 };
	struct fd_entry *e;

	if (!enter ())
		return;
	goad__pin ();
	e = goad__fd_find (fd);
	if (e) {
		goad__spin_lock (&e->lock);
		if (closed)
			goad__fd_arm_rest (fd, e, &due);
		else
			goad__fd_forget (fd, e, &due);
		goad__spin_unlock (&e->lock);
		goad__fd_ready (&due);
	}
	goad__unpin ();
	leave ();
}

int goad__fd_close (int fd)
{
	int err;

	cancel_waiters (fd, false);
	err = (int) goad__syscall3 (SYS_close, fd, 0, 0);
	cancel_waiters (fd, true);
	return err == -EINTR ? 0 : err; /* on Linux it is closed */
}
