/* SPDX-License-Identifier: MIT */
/* list.c - all scenarios, in the order in which they are run */
#include "tools/starve.h"

/* clang-format off */
#define ALL(X) \
	X (spin_hog) \
	X (spin_flag) \
	X (try_loop) \
	X (libc_hog) \
	X (mutex_hog) \
	X (tls_hog) \
	X (deep_hog) \
	X (locked_hog) \
	X (locked_victim) \
	X (ready_pair) \
	X (channel_pair) \
	X (spawn_chain) \
	X (global_queue) \
	X (timer_behind_hogs) \
	X (descriptor_behind_hogs) \
	X (woken_late) \
	X (newcomer) \
	X (lock_convoy) \
	X (reader_writer) \
	X (blocked_threads) \
	X (announced_block) \
	X (mutex_sleeper) \
	X (weights)
/* clang-format on */

#define DECLARE(name) extern const struct scenario starve_##name;
ALL (DECLARE)

#define LINE(name) &starve_##name,
const struct scenario *const starve_scenarios[] = { ALL (LINE) };
const size_t starve_scenarios_n = UTIL_COUNT (starve_scenarios);
