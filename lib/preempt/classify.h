/* SPDX-License-Identifier: MIT */
/* preempt/classify.h - what class an object is of, and why */
#ifndef GOAD_PREEMPT_CLASSIFY_H
#define GOAD_PREEMPT_CLASSIFY_H

#include "preempt/modules.h"

/* Fills in what is found in the object itself: bounds, names, own class, functions
 * that handle per-thread addresses.  path and base are set. */
void goad__classify_own (struct goad__object *o, const struct goad__elf *e);

/* Adds what the user said and what the objects depend on. */
void goad__classify_all (struct goad__table *t);

#endif
