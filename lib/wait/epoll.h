/* SPDX-License-Identifier: MIT */
/* wait/epoll.h - the kernel's side of the netpoller: one epoll set
 *
 * The set is made when somebody first waits for a descriptor.  A descriptor is armed for
 * one event (EPOLLONESHOT): the kernel says once that it is ready, and then nothing until
 * it is armed again, so that traffic nobody waits for wakes nobody.
 *
 * One thread at a time sleeps in the set, by goad__epoll_wait with a deadline; any thread
 * may look into it without sleeping.  goad__epoll_break ends the sleep.
 */
#ifndef GOAD_WAIT_EPOLL_H
#define GOAD_WAIT_EPOLL_H

#include <sys/epoll.h>

#include "base/base.h"

#define GOAD__EPOLL_BATCH 64

int goad__epoll_open (void); /* 0 or a negative errno */
void goad__epoll_close (void);

/* Arms fd.  *known: it is in the set already, as far as the caller knows.  If it turns out
 * that the file which was there is gone, the caller hears -ENOENT and fd is not armed:
 * it decides on a new data, clears *known and asks again. */
int goad__epoll_arm (int fd, uint32_t events, uint64_t data, bool *known);
void goad__epoll_forget (int fd);

/* Fills at most GOAD__EPOLL_BATCH events and returns their number; 0 at the deadline (0:
 * do not sleep), after a break, or for nothing. */
int goad__epoll_wait (struct epoll_event *ev, uint64_t deadline);
void goad__epoll_break (void);

#endif
