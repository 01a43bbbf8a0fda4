/* SPDX-License-Identifier: MIT */
/* base/futex.h - wait for a word to change, by raw system calls
 *
 * Async-signal-safe.  Both ends leave errno alone: they may run in a signal
 * handler, and a compiler could keep errno's address across a switch.
 */
#ifndef GOAD_BASE_FUTEX_H
#define GOAD_BASE_FUTEX_H

#include <limits.h>
#include <linux/futex.h>
#include <time.h>

#include "base/base.h"
#include "base/syscall.h"

/* Sleeps while *word == seen, at most until deadline (absolute, CLOCK_MONOTONIC
 * ns; UINT64_MAX: for ever).  May return early: the caller looks again. */
static inline void goad__futex_wait (_Atomic uint32_t *word, uint32_t seen, uint64_t deadline)
{
	struct timespec ts = { (time_t) (deadline / 1000000000u), (long) (deadline % 1000000000u) };

	goad__syscall6 (SYS_futex, (long) word, FUTEX_WAIT_BITSET | FUTEX_PRIVATE_FLAG, (long) seen,
	                deadline == UINT64_MAX ? 0 : (long) &ts, 0, (long) FUTEX_BITSET_MATCH_ANY);
}

/* Wakes at most n sleepers. */
static inline void goad__futex_wake (_Atomic uint32_t *word, int n)
{
	goad__syscall6 (SYS_futex, (long) word, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, n, 0, 0, 0);
}

#endif
