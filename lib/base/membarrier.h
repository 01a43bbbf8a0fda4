/* SPDX-License-Identifier: MIT */
/* base/membarrier.h - a full fence in every thread of the process, from one
 *
 * With it the frequent side of a store-then-load handshake needs only a compiler
 * barrier, and the rare side pays.  Looked for at run time (Linux 4.14);
 * GOAD_NO_MEMBARRIER=1 says that it is not there.
 */
#ifndef GOAD_BASE_MEMBARRIER_H
#define GOAD_BASE_MEMBARRIER_H

#include "base/base.h"

/* Registers the process.  False: not available, then both sides need real fences. */
bool goad__membarrier_init (void);

void goad__fence_all_threads (void);

#endif
