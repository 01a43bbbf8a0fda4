/* SPDX-License-Identifier: MIT */
/* wait/netpoll.h - waiting for descriptors: Go's netpoller (netpoll.go), in our words
 *
 * A call that would block is tried first, then waits here until the kernel says that the
 * descriptor may be ready, and is tried again.  Any number of coroutines and of threads
 * that are not ours may wait for one descriptor, also in the same direction: all that an
 * event concerns are woken, and who comes too late waits again.
 */
#ifndef GOAD_WAIT_NETPOLL_H
#define GOAD_WAIT_NETPOLL_H

#include <poll.h>

#include "base/base.h"

/* Waits for one of events (POLL*; errors and hang-up always count) until the deadline.
 * 0: try again, and if the deadline has passed that was the last time; -EAGAIN: deadline
 * is 0; -ETIMEDOUT: it has passed already; -ECANCELED: goad_close; -EPERM: the kernel
 * knows no waiting for it (a regular file); -EBADF, -ENOMEM, -ENOSPC, -EMFILE.
 * Any thread; (switches). */
int goad__fd_wait (int fd, short events, uint64_t deadline);

/* The turn of one direction of a descriptor: whoever must look first whether it is ready
 * and then call what would block if it were not, has the turn meanwhile, so that nobody
 * else here takes what it saw.  0, or as goad__fd_wait; given back by goad__fd_turn_end
 * with the same owner, any address of its own.  (switches) */
enum { GOAD__FD_IN, GOAD__FD_OUT };
int goad__fd_turn (int fd, int direction, void *owner, uint64_t deadline);
void goad__fd_turn_end (int fd, int direction, void *owner);

/* The kernel has accepted it for waiting before: not a regular file, unless it was closed
 * and its number used again behind our back. */
bool goad__fd_known (int fd);

/* close (2), and whoever waits here hears -ECANCELED. */
int goad__fd_close (int fd);

/* For sysmon, about to sleep until *deadline, which may become earlier.  True: it shall
 * sleep with goad__netpoll_sleep, which readies whoever is due, and of which
 * goad__netpoll_break wakes it.  False: elsewhere.  Afterwards goad__netpoll_up. */
bool goad__netpoll_bed (uint64_t *deadline);
void goad__netpoll_sleep (uint64_t deadline); /* 0: a look */
void goad__netpoll_up (void);
void goad__netpoll_break (void);

void goad__netpoll_init (void);
void goad__netpoll_fini (void);

#endif
