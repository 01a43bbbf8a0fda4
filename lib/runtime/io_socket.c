/* SPDX-License-Identifier: MIT */
/* goad_recv and goad_send and their kin: MSG_DONTWAIT is all they need. */
#include <errno.h>

#include "runtime/io.h"

static long message (struct transfer *t, long nr)
{
	struct msghdr rest = { 0 };
	struct iovec one;
	int n;

	if (t->msg)
		return goad__syscall3 (nr, t->fd, (long) t->msg, t->flags);
	/* addresses and control data have gone with the first part */
	rest.msg_iov = goad__transfer_left (t, &one, &n);
	rest.msg_iovlen = (size_t) n;
	return goad__syscall3 (nr, t->fd, (long) &rest, t->flags);
}

static long send_message (struct transfer *t)
{
	return message (t, SYS_sendmsg);
}

static long recv_message (struct transfer *t)
{
	return message (t, SYS_recvmsg);
}

static long send_bytes (struct transfer *t)
{
	return goad__syscall6 (SYS_sendto, t->fd, (long) t->iov->iov_base + (long) t->off,
	                       (long) (t->iov->iov_len - t->off), t->flags, 0, 0);
}

static long recv_bytes (struct transfer *t)
{
	return goad__syscall6 (SYS_recvfrom, t->fd, (long) t->iov->iov_base + (long) t->off,
	                       (long) (t->iov->iov_len - t->off), t->flags, 0, 0);
}

static bool is_stream (int fd)
{
	int type = 0;
	socklen_t len = sizeof type;

	goad__syscall6 (SYS_getsockopt, fd, SOL_SOCKET, SO_TYPE, (long) &type, (long) &len, 0);
	return type == SOCK_STREAM;
}

static ssize_t move (struct transfer *t)
{
	/* the error queue never waits */
	if (t->flags & (MSG_DONTWAIT | MSG_ERRQUEUE))
		t->deadline = 0;
	t->flags |= MSG_DONTWAIT;
	if (t->out) {
		t->flags |= MSG_NOSIGNAL;
		t->all = t->deadline != 0 && !(t->flags & MSG_OOB);
	} else {
		t->all = (t->flags & MSG_WAITALL) && !(t->flags & (MSG_PEEK | MSG_ERRQUEUE)) &&
		         is_stream (t->fd);
	}
	return goad__transfer (t);
}

GOAD__API ssize_t goad_recv_until (int fd, void *buf, size_t size, int flags, uint64_t deadline)
{
	struct iovec one = { buf, size };
	struct transfer t = {
		.fd = fd, .flags = flags, .iov = &one, .n = 1, .deadline = deadline, .attempt = recv_bytes
	};

	return move (&t);
}

GOAD__API ssize_t goad_send_until (int fd, const void *buf, size_t size, int flags,
                                   uint64_t deadline)
{
	struct iovec one = { (void *) buf, size };
	struct transfer t = { .fd = fd,
		                  .out = true,
		                  .flags = flags,
		                  .iov = &one,
		                  .n = 1,
		                  .deadline = deadline,
		                  .attempt = send_bytes };

	return move (&t);
}

GOAD__API ssize_t goad_recvmsg_until (int fd, struct msghdr *msg, int flags, uint64_t deadline)
{
	struct transfer t = {
		.fd = fd, .flags = flags, .msg = msg, .deadline = deadline, .attempt = recv_message
	};

	if (!msg)
		return -EINVAL;
	t.iov = msg->msg_iov;
	t.n = (int) msg->msg_iovlen;
	return move (&t);
}

GOAD__API ssize_t goad_sendmsg_until (int fd, const struct msghdr *msg, int flags,
                                      uint64_t deadline)
{
	struct transfer t = { .fd = fd,
		                  .out = true,
		                  .flags = flags,
		                  .msg = (struct msghdr *) msg,
		                  .deadline = deadline,
		                  .attempt = send_message };

	if (!msg)
		return -EINVAL;
	t.iov = msg->msg_iov;
	t.n = (int) msg->msg_iovlen;
	return move (&t);
}

GOAD__API ssize_t goad_recv (int fd, void *buf, size_t size, int flags)
{
	return goad_recv_until (fd, buf, size, flags, UINT64_MAX);
}

GOAD__API ssize_t goad_send (int fd, const void *buf, size_t size, int flags)
{
	return goad_send_until (fd, buf, size, flags, UINT64_MAX);
}

GOAD__API ssize_t goad_recvmsg (int fd, struct msghdr *msg, int flags)
{
	return goad_recvmsg_until (fd, msg, flags, UINT64_MAX);
}

GOAD__API ssize_t goad_sendmsg (int fd, const struct msghdr *msg, int flags)
{
	return goad_sendmsg_until (fd, msg, flags, UINT64_MAX);
}
