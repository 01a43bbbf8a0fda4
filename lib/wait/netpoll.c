/* SPDX-License-Identifier: MIT */
/* Who looks for events: sysmon, which sleeps in the set once there is one, and any M that
 * found nothing in the queues, without sleeping. */
#include "wait/netpoll.h"

#include "base/futex.h"
#include "sched/sched.h"
#include "sched/source.h"
#include "wait/epoll.h"
#include "wait/fdtable.h"

#define np goad__netpoll

static void dispatch (const struct epoll_event *ev, struct gbatch *due)
{
	int fd = (int) (uint32_t) ev->data.u64;
	struct fd_entry *e = goad__fd_find (fd);

	goad__spin_lock (&e->lock);
	if (e->seq == ev->data.u64 >> 32) { /* else of a file that was there before */
		goad__fd_wake (e, ev->events & FD_KERNEL_EVENTS, 0, due);
		goad__fd_arm_rest (fd, e, due);
	}
	goad__spin_unlock (&e->lock);
}

/* How many coroutines it has readied. */
static uint32_t look (uint64_t deadline)
{
	struct epoll_event ev[GOAD__EPOLL_BATCH];
	struct gbatch due = { 0 };
	int n = goad__epoll_wait (ev, deadline);
	uint32_t count;

	for (int i = 0; i < n; i++)
		dispatch (&ev[i], &due);
	count = due.n;
	goad__fd_ready (&due);
	return count;
}

static bool waiting (void)
{
	return atomic_load_explicit (&np.waiting, memory_order_relaxed) != 0;
}

static bool poll_now (void)
{
	return waiting () && goad__netpoll_used () && look (0) > 0;
}

static const struct goad__source source = { .poll = poll_now, .waiting = waiting };

bool goad__netpoll_used (void)
{
	return atomic_load_explicit (&np.used, memory_order_seq_cst) != 0; /* [ord:poll-used] */
}

void goad__netpoll_sleep (uint64_t deadline)
{
	look (deadline);
}

void goad__netpoll_break (void)
{
	goad__epoll_break ();
}

void goad__netpoll_init (void)
{
	np.waiting = np.foreign = 0;
	goad__source_add (&source);
	atomic_store_explicit (&np.live, 1, memory_order_seq_cst);
}

static void send_away (struct fd_entry *e)
{
	struct gbatch none = { 0 };

	goad__spin_lock (&e->lock);
	goad__fd_wake (e, UINT32_MAX, 0, &none);
	goad__spin_unlock (&e->lock);
}

/* No coroutine is left, and no thread of ours but the caller.  Others may wait here still:
 * they are sent away, to wait by themselves, and it ends when the last is out.
 * [ord:poll-live] a thread counts itself, then looks whether the runtime lives; here it is
 * said to be over, then they are counted. */
void goad__netpoll_fini (void)
{
	uint32_t n;

	atomic_store_explicit (&np.live, 0, memory_order_seq_cst);
	while ((n = atomic_load_explicit (&np.foreign, memory_order_seq_cst)) != 0) {
		if (goad__netpoll_used ())
			goad__fd_each (send_away);
		goad__futex_wait (&np.foreign, n, UINT64_MAX);
	}
	if (!goad__netpoll_used ())
		return;
	atomic_store_explicit (&np.used, 0, memory_order_relaxed);
	goad__epoll_close ();
	goad__fd_table_free ();
}
