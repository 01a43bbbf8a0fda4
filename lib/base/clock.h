/* SPDX-License-Identifier: MIT */
/* base/clock.h - CLOCK_MONOTONIC in nanoseconds; async-signal-safe (vDSO) */
#ifndef GOAD_BASE_CLOCK_H
#define GOAD_BASE_CLOCK_H

#include <time.h>

#include "base/base.h"

static inline uint64_t goad__now (void)
{
	struct timespec ts;
	clock_gettime (CLOCK_MONOTONIC, &ts);
	return (uint64_t) ts.tv_sec * 1000000000u + (uint64_t) ts.tv_nsec;
}

static inline uint64_t goad__add_time (uint64_t a, uint64_t b)
{
	return a + b < a ? UINT64_MAX : a + b;
}

#endif
