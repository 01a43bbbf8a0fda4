/* SPDX-License-Identifier: MIT */
/* goad_read and goad_write, for whatever a descriptor is.
 *
 * Whether a descriptor blocks is a property of the open file, which other processes may
 * share: a shell's terminal must not be found non-blocking afterwards.  So O_NONBLOCK is
 * never touched.  preadv2 and pwritev2 with RWF_NOWAIT do not block where the kernel
 * supports it: sockets and eventfds since Linux 5.8, pipes since 6.4.
 *
 * For the rest there is the slow way.  Non-blocking already: an ordinary call.  A regular
 * file or a disk: an ordinary call within goad_block.  Else: when poll says that it is
 * ready, an ordinary call, which then does not block unless another process took what
 * poll saw; so that too is within goad_block, and within this process one coroutine at a
 * time has the descriptor's turn from the look to the end of the call.  A write is cut to
 * PIPE_BUF: of a pipe that has room poll promises that much.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <sys/stat.h>

#include "base/os.h"
#include "runtime/io.h"
#include "wait/netpoll.h"

#ifndef RWF_NOWAIT
#define RWF_NOWAIT 0x8
#endif
#ifndef RWF_NOSIGNAL
#define RWF_NOSIGNAL 0x100 /* Linux 6.18: EPIPE without SIGPIPE */
#endif

/* Other threads may call at any time, also while a runtime begins. */
static struct {
	_Atomic bool no_nowait;
	_Atomic bool no_nosignal; /* also learnt from the kernel */
} lacks;

void goad__io_init (void)
{
	atomic_store_explicit (&lacks.no_nowait, goad__env_flag ("GOAD_NO_RWF_NOWAIT"),
	                       memory_order_relaxed);
	atomic_store_explicit (&lacks.no_nosignal, goad__env_flag ("GOAD_NO_RWF_NOSIGNAL"),
	                       memory_order_relaxed);
}

#define SIGPIPE_BIT (UINT64_C (1) << (SIGPIPE - 1))

/* EPIPE is told by the result.  The signal goes to the thread that writes, and whether a
 * coroutine's thread has it blocked is chance; so it is kept off, and if it came, taken
 * back, unless the caller has it blocked himself. */
static long without_sigpipe (long nr, int fd, struct iovec *iov, int n, int flags)
{
	uint64_t set = SIGPIPE_BIT, old = 0;
	struct timespec none = { 0, 0 };
	long r;

	goad__syscall4 (SYS_rt_sigprocmask, SIG_BLOCK, (long) &set, (long) &old, sizeof set);
	r = goad__syscall6 (nr, fd, (long) iov, n, -1, -1, flags);
	if (old & SIGPIPE_BIT)
		return r;
	if (r == -EPIPE)
		goad__syscall4 (SYS_rt_sigtimedwait, (long) &set, 0, (long) &none, sizeof set);
	goad__syscall4 (SYS_rt_sigprocmask, SIG_SETMASK, (long) &old, 0, sizeof old);
	return r;
}

static long vector (const struct transfer *t, struct iovec *iov, int n, int flags)
{
	long r;

	if (!t->out)
		return goad__syscall6 (SYS_preadv2, t->fd, (long) iov, n, -1, -1, flags);
	if (!atomic_load_explicit (&lacks.no_nosignal, memory_order_relaxed)) {
		r = goad__syscall6 (SYS_pwritev2, t->fd, (long) iov, n, -1, -1, flags | RWF_NOSIGNAL);
		if (r != -EOPNOTSUPP)
			return r;
	}
	r = without_sigpipe (SYS_pwritev2, t->fd, iov, n, flags);
	if (r >= 0) /* so it was the other flag */
		atomic_store_explicit (&lacks.no_nosignal, true, memory_order_relaxed);
	return r;
}

long goad__rw_attempt (struct transfer *t)
{
	struct iovec one, *iov;
	long r = -EOPNOTSUPP;
	int n;

	iov = goad__transfer_left (t, &one, &n);
	if (!atomic_load_explicit (&lacks.no_nowait, memory_order_relaxed))
		r = vector (t, iov, n, RWF_NOWAIT);
	if (r != -EOPNOTSUPP && r != -ENOSYS)
		return r;
	t->slow = true;
	return goad__rw_slow (t);
}

struct plain {
	const struct transfer *t;
	struct iovec *iov;
	int n;
	long result;
};

