/* SPDX-License-Identifier: MIT */
/* goad/io.h - descriptors: input and output that parks only the coroutine
 *
 *	static void echo (void *arg)
 *	{
 *		int fd = (int) (intptr_t) arg;
 *		char buf[4096];
 *		ssize_t n;
 *
 *		while ((n = goad_read (fd, buf, sizeof buf)) > 0)
 *			if (goad_write (fd, buf, (size_t) n) < 0)
 *				break;
 *		goad_close (fd);
 *	}
 *
 *	static void serve (void *arg)
 *	{
 *		int fd, listener = (int) (intptr_t) arg;
 *
 *		while ((fd = goad_accept (listener, NULL, NULL)) >= 0)
 *			goad_go (echo, (void *) (intptr_t) fd);
 *	}
 *
 * The calls are named after those of POSIX and take their arguments.  They return what
 * those return, or a negative errno; never -EINTR, never -EAGAIN but for a deadline of 0
 * or MSG_DONTWAIT.  A coroutine parks until the descriptor is ready, a thread outside the
 * runtime sleeps; without a runtime they work too.  Any number may wait for one descriptor.
 *
 * Blocking and non-blocking descriptors are the same to them, and O_NONBLOCK is left as
 * it is: sockets, pipes and most others are asked not to block by the call itself.  What
 * knows no such call (a terminal, most kinds of descriptor before Linux 6.4) is read or
 * written once poll says that it is ready, and within goad_block, in case another process
 * was faster; what has no readiness (regular files, directories, disks) within goad_block
 * at once.  The exception is goad_connect, see there.
 *
 * goad_write, goad_writev, goad_send and goad_sendmsg go on until all is written, as the
 * namesakes do on a blocking descriptor; after an error or at the deadline they return
 * what was written if that is anything.  They return -EPIPE and raise no SIGPIPE.
 *
 * A call with _until ends at deadline, absolute by goad_now's clock, with -ETIMEDOUT, or
 * with -EAGAIN if deadline was 0 and it would have to wait.  The operation is tried
 * first: what is ready succeeds although the deadline has passed.
 *
 * A descriptor that others wait for is closed by goad_close.  After a plain close those
 * who wait hear of it (-ECANCELED) when somebody waits for a new file of the same number,
 * and else at their deadline.
 *
 * Errors of all: those of the namesake; -ECANCELED: goad_close while it waited; -ENOMEM,
 * -ENOSPC, -EMFILE: no room to wait (the runtime needs two descriptors of its own, from
 * the first wait on, three before Linux 5.11).  Thread-safe, not async-signal-safe.
 */
#ifndef GOAD_IO_H
#define GOAD_IO_H

#include <poll.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Waits until poll would report one of events (POLLIN, POLLOUT, POLLPRI, POLLRDHUP) or an
 * error or hang-up, and returns what it reports, a mask above 0.  Regular files are ready
 * at once, as for poll.  -EBADF: no such descriptor. */
int goad_wait_fd (int fd, short events, uint64_t deadline);

/* 0: the end.  A regular file is read as far as it goes, anything else returns what is
 * there. */
ssize_t goad_read (int fd, void *buf, size_t size);
ssize_t goad_read_until (int fd, void *buf, size_t size, uint64_t deadline);
ssize_t goad_readv (int fd, const struct iovec *iov, int n);
ssize_t goad_readv_until (int fd, const struct iovec *iov, int n, uint64_t deadline);

ssize_t goad_write (int fd, const void *buf, size_t size);
ssize_t goad_write_until (int fd, const void *buf, size_t size, uint64_t deadline);
ssize_t goad_writev (int fd, const struct iovec *iov, int n);
ssize_t goad_writev_until (int fd, const struct iovec *iov, int n, uint64_t deadline);

/* flags: MSG_*.  With MSG_DONTWAIT they never wait.  MSG_WAITALL waits for all that was
 * asked for, on a stream and without MSG_PEEK. */
ssize_t goad_recv (int fd, void *buf, size_t size, int flags);
ssize_t goad_recv_until (int fd, void *buf, size_t size, int flags, uint64_t deadline);
ssize_t goad_recvmsg (int fd, struct msghdr *msg, int flags);
ssize_t goad_recvmsg_until (int fd, struct msghdr *msg, int flags, uint64_t deadline);

ssize_t goad_send (int fd, const void *buf, size_t size, int flags);
ssize_t goad_send_until (int fd, const void *buf, size_t size, int flags, uint64_t deadline);
ssize_t goad_sendmsg (int fd, const struct msghdr *msg, int flags);
ssize_t goad_sendmsg_until (int fd, const struct msghdr *msg, int flags, uint64_t deadline);

/* The new descriptor, in blocking mode and without FD_CLOEXEC, as accept gives it.  On a
 * listener in blocking mode that another process accepts from too, a call may stay in the
 * kernel beyond its deadline when that process is faster; its P is given to others
 * meanwhile. */
int goad_accept (int fd, struct sockaddr *addr, socklen_t *len);
int goad_accept_until (int fd, struct sockaddr *addr, socklen_t *len, uint64_t deadline);

/* A socket in blocking mode is in non-blocking mode for the moment of the call to the
 * kernel; only a process that shares the unconnected socket could see that.  After
 * -ETIMEDOUT the attempt goes on: a second call waits for its end, goad_close ends it. */
int goad_connect (int fd, const struct sockaddr *addr, socklen_t len);
int goad_connect_until (int fd, const struct sockaddr *addr, socklen_t len, uint64_t deadline);

/* Wakes whoever waits for the descriptor with -ECANCELED, and closes it.  The number is
 * free afterwards whatever it returns: -EBADF, or what close says (-EIO, -ENOSPC,
 * -EDQUOT).  Not to be called while a call on it has not begun to wait, which could then
 * meet another file of the same number, as with close. */
int goad_close (int fd);

#ifdef __cplusplus
}
#endif

#endif /* GOAD_IO_H */
