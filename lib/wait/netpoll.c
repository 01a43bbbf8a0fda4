/* SPDX-License-Identifier: MIT */
/* Who looks for events.
 *
 * Any M that found nothing in the queues looks, without sleeping.  One thread at a time
 * sleeps in the set: it has the bed.  sysmon has it by default, and so descriptors are
 * served while every P runs a hog.  But where Ps are idle an event that wakes sysmon costs
 * two wake-ups, sysmon's and that of an M for the coroutine.  So an M that goes idle takes
 * the bed if it is free, and goes on with the coroutine itself (Go's findRunnable, which
 * blocks in netpoll).
 *
 *	sysmon goes to sleep: the bed is free: takes it.  An M has it: sleeps elsewhere
 *	an M goes to sleep: the bed is free: takes it.  sysmon has it: sleeps elsewhere, and
 *		says that it would have liked it; after the next event sysmon stays out of it for a
 *		quantum, or until it wakes, so that whoever it woke may have it
 *	an M that no P waits for does not take it: it could do nothing with an event
 *
 * An M that leaves the bed to run something leaves it empty.  Most often it is back soon.
 * If not, sysmon takes it when it wakes; if that is not within a quantum, it is woken.
 * [ord:poll-bed] sysmon: says until when it sleeps elsewhere (left_at), then looks at the
 * bed again; an M: empties the bed, then looks at left_at.  One sees the other.  So nobody
 * sleeps in the set for a quantum at most, and then only while coroutines run.
 * Model: tests/model/poll.pml.
 *
 * With several sleepers in the set, as in Go, a break (epoll.c) could wake the wrong one.
 */
#include "wait/netpoll.h"

#include "base/clock.h"
#include "base/futex.h"
#include "sched/sched.h"
#include "sched/source.h"
#include "wait/epoll.h"
#include "wait/fdtable.h"

#define np goad__netpoll

enum bed { BED_FREE, BED_SYSMON, BED_M };

static bool sysmon_served; /* sysmon's own: it has readied coroutines since it last lay there */

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

static void dispatch_all (const struct epoll_event *ev, int n, struct gbatch *due)
{
	for (int i = 0; i < n; i++)
		dispatch (&ev[i], due);
}

static bool waiting (void)
{
	return atomic_load_explicit (&np.waiting, memory_order_relaxed) != 0;
}

static bool used (void)
{
	return atomic_load_explicit (&np.used, memory_order_seq_cst) != 0; /* [ord:poll-used] */
}

static bool poll_now (void)
{
	struct epoll_event ev[GOAD__EPOLL_BATCH];
	struct gbatch due = { 0 };
	bool found;

	if (!waiting () || !used ())
		return false;
	dispatch_all (ev, goad__epoll_wait (ev, 0), &due);
	found = due.n > 0;
	goad__fd_ready (&due);
	return found;
}

static bool take_bed (uint32_t who)
{
	uint32_t nobody = BED_FREE;

	return atomic_compare_exchange_strong_explicit (&np.bed, &nobody, who, memory_order_seq_cst,
	                                                memory_order_relaxed);
}

static void m_leaves_bed (void)
{
	uint64_t until;

	/* [ord:poll-bed] */
	atomic_store_explicit (&np.bed, BED_FREE, memory_order_seq_cst);
	until = atomic_load_explicit (&np.left_at, memory_order_seq_cst);
	if (until != 0 && until - goad__sched.quantum > goad__now ())
		goad__sysmon_wake ();
}

static bool has_idle_p (void)
{
	return atomic_load_explicit (&goad__sched.npidle, memory_order_relaxed) != 0;
}

/* One sleep in the bed.  True: m is off the list of idle Ms. */
static bool m_sleeps (struct m *m, bool *again)
{
	struct epoll_event ev[GOAD__EPOLL_BATCH];
	uint32_t elsewhere = PARK_ELSEWHERE;
	struct gbatch due = { 0 };
	bool off, given;

	int n = goad__epoll_wait (ev, UINT64_MAX);

	given = !atomic_compare_exchange_strong_explicit (&m->park, &elsewhere, PARK_NOT,
	                                                  memory_order_seq_cst, memory_order_relaxed);
	dispatch_all (ev, n, &due);
	*again = !given && due.n == 0 && has_idle_p ();
	off = given || (due.n > 0 && goad__idle_leave (m));
	if (given)
		goad__m_wait (m); /* does not wait */
	goad__fd_ready (&due);
	return off;
}

static bool sleep_here (struct m *m)
{
	bool off = false, again = true;

	if (!waiting () || !used () || !has_idle_p ())
		return false;
	if (!take_bed (BED_M)) {
		atomic_store_explicit (&np.wanted, 1, memory_order_relaxed);
		return false;
	}
	while (again) {
		uint32_t not = PARK_NOT;

		/* fails: a P was given meanwhile, and goad__m_wait finds it */
		again = atomic_compare_exchange_strong_explicit (&m->park, &not, PARK_ELSEWHERE,
		                                                 memory_order_seq_cst,
		                                                 memory_order_relaxed);
		if (again)
			off = m_sleeps (m, &again);
	}
	m_leaves_bed ();
	return off;
}

static const struct goad__source source = {
	.poll = poll_now,
	.waiting = waiting,
	.sleep = sleep_here,
	.rouse = goad__epoll_break,
};

bool goad__netpoll_bed (uint64_t *deadline)
{
	bool served = sysmon_served;

	if (!used ())
		return false;
	sysmon_served = false;
	if (served && atomic_exchange_explicit (&np.wanted, 0, memory_order_relaxed)) {
		*deadline = goad__min64 (*deadline, goad__add_time (goad__now (), goad__sched.quantum));
		return false;
	}
	while (!take_bed (BED_SYSMON)) {
		/* [ord:poll-bed] */
		atomic_store_explicit (&np.left_at, *deadline, memory_order_seq_cst);
		if (atomic_load_explicit (&np.bed, memory_order_seq_cst) != BED_FREE)
			return false;
	}
	return true;
}

void goad__netpoll_up (void)
{
	atomic_store_explicit (&np.left_at, 0, memory_order_relaxed);
}

void goad__netpoll_sleep (uint64_t deadline)
{
	struct epoll_event ev[GOAD__EPOLL_BATCH];
	struct gbatch due = { 0 };
	int n = goad__epoll_wait (ev, deadline);

	atomic_store_explicit (&np.bed, BED_FREE, memory_order_seq_cst);
	dispatch_all (ev, n, &due);
	sysmon_served = due.n > 0;
	goad__fd_ready (&due);
}

void goad__netpoll_break (void)
{
	goad__epoll_break ();
}

void goad__netpoll_init (void)
{
	np.waiting = 0;
	np.foreign = 0;
	np.bed = BED_FREE;
	np.wanted = 0;
	np.left_at = 0;
	sysmon_served = false;
	/* Now, and not when the first descriptor is waited for: by then a program may have
	 * closed one and yet be about to use its number, which must not mean one of ours.  If
	 * there is none to be had now, it is tried again then. */
	(void) goad__epoll_open ();
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
		if (used ())
			goad__fd_each (send_away);
		goad__futex_wait (&np.foreign, n, UINT64_MAX);
	}
	goad__epoll_close ();
	if (!used ())
		return;
	atomic_store_explicit (&np.used, 0, memory_order_relaxed);
	goad__fd_table_free ();
}
