/* SPDX-License-Identifier: MIT */
/* runtime/check.h - the whole runtime is as it should be (--enable-debug)
 *
 * Asked when all Ps are idle, and when the runtime has ended: then nobody moves a
 * coroutine but a thread that is not the runtime's, so each must be where its state
 * says.  In other builds nothing is left of it.
 */
#ifndef GOAD_RUNTIME_CHECK_H
#define GOAD_RUNTIME_CHECK_H

#include "base/base.h"

#ifdef GOAD_DEBUG_BUILD

void goad__check_init (void);      /* before the Ps are made; from then on each idle point asks */
void goad__check_world (void);     /* takes the scheduler's lock; ends the program if it is wrong */
void goad__check_ended (void);     /* all threads have gone, the stacks are still there */
uint64_t goad__check_count (void); /* of checks with all Ps idle, since the program began */

#else

static inline void goad__check_init (void)
{
}

static inline void goad__check_ended (void)
{
}

#endif

#endif
