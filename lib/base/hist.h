/* SPDX-License-Identifier: MIT */
/* base/hist.h - a histogram of nanoseconds in 256 counters, each within 1/8 of the
 * value: 3 bits below the leading one, after HdrHistogram (Tene) */
#ifndef GOAD_BASE_HIST_H
#define GOAD_BASE_HIST_H

#include "base/base.h"

#define HIST_SLOTS 256u

static inline unsigned goad__hist_slot (uint64_t v)
{
	if (v < 8)
		return (unsigned) v;
	unsigned top = 63u - (unsigned) __builtin_clzll (v); /* >= 3 */
	unsigned slot = (top - 2) * 8 + (unsigned) (v >> (top - 3) & 7);
	return slot < HIST_SLOTS ? slot : HIST_SLOTS - 1;
}

/* The highest value that falls into the slot. */
static inline uint64_t goad__hist_value (unsigned slot)
{
	if (slot < 8)
		return slot;
	unsigned top = slot / 8 + 2;
	return ((UINT64_C (8) + slot % 8 + 1) << (top - 3)) - 1;
}

/* The value that a fraction per_mille of the counts does not exceed. */
static inline uint64_t goad__hist_quantile (const uint64_t counts[HIST_SLOTS], unsigned per_mille)
{
	uint64_t total = 0, seen = 0;

	for (unsigned i = 0; i < HIST_SLOTS; i++)
		total += counts[i];
	if (total == 0)
		return 0;
	uint64_t want = (total * per_mille + 999) / 1000;
	for (unsigned i = 0; i < HIST_SLOTS; i++) {
		seen += counts[i];
		if (seen >= want)
			return goad__hist_value (i);
	}
	return goad__hist_value (HIST_SLOTS - 1);
}

#endif
