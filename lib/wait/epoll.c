/* SPDX-License-Identifier: MIT */
/* Raw system calls throughout: the callers may stand anywhere on a scheduling path.
 *
 * The break is an eventfd in the set, level-triggered, which only the thread that sleeps
 * in the set empties.  [ord:poll-break]
 *	who breaks: tells the sleeper's own word, and if that said that it sleeps in the set,
 *		writes the eventfd
 *	who sleeps: says in its word that it sleeps in the set; sleeps; takes that back
 * A break that comes before the sleep is found by it, since nobody else empties the
 * eventfd.  Edge-triggered would not do: whoever looks into the set without sleeping would
 * take the only edge away.  A break that comes late, when its sleeper is awake already,
 * wakes the next sleeper for nothing.
 *
 * Before Linux 5.11 there is no epoll_pwait2, and epoll_wait counts milliseconds; so the
 * deadline goes to a timerfd in the set.
 */
#include "wait/epoll.h"

#include <errno.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>

#include "base/clock.h"
#include "base/os.h"
#include "base/syscall.h"

#define BREAK UINT64_MAX /* epoll_data of our own two */
#define TIMER (UINT64_MAX - 1)

#ifndef SYS_epoll_pwait2
#define SYS_epoll_pwait2 441
#endif

static struct {
	int set, broken, timer; /* descriptors; timer: -1 where it is not needed */
	uint64_t timer_at;
} ep = { -1, -1, -1, 0 };

static int add_own (int fd, uint64_t data)
{
	struct epoll_event ev = { .events = EPOLLIN, .data.u64 = data };

	return (int) goad__syscall4 (SYS_epoll_ctl, ep.set, EPOLL_CTL_ADD, fd, (long) &ev);
}

static void close_one (int *fd)
{
	if (*fd >= 0)
		goad__syscall3 (SYS_close, *fd, 0, 0);
	*fd = -1;
}

static bool has_pwait2 (void)
{
	struct timespec none = { 0, 0 };
	struct epoll_event ev;

	return !goad__env_flag ("GOAD_NO_EPOLL_PWAIT2") &&
	       goad__syscall6 (SYS_epoll_pwait2, ep.set, (long) &ev, 1, (long) &none, 0, 0) != -ENOSYS;
}

static int open_timer (void)
{
	ep.timer_at = UINT64_MAX;
	ep.timer = (int) goad__syscall3 (SYS_timerfd_create, CLOCK_MONOTONIC,
	                                 TFD_CLOEXEC | TFD_NONBLOCK, 0);
	return ep.timer < 0 ? ep.timer : add_own (ep.timer, TIMER);
}

int goad__epoll_open (void)
{
	int err;

	if (ep.set >= 0)
		return 0;
	ep.set = (int) goad__syscall3 (SYS_epoll_create1, EPOLL_CLOEXEC, 0, 0);
	err = ep.set;
	if (err >= 0)
		err = ep.broken = (int) goad__syscall3 (SYS_eventfd2, 0, EFD_CLOEXEC | EFD_NONBLOCK, 0);
	if (err >= 0)
		err = add_own (ep.broken, BREAK);
	if (err >= 0 && !has_pwait2 ())
		err = open_timer ();
	if (err < 0)
		goad__epoll_close ();
	return err < 0 ? err : 0;
}

void goad__epoll_close (void)
{
	close_one (&ep.timer);
	close_one (&ep.broken);
	close_one (&ep.set);
}

int goad__epoll_arm (int fd, uint32_t events, uint64_t data, bool *known)
{
	struct epoll_event ev = { .events = events | EPOLLET | EPOLLONESHOT, .data.u64 = data };
	int err;

	if (*known)
		return (int) goad__syscall4 (SYS_epoll_ctl, ep.set, EPOLL_CTL_MOD, fd, (long) &ev);
	err = (int) goad__syscall4 (SYS_epoll_ctl, ep.set, EPOLL_CTL_ADD, fd, (long) &ev);
	/* The same open file came back to the number (dup2): its old entry is taken over. */
	if (err == -EEXIST)
		err = (int) goad__syscall4 (SYS_epoll_ctl, ep.set, EPOLL_CTL_MOD, fd, (long) &ev);
	*known = err == 0;
	return err;
}

void goad__epoll_forget (int fd)
{
	struct epoll_event none = { 0 };

	goad__syscall4 (SYS_epoll_ctl, ep.set, EPOLL_CTL_DEL, fd, (long) &none);
}

static void set_timer (uint64_t deadline)
{
	struct itimerspec when = { 0 };

	if (deadline == ep.timer_at)
		return;
	ep.timer_at = deadline;
	if (deadline != UINT64_MAX) { /* else zero: off */
		when.it_value.tv_sec = (time_t) (deadline / 1000000000u);
		when.it_value.tv_nsec = (long) (deadline % 1000000000u);
	}
	goad__syscall4 (SYS_timerfd_settime, ep.timer, TFD_TIMER_ABSTIME, (long) &when, 0);
}

static long wait_in_kernel (struct epoll_event *ev, uint64_t deadline)
{
	struct timespec ts = { 0, 0 };
	uint64_t now;

	if (ep.timer >= 0) {
		if (deadline)
			set_timer (deadline);
		return goad__syscall6 (SYS_epoll_pwait, ep.set, (long) ev, GOAD__EPOLL_BATCH,
		                       deadline ? -1 : 0, 0, 0);
	}
	if (deadline && deadline != UINT64_MAX && deadline > (now = goad__now ())) {
		ts.tv_sec = (time_t) ((deadline - now) / 1000000000u);
		ts.tv_nsec = (long) ((deadline - now) % 1000000000u);
	}
	return goad__syscall6 (SYS_epoll_pwait2, ep.set, (long) ev, GOAD__EPOLL_BATCH,
	                       deadline == UINT64_MAX ? 0 : (long) &ts, 0, 0);
}

static void empty (int fd)
{
	uint64_t count;

	goad__syscall3 (SYS_read, fd, (long) &count, sizeof count);
}

int goad__epoll_wait (struct epoll_event *ev, uint64_t deadline)
{
	long n = wait_in_kernel (ev, deadline);
	int kept = 0;

	for (long i = 0; i < n; i++) {
		uint64_t data = ev[i].data.u64;

		if (data != BREAK && data != TIMER) {
			ev[kept++] = ev[i];
		} else if (deadline) { /* the others leave it for the one that sleeps */
			if (data == TIMER)
				ep.timer_at = UINT64_MAX;
			empty (data == BREAK ? ep.broken : ep.timer);
		}
	}
	return kept;
}

void goad__epoll_break (void)
{
	uint64_t one = 1;

	goad__syscall3 (SYS_write, ep.broken, (long) &one, sizeof one);
}
