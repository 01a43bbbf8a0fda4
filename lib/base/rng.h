/* SPDX-License-Identifier: MIT */
/* base/rng.h - fast random numbers: splitmix64 (Steele, Lea, Flood, OOPSLA 2014) */
#ifndef GOAD_BASE_RNG_H
#define GOAD_BASE_RNG_H

#include "base/base.h"

static inline uint64_t goad__mix (uint64_t z)
{
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

static inline uint64_t goad__random (uint64_t *state)
{
	return goad__mix (*state += 0x9e3779b97f4a7c15u);
}

/* Uniform in 0..n-1 (n > 0) up to a bias of n / 2^32. */
static inline uint32_t goad__random_below (uint64_t *state, uint32_t n)
{
	return (uint32_t) (((goad__random (state) >> 32) * n) >> 32);
}

#endif
