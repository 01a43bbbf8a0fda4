/* SPDX-License-Identifier: MIT */
/* base/base.h - what every room uses: compiler words, the page size, min and max */
#ifndef GOAD_BASE_BASE_H
#define GOAD_BASE_BASE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define likely(x) __builtin_expect (!!(x), 1)
#define unlikely(x) __builtin_expect (!!(x), 0)

#define GOAD__NOINLINE __attribute__ ((noinline))
#define GOAD__COLD __attribute__ ((cold, noinline))
#define GOAD__API __attribute__ ((visibility ("default")))
#define GOAD__LINE 64 /* bytes in a cache line */
#define GOAD__ALIGNED __attribute__ ((aligned (GOAD__LINE)))

#define GOAD__PAGE ((size_t) 4096)

#define container_of(p, type, member) ((type *) ((char *) (p) -offsetof (type, member)))

/* A compiler barrier: orders against signals on this thread, not other threads. */
#define goad__compiler_barrier() __asm__ volatile("" ::: "memory")

static inline void goad__cpu_relax (void)
{
#if defined __x86_64__
	__asm__ volatile("pause" ::: "memory");
#elif defined __aarch64__
	__asm__ volatile("yield" ::: "memory");
#endif
}

static inline uint64_t goad__min64 (uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static inline uint64_t goad__max64 (uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static inline size_t goad__round_up (size_t n, size_t to)
{
	return (n + to - 1) & ~(to - 1);
}

#endif
