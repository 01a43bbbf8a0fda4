# SPDX-License-Identifier: MIT
lib_libgoad_core_la_SOURCES += \
	%D%/chan.c \
	%D%/chan.h \
	%D%/epoll.c \
	%D%/epoll.h \
	%D%/fdtable.c \
	%D%/fdtable.h \
	%D%/fdwait.c \
	%D%/heap.c \
	%D%/heap.h \
	%D%/join.c \
	%D%/join.h \
	%D%/netpoll.c \
	%D%/netpoll.h \
	%D%/select.c \
	%D%/sleep.c \
	%D%/sleep.h \
	%D%/sync.c \
	%D%/sync.h \
	%D%/sync_cond.c \
	%D%/sync_mutex.c \
	%D%/sync_once.c \
	%D%/sync_rwlock.c \
	%D%/sync_sem.c \
	%D%/sync_wg.c \
	%D%/ticker.c \
	%D%/ticker.h \
	%D%/timer.c \
	%D%/timer.h \
	%D%/wait.c \
	%D%/wait.h
