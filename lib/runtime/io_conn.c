/* SPDX-License-Identifier: MIT */
/* goad_wait_fd, goad_accept, goad_connect, goad_close. */
#include <errno.h>
#include <fcntl.h>

#include "base/clock.h"
#include "goad/time.h"
#include "runtime/io.h"
#include "runtime/runtime.h"
#include "wait/netpoll.h"

GOAD__API int goad_wait_fd (int fd, short events, uint64_t deadline)
{
	for (;;) {
		int r = goad__io_ready (fd, events);

		if (r == 0)
			r = goad__fd_wait (fd, events, deadline);
		if (r != 0)
			return r;
	}
}

static int get_option (int fd, int option, int *value)
{
	socklen_t len = sizeof *value;

	return (int) goad__syscall6 (SYS_getsockopt, fd, SOL_SOCKET, option, (long) value, (long) &len,
	                             0);
}

struct accept {
	int fd;
	struct sockaddr *addr;
	socklen_t *len;
	uint64_t deadline;
	long result;
};

static void plain_accept (void *arg)
{
	struct accept *a = arg;

	a->result = goad__syscall3 (SYS_accept, a->fd, (long) a->addr, (long) a->len);
}

/* What accept would say at once if it is no listener, for which nobody may ever come. */
static int no_listener (int fd)
{
	int listens = 0;
	int err = get_option (fd, SO_ACCEPTCONN, &listens);

	return err ? err : listens ? 0 : -EINVAL;
}

/* The kernel has no accept that does not block but O_NONBLOCK, which is others' too.  So
 * poll first, and one coroutine at a time; connections do not go away on Linux, but
 * another process may take one: hence the announcement. */
static int accept_when_ready (struct accept *a)
{
	int err = goad__fd_turn (a->fd, GOAD__FD_IN, a, a->deadline);

	if (err)
		return err;
	err = goad__io_ready (a->fd, POLLIN);
	if (err > 0) {
		err = goad__io_block_maybe (plain_accept, a);
		if (err == 0)
			err = (int) a->result;
	} else if (err == 0) {
		err = no_listener (a->fd);
		if (err == 0)
			err = -EAGAIN;
	}
	goad__fd_turn_end (a->fd, GOAD__FD_IN, a);
	return err;
}

static int try_accept (struct accept *a)
{
	long flags = goad__syscall3 (SYS_fcntl, a->fd, F_GETFL, 0);

	if (flags < 0)
		return (int) flags;
	if (!(flags & O_NONBLOCK))
		return accept_when_ready (a);
	plain_accept (a);
	return (int) a->result;
}

GOAD__API int goad_accept_until (int fd, struct sockaddr *addr, socklen_t *len, uint64_t deadline)
{
	struct accept a = { fd, addr, len, deadline, 0 };

	int r;

	for (;;) {
		r = try_accept (&a);
		if (r == -EAGAIN)
			r = goad__fd_wait (fd, POLLIN, deadline);
		else if (r != -EINTR)
			return r;
		if (r < 0 && r != -EINTR)
			return r;
	}
}

GOAD__API int goad_accept (int fd, struct sockaddr *addr, socklen_t *len)
{
	return goad_accept_until (fd, addr, len, UINT64_MAX);
}

/* Non-blocking, whatever the descriptor's mode.  Pinned, so that the other mode does not
 * last for longer than the call. */
static int start_connect (int fd, const struct sockaddr *addr, socklen_t len)
{
	long flags = goad__syscall3 (SYS_fcntl, fd, F_GETFL, 0);
	long r;

	if (flags < 0)
		return (int) flags;
	goad__pin ();
	if (!(flags & O_NONBLOCK))
		goad__syscall3 (SYS_fcntl, fd, F_SETFL, flags | O_NONBLOCK);
	r = goad__syscall3 (SYS_connect, fd, (long) addr, len);
	if (!(flags & O_NONBLOCK))
		goad__syscall3 (SYS_fcntl, fd, F_SETFL, flags);
	goad__unpin ();
	return (int) r;
}

/* A local listener whose queue is full: the kernel says EAGAIN, and no event when there
 * is room.  So it is asked again, after a pause that grows. */
static int pause_for (uint64_t *pause, uint64_t deadline)
{
	uint64_t now = goad__now ();

	if (deadline == 0)
		return -EAGAIN;
	if (now >= deadline)
		return -ETIMEDOUT;
	*pause = goad__min64 (2 * *pause, 10 * GOAD_MS);
	return goad_sleep_until (goad__min64 (deadline, now + *pause));
}

static int outcome (int fd)
{
	struct sockaddr_storage peer;
	socklen_t len = sizeof peer;
	int error = 0;
	int err = get_option (fd, SO_ERROR, &error);

	if (err || error)
		return err ? err : -error;
	return (int) goad__syscall3 (SYS_getpeername, fd, (long) &peer, (long) &len);
}

static int await_connect (int fd, uint64_t deadline)
{
	for (;;) {
		int r = goad__io_ready (fd, POLLOUT);

		if (r > 0)
			return outcome (fd);
		if (r == 0)
			r = goad__fd_wait (fd, POLLOUT, deadline);
		if (r < 0)
			return r;
	}
}

GOAD__API int goad_connect_until (int fd, const struct sockaddr *addr, socklen_t len,
                                  uint64_t deadline)
{
	uint64_t pause = 50 * GOAD_US;
	int r;

	while ((r = start_connect (fd, addr, len)) == -EAGAIN) {
		r = pause_for (&pause, deadline);
		if (r)
			return r;
	}
	return r == -EINPROGRESS || r == -EALREADY ? await_connect (fd, deadline) : r;
}

GOAD__API int goad_connect (int fd, const struct sockaddr *addr, socklen_t len)
{
	return goad_connect_until (fd, addr, len, UINT64_MAX);
}

GOAD__API int goad_close (int fd)
{
	return goad__fd_close (fd);
}
