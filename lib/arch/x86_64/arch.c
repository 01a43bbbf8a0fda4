/* SPDX-License-Identifier: MIT */
/* Which extended state this processor has, and how much room it takes. */
#include "arch.h"

#include <cpuid.h>

#include "base/os.h"

#define PKRU (UINT64_C (1) << 9) /* belongs to the thread, not to the coroutine */

uint64_t goad__xsave_mask;
uint32_t goad__xsave_size = 512;
uint32_t goad__xsave_kind;

static uint64_t xgetbv0 (void)
{
	uint32_t lo, hi;
	__asm__ volatile("xgetbv" : "=a"(lo), "=d"(hi) : "c"(0));
	return (uint64_t) hi << 32 | lo;
}

/* The size of the compacted (XSAVEC) or standard (XSAVE) form for mask: CPUID leaf
 * 0xD has each component's size in EAX, standard offset in EBX, and in ECX bit 1
 * whether the compacted form aligns it to 64 bytes. */
static uint32_t area_size (uint64_t mask, bool compact)
{
	uint32_t size = 512 + 64;

	for (unsigned i = 2; i < 63; i++) {
		uint32_t a, b, c, d;
		if (!(mask >> i & 1))
			continue;
		__cpuid_count (0xd, i, a, b, c, d);
		if (compact) {
			if (c & 2)
				size = (uint32_t) goad__round_up (size, 64);
			size += a;
		} else if (b + a > size) {
			size = b + a;
		}
	}
	return (uint32_t) goad__round_up (size, 64);
}

void goad__arch_init (void)
{
	uint32_t a, b, c, d;

	goad__xsave_kind = 0;
	goad__xsave_size = 512;
	__cpuid (1, a, b, c, d);
	if (!(c & bit_OSXSAVE))
		return;
	goad__xsave_mask = xgetbv0 () & ~PKRU;
	__cpuid_count (0xd, 1, a, b, c, d);
	bool compact = (a & 2) && !goad__env_flag ("GOAD_NO_XSAVEC");
	goad__xsave_size = area_size (goad__xsave_mask, compact);
	goad__xsave_kind = compact ? 2 : 1;
}
