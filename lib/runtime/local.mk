# SPDX-License-Identifier: MIT
lib_libgoad_core_la_SOURCES += \
	%D%/api.c \
	%D%/check.c \
	%D%/check.h \
	%D%/config.c \
	%D%/deadlock.c \
	%D%/fault.c \
	%D%/fault.h \
	%D%/init.c \
	%D%/monitor.c \
	%D%/runtime.h \
	%D%/stats.c \
	%D%/thread.c \
	%D%/thread.h \
	%D%/watch.c \
	%D%/watch.h
