/* SPDX-License-Identifier: MIT */
/* wait/fdtable.h - the table of descriptors, and who waits for each; for the netpoller's
 * own files
 */
#ifndef GOAD_WAIT_FDTABLE_H
#define GOAD_WAIT_FDTABLE_H

#include "base/lock.h"
#include "core/runq.h"
#include "wait/sleep.h"

/* A waiter's events: those of poll and epoll, which are the same numbers, or the turn. */
#define FD_KERNEL_EVENTS 0xffffu
#define FD_TURN(direction) (UINT32_C (1) << 20 << (direction))

/* Lies on the stack of who waits. */
struct fd_waiter {
	struct waiter w;
	struct fd_waiter *next, *prev;
	struct fd_entry *entry;
	int fd;
	uint32_t seq; /* the entry's, when it was put there */
	uint32_t events;
	bool queued, fired, timed;
	int result; /* 0: an event, or the deadline; else an error */
	struct sleeper sleeper;
};

struct fd_entry {
	struct goad__spinlock lock;
	uint32_t seq; /* of the file that is meant; in epoll_data */
	bool known;   /* the file is in the epoll set, unless it was closed behind our back */
	struct fd_waiter *first, *last;
	void *turn[2]; /* who has it */
} GOAD__ALIGNED;

struct goad__netpoll {
	struct goad__spinlock lock;
	_Atomic uint32_t used;    /* the set and the table are there */
	_Atomic uint32_t waiting; /* how many are between beginning and end of a wait */
	_Atomic uint32_t live;    /* 0: no runtime, threads that are not ours keep out */
	_Atomic uint32_t foreign; /* how many of those are inside */
	_Atomic uint32_t bed;     /* enum bed of netpoll.c: who sleeps in the set */
	_Atomic uint32_t wanted;  /* an M would have liked to, and found sysmon there */
	_Atomic uint64_t left_at; /* sysmon sleeps elsewhere until then; 0: it does not */
	_Atomic (struct fd_entry *) *chunk;
	uint32_t chunks; /* of them, those that may be there; under the lock */
};

extern struct goad__netpoll goad__netpoll;

struct fd_entry *goad__fd_find (int fd); /* NULL: nobody ever waited for it */
int goad__fd_entry (int fd, struct fd_entry **out);
void goad__fd_each (void (*fn) (struct fd_entry *e));
void goad__fd_table_free (void);

/* The waiter is in its entry's list for everybody to find; false: it need not wait, and
 * w->result says why.  Who was taken out of the list on the way is in due. */
bool goad__fd_enqueue (struct fd_waiter *w, struct gbatch *due);

/* Under the entry's lock. */
void goad__fd_remove (struct fd_entry *e, struct fd_waiter *w);
void goad__fd_wake (struct fd_entry *e, uint32_t events, int result, struct gbatch *due);
void goad__fd_arm_rest (int fd, struct fd_entry *e, struct gbatch *due);
void goad__fd_forget (int fd, struct fd_entry *e, struct gbatch *due);

/* Under no lock: readies those that were taken out of lists. */
void goad__fd_ready (struct gbatch *due);

#endif
