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

#endif
