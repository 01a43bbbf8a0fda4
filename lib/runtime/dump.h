/* SPDX-License-Identifier: MIT */
/* runtime/dump.h - what coroutines do, for people: state, how long, where
 *
 * No malloc, no stdio: write(2), and memory of its own.  One caller at a time, and
 * nobody may move the coroutines meanwhile.
 */
#ifndef GOAD_RUNTIME_DUMP_H
#define GOAD_RUNTIME_DUMP_H

#include "core/g.h"

/* Every coroutine that has not ended and is on no P.  Equal stacks are shown once, with
 * all who have them; what is written, and how long it takes, is bounded. */
void goad__dump_all (int fd);

/* Where g, which is on no P, stands: the newest frame first.  Returns how many; *exact:
 * the first is no return address. */
int goad__dump_frames (const struct g *g, uintptr_t *pc, int max, bool *exact);

#endif
