/* SPDX-License-Identifier: MIT */
/* preempt/funcs.h - is a function of a scanned object thread-independent?
 *
 * Decided once for each function and loading of its object, and remembered.
 */
#ifndef GOAD_PREEMPT_FUNCS_H
#define GOAD_PREEMPT_FUNCS_H

#include "preempt/modules.h"

/* Why the function [start, end) of the object is bound, static text; NULL: it is
 * not.  Lock-free; any thread; the object must not be unloaded meanwhile. */
const char *goad__funcs_bound (const struct goad__object *o, uintptr_t start, uintptr_t end);

#endif