static void plain (void *arg)
{
	struct plain *p = arg;

	if (p->t->out)
		p->result = without_sigpipe (SYS_writev, p->t->fd, p->iov, p->n, 0);
	else
		p->result = goad__syscall3 (SYS_readv, p->t->fd, (long) p->iov, p->n);
}

static long within_block (struct plain *p)
{
	int err = goad__io_block (plain, p);
	return err ? err : p->result;
}

/* The first element that is not empty, at most PIPE_BUF of it. */
static void cut (struct plain *p, struct iovec *piece)
{
	while (p->n > 1 && p->iov->iov_len == 0) {
		p->iov++;
		p->n--;
	}
	*piece = *p->iov;
	if (piece->iov_len > PIPE_BUF)
		piece->iov_len = PIPE_BUF;
	p->iov = piece;
	p->n = 1;
}

static long when_ready (struct transfer *t, struct plain *p)
{
	int direction = t->out ? GOAD__FD_OUT : GOAD__FD_IN;
	int err = goad__fd_turn (t->fd, direction, t, t->deadline);
	struct iovec piece;
	long r;

	if (err)
		return err;
	r = goad__io_ready (t->fd, t->out ? POLLOUT : POLLIN);
	if (r > 0) {
		if (t->out)
			cut (p, &piece);
		r = within_block (p);
	} else if (r == 0) {
		r = -EAGAIN;
	}
	goad__fd_turn_end (t->fd, direction, t);
	return r;
}

/* What has no need to wait, and for which poll might wait for ever. */
static bool returns_at_once (const struct plain *p, long flags)
{
	return (flags & O_ACCMODE) == (p->t->out ? O_RDONLY : O_WRONLY) || p->n <= 0 || !p->iov ||
	       (p->n == 1 && p->iov->iov_len == 0);
}

long goad__rw_slow (struct transfer *t)
{
	struct plain p = { .t = t };
	struct iovec one;
	struct stat st;
	long flags = goad__syscall3 (SYS_fcntl, t->fd, F_GETFL, 0);

	if (flags < 0)
		return flags;
	p.iov = goad__transfer_left (t, &one, &p.n);
	if (goad__syscall3 (SYS_fstat, t->fd, (long) &st, 0) == 0 &&
	    (S_ISREG (st.st_mode) || S_ISBLK (st.st_mode) || S_ISDIR (st.st_mode)))
		return within_block (&p);
	if (!(flags & O_NONBLOCK) && !returns_at_once (&p, flags))
		return when_ready (t, &p);
	plain (&p);
	return p.result;
}

static ssize_t move (int fd, bool out, const struct iovec *iov, int n, uint64_t deadline)
{
	struct transfer t = { .fd = fd,
		                  .out = out,
		                  .all = out,
		                  .iov = iov,
		                  .n = n,
		                  .deadline = deadline,
		                  .attempt = goad__rw_attempt };

	return goad__transfer (&t);
}

GOAD__API ssize_t goad_readv_until (int fd, const struct iovec *iov, int n, uint64_t deadline)
{
	return move (fd, false, iov, n, deadline);
}

GOAD__API ssize_t goad_writev_until (int fd, const struct iovec *iov, int n, uint64_t deadline)
{
	return move (fd, true, iov, n, deadline);
}

GOAD__API ssize_t goad_readv (int fd, const struct iovec *iov, int n)
{
	return move (fd, false, iov, n, UINT64_MAX);
}

GOAD__API ssize_t goad_writev (int fd, const struct iovec *iov, int n)
{
	return move (fd, true, iov, n, UINT64_MAX);
}

GOAD__API ssize_t goad_read_until (int fd, void *buf, size_t size, uint64_t deadline)
{
	struct iovec one = { buf, size };
	return move (fd, false, &one, 1, deadline);
}

GOAD__API ssize_t goad_write_until (int fd, const void *buf, size_t size, uint64_t deadline)
{
	struct iovec one = { (void *) buf, size };
	return move (fd, true, &one, 1, deadline);
}

GOAD__API ssize_t goad_read (int fd, void *buf, size_t size)
{
	return goad_read_until (fd, buf, size, UINT64_MAX);
}

GOAD__API ssize_t goad_write (int fd, const void *buf, size_t size)
{
	return goad_write_until (fd, buf, size, UINT64_MAX);
}
