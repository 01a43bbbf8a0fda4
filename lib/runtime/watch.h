/* SPDX-License-Identifier: MIT */
/* runtime/watch.h - what threads do, and who runs without a P; for sysmon's thread alone */
#ifndef GOAD_RUNTIME_WATCH_H
#define GOAD_RUNTIME_WATCH_H

#include "base/base.h"
#include "core/m.h"
#include "sysmon/sysmon.h"

void goad__watch_reset (void);
void goad__watch_end (void);

/* As sysmon_ops: what P i's thread does; and its P is taken, if it sleeps still. */
enum sysmon_thread goad__watch_probe (int i, uint64_t tick);
int goad__watch_take (int i, uint64_t tick);

bool goad__watch_sleeps (struct m *m, int tid); /* in a system call, now */

/* Some thread may run without a P; those that do are told to come back.  How many. */
bool goad__watch_any (void);
int goad__watch_rein (void);

/* What a thread of ours does at this instant: from /proc.  Any thread may ask. */
enum goad__doing { DOING_RUN, DOING_SLEEP, DOING_FAULT, DOING_UNKNOWN };

struct goad__call {
	long nr;          /* of the system call that it sleeps in; -1: none, or not known         */
	uint64_t arg;     /* its first argument: the address of a futex is the lock      */
	uintptr_t sp, pc; /* of the thread in it; 0: not known                           */
};

enum goad__doing goad__watch_look (int tid, struct goad__call *c);
uint64_t goad__watch_cpu (int tid); /* ns that the thread has run; 0: it has gone       */

#endif
