# SPDX-License-Identifier: MIT
lib_libgoad_core_la_SOURCES += \
	%D%/chan.c \
	%D%/chan.h \
	%D%/heap.c \
	%D%/heap.h \
	%D%/join.c \
	%D%/join.h \
	%D%/select.c \
	%D%/sleep.c \
	%D%/sleep.h \
	%D%/ticker.c \
	%D%/ticker.h \
	%D%/timer.c \
	%D%/timer.h \
	%D%/wait.c \
	%D%/wait.h
	%D%/wait.c \
	%D%/wait.h
