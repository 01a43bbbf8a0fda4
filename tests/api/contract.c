/* SPDX-License-Identifier: MIT */
/* contract.c - every public name has the type that the contract gives it: a program compiled
 * against an older header must go on linking and working. */
#include "tests/harness.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <goad.h>

/* An assignment between pointers to functions of different types is an error here. */
#pragma GCC diagnostic error "-Wincompatible-pointer-types"
#define IS(name, result, ...)               \
	result (*is_##name) __VA_ARGS__ = name; \
	cr_expect_not_null ((void *) (uintptr_t) is_##name)

Test (contract, life)
{
	IS (goad_config_init, int, (goad_config_t *) );
	IS (goad_main, int, (goad_fn, void *, const goad_config_t *) );
	IS (goad_start, int, (const goad_config_t *) );
	IS (goad_stop, int, (void) );
	IS (goad_procs, int, (void) );
	IS (goad_set_procs, int, (int) );
	IS (goad_set_max_threads, int, (int) );
	IS (goad_count, size_t, (void) );
}

Test (contract, starve)
{
	goad_starve_event_t e = { .hog_depth = 0 };
	goad_starve_opts_t o = GOAD_STARVE_OPTS_INIT;
	void (*fn) (const goad_starve_event_t *, void *) = o.on_starve;

	IS (goad_starve_watch, int, (const goad_starve_opts_t *) );
	IS (goad_starve_stop, int, (uint64_t *) );
	cr_expect_null ((void *) (uintptr_t) fn);
	cr_expect_eq (o.size, sizeof o);
	cr_expect_eq (sizeof e.hog_pc / sizeof *e.hog_pc, 32);
}

Test (contract, coroutines)
{
	IS (goad_go, int, (goad_fn, void *) );
	IS (goad_spawn, int, (goad_task_t **, const goad_attr_t *, goad_fn, void *) );
	IS (goad_join, int, (goad_task_t *) );
	IS (goad_join_until, int, (goad_task_t *, uint64_t));
	IS (goad_detach, int, (goad_task_t *) );
	IS (goad_yield, void, (void) );
	IS (goad_id, uint64_t, (void) );
	IS (goad_name, const char *, (void) );
	IS (goad_sleep, int, (uint64_t));
	IS (goad_sleep_until, int, (uint64_t));
	IS (goad_preempt_disable, void, (void) );
	IS (goad_preempt_enable, void, (void) );
	IS (goad_lock_thread, int, (void) );
	IS (goad_unlock_thread, int, (void) );
	IS (goad_block_begin, void, (void) );
	IS (goad_block_end, void, (void) );
	IS (goad_block, int, (void (*) (void *), void *) );
	void (*is_goad_exit) (void) = goad_exit;
	cr_expect_not_null ((void *) (uintptr_t) is_goad_exit);
}

Test (contract, looking)
{
	IS (goad_stats, int, (goad_stats_t *) );
	IS (goad_task_stats, int, (goad_task_t *, goad_task_stats_t *) );
}

Test (contract, time)
{
	IS (goad_timer_start, int, (goad_timer_t **, uint64_t, uint64_t, goad_fn, void *) );
	IS (goad_timer_reset, int, (goad_timer_t *, uint64_t, uint64_t));
	IS (goad_timer_stop, int, (goad_timer_t *) );
	uint64_t now = goad_now (), then = goad_after (5);
	cr_expect (now && then);
	cr_expect_eq (goad_after (GOAD_FOREVER), GOAD_FOREVER);
}

Test (contract, descriptors)
{
	IS (goad_wait_fd, int, (int, short, uint64_t));
	IS (goad_read, ssize_t, (int, void *, size_t));
	IS (goad_write, ssize_t, (int, const void *, size_t));
	IS (goad_readv, ssize_t, (int, const struct iovec *, int) );
	IS (goad_writev, ssize_t, (int, const struct iovec *, int) );
	IS (goad_recv, ssize_t, (int, void *, size_t, int) );
	IS (goad_send, ssize_t, (int, const void *, size_t, int) );
	IS (goad_recvmsg, ssize_t, (int, struct msghdr *, int) );
	IS (goad_sendmsg, ssize_t, (int, const struct msghdr *, int) );
	IS (goad_accept, int, (int, struct sockaddr *, socklen_t *) );
	IS (goad_connect, int, (int, const struct sockaddr *, socklen_t));
	IS (goad_read_until, ssize_t, (int, void *, size_t, uint64_t));
	IS (goad_write_until, ssize_t, (int, const void *, size_t, uint64_t));
	IS (goad_readv_until, ssize_t, (int, const struct iovec *, int, uint64_t));
	IS (goad_writev_until, ssize_t, (int, const struct iovec *, int, uint64_t));
	IS (goad_recv_until, ssize_t, (int, void *, size_t, int, uint64_t));
	IS (goad_send_until, ssize_t, (int, const void *, size_t, int, uint64_t));
	IS (goad_recvmsg_until, ssize_t, (int, struct msghdr *, int, uint64_t));
	IS (goad_sendmsg_until, ssize_t, (int, const struct msghdr *, int, uint64_t));
	IS (goad_accept_until, int, (int, struct sockaddr *, socklen_t *, uint64_t));
	IS (goad_connect_until, int, (int, const struct sockaddr *, socklen_t, uint64_t));
	IS (goad_close, int, (int) );
}
