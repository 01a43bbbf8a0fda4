# SPDX-License-Identifier: MIT
# Manual pages, and the design told at length.  tools/dev/relist writes the lists, also of the
# pages that only lead to another (.so).
# relist: from here
dist_man_MANS += \
	%D%/man/goad-bench.1 \
	%D%/man/goad-models.1 \
	%D%/man/goad-run.1 \
	%D%/man/goad-starve.1 \
	%D%/man/goad-trace.1 \
	%D%/man/goad.1 \
	%D%/man/goad.7 \
	%D%/man/goad_accept.3 \
	%D%/man/goad_accept_until.3 \
	%D%/man/goad_after.3 \
	%D%/man/goad_block.3 \
	%D%/man/goad_block_begin.3 \
	%D%/man/goad_block_end.3 \
	%D%/man/goad_chan_cap.3 \
	%D%/man/goad_chan_close.3 \
	%D%/man/goad_chan_create.3 \
	%D%/man/goad_chan_destroy.3 \
	%D%/man/goad_chan_len.3 \
	%D%/man/goad_chan_recv.3 \
	%D%/man/goad_chan_recv_until.3 \
	%D%/man/goad_chan_send.3 \
	%D%/man/goad_chan_send_until.3 \
	%D%/man/goad_chan_try_recv.3 \
	%D%/man/goad_chan_try_send.3 \
	%D%/man/goad_close.3 \
	%D%/man/goad_cond_broadcast.3 \
	%D%/man/goad_cond_signal.3 \
	%D%/man/goad_cond_wait.3 \
	%D%/man/goad_cond_wait_until.3 \
	%D%/man/goad_config_init.3 \
	%D%/man/goad_connect.3 \
	%D%/man/goad_connect_until.3 \
	%D%/man/goad_count.3 \
	%D%/man/goad_detach.3 \
	%D%/man/goad_dump.3 \
	%D%/man/goad_exit.3 \
	%D%/man/goad_go.3 \
	%D%/man/goad_id.3 \
	%D%/man/goad_join.3 \
	%D%/man/goad_join_until.3 \
	%D%/man/goad_lock_thread.3 \
	%D%/man/goad_main.3 \
	%D%/man/goad_module_class.3 \
	%D%/man/goad_mutex_lock.3 \
	%D%/man/goad_mutex_lock_until.3 \
	%D%/man/goad_mutex_trylock.3 \
	%D%/man/goad_mutex_unlock.3 \
	%D%/man/goad_name.3 \
	%D%/man/goad_now.3 \
	%D%/man/goad_observe_procs.3 \
	%D%/man/goad_once.3 \
	%D%/man/goad_preempt_disable.3 \
	%D%/man/goad_preempt_enable.3 \
	%D%/man/goad_procs.3 \
	%D%/man/goad_read.3 \
	%D%/man/goad_read_until.3 \
	%D%/man/goad_readv.3 \
	%D%/man/goad_readv_until.3 \
	%D%/man/goad_recv.3 \
	%D%/man/goad_recv_until.3 \
	%D%/man/goad_recvmsg.3 \
	%D%/man/goad_recvmsg_until.3 \
	%D%/man/goad_rwlock_rdlock.3 \
	%D%/man/goad_rwlock_rdlock_until.3 \
	%D%/man/goad_rwlock_tryrdlock.3 \
	%D%/man/goad_rwlock_trywrlock.3 \
	%D%/man/goad_rwlock_unlock.3 \
	%D%/man/goad_rwlock_wrlock.3 \
	%D%/man/goad_rwlock_wrlock_until.3 \
	%D%/man/goad_select.3 \
	%D%/man/goad_select_until.3 \
	%D%/man/goad_sem_acquire.3 \
	%D%/man/goad_sem_acquire_until.3 \
	%D%/man/goad_sem_init.3 \
	%D%/man/goad_sem_release.3 \
	%D%/man/goad_sem_tryacquire.3 \
	%D%/man/goad_send.3 \
	%D%/man/goad_send_until.3 \
	%D%/man/goad_sendmsg.3 \
	%D%/man/goad_sendmsg_until.3 \
	%D%/man/goad_set_max_threads.3 \
	%D%/man/goad_set_procs.3 \
	%D%/man/goad_sleep.3 \
	%D%/man/goad_sleep_until.3 \
	%D%/man/goad_spawn.3 \
	%D%/man/goad_start.3 \
	%D%/man/goad_starve_stop.3 \
	%D%/man/goad_starve_watch.3 \
	%D%/man/goad_stats.3 \
	%D%/man/goad_stop.3 \
	%D%/man/goad_task_stats.3 \
	%D%/man/goad_timer_reset.3 \
	%D%/man/goad_timer_start.3 \
	%D%/man/goad_timer_stop.3 \
	%D%/man/goad_trace_start.3 \
	%D%/man/goad_trace_stop.3 \
	%D%/man/goad_unlock_thread.3 \
	%D%/man/goad_wait_fd.3 \
	%D%/man/goad_wg_add.3 \
	%D%/man/goad_wg_done.3 \
	%D%/man/goad_wg_wait.3 \
	%D%/man/goad_wg_wait_until.3 \
	%D%/man/goad_write.3 \
	%D%/man/goad_write_until.3 \
	%D%/man/goad_writev.3 \
	%D%/man/goad_writev_until.3 \
	%D%/man/goad_yield.3
EXTRA_DIST += \
	%D%/comparison.md \
	%D%/design/benchmarks.md \
	%D%/design/channels.md \
	%D%/design/ordering.md \
	%D%/design/preemption.md \
	%D%/design/scheduler.md \
	%D%/design/sysmon.md \
	%D%/dump.md \
	%D%/how-preempted.md \
	%D%/limits.md \
	%D%/trace-format.md
# relist: to here

# The picture in README.md.
EXTRA_DIST += %D%/demo.svg
