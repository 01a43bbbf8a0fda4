/* SPDX-License-Identifier: MIT */
/* preempt/peek.h - reading our own memory where it may vanish meanwhile
 *
 * An object may be unloaded by another thread while sysmon reads its headers.  A
 * plain load would then end the program; these reads fail instead.
 */
#ifndef GOAD_PREEMPT_PEEK_H
#define GOAD_PREEMPT_PEEK_H

#include "base/base.h"

/* Opens what is needed: process_vm_readv on ourselves, or where that is not
 * permitted (or GOAD_NO_VM_READV is set) /proc/self/mem.  0 or a negative errno. */
int goad__peek_open (void);
void goad__peek_close (void);

/* Copies n bytes at addr; false when not all of them could be read. */
bool goad__peek (uintptr_t addr, void *dst, size_t n);

/* The same for a place that is searched, through pages kept since they were read
 * first.  token is a struct goad__peek_pages, zero at the beginning. */
#define GOAD__PEEK_PAGES 64

struct goad__peek_pages {
	uintptr_t at[GOAD__PEEK_PAGES];
	unsigned char copy[GOAD__PEEK_PAGES][GOAD__PAGE];
};

bool goad__peek_paged (void *token, uintptr_t addr, void *dst, size_t n);

#endif
