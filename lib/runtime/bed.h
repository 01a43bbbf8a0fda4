/* SPDX-License-Identifier: MIT */
/* runtime/bed.h - where sysmon sleeps, and how it is woken */
#ifndef GOAD_RUNTIME_BED_H
#define GOAD_RUNTIME_BED_H

#include "base/base.h"

void goad__bed_reset (void); /* no sysmon runs */

/* sysmon's: until then at most.  resting: it serves no timers and no descriptors. */
void goad__bed_sleep (uint64_t deadline, bool resting);

void goad__bed_wake (void); /* any thread, and the handler */

void goad__bed_note_cpu (void); /* sysmon's: what it has used is told from here */
uint64_t goad__bed_cpu (void);  /* ns; any thread                               */

/* urgent.c: the calling thread is to have a CPU at once when it wakes. */
void goad__urgent (void);

#endif
