/* SPDX-License-Identifier: MIT */
/* work.h - clocks, memory and work, for the benchmarks and their pthread twins; included by bench.h
 *
 * While coroutines run nothing here allocates or prints. */
#ifndef BENCH_WORK_H
#define BENCH_WORK_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* CPU sets */
#endif

#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define BENCH_UNUSED __attribute__ ((unused))
#define BENCH_MS UINT64_C (1000000)
#define BENCH_BLOCK 8192 /* iterations of bench_spin between looks at the clock, about 15 us */

/* A counter in a cache line of its own, so that hogs do not disturb each other. */
struct bench_line {
	uint64_t n;
	char pad[120];
};

static inline uint64_t bench_clock (clockid_t id)
{
	struct timespec ts;
	clock_gettime (id, &ts);
	return (uint64_t) ts.tv_sec * 1000000000u + (uint64_t) ts.tv_nsec;
}

static inline uint64_t bench_now (void)
{
	return bench_clock (CLOCK_MONOTONIC);
}

/* Reads a small file of /proc without stdio, which a coroutine had better not hold. */
BENCH_UNUSED static const char *bench_slurp (const char *path)
{
	static char buf[4096];
	int fd = open (path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : read (fd, buf, sizeof buf - 1);
	if (fd >= 0)
		close (fd);
	buf[n > 0 ? n : 0] = 0;
	return buf;
}

/* Second field: how long the main thread was ready to run while no CPU took it.  Where there
 * are no more threads than CPUs, that is somebody else's work on this machine. */
static inline uint64_t bench_run_delay (void)
{
	unsigned long long run = 0, delay = 0;
	sscanf (bench_slurp ("/proc/self/schedstat"), "%llu %llu", &run, &delay);
	return delay;
}

/* Resident bytes, and bytes of page tables, which RSS does not contain. */
BENCH_UNUSED static void bench_memory (uint64_t *rss, uint64_t *tables)
{
	const char *at = strchr (bench_slurp ("/proc/self/statm"), ' ');
	*rss = at ? strtoull (at, NULL, 10) * 4096 : 0;
	at = strstr (bench_slurp ("/proc/self/status"), "VmPTE:");
	*tables = at ? strtoull (at + 6, NULL, 10) * 1024 : 0;
}

BENCH_UNUSED static void *bench_alloc (size_t n)
{
	void *p = mmap (NULL, n ? n : 1, PROT_READ | PROT_WRITE,
	                MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (p == MAP_FAILED) {
		perror ("mmap");
		exit (1);
	}
	return p; /* touched: no page fault is measured that belongs to the benchmark */
}

/* Work that a compiler can neither skip nor shorten; about 2 ns an iteration. */
__attribute__ ((noinline)) BENCH_UNUSED static uint64_t bench_spin (uint64_t x, long n)
{
	for (long i = 0; i < n; i++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
	}
	__asm__ volatile("" : : "r"(x));
	return x;
}

/* A hog: counts blocks of work until the deadline has passed. */
BENCH_UNUSED static void bench_hog (struct bench_line *line, uint64_t deadline)
{
	uint64_t x = 88172645463325252u, n = 0;
	while (bench_now () < deadline) {
		x = bench_spin (x, BENCH_BLOCK);
		__atomic_store_n (&line->n, ++n, __ATOMIC_RELAXED);
	}
}

#endif /* BENCH_WORK_H */
