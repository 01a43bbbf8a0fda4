# SPDX-License-Identifier: MIT
lib_libgoad_core_la_SOURCES += \
	%D%/account.h \
	%D%/block.c \
	%D%/cxa.h \
	%D%/expect.h \
	%D%/feedback.c \
	%D%/feedback.h \
	%D%/find.c \
	%D%/handoff.c \
	%D%/idle.c \
	%D%/lockthread.c \
	%D%/owed.c \
	%D%/park.c \
	%D%/procs.c \
	%D%/retake.c \
	%D%/sched.c \
	%D%/sched.h \
	%D%/source.c \
	%D%/source.h \
	%D%/spawn.c \
	%D%/spill.c \
	%D%/steal.c \
	%D%/world.c
