/* SPDX-License-Identifier: MIT */
/* Try, wait, try again: the way of all calls that move data. */
#include "runtime/io.h"

#include <errno.h>
#include <sys/stat.h>

#include "runtime/runtime.h"
#include "wait/netpoll.h"

/* In vain after an event: somebody else was faster, or it is a descriptor for which poll
 * and a call that does not block disagree.  Then the slow way does not spin. */
#define VAIN 16

int goad__io_ready (int fd, short events)
{
	struct pollfd p = { .fd = fd, .events = events };
	struct timespec none = { 0, 0 };
	long n;

	if (fd < 0)
		return -EBADF;
	do
		n = goad__syscall6 (SYS_ppoll, (long) &p, 1, (long) &none, 0, 0, 0);
	while (n == -EINTR);
	if (n < 0)
		return (int) n;
	return p.revents & POLLNVAL ? -EBADF : (unsigned short) p.revents;
}

/* Goes n bytes on; true: that was all.  The elements are looked at only now that the
 * kernel has found them good. */
static bool advance (struct transfer *t, size_t n)
{
	t->done += n;
	while (t->at < t->n && n >= t->iov[t->at].iov_len - t->off) {
		n -= t->iov[t->at].iov_len - t->off;
		t->off = 0;
		t->at++;
	}
	t->off += n;
	return t->at == t->n;
}

/* Files are read in full: what did not block may have ended where the page cache did. */
static bool read_in_full (int fd)
{
	struct stat st;

	if (goad__fd_known (fd) || goad__syscall3 (SYS_fstat, fd, (long) &st, 0) != 0)
		return false;
	return S_ISREG (st.st_mode) || S_ISBLK (st.st_mode);
}

/* True: the call is over, after n more bytes. */
static bool moved (struct transfer *t, long n)
{
	if (n == 0 || advance (t, (size_t) n))
		return true;
	t->msg = NULL;
	if (t->all)
		return false;
	return t->out || t->slow || t->attempt != goad__rw_attempt || !read_in_full (t->fd);
}

static long once (struct transfer *t)
{
	long r;

	do
		r = t->slow ? goad__rw_slow (t) : t->attempt (t);
	while (r == -EINTR);
	return r;
}

ssize_t goad__transfer (struct transfer *t)
{
	short events = t->out ? POLLOUT : POLLIN;
	int vain = 0;
	long r;

	for (;;) {
		r = once (t);
		if (r >= 0) {
			if (moved (t, r))
				return (ssize_t) t->done;
			vain = 0;
			continue;
		}
		if (r == -EAGAIN && !t->slow && vain++ == VAIN && t->attempt == goad__rw_attempt) {
			t->slow = true;
			continue;
		}
		if (r == -EAGAIN)
			r = goad__fd_wait (t->fd, events, t->deadline);
		if (r == -EPERM && t->attempt == goad__rw_attempt && !t->slow) {
			t->slow = true; /* no waiting for it: a regular file that is not cached */
			continue;
		}
		if (r < 0)
			return t->done ? (ssize_t) t->done : r;
	}
}
