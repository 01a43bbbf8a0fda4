/* SPDX-License-Identifier: MIT */
/* wait/join.h - waiting for a coroutine's end */
#ifndef GOAD_WAIT_JOIN_H
#define GOAD_WAIT_JOIN_H

#include "core/g.h"

/* 0: it has ended and is the caller's to free; else as goad_join_until. */
int goad__join (struct g *g, uint64_t deadline);

#endif
