/* SPDX-License-Identifier: MIT */
/* tests/preempt/stuck.h - coroutines that get stuck in the kernel without a word, whatever in:
 * the rest goes on, and who is let go is taken in again */
#ifndef GOAD_TESTS_STUCK_H
#define GOAD_TESTS_STUCK_H

#include "tests/harness.h"
#include "tests/support.h"

enum { PS = 2 };

/* Runs a case of its own on that many Ps, in that mode. */
typedef void stuck_try (int ps, int mode);
void stuck_on_all_ps (stuck_try *try);
void stuck_in_every_mode (stuck_try *try);
void stuck_without_syscall_file (stuck_try *try);
void stuck_without_membarrier (stuck_try *try);

/* Yields until n are in it, and a thousand times more.  For how long, but for what the host
 * took; and that this was short. */
uint64_t stuck_go_on (const _Atomic int *inside, int n);
#define stuck_assert_short(took, ...) \
	cr_expect_lt (took, 50 * GOAD_MS * (TEST_SLOW ? 10 : 1), __VA_ARGS__)

/* For goad_main: one that gets stuck by get_in (0), and after let_go (0) computes without a
 * call into goad, is taken in again; with disable not before it enables preemption. */
struct stuck_back {
	void (*get_in) (int i);
	void (*let_go) (int i);
	bool disable;
};
void stuck_comes_back (void *arg);

#endif
