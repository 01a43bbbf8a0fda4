/* SPDX-License-Identifier: MIT */
/* base/os.h - pages, threads and signals of the kernel; async-signal-safe */
#ifndef GOAD_BASE_OS_H
#define GOAD_BASE_OS_H

#include "base/base.h"

/* Zeroed pages that nobody else sees; NULL when there are none. */
void *goad__pages_get (size_t size);
void goad__pages_put (void *p, size_t size);

int goad__gettid (void);

/* Sends signo to one thread of this process with si_code SI_QUEUE and the cookie
 * as its value.  0 or a negative errno. */
int goad__thread_signal (int tid, int signo, void *cookie);

/* Whether the environment variable is set to something but "" and "0". */
bool goad__env_flag (const char *name);

#endif
