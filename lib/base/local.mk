# SPDX-License-Identifier: MIT
lib_libgoad_core_la_SOURCES += \
	%D%/base.h \
	%D%/clock.h \
	%D%/fatal.c \
	%D%/fatal.h \
	%D%/futex.h \
	%D%/hist.h \
	%D%/lock.c \
	%D%/lock.h \
	%D%/membarrier.c \
	%D%/membarrier.h \
	%D%/os.c \
	%D%/os.h \
	%D%/rng.h \
	%D%/san.h \
	%D%/syscall.h
