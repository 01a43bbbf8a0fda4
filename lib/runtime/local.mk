# SPDX-License-Identifier: MIT
lib_libgoad_core_la_SOURCES += \
	%D%/api.c \
	%D%/check.c \
	%D%/check.h \
	%D%/config.c \
	%D%/cpus.c \
	%D%/deadlock.c \
	%D%/dump.c \
	%D%/dump.h \
	%D%/fault.c \
	%D%/fault.h \
	%D%/fork.c \
	%D%/init.c \
	%D%/io.c \
	%D%/io.h \
	%D%/io_conn.c \
	%D%/io_file.c \
	%D%/io_socket.c \
	%D%/monitor.c \
	%D%/runtime.h \
	%D%/starve.c \
	%D%/starve.h \
	%D%/starve_scan.c \
	%D%/stats.c \
	%D%/symbol.c \
	%D%/thread.c \
	%D%/thread.h \
	%D%/threads.c \
	%D%/trace.c \
	%D%/trace.h \
	%D%/watch.c \
	%D%/watch.h
