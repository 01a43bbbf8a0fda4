/* SPDX-License-Identifier: MIT */
/* runtime/io.h - moving data to and from a descriptor, for the calls of <goad/io.h> */
#ifndef GOAD_RUNTIME_IO_H
#define GOAD_RUNTIME_IO_H

#include <sys/socket.h>
#include <sys/uio.h>

#include "base/base.h"
#include "base/syscall.h"
#include "goad/io.h"
#include "goad/sched.h"

/* One call: what is asked for, and how far it is. */
struct transfer {
	int fd;
	bool out;  /* else in */
	bool all;  /* goes on until everything has been moved */
	bool slow; /* the kernel knows no call that does not block: look first */
	int flags; /* MSG_* */
	const struct iovec *iov;
	int n;
	struct msghdr *msg; /* recvmsg, sendmsg: NULL once the first part has gone */
	uint64_t deadline;

	int at; /* the first element that is not finished, */
	size_t off, done;

	/* One try, which does not block: a count or a negative errno. */
	long (*attempt) (struct transfer *t);
};

ssize_t goad__transfer (struct transfer *t);

/* The part that is left, without a copy: the rest of an element that is begun, or all
 * elements from t->at on. */
static inline struct iovec *goad__transfer_left (const struct transfer *t, struct iovec *one,
                                                 int *n)
{
	if (t->off == 0) {
		*n = t->n - t->at;
		return (struct iovec *) t->iov + t->at;
	}
	one->iov_base = (char *) t->iov[t->at].iov_base + t->off;
	one->iov_len = t->iov[t->at].iov_len - t->off;
	*n = 1;
	return one;
}

/* read and write; GOAD_NO_RWF_NOWAIT and GOAD_NO_RWF_NOSIGNAL are looked at here. */
void goad__io_init (void);
long goad__rw_attempt (struct transfer *t);
long goad__rw_slow (struct transfer *t);

/* fn within goad_block: it may block, and the P is given away at once; _maybe: it hardly
 * ever does, and the P is kept for as long as sysmon finds that good. */
static inline int goad__io_block (void (*fn) (void *), void *arg)
{
	return goad_block (fn, arg);
}

static inline int goad__io_block_maybe (void (*fn) (void *), void *arg)
{
	goad_block_begin ();
	fn (arg);
	goad_block_end ();
	return 0;
}

/* poll without waiting: what is ready, 0, or a negative errno. */
int goad__io_ready (int fd, short events);

#endif
